//! What follows a commit: words that are taken out, and the published head, which waits for them.

use super::{
    Bug, RoomEffect,
    activation::{Activation, Erased, Erasure},
    row::{erase_timestamp, row_timestamp},
};
use crate::{
    event::{Content, Event},
    ids::Seq,
};

/// Which message an event takes back, and the event's own number.
pub(super) const fn deleted_by(event: &Event) -> Option<(Seq, Seq)> {
    match event.content {
        Content::Delete { target, .. } => Some((target, event.seq)),
        _ => None,
    }
}

impl Activation {
    pub(super) fn erase(&mut self, target: Seq, delete: Seq, out: &mut Vec<RoomEffect>) {
        self.erasures.push_back(Erasure { target, delete, erased: Erased::Sent });
        self.send_erasure(target, delete, out);
    }

    fn send_erasure(&self, target: Seq, delete: Seq, out: &mut Vec<RoomEffect>) {
        let too_low = self.rules.lack(Bug::EraseTooLow);
        let timestamp = if too_low { row_timestamp(self.stamp) } else { erase_timestamp(self.stamp) };
        out.push(RoomEffect::Erase { target, delete, timestamp });
    }

    pub(super) fn erase_again(&self, delete: Seq, out: &mut Vec<RoomEffect>) {
        let waiting = |erasure: &&Erasure| erasure.delete == delete && erasure.erased == Erased::Sent;
        if let Some(erasure) = self.erasures.iter().find(waiting) {
            self.send_erasure(erasure.target, delete, out);
        }
    }

    pub(super) fn erased(&mut self, delete: Seq, out: &mut Vec<RoomEffect>) {
        for erasure in &mut self.erasures {
            if erasure.delete == delete && erasure.erased == Erased::Sent {
                erasure.erased = Erased::Done;
            }
        }
        if self.rules.lack(Bug::HeadPassesUnverifiedErasure) {
            self.erasures.retain(|erasure| erasure.erased == Erased::Sent);
            self.publish(1, out);
        }
    }

    /// The head that may be published. It stops before a delete that is not carried out for good: the next owner finds what
    /// it has to carry out again only in the tail above the head.
    ///
    /// For good means: carried out, and *after that* still the owner. Otherwise an owner after this one may have read the
    /// words before they were taken out, and write them again with its own, larger timestamp; if it ends over that, the
    /// owner after it has to find the delete in its tail.
    fn publishable(&self) -> Seq {
        match self.erasures.front() {
            Some(first) if !self.rules.lack(Bug::HeadPassesErasure) => self.head.min(first.delete - 1),
            _ => self.head,
        }
    }

    /// Publishes the head if it has moved on by so much; one publication at a time.
    pub(super) fn publish(&mut self, step: u64, out: &mut Vec<RoomEffect>) {
        let head = self.publishable();
        let is_active = self.head().is_some();
        if is_active && self.publishing.is_none() && head >= self.published + step.max(1) {
            self.publishing = Some(head);
            out.push(RoomEffect::PublishHead { head });
        }
    }

    pub(super) fn head_published(&mut self, head: Seq, out: &mut Vec<RoomEffect>) {
        self.published = self.published.max(head);
        self.publishing = None;
        self.publish(self.bounds.head_every, out);
    }
}
