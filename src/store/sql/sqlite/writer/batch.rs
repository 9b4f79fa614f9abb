//! Group commit: many appends in one transaction, and what becomes of each.

use std::{collections::HashMap, ops::RangeInclusive, sync::Arc};

use rookery_core::ids::{RoomId, Seq};

use super::{
    Writer,
    transaction::{Trouble, Works},
};
use crate::store::{
    StoreError,
    log::{Append, Appended},
};

impl Writer {
    /// Writes a batch and tells everybody what became of theirs.
    pub(super) async fn commit(&mut self, appends: Vec<Append>, works: Works) {
        let mut appends = self.admit(appends);
        let mut works = Some(works);
        loop {
            match self.transaction(&appends, works.take().unwrap_or_default()).await {
                Ok(()) => return self.committed(&appends),
                Err(Trouble::Lost(lost, back)) => {
                    works = Some(back);
                    self.rooms.retain(|room, fence| !lost.contains(&(room.shard(), fence.stamp.epoch())));
                    let (fenced, kept): (Vec<_>, Vec<_>) = appends
                        .into_iter()
                        .partition(|append| lost.contains(&(append.event.room.shard(), append.stamp.epoch())));
                    settle(&fenced, &Err(StoreError::Fenced));
                    appends = kept;
                }
                Err(Trouble::Conflict(back)) => {
                    return self.one_by_one(appends, back).await;
                }
                Err(Trouble::Definite(error)) => return settle(&appends, &Err(error)),
            }
            if appends.is_empty() && works.as_ref().is_none_or(Vec::is_empty) {
                return;
            }
        }
    }

    /// One append breaks a promise of the table: each gets a transaction of its own, so that only the culprit fails, and
    /// what comes after it in its room.
    async fn one_by_one(&mut self, appends: Vec<Append>, works: Works) {
        for append in appends {
            let alone = self.admit(vec![append]);
            if alone.is_empty() {
                continue;
            }
            match self.transaction(&alone, Vec::new()).await {
                Ok(()) => self.committed(&alone),
                Err(Trouble::Lost(..)) => settle(&alone, &Err(StoreError::Fenced)),
                Err(Trouble::Conflict(_)) => {
                    let twice = "an event with this number or this key is in the log".to_owned();
                    settle(&alone, &Err(StoreError::Unavailable(twice)));
                }
                Err(Trouble::Definite(error)) => settle(&alone, &Err(error)),
            }
        }
        // Without appends there is nothing that could be lost or in conflict.
        let _ = self.transaction(&[], works).await;
    }

    /// Keeps what its room's newest activation wrote without a hole; the rest fails at once.
    fn admit(&self, appends: Vec<Append>) -> Vec<Append> {
        let mut planned: HashMap<RoomId, Seq> = HashMap::new();
        let mut kept = Vec::with_capacity(appends.len());
        for append in appends {
            let room = append.event.room;
            let Some(fence) = self.rooms.get(&room).filter(|fence| fence.stamp == append.stamp) else {
                settle(&[append], &Err(StoreError::Fenced));
                continue;
            };
            let next = planned.entry(room).or_insert(fence.next);
            if !follows(append.event.seq, *next) {
                let hole =
                    format!("an earlier event of the room was not written: {} instead of {next}", append.event.seq);
                settle(&[append], &Err(StoreError::Unavailable(hole)));
                continue;
            }
            *next = append.event.seq + 1;
            kept.push(append);
        }
        kept
    }

    fn committed(&mut self, appends: &[Append]) {
        for append in appends {
            if let Some(fence) = self.rooms.get_mut(&append.event.room) {
                fence.next = append.event.seq + 1;
            }
        }
        settle(appends, &Ok(()));
    }
}

/// Whether an event may come where `next` is expected.
#[cfg(not(feature = "bugs"))]
const fn follows(seq: Seq, next: Seq) -> bool {
    seq == next
}

/// A server that skips numbers on purpose must get as far as its clients.
#[cfg(feature = "bugs")]
const fn follows(seq: Seq, next: Seq) -> bool {
    seq >= next
}

/// Tells what became of appends: one call for consecutive numbers of a room that one party asked for.
pub(super) fn settle(appends: &[Append], fate: &Result<(), StoreError>) {
    let mut runs: Vec<(&Arc<dyn Appended>, RangeInclusive<Seq>)> = Vec::new();
    let mut newest: HashMap<RoomId, usize> = HashMap::new();
    for append in appends {
        let (room, seq) = (append.event.room, append.event.seq);
        let run = newest.get(&room).and_then(|at| runs.get_mut(*at));
        match run {
            Some((reply, seqs)) if Arc::ptr_eq(reply, &append.reply) && seq == *seqs.end() + 1 => {
                *seqs = *seqs.start()..=seq;
            }
            _ => {
                newest.insert(room, runs.len());
                runs.push((&append.reply, seq..=seq));
            }
        }
    }
    for (reply, seqs) in runs {
        reply.appended(seqs, fate);
    }
}
