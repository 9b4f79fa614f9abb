//! Waking a room: what was under way comes to rest, then the log is found, then what the room began with is in it.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use rookery_core::{
    event::Event,
    fence::{Input, RoomInput, Row},
    ids::{RoomId, Seq},
    shard::Stamp,
};

use super::{
    Reply, Shard,
    answer::Done,
    room::{Phase, Room, Unsettled},
    settle::Step,
};
use crate::store::StoreError;

/// How long a wake waits for what the activation before it has under way; after that it is unknown what becomes of it.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is known of a room that is awake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Woken {
    /// Its last event; 0 for none.
    pub head: Seq,
    /// How many messages its log holds.
    pub messages: u64,
    /// The projection is as the log says up to here, which is the head or nothing changes between the two.
    pub applied: Seq,
}

/// A wake that is under way.
pub(super) struct Wake {
    pub(super) applied: Seq,
    pub(super) beginning: VecDeque<Event>,
    pub(super) reply: Reply<Woken>,
}

impl Shard {
    pub(super) fn wake(&mut self, room: RoomId, stamp: Stamp, wake: Wake) {
        let newest = self.rooms.get(&room).map(|awake| match awake.phase {
            Phase::Leaving { stamp, .. } => stamp,
            _ => awake.stamp,
        });
        if self.fence.epoch() != Some(stamp.epoch()) || newest.is_some_and(|newest| newest >= stamp) {
            // Who asked may have gone.
            let _ = wake.reply.send(Err(StoreError::Fenced));
            return;
        }
        let Some(awake) = self.rooms.get_mut(&room) else { return self.begin_wake(room, stamp, wake) };
        match std::mem::replace(&mut awake.phase, Phase::Leaving { stamp, next: wake }) {
            Phase::Waking(older) | Phase::Beginning(older) | Phase::Leaving { next: older, .. } => {
                let _ = older.reply.send(Err(StoreError::Fenced));
            }
            Phase::Open => {}
        }
        self.touched.insert(room);
        self.ask(async move {
            tokio::time::sleep(PATIENCE).await;
            Done::WaitedLongEnough(room, stamp)
        });
    }

    /// Replaces the activation of a room.
    pub(super) fn begin_wake(&mut self, room: RoomId, stamp: Stamp, wake: Wake) {
        if let Some(before) = self.rooms.remove(&room) {
            before.end(&self.store.waiting);
        }
        self.retiring.remove(&room);
        self.rooms.insert(room, Room::new(stamp, wake));
        self.step(Input::Wake { room, stamp });
    }

    /// What was under way has come to rest, or has taken too long.
    pub(super) fn next_wake(&mut self, room: RoomId) {
        let Some(awake) = self.rooms.get_mut(&room) else { return };
        if let Phase::Leaving { .. } = awake.phase
            && let Phase::Leaving { stamp, next } = std::mem::replace(&mut awake.phase, Phase::Open)
        {
            self.begin_wake(room, stamp, next);
        }
    }

    /// The fence has found the log.
    pub(super) fn found(&mut self, room: RoomId, head: Seq, rows: Vec<Row>) {
        let Some(awake) = self.rooms.get_mut(&room) else { return };
        let since = Instant::now();
        for row in &rows {
            let event = &row.event;
            awake.keys.push((event.seq, event.sender, event.client_id), since);
        }
        let event = |row: Row| Unsettled { event: row.event, reply: None, since };
        let events: Vec<Unsettled> = rows.into_iter().map(event).collect();
        awake.in_steps += events.len();
        awake.steps.push_back(Step { events, erasures: Vec::new(), wakes: Some(head) });
        self.touched.insert(room);
    }

    /// Writes what the room began with, as far as it is not in the log; then the room is open.
    pub(super) fn begin(&mut self, room: RoomId) {
        loop {
            let bound = self.store.bounds.in_flight;
            let Some(awake) = self.rooms.get_mut(&room) else { return };
            let (stamp, last, has_place) = (awake.stamp, awake.last(), awake.has_place(bound).is_ok());
            let Phase::Beginning(wake) = &mut awake.phase else { return };
            let Some(event) = wake.beginning.pop_front() else { break };
            if event.seq > last {
                if !has_place {
                    return wake.beginning.push_front(event);
                }
                self.send(room, stamp, Unsettled { event: Arc::new(event), reply: None, since: Instant::now() });
            }
        }
        let Some(awake) = self.rooms.get_mut(&room) else { return };
        if !awake.is_at_rest() {
            return;
        }
        let Phase::Beginning(wake) = std::mem::replace(&mut awake.phase, Phase::Open) else { return };
        let (stamp, shown, applied) = (awake.stamp, awake.shown, awake.applied);
        let woken = Woken { head: shown.head, messages: shown.messages, applied };
        self.store.awake.insert(room, shown);
        self.show(room);
        // Who asked may have gone; the room sleeps again when its shard is told so.
        let _ = wake.reply.send(Ok(woken));
        self.step(Input::Room { room, stamp, input: RoomInput::Rest });
    }
}
