//! Everything that can happen to the fence of a shard.

use std::sync::Arc;

use super::row::{Row, ShardRow};
use crate::{
    event::Event,
    ids::{RoomId, Seq},
    shard::Stamp,
};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// This process shall own the shard (from now on, or under one more epoch).
    Claim,
    /// The answer to `LearnShard`; `None`: none came.
    ShardLearned {
        /// Which asking.
        round: u64,
        /// How the row stands.
        row: Option<ShardRow>,
    },
    /// The answer to `Swap`. One that comes after another round has begun is ignored.
    Swapped {
        /// Which asking.
        round: u64,
        /// What became of it.
        swapped: Swapped,
    },
    /// This process shall own the shard no longer. Rooms that still have something under way lose it, so let them come to
    /// rest before.
    Release,
    /// The answer to `ReadShard`; `None`: none came in time. An answer that comes after that is ignored.
    ShardRead {
        /// Which reading.
        round: u64,
        /// How the row stands.
        row: Option<ShardRow>,
    },
    /// A room is woken under a stamp that is larger than every one before it.
    Wake {
        /// Which.
        room: RoomId,
        /// Its stamp.
        stamp: Stamp,
    },
    /// Something happened to one activation of a room; nothing, if that is not the newest one.
    Room {
        /// Which.
        room: RoomId,
        /// Its stamp.
        stamp: Stamp,
        /// What.
        input: RoomInput,
    },
}

/// What became of a `Swap`.
///
/// Every error of the driver is `Unknown`: also "not enough replicas" may have been decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swapped {
    /// The store said `[applied] = true`.
    Applied,
    /// The store said `[applied] = false`, and how the row stands.
    NotApplied(ShardRow),
    /// There was no answer, or an error.
    Unknown,
}

/// One thing that happened to an activation of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomInput {
    /// The answer to `ReadHead`; 0 where none was ever published.
    Head {
        /// The head.
        head: Seq,
    },
    /// The answer to `ReadTail`: all rows that stand in what was asked for, ascending.
    Tail {
        /// The rows.
        rows: Vec<Row>,
    },
    /// Every row of `Rewrite` is on a quorum.
    Rewritten,
    /// The cut is on a quorum in every partition that was named.
    CutDone,
    /// The room wants this event written; its seq is one more than that of the append before.
    Append {
        /// The event.
        event: Arc<Event>,
    },
    /// An `Insert` is on a quorum.
    Inserted {
        /// Which.
        seq: Seq,
    },
    /// An `Erase` is on a quorum.
    Erased {
        /// The event that says so.
        delete: Seq,
    },
    /// A `PublishHead` is done.
    HeadPublished {
        /// Which.
        head: Seq,
    },
    /// An answer did not come in time, or was an error; what was asked for is asked for again. The first answer is as good as
    /// the second if it comes after all.
    TimedOut {
        /// What was asked for.
        what: Request,
    },
    /// Something that depends on still being the owner is about to be answered, such as "there is no such event".
    Confirm {
        /// Which question.
        ticket: u64,
    },
    /// There is a pause: publish the head if it is not.
    Rest,
    /// The room may be forgotten if nothing is under way; `Asleep` if it was.
    Sleep,
    /// Who drives the room has waited long enough: the activation ends, and what it sent stays unknown.
    Abandon,
}

/// What an activation can wait for; to say which answer did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// `ReadHead`
    ReadHead,
    /// `ReadTail`
    ReadTail,
    /// `Rewrite`
    Rewrite,
    /// `Cut`
    Cut,
    /// `Insert`
    Insert {
        /// Which.
        seq: Seq,
    },
    /// `Erase`
    Erase {
        /// The event that says so.
        delete: Seq,
    },
    /// `PublishHead`
    PublishHead,
}
