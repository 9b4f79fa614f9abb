//! Who may commit, over a store that only has quorums: claims of a shard, and activations of its rooms.
//!
//! Rows of the log are plain writes with given timestamps, of which the largest wins; only the shard's row is decided by
//! compare-and-set. So an owner that was paused, cut off or slow finds out that it is one no longer *after* it has written
//! and *before* it says so. In the order of an activation:
//!
//! 1. The shard is claimed. Only `[applied] = true` makes an owner ([`Effect::Swap`]).
//! 2. The tail is read after the claim, from a head that is known to be committed. The log ends before the first hole:
//!    what stands behind one was never acknowledged.
//! 3. The tail is written again under the new stamp, so that it stands on a quorum and loses to nobody older.
//! 4. Late writes of older owners are cut off.
//! 5. A read of the shard's row that starts after 3 and 4 says whether all of that counts. Only then the first append.
//! 6. Appends go out at once, several at a time. One that times out is sent again, the very same.
//! 7. A read of the shard's row that starts after an append has succeeded, and all before it, says whether it is committed.
//! 8. The head is published lazily. It is true for ever.
//!
//! Every step has a run that goes wrong without it; `tests/fence` finds these runs in this very machine, and finds none in
//! what is left of all the others. Nothing here sees a clock: that an answer did not come is an input.

mod activation;
mod append;
mod claim;
mod effect;
mod erase;
mod input;
mod row;
mod rules;
mod verify;
mod wake;

use std::{collections::BTreeMap, ops::RangeInclusive};

use activation::Activation;
pub use effect::{Effect, Refusal, RoomEffect};
pub use input::{Input, Request, RoomInput, Swapped};
pub use row::{BUCKET, Bounds, HEAD_EVERY, Owner, Row, ShardRow, cut_timestamp, erase_timestamp, row_timestamp};
#[cfg(feature = "bugs")]
pub use rules::Bug;
#[cfg(not(feature = "bugs"))]
use rules::Bug;
use rules::Rules;

use crate::{
    ids::{RoomId, Seq},
    shard::{Epoch, Stamp},
};

/// The machine: one process' hold of one shard, and the rooms of it that are awake here.
///
/// Not clever about time: whoever drives it decides when an answer counts as missing, and how soon what is asked for again
/// is sent again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fence {
    owner: Owner,
    bounds: Bounds,
    claim: claim::Claim,
    /// The epochs that were claimed without anybody else in between.
    held: Option<RangeInclusive<Epoch>>,
    /// The newest stamp of any room.
    newest: Stamp,
    rooms: BTreeMap<RoomId, Activation>,
    verifier: verify::Verifier,
    rules: Rules,
}

impl Fence {
    /// A shard that this process does not own.
    #[must_use]
    pub fn new(owner: Owner, bounds: Bounds) -> Self {
        Self {
            owner,
            bounds,
            claim: claim::Claim::default(),
            held: None,
            newest: Stamp::default(),
            rooms: BTreeMap::new(),
            verifier: verify::Verifier::default(),
            rules: Rules::default(),
        }
    }

    /// The same without one of its rules.
    #[cfg(feature = "bugs")]
    #[must_use]
    pub fn without(mut self, bug: Bug) -> Self {
        self.rules.without = Some(bug);
        self
    }

    /// The epoch that new wakes belong to; `None` without a shard.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        self.held.as_ref().map(|held| *held.end())
    }

    /// The last committed event of a room that is awake here.
    #[must_use]
    pub fn head(&self, room: RoomId) -> Option<Seq> {
        self.rooms.get(&room).and_then(Activation::head)
    }

    /// How many rooms are awake, or on the way.
    #[must_use]
    pub fn awake(&self) -> usize {
        self.rooms.len()
    }

    /// Whether nothing that was sent waits for its outcome, so that the shard can be handed over without a loss.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.rooms.values().all(Activation::is_at_rest)
    }

    /// Takes one input; appends what is to be done, in order.
    pub fn step(&mut self, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Claim => self.claim(out),
            Input::ShardLearned { round, row } => self.learned(round, row, out),
            Input::Swapped { round, swapped } => self.swapped(round, swapped, out),
            Input::Release => self.release(out),
            Input::ShardRead { round, row } => self.shard_read(round, row, out),
            Input::Wake { room, stamp } => self.wake(room, stamp, out),
            Input::Room { room, stamp, input } => self.of_room(room, stamp, input, out),
        }
    }

    fn wake(&mut self, room: RoomId, stamp: Stamp, out: &mut Vec<Effect>) {
        let is_new = stamp > self.newest || self.rules.lack(Bug::StampTwice);
        if self.epoch() != Some(stamp.epoch()) || !is_new {
            let effect = RoomEffect::Dropped { unsettled: None };
            return out.push(Effect::Room { room, stamp, effect });
        }
        self.newest = stamp;
        self.drop_room(room, out);
        self.rooms.insert(room, Activation::new(stamp, self.bounds, self.rules));
        self.with_room(room, out, Activation::begin);
    }

    fn of_room(&mut self, room: RoomId, stamp: Stamp, input: RoomInput, out: &mut Vec<Effect>) {
        // What was meant for an activation that ended must not reach the next one: it would take the success of an older
        // write for the success of its own.
        if self.rooms.get(&room).is_none_or(|activation| activation.stamp() != stamp) {
            if let Some(effect) = activation::answer_of_none(&input) {
                out.push(Effect::Room { room, stamp, effect });
            }
            return;
        }
        if input == RoomInput::Abandon {
            return self.drop_room(room, out);
        }
        self.with_room(room, out, |activation, effects| activation.take(input, effects));
    }

    /// Lets something happen to an activation, and sees to what it wants then.
    fn with_room(
        &mut self,
        room: RoomId,
        out: &mut Vec<Effect>,
        what: impl FnOnce(&mut Activation, &mut Vec<RoomEffect>),
    ) {
        let Some(activation) = self.rooms.get_mut(&room) else { return };
        let stamp = activation.stamp();
        let mut effects = Vec::new();
        what(activation, &mut effects);
        let wants_verify = activation.wants_verify();
        if effects.contains(&RoomEffect::Asleep) {
            self.rooms.remove(&room);
            self.verifier.forget(room);
        }
        out.extend(effects.into_iter().map(|effect| Effect::Room { room, stamp, effect }));
        if wants_verify {
            self.ask(room, out);
        }
    }

    fn drop_room(&mut self, room: RoomId, out: &mut Vec<Effect>) {
        if let Some(activation) = self.rooms.remove(&room) {
            self.verifier.forget(room);
            let (stamp, mut effects) = (activation.stamp(), Vec::new());
            activation.end(&mut effects);
            out.extend(effects.into_iter().map(|effect| Effect::Room { room, stamp, effect }));
        }
    }

    fn drop_all(&mut self, out: &mut Vec<Effect>) {
        let rooms: Vec<RoomId> = self.rooms.keys().copied().collect();
        for room in rooms {
            self.drop_room(room, out);
        }
        self.verifier.forget_all();
    }
}

#[cfg(test)]
mod tests;
