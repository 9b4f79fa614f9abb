//! Everything that the fence of a shard can ask the store to do, or tell.

use std::ops::RangeInclusive;

use super::row::{Row, ShardRow};
use crate::{
    ids::{RoomId, Seq},
    shard::{Epoch, Stamp},
};

/// One thing to do, in the order given. "At QUORUM" is `LOCAL_QUORUM` where there is one data centre for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Read the shard's row at SERIAL; answer with `ShardLearned`.
    ///
    /// It only tells which epoch to claim next. Even if it names this process the process owns nothing: what was decided
    /// need not yet be where plain reads find it, and so the owner before might still commit.
    LearnShard {
        /// Which asking; the answer carries it.
        round: u64,
    },
    /// `UPDATE … SET owner, incarnation, epoch IF epoch = from` with the serial consistency SERIAL and the consistency
    /// QUORUM; answer with `Swapped`. A row that was never there is inserted `IF NOT EXISTS`.
    ///
    /// QUORUM is what makes every later plain read see the claim; with less, an owner before would not find out.
    Swap {
        /// Which asking; the answer carries it.
        round: u64,
        /// The epoch that must stand there.
        from: Epoch,
        /// What shall stand there.
        to: ShardRow,
    },
    /// This process owns the shard under this epoch.
    Claimed {
        /// The epoch.
        epoch: Epoch,
    },
    /// It does not; how the row stood when that came out, if an answer came at all.
    NotClaimed {
        /// How the row stood.
        found: Option<ShardRow>,
    },
    /// The shard was handed back, or somebody else has it already.
    Released,
    /// Read the shard's row at QUORUM; answer with `ShardRead`. The read must be sent **after** this came out: it stands for
    /// what had succeeded by now, and an answer to an earlier read says nothing about that.
    ReadShard {
        /// Which reading; the answer carries it.
        round: u64,
    },
    /// Somebody else has claimed the shard: everything that was awake has been dropped.
    Lost {
        /// How the row stands.
        found: ShardRow,
    },
    /// Something to do or to tell for one activation of a room.
    Room {
        /// Which.
        room: RoomId,
        /// Its stamp.
        stamp: Stamp,
        /// What.
        effect: RoomEffect,
    },
}

/// One thing to do, or to tell, for an activation of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomEffect {
    /// Read the room's published head at any consistency; answer with `Head`. Every head that was ever published is true,
    /// so an old one only makes the tail longer.
    ReadHead,
    /// Read all rows with `after < seq <= through` at QUORUM, over the borders of partitions; answer with `Tail`. Pages may
    /// come from different replicas at different times.
    ReadTail {
        /// The last row that is not wanted.
        after: Seq,
        /// The last row that is.
        through: Seq,
    },
    /// Write all of these rows, each with its own timestamp, at QUORUM; answer with `Rewritten`.
    ///
    /// A row that was found on one replica could be missed by the next owner, and a cut of an owner in between that is still
    /// on its way must lose against it.
    Rewrite {
        /// The rows, under the new stamp already.
        rows: Vec<Row>,
    },
    /// Delete all rows with `seq > after` in each of these partitions with this timestamp at QUORUM; answer with `CutDone`.
    ///
    /// A write of an older owner that is still on its way is then dead on arrival; otherwise a later owner would adopt it
    /// next to the retry of it.
    Cut {
        /// The last row that stays.
        after: Seq,
        /// The partitions.
        buckets: RangeInclusive<u64>,
        /// The timestamp.
        timestamp: i64,
    },
    /// The room is awake: this much of its log is committed and may be shown and acknowledged. Rows at or below the head
    /// that was read are not in it; they can be read like any history.
    Woken {
        /// The last committed event; 0 for none.
        head: Seq,
        /// What stood above the published head. Nobody may have been told of these yet.
        rows: Vec<Row>,
    },
    /// Insert this row with its timestamp at QUORUM; answer with `Inserted`. All columns are written, none null: cells of an
    /// older row would show through. The same row comes again after a `TimedOut`, with the same values.
    Insert {
        /// The row.
        row: Row,
    },
    /// These events are committed, for ever, under these numbers: acknowledge and show them, in order.
    Committed {
        /// Which.
        seqs: RangeInclusive<Seq>,
    },
    /// Take the words out of a message and out of its edits before `delete`, with this timestamp at QUORUM; answer with
    /// `Erased`.
    Erase {
        /// The message.
        target: Seq,
        /// The event that says so.
        delete: Seq,
        /// The timestamp.
        timestamp: i64,
    },
    /// Write the head with itself as the timestamp, so that it only grows; answer with `HeadPublished`. Any consistency will
    /// do, at any time.
    PublishHead {
        /// The head.
        head: Seq,
    },
    /// The event was not taken. Nothing of it was sent, so it may be said that it did not happen; the number is free.
    Refused {
        /// Which number it had.
        seq: Seq,
        /// Why.
        why: Refusal,
    },
    /// The activation is still the owner's at some moment after the question was asked.
    Confirmed {
        /// Which question.
        ticket: u64,
    },
    /// That is not known.
    Unconfirmed {
        /// Which question.
        ticket: u64,
    },
    /// Nothing was under way and the activation is forgotten; the next wake needs a larger stamp.
    Asleep,
    /// The activation has ended: another one has taken over, or may have. What it sent is **unknown**: it may be in the log,
    /// or get there by the hand of the next owner. Nothing final may be said of it; the next owner answers a retry.
    Dropped {
        /// What was sent and is not committed.
        unsettled: Option<RangeInclusive<Seq>>,
    },
}

/// Why an event was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The activation is not awake yet, or not any more.
    NotAwake,
    /// Its number is not the next one: one before it was refused.
    OutOfOrder,
    /// As many as may be are under way.
    Full,
}
