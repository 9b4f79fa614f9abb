//! Lives of nodes by number: what the actors keep instead of names.

use std::collections::HashMap;

use parking_lot::RwLock;

use crate::{
    actors::peers::{HERE, SLOTS, Slot},
    cluster::Peer,
};

#[derive(Default)]
struct Table {
    peers: HashMap<Slot, Peer>,
    slots: HashMap<Peer, Slot>,
    last: Slot,
}

/// The numbers of all lives that were linked and are not forgotten.
#[derive(Default)]
pub(super) struct Slots {
    table: RwLock<Table>,
}

impl Slots {
    /// The number of a life; given at its first link. `None`: there are as many as there can be.
    pub(super) fn take(&self, peer: &Peer) -> Option<Slot> {
        let mut table = self.table.write();
        if let Some(slot) = table.slots.get(peer) {
            return Some(*slot);
        }
        // The one after the last: a number that was just given back is not given at once to somebody else.
        let after = |slot: Slot| if slot + 1 < SLOTS { slot + 1 } else { HERE + 1 };
        let mut slot = after(table.last);
        for _ in 1..SLOTS {
            if !table.peers.contains_key(&slot) {
                table.last = slot;
                table.peers.insert(slot, peer.clone());
                table.slots.insert(peer.clone(), slot);
                return Some(slot);
            }
            slot = after(slot);
        }
        None
    }

    /// The number of a life that has one.
    pub(super) fn of(&self, peer: &Peer) -> Option<Slot> {
        self.table.read().slots.get(peer).copied()
    }

    /// Whose number this is.
    pub(super) fn peer(&self, slot: Slot) -> Option<Peer> {
        self.table.read().peers.get(&slot).cloned()
    }

    /// The numbers of those for whom this is so.
    pub(super) fn linked(&self, is: impl Fn(&Peer) -> bool) -> Vec<Slot> {
        self.table.read().peers.iter().filter(|(_, peer)| is(peer)).map(|(slot, _)| *slot).collect()
    }

    /// Forgets lives; answers their numbers.
    pub(super) fn forget(&self, gone: impl Fn(&Peer) -> bool) -> Vec<Slot> {
        let mut table = self.table.write();
        let slots: Vec<Slot> = table.peers.iter().filter(|(_, peer)| gone(peer)).map(|(slot, _)| *slot).collect();
        for slot in &slots {
            if let Some(peer) = table.peers.remove(slot) {
                table.slots.remove(&peer);
            }
        }
        slots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(name: &str, incarnation: u64) -> Peer {
        Peer { node: name.parse().unwrap(), incarnation }
    }

    #[test]
    fn a_life_keeps_its_number_and_the_next_life_gets_another() {
        let slots = Slots::default();
        let first = slots.take(&peer("a", 1)).unwrap();
        assert_ne!(first, HERE);
        assert_eq!(slots.take(&peer("a", 1)), Some(first));
        let second = slots.take(&peer("a", 2)).unwrap();
        assert_ne!(first, second);
        assert_eq!(slots.forget(|peer| peer.incarnation == 1), [first]);
        assert_eq!((slots.peer(first), slots.of(&peer("a", 2))), (None, Some(second)));
        assert_ne!(slots.take(&peer("b", 1)), Some(first), "not given again at once");
    }

    #[test]
    fn there_are_only_so_many() {
        let slots = Slots::default();
        for life in 1..u64::from(SLOTS) {
            assert!(slots.take(&peer("a", life)).is_some());
        }
        assert_eq!(slots.take(&peer("b", 1)), None);
    }
}
