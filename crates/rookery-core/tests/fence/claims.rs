//! The steps of claims: decided and answered, decided and not answered, decided late, and claimed again.

use rookery_core::fence::{Input, Swapped};

use crate::{
    owner::{Owner, TailRead},
    settings::{Fault, PLACES, Settings},
    steps::{Act, Steps},
    world::{Choice, EPOCHS, Slot, World},
};

impl World {
    pub(crate) fn begin(&self, settings: &Settings, index: usize, out: &mut Steps) {
        if settings.is(Fault::TailBeforeClaim) {
            return self.read_early(settings, index, &Owner::new(index, settings), out);
        }
        self.claim(settings, index, out);
    }

    fn claim(&self, settings: &Settings, index: usize, out: &mut Steps) {
        let epoch = self.shard.decided + 1;
        if usize::from(epoch) >= EPOCHS {
            return;
        }
        let mut world = self.drive(settings, index, Choice::default(), |_, _| vec![Input::Claim]);
        world.settle_swap(index);
        out.push((Act::Claims { owner: index, epoch }, world));
        if settings.unanswered && believes(settings) {
            let world = self.drive(settings, index, Choice::default(), |_, _| vec![Input::Claim]);
            let mut world = world.drive(settings, index, Choice::default(), |_, owner| answer(owner, Swapped::Unknown));
            world.undecided[index] = epoch;
            out.push((Act::ClaimsWithoutAnswer { owner: index }, world));
        }
    }

    /// The store decides the claim that an owner waits for, if nobody was faster.
    fn settle_swap(&mut self, index: usize) {
        let Some(mut owner) = self.alive(index).map(|owner| Owner::clone(owner)) else { return };
        if let Some(swap) = &mut owner.swap {
            swap.decided = self.shard.decide(swap.epoch, index);
        }
        self.owners[index] = Slot::Alive(owner.fingerprint(), owner.into());
    }

    pub(crate) fn decide_late(&self, index: usize, out: &mut Steps) {
        let epoch = self.undecided[index];
        let mut world = self.clone();
        if epoch != 0 && world.shard.decide(epoch, index) {
            world.undecided[index] = 0;
            out.push((Act::DecidedLate { owner: index, epoch }, world));
        }
    }

    pub(crate) fn claiming(&self, settings: &Settings, index: usize, owner: &Owner, out: &mut Steps) {
        let Some(swap) = owner.swap else {
            if owner.early.is_some() && owner.tail.is_none() {
                self.claim(settings, index, out);
            } else {
                self.read_early(settings, index, owner, out);
            }
            return;
        };
        for newest_head in self.heads(settings) {
            let world = self.drive(settings, index, Choice { newest_head }, |world, owner| {
                if swap.decided && !settings.is(Fault::ClaimLearntAtOne) {
                    world.shard.visible = world.shard.visible.max(swap.epoch);
                }
                let row = world.shard.row(world.shard.decided);
                answer(owner, if swap.decided { Swapped::Applied } else { Swapped::NotApplied(row) })
            });
            out.push((Act::LearnsThatItOwns { owner: index }, world));
        }
        if settings.unanswered && usize::from(self.shard.decided) <= settings.claims {
            let unknown = |_: &mut World, owner: &mut Owner| answer(owner, Swapped::Unknown);
            let mut world = self.drive(settings, index, Choice::default(), unknown);
            world.settle_swap(index);
            out.push((Act::HearsNothingOfItsClaim { owner: index }, world));
        }
    }

    fn read_early(&self, settings: &Settings, index: usize, owner: &Owner, out: &mut Steps) {
        for (replica, world, view, is_done) in self.answers_of(settings, owner) {
            let world = world.drive(settings, index, Choice::default(), |_, owner| {
                owner.first = if is_done { 0 } else { replica + 1 };
                owner.early = Some(view);
                let tail = TailRead { after: 0, through: PLACES as u8, view };
                owner.tail = (!is_done).then_some(tail);
                Vec::new()
            });
            out.push((Act::ReadsTailEarly { owner: index, replica }, world));
        }
    }

    /// The same owner wants the next epoch, while its room goes on under the one before.
    pub(crate) fn claim_again(&self, settings: &Settings, index: usize, owner: &Owner, out: &mut Steps) {
        let decided = self.shard.decided;
        if usize::from(decided) > settings.claims + 1 || owner.held() > owner.stamp.epoch() as u8 {
            return;
        }
        let mut asked = self.drive(settings, index, Choice::default(), |_, _| vec![Input::Claim]);
        let unheard = asked.clone();
        asked.settle_swap(index);
        out.push((Act::ClaimsAgain { owner: index }, asked.answered(settings, index)));
        if settings.unanswered && decided > owner.held() {
            let unknown = |_: &mut World, owner: &mut Owner| answer(owner, Swapped::Unknown);
            let mut world = unheard.drive(settings, index, Choice::default(), unknown);
            world.settle_swap(index);
            out.push((Act::ClaimsAgainUnheard { owner: index }, world.answered(settings, index)));
        }
    }

    /// The claim of an owner is answered as it was decided.
    fn answered(&self, settings: &Settings, index: usize) -> Self {
        self.drive(settings, index, Choice::default(), |world, owner| {
            let Some(swap) = owner.swap else { return Vec::new() };
            if swap.decided {
                world.shard.visible = world.shard.visible.max(swap.epoch);
            }
            let row = world.shard.row(world.shard.decided);
            answer(owner, if swap.decided { Swapped::Applied } else { Swapped::NotApplied(row) })
        })
    }
}

fn answer(owner: &mut Owner, swapped: Swapped) -> Vec<Input> {
    let swap = owner.swap.take();
    swap.map(|swap| Input::Swapped { round: swap.round, swapped }).into_iter().collect()
}

#[cfg(feature = "bugs")]
fn believes(settings: &Settings) -> bool {
    use rookery_core::fence::Bug;
    matches!(settings.bug, Some(Bug::BelieveUnknown | Bug::BelieveUnknownByEpoch))
}

#[cfg(not(feature = "bugs"))]
const fn believes(_settings: &Settings) -> bool {
    false
}
