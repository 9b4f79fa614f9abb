//! What a node has to do about a shard, by what it sees.

use super::{NodeId, Placement};
use crate::ids::ShardId;

/// Who holds a shard by its row, as far as this node knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Nobody: it was never claimed, or was handed back.
    Nobody,
    /// This very process.
    Me,
    /// Another process, which this node sees alive.
    Alive(NodeId),
    /// Another process, which is alive, and was asked for the shard long ago and in vain.
    Silent(NodeId),
    /// Another process, which is dead: declared so by the failure detector, or it is an earlier life of a node that has
    /// started anew.
    Dead(NodeId),
    /// Another process, of which this node has heard nothing yet. A node that has just come sees few others at first; that
    /// does not make them dead.
    Unheard(NodeId),
    /// Another process, which took the shard from this one a short while ago. So it was alive then, whatever the failure
    /// detector says: two nodes that reach the store and not each other would otherwise take every shard from each other
    /// for as long as that lasts.
    TookOver(NodeId),
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Nothing; it is where it should be, or somebody else sees to it.
    Nothing,
    /// Claim it.
    Claim,
    /// Ask the holder to hand it over; it is alive, and may have something under way.
    AskFor(NodeId),
    /// Offer it to this node, and when it asks: come to rest, give the row back, and tell it.
    ///
    /// Not before it asks: it may not know yet that the shard is its own, and then nobody would have it for a while.
    HandOver(NodeId),
    /// Give the row back; nobody is there to take it.
    GiveBack,
    /// Find out more before doing anything.
    Wait,
}

impl Duty {
    /// What a node has to do about a shard that `owner` should have.
    ///
    /// Only the node that should own a shard claims it, so that a death makes one claim per shard and not one per node; and
    /// only from a holder that is dead or does not answer, because one that is alive would lose sight of what is under way.
    #[must_use]
    pub fn of(owner: Option<&NodeId>, me: &NodeId, holder: &Holder) -> Self {
        match (owner == Some(me), holder) {
            (true, Holder::Me) => Self::Nothing,
            (true, Holder::Nobody | Holder::Dead(_) | Holder::Silent(_)) => Self::Claim,
            (true, Holder::Alive(other)) => Self::AskFor(other.clone()),
            (true, Holder::Unheard(_) | Holder::TookOver(_)) => Self::Wait,
            (false, Holder::Me) => owner.cloned().map_or(Self::GiveBack, Self::HandOver),
            (false, _) => Self::Nothing,
        }
    }
}

impl Placement {
    /// What this node has to do about a shard.
    ///
    /// Whoever sends an offer or a question about a shard says with it how they are (which life, draining or not), and that
    /// is taken into the placement first. So the two agree at once, and not only when gossip has told each of the other.
    #[must_use]
    pub fn duty(&self, shard: ShardId, me: &NodeId, holder: &Holder) -> Duty {
        Duty::of(self.owner(shard), me, holder)
    }
}
