//! Which node should own what: by rendezvous hashing over the nodes that are there and not draining.
//!
//! Each node has a score for each shard, and the highest owns it. So when a node comes, it takes shards from everybody and
//! nobody else moves one; when it goes, its shards go to everybody and nothing else moves. Everybody who sees the same nodes
//! comes to the same end, in whatever order they were seen.
//!
//! This says who *should* own a shard. Who *may* commit is in the shard's row ([`crate::fence`]), so views that differ for a
//! while cost claims, never events.

mod duty;
mod outlook;
mod tenure;
mod why;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

pub use duty::{Duty, Holder};
pub use outlook::{Outlook, Patience};
pub use tenure::{Life, Tenures};
pub use why::Why;

use crate::ids::{SHARDS, ShardId, UserId};

/// How many parts the registry of users has; never changes.
pub const REGISTRY_SHARDS: u16 = 1_024;

/// The name of a node; configured, and the same after a restart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub Arc<str>);

impl std::fmt::Display for NodeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl From<&str> for NodeId {
    fn from(name: &str) -> Self {
        Self(Arc::from(name))
    }
}

/// A part of all users, about whom one node knows where they are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistryShard(pub u16);

impl RegistryShard {
    /// The part that a user belongs to; the same on every node and in every version.
    #[must_use]
    pub fn of(user: UserId) -> Self {
        let part = mixed(fnv(user.0.as_bytes())) % u64::from(REGISTRY_SHARDS);
        Self(u16::try_from(part).unwrap_or(0))
    }
}

/// What is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rooms,
    Registry,
}

/// Who should own what, as one node sees the others. Changes one node at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Who may own something, with the hash of the name.
    nodes: BTreeMap<NodeId, u64>,
    draining: BTreeSet<NodeId>,
    rooms: Vec<Option<Best>>,
    registry: Vec<Option<Best>>,
}

/// The node that fits a part best, and how well.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Best {
    score: u64,
    /// Of two with one score the later name wins, so that there is always one best.
    node: NodeId,
}

impl Default for Placement {
    fn default() -> Self {
        Self::new()
    }
}

impl Placement {
    /// Nobody is there.
    #[must_use]
    pub fn new() -> Self {
        Self {
            nodes: BTreeMap::new(),
            draining: BTreeSet::new(),
            rooms: vec![None; usize::from(SHARDS)],
            registry: vec![None; usize::from(REGISTRY_SHARDS)],
        }
    }

    /// A node is there, and may own something unless it is draining.
    pub fn set(&mut self, node: &NodeId, draining: bool) {
        if draining {
            self.remove(node);
            self.draining.insert(node.clone());
            return;
        }
        self.draining.remove(node);
        if self.nodes.contains_key(node) {
            return;
        }
        let hash = fnv(node.0.as_bytes());
        self.nodes.insert(node.clone(), hash);
        for kind in [Kind::Rooms, Kind::Registry] {
            for (part, best) in self.parts_mut(kind).iter_mut().enumerate() {
                let score = score(kind, part, hash);
                let is_better = best.as_ref().is_none_or(|best| (score, node) > (best.score, &best.node));
                if is_better {
                    *best = Some(Best { score, node: node.clone() });
                }
            }
        }
    }

    /// A node is not there any more.
    pub fn remove(&mut self, node: &NodeId) {
        self.draining.remove(node);
        if self.nodes.remove(node).is_none() {
            return;
        }
        for kind in [Kind::Rooms, Kind::Registry] {
            for part in 0..self.parts(kind).len() {
                if self.parts(kind)[part].as_ref().is_some_and(|best| best.node == *node) {
                    let next = self.candidates(kind, part).max();
                    self.parts_mut(kind)[part] = next;
                }
            }
        }
    }

    /// The node that should own a shard; nobody if nobody is there who may.
    #[must_use]
    pub fn owner(&self, shard: ShardId) -> Option<&NodeId> {
        Some(&self.rooms.get(usize::from(shard.0))?.as_ref()?.node)
    }

    /// The node that should know about a part of all users.
    #[must_use]
    pub fn registry(&self, part: RegistryShard) -> Option<&NodeId> {
        Some(&self.registry.get(usize::from(part.0))?.as_ref()?.node)
    }

    /// The shards that a node should own.
    pub fn shards_of<'a>(&'a self, node: &'a NodeId) -> impl Iterator<Item = ShardId> + 'a {
        (0..SHARDS).map(ShardId).filter(move |shard| self.owner(*shard) == Some(node))
    }

    /// The shards whose owner is another one in `next`, with the owners before and after: what a change would move.
    pub fn moves<'a>(
        &'a self,
        next: &'a Self,
    ) -> impl Iterator<Item = (ShardId, Option<&'a NodeId>, Option<&'a NodeId>)> + 'a {
        let both = (0..SHARDS).map(ShardId).map(|shard| (shard, self.owner(shard), next.owner(shard)));
        both.filter(|(_, before, after)| before != after)
    }

    /// The nodes that may own something.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeId> {
        self.nodes.keys()
    }

    /// The nodes that give away what they own.
    pub fn draining(&self) -> impl Iterator<Item = &NodeId> {
        self.draining.iter()
    }

    const fn parts(&self, kind: Kind) -> &Vec<Option<Best>> {
        match kind {
            Kind::Rooms => &self.rooms,
            Kind::Registry => &self.registry,
        }
    }

    const fn parts_mut(&mut self, kind: Kind) -> &mut Vec<Option<Best>> {
        match kind {
            Kind::Rooms => &mut self.rooms,
            Kind::Registry => &mut self.registry,
        }
    }

    /// Everybody who could own a part, and how well they fit it.
    fn candidates(&self, kind: Kind, part: usize) -> impl Iterator<Item = Best> {
        self.nodes.iter().map(move |(node, hash)| Best { score: score(kind, part, *hash), node: node.clone() })
    }
}

/// How well a node with this hash fits a part.
const fn score(kind: Kind, part: usize, hash: u64) -> u64 {
    let salt = match kind {
        Kind::Rooms => 0x5ea1_0000_0000_0000,
        Kind::Registry => 0x4e61_0000_0000_0000,
    };
    mixed(hash ^ mixed(salt | part as u64))
}

/// FNV-1a.
fn fnv(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// The finishing steps of `SplitMix64`: every bit of the input reaches every bit of the output.
const fn mixed(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests;
