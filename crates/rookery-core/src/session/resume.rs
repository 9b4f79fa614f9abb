//! Catching up: after a reconnect, after `sync`, after a hole that we found ourselves.

use super::{Effect, Pull, Session, nack, send};
use crate::{
    frame::{Refusal, Retry, client::Sync, server::ServerFrame},
    ids::{RoomId, Seq},
    limits::REPLAY_PER_ROOM,
    time::Millis,
};

/// Milliseconds until what could not be read is asked for again; each pause is twice as long as the one before.
const PAUSE_MS: i64 = 500;
/// So often it is asked for again: for half a minute, which is longer than it takes until a dead node's rooms live elsewhere.
const TRIES: u8 = 6;

impl Session {
    /// The client asks for what is after a seq.
    pub(super) fn sync(&mut self, sync: Sync, out: &mut Vec<Effect>) {
        let Sync { room, after, id, .. } = sync;
        self.pull(room, after, Some(id), out);
    }

    /// Reads what is after this one. Whatever was being read before is not wanted any more.
    pub(super) fn pull(&mut self, room: RoomId, after: Seq, wanted: Option<Option<Box<str>>>, out: &mut Vec<Effect>) {
        self.ask_for(Pull { room, after, ticket: 0, wanted, tries: 0, again: None }, out);
    }

    fn ask_for(&mut self, pull: Pull, out: &mut Vec<Effect>) {
        let (room, after) = (pull.room, pull.after);
        self.pulls.retain(|other| other.room != room);
        // Zero is no question's number.
        self.tickets = self.tickets.wrapping_add(1).max(1);
        let ticket = self.tickets;
        self.pulls.push(Pull { ticket, again: None, ..pull });
        out.push(Effect::Pull { room, after, ticket });
    }

    /// Asks again for what could not be read before.
    pub(super) fn pull_again(&mut self, now: Millis, out: &mut Vec<Effect>) {
        while let Some(index) = self.pulls.iter().position(|pull| pull.again.is_some_and(|again| again <= now)) {
            let pull = self.pulls.swap_remove(index);
            self.ask_for(pull, out);
        }
    }

    /// Events did not arrive: reads them. Who waits for `synced` still gets it.
    pub(super) fn hole(&mut self, room: RoomId, after: Seq, out: &mut Vec<Effect>) {
        let waits = self.pulls.iter().position(|pull| pull.room == room);
        let wanted = waits.and_then(|index| self.pulls.swap_remove(index).wanted);
        self.pull(room, after, wanted, out);
    }

    pub(super) fn pulled(
        &mut self,
        room: RoomId,
        ticket: u32,
        after: Seq,
        answer: Result<Seq, Refusal>,
        now: Millis,
        out: &mut Vec<Effect>,
    ) {
        let Some(index) = self.pulls.iter().position(|pull| (pull.room, pull.ticket) == (room, ticket)) else { return };
        let id = self.pulls[index].wanted.clone();
        match (answer, id) {
            (Ok(head), Some(id)) if after > head || head - after > REPLAY_PER_ROOM => {
                self.end_pull(index);
                out.push(Effect::Unlisten { room });
                send(&ServerFrame::Gap { id: id.as_deref(), room, from: after + 1, to: head }, out);
            }
            (Ok(_), _) => out.push(Effect::Deliver { room }),
            (Err(refusal), id) if is_asked_again(&self.pulls[index], &refusal) => {
                let pull = &mut self.pulls[index];
                pull.again = Some(now.plus(PAUSE_MS << pull.tries));
                (pull.after, pull.tries, pull.wanted) = (after, pull.tries + 1, id);
            }
            (Err(refusal), id) => {
                self.end_pull(index);
                out.push(Effect::Unlisten { room });
                nack(&refusal, id.flatten().as_deref(), Some(room), None, out);
            }
        }
    }

    pub(super) fn caught_up(&mut self, room: RoomId, seq: Seq, out: &mut Vec<Effect>) {
        let Some(index) = self.pulls.iter().position(|pull| pull.room == room) else { return };
        let pull = self.end_pull(index);
        if let Some(id) = pull.wanted {
            send(&ServerFrame::Synced { id: id.as_deref(), room, seq }, out);
        }
    }

    fn end_pull(&mut self, index: usize) -> Pull {
        let pull = self.pulls.swap_remove(index);
        if self.pulls.is_empty() {
            self.pulls = Vec::new();
        }
        pull
    }
}

/// Whether the client need not hear that something could not be read. Who has given a question a name waits for its answer,
/// and asks again by themselves.
fn is_asked_again(pull: &Pull, refusal: &Refusal) -> bool {
    let has_name = matches!(pull.wanted, Some(Some(_)));
    !has_name && pull.tries < TRIES && refusal.code.retry() != Retry::No
}
