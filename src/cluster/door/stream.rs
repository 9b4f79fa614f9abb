//! A connection as it is handed to ractor_cluster: TLS below, and a switch that ends it whatever else hangs.

use std::{
    future::Future as _,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use ractor_cluster::{BoxRead, BoxWrite, ClusterBidiStream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::TlsStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// A connection that ends when its switch is thrown.
pub(super) struct Switched {
    pub(super) stream: TlsStream<TcpStream>,
    /// Names the connection in the events of the node server.
    pub(super) label: String,
    pub(super) switch: CancellationToken,
}

impl ClusterBidiStream for Switched {
    fn split(self: Box<Self>) -> (BoxRead, BoxWrite) {
        let (read, write) = tokio::io::split(self.stream);
        let off = || Box::pin(self.switch.clone().cancelled_owned());
        (Box::new(Half { half: read, off: off() }), Box::new(Half { half: write, off: off() }))
    }

    fn peer_label(&self) -> Option<String> {
        Some(self.label.clone())
    }
}

/// One direction. A writer that waits for a peer that reads no more wakes up when the switch is thrown.
struct Half<T> {
    half: T,
    off: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl<T> Half<T> {
    fn is_off(&mut self, context: &mut Context<'_>) -> bool {
        self.off.as_mut().poll(context).is_ready()
    }
}

fn off<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
}

impl<T: AsyncRead + Unpin> AsyncRead for Half<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_off(context) {
            return off();
        }
        Pin::new(&mut self.half).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Half<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_off(context) {
            return off();
        }
        Pin::new(&mut self.half).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_off(context) {
            return off();
        }
        Pin::new(&mut self.half).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_off(context) {
            return off();
        }
        Pin::new(&mut self.half).poll_shutdown(context)
    }
}
