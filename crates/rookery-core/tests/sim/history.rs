//! What happened in one run, as people outside the server saw it, and what the store held in the end.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use serde_json::Value;

/// One thing that somebody did or saw. Rooms, users and keys are named as on the wire.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Record {
    /// Somebody sent a write; by REST where there is no connection.
    Asked {
        connection: Option<u32>,
        user: String,
        room: String,
        key: String,
        what: Value,
    },
    Acked {
        user: String,
        room: String,
        key: String,
        seq: u64,
    },
    Nacked {
        user: String,
        room: String,
        key: String,
        code: String,
    },
    /// From here on a connection gets what comes after `after`.
    Begins {
        connection: u32,
        user: String,
        room: String,
        after: u64,
    },
    /// A connection asks to get what comes after `after`, wherever it is.
    Asks {
        connection: u32,
        user: String,
        room: String,
        after: u64,
    },
    /// A connection got an event.
    Got {
        connection: u32,
        user: String,
        room: String,
        event: Value,
    },
    /// A connection was told that it has everything up to here.
    Synced {
        connection: u32,
        room: String,
        seq: u64,
    },
    /// A connection was told that it does not get everything any more.
    Stops {
        connection: u32,
        room: String,
    },
    /// Somebody read a part of the log: these are all events after `after` up to `to`.
    Paged {
        user: String,
        room: String,
        after: u64,
        to: u64,
        events: Vec<Value>,
    },
    /// A client saw where somebody's marks stand.
    Marks {
        client: usize,
        connection: u32,
        welcome: bool,
        room: String,
        user: String,
        read: u64,
        delivered: u64,
    },
    /// A room started anew and was asked again what it had not answered.
    Restarted {
        room: String,
    },
    /// The server stopped without warning.
    Crashed,
    /// The store was given a write that it had already.
    Doubled {
        room: String,
        key: String,
    },
}

/// How a room was in the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Final {
    /// `direct`, `group` or `channel`.
    pub(crate) kind: String,
    /// The whole log, as it goes over the wire.
    pub(crate) log: Vec<Value>,
    /// Read and delivered by user.
    pub(crate) marks: BTreeMap<String, (u64, u64)>,
}

/// How far a client was in the end in a room that it follows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Position {
    pub(crate) user: String,
    pub(crate) room: String,
    pub(crate) cursor: u64,
}

/// A whole run.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) records: Vec<Record>,
    pub(crate) rooms: BTreeMap<String, Final>,
    /// Every client is connected in the end, and follows these.
    pub(crate) positions: Vec<Position>,
    /// Writes that still have no answer, with every fault gone.
    pub(crate) unanswered: Vec<String>,
}

impl History {
    pub(crate) fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        format!("{:?}{:?}{:?}", self.records, self.rooms, self.positions).hash(&mut hasher);
        hasher.finish()
    }

    pub(crate) fn count(&self, of: impl Fn(&Record) -> bool) -> usize {
        self.records.iter().filter(|record| of(record)).count()
    }
}
