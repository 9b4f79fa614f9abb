//! What nodes say to each other: one versioned envelope, its vocabulary, and its bytes.
//!
//! Every envelope is `version byte, bincode`. A node reads its own version and the one before; anything else is an error
//! that is counted, never a panic. Plain structs of their own: a change of the core cannot change these bytes unnoticed,
//! and golden files hold them.

pub mod attached;
pub mod call;
pub mod frame;
pub mod id;
pub mod intent;
pub mod registry;
pub mod room;

use bincode::{
    Decode, Encode,
    config::{Configuration, Limit, LittleEndian, Varint},
    error::DecodeError,
};
use bytes::Bytes;

pub use call::{Call, Reply};
pub use id::{Blob, Id};
pub use registry::RegistryNote;
pub use room::{Answer, FanOut, Moved, RoomInput, Unmarked};

/// The version that this node writes.
pub const VERSION: u8 = 1;
/// The oldest version that this node reads; there is none before the first.
pub const OLDEST: u8 = 1;

/// Bytes of one envelope at most: it must fit into the window of a link. A larger one is refused by who sends it.
pub const LARGEST: usize = (1 << 20) - 4_096;

/// What decoding may allocate at most. Without a limit eight hostile bytes end the process.
const LIMIT: usize = 4 << 20;

/// The one configuration of bincode: it is part of the format.
const CONFIG: Configuration<LittleEndian, Varint, Limit<LIMIT>> = bincode::config::standard().with_limit::<LIMIT>();

/// One message from a node to another. New variants go to the end.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum Envelope {
    /// Something for a room, by way of the node that owns its shard.
    ToRoom {
        /// Which.
        room: Id,
        /// What.
        what: RoomInput,
    },
    /// The answer to a write of a session.
    Answer(Answer),
    /// A write reached a node that does not own its room: send it again, to the owner.
    Moved(Moved),
    /// A room started anew: who waits for an answer of it asks again.
    Restarted {
        /// Which.
        room: Id,
    },
    /// Events of a room for everybody on a node who listens.
    FanOut(FanOut),
    /// A room has come at least this far: who has less reads the log.
    Head {
        /// Which.
        room: Id,
        /// How far.
        head: u64,
    },
    /// A frame for everybody who follows a room, apart from its log; may be lost.
    Passing {
        /// Which room.
        room: Id,
        /// The frame.
        frame: Blob,
    },
    /// Somebody types, for those who watch the room; may be lost.
    Typing {
        /// Which room.
        room: Id,
        /// Who.
        user: Id,
        /// The frame.
        frame: Blob,
    },
    /// The node has listeners for a room from now on, or none any more.
    Interest {
        /// Which room.
        room: Id,
        /// Whether.
        on: bool,
    },
    /// About users, their connections and their presence.
    Registry(RegistryNote),
    /// A question that somebody waits for.
    Call(Call),
    /// The answer to one.
    Reply(Reply),
    /// The node holds these shards, each under this epoch.
    Holding {
        /// The shards, with their epochs.
        shards: Vec<(u16, u64)>,
    },
    /// The node does not hold this shard.
    LetGo {
        /// Which.
        shard: u16,
    },
    /// Marks reached a node that does not own their room: say them again, to the owner.
    Unmarked(Unmarked),
}

/// What is shed first when a link is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Of the moment: typing, presence, marks that are shown. Shed first.
    Ephemeral,
    /// Events: shed next, since the log has them; the receiver is told how far their rooms are.
    Event,
    /// Writes, answers, who is where, who owns what: only refused when nothing fits any more.
    Control,
}

/// Why bytes are no envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nothing at all.
    #[error("an empty envelope")]
    Empty,
    /// A version that this node does not speak.
    #[error("an envelope of version {0}")]
    Version(u8),
    /// A kind of message that this version does not have.
    #[error("an envelope of an unknown kind")]
    Unknown,
    /// The bytes do not say what they should, or say more.
    #[error("a malformed envelope")]
    Malformed,
}

impl Refused {
    /// The word under which it is counted.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Empty | Self::Malformed => "malformed",
            Self::Version(_) => "version",
            Self::Unknown => "unknown",
        }
    }
}

/// An envelope is larger than [`LARGEST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an envelope may not be larger than {LARGEST} bytes")]
pub struct TooLarge;

impl Envelope {
    /// What happens to it when a link is full.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::ToRoom { what: RoomInput::Typing { .. }, .. } | Self::Passing { .. } | Self::Typing { .. } => {
                Class::Ephemeral
            }
            Self::FanOut(_) | Self::Head { .. } => Class::Event,
            Self::Registry(note) => note.class(),
            _ => Class::Control,
        }
    }

    /// What it is about: envelopes with the same key stay in their order.
    #[must_use]
    pub fn key(&self) -> u64 {
        match self {
            Self::ToRoom { room, .. }
            | Self::Restarted { room }
            | Self::Head { room, .. }
            | Self::Passing { room, .. }
            | Self::Typing { room, .. }
            | Self::Interest { room, .. } => room.key(),
            Self::Answer(answer) => answer.room.key(),
            Self::Moved(moved) => moved.room.key(),
            Self::Unmarked(unmarked) => unmarked.room.key(),
            Self::FanOut(fan_out) => fan_out.room.key(),
            Self::Registry(note) => note.key(),
            Self::Call(call) => call.ask.key(),
            Self::Reply(_) => 0,
            // In the order in which a node says it.
            Self::Holding { .. } | Self::LetGo { .. } => 1,
        }
    }

    /// Its bytes.
    ///
    /// # Errors
    /// It is larger than [`LARGEST`].
    pub fn encode(&self) -> Result<Bytes, TooLarge> {
        let mut bytes = Vec::with_capacity(self.size_hint());
        bytes.push(VERSION);
        bincode::encode_into_std_write(self, &mut bytes, CONFIG).map_err(|_| TooLarge)?;
        if bytes.len() > LARGEST {
            return Err(TooLarge);
        }
        Ok(bytes.into())
    }

    /// Reads an envelope.
    ///
    /// # Errors
    /// The bytes are none, or one of a version or kind that this node does not know.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        let (version, rest) = bytes.split_first().ok_or(Refused::Empty)?;
        if !(OLDEST..=VERSION).contains(version) {
            return Err(Refused::Version(*version));
        }
        match bincode::decode_from_slice::<Self, _>(rest, CONFIG) {
            // What follows would be a field that this version does not have.
            Ok((envelope, used)) if used == rest.len() => Ok(envelope),
            Err(DecodeError::UnexpectedVariant { .. }) => Err(Refused::Unknown),
            Ok(_) | Err(_) => Err(Refused::Malformed),
        }
    }

    /// About how many bytes it takes, so that encoding allocates once.
    fn size_hint(&self) -> usize {
        match self {
            Self::FanOut(fan_out) => {
                let acks: usize = fan_out.acks.iter().map(|ack| ack.frame.len() + 64).sum();
                fan_out.joined.len() + fan_out.ends.len() * 5 + fan_out.removed.len() * 26 + acks + 64
            }
            Self::Passing { frame, .. } | Self::Typing { frame, .. } => frame.len() + 64,
            Self::Answer(answer) => answer.frame.len() + 96,
            Self::Holding { shards } => shards.len() * 12 + 16,
            _ => 256,
        }
    }
}

#[cfg(test)]
mod tests;
