//! Every step that is possible in a state.

use rookery_core::{
    fence::{Input, Request, RoomInput},
    shard::Stamp,
};

use crate::{
    carrier::tail_answer,
    owner::Owner,
    settings::{Again, Fault, PLACES, Reader, Settings},
    store::{Cell, PAIRS, QUORUM, View, Write},
    watch::Promise,
    world::{Choice, ROOM, Slot, World, event, small, small_stamp},
};

/// What happened, for people who read how a promise was broken.
#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "they are read when they are printed")]
pub(crate) enum Act {
    Claims { owner: usize, epoch: u8 },
    ClaimsWithoutAnswer { owner: usize },
    DecidedLate { owner: usize, epoch: u8 },
    LearnsThatItOwns { owner: usize },
    HearsNothingOfItsClaim { owner: usize },
    ReadsTail { owner: usize, replica: u8 },
    ReadsTailEarly { owner: usize, replica: u8 },
    TailRewritten { owner: usize },
    CutOnQuorum { owner: usize },
    ShardRead { owner: usize, epoch: u8 },
    ShardReadLost { owner: usize },
    Takes { owner: usize, message: u8 },
    Inserted { owner: usize, seq: u8 },
    InsertLost { owner: usize, seq: u8 },
    Erased { owner: usize },
    Asked { owner: usize },
    WokenAgain { owner: usize },
    ClaimsAgain { owner: usize },
    ClaimsAgainUnheard { owner: usize },
    Arrives { write: usize, replica: u8 },
    CutCollected,
    Shown { replicas: u8 },
}

pub(crate) type Steps = Vec<(Act, World)>;

impl World {
    pub(crate) fn steps(&self, settings: &Settings, out: &mut Steps) {
        out.clear();
        let next = (0..settings.claims).find(|index| matches!(self.owners[*index], Slot::Idle));
        if let Some(index) = next {
            self.begin(settings, index, out);
        }
        for index in 0..settings.claims {
            self.decide_late(index, out);
            let Some(owner) = self.alive(index) else { continue };
            if owner.stamp == Stamp::default() {
                self.claiming(settings, index, owner, out);
            } else {
                self.waking(settings, index, owner, out);
                self.reading_shard(settings, index, owner, out);
                self.working(settings, index, owner, out);
                self.troubles(settings, index, owner, out);
            }
        }
        for (write, replica, mut world) in
            self.store.delivering().into_iter().map(|(at, to, store)| (at, to, World { store, ..self.clone() }))
        {
            world.store.normalise();
            out.push((Act::Arrives { write, replica }, world));
        }
        if settings.is(Fault::CutCollected) {
            let collected = self.store.collecting().into_iter();
            out.extend(collected.map(|store| (Act::CutCollected, World { store, ..self.clone() })));
        }
        self.show(settings, out);
    }

    /// What a read of the published head can find: the newest, or none at all.
    pub(crate) fn heads(&self, settings: &Settings) -> impl Iterator<Item = bool> + use<> {
        [false].into_iter().chain((settings.heads && self.watch.published > 0).then_some(true))
    }

    /// Each replica that can answer the tail read next, with what arrives there just before.
    pub(crate) fn answers_of(&self, settings: &Settings, owner: &Owner) -> Vec<(u8, World, View, bool)> {
        let (window, known) = match owner.tail {
            Some(tail) => (tail.after + 1..=tail.through, tail.view),
            None => (1..=PLACES as u8, View::default()),
        };
        let mut all = Vec::new();
        for replica in (0..3_u8).filter(|replica| owner.first != replica + 1) {
            for store in self.store.arriving(1 << replica, 1 << replica, &window) {
                let mut view = known;
                let mut seen = store.view(1 << replica);
                for (place, cell) in seen.iter_mut().enumerate() {
                    if !window.contains(&(place as u8 + 1)) {
                        *cell = Cell::default();
                    }
                }
                store.join(&mut view, &seen);
                let is_done = owner.first != 0 || settings.is(Fault::TailAtOne);
                all.push((replica, World { store, ..self.clone() }, view, is_done));
            }
        }
        all
    }

    fn waking(&self, settings: &Settings, index: usize, owner: &Owner, out: &mut Steps) {
        if owner.tail.is_some() {
            for (replica, world, view, is_done) in self.answers_of(settings, owner) {
                let world = world.drive(settings, index, Choice::default(), |world, owner| {
                    owner.first = replica + 1;
                    if let Some(tail) = &mut owner.tail {
                        tail.view = view;
                    }
                    let answer = is_done.then(|| tail_answer(settings, world, owner));
                    answer.flatten().into_iter().collect()
                });
                out.push((Act::ReadsTail { owner: index, replica }, world));
            }
        }
        if !owner.rewrite.is_empty() {
            let act = Act::TailRewritten { owner: index };
            self.acknowledge(settings, index, &owner.rewrite, QUORUM, act, out, |owner| {
                owner.rewrite.clear();
                RoomInput::Rewritten
            });
        }
        if let Some(cut) = owner.cut {
            let act = Act::CutOnQuorum { owner: index };
            self.acknowledge(settings, index, &[cut], QUORUM, act, out, |owner| {
                owner.cut = None;
                RoomInput::CutDone
            });
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a step is described by all of these")]
    fn acknowledge(
        &self,
        settings: &Settings,
        index: usize,
        writes: &[Write],
        needed: u32,
        act: Act,
        out: &mut Steps,
        change: impl Fn(&mut Owner) -> RoomInput,
    ) {
        for store in self.store.acknowledging(writes, needed) {
            let world = World { store, ..self.clone() };
            let world = world.drive(settings, index, Choice::default(), |_, owner| {
                let input = change(owner);
                vec![to_room(owner, input)]
            });
            out.push((act, world));
        }
    }

    fn reading_shard(&self, settings: &Settings, index: usize, owner: &Owner, out: &mut Steps) {
        let Some(read) = owner.read else { return };
        for epoch in read.least..=self.shard.decided {
            let world = self.drive(settings, index, Choice::default(), |world, owner| {
                owner.read = None;
                vec![Input::ShardRead { round: read.round, row: Some(world.shard.row(epoch)) }]
            });
            out.push((Act::ShardRead { owner: index, epoch }, world));
        }
        if settings.losses {
            let world = self.drive(settings, index, Choice::default(), |_, owner| {
                owner.read = None;
                vec![Input::ShardRead { round: read.round, row: None }]
            });
            out.push((Act::ShardReadLost { owner: index }, world));
        }
    }

    fn working(&self, settings: &Settings, index: usize, owner: &Owner, out: &mut Steps) {
        if !owner.is_active {
            return;
        }
        self.take(settings, index, owner, out);
        self.question(settings, index, owner, out);
        let needed = if settings.is(Fault::AppendAtOne) { 1 } else { QUORUM };
        for seq in (1..=owner.length).filter(|seq| owner.inserting >> (seq - 1) & 1 == 1) {
            let write = Write::row(
                seq,
                small(rookery_core::fence::row_timestamp(owner.stamp)),
                owner.log[usize::from(seq) - 1],
            );
            let is_late = self.shard.believed > owner.held();
            let act = Act::Inserted { owner: index, seq };
            self.acknowledge(settings, index, &[write], needed, act, out, |owner| {
                owner.inserting &= !(1 << (seq - 1));
                owner.late |= u8::from(is_late) << (seq - 1);
                RoomInput::Inserted { seq: u64::from(seq) }
            });
        }
        for (delete, write) in &owner.erasing {
            self.acknowledge(settings, index, &[*write], QUORUM, Act::Erased { owner: index }, out, |owner| {
                owner.erasing.retain(|(other, _)| other != delete);
                RoomInput::Erased { delete: u64::from(*delete) }
            });
        }
    }

    /// Somebody sends a message to this owner.
    fn take(&self, settings: &Settings, index: usize, owner: &Owner, out: &mut Steps) {
        let under_way = usize::from(owner.length - owner.committed.max(owner.found));
        if usize::from(owner.length) == PLACES || under_way >= settings.in_flight {
            return;
        }
        for message in 1..=settings.messages {
            let is_first = self.watch.used >> message & 1 == 0;
            // Messages are alike; they are named in the order in which they are first sent.
            let out_of_turn = is_first && message > 1 && self.watch.used >> (message - 1) & 1 == 0;
            let remembered = !settings.is(Fault::NoDedupe) && owner.log[..usize::from(owner.length)].contains(&message);
            let is_known = owner.own >> message & 1 == 1 || remembered;
            let no_target = settings.deletes && message == 2 && !self.may_delete(owner);
            if out_of_turn || is_known || no_target || settings.once && !is_first {
                continue;
            }
            let world = self.drive(settings, index, Choice::default(), |world, owner| {
                world.watch.used |= 1 << message;
                if settings.once {
                    world.watch.sent_under[usize::from(message) - 1] = small_stamp(owner.stamp);
                }
                owner.log[usize::from(owner.length)] = message;
                owner.length += 1;
                owner.own |= 1 << message;
                let target = world.target_of(settings, message);
                let event = event(owner.length, message, target);
                vec![to_room(owner, RoomInput::Append { event })]
            });
            out.push((Act::Takes { owner: index, message }, world));
        }
    }

    /// Somebody asks something that only an owner can deny, once.
    fn question(&self, settings: &Settings, index: usize, owner: &Owner, out: &mut Steps) {
        if !settings.questions || owner.question.is_some() || self.watch.asked {
            return;
        }
        let world = self.drive(settings, index, Choice::default(), |world, owner| {
            world.watch.asked = true;
            owner.question = Some(world.shard.visible > owner.held());
            vec![to_room(owner, RoomInput::Confirm { ticket: 1 })]
        });
        out.push((Act::Asked { owner: index }, world));
    }

    fn may_delete(&self, owner: &Owner) -> bool {
        let place = self.watch.place_of(1);
        place != 0 && place <= owner.committed
    }

    fn troubles(&self, settings: &Settings, index: usize, owner: &Owner, out: &mut Steps) {
        if settings.losses && owner.is_active {
            for seq in (1..=owner.length).filter(|seq| owner.inserting >> (seq - 1) & 1 == 1) {
                let what = Request::Insert { seq: u64::from(seq) };
                let lose = |_: &mut World, owner: &mut Owner| vec![to_room(owner, RoomInput::TimedOut { what })];
                let world = self.drive(settings, index, Choice::default(), lose);
                out.push((Act::InsertLost { owner: index, seq }, world));
            }
        }
        if self.watch.agains > 0 {
            return;
        }
        let next = match settings.again {
            Again::Never => None,
            Again::NextStamp if owner.is_active => Some(Stamp::new(owner.stamp.epoch(), 2)),
            #[cfg(feature = "bugs")]
            Again::SameStamp if owner.is_active => Some(owner.stamp),
            Again::NextEpoch if u64::from(owner.held()) > owner.stamp.epoch() => {
                Some(Stamp::new(u64::from(owner.held()), 1))
            }
            Again::NextEpoch if owner.is_active => return self.claim_again(settings, index, owner, out),
            _ => None,
        };
        let Some(stamp) = next else { return };
        for newest_head in self.heads(settings) {
            let world = self.drive(settings, index, Choice { newest_head }, |world, owner| {
                world.watch.agains += 1;
                owner.reset_room();
                owner.stamp = stamp;
                vec![Input::Wake { room: ROOM, stamp }]
            });
            out.push((Act::WokenAgain { owner: index }, world));
        }
    }

    /// Somebody reads history without asking how far it is committed.
    fn show(&self, settings: &Settings, out: &mut Steps) {
        if !matches!(settings.reader, Reader::Unbounded | Reader::UnboundedRepairing) || self.watch.reads >= 2 {
            return;
        }
        for replicas in PAIRS {
            let one = replicas & replicas.wrapping_neg();
            for store in self.store.arriving(replicas, one, &(1..=PLACES as u8)) {
                let mut world = World { store, ..self.clone() };
                let view = store.view(replicas);
                let shown = view.iter().take_while(|cell| cell.message != 0).count();
                for (place, cell) in view[..shown].iter().enumerate() {
                    let is_other = |known: u8| known != 0 && known != cell.message;
                    if is_other(world.watch.shown[place]) || is_other(world.watch.committed[place]) {
                        world.watch.break_promise(Promise::ShownIsTrue);
                    }
                    if world.watch.shown[place] == 0 {
                        world.watch.shown[place] = cell.message;
                    }
                    if settings.reader == Reader::UnboundedRepairing {
                        world.store.repair(place as u8 + 1, *cell, replicas);
                    }
                }
                if shown > 0 {
                    world.watch.reads += 1;
                    world.store.normalise();
                    out.push((Act::Shown { replicas }, world));
                }
            }
        }
    }
}

fn to_room(owner: &Owner, input: RoomInput) -> Input {
    Input::Room { room: ROOM, stamp: owner.stamp, input }
}
