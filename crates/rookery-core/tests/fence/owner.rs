//! One owner: the machine, what it waits for, and a room that numbers messages and remembers which it has.

use std::hash::{Hash, Hasher};

use rookery_core::{
    fence::{Fence, Owner as Process},
    placement::NodeId,
    shard::Stamp,
};
use uuid::Uuid;

use crate::{
    hash::Mix,
    settings::{PLACES, Settings},
    store::{View, Write},
};

/// A claim that the store has, and has not answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Swap {
    pub(crate) round: u64,
    pub(crate) epoch: u8,
    pub(crate) decided: bool,
}

/// A read of the tail that one replica may have answered already.
#[derive(Clone, Copy, Debug, Hash)]
pub(crate) struct TailRead {
    pub(crate) after: u8,
    pub(crate) through: u8,
    pub(crate) view: View,
}

/// A read of the shard's row on its way: it sees at least `least`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShardRead {
    pub(crate) round: u64,
    pub(crate) least: u8,
}

#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) fence: Fence,
    pub(crate) stamp: Stamp,
    pub(crate) swap: Option<Swap>,
    pub(crate) tail: Option<TailRead>,
    /// The replica that has answered the tail read, and one more; 0 for none.
    pub(crate) first: u8,
    /// What was read before the claim, where that is done.
    pub(crate) early: Option<View>,
    pub(crate) rewrite: Vec<Write>,
    pub(crate) cut: Option<Write>,
    pub(crate) read: Option<ShardRead>,
    pub(crate) erasing: Vec<(u8, Write)>,
    /// Numbers whose insert was sent and has not been acknowledged: one bit each.
    pub(crate) inserting: u8,
    pub(crate) is_active: bool,
    pub(crate) log: [u8; PLACES],
    pub(crate) length: u8,
    pub(crate) found: u8,
    pub(crate) committed: u8,
    /// Messages that this activation numbered itself: one bit each.
    pub(crate) own: u8,
    /// The tail was settled, and whether only after another owner had learnt of its claim.
    pub(crate) settled: bool,
    pub(crate) settled_late: bool,
    /// Numbers that reached a quorum only after that: one bit each.
    pub(crate) late: u8,
    /// A question waits, and whether somebody else was the owner already when it was asked.
    pub(crate) question: Option<bool>,
    pub(crate) is_over: bool,
}

/// The process of an owner. Every other one is the same node, restarted.
pub(crate) fn process(index: usize) -> Process {
    let name = if index.is_multiple_of(2) { "even" } else { "odd" };
    Process { node: NodeId(name.into()), incarnation: Uuid::from_u128(index as u128 + 1) }
}

impl Owner {
    pub(crate) fn new(index: usize, settings: &Settings) -> Self {
        let fence = Fence::new(process(index), settings.bounds());
        #[cfg(feature = "bugs")]
        let fence = match settings.bug {
            Some(bug) => fence.without(bug),
            None => fence,
        };
        Self {
            fence,
            stamp: Stamp::default(),
            swap: None,
            tail: None,
            first: 0,
            early: None,
            rewrite: Vec::new(),
            cut: None,
            read: None,
            erasing: Vec::new(),
            inserting: 0,
            is_active: false,
            log: [0; PLACES],
            length: 0,
            found: 0,
            committed: 0,
            own: 0,
            settled: false,
            settled_late: false,
            late: 0,
            question: None,
            is_over: false,
        }
    }

    /// The newest epoch that it holds; 0 for none.
    pub(crate) fn held(&self) -> u8 {
        self.fence.epoch().map_or(0, |epoch| epoch as u8)
    }

    /// Forgets the room of the activation before.
    pub(crate) fn reset_room(&mut self) {
        let Self { tail, rewrite, cut, erasing, .. } = self;
        (*tail, *cut) = (None, None);
        rewrite.clear();
        erasing.clear();
        (self.first, self.inserting, self.length, self.found, self.committed) = (0, 0, 0, 0, 0);
        (self.own, self.late, self.log) = (0, 0, [0; PLACES]);
        (self.is_active, self.settled, self.settled_late) = (false, false, false);
    }

    /// A fingerprint of all that decides what it will do; which replica it read first is seen to elsewhere.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut mix = Mix::new();
        self.fence.hash(&mut mix);
        self.stamp.hash(&mut mix);
        let swap = self.swap.map_or(0, |swap| swap.epoch << 1 | u8::from(swap.decided));
        let read = self.read.map_or(0, |read| read.least + 1);
        self.tail.hash(&mut mix);
        self.early.hash(&mut mix);
        for write in self.rewrite.iter().chain(&self.cut).chain(self.erasing.iter().map(|(_, write)| write)) {
            let bytes = [write.kind as u8, write.from, write.to, write.timestamp, write.value, 1, 0, 0];
            mix.word(u64::from_le_bytes(bytes));
        }
        let flags = [
            self.is_active,
            self.settled,
            self.settled_late,
            self.first != 0,
            self.question.is_some(),
            self.question == Some(true),
        ];
        let flags = flags.iter().fold(0, |all, flag| all << 1 | u8::from(*flag));
        mix.word(u64::from_le_bytes([
            swap,
            read,
            self.inserting,
            flags,
            self.length,
            self.found,
            self.committed,
            self.own,
        ]));
        let log = self.log;
        mix.word(u64::from_le_bytes([log[0], log[1], log[2], log[3], self.late, 0, 0, 0]));
        mix.finish()
    }
}
