//! One shard: which epoch it may commit under, and which of its rooms are awake.
//!
//! On one node every claim succeeds and the epoch is only ever ours, but each step is on the path: a room gets its stamp
//! here and nowhere else, and the store refuses what is older.

mod effect;
mod input;

use std::collections::{BTreeMap, BTreeSet};

pub use effect::Effect;
pub use input::Input;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{RoomId, ShardId},
    time::Millis,
};

/// How often a shard has changed hands.
pub type Epoch = u64;

/// How many wakes one epoch has numbers for.
const GENERATIONS: u64 = 1 << 24;
/// Panics on the same input until a room is quarantined.
pub const QUARANTINE_AFTER: u32 = 3;

/// Which activation of a room wrote something: a newer one has a larger stamp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stamp(pub u64);

impl Stamp {
    /// The stamp of an activation: the epoch, then a counter of the shard's wakes.
    #[must_use]
    pub const fn new(epoch: Epoch, generation: u64) -> Self {
        Self(epoch << 24 | (generation & (GENERATIONS - 1)))
    }

    /// The epoch that the activation belongs to.
    #[must_use]
    pub const fn epoch(self) -> Epoch {
        self.0 >> 24
    }
}

/// Whether we may commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ownership {
    None,
    /// `again`: it was refused once, by what this process had not known.
    Claiming {
        again: bool,
    },
    Mine(Epoch),
}

/// One room that is awake, or was until it panicked.
#[derive(Clone, Debug, Default)]
struct Room {
    stamp: Stamp,
    awake: bool,
    /// What it was doing when it last panicked, and how often it panicked on just that.
    panicked_on: Option<(u64, u32)>,
}

/// The machine.
#[derive(Clone, Debug)]
pub struct Shard {
    id: ShardId,
    ownership: Ownership,
    generation: u64,
    rooms: BTreeMap<RoomId, Room>,
    quarantined: BTreeSet<RoomId>,
    waiting: BTreeSet<RoomId>,
}

impl Shard {
    /// A shard that nobody here owns yet.
    #[must_use]
    pub const fn new(id: ShardId) -> Self {
        Self {
            id,
            ownership: Ownership::None,
            generation: 0,
            rooms: BTreeMap::new(),
            quarantined: BTreeSet::new(),
            waiting: BTreeSet::new(),
        }
    }

    /// Which.
    #[must_use]
    pub const fn id(&self) -> ShardId {
        self.id
    }

    /// The epoch that we may commit under.
    #[must_use]
    pub const fn epoch(&self) -> Option<Epoch> {
        match self.ownership {
            Ownership::Mine(epoch) => Some(epoch),
            Ownership::None | Ownership::Claiming { .. } => None,
        }
    }

    /// The rooms that are shut because they panic again and again.
    pub fn quarantined(&self) -> impl Iterator<Item = RoomId> + '_ {
        self.quarantined.iter().copied()
    }

    /// How many rooms are awake.
    #[must_use]
    pub fn awake(&self) -> usize {
        self.rooms.values().filter(|room| room.awake).count()
    }

    /// Takes one input; appends what is to be done, in order.
    pub fn step(&mut self, input: Input, _now: Millis, out: &mut Vec<Effect>) {
        match input {
            Input::Wanted { room } => self.wanted(room, out),
            Input::Offered if self.ownership == Ownership::None => self.claim(out),
            Input::Offered => {}
            Input::Claimed { epoch } => self.claimed(epoch, out),
            Input::Outrun => self.outrun(out),
            Input::ClaimFailed => self.claim_failed(out),
            Input::Fenced | Input::GivenBack => self.fenced(out),
            Input::Retired { room } => {
                self.rooms.remove(&room);
            }
            Input::Panicked { room, on } => self.panicked(room, on, out),
            Input::Release { room } => {
                self.quarantined.remove(&room);
                self.rooms.remove(&room);
            }
        }
    }

    fn wanted(&mut self, room: RoomId, out: &mut Vec<Effect>) {
        if self.quarantined.contains(&room) {
            return out.push(self.refuse_shut(room));
        }
        if self.rooms.get(&room).is_some_and(|room| room.awake) {
            return;
        }
        match self.ownership {
            Ownership::Mine(epoch) => self.wake(room, epoch, out),
            Ownership::Claiming { .. } => {
                self.waiting.insert(room);
            }
            Ownership::None => {
                self.waiting.insert(room);
                self.claim(out);
            }
        }
    }

    fn refuse_shut(&mut self, room: RoomId) -> Effect {
        match self.ownership {
            Ownership::Mine(epoch) if self.generation + 1 < GENERATIONS => {
                self.generation += 1;
                Effect::RefuseShut { room, stamp: Stamp::new(epoch, self.generation) }
            }
            _ => Effect::Refuse { room },
        }
    }

    fn claim(&mut self, out: &mut Vec<Effect>) {
        self.ownership = Ownership::Claiming { again: false };
        out.push(Effect::Claim { shard: self.id });
    }

    fn wake(&mut self, room: RoomId, epoch: Epoch, out: &mut Vec<Effect>) {
        if self.generation + 1 >= GENERATIONS {
            self.waiting.insert(room);
            return self.claim(out);
        }
        self.generation += 1;
        let stamp = Stamp::new(epoch, self.generation);
        let entry = self.rooms.entry(room).or_default();
        entry.stamp = stamp;
        entry.awake = true;
        out.push(Effect::Wake { room, stamp });
    }

    fn claimed(&mut self, epoch: Epoch, out: &mut Vec<Effect>) {
        self.ownership = Ownership::Mine(epoch);
        self.generation = 0;
        for room in std::mem::take(&mut self.waiting) {
            self.wake(room, epoch, out);
        }
    }

    /// A process that believed the shard to be its own still learns by the first refusal how it stands, so it tries once more.
    fn outrun(&mut self, out: &mut Vec<Effect>) {
        if self.ownership != (Ownership::Claiming { again: false }) {
            return self.claim_failed(out);
        }
        self.ownership = Ownership::Claiming { again: true };
        out.push(Effect::Claim { shard: self.id });
    }

    fn claim_failed(&mut self, out: &mut Vec<Effect>) {
        self.ownership = Ownership::None;
        for room in std::mem::take(&mut self.waiting) {
            out.push(Effect::Refuse { room });
        }
    }

    /// Somebody else owns the shard: nothing of ours may commit any more, so every room goes to sleep.
    fn fenced(&mut self, out: &mut Vec<Effect>) {
        self.ownership = Ownership::None;
        for (room, state) in std::mem::take(&mut self.rooms) {
            if state.awake {
                out.push(Effect::Sleep { room });
            }
        }
    }

    fn panicked(&mut self, room: RoomId, on: u64, out: &mut Vec<Effect>) {
        let entry = self.rooms.entry(room).or_default();
        entry.awake = false;
        let times = match entry.panicked_on {
            Some((same, times)) if same == on => times + 1,
            _ => 1,
        };
        entry.panicked_on = Some((on, times));
        if times >= QUARANTINE_AFTER {
            self.quarantined.insert(room);
            out.push(Effect::Quarantined { room });
        } else {
            out.push(Effect::Restarted { room });
        }
    }
}

#[cfg(test)]
mod tests;
