//! Other nodes as the actors know them: places that take messages. A node alone has none.
//!
//! A hub anywhere is one number: the node's slot at this node, then the hub's number there. So whoever answers a session
//! does not know, and need not, on which node it is.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use rookery_core::{
    ids::{ClientId, RoomId, SHARDS, Seq, ShardId, UserId},
    placement::{REGISTRY_SHARDS, RegistryShard},
    shard::Epoch,
    time::Millis,
};
use tokio::sync::oneshot;

use super::{
    hub::inbox::{Ack, Frames, Item},
    interest::HUBS,
    ports::{Connected, Pulse, RoomState},
    registry::RegistryMessage,
    room::RoomMessage,
};

/// A life of a node, as this node numbers it. A node that starts anew gets a new one.
pub type Slot = u16;

/// This node.
pub const HERE: Slot = 0;
/// Slots that there are.
pub const SLOTS: Slot = 1 << 10;

/// A hub of a node as one number.
#[must_use]
pub const fn hub_address(slot: Slot, hub: u16) -> u16 {
    (slot % SLOTS) * HUBS + hub % HUBS
}

/// The node of a hub.
#[must_use]
pub const fn slot_of(address: u16) -> Slot {
    address / HUBS
}

/// The number of a hub at its node.
#[must_use]
pub const fn hub_of(address: u16) -> u16 {
    address % HUBS
}

/// Where something lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On this node.
    Here,
    /// On another one.
    There(Slot),
    /// On none that can be reached.
    Nowhere,
}

/// Something for another node.
pub enum ToPeer {
    /// For a room that it owns.
    Room {
        /// Which.
        room: RoomId,
        /// What.
        message: RoomMessage,
    },
    /// For one of its hubs.
    Hub {
        /// Which, by its number there.
        hub: u16,
        /// What.
        item: Item,
    },
    /// For those of its hubs that listen to a room, or for all.
    Hubs(Item),
    /// It has, or has no more, somebody who listens to a room that lives there.
    Interest {
        /// Which.
        room: RoomId,
        /// Whether.
        on: bool,
    },
    /// For its part of the registry.
    Registry(RegistryMessage),
    /// A user who is connected there is so on this many nodes.
    Spread {
        /// Who.
        user: UserId,
        /// How many.
        nodes: u16,
    },
    /// Who is connected there?
    List {
        /// Only this user's.
        user: Option<UserId>,
        /// Where to.
        reply: oneshot::Sender<Vec<Connected>>,
    },
    /// How is it?
    Pulse(oneshot::Sender<Pulse>),
    /// How is a room that it owns?
    Describe(RoomId, oneshot::Sender<RoomState>),
    /// Where did a write go, to a room that it owns?
    Outcome {
        /// Which room.
        room: RoomId,
        /// Whose write.
        sender: UserId,
        /// Which.
        client_id: ClientId,
        /// Where to; nothing is told by who is not certain.
        reply: oneshot::Sender<Option<(Seq, Millis)>>,
    },
    /// Let a quarantined room that it owns try again.
    Release(RoomId, oneshot::Sender<()>),
}

/// Events of a room on their way to other nodes.
pub struct FanOut {
    /// Which room.
    pub room: RoomId,
    /// The events.
    pub frames: Arc<Frames>,
    /// Who is not in the room any more after which event.
    pub removed: Arc<[(Seq, UserId)]>,
}

/// Acks for sessions of one node, each with the hub that holds the session.
pub type NodeAcks = Vec<(u16, Ack)>;

/// The other nodes. What is taken arrives at most once, and taking it waits for nothing.
pub trait Peers: Send + Sync {
    /// Where a shard of rooms lives: with who holds it as far as that is known, else where it should.
    fn shard(&self, shard: ShardId) -> Place;
    /// Whether a shard should live on this node, whoever holds it now.
    fn should_be_here(&self, shard: ShardId) -> bool;
    /// This node holds a shard from now on.
    fn holds(&self, shard: ShardId, epoch: Epoch);
    /// This node holds a shard no more.
    fn let_go(&self, shard: ShardId);
    /// Whether this node may claim a shard: waits, for a few seconds at most, until who holds it is dead or has handed it
    /// over.
    fn may_claim(&self, shard: ShardId) -> BoxFuture<'_, bool>;
    /// Another process was found to have a shard that was this node's.
    fn lost(&self, shard: ShardId);
    /// Where it is known on which node a user is.
    fn registry(&self, user: UserId) -> Place;
    /// How many nodes there are, this one too.
    fn count(&self) -> u32;
    /// The nodes that can be reached.
    fn slots(&self) -> Vec<Slot>;
    /// What a node is called.
    fn name(&self, slot: Slot) -> Option<String>;
    /// Takes something for a node; `false`: it was not taken, and whoever waits for an answer is told nothing.
    fn send(&self, to: Slot, message: ToPeer) -> bool;
    /// Takes events for nodes that listen, and acks that belong to them: one envelope for each node.
    fn fan_out(&self, events: &FanOut, to: &[Slot], acks: Vec<(Slot, NodeAcks)>);
}

/// No other nodes.
pub struct Alone;

impl Peers for Alone {
    fn shard(&self, _: ShardId) -> Place {
        Place::Here
    }

    fn should_be_here(&self, _: ShardId) -> bool {
        true
    }

    fn holds(&self, _: ShardId, _: Epoch) {}

    fn let_go(&self, _: ShardId) {}

    fn may_claim(&self, _: ShardId) -> BoxFuture<'_, bool> {
        Box::pin(std::future::ready(true))
    }

    fn lost(&self, _: ShardId) {}

    fn registry(&self, _: UserId) -> Place {
        Place::Here
    }

    fn count(&self) -> u32 {
        1
    }

    fn slots(&self) -> Vec<Slot> {
        Vec::new()
    }

    fn name(&self, _: Slot) -> Option<String> {
        None
    }

    fn send(&self, _: Slot, _: ToPeer) -> bool {
        false
    }

    fn fan_out(&self, _: &FanOut, _: &[Slot], _: Vec<(Slot, NodeAcks)>) {}
}

/// What lives elsewhere from now on, or has to be told again to where it lives.
#[derive(Clone, Debug)]
pub struct Change {
    shards: Vec<bool>,
    parts: Vec<bool>,
}

impl Change {
    /// The shards of rooms and the parts of the registry of which this is so.
    #[must_use]
    pub fn of(shard: impl Fn(ShardId) -> bool, part: impl Fn(RegistryShard) -> bool) -> Self {
        Self {
            shards: (0..SHARDS).map(|number| shard(ShardId(number))).collect(),
            parts: (0..REGISTRY_SHARDS).map(|number| part(RegistryShard(number))).collect(),
        }
    }

    /// Whether a room is affected.
    #[must_use]
    pub fn has_room(&self, room: RoomId) -> bool {
        self.shards.get(usize::from(room.shard().0)).is_some_and(|is| *is)
    }

    /// Whether it is known elsewhere where a user is.
    #[must_use]
    pub fn has_user(&self, user: UserId) -> bool {
        self.parts.get(usize::from(RegistryShard::of(user).0)).is_some_and(|is| *is)
    }

    /// Whether nothing is affected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.shards.iter().chain(&self.parts).any(|is| *is)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_node_and_a_hub() {
        for (slot, hub) in [(HERE, 0), (HERE, 63), (1, 0), (SLOTS - 1, 63), (77, 5)] {
            let address = hub_address(slot, hub);
            assert_eq!((slot_of(address), hub_of(address)), (slot, hub));
        }
        assert_eq!(hub_address(HERE, 3), 3, "a hub of this node is its own number");
    }
}
