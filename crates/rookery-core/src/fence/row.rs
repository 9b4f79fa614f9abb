//! What stands in the store, as far as fencing looks at it: rows of the log, the row of a shard, and their timestamps.

use std::{ops::RangeInclusive, sync::Arc};

use uuid::Uuid;

use crate::{
    event::Event,
    ids::Seq,
    limits::IN_FLIGHT,
    placement::NodeId,
    shard::{Epoch, Stamp},
};

/// Rows of a room that stand in one partition of the store.
pub const BUCKET: u64 = 4_096;
/// Events that the published head may be behind while there is something to do; so long is the tail that a wake reads.
pub const HEAD_EVERY: u64 = 256;

/// One row of a room's log: an event, and which activation wrote it last.
///
/// The stamp is a column of the row. Whoever writes the row again (a rewrite at a wake) puts the own stamp into it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    /// Who wrote it last.
    pub stamp: Stamp,
    /// What stands there.
    pub event: Arc<Event>,
}

impl Row {
    /// Its place.
    #[must_use]
    pub fn seq(&self) -> Seq {
        self.event.seq
    }

    /// The timestamp that it is written with, each time that it is sent.
    ///
    /// It has no seq in it: timestamps are only compared within one row.
    #[must_use]
    pub const fn timestamp(&self) -> i64 {
        row_timestamp(self.stamp)
    }
}

/// The timestamp of an activation's cut: above everything of older activations, below the own rows.
#[must_use]
pub const fn cut_timestamp(stamp: Stamp) -> i64 {
    (stamp.0 << 2).cast_signed()
}

/// The timestamp of the rows that an activation writes.
#[must_use]
pub const fn row_timestamp(stamp: Stamp) -> i64 {
    cut_timestamp(stamp) | 1
}

/// The timestamp with which an activation takes the words out of a row: above its own rewrite of that row.
#[must_use]
pub const fn erase_timestamp(stamp: Stamp) -> i64 {
    cut_timestamp(stamp) | 2
}

/// Who owns shards: a process. A restarted one has another incarnation and owns nothing of what the one before did.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The node, for people and for placement.
    pub node: NodeId,
    /// The process.
    pub incarnation: Uuid,
}

/// The row of a shard; `None` and 0 where nobody ever claimed it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ShardRow {
    /// Who may commit; nobody once it was handed back.
    pub owner: Option<Owner>,
    /// How often it has changed hands.
    pub epoch: Epoch,
}

/// What an activation is bounded by; the same on every node that ever wrote to the store, or larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Appends of one room that may be sent and not yet committed; one more is refused before anything is sent.
    ///
    /// The cut reaches exactly so far, so a node with a smaller bound must not follow one with a larger.
    pub in_flight: usize,
    /// Rows in one partition.
    pub bucket: u64,
    /// After how many committed events the head is published without being asked.
    pub head_every: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { in_flight: IN_FLIGHT, bucket: BUCKET, head_every: HEAD_EVERY }
    }
}

impl Bounds {
    /// The partitions in which a row may stand that an older owner sent after `last` and that is still on its way.
    ///
    /// A range delete works in one partition, and what was in flight may lie in the next one.
    #[must_use]
    pub const fn reach(&self, last: Seq) -> RangeInclusive<u64> {
        last / self.bucket..=(last + self.in_flight as u64) / self.bucket
    }
}
