//! From a wish to a number: duplicate? allowed? then the next seq.

use std::sync::Arc;

use super::{
    Authority, Effect, Intent, Look, Looked, Member, Parked, Pending, Room, Target, Undo, Write, window::Print,
};
use crate::{
    event::{Content, Event, RoomKind},
    frame::{Code, Refusal},
    ids::{ClientId, Seq, UserId},
    limits::{CREDITS, IN_FLIGHT},
    permission::{self, Action},
    time::Millis,
};

/// Milliseconds after which a client should try again when the room is full of work.
const BUSY_RETRY_MS: u64 = 200;
/// Milliseconds after which a client should try again when the store refuses.
const UNAVAILABLE_RETRY_MS: u64 = 1_000;

/// What the rules make of a write.
pub(super) enum Verdict {
    /// It happens like this; the room has changed already, and this is how to undo it.
    Write(Content, Undo),
    /// It is so already.
    Unchanged,
}

impl Room {
    pub(super) fn write(&mut self, write: Write, now: Millis, out: &mut Vec<Effect>) {
        #[cfg(feature = "bugs")]
        super::bugs::panic_if_told(self.bug, &write);
        #[cfg(feature = "bugs")]
        let mut write = write;
        #[cfg(feature = "bugs")]
        super::bugs::overtake(self.bug, &mut write);
        if !self.parked.is_empty() || self.needs_look(&write) {
            return self.park(write, out);
        }
        self.admit(write, Looked::default(), now, out);
    }

    fn needs_look(&self, write: &Write) -> bool {
        if self.window.find(write.user, write.client_id).is_some() {
            return false;
        }
        let target_is_older = write.intent.target().is_some_and(|target| !self.window.reaches(target));
        // What the server itself writes carries a fresh id each time.
        let may_be_older = !self.window.covers(write.seen) && write.authority == Authority::Member;
        target_is_older || may_be_older
    }

    fn park(&mut self, write: Write, out: &mut Vec<Effect>) {
        if self.parked.len() >= IN_FLIGHT {
            return undecided(write, busy(), out);
        }
        self.tickets += 1;
        let mut parked = Parked { ticket: self.tickets, write, look: Look::NotAsked };
        if self.needs_look(&parked.write) {
            look_up(&mut parked, out);
        }
        self.parked.push_back(parked);
    }

    pub(super) fn looked(&mut self, ticket: u64, found: Option<Looked>, now: Millis, out: &mut Vec<Effect>) {
        if let Some(parked) = self.parked.iter_mut().find(|parked| parked.ticket == ticket) {
            parked.look = Look::Answered(found);
        }
        while let Some(mut parked) = self.parked.pop_front() {
            match parked.look {
                Look::Answered(Some(looked)) => self.admit(parked.write, looked, now, out),
                Look::Answered(None) => undecided(parked.write, unavailable(), out),
                // Those before it may have pushed what it needs out of memory.
                Look::NotAsked if self.needs_look(&parked.write) => {
                    look_up(&mut parked, out);
                    return self.parked.push_front(parked);
                }
                Look::NotAsked => self.admit(parked.write, Looked::default(), now, out),
                Look::Asked => return self.parked.push_front(parked),
            }
        }
    }

    /// Decides a write about which everything is known.
    fn admit(&mut self, write: Write, looked: Looked, now: Millis, out: &mut Vec<Effect>) {
        let Some(write) = self.answer_repeat(write, &looked, out) else { return };
        if self.failing {
            return self.dismiss(write, unavailable(), out);
        }
        if self.pending.len() >= IN_FLIGHT {
            return self.dismiss(write, busy(), out);
        }
        let waits = write.after.is_some_and(|before| !self.has_seen(write.user, before));
        match self.decide(&write, looked.target, now) {
            // What a connection says changes nothing of the room before it is numbered.
            Ok(Verdict::Write(_, Undo::Nothing)) if waits => {
                out.push(Effect::Undecided { caller: write.caller, client_id: write.client_id });
            }
            Ok(Verdict::Write(content, undo)) => self.number(write, content, undo, now, out),
            Ok(Verdict::Unchanged) => self.unchanged(write, out),
            Err(refusal) => self.dismiss(write, refusal, out),
        }
    }

    fn has_seen(&self, user: UserId, client_id: ClientId) -> bool {
        self.window.find(user, client_id).is_some() || self.dismissed.contains(&client_id)
    }

    /// Refuses a write. One whose refusal is told only once it is confirmed may be asked again instead, so nothing goes past it
    /// before that.
    fn dismiss(&mut self, write: Write, refusal: Refusal, out: &mut Vec<Effect>) {
        if !is_confirmed(&write, &refusal) {
            self.dismissed(write.client_id);
        }
        refuse(write, refusal, out);
    }

    /// A write is answered for good, and stands nowhere in the log.
    pub(super) fn dismissed(&mut self, client_id: ClientId) {
        if self.dismissed.len() >= CREDITS {
            self.dismissed.pop_front();
        }
        self.dismissed.push_back(client_id);
    }

    /// It is so already, or will be when what is under way is durable; until then nobody knows.
    fn unchanged(&mut self, write: Write, out: &mut Vec<Effect>) {
        self.dismissed(write.client_id);
        match self.pending.back_mut() {
            Some(pending) => pending.satisfied.push((write.caller, write.client_id)),
            None => out.push(Effect::Unchanged { caller: write.caller, confirm: true }),
        }
    }

    /// Answers a write that is here or in the log already; gives back one that is new.
    fn answer_repeat(&mut self, write: Write, looked: &Looked, out: &mut Vec<Effect>) -> Option<Write> {
        let (seq, at, same) = match (self.window.find(write.user, write.client_id), &looked.known) {
            (Some(remembered), _) => (remembered.seq, remembered.at, remembered.is(&write.intent)),
            (None, Some(known)) => (known.seq, known.at, Print::of(&known.content).fits(&write.intent)),
            (None, None) => return Some(write),
        };
        #[cfg(feature = "bugs")]
        let write = match super::bugs::forget(self.bug, write, self.last) {
            Ok(forgotten) => return Some(forgotten),
            Err(kept) => kept,
        };
        if !same {
            let refusal = Refusal::field(Code::Conflict, "client_id", "was used for something else");
            refuse(write, refusal, out);
        } else if seq > self.head {
            // In flight: answered when it is durable.
            if let Some(pending) = self.pending.iter_mut().find(|pending| pending.event.seq == seq) {
                pending.again |= write.again;
                pending.waiters.push(write.caller);
            }
        } else {
            out.push(Effect::Ack { caller: write.caller, client_id: write.client_id, seq, at, repeat: true });
        }
        None
    }

    fn number(&mut self, write: Write, content: Content, undo: Undo, now: Millis, out: &mut Vec<Effect>) {
        #[cfg(feature = "bugs")]
        super::bugs::skip(self.bug, &mut self.last, &mut self.head);
        self.last += 1;
        self.messages += u64::from(matches!(content, Content::Message { .. }));
        let event = Arc::new(Event {
            room: self.id,
            seq: self.last,
            at: now,
            sender: write.user,
            client_id: write.client_id,
            messages: self.messages,
            content,
        });
        self.window.record(&event);
        #[cfg(feature = "bugs")]
        super::bugs::ack_early(self.bug, &event, &write.caller, out);
        self.pending.push_back(Pending {
            event: Arc::clone(&event),
            caller: write.caller,
            again: write.again,
            waiters: Vec::new(),
            satisfied: Vec::new(),
            fate: None,
            undo,
        });
        out.push(Effect::Append(event));
    }

    fn decide(&mut self, write: &Write, target: Option<Target>, now: Millis) -> Result<Verdict, Refusal> {
        if self.deleted {
            return Err(match self.members.contains_key(&write.user) {
                true => Refusal::new(Code::Gone, "the room has ended"),
                false => self.stranger(),
            });
        }
        match &write.intent {
            Intent::Post { body, reply_to, mentions, attachments } => {
                self.post(write, body, *reply_to, mentions, attachments, now)
            }
            Intent::Edit { target: seq, body } => self.edit(write, *seq, body, target, now),
            Intent::Delete { target: seq } => self.delete(write, *seq, target),
            Intent::React { target: seq, emoji, remove } => self.react(write, *seq, emoji, *remove, target, now),
            Intent::Put { user, role, muted_until } => self.put(write, *user, *role, *muted_until, now),
            Intent::Remove { user, ban } => self.remove(write, *user, *ban),
            Intent::Unban { user } => self.unban(write, *user),
            Intent::Change(change) => self.change(write, change),
            Intent::Announce { text } => Self::announce(write, text),
            Intent::End => self.end(write),
        }
    }

    /// The member who writes, if they may do this here.
    pub(super) fn may(&self, write: &Write, action: Action) -> Result<Member, Refusal> {
        let member = self.members.get(&write.user).copied().ok_or_else(|| self.stranger())?;
        permission::allows(self.kind, member.role, action)?;
        Ok(member)
    }

    /// Whether the room takes words from this user now.
    pub(super) fn may_speak(&self, write: &Write, action: Action, now: Millis) -> Result<(), Refusal> {
        let member = self.may(write, action)?;
        if self.archived {
            return Err(Refusal::new(Code::Archived, "the room is closed for writing"));
        }
        if self.is_blocked(write.user) {
            return Err(Refusal::new(Code::Blocked, "they do not want to hear from you"));
        }
        match member.muted_until.map(|until| until.since(now)) {
            Some(left) if left > 0 => {
                Err(Refusal::new(Code::Muted, "you may not write here for now").after(left.unsigned_abs()))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn is_blocked(&self, user: UserId) -> bool {
        self.kind == RoomKind::Direct && self.blocking.iter().any(|by| *by != user)
    }

    /// What is known about a message, in memory or from the store.
    pub(super) fn target(&self, seq: Seq, looked: Option<Target>) -> Result<Target, Refusal> {
        let known = if self.window.reaches(seq) { self.window.target(seq) } else { looked };
        let known = known.ok_or_else(|| Refusal::field(Code::NotFound, "seq", "no such message"))?;
        Ok(Target { deleted: known.deleted || self.window.is_deleted(seq), ..known })
    }
}

fn look_up(parked: &mut Parked, out: &mut Vec<Effect>) {
    parked.look = Look::Asked;
    out.push(Effect::Look {
        ticket: parked.ticket,
        sender: parked.write.user,
        client_id: parked.write.client_id,
        target: parked.write.intent.target(),
    });
}

pub(super) fn refuse(write: Write, refusal: Refusal, out: &mut Vec<Effect>) {
    let confirm = is_confirmed(&write, &refusal);
    out.push(Effect::Nack { caller: write.caller, client_id: Some(write.client_id), refusal, confirm });
}

/// That there is no place needs no owner to be true, unless the write may have happened elsewhere before.
fn is_confirmed(write: &Write, refusal: &Refusal) -> bool {
    write.again || !matches!(refusal.code, Code::Busy | Code::Unavailable)
}

/// Refuses what nobody has looked for yet: true only of what was never asked for before.
fn undecided(write: Write, refusal: Refusal, out: &mut Vec<Effect>) {
    if write.again {
        out.push(Effect::Undecided { caller: write.caller, client_id: write.client_id });
    } else {
        refuse(write, refusal, out);
    }
}

pub(super) fn unavailable() -> Refusal {
    Refusal::new(Code::Unavailable, "the store takes nothing at the moment").after(UNAVAILABLE_RETRY_MS)
}

fn busy() -> Refusal {
    Refusal::new(Code::Busy, "too many writes to this room are under way").after(BUSY_RETRY_MS)
}
