//! One turn of a shard's task: carries out what the fence wants, and takes each room as far as it goes.

use std::{sync::Arc, time::Instant};

use rookery_core::{
    fence::{Input, RoomInput},
    ids::RoomId,
};

use super::{
    Shard,
    answer::Done,
    room::{Phase, Room, tell},
    settle::{Settled, Work},
};
use crate::store::{cql::Shown, projection::PublishedHead};

impl Shard {
    /// Goes on until there is nothing left to do but to wait.
    pub(super) fn turn(&mut self) {
        while !self.wanted.is_empty() || !self.touched.is_empty() {
            for effect in std::mem::take(&mut self.wanted) {
                self.carry_out(effect);
            }
            for room in std::mem::take(&mut self.touched) {
                self.advance(room);
            }
        }
    }

    fn advance(&mut self, room: RoomId) {
        self.write(room);
        self.work_off(room);
        self.publish(room);
        let Some(awake) = self.rooms.get(&room) else { return };
        match awake.phase {
            Phase::Beginning(_) => self.begin(room),
            Phase::Leaving { .. } if awake.is_at_rest() => self.next_wake(room),
            _ => {}
        }
        if self.retiring.contains(&room) {
            self.doze(room);
        }
    }

    /// Tells of what is committed, in order; what something follows from waits until that is done.
    fn work_off(&mut self, room: RoomId) {
        loop {
            let Some(awake) = self.rooms.get_mut(&room).filter(|awake| !awake.working) else { return };
            let Some(step) = awake.steps.front() else { return };
            if step.is_plain() {
                self.finish(room, None);
                continue;
            }
            awake.working = true;
            let work = Work {
                store: Arc::clone(&self.store),
                room,
                applied: awake.applied,
                events: step.events.iter().map(|unsettled| Arc::clone(&unsettled.event)).collect(),
                erasures: step.erasures.clone(),
                wakes: step.wakes,
                alive: Arc::clone(&awake.alive),
            };
            let stamp = awake.stamp;
            self.ask(async move { Done::Settled(room, stamp, work.until_done().await) });
            return;
        }
    }

    /// Everything that follows from the first step is done.
    pub(super) fn finish(&mut self, room: RoomId, settled: Option<Settled>) {
        let Some(awake) = self.rooms.get_mut(&room) else { return };
        let Some(step) = awake.steps.pop_front() else { return };
        awake.working = false;
        awake.in_steps -= step.events.len();
        let (stamp, wakes) = (awake.stamp, step.wakes.is_some());
        if let Some(last) = step.events.last() {
            (awake.shown, awake.at) = (Shown { head: last.event.seq, messages: last.event.messages }, last.event.at);
        }
        if let Some(settled) = settled {
            awake.applied = settled.applied;
            if let (Some(head), Some((messages, at))) = (step.wakes, settled.last) {
                (awake.shown, awake.at) = (Shown { head, messages }, at);
            }
        }
        if wakes
            && let Phase::Waking(_) = awake.phase
            && let Phase::Waking(wake) = std::mem::replace(&mut awake.phase, Phase::Open)
        {
            awake.phase = Phase::Beginning(wake);
        }
        // What a room began with is shown as a whole: its projection forgets it then.
        if !matches!(awake.phase, Phase::Beginning(_)) {
            self.show(room);
        }
        tell(step.events, &Ok(()), &self.store.waiting);
        for erasure in step.erasures {
            self.step(Input::Room { room, stamp, input: RoomInput::Erased { delete: erasure.delete } });
        }
        self.touched.insert(room);
    }

    /// Lets readers see how far a room is.
    pub(super) fn show(&mut self, room: RoomId) {
        let Some(awake) = self.rooms.get(&room) else { return };
        let Shown { head, messages } = awake.shown;
        self.store.awake.insert(room, awake.shown);
        if head > 0 {
            self.store.follow.committed(PublishedHead {
                room,
                head,
                messages,
                active_at: awake.at,
                last_change: awake.applied,
            });
        }
        self.rest_in_time(room);
    }

    /// Publishes the head that the fence wants published, once all that follows up to it is done: whoever wakes the room
    /// next does again what follows from events above it.
    fn publish(&mut self, room: RoomId) {
        let Some(awake) = self.rooms.get_mut(&room) else { return };
        let wanted = awake.to_publish.filter(|head| *head <= awake.shown.head && !awake.publishing);
        let Some(head) = wanted else { return };
        (awake.to_publish, awake.publishing) = (None, true);
        let keys = awake.keys.upto(head);
        let (store, stamp, alive) = (Arc::clone(&self.store), awake.stamp, Arc::clone(&awake.alive));
        self.ask(async move {
            while alive.load(std::sync::atomic::Ordering::Acquire) {
                if store.publish(room, head, keys.clone()).await.is_ok() {
                    break;
                }
                tokio::time::sleep(store.health.pause()).await;
            }
            Done::Published(room, stamp, head)
        });
    }

    /// Makes sure that the head of a room is published that falls quiet now.
    pub(super) fn rest_in_time(&mut self, room: RoomId) {
        let at = self.rooms.get(&room).and_then(Room::rests_at);
        self.rest_at = self.rest_at.into_iter().chain(at).min();
    }

    /// Publishes what has waited long enough.
    pub(super) fn rest(&mut self) {
        let now = Instant::now();
        let times = self.rooms.iter().filter_map(|(room, awake)| Some((*room, awake.stamp, awake.rests_at()?)));
        let (due, later): (Vec<_>, Vec<_>) = times.partition(|(_, _, at)| *at <= now);
        self.rest_at = later.into_iter().map(|(_, _, at)| at).min();
        for (room, stamp, _) in due {
            self.step(Input::Room { room, stamp, input: RoomInput::Rest });
        }
    }

    /// Lets a room sleep that wants to, when nothing is under way and its head is published.
    fn doze(&mut self, room: RoomId) {
        let Some(awake) = self.rooms.get(&room) else {
            self.retiring.remove(&room);
            return;
        };
        if !matches!(awake.phase, Phase::Open) || !awake.is_at_rest() || awake.publishing {
            return;
        }
        let input = if awake.keys.is_empty() { RoomInput::Sleep } else { RoomInput::Rest };
        let stamp = awake.stamp;
        self.step(Input::Room { room, stamp, input });
    }
}
