//! What the clients of a run did and saw, in the order in which it happened.

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;

/// One thing that happened, as the client noted it: an invocation before it is sent, an answer after it has come.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    /// A message was sent, the first time or again.
    Invoke {
        connection: u64,
        sender: String,
        room: String,
        client_id: String,
        body: String,
    },
    Ack {
        room: String,
        client_id: String,
        seq: u64,
    },
    /// The server said that it did not happen.
    Nack {
        client_id: String,
        why: String,
    },
    /// A connection begins to hear a room after this seq: by its cursor, or by `sync`.
    Hears {
        connection: u64,
        room: String,
        after: u64,
    },
    Deliver {
        connection: u64,
        room: String,
        event: Event,
    },
    /// Somebody's read mark, as this observer was told.
    Mark {
        observer: String,
        room: String,
        user: String,
        read: u64,
    },
    /// At the end: how far this person has come.
    Cursor {
        person: String,
        room: String,
        seq: u64,
    },
    /// At the end: the whole log of the room; over a cluster once from each node.
    Log {
        room: String,
        events: Vec<Event>,
    },
    /// Who had claimed the shard of this room, as the store said at that moment.
    Owner {
        room: String,
        owner: String,
        epoch: u64,
    },
    /// At the end: under which epoch each event of the room stands in the store, in the order of the events.
    Stamps {
        room: String,
        epochs: Vec<(u64, u64)>,
    },
}

/// An event, with what makes it this one and no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) seq: u64,
    pub(crate) kind: String,
    pub(crate) from: String,
    pub(crate) client_id: String,
    pub(crate) body: String,
}

impl Event {
    /// Reads an `event` frame, or an item of the log.
    pub(crate) fn read(frame: &Value) -> Event {
        let text = |name: &str| frame[name].as_str().unwrap_or_default().to_owned();
        Event {
            seq: frame["seq"].as_u64().expect("an event has a seq"),
            kind: text("kind"),
            from: text("from"),
            client_id: text("client_id"),
            body: text("body"),
        }
    }
}

/// The history of a run, written to by all its clients.
#[derive(Clone, Default)]
pub(crate) struct History(Arc<Mutex<Vec<Entry>>>);

impl History {
    pub(crate) fn record(&self, entry: Entry) {
        self.0.lock().push(entry);
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.0.lock().clone()
    }
}
