//! The writing half of a connection: writes at once what the socket takes, and keeps a bounded rest.

use std::{
    cell::{Cell, RefCell},
    io::ErrorKind,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use rookery_core::{frame::websocket, ids::RoomId, session::close, time::Millis};

use super::{outgoing::Outgoing, said, socket::Socket};
use crate::{
    actors::{
        Hub,
        ports::{Outbox, Pushed},
    },
    clock,
};

/// How long a closing handshake may take before the socket is dropped.
pub(super) const CLOSE_TIME: Duration = Duration::from_secs(2);

/// How far the end of a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Frames go both ways.
    Open,
    /// Our close frame is written or waits; nothing goes out behind it.
    Closing,
    /// The socket is of no use any more.
    Dead,
}

/// What waits, and since when the reader has taken nothing.
struct Waiting {
    queue: Outgoing,
    since: Instant,
    /// The socket takes nothing at the moment.
    blocked: bool,
}

/// The writing half of a connection.
pub(super) struct Connection {
    pub(super) socket: Socket,
    hub: Rc<Hub>,
    waiting: RefCell<Option<Box<Waiting>>>,
    waker: RefCell<Option<Waker>>,
    stage: Cell<Stage>,
    /// Since when a message of the client is only half here.
    half_read: Cell<Option<Instant>>,
    /// When the login ends by itself.
    login_ends: Millis,
}

impl Connection {
    /// A connection right after its handshake.
    pub(super) fn new(socket: Socket, hub: Rc<Hub>, login_ends: Millis) -> Rc<Self> {
        Rc::new(Self {
            socket,
            hub,
            waiting: RefCell::default(),
            waker: RefCell::default(),
            stage: Cell::new(Stage::Open),
            half_read: Cell::new(None),
            login_ends,
        })
    }

    /// How far its end is.
    pub(super) fn stage(&self) -> Stage {
        self.stage.get()
    }

    /// The limits, as they are now.
    pub(super) fn limits(&self) -> rookery_core::limits::Limits {
        self.hub.limits()
    }

    /// Notes that a message of the client is half here, or that none is.
    pub(super) fn half_read(&self, half: bool) {
        if half != self.half_read.get().is_some() {
            self.half_read.set(half.then(Instant::now));
        }
    }

    /// The socket is of no use any more.
    pub(super) fn kill(&self) {
        if self.stage.replace(Stage::Dead) == Stage::Open {
            said::closed(None);
        }
        self.wake();
    }

    /// Remembers the task to wake.
    pub(super) fn remember(&self, context: &Context<'_>) {
        let mut waker = self.waker.borrow_mut();
        if waker.as_ref().is_none_or(|old| !old.will_wake(context.waker())) {
            *waker = Some(context.waker().clone());
        }
    }

    /// Writes what waits as far as the socket takes it, and asks to be woken for the rest.
    pub(super) fn poll_drain(&self, context: &mut Context<'_>) {
        while self.stage.get() != Stage::Dead && self.waiting.borrow().is_some() {
            match self.socket.poll_write_ready(context) {
                Poll::Ready(Ok(())) => {
                    if let Some(waiting) = self.waiting.borrow_mut().as_mut() {
                        waiting.blocked = false;
                    }
                    self.write_waiting();
                }
                Poll::Ready(Err(_)) => self.kill(),
                Poll::Pending => return,
            }
        }
    }

    fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }

    /// Writes at once when nothing waits; the rest, or everything if something does, waits.
    fn write(&self, bytes: &Bytes, room: Option<RoomId>, more: bool) {
        let mut waiting = self.waiting.borrow_mut();
        let mut done = 0;
        if waiting.is_none() && !more {
            match self.socket.try_write(&[std::io::IoSlice::new(bytes)]) {
                Ok(written) if written == bytes.len() => return,
                Ok(written) => done = written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => {
                    drop(waiting);
                    return self.kill();
                }
            }
        }
        let blocked = waiting.is_none() && !more;
        let waiting = waiting.get_or_insert_with(|| {
            Box::new(Waiting { queue: Outgoing::default(), since: Instant::now(), blocked: false })
        });
        waiting.queue.push(bytes.slice(done..), room);
        if done > 0 {
            waiting.queue.tear();
        }
        if blocked {
            waiting.blocked = true;
            // The task asks the socket to wake it.
            self.wake();
        }
    }

    fn write_waiting(&self) {
        let mut slot = self.waiting.borrow_mut();
        while let Some(waiting) = slot.as_mut() {
            if waiting.queue.is_empty() {
                *slot = None;
                return;
            }
            if waiting.blocked {
                return;
            }
            let mut slices = Vec::new();
            waiting.queue.slices(&mut slices);
            match self.socket.try_write(&slices) {
                Ok(0) => break,
                Ok(written) => {
                    waiting.queue.written(written);
                    waiting.since = Instant::now();
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    waiting.blocked = true;
                    drop(slot);
                    return self.wake();
                }
                Err(_) => break,
            }
        }
        drop(slot);
        self.kill();
    }

    fn is_open(&self) -> bool {
        self.stage.get() == Stage::Open
    }
}

impl Outbox for Connection {
    fn event(&self, room: RoomId, frames: &Bytes, more: bool) -> Pushed {
        if !self.is_open() {
            return Pushed::Taken;
        }
        if let Some(waiting) = self.waiting.borrow_mut().as_mut() {
            let limits = self.hub.limits();
            let too_many = waiting.queue.len() >= limits.outbox_frames;
            if too_many || waiting.queue.bytes() + frames.len() > limits.outbox_bytes {
                let mut rooms = waiting.queue.drop_events();
                if let Err(at) = rooms.binary_search(&room) {
                    rooms.insert(at, room);
                }
                return Pushed::Lagged(rooms);
            }
        }
        self.write(frames, Some(room), more);
        Pushed::Taken
    }

    fn control(&self, frame: &Bytes, more: bool) {
        if !self.is_open() {
            return;
        }
        said::count(frame);
        self.write(frame, None, more);
        let most = self.hub.limits().outbox_bytes;
        let waits = self.waiting.borrow().as_ref().map_or(0, |waiting| waiting.queue.bytes());
        // Answers are bounded by what a client may ask; one that asks and never reads goes.
        if waits > 2 * most {
            self.kill();
        }
    }

    fn flush(&self) {
        if self.waiting.borrow().as_ref().is_some_and(|waiting| !waiting.blocked) {
            self.write_waiting();
        }
    }

    fn ping(&self) {
        let mut frame = BytesMut::new();
        websocket::append(&mut frame, websocket::PING, &[]);
        self.control(&frame.freeze(), false);
    }

    fn close(&self, code: u16, reason: &str) {
        if !self.is_open() {
            return;
        }
        let mut frame = BytesMut::new();
        websocket::append_close(&mut frame, code, reason);
        self.write(&frame.freeze(), None, false);
        self.flush();
        if self.stage.get() == Stage::Open {
            said::closed(Some(code));
            self.stage.set(Stage::Closing);
        }
        self.wake();
    }

    fn overdue(&self) -> Option<(u16, &'static str)> {
        let limits = self.hub.limits();
        let slow = Duration::from_secs(u64::from(limits.slow_reader_seconds));
        if self.waiting.borrow().as_ref().is_some_and(|waiting| waiting.since.elapsed() >= slow) {
            return Some((close::TOO_SLOW, "reads too slowly"));
        }
        let half = Duration::from_secs(u64::from(limits.fragment_seconds));
        if self.half_read.get().is_some_and(|since| since.elapsed() >= half) {
            return Some((close::POLICY, "a message that does not end"));
        }
        if clock::now() >= self.login_ends {
            return Some((close::UNAUTHENTICATED, "the login has ended"));
        }
        None
    }

    fn waiting(&self) -> usize {
        self.waiting.borrow().as_ref().map_or(0, |waiting| waiting.queue.bytes())
    }

    fn is_dead(&self) -> bool {
        self.stage.get() == Stage::Dead
    }
}
