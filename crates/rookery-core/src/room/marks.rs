//! Delivered and read marks, which only move forwards, and typing, which leaves no trace.

use super::{Caller, Effect, Room};
use crate::{
    frame::{Code, Refusal},
    ids::{Seq, UserId},
    limits::MARKS_SHOWN,
    permission::{self, Action},
    time::Millis,
};

/// Marks of people who left that a room may remember.
const SHOWN_BEYOND: usize = 1_024;

impl Room {
    pub(super) fn mark(
        &self,
        caller: Caller,
        user: UserId,
        read: Option<Seq>,
        delivered: Option<Seq>,
        out: &mut Vec<Effect>,
    ) {
        let refusal = match (self.members.contains_key(&user), read, delivered) {
            (false, _, _) => Some(self.stranger()),
            (true, Some(read), _) if read > self.head => Some(beyond("read")),
            (true, _, Some(delivered)) if delivered > self.head => Some(beyond("delivered")),
            _ => None,
        };
        if let Some(refusal) = refusal {
            return out.push(Effect::Nack { caller, client_id: None, refusal, confirm: true });
        }
        let read = read.unwrap_or(0);
        // What was read was delivered.
        let delivered = delivered.unwrap_or(0).max(read);
        out.push(Effect::StoreMarks { caller, user, read, delivered });
    }

    pub(super) fn marked(&mut self, caller: Caller, user: UserId, stand: Option<(Seq, Seq)>, out: &mut Vec<Effect>) {
        let Some((read, delivered)) = stand else {
            let refusal = super::write::unavailable();
            return out.push(Effect::Nack { caller, client_id: None, refusal, confirm: false });
        };
        if self.shown_marks.len() > self.members.len() + SHOWN_BEYOND {
            self.shown_marks.retain(|user, _| self.members.contains_key(user));
        }
        let shown = self.shown_marks.entry(user).or_default();
        let before = *shown;
        *shown = (read.max(before.0), delivered.max(before.1));
        let (read, delivered) = *shown;
        out.push(Effect::MarksStand { caller, read, delivered });
        if *shown == before {
            return;
        }
        let to_all = self.members.len() <= MARKS_SHOWN;
        out.push(Effect::ShowMarks { user, read, delivered, to_all });
    }

    pub(super) fn typing(&self, user: UserId, on: bool, now: Millis, out: &mut Vec<Effect>) {
        let Some(member) = self.members.get(&user) else { return };
        let muted = member.muted_until.is_some_and(|until| until > now);
        let silent = muted || self.archived || self.deleted || self.is_blocked(user);
        if !silent && permission::allows(self.kind, member.role, Action::Post).is_ok() {
            out.push(Effect::ShowTyping { user, on });
        }
    }
}

fn beyond(field: &'static str) -> Refusal {
    Refusal::field(Code::BadRequest, field, "beyond the head of the room")
}
