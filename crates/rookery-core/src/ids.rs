//! Identifiers: one type per concept, so that they cannot be swapped by mistake.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A position in a room's log; 1, 2, 3 … with no hole. 0 means: before the first.
pub type Seq = u64;

/// The largest number that every JSON reader keeps exactly (2^53 − 1).
pub const MAX_SEQ: Seq = 9_007_199_254_740_991;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::try_parse(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    };
}

id!(
    /// A person or a bot.
    UserId
);
id!(
    /// A conversation.
    RoomId
);
id!(
    /// One login of a user: what a token stands for.
    DeviceId
);
id!(
    /// One WebSocket connection.
    SessionId
);
id!(
    /// A file that messages carry.
    MediaId
);
id!(
    /// The idempotency key that a client gives to a write.
    ClientId
);

/// How many shards the rooms of a system are divided into; never changes.
pub const SHARDS: u16 = 1_024;

/// A part of all rooms that has one owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ShardId(pub u16);

impl RoomId {
    /// The shard of the room: an FNV-1a hash of its id, so that it is the same on every node and in every version.
    #[must_use]
    pub fn shard(self) -> ShardId {
        let hash = self
            .0
            .as_bytes()
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        // The low bits of FNV-1a mix worst with few bytes; fold the high half in.
        let folded = (hash >> 32) ^ hash;
        ShardId(u16::try_from(folded % u64::from(SHARDS)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_spread_evenly_over_the_shards() {
        let mut counts = vec![0_u32; usize::from(SHARDS)];
        for n in 0..102_400_u128 {
            let id = RoomId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + n * 7919));
            counts[usize::from(id.shard().0)] += 1;
        }
        assert!(counts.iter().all(|count| (50..=160).contains(count)), "{counts:?}");
    }
}
