//! What goes to rooms and comes back from them.

use std::sync::Arc;

use bincode::{Decode, Encode};
use rookery_core::ids::{Seq, UserId};

use super::{
    LARGEST,
    id::{Blob, Id},
    intent::Write,
};

/// Where the answer to a session's write goes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ReturnAddress {
    /// The node that holds the session.
    pub node: String,
    /// The hub of that node.
    pub hub: u16,
    /// The session.
    pub session: Id,
    /// The request's id, echoed.
    pub id: Option<String>,
}

/// Something for a room.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum RoomInput {
    /// A session writes.
    Write {
        /// Where the answer goes.
        to: ReturnAddress,
        /// What.
        write: Write,
    },
    /// A session moves marks.
    Mark {
        /// Where the answer goes.
        to: ReturnAddress,
        /// Whose.
        user: Id,
        /// Read up to here.
        read: Option<u64>,
        /// Delivered up to here.
        delivered: Option<u64>,
    },
    /// Somebody types, or stopped; may be lost.
    Typing {
        /// Who.
        user: Id,
        /// Whether.
        on: bool,
    },
    /// In a direct room: one of the two blocked the other, or stopped.
    Blocked {
        /// Who blocks.
        by: Id,
        /// Whether.
        on: bool,
    },
}

/// The answer to a write or request of a session.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Answer {
    /// Of which room.
    pub room: Id,
    /// The hub that holds the session.
    pub hub: u16,
    /// Whose.
    pub session: Id,
    /// The write, if it was one.
    pub client_id: Option<Id>,
    /// The write is refused: passed on only if no other node may still do it.
    pub refused: bool,
    /// The frame.
    pub frame: Blob,
}

/// A write reached a node that does not own its room, and was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Moved {
    /// Which room.
    pub room: Id,
    /// The hub that holds the session.
    pub hub: u16,
    /// Whose write.
    pub session: Id,
    /// Which write.
    pub client_id: Id,
}

/// Marks reached a node that does not own their room, and were not taken.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Unmarked {
    /// Which room.
    pub room: Id,
    /// The hub that holds the session.
    pub hub: u16,
    /// Whose marks.
    pub session: Id,
}

/// An answer to a write, to be sent right before the event with this number.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Ack {
    /// The hub that holds the session.
    pub hub: u16,
    /// Whose.
    pub session: Id,
    /// Which write.
    pub client_id: Id,
    /// Its place in the log.
    pub seq: u64,
    /// The frame.
    pub frame: Blob,
}

/// Events of one room, consecutive, as WebSocket frames; and the acks of sessions there that belong to them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct FanOut {
    /// Which room.
    pub room: Id,
    /// The first event.
    pub first: u64,
    /// The last event.
    pub last: u64,
    /// The frames one behind the other.
    pub joined: Blob,
    /// Where each frame ends.
    pub ends: Vec<u32>,
    /// Who is not in the room any more, after which event.
    pub removed: Vec<(u64, Id)>,
    /// The acks for sessions of the receiving node.
    pub acks: Vec<Ack>,
}

impl FanOut {
    /// Whether first, last and the ends agree with the bytes, so that nobody slices beyond them.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let count = self.last.checked_sub(self.first).map(|span| span.saturating_add(1));
        let ascending = self.ends.windows(2).all(|pair| pair[0] <= pair[1]);
        count == u64::try_from(self.ends.len()).ok()
            && ascending
            && self.ends.last().is_some_and(|end| usize::try_from(*end) == Ok(self.joined.len()))
    }

    /// The same in the form of the hubs: where each frame ends, and who is not in the room any more.
    #[must_use]
    pub fn bounds(&self) -> (Vec<usize>, Arc<[(Seq, UserId)]>) {
        let ends = self.ends.iter().filter_map(|end| usize::try_from(*end).ok()).collect();
        let removed = self.removed.iter().map(|(seq, user)| (*seq, UserId::from(*user))).collect();
        (ends, removed)
    }

    /// The answers without the events, for the case that the events are shed: acks are not.
    pub fn into_answers(self) -> impl Iterator<Item = Answer> {
        let room = self.room;
        self.acks.into_iter().map(move |ack| Answer {
            refused: false,
            room,
            hub: ack.hub,
            session: ack.session,
            client_id: Some(ack.client_id),
            frame: ack.frame,
        })
    }

    /// Whether it certainly fits into one envelope.
    #[must_use]
    pub fn fits(&self) -> bool {
        let acks: usize = self.acks.iter().map(|ack| ack.frame.len() + 64).sum();
        self.joined.len() + self.ends.len() * 5 + self.removed.len() * 26 + acks + 128 <= LARGEST
    }
}
