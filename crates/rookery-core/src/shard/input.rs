//! Everything that can happen to a shard.

use super::Epoch;
use crate::ids::RoomId;

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Somebody has something for a room.
    Wanted {
        /// Which.
        room: RoomId,
    },
    /// Its last owner has let it go, for us to take it: what comes for its rooms soon does not wait for the claim then.
    Offered,
    /// The claim succeeded.
    Claimed {
        /// The epoch from now on.
        epoch: Epoch,
    },
    /// The claim did not succeed: another process has the shard since.
    Outrun,
    /// The claim did not succeed; nothing is known about the owner.
    ClaimFailed,
    /// The store says that somebody else owns the shard.
    Fenced,
    /// The shard was given back, with all its rooms at rest.
    GivenBack,
    /// A room went to sleep, with nothing left to do.
    Retired {
        /// Which.
        room: RoomId,
    },
    /// A room panicked.
    Panicked {
        /// Which.
        room: RoomId,
        /// A fingerprint of what it was doing.
        on: u64,
    },
    /// An operator lets a quarantined room try again.
    Release {
        /// Which.
        room: RoomId,
    },
}
