//! Who owns a shard: asking for it, giving it, telling of it.

use bincode::{Decode, Encode};

/// About one shard.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum ShardNote {
    /// The receiver should hand the shard over to the sender.
    Release {
        /// Which.
        shard: u16,
    },
    /// The shard was released: what was in flight is finished, its row carries this epoch and has no owner.
    Released {
        /// Which.
        shard: u16,
        /// The epoch that the next owner claims after.
        epoch: u64,
    },
    /// The shard is not handed over now.
    Kept {
        /// Which.
        shard: u16,
        /// Who owns it, as far as the sender knows.
        owner: Option<String>,
    },
    /// The sender owns the shard from now on.
    Taken {
        /// Which.
        shard: u16,
        /// Under which epoch.
        epoch: u64,
    },
}
