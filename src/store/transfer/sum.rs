//! What a room's log comes to: every event, and every message in its present state.

use rookery_core::{
    event::Event,
    ids::{RoomId, Seq, UserId},
};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::Progress;
use crate::store::{
    StoreError,
    log::Window,
    record::{Message, Reaction},
};

/// Events that are read, and written, at once: with the longest bodies a few megabytes.
pub(super) const EVENTS: usize = 500;

/// Takes in a room piece by piece.
#[derive(Default)]
pub(super) struct LogSum(Sha256);

impl LogSum {
    /// Takes in the events after `at`, and says which was the last.
    pub(super) fn events(&mut self, events: &[Event], at: Seq, head: Seq) -> Result<Seq, StoreError> {
        let mut last = at;
        for event in events {
            if event.seq != last + 1 {
                return Err(hole(event.room, last + 1));
            }
            last = event.seq;
            self.number(event.seq);
            self.number(event.at.0.cast_unsigned());
            self.number(event.messages);
            self.id(event.sender.0);
            self.id(event.client_id.0);
            self.bytes(&event.content.to_stored());
        }
        match events.last() {
            None => Err(StoreError::Corrupt(format!("a log ends at {at} and not at {head}"))),
            Some(_) => Ok(last),
        }
    }

    /// Takes in a message as it is now.
    pub(super) fn message(&mut self, message: &Message, reactions: &[Reaction]) {
        self.number(message.seq);
        self.bytes(message.body.as_bytes());
        self.number(message.edited_at.map_or(0, |at| at.0.cast_unsigned()));
        self.number(u64::from(message.deleted));
        for reaction in &message.reactions {
            self.bytes(reaction.emoji.as_bytes());
            self.number(reaction.count);
        }
        for reaction in reactions {
            self.bytes(reaction.emoji.as_bytes());
            self.id(reaction.user.0);
            self.number(reaction.at.0.cast_unsigned());
        }
    }

    pub(super) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    /// Where the next messages are.
    pub(super) const fn window(after: Seq) -> Window {
        Window::After(after)
    }

    /// Who looks: nobody.
    pub(super) const fn viewer() -> UserId {
        UserId(Uuid::nil())
    }

    /// After which message to go on.
    pub(super) fn next(messages: &[Message]) -> Option<Seq> {
        messages.last().map(|message| message.seq)
    }

    fn number(&mut self, number: u64) {
        self.0.update(number.to_be_bytes());
    }

    fn id(&mut self, id: Uuid) {
        self.0.update(id);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }
}

fn hole(room: RoomId, seq: Seq) -> StoreError {
    StoreError::Corrupt(format!("event {seq} of room {room} is missing"))
}

/// Tells nobody.
pub(super) struct Quiet;

impl Progress for Quiet {
    fn begin(&self, _part: &str, _total: u64) {}
    fn done(&self, _amount: u64) {}
}
