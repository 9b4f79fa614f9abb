//! The claim of a shard: a race of epochs in which only `[applied] = true` wins.

use std::hash::{Hash, Hasher};

use super::{
    Bug, Effect, Fence,
    input::Swapped,
    row::{Owner, ShardRow},
};
use crate::shard::Epoch;

/// Answers that may fail to come until a claim is given up; the caller may claim again.
const ATTEMPTS: u8 = 8;

/// A claim, and how far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Claim {
    /// The number of the newest question, so that the answer to an older one is not taken for its answer.
    round: u64,
    step: Step,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
enum Step {
    #[default]
    Idle,
    /// Reads at SERIAL which epoch is next.
    Learning { attempt: u8 },
    /// Tries to be this epoch.
    Swapping { epoch: Epoch, attempt: u8 },
    /// Gives the shard back.
    Releasing,
}

/// How many questions there have been says nothing about what will happen.
impl Hash for Claim {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.step.hash(state);
    }
}

impl Claim {
    fn go(&mut self, step: Step) -> u64 {
        self.step = step;
        self.round += 1;
        self.round
    }
}

impl Fence {
    pub(super) fn claim(&mut self, out: &mut Vec<Effect>) {
        match (&self.claim.step, &self.held) {
            (Step::Learning { .. } | Step::Swapping { .. }, _) => {}
            (Step::Releasing, _) => out.push(Effect::NotClaimed { found: None }),
            (Step::Idle, Some(held)) => self.swap(*held.end(), 0, out),
            (Step::Idle, None) => self.learn(0, out),
        }
    }

    fn learn(&mut self, attempt: u8, out: &mut Vec<Effect>) {
        if attempt >= ATTEMPTS {
            self.claim.go(Step::Idle);
            return out.push(Effect::NotClaimed { found: None });
        }
        let round = self.claim.go(Step::Learning { attempt });
        out.push(Effect::LearnShard { round });
    }

    fn swap(&mut self, from: Epoch, attempt: u8, out: &mut Vec<Effect>) {
        let epoch = from + 1;
        let round = self.claim.go(Step::Swapping { epoch, attempt });
        out.push(Effect::Swap { round, from, to: ShardRow { owner: Some(self.owner.clone()), epoch } });
    }

    pub(super) fn learned(&mut self, round: u64, row: Option<ShardRow>, out: &mut Vec<Effect>) {
        let Step::Learning { attempt } = self.claim.step else { return };
        if round != self.claim.round {
            return;
        }
        match row {
            None => self.learn(attempt + 1, out),
            Some(row) => {
                let epoch = row.epoch;
                if row.owner.as_ref() != Some(&self.owner) {
                    self.interrupted(row, out);
                }
                // Even under this process' own name: that claim was never confirmed, and so may not bind the owner before.
                self.swap(epoch, attempt, out);
            }
        }
    }

    pub(super) fn swapped(&mut self, round: u64, swapped: Swapped, out: &mut Vec<Effect>) {
        if round != self.claim.round {
            return;
        }
        match (self.claim.step.clone(), swapped) {
            (Step::Swapping { epoch, .. }, Swapped::Applied) => self.claimed(epoch, out),
            (Step::Swapping { epoch, .. }, Swapped::Unknown) if self.believes() => self.claimed(epoch, out),
            (Step::Swapping { attempt, .. }, Swapped::Unknown) => self.learn(attempt + 1, out),
            (Step::Swapping { attempt, .. }, Swapped::NotApplied(row)) => {
                if row.owner.as_ref() == Some(&self.owner) {
                    // An attempt that was given up, or that the driver sent twice, was decided after all.
                    return self.swap(row.epoch, attempt, out);
                }
                self.claim.go(Step::Idle);
                self.interrupted(row.clone(), out);
                out.push(Effect::NotClaimed { found: Some(row) });
            }
            // Whatever became of it, nothing here commits any more, and the next owner reads what stands there.
            (Step::Releasing, _) => {
                self.claim.go(Step::Idle);
                out.push(Effect::Released);
            }
            (Step::Idle | Step::Learning { .. }, _) => {}
        }
    }

    fn believes(&self) -> bool {
        self.rules.lack(Bug::BelieveUnknown) || self.rules.lack(Bug::BelieveUnknownByEpoch)
    }

    fn claimed(&mut self, epoch: Epoch, out: &mut Vec<Effect>) {
        self.claim.go(Step::Idle);
        let first = match self.held.take() {
            // Nobody was in between, so what was woken under the epoch before goes on.
            Some(held) if held.end() + 1 == epoch || self.rules.lack(Bug::IgnoreInterruption) => *held.start(),
            Some(_) => {
                self.drop_all(out);
                epoch
            }
            None => epoch,
        };
        self.held = Some(first..=epoch);
        out.push(Effect::Claimed { epoch });
    }

    /// Somebody else has, or had, the shard since.
    fn interrupted(&mut self, row: ShardRow, out: &mut Vec<Effect>) {
        if self.held.is_some() && !self.rules.lack(Bug::IgnoreInterruption) {
            self.lose(row, out);
        }
    }

    pub(super) fn release(&mut self, out: &mut Vec<Effect>) {
        let Some(held) = self.held.take() else {
            // A claim that is under way is given up; if it is decided all the same, nobody acts on it.
            self.claim.go(Step::Idle);
            return out.push(Effect::Released);
        };
        self.drop_all(out);
        let round = self.claim.go(Step::Releasing);
        let to = ShardRow { owner: None, epoch: held.end() + 1 };
        out.push(Effect::Swap { round, from: *held.end(), to });
    }

    /// Whether this is the row of a shard that was this process' without interruption.
    pub(super) fn is_mine(&self, row: &ShardRow) -> bool {
        let named = match &row.owner {
            Some(Owner { node, .. }) if self.rules.lack(Bug::CompareNode) => *node == self.owner.node,
            _ if self.rules.lack(Bug::BelieveUnknownByEpoch) => true,
            owner => owner.as_ref() == Some(&self.owner),
        };
        let any_epoch = self.rules.lack(Bug::CompareNode);
        named && self.held.as_ref().is_some_and(|held| any_epoch || held.contains(&row.epoch))
    }
}
