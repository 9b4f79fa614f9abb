//! A write to a room, as it travels: who, what, and what a refusal says.

use bincode::{Decode, Encode};
use rookery_core::{
    event::{Role as CoreRole, RoomChange as CoreRoomChange, RoomChangeKind, Visibility as CoreVisibility},
    frame::{Code, Refusal as CoreRefusal},
    ids::UserId,
    room::{Authority as CoreAuthority, Caller, Intent as CoreIntent, Write as CoreWrite},
    time::Millis,
};

use super::{
    attached::Attached,
    id::{Id, mirror},
};

mirror!(
    /// What a member may do.
    Role = CoreRole { Reader, Member, Admin, Owner }
);
mirror!(
    /// Who may find a room.
    Visibility = CoreVisibility { Private, Public }
);
mirror!(
    /// What kind of change of a room.
    ChangeKind = RoomChangeKind { Created, Changed, Announcement, Deleted }
);
mirror!(
    /// On whose authority.
    Authority = CoreAuthority { Member, Server }
);

/// A write that somebody wants.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Write {
    /// Who.
    pub user: Id,
    /// On whose authority.
    pub authority: Authority,
    /// The idempotency key.
    pub client_id: Id,
    /// The newest event that the client had when it first tried.
    pub seen: u64,
    /// It was asked for before, and may have happened then.
    pub again: bool,
    /// The one of the same connection before it, if that is not answered yet: not taken by who has not seen that one.
    pub after: Option<Id>,
    /// What.
    pub intent: Intent,
}

impl Write {
    /// The same for the core; who is answered is the receiver's to say.
    #[must_use]
    pub fn into_core(self, caller: Caller) -> CoreWrite {
        CoreWrite {
            caller,
            user: self.user.into(),
            authority: self.authority.into(),
            client_id: self.client_id.into(),
            seen: self.seen,
            again: self.again,
            after: self.after.map(Into::into),
            intent: self.intent.into(),
        }
    }
}

impl From<&CoreWrite> for Write {
    fn from(write: &CoreWrite) -> Self {
        Self {
            user: write.user.into(),
            authority: write.authority.into(),
            client_id: write.client_id.into(),
            seen: write.seen,
            again: write.again,
            after: write.after.map(Into::into),
            intent: write.intent.clone().into(),
        }
    }
}

/// What a write wants.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum Intent {
    /// Say something.
    Post {
        /// The text.
        body: String,
        /// The message it answers.
        reply_to: Option<u64>,
        /// Who it names.
        mentions: Vec<Id>,
    },
    /// Give a message another text.
    Edit {
        /// The message.
        target: u64,
        /// The text.
        body: String,
    },
    /// Take a message back.
    Delete {
        /// The message.
        target: u64,
    },
    /// Set or take back a reaction.
    React {
        /// The message.
        target: u64,
        /// Which.
        emoji: String,
        /// Take it back.
        remove: bool,
    },
    /// Join, add somebody, change a role, mute.
    Put {
        /// Whom.
        user: Id,
        /// The role from now on.
        role: Option<Role>,
        /// `Some(None)`: may write again.
        muted_until: Option<Option<i64>>,
    },
    /// Take somebody out, or leave.
    Remove {
        /// Whom.
        user: Id,
        /// And keep them out.
        ban: bool,
    },
    /// Let somebody come back.
    Unban {
        /// Whom.
        user: Id,
    },
    /// Change the room.
    Change(RoomChange),
    /// An operator says something.
    Announce {
        /// What.
        text: String,
    },
    /// End the room.
    End,
    /// Say something that carries files.
    PostWith {
        /// The text.
        body: String,
        /// The message it answers.
        reply_to: Option<u64>,
        /// Who it names.
        mentions: Vec<Id>,
        /// The files.
        attachments: Vec<Attached>,
    },
}

impl From<CoreIntent> for Intent {
    fn from(intent: CoreIntent) -> Self {
        match intent {
            CoreIntent::Post { body, reply_to, mentions, attachments } => {
                let mentions = mentions.into_iter().map(Id::from).collect();
                // As it was before there were files, so that a node of that time understands it.
                if attachments.is_empty() {
                    return Self::Post { body, reply_to, mentions };
                }
                let attachments = attachments.into_iter().map(Attached::from).collect();
                Self::PostWith { body, reply_to, mentions, attachments }
            }
            CoreIntent::Edit { target, body } => Self::Edit { target, body },
            CoreIntent::Delete { target } => Self::Delete { target },
            CoreIntent::React { target, emoji, remove } => Self::React { target, emoji, remove },
            CoreIntent::Put { user, role, muted_until } => Self::Put {
                user: user.into(),
                role: role.map(Role::from),
                muted_until: muted_until.map(|until| until.map(|at| at.0)),
            },
            CoreIntent::Remove { user, ban } => Self::Remove { user: user.into(), ban },
            CoreIntent::Unban { user } => Self::Unban { user: user.into() },
            CoreIntent::Change(change) => Self::Change(change.into()),
            CoreIntent::Announce { text } => Self::Announce { text },
            CoreIntent::End => Self::End,
        }
    }
}

impl From<Intent> for CoreIntent {
    fn from(intent: Intent) -> Self {
        match intent {
            Intent::Post { body, reply_to, mentions } => {
                let mentions = mentions.into_iter().map(UserId::from).collect();
                Self::Post { body, reply_to, mentions, attachments: Vec::new() }
            }
            Intent::PostWith { body, reply_to, mentions, attachments } => Self::Post {
                body,
                reply_to,
                mentions: mentions.into_iter().map(UserId::from).collect(),
                attachments: attachments.into_iter().map(Into::into).collect(),
            },
            Intent::Edit { target, body } => Self::Edit { target, body },
            Intent::Delete { target } => Self::Delete { target },
            Intent::React { target, emoji, remove } => Self::React { target, emoji, remove },
            Intent::Put { user, role, muted_until } => Self::Put {
                user: user.into(),
                role: role.map(CoreRole::from),
                muted_until: muted_until.map(|until| until.map(Millis)),
            },
            Intent::Remove { user, ban } => Self::Remove { user: user.into(), ban },
            Intent::Unban { user } => Self::Unban { user: user.into() },
            Intent::Change(change) => Self::Change(change.into()),
            Intent::Announce { text } => Self::Announce { text },
            Intent::End => Self::End,
        }
    }
}

/// A change of the room itself; only what changed is there.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct RoomChange {
    /// What kind.
    pub change: ChangeKind,
    /// The name from now on.
    pub name: Option<String>,
    /// The topic from now on.
    pub topic: Option<String>,
    /// Who may find it from now on.
    pub visibility: Option<Visibility>,
    /// Whether it is closed for writing from now on.
    pub archived: Option<bool>,
    /// What an operator announces.
    pub text: Option<String>,
}

impl From<CoreRoomChange> for RoomChange {
    fn from(it: CoreRoomChange) -> Self {
        let CoreRoomChange { change, name, topic, visibility, archived, text } = it;
        Self { change: change.into(), name, topic, visibility: visibility.map(Visibility::from), archived, text }
    }
}

impl From<RoomChange> for CoreRoomChange {
    fn from(it: RoomChange) -> Self {
        let RoomChange { change, name, topic, visibility, archived, text } = it;
        Self { change: change.into(), name, topic, visibility: visibility.map(CoreVisibility::from), archived, text }
    }
}

/// It did not happen and will not.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Refusal {
    /// The stable word.
    pub code: String,
    /// For people.
    pub detail: String,
    /// The field at fault.
    pub field: Option<String>,
    /// How long to wait, in milliseconds.
    pub retry_after_ms: Option<u64>,
}

/// The fields that a room finds fault with.
const FIELDS: [&str; 18] = [
    "attachments",
    "ban",
    "body",
    "client_id",
    "delivered",
    "emoji",
    "members",
    "mentions",
    "muted_until",
    "name",
    "read",
    "remove",
    "reply_to",
    "role",
    "seq",
    "target",
    "topic",
    "user",
];

impl From<CoreRefusal> for Refusal {
    fn from(refusal: CoreRefusal) -> Self {
        Self {
            code: refusal.code.as_str().to_owned(),
            detail: refusal.detail,
            field: refusal.field.map(str::to_owned),
            retry_after_ms: refusal.retry_after_ms,
        }
    }
}

impl From<Refusal> for CoreRefusal {
    fn from(refusal: Refusal) -> Self {
        // A word of a newer version: it did not happen, and more is not known.
        let code = Code::ALL.into_iter().find(|code| code.as_str() == refusal.code).unwrap_or(Code::Unavailable);
        let field = refusal.field.as_deref();
        Self {
            code,
            detail: refusal.detail.clone(),
            field: field.and_then(|field| FIELDS.into_iter().find(|known| *known == field)),
            retry_after_ms: refusal.retry_after_ms,
        }
    }
}
