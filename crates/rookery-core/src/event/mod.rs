//! What stands in a room's log: the only truth about the room.

pub mod media;

use serde::{Deserialize, Serialize};

use self::media::Attachment;
use crate::{
    ids::{ClientId, RoomId, Seq, UserId},
    time::Millis,
};

/// One entry of a room's log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// The room.
    pub room: RoomId,
    /// Its position: 1, 2, 3 … with no hole.
    pub seq: Seq,
    /// When the room accepted it; for people's eyes, never for order.
    pub at: Millis,
    /// Who did it.
    pub sender: UserId,
    /// The idempotency key.
    pub client_id: ClientId,
    /// How many messages the log holds up to and including this entry; unread counts are differences of it.
    pub messages: u64,
    /// What it says.
    pub content: Content,
}

/// What an entry says. Serialised (behind a version byte) as the `body` column of the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "k", rename_all = "snake_case")]
pub enum Content {
    /// Somebody said something.
    Message {
        /// The text, byte for byte; empty once deleted.
        body: String,
        /// The message it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<Seq>,
        /// Who it names.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        mentions: Vec<UserId>,
        /// The files that it carries, described.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<Attachment>,
    },
    /// A message got another text.
    Edit {
        /// The message.
        target: Seq,
        /// The text; empty once the message is deleted.
        body: String,
    },
    /// A message was taken back.
    Delete {
        /// The message.
        target: Seq,
        /// Whether it carried files, which go with it.
        #[serde(default, skip_serializing_if = "is_false")]
        attachments: bool,
    },
    /// A reaction was set or taken back.
    Reaction {
        /// The message.
        target: Seq,
        /// The emoji.
        emoji: String,
        /// Whether it was taken back.
        #[serde(default, skip_serializing_if = "is_false")]
        remove: bool,
    },
    /// Somebody's membership changed.
    Member {
        /// Whose.
        user: UserId,
        /// How.
        change: MemberChange,
        /// The role from now on, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<Role>,
        /// Until when they are muted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Millis>,
    },
    /// The room itself changed.
    Room(RoomChange),
}

/// A change of the room itself; only what changed is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RoomChange {
    /// What kind of change.
    pub change: RoomChangeKind,
    /// The name from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The topic from now on; empty means none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Who may find and join it from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// Whether it is closed for writing from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
    /// What an operator announces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What kind of change of a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RoomChangeKind {
    /// It began.
    Created,
    /// Its name, topic, visibility or archived state changed.
    #[default]
    Changed,
    /// An operator says something.
    Announcement,
    /// It ended.
    Deleted,
}

/// How a membership changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MemberChange {
    /// Came in, by themselves or added.
    Joined,
    /// Went by themselves.
    Left,
    /// Was taken out.
    Removed,
    /// Was taken out and may not come back.
    Banned,
    /// May come back.
    Unbanned,
    /// Has another role.
    Role,
    /// May not write for some time, or may again.
    Muted,
}

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads and reacts.
    Reader,
    /// Writes too.
    Member,
    /// Looks after members and messages.
    Admin,
    /// May do everything; at least one per room.
    Owner,
}

/// What sort of room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RoomKind {
    /// Exactly two people, for ever.
    Direct,
    /// Everybody writes.
    Group,
    /// Who joins only reads.
    Channel,
}

/// Who may find a room and join it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Who is added.
    Private,
    /// Everybody.
    Public,
}

/// What a member wants to be told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Notify {
    /// Every message.
    #[default]
    All,
    /// Messages that name them.
    Mentions,
    /// Nothing.
    None,
}

/// The sort of an entry, as the store and the wire name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// [`Content::Message`]
    Message,
    /// [`Content::Edit`]
    Edit,
    /// [`Content::Delete`]
    Delete,
    /// [`Content::Reaction`]
    Reaction,
    /// [`Content::Member`]
    Member,
    /// [`Content::Room`]
    Room,
}

impl Content {
    /// The sort of this content.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Message { .. } => Kind::Message,
            Self::Edit { .. } => Kind::Edit,
            Self::Delete { .. } => Kind::Delete,
            Self::Reaction { .. } => Kind::Reaction,
            Self::Member { .. } => Kind::Member,
            Self::Room(_) => Kind::Room,
        }
    }

    /// The message that an edit, a delete or a reaction is about.
    #[must_use]
    pub const fn target(&self) -> Option<Seq> {
        match self {
            Self::Edit { target, .. } | Self::Delete { target, .. } | Self::Reaction { target, .. } => Some(*target),
            _ => None,
        }
    }

    /// The stored form: a version byte (1), then compact JSON.
    #[must_use]
    pub fn to_stored(&self) -> Vec<u8> {
        let mut bytes = vec![1];
        // Serialising plain data with string keys into memory cannot fail.
        let _ = serde_json::to_writer(&mut bytes, self);
        bytes
    }

    /// Reads the stored form. `None`: not one of ours, or of a version that we do not know.
    #[must_use]
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [1, json @ ..] => serde_json::from_slice(json).ok(),
            _ => None,
        }
    }

    /// The same content with every word of a deleted message taken out.
    #[must_use]
    pub fn erased(&self) -> Self {
        match self {
            Self::Message { reply_to, .. } => {
                let (body, mentions, attachments) = (String::new(), Vec::new(), Vec::new());
                Self::Message { body, reply_to: *reply_to, mentions, attachments }
            }
            Self::Edit { target, .. } => Self::Edit { target: *target, body: String::new() },
            other => other.clone(),
        }
    }
}

impl Kind {
    /// The number that stands in the store; never changes.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Message => 0,
            Self::Edit => 1,
            Self::Delete => 2,
            Self::Reaction => 3,
            Self::Member => 4,
            Self::Room => 5,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}
