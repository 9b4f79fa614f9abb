//! Appends: sent at once, committed in order, and never taken back once they were sent.

use std::sync::Arc;

use super::{
    Bug, Refusal, RoomEffect,
    activation::{Activation, Pending, Phase},
    row::Row,
};
use crate::{event::Event, ids::Seq};

impl Activation {
    pub(super) fn append(&mut self, event: Arc<Event>, out: &mut Vec<RoomEffect>) {
        let seq = event.seq;
        if let Err(why) = self.may_append(seq) {
            return out.push(RoomEffect::Refused { seq, why });
        }
        let row = Row { stamp: self.stamp, event };
        if !self.rules.lack(Bug::VerifyBefore) {
            out.push(RoomEffect::Insert { row: row.clone() });
        }
        self.pending.push_back(Pending { row, succeeded: false });
    }

    /// A refusal is safe only here, before anything was sent.
    fn may_append(&self, seq: Seq) -> Result<(), Refusal> {
        if self.phase != Phase::Active {
            return Err(Refusal::NotAwake);
        }
        if seq != self.head + self.pending.len() as Seq + 1 {
            return Err(Refusal::OutOfOrder);
        }
        if self.pending.len() + self.erasures.len() >= self.bounds.in_flight {
            return Err(Refusal::Full);
        }
        Ok(())
    }

    fn place(&self, seq: Seq) -> Option<usize> {
        usize::try_from(seq.checked_sub(self.head + 1)?).ok()
    }

    pub(super) fn inserted(&mut self, seq: Seq, out: &mut Vec<RoomEffect>) {
        if let Some(pending) = self.place(seq).and_then(|at| self.pending.get_mut(at)) {
            pending.succeeded = true;
        }
        let enough = self.rules.lack(Bug::NoVerify) || self.rules.lack(Bug::VerifyBefore);
        if enough || self.rules.lack(Bug::VerifyConcurrent) {
            let through = if self.rules.lack(Bug::NoVerify) { Seq::MAX } else { self.verified };
            self.release(through, out);
        }
    }

    /// Sends a write again that may or may not have arrived. Its number stays taken, and it is never said to have failed.
    pub(super) fn insert_again(&mut self, seq: Seq, out: &mut Vec<RoomEffect>) {
        let Some(at) = self.place(seq) else { return };
        let waiting = self.pending.get(at).filter(|pending| !pending.succeeded);
        let Some(row) = waiting.map(|pending| pending.row.clone()) else { return };
        if self.rules.lack(Bug::RefuseWhenTimedOut) {
            let refused = self.pending.drain(at..).map(|pending| pending.row.seq());
            return out.extend(refused.map(|seq| RoomEffect::Refused { seq, why: Refusal::OutOfOrder }));
        }
        out.push(RoomEffect::Insert { row });
    }

    /// A read of the shard's row that had started after all of these succeeded said that they count.
    pub(super) fn covered(&mut self, through: Seq, out: &mut Vec<RoomEffect>) {
        if self.rules.lack(Bug::VerifyBefore) {
            let late = self.pending.iter().filter(|pending| (self.verified + 1..=through).contains(&pending.row.seq()));
            out.extend(late.map(|pending| RoomEffect::Insert { row: pending.row.clone() }));
        }
        self.verified = self.verified.max(through);
        self.release(self.verified, out);
    }

    /// Commits what has succeeded without a gap, as far as it is verified.
    fn release(&mut self, through: Seq, out: &mut Vec<RoomEffect>) {
        let first = self.head + 1;
        if self.rules.lack(Bug::OutOfOrder) {
            let succeeded = self.pending.iter().filter(|pending| pending.succeeded).map(|pending| pending.row.seq());
            let told = succeeded.filter(|seq| *seq <= through);
            out.extend(told.map(|seq| RoomEffect::Committed { seqs: seq..=seq }));
        }
        let mut deletes = Vec::new();
        while let Some(pending) = self.pending.front().filter(|pending| pending.row.seq() <= through) {
            if !pending.succeeded {
                break;
            }
            self.head = pending.row.seq();
            deletes.extend(super::erase::deleted_by(&pending.row.event));
            self.pending.pop_front();
        }
        if self.head >= first {
            out.push(RoomEffect::Committed { seqs: first..=self.head });
        }
        for (target, delete) in deletes {
            self.erase(target, delete, out);
        }
    }
}
