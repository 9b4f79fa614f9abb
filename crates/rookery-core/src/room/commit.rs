//! What the store answers: release what is durable, in order; undo what is not.

use std::{ops::RangeInclusive, sync::Arc};

use super::{Effect, Fate, Logged, Pending, Room, Undo, write};
use crate::{
    event::{Content, Event, MemberChange, RoomChangeKind},
    frame::codec,
    ids::Seq,
};

impl Room {
    pub(super) fn settle(&mut self, seqs: RangeInclusive<Seq>, fate: Fate, out: &mut Vec<Effect>) {
        for pending in self.pending.iter_mut().filter(|pending| seqs.contains(&pending.event.seq)) {
            // The first answer counts: a store may say twice what became of a write.
            pending.fate.get_or_insert(fate);
        }
        self.release(out);
        let refused = self.pending.iter().position(|pending| pending.fate == Some(Fate::Failed));
        if let Some(first) = refused
            && self.pending.iter().skip(first).all(|pending| pending.fate.is_some())
        {
            self.undo(first, out);
        }
        self.failing = self.pending.iter().any(|pending| pending.fate == Some(Fate::Failed));
    }

    /// Tells what an activation before this one may not have come to tell, because it ended over it: the events after
    /// `told` and what follows from them. Who knows already takes no harm.
    pub fn tell_again(&self, told: Seq, out: &mut Vec<Effect>) {
        let first = self.recent.front().map_or(self.head + 1, |logged| logged.event.seq);
        let untold = self.events_after(told.max(first - 1)).into_iter().flatten();
        let untold: Vec<Logged> = untold.cloned().collect();
        let mut after = Vec::new();
        for logged in &untold {
            self.consequences(&logged.event, &mut after);
        }
        if !untold.is_empty() {
            out.push(Effect::FanOut(untold));
        }
        out.append(&mut after);
    }

    /// Shows and acknowledges the durable events that no undecided one stands before.
    fn release(&mut self, out: &mut Vec<Effect>) {
        let mut shown = Vec::new();
        let mut after = Vec::new();
        while self.pending.front().is_some_and(|pending| pending.fate == Some(Fate::Stored)) {
            let Some(pending) = self.pending.pop_front() else { break };
            self.head = pending.event.seq;
            acknowledge(&pending, out);
            self.consequences(&pending.event, &mut after);
            let text = codec::encode_event(&pending.event);
            let logged = Logged { event: pending.event, text };
            self.keep(logged.clone());
            if let Content::Delete { target, .. } = logged.event.content {
                self.erase(target);
            }
            shown.push(logged);
        }
        if !shown.is_empty() {
            out.push(Effect::FanOut(shown));
        }
        out.append(&mut after);
    }

    /// Takes the words of a message that was taken back out of what is kept for those who come back.
    fn erase(&mut self, target: Seq) {
        for kept in &mut self.recent {
            let said_there = match kept.event.content {
                Content::Message { .. } => kept.event.seq == target,
                Content::Edit { target: of, .. } => of == target,
                _ => false,
            };
            if said_there {
                let erased = Event { content: kept.event.content.erased(), ..Event::clone(&kept.event) };
                self.recent_bytes -= kept.text.len();
                kept.text = codec::encode_event(&erased);
                self.recent_bytes += kept.text.len();
                kept.event = Arc::new(erased);
            }
        }
    }

    /// What an event means for single users, now that it is so.
    fn consequences(&self, event: &Event, out: &mut Vec<Effect>) {
        match &event.content {
            Content::Message { .. } => {
                out.push(Effect::OwnRead { user: event.sender, seq: event.seq });
            }
            Content::Member { user, change, .. } => match change {
                MemberChange::Joined | MemberChange::Role => out.push(Effect::Appeared { user: *user }),
                MemberChange::Left | MemberChange::Removed | MemberChange::Banned => {
                    out.push(Effect::Vanished { user: *user });
                }
                MemberChange::Unbanned | MemberChange::Muted => {}
            },
            Content::Room(change) if change.change == RoomChangeKind::Deleted => {
                out.extend(self.members.keys().map(|user| Effect::Vanished { user: *user }));
                out.push(Effect::Ended);
            }
            _ => {}
        }
    }

    /// The store has refused something: everything from there on never was, and its numbers are free again. What stands
    /// before it and has no fate yet may still come to be, so its numbers stay taken. Newest first, so that each undo finds
    /// the room as its own event left it.
    fn undo(&mut self, first: usize, out: &mut Vec<Effect>) {
        let mut refused = Vec::new();
        while self.pending.len() > first
            && let Some(pending) = self.pending.pop_back()
        {
            self.last = pending.event.seq - 1;
            self.window.take_back();
            self.messages -= u64::from(matches!(pending.event.content, Content::Message { .. }));
            match &pending.undo {
                Undo::Nothing => {}
                Undo::Member { user, before, banned } => self.restore_member(*user, *before, *banned),
                Undo::Room { visibility, archived, deleted } => {
                    (self.visibility, self.archived, self.deleted) = (*visibility, *archived, *deleted);
                }
            }
            refused.push(pending);
        }
        for Pending { event, caller, again, waiters, satisfied, .. } in refused.into_iter().rev() {
            if !again {
                self.dismissed(event.client_id);
            }
            let same = std::iter::once(caller).chain(waiters).map(|caller| (caller, event.client_id, again));
            let satisfied = satisfied.into_iter().map(|(caller, client_id)| (caller, client_id, false));
            for (caller, client_id, confirm) in same.chain(satisfied) {
                let (client_id, refusal) = (Some(client_id), write::unavailable());
                out.push(Effect::Nack { caller, client_id, refusal, confirm });
            }
        }
    }

    fn restore_member(&mut self, user: crate::ids::UserId, before: Option<super::Member>, banned: bool) {
        match before {
            Some(member) => self.members.insert(user, member),
            None => self.members.remove(&user),
        };
        if banned {
            self.banned.insert(user);
        } else {
            self.banned.remove(&user);
        }
    }
}

fn acknowledge(pending: &Pending, out: &mut Vec<Effect>) {
    let event = &pending.event;
    let ack = |caller: &super::Caller, repeat| Effect::Ack {
        caller: caller.clone(),
        client_id: event.client_id,
        seq: event.seq,
        at: event.at,
        repeat,
    };
    out.push(ack(&pending.caller, false));
    out.extend(pending.waiters.iter().map(|caller| ack(caller, true)));
    out.extend(pending.satisfied.iter().map(|(caller, _)| {
        // The commit that it follows from was looked at after it was asked for.
        Effect::Unchanged { caller: caller.clone(), confirm: false }
    }));
}
