//! What the store has answered, and what is done with it.

use std::time::{Duration, Instant};

use rookery_core::{
    fence::{Input, Request, RoomInput},
    ids::{RoomId, Seq},
    shard::Stamp,
};

use super::{Shard, room::Phase, settle::Settled};

/// How long a write that has succeeded waits for others of its shard that are under way: one look at the shard's row serves
/// all that succeeded before it, and a look costs the servers as much as a write.
const HOLD: Duration = Duration::from_millis(2);

/// What became of something that was asked for.
pub(super) enum Done {
    /// The fence waits for it.
    Answer(Input),
    /// Rows are written; or nobody knows which of them are.
    Written { room: RoomId, stamp: Stamp, seqs: Vec<Seq>, succeeded: bool },
    /// All that follows from the first step of a room is done; `None`: the room has ended over it.
    Settled(RoomId, Stamp, Option<Settled>),
    /// A head is published.
    Published(RoomId, Stamp, Seq),
    /// What is under way has had long enough to come to rest before this wake.
    WaitedLongEnough(RoomId, Stamp),
    /// Nothing.
    Nothing,
}

impl Shard {
    pub(super) fn done(&mut self, done: Done) {
        match done {
            Done::Written { room, stamp, seqs, succeeded } => self.written(room, stamp, seqs, succeeded),
            Done::Answer(input) => {
                // Only when the shard was found to be ours can a room that took words out come to rest.
                if matches!(input, Input::ShardRead { .. }) {
                    self.touched.extend(&self.retiring);
                }
                self.step(input);
            }
            Done::Settled(room, stamp, Some(settled)) if self.is(room, stamp) => self.finish(room, Some(settled)),
            Done::Published(room, stamp, head) if self.is(room, stamp) => {
                if let Some(awake) = self.rooms.get_mut(&room) {
                    awake.publishing = false;
                    awake.keys.noted(head, Instant::now());
                }
                self.touched.insert(room);
                self.rest_in_time(room);
                self.step(Input::Room { room, stamp, input: RoomInput::HeadPublished { head } });
            }
            Done::WaitedLongEnough(room, next) => {
                let waits = |phase: &Phase| matches!(phase, Phase::Leaving { stamp, .. } if *stamp == next);
                if self.rooms.get(&room).is_some_and(|awake| waits(&awake.phase)) {
                    self.next_wake(room);
                }
            }
            Done::Settled(..) | Done::Published(..) | Done::Nothing => {}
        }
    }

    fn written(&mut self, room: RoomId, stamp: Stamp, seqs: Vec<Seq>, succeeded: bool) {
        self.inserting -= seqs.len();
        if let Some(awake) = self.rooms.get_mut(&room).filter(|awake| awake.stamp == stamp) {
            awake.writing -= 1;
            self.touched.insert(room);
        }
        if succeeded {
            let inserted = |seq| Input::Room { room, stamp, input: RoomInput::Inserted { seq } };
            self.held.extend(seqs.into_iter().map(inserted));
            self.hold_until.get_or_insert_with(|| Instant::now() + HOLD);
            return;
        }
        for what in seqs.into_iter().map(|seq| Request::Insert { seq }) {
            self.step(Input::Room { room, stamp, input: RoomInput::TimedOut { what } });
        }
    }

    /// Gives the fence the successes that were held, when there is nothing left to wait for.
    pub(super) fn let_go(&mut self, at_once: bool) {
        if at_once || self.inserting == 0 {
            self.hold_until = None;
            for input in std::mem::take(&mut self.held) {
                self.step(input);
            }
        }
    }

    fn is(&self, room: RoomId, stamp: Stamp) -> bool {
        self.rooms.get(&room).is_some_and(|awake| awake.stamp == stamp)
    }
}
