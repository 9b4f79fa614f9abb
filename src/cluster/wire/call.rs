//! Questions that somebody waits for, and their answers.

use bincode::{Decode, Encode};

use super::{
    id::{Blob, Id},
    intent::{Refusal, Write},
    registry::Registration,
};

/// A question. The answer carries the same number; after the deadline nobody waits for it any more.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Call {
    /// The asking node's number for it.
    pub id: u64,
    /// Milliseconds until nobody waits any more, counted from the sending; no clocks are compared.
    pub deadline_ms: u32,
    /// What.
    pub ask: Ask,
}

/// The answer to a call.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Reply {
    /// Which call.
    pub id: u64,
    /// What.
    pub told: Told,
}

/// What may be asked.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum Ask {
    /// Write to a room, and say what became of it.
    Write {
        /// Which room.
        room: Id,
        /// What.
        write: Write,
        /// The request's id, for the log line of the commit.
        request_id: String,
    },
    /// Move marks.
    Mark {
        /// Which room.
        room: Id,
        /// Whose.
        user: Id,
        /// Read up to here.
        read: Option<u64>,
        /// Delivered up to here.
        delivered: Option<u64>,
    },
    /// The events after one.
    Pull {
        /// Which room.
        room: Id,
        /// Who asks; they must be in the room.
        user: Id,
        /// The last that they have.
        after: u64,
    },
    /// Is this write in the log?
    Outcome {
        /// Which room.
        room: Id,
        /// Whose write.
        sender: Id,
        /// Which write.
        client_id: Id,
    },
    /// How is this room?
    RoomState {
        /// Which.
        room: Id,
    },
    /// Let a quarantined room try again.
    ReleaseRoom {
        /// Which.
        room: Id,
    },
    /// The digest of a room's log as the receiver sees it.
    Digest {
        /// Which.
        room: Id,
    },
    /// A connection begins: may it?
    Register(Registration),
    /// Which connections does the receiver hold?
    Sessions {
        /// Only this user's.
        user: Option<Id>,
    },
    /// Close one connection.
    CloseSession {
        /// Which.
        session: Id,
    },
    /// How is the node?
    Pulse,
    /// How far is this room?
    Head {
        /// Which.
        room: Id,
    },
    /// Which shards does the receiver own?
    Shards,
    /// Which links does the receiver have?
    Links,
    /// Give your shards away, or take your part again.
    Drain {
        /// Give.
        on: bool,
    },
    /// Have a shard for as long as you live, or not any more.
    Keep {
        /// Which.
        shard: u16,
        /// The number of the order; of two nodes that keep a shard the later order holds. `None`: not any more.
        order: Option<u64>,
    },
    /// Hand a shard over to who asks, who should have it.
    HandOver {
        /// Which.
        shard: u16,
    },
}

/// What may be told.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum Told {
    /// The write is durable, or was: outcome asked for.
    Written {
        /// Its place.
        seq: u64,
        /// When, in milliseconds.
        at: i64,
        /// It had happened before.
        repeat: bool,
    },
    /// It was so already.
    Unchanged,
    /// It is not in the log at the moment of asking.
    Absent,
    /// It did not happen and will not.
    Refused(Refusal),
    /// Nobody knows: ask again with the same key.
    Unknown,
    /// The receiver does not own the room and took nothing.
    Moved,
    /// The marks as they stand.
    Marks {
        /// Read.
        read: u64,
        /// Delivered.
        delivered: u64,
    },
    /// Events that were missed.
    Pulled {
        /// Each event's seq and JSON, ascending.
        events: Vec<(u64, Blob)>,
        /// How far the room is.
        head: u64,
    },
    /// How a room is.
    RoomState(RoomState),
    /// A room's log in short.
    Digest {
        /// The epoch under which the receiver owns it, if it does.
        epoch: Option<u64>,
        /// Its last event.
        head: u64,
        /// The rolling hash up to there.
        hash: [u8; 32],
    },
    /// Whether a connection may begin.
    Admission(Admission),
    /// Connections.
    Sessions(Vec<Connected>),
    /// How the node is.
    Pulse(Pulse),
    /// It is done.
    Done,
    /// The receiver does not answer this.
    NotHere,
    /// How far a room is.
    Head {
        /// Its last event.
        head: u64,
    },
    /// Shards that are owned, and under which epochs.
    Shards(Vec<(u16, u64)>),
    /// Links.
    Links(Vec<Link>),
}

/// One end of a link.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Link {
    /// The node at the other end.
    pub to: String,
    /// Envelopes that wait.
    pub waiting: u64,
    /// Bytes that wait.
    pub waiting_bytes: u64,
    /// Envelopes that were shed since the link is up.
    pub shed: u64,
}

/// How a room is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RoomState {
    /// Whether it is awake.
    pub awake: bool,
    /// The epoch that it commits under.
    pub epoch: Option<u64>,
    /// What waits in its mailbox.
    pub queue: u64,
    /// How many listen: hubs of the owner, and nodes.
    pub interest: u64,
    /// Whether it is shut because it panics.
    pub quarantined: bool,
}

/// Whether a connection may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Admission {
    /// It may.
    Admitted,
    /// The user has too many.
    TooMany,
    /// The login was revoked a moment ago.
    Revoked,
}

/// One connection.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Connected {
    /// Which.
    pub session: Id,
    /// Whose.
    pub user: Id,
    /// Which login.
    pub device: Id,
    /// Since when, in milliseconds.
    pub since: i64,
    /// What the client calls itself.
    pub client: Option<String>,
}

/// How a node is.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Pulse {
    /// Connections.
    pub sessions: u64,
    /// Rooms awake.
    pub rooms_awake: u64,
    /// Durable writes per second, times 1,000.
    pub sends_per_1000_seconds: u64,
    /// Rooms that are shut because they panic.
    pub quarantined: Vec<Id>,
    /// Shards that it owns.
    pub shards: u32,
}

impl Ask {
    /// What it is about.
    #[must_use]
    pub fn key(&self) -> u64 {
        match self {
            Self::Write { room, .. }
            | Self::Mark { room, .. }
            | Self::Pull { room, .. }
            | Self::Outcome { room, .. }
            | Self::RoomState { room }
            | Self::ReleaseRoom { room }
            | Self::Digest { room }
            | Self::Head { room } => room.key(),
            Self::Register(registration) => registration.user.key(),
            Self::CloseSession { session } => session.key(),
            Self::Keep { shard, .. } | Self::HandOver { shard } => u64::from(*shard),
            Self::Sessions { .. } | Self::Pulse | Self::Shards | Self::Links | Self::Drain { .. } => 0,
        }
    }
}
