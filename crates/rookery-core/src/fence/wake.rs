//! The wake of a room: read the tail, write it again, cut off what is late, and only then find out whether it counts.

use super::{
    Bug, RoomEffect,
    activation::{Activation, Pending, Phase},
    row::{Row, cut_timestamp, row_timestamp},
};
use crate::ids::Seq;

impl Activation {
    pub(super) fn begin(&mut self, out: &mut Vec<RoomEffect>) {
        out.push(RoomEffect::ReadHead);
    }

    pub(super) fn head_read(&mut self, head: Seq, out: &mut Vec<RoomEffect>) {
        if self.phase != Phase::ReadingHead {
            return;
        }
        (self.head, self.verified, self.published) = (head, head, head);
        self.phase = Phase::ReadingTail;
        self.read_on(out);
    }

    /// The last row that was found so far.
    fn found(&self) -> Seq {
        self.tail.last().map_or(self.head, Row::seq)
    }

    /// How many rows are asked for at once: no more than could be in flight, so that two partitions are enough.
    const fn window(&self) -> Seq {
        self.bounds.in_flight as Seq
    }

    pub(super) fn read_on(&self, out: &mut Vec<RoomEffect>) {
        let after = self.found();
        out.push(RoomEffect::ReadTail { after, through: after + self.window() });
    }

    pub(super) fn tail_read(&mut self, mut rows: Vec<Row>, out: &mut Vec<RoomEffect>) {
        if self.phase != Phase::ReadingTail {
            return;
        }
        let through = self.found() + self.window();
        // To take a row that was not asked for, or one out of order, for a hole would cut off what is committed.
        rows.sort_by_key(Row::seq);
        rows.retain(|row| row.seq() > self.found());
        for mut row in rows {
            let is_next = row.seq() == self.found() + 1;
            // Acknowledged events have no hole before them. What stands behind one was never acknowledged, and the cut
            // takes it away; kept, it would stand for ever next to the retry that its sender makes.
            if !is_next && !self.rules.lack(Bug::KeepHoles) {
                break;
            }
            if !self.rules.lack(Bug::RewriteKeepsTimestamps) {
                row.stamp = self.stamp;
            }
            self.tail.push(row);
        }
        if self.found() == through {
            return self.read_on(out);
        }
        self.settle(out);
    }

    fn settle(&mut self, out: &mut Vec<RoomEffect>) {
        // Both at once: a row of the tail stands below the cut, and its timestamp above the cut's.
        self.phase = Phase::Settling {
            rewriting: !self.tail.is_empty() && !self.rules.lack(Bug::NoRewrite),
            cutting: !self.rules.lack(Bug::NoCut),
        };
        self.rewrite(out);
        self.cut(out);
        if let Phase::Settling { rewriting, cutting } = &mut self.phase {
            *rewriting &= !self.rules.lack(Bug::RewriteNotAwaited);
            *cutting &= !self.rules.lack(Bug::CutNotAwaited);
        }
        self.when_settled(out);
    }

    pub(super) fn rewrite(&self, out: &mut Vec<RoomEffect>) {
        if matches!(self.phase, Phase::Settling { rewriting: true, .. }) {
            let skipped = if self.rules.lack(Bug::RewriteLastRow) { self.tail.len() - 1 } else { 0 };
            out.push(RoomEffect::Rewrite { rows: self.tail[skipped..].to_vec() });
        }
    }

    pub(super) fn cut(&self, out: &mut Vec<RoomEffect>) {
        if matches!(self.phase, Phase::Settling { cutting: true, .. }) {
            let after = self.found();
            let mut buckets = self.bounds.reach(after);
            if self.rules.lack(Bug::CutOneBucket) {
                buckets = *buckets.start()..=*buckets.start();
            }
            let too_high = self.rules.lack(Bug::CutTooHigh);
            let timestamp = if too_high { row_timestamp(self.stamp) } else { cut_timestamp(self.stamp) };
            out.push(RoomEffect::Cut { after, buckets, timestamp });
        }
    }

    pub(super) fn rewritten(&mut self, out: &mut Vec<RoomEffect>) {
        if let Phase::Settling { rewriting, .. } = &mut self.phase {
            *rewriting = false;
            self.when_settled(out);
        }
    }

    pub(super) fn cut_done(&mut self, out: &mut Vec<RoomEffect>) {
        if let Phase::Settling { cutting, .. } = &mut self.phase {
            *cutting = false;
            self.when_settled(out);
        }
    }

    fn when_settled(&mut self, out: &mut Vec<RoomEffect>) {
        if self.phase != (Phase::Settling { rewriting: false, cutting: false }) {
            return;
        }
        // Nobody may be told anything of the tail yet: an owner that was superseded long ago gets as far as this with rows
        // that it found on one replica only.
        self.phase = Phase::Settled;
        if self.rules.lack(Bug::NoWakeVerify) {
            self.activate(out);
        } else if self.rules.lack(Bug::LateWakeVerify) {
            self.phase = Phase::Active;
            out.push(RoomEffect::Woken { head: self.head, rows: self.tail.clone() });
            let found = std::mem::take(&mut self.tail).into_iter();
            self.pending = found.map(|row| Pending { row, succeeded: true }).collect();
        }
    }

    /// The shard was still this process' after the tail was settled: all that was found is committed.
    pub(super) fn activate(&mut self, out: &mut Vec<RoomEffect>) {
        self.phase = Phase::Active;
        self.head = self.found();
        self.verified = self.head;
        let rows = std::mem::take(&mut self.tail);
        // An owner before may have ended between a delete and its carrying out, and the rewrite may have brought the words
        // back that were read before they were taken out.
        let deletes = rows.iter().filter_map(|row| super::erase::deleted_by(&row.event));
        let deletes: Vec<(Seq, Seq)> = deletes.filter(|_| !self.rules.lack(Bug::NoEraseAtWake)).collect();
        out.push(RoomEffect::Woken { head: self.head, rows });
        for (target, delete) in deletes {
            self.erase(target, delete, out);
        }
    }
}
