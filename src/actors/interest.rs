//! Which hubs, and which other nodes, listen to which rooms: soft state, kept apart from the shards so that a room can be heard while it sleeps.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use dashmap::{DashMap, Entry};
use parking_lot::RwLock;
use rookery_core::ids::RoomId;

use super::peers::Slot;

/// Hubs that a node can have: one bit of a room's listeners each.
pub const HUBS: u16 = 64;

/// Who listens to one room.
#[derive(Debug, Default)]
pub struct Listeners {
    /// One bit for each hub of this node.
    hubs: AtomicU64,
    /// Other nodes.
    nodes: RwLock<Vec<Slot>>,
}

impl Listeners {
    /// The hubs of this node that listen, one bit each.
    pub fn hubs(&self) -> u64 {
        self.hubs.load(Ordering::Acquire)
    }

    /// The other nodes that listen.
    pub fn nodes(&self) -> Vec<Slot> {
        self.nodes.read().clone()
    }

    /// How many listen.
    pub fn count(&self) -> usize {
        usize::try_from(self.hubs().count_ones()).unwrap_or(0) + self.nodes.read().len()
    }
}

/// Who listens to what.
#[derive(Debug, Default)]
pub struct Interest {
    rooms: DashMap<RoomId, Arc<Listeners>>,
}

impl Interest {
    /// A hub has somebody who listens to a room. What the room shows from now on goes there too.
    pub fn listen(&self, room: RoomId, hub: u16) {
        self.rooms.entry(room).or_default().hubs.fetch_or(bit(hub), Ordering::AcqRel);
    }

    /// A hub has nobody any more who listens to a room; `true`: no hub of this node has.
    pub fn unlisten(&self, room: RoomId, hub: u16) -> bool {
        let left = self.rooms.get(&room).map_or(0, |listeners| {
            let bit = bit(hub);
            listeners.hubs.fetch_and(!bit, Ordering::AcqRel) & !bit
        });
        self.forget_unused(room);
        left == 0
    }

    /// Another node listens to a room that lives here, or does not any more.
    pub fn of_node(&self, room: RoomId, node: Slot, on: bool) {
        {
            let listeners = self.of(room);
            let mut nodes = listeners.nodes.write();
            nodes.retain(|other| *other != node);
            if on {
                nodes.push(node);
            }
        }
        self.forget_unused(room);
    }

    /// The other nodes that listen to rooms such as these.
    pub fn nodes_of(&self, wanted: impl Fn(RoomId) -> bool) -> Vec<(RoomId, Vec<Slot>)> {
        let rooms = self.rooms.iter().filter(|room| wanted(*room.key()));
        rooms.map(|room| (*room.key(), room.nodes())).filter(|(_, nodes)| !nodes.is_empty()).collect()
    }

    /// These rooms live elsewhere from now on: other nodes tell their interest there.
    pub fn nodes_gone_from(&self, moved: impl Fn(RoomId) -> bool) {
        self.rooms.iter().filter(|room| moved(*room.key())).for_each(|room| room.nodes.write().clear());
        self.rooms.retain(|_, listeners| !is_unused(listeners));
    }

    /// A node is gone.
    pub fn node_gone(&self, node: Slot) {
        self.rooms.iter().for_each(|room| room.nodes.write().retain(|other| *other != node));
        self.rooms.retain(|_, listeners| !is_unused(listeners));
    }

    /// Who listens to a room, now and later: what a room holds while it is awake.
    pub fn of(&self, room: RoomId) -> Arc<Listeners> {
        Arc::clone(&*self.rooms.entry(room).or_default())
    }

    /// How many listen to a room.
    pub fn count(&self, room: RoomId) -> usize {
        self.rooms.get(&room).map_or(0, |listeners| listeners.count())
    }

    /// The hubs of this node that listen to a room, one bit each.
    pub fn hubs(&self, room: RoomId) -> u64 {
        self.rooms.get(&room).map_or(0, |listeners| listeners.hubs())
    }

    /// Forgets a room to which nobody listens, unless it holds its listeners itself.
    pub fn forget_unused(&self, room: RoomId) {
        if let Entry::Occupied(entry) = self.rooms.entry(room)
            && is_unused(entry.get())
        {
            entry.remove();
        }
    }
}

fn is_unused(listeners: &Arc<Listeners>) -> bool {
    listeners.count() == 0 && Arc::strong_count(listeners) == 1
}

const fn bit(hub: u16) -> u64 {
    1 << (hub % HUBS)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const ROOM: RoomId = RoomId(Uuid::from_u128(7));

    #[test]
    fn a_room_that_is_awake_hears_of_who_comes_and_goes() {
        let interest = Interest::default();
        let held = interest.of(ROOM);
        interest.listen(ROOM, 0);
        interest.listen(ROOM, 3);
        assert_eq!(held.hubs(), 0b1001);
        interest.unlisten(ROOM, 0);
        interest.unlisten(ROOM, 3);
        interest.listen(ROOM, 1);
        assert_eq!((held.hubs(), interest.count(ROOM)), (0b10, 1));
    }

    #[test]
    fn other_nodes_count_until_they_or_the_room_go() {
        let interest = Interest::default();
        for node in [1, 2, 2] {
            interest.of_node(ROOM, node, true);
        }
        assert_eq!(interest.of(ROOM).nodes(), [1, 2]);
        interest.node_gone(1);
        assert_eq!(interest.count(ROOM), 1);
        interest.nodes_gone_from(|room| room != ROOM);
        assert_eq!(interest.count(ROOM), 1);
        interest.nodes_gone_from(|room| room == ROOM);
        assert!(interest.rooms.is_empty());
    }

    #[test]
    fn what_nobody_listens_to_is_forgotten() {
        let interest = Interest::default();
        interest.listen(ROOM, 5);
        interest.unlisten(ROOM, 5);
        assert!(interest.rooms.is_empty());
        let held = interest.of(ROOM);
        interest.forget_unused(ROOM);
        assert_eq!(interest.rooms.len(), 1);
        drop(held);
        interest.forget_unused(ROOM);
        assert!(interest.rooms.is_empty());
    }
}
