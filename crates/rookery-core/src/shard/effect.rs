//! Everything a shard can ask the outside world to do.

use super::Stamp;
use crate::ids::{RoomId, ShardId};

/// One thing to do, in the order given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Claim the shard in the store; answer with `Claimed` or `ClaimFailed`.
    Claim {
        /// Which.
        shard: ShardId,
    },
    /// Start a room under this stamp.
    Wake {
        /// Which.
        room: RoomId,
        /// Its stamp.
        stamp: Stamp,
    },
    /// Stop a room that may not commit any more; say nothing final about what it was sent.
    Sleep {
        /// Which.
        room: RoomId,
    },
    /// What waits for this room is refused as `unavailable`.
    Refuse {
        /// Which.
        room: RoomId,
    },
    /// What waits for this room is refused: it is shut because it panics. What is asked for again may have happened
    /// before that; under this stamp it can be found out.
    RefuseShut {
        /// Which.
        room: RoomId,
        /// The stamp.
        stamp: Stamp,
    },
    /// The room panicked and may be woken anew: who waits for an answer of it asks again.
    Restarted {
        /// Which.
        room: RoomId,
    },
    /// The room panicked on the same input again and again and stays shut.
    Quarantined {
        /// Which.
        room: RoomId,
    },
}
