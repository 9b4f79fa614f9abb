//! The reading half of a connection: holds bytes only while a frame is not whole.

use std::{
    cell::RefCell,
    io::ErrorKind,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Instant,
};

use actix_codec::Decoder;
use actix_http::ws::{Codec, ProtocolError};
use bytes::BytesMut;
use futures_util::Stream;
use rookery_core::{frame::websocket, session::close};
use tokio::time::Sleep;

use super::{
    connection::{CLOSE_TIME, Connection, Stage},
    fragments::{Breach, Fragments, Message},
    guard::Guard,
};
use crate::actors::ports::{Outbox, Read};

/// Bytes that one read takes; one buffer for all connections of a thread.
const SCRATCH: usize = 65_536;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH]);
}

/// The reading half.
pub(super) struct Reader {
    connection: Rc<Connection>,
    codec: Codec,
    guard: Guard,
    fragments: Fragments,
    /// Bytes of frames that are not taken yet; `None` while idle.
    unread: Option<Box<BytesMut>>,
    /// The client has said good-bye, or broke a rule: nothing more is taken in.
    over: bool,
    farewell: Option<Pin<Box<Sleep>>>,
}

impl Reader {
    /// Reads a connection; `unread` came right behind the handshake.
    pub(super) fn new(connection: Rc<Connection>, unread: &[u8]) -> Self {
        let most = connection.limits().frame_bytes;
        let mut reader = Self {
            connection,
            codec: Codec::new().max_size(most),
            guard: Guard::default(),
            fragments: Fragments::default(),
            unread: None,
            over: false,
            farewell: None,
        };
        if !unread.is_empty() && reader.look(unread).is_ok() {
            reader.keep(unread);
        }
        reader
    }

    fn look(&mut self, bytes: &[u8]) -> Result<(), Breach> {
        let most = self.connection.limits().frame_bytes as u64;
        self.guard.look(bytes, most).map_err(|_| (close::TOO_BIG, "the frame is too big"))
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.unread.get_or_insert_default().extend_from_slice(bytes);
    }

    /// The next message among the bytes that are here.
    fn next_here(&mut self) -> Result<Option<Message>, Breach> {
        let Some(unread) = &mut self.unread else { return Ok(None) };
        let most = self.connection.limits().frame_bytes;
        let frame = self.codec.decode(unread).map_err(|error| breach(&error))?;
        if unread.is_empty() {
            self.unread = None;
        }
        let message = frame.map(|frame| self.fragments.take(frame, most)).transpose()?;
        self.connection.half_read(self.unread.is_some() && message.is_none() || self.fragments.is_open());
        Ok(message)
    }

    fn ended(&mut self, (code, reason): Breach) -> Read {
        self.over = true;
        self.unread = None;
        self.connection.half_read(false);
        Read::Ended { code: Some(code), reason }
    }

    /// Turns a message into what the session is told; `None` when it is not told.
    fn tell(&mut self, message: Message) -> Option<Read> {
        match message {
            Message::Text(text) => Some(Read::Text(text)),
            Message::Pong => Some(Read::Pong),
            Message::Close(code) => Some(self.ended((code, ""))),
            Message::Nothing => None,
            Message::Ping(payload) => {
                let mut pong = BytesMut::new();
                websocket::append(&mut pong, websocket::PONG, &payload);
                self.connection.control(&pong.freeze(), false);
                None
            }
        }
    }

    /// Reads once. `Ready(Err)`: the socket is of no use any more.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Result<Result<(), Breach>, ()>> {
        loop {
            ready!(self.connection.socket.poll_read_ready(context)).map_err(|_| ())?;
            let connection = Rc::clone(&self.connection);
            let read = BUFFER.with_borrow_mut(|buffer| match connection.socket.try_read(buffer) {
                Ok(0) => Err(None),
                Ok(count) if self.over => Ok(Ok(count)),
                Ok(count) => Ok(self.look(&buffer[..count]).map(|()| {
                    self.keep(&buffer[..count]);
                    count
                })),
                Err(error) if error.kind() == ErrorKind::WouldBlock => Err(Some(())),
                Err(_) => Err(None),
            });
            match read {
                Ok(looked) => return Poll::Ready(Ok(looked.map(|_| ()))),
                Err(None) => return Poll::Ready(Err(())),
                Err(Some(())) if self.connection.socket.wakes_after_read() => return Poll::Pending,
                Err(Some(())) => {}
            }
        }
    }

    /// Waits for the end of a connection that is being closed: until the client has said good-bye too and everything is
    /// written, but not for long.
    fn poll_closing(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.connection.stage() == Stage::Dead || (self.over && self.connection.is_empty()) {
                return Poll::Ready(());
            }
            let farewell = self
                .farewell
                .get_or_insert_with(|| Box::pin(tokio::time::sleep_until((Instant::now() + CLOSE_TIME).into())));
            if farewell.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            match self.poll_read(context) {
                Poll::Ready(Ok(_)) => {
                    // What comes now only matters if it is a good-bye.
                    while let Ok(Some(message)) = self.next_here() {
                        self.over |= matches!(message, Message::Close(_));
                    }
                }
                Poll::Ready(Err(())) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl Stream for Reader {
    type Item = Read;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Read>> {
        let this = &mut *self;
        loop {
            this.connection.remember(context);
            this.connection.poll_drain(context);
            match this.connection.stage() {
                Stage::Dead => return Poll::Ready(None),
                Stage::Closing => {
                    ready!(this.poll_closing(context));
                    this.connection.kill();
                    return Poll::Ready(None);
                }
                Stage::Open => {}
            }
            match this.next_here() {
                Ok(Some(message)) => {
                    if let Some(read) = this.tell(message) {
                        return Poll::Ready(Some(read));
                    }
                    continue;
                }
                Ok(None) => {}
                Err(breach) => return Poll::Ready(Some(this.ended(breach))),
            }
            match ready!(this.poll_read(context)) {
                Ok(Ok(())) => {}
                Ok(Err(breach)) => return Poll::Ready(Some(this.ended(breach))),
                Err(()) => {
                    this.connection.kill();
                    return Poll::Ready(None);
                }
            }
        }
    }
}

/// The close code for what the codec found.
fn breach(error: &ProtocolError) -> Breach {
    match error {
        ProtocolError::Overflow => (close::TOO_BIG, "the frame is too big"),
        ProtocolError::Io(inner) if inner.kind() == ErrorKind::InvalidData => {
            if inner.to_string().contains("reserved") {
                (close::PROTOCOL, "reserved bits are set")
            } else {
                (close::NOT_UTF8, "the reason of a close frame must be UTF-8")
            }
        }
        _ => (close::PROTOCOL, "not a frame of RFC 6455"),
    }
}
