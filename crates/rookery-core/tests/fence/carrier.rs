//! What an owner wants, carried out: by the store, by the room, and by who looks on.

use std::collections::VecDeque;

use rookery_core::{
    fence::{self, Effect, Input, RoomEffect, RoomInput},
    shard::Stamp,
};

use crate::{
    owner::{Owner, ShardRead, Swap, TailRead},
    settings::{Fault, PLACES, Settings},
    store::{Kind, WORDLESS, Write},
    watch::Promise,
    world::{Choice, ROOM, World, event, small, small_stamp, stamp_of, value_of},
};

/// Carries out what one owner wants.
pub(crate) struct Carrier<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) choice: Choice,
    pub(crate) world: &'a mut World,
    pub(crate) owner: &'a mut Owner,
    pub(crate) inputs: &'a mut VecDeque<Input>,
}

impl Carrier<'_> {
    pub(crate) fn carry(&mut self, effect: Effect) {
        match effect {
            Effect::LearnShard { round } => {
                let row = Some(self.world.shard.row(self.world.shard.decided));
                self.inputs.push_back(Input::ShardLearned { round, row });
            }
            Effect::Swap { round, to, .. } => {
                self.owner.swap = Some(Swap { round, epoch: to.epoch as u8, decided: false });
                // Who finds out in the middle of a claim that somebody was faster goes on with the claim.
                self.owner.is_over = false;
            }
            Effect::Claimed { epoch } => self.claimed(epoch as u8),
            Effect::ReadShard { round } => self.read_shard(round),
            Effect::NotClaimed { .. } | Effect::Released | Effect::Lost { .. } => self.owner.is_over = true,
            Effect::Room { stamp, effect, .. } if stamp == self.owner.stamp => self.of_room(effect),
            Effect::Room { .. } => {}
        }
    }

    fn room(&mut self, input: RoomInput) {
        self.inputs.push_back(Input::Room { room: ROOM, stamp: self.owner.stamp, input });
    }

    fn claimed(&mut self, epoch: u8) {
        self.world.shard.believed = self.world.shard.believed.max(epoch);
        if self.owner.stamp == Stamp::default() {
            self.owner.stamp = Stamp::new(u64::from(epoch), 1);
            self.inputs.push_back(Input::Wake { room: ROOM, stamp: self.owner.stamp });
        }
    }

    fn read_shard(&mut self, round: u64) {
        self.settle();
        let shard = &self.world.shard;
        // How far past what it holds makes no difference.
        let visible = shard.visible.min(self.owner.held() + 1);
        let least = if self.settings.is(Fault::VerifyAtOne) { 0 } else { visible };
        if !self.settings.instant {
            self.owner.read = Some(ShardRead { round, least });
            return;
        }
        // The row that keeps it going, if the read may see one.
        let goes_on = |epoch: &u8| {
            let (mut fence, mut effects) = (self.owner.fence.clone(), Vec::new());
            fence.step(Input::ShardRead { round, row: Some(shard.row(*epoch)) }, &mut effects);
            !effects.iter().any(|effect| matches!(effect, Effect::Lost { .. }))
        };
        let seen = (least..=shard.decided).find(goes_on).unwrap_or(shard.decided);
        self.inputs.push_back(Input::ShardRead { round, row: Some(shard.row(seen)) });
    }

    /// All that the wake wrote stands on a quorum now, as far as anybody waits for that.
    fn settle(&mut self) {
        if !self.owner.settled {
            self.owner.settled = true;
            self.owner.settled_late = self.world.shard.believed > self.owner.held();
            self.owner.rewrite.clear();
            self.owner.cut = None;
        }
    }

    fn of_room(&mut self, effect: RoomEffect) {
        match effect {
            RoomEffect::ReadHead => {
                let head = if self.choice.newest_head { self.world.watch.published } else { 0 };
                let known = self.world.watch.committed;
                self.owner.log[..usize::from(head)].copy_from_slice(&known[..usize::from(head)]);
                self.room(RoomInput::Head { head: u64::from(head) });
            }
            RoomEffect::ReadTail { after, through } => self.read_tail(after as u8, through as u8),
            RoomEffect::Rewrite { rows } => {
                for row in rows {
                    let timestamp = small(row.timestamp());
                    let write = Write::row(row.seq() as u8, timestamp, value_of(&row.event));
                    self.send(write);
                    self.owner.rewrite.push(write);
                }
            }
            RoomEffect::Cut { after, buckets, timestamp } => self.cut(after, *buckets.end(), timestamp),
            RoomEffect::Woken { head, rows } => self.woken(head as u8, &rows),
            RoomEffect::Insert { row } => {
                let seq = row.seq() as u8;
                self.send(Write::row(seq, small(row.timestamp()), value_of(&row.event)));
                self.owner.inserting |= 1 << (seq - 1);
            }
            RoomEffect::Committed { seqs } => {
                for seq in seqs {
                    self.commit(seq as u8);
                }
            }
            RoomEffect::Erase { target, delete, timestamp } => {
                let seq = target as u8;
                let write = Write { kind: Kind::Erase, ..Write::row(seq, small(timestamp), 0) };
                self.send(write);
                self.owner.erasing.push((delete as u8, write));
            }
            RoomEffect::PublishHead { head } => {
                if self.settings.heads {
                    self.world.watch.published = self.world.watch.published.max(head as u8);
                }
                self.room(RoomInput::HeadPublished { head });
            }
            RoomEffect::Refused { seq, .. } => self.refused(seq as u8),
            RoomEffect::Dropped { .. } | RoomEffect::Asleep => self.owner.reset_room(),
            RoomEffect::Confirmed { .. } => {
                if self.owner.question == Some(true) {
                    self.world.watch.break_promise(Promise::OneOwner);
                }
                self.owner.question = None;
            }
            RoomEffect::Unconfirmed { .. } => self.owner.question = None,
        }
    }

    fn send(&mut self, write: Write) {
        if !self.world.store.send(write) {
            self.world.watch.break_promise(Promise::OneWrite);
        }
    }

    fn read_tail(&mut self, after: u8, through: u8) {
        let through = through.min(PLACES as u8);
        let view = self.owner.early.unwrap_or_default();
        self.owner.tail = Some(TailRead { after, through, view });
        if self.owner.early.is_some() || after >= through {
            self.answer_tail();
        }
    }

    /// Gives the machine what the tail read has found.
    fn answer_tail(&mut self) {
        if let Some(input) = tail_answer(self.settings, self.world, self.owner) {
            self.inputs.push_back(input);
        }
    }

    fn cut(&mut self, after: u64, last_bucket: u64, timestamp: i64) {
        let past = (last_bucket + 1) * self.settings.bounds().bucket;
        let (from, to) = (after as u8 + 1, (past - 1).min(PLACES as u64) as u8);
        if from > to {
            return self.room(RoomInput::CutDone);
        }
        let write = Write { kind: Kind::Cut, to, ..Write::row(from, small(timestamp), 0) };
        self.send(write);
        self.owner.cut = Some(write);
    }

    fn woken(&mut self, head: u8, rows: &[fence::Row]) {
        self.settle();
        let owner = &mut *self.owner;
        for row in rows {
            owner.log[row.seq() as usize - 1] = value_of(&row.event) & !WORDLESS;
        }
        owner.is_active = true;
        owner.length = rows.last().map_or(head, |row| row.seq() as u8);
        owner.found = owner.length;
        owner.late = if owner.settled_late { u8::MAX } else { 0 };
        for seq in 1..=head {
            self.commit(seq);
        }
        self.owner.late &= (1 << self.owner.length) - 1;
        self.absent();
    }

    /// What was sent under an older stamp and is not in the log of a verified owner is never going to be.
    fn absent(&mut self) {
        if !self.settings.once {
            return;
        }
        let watch = &mut self.world.watch;
        for message in 1..=self.settings.messages {
            let is_used = watch.used >> message & 1 == 1;
            let is_older = watch.sent_under[usize::from(message) - 1] < small_stamp(self.owner.stamp);
            if is_used && is_older && !self.owner.log.contains(&message) {
                watch.absent |= 1 << message;
            }
        }
    }

    fn commit(&mut self, seq: u8) {
        let place = usize::from(seq) - 1;
        let is_late = self.owner.late >> place & 1 == 1;
        self.world.watch.commit(seq, self.owner.log[place], is_late);
        self.owner.committed = self.owner.committed.max(seq);
    }

    fn refused(&mut self, seq: u8) {
        if seq > self.owner.length {
            return;
        }
        for place in usize::from(seq) - 1..usize::from(self.owner.length) {
            let message = std::mem::take(&mut self.owner.log[place]);
            self.owner.own &= !(1 << message);
            self.owner.inserting &= !(1 << place);
            if self.settings.once {
                self.world.watch.refused |= 1 << message;
            }
        }
        self.owner.length = seq - 1;
    }
}

/// The rows that a finished tail read has found.
pub(crate) fn tail_answer(settings: &Settings, world: &World, owner: &mut Owner) -> Option<Input> {
    let tail = owner.tail.take()?;
    owner.first = 0;
    let row = |seq: u8| {
        let cell = tail.view[usize::from(seq) - 1];
        let value = cell.message | if cell.wordless { WORDLESS } else { 0 };
        let target = world.target_of(settings, cell.message);
        (cell.message != 0).then(|| fence::Row { stamp: stamp_of(cell.timestamp), event: event(seq, value, target) })
    };
    let rows = (tail.after + 1..=tail.through).filter_map(row).collect();
    Some(Input::Room { room: ROOM, stamp: owner.stamp, input: RoomInput::Tail { rows } })
}
