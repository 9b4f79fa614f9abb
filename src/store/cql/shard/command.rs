//! What a shard is asked for.

use std::{sync::atomic::Ordering, time::Instant};

use rookery_core::{
    event::Event,
    fence::{Input, RoomInput},
    ids::{ClientId, RoomId, Seq, UserId},
    shard::{Epoch, Stamp},
};
use tokio::sync::oneshot;

use super::{
    Reply, Shard,
    room::{Phase, Unsettled},
    waking::{Wake, Woken},
};
use crate::store::{StoreError, cql::failure::unavailable, log::Append};

/// One thing that somebody wants of a shard.
pub(in crate::store::cql) enum Command {
    /// Make this process the owner, under the next epoch.
    Claim(Reply<Epoch>),
    /// Give the shard back.
    Release(Reply<()>),
    /// Wake a room.
    Wake {
        /// Which.
        room: RoomId,
        /// Under which stamp.
        stamp: Stamp,
        /// How far the room's projection is.
        applied: Seq,
        /// What stands before everything else in its log, if that may not be written yet.
        beginning: Vec<Event>,
        /// Where to.
        reply: Reply<Woken>,
    },
    /// Write an event.
    Append(Append),
    /// A room has nothing left to do.
    Retire(RoomId, Stamp),
    /// Where is the write with this key, among those that are noted nowhere yet?
    Find(RoomId, (UserId, ClientId), oneshot::Sender<Option<Seq>>),
    /// Is the room still this process'?
    Confirm(RoomId, oneshot::Sender<bool>),
    /// Let every room come to rest and end.
    Close(oneshot::Sender<()>),
}

impl Shard {
    pub(super) fn take(&mut self, command: Command) {
        match command {
            Command::Claim(reply) => {
                self.claims.push(reply);
                self.step(Input::Claim);
            }
            Command::Release(reply) => {
                self.releases.push(reply);
                self.step(Input::Release);
            }
            Command::Wake { room, stamp, applied, beginning, reply } => {
                self.wake(room, stamp, Wake { applied, beginning: beginning.into(), reply });
            }
            Command::Append(append) => self.append(append),
            Command::Retire(room, stamp) => {
                if self.rooms.get(&room).is_some_and(|awake| awake.stamp == stamp) {
                    self.retire(room);
                }
            }
            Command::Find(room, key, reply) => {
                // Who asked may have gone.
                let _ = reply.send(self.rooms.get(&room).and_then(|room| room.keys.find(key)));
            }
            Command::Confirm(room, reply) => self.confirm(room, reply),
            Command::Close(reply) => {
                self.closing.push(reply);
                for room in self.rooms.keys().copied().collect::<Vec<_>>() {
                    self.retire(room);
                }
            }
        }
    }

    pub(super) fn retire(&mut self, room: RoomId) {
        self.retiring.insert(room);
        self.touched.insert(room);
    }

    fn append(&mut self, append: Append) {
        let seq = append.event.seq;
        if let Err(error) = self.may_append(&append) {
            self.store.waiting.fetch_sub(1, Ordering::AcqRel);
            return append.reply.appended(seq..=seq, &Err(error));
        }
        let Append { stamp, event, reply } = append;
        let (room, event) = (event.room, event);
        self.send(room, stamp, Unsettled { event, reply: Some(reply), since: Instant::now() });
    }

    /// Gives an event to the fence, which sends it.
    pub(super) fn send(&mut self, room: RoomId, stamp: Stamp, unsettled: Unsettled) {
        let Some(awake) = self.rooms.get_mut(&room) else { return };
        let event = unsettled.event.clone();
        awake.keys.push((event.seq, event.sender, event.client_id), unsettled.since);
        awake.unsettled.push_back(unsettled);
        self.step(Input::Room { room, stamp, input: RoomInput::Append { event } });
    }

    /// Whether an event may be sent. Nothing of it was, so that every refusal here is true.
    fn may_append(&self, append: &Append) -> Result<(), StoreError> {
        let event = &append.event;
        let awake = self.rooms.get(&event.room).filter(|room| room.stamp == append.stamp);
        let Some(room) = awake.filter(|room| matches!(room.phase, Phase::Open)) else { return Err(StoreError::Fenced) };
        if self.fence.epoch() != Some(append.stamp.epoch()) {
            return Err(StoreError::Fenced);
        }
        if event.seq != room.last() + 1 {
            return Err(unavailable("an earlier event of the room was not written"));
        }
        if room.keys.find((event.sender, event.client_id)).is_some() {
            return Err(unavailable("an event with this key is in the log"));
        }
        self.store.must_answer()?;
        room.has_place(self.store.bounds.in_flight)
    }

    /// Finds out whether the room is still this process', as of a moment after now.
    fn confirm(&mut self, room: RoomId, reply: oneshot::Sender<bool>) {
        let Some(stamp) = self.rooms.get(&room).map(|room| room.stamp) else {
            let _ = reply.send(false);
            return;
        };
        self.next_question += 1;
        let ticket = self.next_question;
        self.questions.insert(ticket, reply);
        self.step(Input::Room { room, stamp, input: RoomInput::Confirm { ticket } });
    }
}
