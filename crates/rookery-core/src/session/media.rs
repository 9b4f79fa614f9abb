//! Writes that attach files wait until these were looked for, and what is said to the same room after them waits behind.

use super::{Ask, Effect, Session, Turn, nack};
use crate::{
    frame::{Code, Refusal},
    ids::{ClientId, RoomId},
    media::Attached,
    room::{Caller, Write},
};

/// Milliseconds after which a client should try again when files could not be looked for.
const RETRY_MS: u64 = 1_000;

impl Session {
    /// Whether a new write goes out at once; asks for what it waits for.
    pub(super) fn turn_of(&self, room: RoomId, write: &Write, out: &mut Vec<Effect>) -> Turn {
        let media = write.intent.named_media();
        if !media.is_empty() {
            out.push(Effect::Find { client_id: write.client_id, room, media });
            return Turn::Looking;
        }
        match self.asks.iter().any(|ask| ask.room == room && ask.turn != Turn::Said) {
            true => Turn::Behind,
            false => Turn::Said,
        }
    }

    /// The files of a write were looked for: it goes out if nothing before it waits, and so does what waited behind it.
    pub(super) fn found(&mut self, client_id: ClientId, found: Option<Vec<Attached>>, out: &mut Vec<Effect>) {
        let waits = |ask: &Ask| ask.write.client_id == client_id && ask.turn == Turn::Looking;
        let Some(index) = self.asks.iter().position(waits) else { return };
        let room = self.asks[index].room;
        match found {
            Some(found) => {
                self.asks[index].write.intent.with_media(found);
                self.asks[index].turn = Turn::Behind;
            }
            None => {
                let ask = self.asks.remove(index);
                let id = match &ask.write.caller {
                    Caller::Session { id, .. } => id.as_deref(),
                    Caller::Request(_) => None,
                };
                let refusal = Refusal::new(Code::Unavailable, "the files could not be looked for").after(RETRY_MS);
                nack(&refusal, id, Some(room), Some(client_id), out);
            }
        }
        self.say_in_turn(room, out);
    }

    fn say_in_turn(&mut self, room: RoomId, out: &mut Vec<Effect>) {
        for index in 0..self.asks.len() {
            if self.asks[index].room != room {
                continue;
            }
            match self.asks[index].turn {
                Turn::Looking => return,
                Turn::Said => {}
                Turn::Behind => {
                    self.asks[index].turn = Turn::Said;
                    self.say(index, out);
                }
            }
        }
    }
}
