//! The shared look at the shard's row: one read for all rooms that had asked when it started.

use std::{
    collections::BTreeSet,
    hash::{Hash, Hasher},
};

use super::{Bug, Effect, Fence, activation::Activation, row::ShardRow};
use crate::ids::RoomId;

/// Which rooms wait for which read. An answer counts for what was asked before its read started, never for more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verifier {
    /// The number of the newest read, so that the answer to one that was given up is not taken for it.
    round: u64,
    reading: bool,
    /// Asked before the read started.
    covered: BTreeSet<RoomId>,
    /// Asked since.
    waiting: BTreeSet<RoomId>,
}

/// How many reads there have been says nothing about what will happen.
impl Hash for Verifier {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.reading, &self.covered, &self.waiting).hash(state);
    }
}

impl Verifier {
    pub(super) fn forget(&mut self, room: RoomId) {
        self.covered.remove(&room);
        self.waiting.remove(&room);
    }

    /// Nobody is left who asked; an answer that still comes is of no use.
    pub(super) fn forget_all(&mut self) {
        self.covered.clear();
        self.waiting.clear();
        self.reading = false;
        self.round += 1;
    }
}

impl Fence {
    /// A room wants to know whether it is still its owner's at some moment after now.
    pub(super) fn ask(&mut self, room: RoomId, out: &mut Vec<Effect>) {
        if self.verifier.reading && self.rules.lack(Bug::VerifyJoined) {
            self.verifier.covered.insert(room);
            if let Some(activation) = self.rooms.get_mut(&room) {
                activation.verify_started();
            }
            return;
        }
        self.verifier.waiting.insert(room);
        if !self.verifier.reading {
            self.start_reading(out);
        }
    }

    fn start_reading(&mut self, out: &mut Vec<Effect>) {
        let verifier = &mut self.verifier;
        verifier.covered.append(&mut verifier.waiting);
        verifier.reading = !verifier.covered.is_empty();
        if !verifier.reading {
            return;
        }
        verifier.round += 1;
        for room in &verifier.covered {
            if let Some(activation) = self.rooms.get_mut(room) {
                activation.verify_started();
            }
        }
        out.push(Effect::ReadShard { round: verifier.round });
    }

    pub(super) fn shard_read(&mut self, round: u64, row: Option<ShardRow>, out: &mut Vec<Effect>) {
        if !self.verifier.reading || round != self.verifier.round {
            return;
        }
        match row {
            // The next read covers also what has succeeded in the meantime.
            None => self.start_reading(out),
            Some(row) if self.is_mine(&row) => {
                // What asks meanwhile waits, so that one read serves all of it.
                for room in std::mem::take(&mut self.verifier.covered) {
                    self.with_room(room, out, Activation::verified);
                }
                self.start_reading(out);
            }
            Some(row) => self.lose(row, out),
        }
    }

    /// Somebody else has taken over.
    pub(super) fn lose(&mut self, row: ShardRow, out: &mut Vec<Effect>) {
        self.held = None;
        self.drop_all(out);
        out.push(Effect::Lost { found: row });
    }
}
