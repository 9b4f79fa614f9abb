//! What must hold in every state: whatever arrives late, and whichever two replicas the next owner or a reader asks.
//!
//! Because that is asked in every state, "for ever" is checked and not only "in the end".

use std::hash::{Hash, Hasher};

use crate::{
    hash::Mix,
    settings::{Fault, PLACES, Reader, Settings},
    store::{Kind, PAIRS, WORDLESS, Write},
    watch::Promise,
    world::{Slot, World},
};

const ONES: [u8; 3] = [1, 2, 4];

/// What a read may find: the messages by number (one bit each), and whether it may be nothing at all.
type Possible = ([u8; PLACES], [bool; PLACES]);

impl World {
    /// The promises that are broken in this state: one bit each.
    pub(crate) fn audit(&self, settings: &Settings) -> u16 {
        let mut broken = self.watch.broken;
        let sets = if settings.is(Fault::TailAtOne) { ONES } else { PAIRS };
        for replicas in sets {
            for possible in self.possible(replicas) {
                broken |= self.judge(&possible);
            }
        }
        if settings.reader == Reader::UpToHeadAtOne {
            for replicas in ONES {
                for (found, _) in self.possible(replicas) {
                    let mut rows = found.iter().zip(self.watch.committed);
                    if rows.any(|(found, known)| known != 0 && found & !(1 << known) != 0) {
                        broken |= Promise::ShownIsTrue.bit();
                    }
                }
            }
        }
        if settings.deletes && self.words_come_back() {
            broken |= Promise::Erased.bit();
        }
        broken
    }

    fn judge(&self, (found, nothing): &Possible) -> u16 {
        let mut broken = 0;
        let committed = self.watch.committed;
        let head = committed.iter().rposition(|message| *message != 0).map_or(0, |place| place + 1);
        for place in 0..head {
            let changed = committed[place] != 0 && found[place] != 1 << committed[place];
            if nothing[place] || changed {
                broken |= Promise::Kept.bit();
            }
        }
        let mut earlier = 0;
        for messages in found.iter().take_while(|messages| **messages != 0) {
            if earlier & messages != 0 {
                broken |= Promise::OnePlace.bit();
            }
            if (self.watch.absent | self.watch.refused) & messages != 0 {
                broken |= Promise::RefusedIsRefused.bit();
            }
            earlier |= messages;
        }
        broken
    }

    /// For each choice of range deletes that arrive late: what each number may hold.
    fn possible(&self, replicas: u8) -> Vec<Possible> {
        let cuts = || self.store.writes().iter().filter(|write| write.kind == Kind::Cut);
        let late: Vec<&Write> = cuts().filter(|cut| cut.arrived & replicas == 0).collect();
        let chosen = |choice: u32| {
            let arriving = late.iter().enumerate().filter(move |(at, _)| choice >> at & 1 == 1).map(|(_, cut)| *cut);
            let mut dead = [0; PLACES];
            for cut in cuts().filter(|cut| cut.arrived & replicas != 0).chain(arriving) {
                for seq in cut.from..=cut.to {
                    let until = &mut dead[usize::from(seq) - 1];
                    *until = cut.timestamp.max(*until);
                }
            }
            self.rows_above(replicas, &dead)
        };
        (0..1 << late.len()).map(chosen).collect()
    }

    fn rows_above(&self, replicas: u8, dead: &[u8; PLACES]) -> Possible {
        let (mut found, mut nothing, mut floor) = ([0; PLACES], [true; PLACES], [0; PLACES]);
        let rows = || self.store.writes().iter().filter(|write| write.kind == Kind::Row);
        for row in rows().filter(|row| row.arrived & replicas != 0) {
            let place = usize::from(row.from) - 1;
            if row.timestamp > dead[place] && self.store.strength(row) > floor[place] {
                floor[place] = self.store.strength(row);
                (found[place], nothing[place]) = (1 << (row.value & !WORDLESS), false);
            }
        }
        for row in rows().filter(|row| row.arrived & replicas == 0) {
            let place = usize::from(row.from) - 1;
            if row.timestamp > dead[place] && self.store.strength(row) > floor[place] {
                found[place] |= 1 << (row.value & !WORDLESS);
            }
        }
        (found, nothing)
    }

    /// The head has passed the delete, so nobody after this will carry it out again; can the words be read all the same?
    fn words_come_back(&self) -> bool {
        let (target, delete) = (self.watch.place_of(1), self.watch.place_of(2));
        if delete == 0 || self.watch.published < delete {
            return false;
        }
        let on_target = || self.store.writes().iter().filter(|write| write.from == target && write.to == target);
        let wordless = |write: &&Write| write.kind == Kind::Erase || write.value & WORDLESS != 0;
        let gone_since = |replicas: u8| {
            let here = on_target().filter(wordless).filter(|write| write.arrived & replicas != 0);
            here.map(|write| (write.timestamp, write.kind == Kind::Row)).max().unwrap_or_default()
        };
        PAIRS.into_iter().any(|replicas| {
            let (timestamp, is_row) = gone_since(replicas);
            let mut spoken = on_target().filter(|write| write.kind == Kind::Row && write.value & WORDLESS == 0);
            // Of two with one timestamp the one that is worse for us wins.
            spoken.any(|row| row.timestamp > timestamp || row.timestamp == timestamp && !is_row)
        })
    }

    /// A fingerprint that is the same for states that differ only in the names of the replicas.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut mix = Mix::new();
        self.shard.hash(&mut mix);
        self.watch.hash(&mut mix);
        for slot in &self.owners {
            mix.word(match slot {
                Slot::Idle => 1,
                Slot::Over => 2,
                Slot::Alive(fingerprint, _) => *fingerprint,
            });
        }
        mix.word(u64::from(u32::from_le_bytes(self.undecided)));
        for write in self.store.writes() {
            let Write { kind, from, to, timestamp, value, .. } = *write;
            mix.word(u64::from_le_bytes([kind as u8, from, to, timestamp, value, 0, 0, 1]));
        }
        let common = mix.finish();
        ORDERS.iter().map(|order| self.placed(common, order)).min().unwrap_or_default()
    }

    /// Where everything has arrived, with the replicas in another order.
    fn placed(&self, common: u64, order: &[u8; 3]) -> u64 {
        let mut mix = Mix(common);
        let mut word = 0_u64;
        for (at, write) in self.store.writes().iter().enumerate() {
            let arrived = (0..3).fold(0, |all, replica| all | (write.arrived >> replica & 1) << order[replica]);
            word = word << 3 | u64::from(arrived);
            if at % 20 == 19 {
                mix.word(std::mem::take(&mut word));
            }
        }
        mix.word(word);
        let mut word = 0;
        for index in 0..self.owners.len() {
            let first = self.alive(index).map_or(0, |owner| owner.first);
            let renamed = first.checked_sub(1).map_or(0, |replica| order[usize::from(replica)] + 1);
            word = word << 4 | u64::from(renamed);
        }
        mix.word(word);
        mix.finish()
    }
}

const ORDERS: [[u8; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
