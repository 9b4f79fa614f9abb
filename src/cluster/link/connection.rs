//! One connection to a peer, from the end of its handshake to its end: what relays, link and door share about it.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use ractor::ActorRef;
use ractor_cluster::NodeSessionMessage;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::cluster::{Receiver, identity::Peer, wire::frame::Token};

/// Silence after which a peer counts as gone.
pub const DEAD: Duration = Duration::from_secs(2);
/// Bytes that may be under way without an answer.
pub const WINDOW: u64 = 1 << 20;
/// Bytes dealt with after which credit is given back before the next beat.
const CREDIT_STEP: u64 = WINDOW / 4;

const OPENING: u8 = 0;
const UP: u8 = 1;
const ENDED: u8 = 2;

/// What the receiver of envelopes was told of a link.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Announced {
    Nothing,
    Up,
    Down,
}

/// One connection to a peer.
pub struct Connection {
    /// Which life of which node is at the other end.
    pub peer: Peer,
    /// Names the connection on this node.
    pub label: String,
    /// What the peer puts on what it sends.
    pub mine: Token,
    /// What goes on what is sent to the peer.
    pub theirs: Token,
    /// How many relays the peer has.
    pub relays: u16,
    /// Ends the socket.
    pub switch: CancellationToken,
    /// The session that ractor_cluster has for it is gone.
    pub gone: CancellationToken,
    /// Wakes the link: credit came back, or is due.
    pub changed: Notify,
    session: OnceLock<ActorRef<NodeSessionMessage>>,
    why: OnceLock<&'static str>,
    /// Locked while the receiver is told, so that it hears "up", then envelopes, then "down", and each once.
    announced: Mutex<Announced>,
    began: Instant,
    state: AtomicU8,
    /// Milliseconds since `began` when the peer was last heard; 0: not yet.
    heard: AtomicU64,
    /// Bytes of batches that were dealt with here.
    dealt: AtomicU64,
    /// How many of them the peer was told of.
    told: AtomicU64,
    /// Bytes of batches that the peer has dealt with.
    acked: AtomicU64,
}

impl Connection {
    /// A connection whose ends have greeted each other.
    #[must_use]
    pub fn new(peer: Peer, label: String, mine: Token, theirs: Token, relays: u16) -> Self {
        Self {
            peer,
            label,
            mine,
            theirs,
            relays,
            switch: CancellationToken::new(),
            gone: CancellationToken::new(),
            changed: Notify::new(),
            session: OnceLock::new(),
            why: OnceLock::new(),
            announced: Mutex::new(Announced::Nothing),
            began: Instant::now(),
            state: AtomicU8::new(OPENING),
            heard: AtomicU64::new(0),
            dealt: AtomicU64::new(0),
            told: AtomicU64::new(0),
            acked: AtomicU64::new(0),
        }
    }

    /// The session that ractor_cluster has for it.
    pub(in crate::cluster) fn attach(&self, session: ActorRef<NodeSessionMessage>) {
        let _ = self.session.set(session);
    }

    /// Ends it, whatever hangs: nothing that comes by it is taken any more.
    pub fn end(&self, why: &'static str) {
        let _ = self.why.set(why);
        self.state.store(ENDED, Ordering::Release);
        self.switch.cancel();
        if let Some(session) = self.session.get() {
            session.stop(Some(why.to_owned()));
        }
    }

    /// Why it ended.
    #[must_use]
    pub fn why(&self) -> &'static str {
        self.why.get().copied().unwrap_or("closed")
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.state.load(Ordering::Acquire) == ENDED
    }

    /// Whether its link is up.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.state.load(Ordering::Acquire) == UP
    }

    /// The link begins; `false`: the connection has ended before.
    pub(in crate::cluster) fn rise(&self) -> bool {
        self.state.compare_exchange(OPENING, UP, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Tells the receiver, once, that the link is up. `false`: it was told already that it is down again.
    pub(in crate::cluster) fn announce_up(&self, receiver: &dyn Receiver) -> bool {
        let mut announced = self.announced.lock();
        if *announced == Announced::Nothing {
            *announced = Announced::Up;
            receiver.link_up(&self.peer);
        }
        *announced == Announced::Up
    }

    /// Tells the receiver, once, that the link is down, if it was told that it is up.
    pub(in crate::cluster) fn announce_down(&self, receiver: &dyn Receiver) {
        let mut announced = self.announced.lock();
        if *announced == Announced::Up {
            receiver.link_down(&self.peer);
        }
        *announced = Announced::Down;
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }

    /// Something came from the peer. `false`: the connection has ended, or ends by this, since what comes after so long a
    /// silence was said to a node that counts as gone; it must not be taken.
    pub fn hear(&self) -> bool {
        if self.is_ended() {
            return false;
        }
        if self.is_silent() {
            self.end("it was silent for too long");
            return false;
        }
        if self.heard.swap(self.now(), Ordering::AcqRel) == 0 {
            self.changed.notify_one();
        }
        true
    }

    /// Whether the peer was heard at all: its link runs, and takes batches.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.heard.load(Ordering::Acquire) != 0
    }

    /// Whether the peer, once heard, has been silent for too long.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        let heard = self.heard.load(Ordering::Acquire);
        heard != 0 && u128::from(self.now().saturating_sub(heard)) > DEAD.as_millis()
    }

    /// A batch of so many bytes was dealt with.
    pub fn deal(&self, bytes: u64) {
        let dealt = self.dealt.fetch_add(bytes, Ordering::AcqRel) + bytes;
        if dealt.saturating_sub(self.told.load(Ordering::Acquire)) >= CREDIT_STEP {
            self.changed.notify_one();
        }
    }

    /// Whether credit should go back before the next beat.
    #[must_use]
    pub fn owes_credit(&self) -> bool {
        let dealt = self.dealt.load(Ordering::Acquire);
        dealt.saturating_sub(self.told.load(Ordering::Acquire)) >= CREDIT_STEP
    }

    /// What to say in a beat.
    pub fn tell(&self) -> u64 {
        let dealt = self.dealt.load(Ordering::Acquire);
        self.told.store(dealt, Ordering::Release);
        dealt
    }

    /// The peer has dealt with so many bytes in all.
    pub fn acknowledge(&self, dealt: u64) {
        if self.acked.fetch_max(dealt, Ordering::AcqRel) < dealt {
            self.changed.notify_one();
        }
    }

    /// Bytes that may go out, when so many went out in all.
    #[must_use]
    pub fn credit(&self, sent: u64) -> u64 {
        // A peer that claims more than it was sent gets no more than the window.
        let under_way = sent.saturating_sub(self.acked.load(Ordering::Acquire));
        WINDOW.saturating_sub(under_way)
    }
}
