//! Why a shard is where it is, in words for an operator.

use std::fmt;

use super::{Kind, NodeId, Placement};
use crate::ids::ShardId;

/// Draining nodes that are named; more are counted.
const NAMED: usize = 3;

/// Why a shard should be where it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// Who should own it.
    pub owner: Option<NodeId>,
    /// Who would, if that node were gone.
    pub next: Option<NodeId>,
    /// How many nodes there are to choose from.
    pub nodes: usize,
    /// Nodes that are there and are passed over, because they are draining.
    pub draining: Vec<NodeId>,
    /// Who has it.
    pub holder: Option<NodeId>,
}

impl Placement {
    /// Why a shard should be where it should be, given who has it now.
    #[must_use]
    pub fn why(&self, shard: ShardId, holder: Option<&NodeId>) -> Why {
        let mut ranking: Vec<_> = self.candidates(Kind::Rooms, usize::from(shard.0)).collect();
        ranking.sort_unstable_by(|one, other| other.cmp(one));
        let mut ranking = ranking.into_iter().map(|candidate| candidate.node);
        Why {
            owner: ranking.next(),
            next: ranking.next(),
            nodes: self.nodes.len(),
            draining: self.draining.iter().cloned().collect(),
            holder: holder.cloned(),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(owner) = &self.owner else {
            return f.write_str("no node is there that may own it");
        };
        match self.nodes {
            1 => write!(f, "{owner} is the only node that may own it")?,
            nodes => write!(f, "{owner} scores highest of {nodes} nodes")?,
        }
        if let Some(next) = &self.next {
            write!(f, ", then {next}")?;
        }
        match &self.holder {
            None => f.write_str("; nobody has it, so it is claimed when it is needed")?,
            Some(holder) if holder != owner => write!(f, "; {holder} still has it")?,
            Some(_) => {}
        }
        for (at, node) in self.draining.iter().take(NAMED).enumerate() {
            write!(f, "{}{node}", if at == 0 { "; draining: " } else { ", " })?;
        }
        match self.draining.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
