//! One activation of a room: what it holds from its wake to its end.

use std::{collections::VecDeque, ops::RangeInclusive};

use super::{Bug, Refusal, Request, RoomEffect, RoomInput, row::Bounds, row::Row, rules::Rules};
use crate::{ids::Seq, shard::Stamp};

/// How far an activation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    ReadingHead,
    ReadingTail,
    /// The tail is written again and late writes are cut off; which of the two has not succeeded yet.
    Settling {
        rewriting: bool,
        cutting: bool,
    },
    /// All of that stands on a quorum; whether it counts is not known.
    Settled,
    Active,
}

/// An event that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pending {
    pub(super) row: Row,
    pub(super) succeeded: bool,
}

/// How far the words of a deleted message are taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Erased {
    Sent,
    /// On a quorum.
    Done,
    /// A read that started since will say whether an owner after this one has read it so.
    Covered,
}

/// A delete that is committed and is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Erasure {
    pub(super) target: Seq,
    pub(super) delete: Seq,
    pub(super) erased: Erased,
}

/// What a read of the shard's row that has started will say something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Cover {
    wake: bool,
    through: Seq,
    questions: usize,
}

/// The activation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Activation {
    pub(super) stamp: Stamp,
    pub(super) bounds: Bounds,
    pub(super) rules: Rules,
    pub(super) phase: Phase,
    /// The last event that is committed.
    pub(super) head: Seq,
    /// What was found above the head while waking.
    pub(super) tail: Vec<Row>,
    /// What was sent, from `head + 1` on. At most `bounds.in_flight`; one more is refused.
    pub(super) pending: VecDeque<Pending>,
    /// Everything up to here is this activation's if it has succeeded.
    pub(super) verified: Seq,
    /// Counted with `pending` against the bound.
    pub(super) erasures: VecDeque<Erasure>,
    /// Who wants to know whether this is still the owner. At most `bounds.in_flight`; one more is told that it is not known.
    questions: VecDeque<u64>,
    cover: Option<Cover>,
    pub(super) published: Seq,
    pub(super) publishing: Option<Seq>,
}

impl Activation {
    pub(super) fn new(stamp: Stamp, bounds: Bounds, rules: Rules) -> Self {
        Self {
            stamp,
            bounds,
            rules,
            phase: Phase::ReadingHead,
            head: 0,
            tail: Vec::new(),
            pending: VecDeque::new(),
            verified: 0,
            erasures: VecDeque::new(),
            questions: VecDeque::new(),
            cover: None,
            published: 0,
            publishing: None,
        }
    }

    pub(super) const fn stamp(&self) -> Stamp {
        self.stamp
    }

    pub(super) fn head(&self) -> Option<Seq> {
        (self.phase == Phase::Active).then_some(self.head)
    }

    pub(super) fn is_at_rest(&self) -> bool {
        self.phase == Phase::Active && self.pending.is_empty() && self.erasures.is_empty() && self.questions.is_empty()
    }

    pub(super) fn take(&mut self, input: RoomInput, out: &mut Vec<RoomEffect>) {
        match input {
            RoomInput::Head { head } => self.head_read(head, out),
            RoomInput::Tail { rows } => self.tail_read(rows, out),
            RoomInput::Rewritten => self.rewritten(out),
            RoomInput::CutDone => self.cut_done(out),
            RoomInput::Append { event } => self.append(event, out),
            RoomInput::Inserted { seq } => self.inserted(seq, out),
            RoomInput::Erased { delete } => self.erased(delete, out),
            RoomInput::HeadPublished { head } => self.head_published(head, out),
            RoomInput::TimedOut { what } => self.again(what, out),
            RoomInput::Confirm { ticket } if self.questions.len() >= self.bounds.in_flight => {
                out.push(RoomEffect::Unconfirmed { ticket });
            }
            RoomInput::Confirm { ticket } => self.questions.push_back(ticket),
            RoomInput::Rest => self.publish(1, out),
            RoomInput::Sleep if self.is_at_rest() => out.push(RoomEffect::Asleep),
            RoomInput::Sleep | RoomInput::Abandon => {}
        }
    }

    /// Asks again for what did not come. What was to be written goes out with the same values and the same timestamp: two
    /// values with one timestamp could both be read.
    fn again(&mut self, what: Request, out: &mut Vec<RoomEffect>) {
        match (what, self.phase) {
            (Request::ReadHead, Phase::ReadingHead) => out.push(RoomEffect::ReadHead),
            (Request::ReadTail, Phase::ReadingTail) => self.read_on(out),
            (Request::Rewrite, Phase::Settling { rewriting: true, .. }) => self.rewrite(out),
            (Request::Cut, Phase::Settling { cutting: true, .. }) => self.cut(out),
            (Request::Insert { seq }, Phase::Active) => self.insert_again(seq, out),
            (Request::Erase { delete }, Phase::Active) => self.erase_again(delete, out),
            (Request::PublishHead, _) => {
                self.publishing = None;
                self.publish(1, out);
            }
            _ => {}
        }
    }

    /// Whether there is something that only a read of the shard's row that starts from now on can decide.
    pub(super) fn wants_verify(&self) -> bool {
        let (wake, through, questions) = match self.cover {
            Some(cover) => (cover.wake, cover.through, cover.questions),
            None => (false, self.verified, 0),
        };
        let unverified = self.phase == Phase::Settled && !wake;
        unverified
            || self.to_cover() > through.max(self.verified)
            || self.questions.len() > questions
            || self.erasures.iter().any(|erasure| erasure.erased == Erased::Done)
    }

    /// How far what was sent has succeeded without a gap.
    fn succeeded(&self) -> Seq {
        let run = self.pending.iter().take_while(|pending| pending.succeeded).count();
        self.head + run as Seq
    }

    /// How far a read that starts now reaches.
    fn to_cover(&self) -> Seq {
        let last = self.head + self.pending.len() as Seq;
        if self.rules.lack(Bug::VerifyBefore) || self.rules.lack(Bug::VerifyConcurrent) {
            return last;
        }
        if self.rules.lack(Bug::OutOfOrder) {
            let run = self.pending.iter().rposition(|pending| pending.succeeded);
            return run.map_or(self.head, |at| self.head + at as Seq + 1);
        }
        self.succeeded()
    }

    /// A read of the shard's row is about to start: what has succeeded so far is what it will speak of.
    pub(super) fn verify_started(&mut self) {
        for erasure in &mut self.erasures {
            if erasure.erased == Erased::Done {
                erasure.erased = Erased::Covered;
            }
        }
        self.cover = Some(Cover {
            wake: self.phase == Phase::Settled,
            through: self.to_cover(),
            questions: self.questions.len(),
        });
    }

    /// The read said that this is still the owner.
    pub(super) fn verified(&mut self, out: &mut Vec<RoomEffect>) {
        let Some(cover) = self.cover.take() else { return };
        if cover.wake {
            self.activate(out);
        }
        self.covered(cover.through, out);
        out.extend(self.questions.drain(..cover.questions).map(|ticket| RoomEffect::Confirmed { ticket }));
        self.erasures.retain(|erasure| erasure.erased != Erased::Covered);
        self.publish(self.bounds.head_every, out);
    }

    /// It is over. Whatever was sent may be in the log or get there; only the next owner will know.
    pub(super) fn end(self, out: &mut Vec<RoomEffect>) {
        let first = self.head + 1;
        out.extend(self.questions.into_iter().map(|ticket| RoomEffect::Unconfirmed { ticket }));
        if self.rules.lack(Bug::RefuseWhenLost) {
            let seqs = self.pending.iter().map(|pending| pending.row.seq());
            out.extend(seqs.map(|seq| RoomEffect::Refused { seq, why: Refusal::NotAwake }));
        }
        let unsettled: Option<RangeInclusive<Seq>> = self.pending.back().map(|pending| first..=pending.row.seq());
        out.push(RoomEffect::Dropped { unsettled });
    }
}

/// The answer where there is no such activation: nothing of an append was sent, and a question stays open.
pub(super) fn answer_of_none(input: &RoomInput) -> Option<RoomEffect> {
    match input {
        RoomInput::Append { event } => Some(RoomEffect::Refused { seq: event.seq, why: Refusal::NotAwake }),
        RoomInput::Confirm { ticket } => Some(RoomEffect::Unconfirmed { ticket: *ticket }),
        _ => None,
    }
}
