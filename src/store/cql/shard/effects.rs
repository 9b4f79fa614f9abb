//! Carrying out what the fence of a shard wants.

use std::sync::Arc;

use rookery_core::{
    fence::{Effect, Input, Refusal, Request, RoomEffect, RoomInput, ShardRow},
    ids::{RoomId, Seq},
    shard::{Epoch, Stamp},
};

use super::{
    Shard,
    answer::Done,
    room::Unsettled,
    settle::{Erasure, Step},
};
use crate::store::{
    StoreError,
    cql::{failure::unavailable, row::unsigned, write::columns},
};

impl Shard {
    pub(super) fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::LearnShard { round } => self.read_shard(true, move |row| Input::ShardLearned { round, row }),
            Effect::ReadShard { round } => self.read_shard(false, move |row| Input::ShardRead { round, row }),
            Effect::Swap { round, from, to } => {
                let (store, shard) = (Arc::clone(&self.store), self.id);
                self.ask(async move {
                    let swapped = store.swap(shard, from, &to).await;
                    Done::Answer(Input::Swapped { round, swapped })
                });
            }
            Effect::Claimed { epoch } => self.claimed(epoch),
            Effect::NotClaimed { found } => {
                for claim in self.claims.drain(..) {
                    // Who asked may have gone.
                    let _ = claim.send(Err(match found {
                        Some(_) => StoreError::Fenced,
                        None => unavailable("the CQL servers do not decide who owns the shard"),
                    }));
                }
            }
            Effect::Released => {
                for release in self.releases.drain(..) {
                    let _ = release.send(Ok(()));
                }
            }
            Effect::Lost { found } => {
                let owner = found.owner.map_or_else(|| "nobody".to_owned(), |owner| owner.node.0.to_string());
                tracing::warn!(shard = self.id.0, epoch = found.epoch, owner, "the shard has another owner");
            }
            Effect::Room { room, stamp, effect } => self.carry_out_in(room, stamp, effect),
        }
    }

    fn claimed(&mut self, epoch: Epoch) {
        // Nothing more comes under an older epoch, except to be woken anew.
        for room in self.rooms.keys().copied().collect::<Vec<_>>() {
            self.retire(room);
        }
        for claim in self.claims.drain(..) {
            let _ = claim.send(Ok(epoch));
        }
    }

    fn read_shard(&mut self, serial: bool, input: impl FnOnce(Option<ShardRow>) -> Input + Send + 'static) {
        let (store, shard) = (Arc::clone(&self.store), self.id);
        self.ask(async move {
            let health = Arc::clone(&store.health);
            let row = if serial { store.learn_shard(shard).await.ok() } else { store.look(shard).await };
            if row.is_none() {
                tokio::time::sleep(health.pause()).await;
            }
            Done::Answer(input(row))
        });
    }

    fn carry_out_in(&mut self, room: RoomId, stamp: Stamp, effect: RoomEffect) {
        match effect {
            RoomEffect::Confirmed { ticket } => self.confirmed(ticket, true),
            RoomEffect::Unconfirmed { ticket } => self.confirmed(ticket, false),
            // What an activation says that was replaced is for nobody: its askers have been told that nobody knows.
            _ if self.rooms.get(&room).is_none_or(|awake| awake.stamp != stamp) => {}
            RoomEffect::Woken { head, rows } => self.found(room, head, rows),
            RoomEffect::Committed { seqs } => self.committed(room, *seqs.end()),
            RoomEffect::Erase { target, delete, timestamp } => {
                let step = self.rooms.get_mut(&room).and_then(|awake| awake.steps.back_mut());
                if let Some(step) = step {
                    step.erasures.push(Erasure { target, delete, timestamp });
                }
            }
            RoomEffect::Insert { row } => {
                if let Some(awake) = self.rooms.get_mut(&room) {
                    awake.rows.push_back(columns(&row));
                }
                self.touched.insert(room);
            }
            RoomEffect::PublishHead { head } => {
                if let Some(awake) = self.rooms.get_mut(&room) {
                    awake.to_publish = Some(head);
                }
                self.touched.insert(room);
            }
            RoomEffect::Refused { seq, why } => self.refused(room, seq, why),
            RoomEffect::Asleep | RoomEffect::Dropped { .. } => {
                self.retiring.remove(&room);
                self.store.awake.remove(&room);
                if let Some(awake) = self.rooms.remove(&room) {
                    awake.end(&self.store.waiting);
                }
            }
            asked => self.ask_store(room, stamp, asked),
        }
    }

    /// What is asked of the store; asked again when it does not answer.
    fn ask_store(&mut self, room: RoomId, stamp: Stamp, effect: RoomEffect) {
        let store = Arc::clone(&self.store);
        self.ask(async move {
            let (answer, what) = match effect {
                RoomEffect::ReadHead => {
                    let head = store.stored_head(room).await;
                    (head.map(|head| RoomInput::Head { head }), Request::ReadHead)
                }
                RoomEffect::ReadTail { after, through } => {
                    let rows = store.rows_up(room, after, through, usize::MAX).await;
                    (rows.map(|rows| RoomInput::Tail { rows }), Request::ReadTail)
                }
                RoomEffect::Rewrite { rows } => {
                    (store.rewrite(&rows).await.map(|()| RoomInput::Rewritten), Request::Rewrite)
                }
                RoomEffect::Cut { after, buckets, timestamp } => {
                    let cut = store.cut(room, after, buckets, timestamp).await;
                    (cut.map(|()| RoomInput::CutDone), Request::Cut)
                }
                // Everything else is told, not asked.
                _ => return Done::Nothing,
            };
            let input = match answer {
                Ok(input) => input,
                Err(error) => {
                    tracing::debug!(%room, ?what, %error, "the CQL store is asked again");
                    tokio::time::sleep(store.health.pause()).await;
                    RoomInput::TimedOut { what }
                }
            };
            Done::Answer(Input::Room { room, stamp, input })
        });
    }

    /// Writes the rows of a room that wait, as far as they may go now.
    pub(super) fn write(&mut self, room: RoomId) {
        while let Some(awake) = self.rooms.get_mut(&room)
            && let Some(rows) = awake.next_write()
        {
            let (store, stamp) = (Arc::clone(&self.store), awake.stamp);
            let seqs: Vec<Seq> = rows.iter().map(|row| unsigned(row.2)).collect();
            self.inserting += seqs.len();
            self.ask(async move {
                let written = store.insert_together(rows).await;
                if let Err(error) = &written {
                    tracing::debug!(%room, ?seqs, %error, "the CQL store is asked again");
                    tokio::time::sleep(store.health.pause()).await;
                }
                Done::Written { room, stamp, seqs, succeeded: written.is_ok() }
            });
        }
    }

    fn committed(&mut self, room: RoomId, through: Seq) {
        let Some(awake) = self.rooms.get_mut(&room) else { return };
        let count = awake.unsettled.iter().take_while(|unsettled| unsettled.event.seq <= through).count();
        let events: Vec<Unsettled> = awake.unsettled.drain(..count).collect();
        awake.in_steps += events.len();
        awake.steps.push_back(Step { events, erasures: Vec::new(), wakes: None });
        self.touched.insert(room);
    }

    /// The fence did not take the newest event.
    fn refused(&mut self, room: RoomId, seq: Seq, why: Refusal) {
        let Some(awake) = self.rooms.get_mut(&room) else { return };
        let Some(refused) = awake.unsettled.pop_back_if(|unsettled| unsettled.event.seq == seq) else { return };
        awake.keys.take_back();
        let error = match why {
            Refusal::NotAwake => StoreError::Fenced,
            Refusal::OutOfOrder => unavailable("an earlier event of the room was not written"),
            Refusal::Full => unavailable("too much of this room waits to be written"),
        };
        super::room::tell([refused], &Err(error), &self.store.waiting);
    }

    fn confirmed(&mut self, ticket: u64, is_so: bool) {
        if let Some(question) = self.questions.remove(&ticket) {
            // Who asked may have gone.
            let _ = question.send(is_so);
        }
    }
}
