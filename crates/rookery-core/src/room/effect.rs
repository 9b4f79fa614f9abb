//! Everything a room can ask the outside world to do.

use std::sync::Arc;

use bytes::Bytes;

use super::input::Caller;
use crate::{
    event::Event,
    frame::Refusal,
    ids::{ClientId, Seq, UserId},
    time::Millis,
};

/// An event that is durable, with the JSON that everybody gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The event.
    pub event: Arc<Event>,
    /// Its frame.
    pub text: Bytes,
}

/// One thing to do, in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Write the event; answer with `Appended` or `AppendFailed`.
    Append(Arc<Event>),
    /// Find out about a write; answer with `Looked`.
    Look {
        /// Echoed.
        ticket: u64,
        /// Whose.
        sender: UserId,
        /// Which.
        client_id: ClientId,
        /// What it is about.
        target: Option<Seq>,
    },
    /// The write is durable.
    Ack {
        /// Who asked.
        caller: Caller,
        /// Which.
        client_id: ClientId,
        /// Its place.
        seq: Seq,
        /// When.
        at: Millis,
        /// It had happened before.
        repeat: bool,
    },
    /// What was asked for is so already; nothing was written.
    Unchanged {
        /// Who asked.
        caller: Caller,
        /// As of a `Nack`.
        confirm: bool,
    },
    /// It did not happen and will not.
    Nack {
        /// Who asked.
        caller: Caller,
        /// Which write, if it was one.
        client_id: Option<ClientId>,
        /// Why.
        refusal: Refusal,
        /// It speaks of how the room is, or of what was done before: true only if this is still the room's owner at some
        /// moment from now on. Where that cannot be found out, nobody knows, and it is asked again.
        confirm: bool,
    },
    /// Whether it happened, when it was asked for before, could not be found out now: to be asked again later.
    Undecided {
        /// Who asked.
        caller: Caller,
        /// Which write.
        client_id: ClientId,
    },
    /// Show these events, consecutive and durable, to everybody who listens.
    FanOut(Vec<Logged>),
    /// The room is there for this user from now on, or their role changed.
    Appeared {
        /// Whose.
        user: UserId,
    },
    /// The room is gone for this user.
    Vanished {
        /// Whose.
        user: UserId,
    },
    /// Move marks durably; answer with `Marked`.
    StoreMarks {
        /// Who asked.
        caller: Caller,
        /// Whose.
        user: UserId,
        /// Read up to here; 0 leaves it.
        read: Seq,
        /// Delivered up to here; 0 leaves it.
        delivered: Seq,
    },
    /// Who sent something has read up to there; may be written lazily, nobody is shown it before.
    OwnRead {
        /// Whose.
        user: UserId,
        /// Up to here.
        seq: Seq,
    },
    /// Answer who asked to move marks.
    MarksStand {
        /// Who asked.
        caller: Caller,
        /// Read.
        read: Seq,
        /// Delivered.
        delivered: Seq,
    },
    /// Show marks.
    ShowMarks {
        /// Whose.
        user: UserId,
        /// Read.
        read: Seq,
        /// Delivered.
        delivered: Seq,
        /// To everybody in the room, or only to the user's own devices.
        to_all: bool,
    },
    /// Show that somebody types, or stopped; may be lost.
    ShowTyping {
        /// Who.
        user: UserId,
        /// Whether.
        on: bool,
    },
    /// The room has ended; retire it.
    Ended,
}
