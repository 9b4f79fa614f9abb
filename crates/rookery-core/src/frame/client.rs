//! What clients say over a WebSocket.

use std::collections::BTreeMap;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};

use super::code::{Code, Refusal};
use crate::{
    ids::{ClientId, MAX_SEQ, MediaId, RoomId, Seq, UserId},
    limits::{self, Limits},
    text,
};

/// The words that `type` may be.
pub const KINDS: [&str; 10] = ["hello", "send", "edit", "delete", "react", "mark", "typing", "watch", "sync", "ping"];

/// Every field that a frame may have.
pub const FIELDS: [&str; 20] = [
    "type",
    "id",
    "cursors",
    "client",
    "room",
    "client_id",
    "body",
    "seen",
    "reply_to",
    "mentions",
    "attachments",
    "seq",
    "emoji",
    "remove",
    "read",
    "delivered",
    "on",
    "users",
    "rooms",
    "after",
];

/// One frame from a client.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientFrame {
    /// The first frame.
    Hello(Hello),
    /// Say something.
    Send(Send),
    /// Give a message another text.
    Edit(Edit),
    /// Take a message back.
    Delete(Delete),
    /// Set a reaction, or take it back.
    React(React),
    /// Move marks forwards.
    Mark(Mark),
    /// I type, or stopped.
    Typing(Typing),
    /// Whose presence and typing this device shows.
    Watch(Watch),
    /// Send me what is after this.
    Sync(Sync),
    /// Are you there?
    Ping(Ping),
}

macro_rules! frame {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident : $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            #[serde(rename = "type")]
            #[cfg_attr(feature = "schema", schema(value_type = String))]
            kind: IgnoredAny,
            /// Echoed in the answer.
            #[serde(default)]
            pub id: Option<Box<str>>,
            $($(#[$field_doc])* pub $field: $type,)*
        }
    };
}

frame!(
    /// The first frame.
    Hello {
        /// The newest seq that the client has of each room.
        #[serde(deserialize_with = "unique")]
        cursors: BTreeMap<RoomId, Seq>,
        /// What the client calls itself.
        #[serde(default)]
        client: Option<Box<str>>,
    }
);
frame!(
    /// Say something.
    Send {
        /// Where.
        room: RoomId,
        /// The idempotency key.
        client_id: ClientId,
        /// The text; may be empty with attachments.
        body: String,
        /// The newest seq that the client had when it first tried.
        #[serde(default)]
        seen: Option<Seq>,
        /// The message it answers.
        #[serde(default)]
        reply_to: Option<Seq>,
        /// Who it names.
        #[serde(default)]
        mentions: Vec<UserId>,
        /// The files that it carries, up to 10: one's own, of that room, and ready.
        #[serde(default)]
        attachments: Vec<MediaId>,
    }
);
frame!(
    /// Give a message another text.
    Edit {
        /// Where.
        room: RoomId,
        /// The idempotency key.
        client_id: ClientId,
        /// The message.
        seq: Seq,
        /// The text from now on.
        body: String,
        /// The newest seq that the client had when it first tried.
        #[serde(default)]
        seen: Option<Seq>,
    }
);
frame!(
    /// Take a message back.
    Delete {
        /// Where.
        room: RoomId,
        /// The idempotency key.
        client_id: ClientId,
        /// The message.
        seq: Seq,
        /// The newest seq that the client had when it first tried.
        #[serde(default)]
        seen: Option<Seq>,
    }
);
frame!(
    /// Set a reaction, or take it back.
    React {
        /// Where.
        room: RoomId,
        /// The idempotency key.
        client_id: ClientId,
        /// The message.
        seq: Seq,
        /// Which.
        emoji: Box<str>,
        /// Take it back.
        #[serde(default)]
        remove: bool,
        /// The newest seq that the client had when it first tried.
        #[serde(default)]
        seen: Option<Seq>,
    }
);
frame!(
    /// Move marks forwards.
    Mark {
        /// Where.
        room: RoomId,
        /// Read up to here.
        #[serde(default)]
        read: Option<Seq>,
        /// Delivered up to here.
        #[serde(default)]
        delivered: Option<Seq>,
    }
);
frame!(
    /// I type, or stopped.
    Typing {
        /// Where.
        room: RoomId,
        /// Whether.
        on: bool,
    }
);
frame!(
    /// Whose presence and typing this device shows; each list replaces the one before.
    Watch {
        /// Whose presence.
        #[serde(default)]
        users: Option<Vec<UserId>>,
        /// The typing in which rooms.
        #[serde(default)]
        rooms: Option<Vec<RoomId>>,
    }
);
frame!(
    /// Send me what is after this.
    Sync {
        /// Where.
        room: RoomId,
        /// The newest seq that the client has.
        after: Seq,
    }
);
frame!(
    /// Are you there?
    Ping {}
);

impl ClientFrame {
    /// Reads the frame of the given kind.
    ///
    /// # Errors
    /// Whatever the deserialiser finds.
    pub fn read<'de, D: Deserializer<'de>>(kind: &str, input: D) -> Result<Self, D::Error> {
        match kind {
            "hello" => Hello::deserialize(input).map(Self::Hello),
            "send" => Send::deserialize(input).map(Self::Send),
            "edit" => Edit::deserialize(input).map(Self::Edit),
            "delete" => Delete::deserialize(input).map(Self::Delete),
            "react" => React::deserialize(input).map(Self::React),
            "mark" => Mark::deserialize(input).map(Self::Mark),
            "typing" => Typing::deserialize(input).map(Self::Typing),
            "watch" => Watch::deserialize(input).map(Self::Watch),
            "sync" => Sync::deserialize(input).map(Self::Sync),
            "ping" => Ping::deserialize(input).map(Self::Ping),
            _ => Err(D::Error::custom("unknown type")),
        }
    }

    /// The request's id.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Hello(frame) => frame.id.as_deref(),
            Self::Send(frame) => frame.id.as_deref(),
            Self::Edit(frame) => frame.id.as_deref(),
            Self::Delete(frame) => frame.id.as_deref(),
            Self::React(frame) => frame.id.as_deref(),
            Self::Mark(frame) => frame.id.as_deref(),
            Self::Typing(frame) => frame.id.as_deref(),
            Self::Watch(frame) => frame.id.as_deref(),
            Self::Sync(frame) => frame.id.as_deref(),
            Self::Ping(frame) => frame.id.as_deref(),
        }
    }

    /// Holds every field to its range.
    ///
    /// # Errors
    /// `bad_request` or `too_large`, with the field.
    pub fn check(&self, limits: &Limits) -> Result<(), Refusal> {
        if let Some(id) = self.id() {
            label("id", id)?;
        }
        match self {
            Self::Hello(frame) => {
                frame.cursors.values().try_for_each(|seq| in_range("cursors", Some(*seq)))?;
                frame.client.as_deref().map_or(Ok(()), |client| label("client", client))
            }
            Self::Send(frame) => frame.check_send(limits),
            Self::Edit(frame) => {
                body(&frame.body, limits)?;
                in_range("seq", Some(frame.seq))?;
                in_range("seen", frame.seen)
            }
            Self::Delete(frame) => {
                in_range("seq", Some(frame.seq))?;
                in_range("seen", frame.seen)
            }
            Self::React(frame) => {
                in_range("seq", Some(frame.seq))?;
                in_range("seen", frame.seen)?;
                text::emoji(&frame.emoji)
            }
            Self::Mark(frame) => {
                in_range("read", frame.read)?;
                in_range("delivered", frame.delivered)?;
                if frame.read.is_none() && frame.delivered.is_none() {
                    return Err(Refusal::field(Code::BadRequest, "read", "name `read` or `delivered` or both"));
                }
                Ok(())
            }
            Self::Watch(frame) => {
                at_most("users", frame.users.as_ref().map_or(0, Vec::len), limits::WATCHED)?;
                at_most("rooms", frame.rooms.as_ref().map_or(0, Vec::len), limits::WATCHED)
            }
            Self::Sync(frame) => in_range("after", Some(frame.after)),
            Self::Typing(_) | Self::Ping(_) => Ok(()),
        }
    }
}

impl Send {
    fn check_send(&self, limits: &Limits) -> Result<(), Refusal> {
        said(&self.body, &self.attachments, limits)?;
        in_range("seen", self.seen)?;
        in_range("reply_to", self.reply_to)?;
        at_most("mentions", self.mentions.len(), limits::MENTIONS)
    }
}

/// Holds a message body to its limits: not empty, not too long; every byte is kept.
///
/// # Errors
/// `bad_request` or `too_large`.
pub fn body(body: &str, limits: &Limits) -> Result<(), Refusal> {
    if body.is_empty() {
        return Err(Refusal::field(Code::BadRequest, "body", "must not be empty"));
    }
    if body.len() > limits.body_bytes {
        let detail = format!("{} bytes, at most {}", body.len(), limits.body_bytes);
        return Err(Refusal::field(Code::TooLarge, "body", detail));
    }
    Ok(())
}

/// Holds what a message says and carries to its limits: it may say nothing only if it carries something.
///
/// # Errors
/// `bad_request` or `too_large`.
pub fn said(text: &str, attachments: &[MediaId], limits: &Limits) -> Result<(), Refusal> {
    at_most("attachments", attachments.len(), limits::ATTACHMENTS)?;
    let twice = attachments.iter().enumerate().any(|(at, id)| attachments[..at].contains(id));
    if twice {
        return Err(Refusal::field(Code::BadRequest, "attachments", "names a file twice"));
    }
    if text.is_empty() && !attachments.is_empty() { Ok(()) } else { body(text, limits) }
}

/// Holds a position to the range that JSON keeps exactly.
///
/// # Errors
/// `bad_request`.
pub fn in_range(field: &'static str, seq: Option<Seq>) -> Result<(), Refusal> {
    match seq {
        Some(seq) if seq > MAX_SEQ => Err(Refusal::field(Code::BadRequest, field, "larger than 2^53 − 1")),
        _ => Ok(()),
    }
}

/// Holds a list to its length.
///
/// # Errors
/// `bad_request`.
pub fn at_most(field: &'static str, length: usize, most: usize) -> Result<(), Refusal> {
    if length > most {
        return Err(Refusal::field(Code::BadRequest, field, format!("{length} entries, at most {most}")));
    }
    Ok(())
}

fn label(field: &'static str, text: &str) -> Result<(), Refusal> {
    if text.chars().count() > limits::LABEL_CHARS {
        return Err(Refusal::field(Code::BadRequest, field, format!("at most {} characters", limits::LABEL_CHARS)));
    }
    Ok(())
}

/// A map in which a key that stands twice is an error, not the last one's win.
fn unique<'de, D: Deserializer<'de>>(input: D) -> Result<BTreeMap<RoomId, Seq>, D::Error> {
    struct Unique;
    impl<'de> Visitor<'de> for Unique {
        type Value = BTreeMap<RoomId, Seq>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object of room ids and numbers")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some((room, seq)) = entries.next_entry()? {
                if map.insert(room, seq).is_some() {
                    return Err(A::Error::custom(format!("room {room} stands twice")));
                }
            }
            Ok(map)
        }
    }
    input.deserialize_map(Unique)
}
