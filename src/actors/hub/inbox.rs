//! What rooms and the registry have for the sessions of one worker: taken out all at once, one wake-up for many.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use parking_lot::Mutex;
use rookery_core::{
    frame::server::RoomView,
    ids::{ClientId, RoomId, Seq, SessionId, UserId},
};
use tokio::sync::{Notify, oneshot};

use crate::actors::{
    peers::{Change, Slot},
    ports::Connected,
};

/// Items that may wait before events are dropped (the sessions then find the hole and read the log).
const BOUND: usize = 16_384;

/// Events of one room, consecutive, as WebSocket frames: encoded once, shared by everybody.
#[derive(Debug)]
pub struct Frames {
    /// The first event.
    pub first: Seq,
    /// The last event.
    pub last: Seq,
    /// The frames one behind the other.
    pub joined: Bytes,
    /// Where each frame ends.
    pub ends: Vec<usize>,
}

impl Frames {
    /// The frame of one event.
    #[must_use]
    pub fn one(&self, seq: Seq) -> Bytes {
        self.between(seq, seq)
    }

    /// The frames of the events `from..=to`.
    #[must_use]
    pub fn between(&self, from: Seq, to: Seq) -> Bytes {
        let index = |seq: Seq| usize::try_from(seq.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let start = if from <= self.first { 0 } else { self.ends.get(index(from) - 1).copied().unwrap_or(0) };
        let end = self.ends.get(index(to)).copied().unwrap_or(self.joined.len());
        self.joined.slice(start.min(end)..end)
    }
}

/// An answer to a write of a session here, to be sent right before the event with this number.
#[derive(Debug)]
pub struct Ack {
    /// Whose.
    pub session: SessionId,
    /// Which write.
    pub client_id: ClientId,
    /// Its place in the log.
    pub seq: Seq,
    /// The frame.
    pub frame: Bytes,
}

/// Events of a room, with the acks that belong to them.
#[derive(Debug)]
pub struct Batch {
    /// Which room.
    pub room: RoomId,
    /// The events.
    pub frames: Arc<Frames>,
    /// The acks for sessions of this hub, by session and seq.
    pub acks: Vec<Ack>,
    /// Who is not in the room any more after which event.
    pub removed: Arc<[(Seq, UserId)]>,
}

/// Something about a user, for all of their devices.
#[derive(Clone, Debug)]
pub enum Note {
    /// A room is there, or their settings for it changed.
    Appeared(RoomView),
    /// A room is gone.
    Vanished(RoomId),
    /// A frame.
    Frame(Bytes),
}

/// One thing for a hub.
#[derive(Debug)]
pub enum Item {
    /// Events and acks of a room.
    Batch(Batch),
    /// The answer to one write or request of a session.
    Answer {
        /// Whose.
        session: SessionId,
        /// The write, if it was one.
        client_id: Option<ClientId>,
        /// The frame.
        frame: Bytes,
    },
    /// A write of a session is refused.
    Refusal {
        /// Whose.
        session: SessionId,
        /// Which.
        client_id: ClientId,
        /// The node that refuses it, as this node numbers it.
        by: Slot,
        /// The frame.
        frame: Bytes,
    },
    /// A room has come at least this far.
    Head {
        /// Which.
        room: RoomId,
        /// How far.
        head: Seq,
    },
    /// A frame for everybody who follows a room, apart from its log; may be lost.
    Passing {
        /// Which room.
        room: RoomId,
        /// The frame.
        frame: Bytes,
    },
    /// Somebody types: for those who watch the room; may be lost.
    Typing {
        /// Which room.
        room: RoomId,
        /// Who.
        user: UserId,
        /// The frame.
        frame: Bytes,
    },
    /// How somebody is, for those who watch them, or for one session that just began to.
    Presence {
        /// Who.
        user: UserId,
        /// For this one only.
        only: Option<SessionId>,
        /// The frame.
        frame: Bytes,
    },
    /// Something about a user.
    ToUser {
        /// Who.
        user: UserId,
        /// What.
        note: Note,
    },
    /// What became of a write that was asked for again is not known yet: ask once more.
    Undecided {
        /// Whose.
        session: SessionId,
        /// Which write.
        client_id: ClientId,
        /// The node that says so, as this node numbers it; none if nobody had taken the write.
        by: Option<Slot>,
    },
    /// Nobody was there to take marks of a session: they are said again.
    Unmarked {
        /// Whose.
        session: SessionId,
        /// In which room.
        room: RoomId,
    },
    /// A room started anew: who waits for an answer of it asks again.
    Restarted {
        /// Which.
        room: RoomId,
        /// On which node, as this node numbers it.
        by: Slot,
    },
    /// What is listed lives elsewhere from now on, or must be told again to where it lives.
    Replaced(Arc<Change>),
    /// Close connections.
    Close {
        /// Which.
        session: SessionId,
        /// With this code.
        code: u16,
        /// For people.
        reason: &'static str,
    },
    /// Tell who is connected.
    List {
        /// Only this user's.
        user: Option<UserId>,
        /// Where to.
        reply: oneshot::Sender<Vec<Connected>>,
    },
    /// A large room has rested: what was held back of it goes out.
    Rested(RoomId),
    /// The node goes, or drains: tell everybody to come back, and close.
    Drain {
        /// Why, for people.
        reason: &'static str,
        /// Told when everything is written.
        done: oneshot::Sender<()>,
    },
    /// The node drains no more.
    Stay,
    /// Time went by.
    Tick,
}

impl Item {
    const fn may_be_lost(&self) -> bool {
        matches!(self, Self::Passing { .. } | Self::Typing { .. } | Self::Tick)
    }
}

#[derive(Default)]
struct Queue {
    items: Vec<Item>,
    /// How far rooms are whose events were dropped; one entry a room.
    heads: BTreeMap<RoomId, Seq>,
}

/// The queue before a hub.
#[derive(Default)]
pub struct Inbox {
    queue: Mutex<Queue>,
    wake: Notify,
    lost: AtomicU64,
    served: AtomicBool,
}

impl Inbox {
    /// A hub takes from it from now on.
    pub fn serve(&self) {
        self.served.store(true, Ordering::Release);
    }

    /// Whether a hub takes from it.
    pub fn is_served(&self) -> bool {
        self.served.load(Ordering::Acquire)
    }

    /// Puts one item in. When too many wait, what may be lost is lost, and events are dropped but for the head that they
    /// lead to; never acks and answers, which are bounded by what sessions may have under way.
    pub fn put(&self, item: Item) {
        if !self.is_served() {
            return;
        }
        let mut queue = self.queue.lock();
        let was_empty = queue.items.is_empty() && queue.heads.is_empty();
        if queue.items.len() < BOUND {
            queue.items.push(item);
        } else {
            self.lost.fetch_add(1, Ordering::Relaxed);
            queue.put_when_full(item);
        }
        drop(queue);
        if was_empty {
            self.wake.notify_one();
        }
    }

    /// Waits until something is there and takes all of it.
    pub async fn take(&self, into: &mut Vec<Item>) {
        loop {
            {
                let mut queue = self.queue.lock();
                std::mem::swap(&mut queue.items, into);
                let heads = std::mem::take(&mut queue.heads);
                into.extend(heads.into_iter().map(|(room, head)| Item::Head { room, head }));
            }
            if !into.is_empty() {
                return;
            }
            self.wake.notified().await;
        }
    }

    /// Takes out only the batches that may go before everything else, in their order.
    pub fn take_batches(&self, may_pass: impl Fn(&Batch) -> bool) -> Vec<Batch> {
        let mut queue = self.queue.lock();
        let passing = queue.items.extract_if(.., |item| matches!(item, Item::Batch(batch) if may_pass(batch)));
        let batches = passing.filter_map(|item| match item {
            Item::Batch(batch) => Some(batch),
            _ => None,
        });
        batches.collect()
    }

    /// Whether a batch of this room waits.
    pub fn has_batch(&self, room: RoomId) -> bool {
        self.queue.lock().items.iter().any(|item| matches!(item, Item::Batch(batch) if batch.room == room))
    }

    /// How many items wait.
    pub fn waiting(&self) -> usize {
        self.queue.lock().items.len()
    }

    /// Items that were lost because too many waited.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Queue {
    fn put_when_full(&mut self, item: Item) {
        match item {
            Item::Batch(batch) => {
                let head = self.heads.entry(batch.room).or_default();
                *head = (*head).max(batch.frames.last);
                for ack in batch.acks {
                    let Ack { session, client_id, frame, .. } = ack;
                    self.items.push(Item::Answer { session, client_id: Some(client_id), frame });
                }
            }
            item if item.may_be_lost() => {}
            item => self.items.push(item),
        }
    }
}
