//! Links: for each peer a bounded queue, and a task that takes it to the peer's relays in batches, against credit.
//!
//! A link is at most once. What waits in one that ends is lost and counted; what comes by one that has ended is not taken.

pub mod connection;
mod pump;
pub mod queue;
mod table;

use std::sync::Arc;

pub use connection::Connection;
pub(in crate::cluster) use table::{Events, refused};
pub use table::{LinkState, Links, SendError};

use bytes::Bytes;
use queue::{Closed, Queue};

use super::wire::{Class, Envelope};

/// The sending end of a link that is up.
pub(in crate::cluster) struct Link {
    pub(in crate::cluster) connection: Arc<Connection>,
    queue: Queue,
}

impl Link {
    /// Takes an envelope for the peer.
    fn offer(&self, envelope: Envelope) -> Result<(), SendError> {
        let class = envelope.class();
        if !self.queue.has_place(class) {
            return Err(self.shed(class, Some(envelope)));
        }
        let key = envelope.key();
        match self.queue.put(class, key, envelope.encode().map_err(|_| SendError::TooLarge)?) {
            Ok(()) => Ok(()),
            Err(Closed::Full) => Err(self.owe(envelope)),
            Err(Closed::Ended) => Err(SendError::NoLink),
        }
    }

    /// Takes an envelope that is encoded already.
    fn offer_encoded(&self, envelope: &Envelope, bytes: Bytes) -> Result<(), SendError> {
        match self.queue.put(envelope.class(), envelope.key(), bytes) {
            Ok(()) => Ok(()),
            Err(Closed::Full) => Err(self.owe(envelope.clone())),
            Err(Closed::Ended) => Err(SendError::NoLink),
        }
    }

    fn shed(&self, class: Class, envelope: Option<Envelope>) -> SendError {
        self.queue.refuse(class);
        envelope.map_or(SendError::Full, |envelope| self.owe(envelope))
    }

    /// Events that are shed leave their head behind, and their acks, which are not shed with them.
    fn owe(&self, envelope: Envelope) -> SendError {
        let (room, head) = match &envelope {
            Envelope::FanOut(fan_out) => (fan_out.room, fan_out.last),
            Envelope::Head { room, head } => (*room, *head),
            _ => return SendError::Full,
        };
        if !self.queue.owe(room, head) {
            self.connection.end("far too much waits for it");
        }
        if let Envelope::FanOut(fan_out) = envelope {
            for answer in fan_out.into_answers() {
                let answer = Envelope::Answer(answer);
                if let Ok(bytes) = answer.encode() {
                    // When not even answers fit, the client asks again with the same key.
                    let _ = self.queue.put(Class::Control, answer.key(), bytes);
                }
            }
        }
        SendError::Full
    }
}
