//! A socket, plain or TLS, that never makes anybody wait: try, or ask to be woken.

use std::{
    cell::RefCell,
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use actix_rt::net::TcpStream;
use actix_tls::accept::rustls_0_23::TlsStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What the handshake writes to, and what becomes a [`Socket`].
pub trait Transport: AsyncRead + AsyncWrite + Unpin + 'static {
    /// The socket of it.
    fn into_socket(self) -> Socket;
    /// The TCP stream below.
    fn tcp(&self) -> &TcpStream;
}

/// A socket after its handshake.
pub enum Socket {
    /// TCP.
    Plain(TcpStream),
    /// TLS over TCP.
    Tls(Box<Tls>),
}

/// TLS over TCP; its session may want to write in order to read, so both sides share one waker: the task's.
pub struct Tls {
    stream: RefCell<TlsStream<TcpStream>>,
    waker: RefCell<Waker>,
}

impl Transport for TcpStream {
    fn into_socket(self) -> Socket {
        Socket::Plain(self)
    }

    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Transport for TlsStream<TcpStream> {
    fn into_socket(self) -> Socket {
        let waker = RefCell::new(Waker::noop().clone());
        Socket::Tls(Box::new(Tls { stream: RefCell::new(self), waker }))
    }

    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

impl Socket {
    /// Writes what the socket takes right now.
    ///
    /// # Errors
    /// `WouldBlock`, or what the system says.
    pub fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => match slices {
                [one] => stream.try_write(one),
                many => stream.try_write_vectored(many),
            },
            Self::Tls(tls) => tls.with(|mut stream, context| {
                let first = slices.iter().find(|slice| !slice.is_empty()).map_or(&[][..], |slice| &**slice);
                let written = ready!(stream.as_mut().poll_write(context, first))?;
                // What the record layer holds back goes out with the next call, or when the socket is ready again.
                let _ = stream.poll_flush(context)?;
                Poll::Ready(Ok(written))
            }),
        }
    }

    /// Reads what is there right now.
    ///
    /// # Errors
    /// `WouldBlock`, or what the system says.
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.try_read(buffer),
            Self::Tls(tls) => tls.with(|stream, context| {
                let mut buffer = ReadBuf::new(buffer);
                ready!(stream.poll_read(context, &mut buffer))?;
                Poll::Ready(Ok(buffer.filled().len()))
            }),
        }
    }

    /// Whether a read may find something; if not, the task is woken when it may.
    pub fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => stream.poll_read_ready(context),
            Self::Tls(tls) => {
                // A TLS read itself asks to be woken; there is nothing to ask before it.
                tls.remember(context);
                Poll::Ready(Ok(()))
            }
        }
    }

    /// Whether a write may be taken; if not, the task is woken when it may.
    pub fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => stream.poll_write_ready(context),
            Self::Tls(tls) => {
                tls.remember(context);
                let mut stream = tls.stream.borrow_mut();
                let _ = Pin::new(&mut *stream).poll_flush(context)?;
                stream.get_ref().0.poll_write_ready(context)
            }
        }
    }

    /// Whether a read that would block asked to be woken itself.
    pub const fn wakes_after_read(&self) -> bool {
        matches!(self, Self::Tls(_))
    }
}

impl Tls {
    fn remember(&self, context: &Context<'_>) {
        self.waker.borrow_mut().clone_from(context.waker());
    }

    fn with(
        &self,
        work: impl FnOnce(Pin<&mut TlsStream<TcpStream>>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> io::Result<usize> {
        let waker = self.waker.borrow().clone();
        let mut stream = self.stream.borrow_mut();
        match work(Pin::new(&mut *stream), &mut Context::from_waker(&waker)) {
            Poll::Ready(done) => done,
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }
}
