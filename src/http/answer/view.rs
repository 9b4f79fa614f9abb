//! The bodies of answers: people, logins, rooms, messages as the contract shows them.

use rookery_core::{
    event::{Notify, Role, RoomKind, Visibility},
    ids::{ClientId, DeviceId, RoomId, Seq, UserId},
    media::Attachment,
    time::Millis,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::record::{self, ContactState, Device, Membership, PlatformRole, ReactionCount, RoomListing};

/// A person or a bot.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::http) struct User {
    /// Who.
    pub(in crate::http) id: UserId,
    /// Their handle; empty once the account is gone.
    pub(in crate::http) handle: String,
    /// Their name.
    pub(in crate::http) display_name: String,
    /// A few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    /// Since when.
    created_at: Millis,
    /// The account is gone.
    #[serde(skip_serializing_if = "is_false")]
    deleted: bool,
}

impl From<record::User> for User {
    fn from(user: record::User) -> Self {
        Self {
            id: user.id,
            handle: user.handle,
            display_name: user.display_name,
            about: user.about,
            created_at: user.created_at,
            deleted: user.deleted,
        }
    }
}

/// What somebody may do on the whole server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum ServerRole {
    /// Chat.
    User,
    /// Operate the server too.
    Admin,
}

impl From<PlatformRole> for ServerRole {
    fn from(role: PlatformRole) -> Self {
        match role {
            PlatformRole::User => Self::User,
            PlatformRole::Admin => Self::Admin,
        }
    }
}

impl From<ServerRole> for PlatformRole {
    fn from(role: ServerRole) -> Self {
        match role {
            ServerRole::User => Self::User,
            ServerRole::Admin => Self::Admin,
        }
    }
}

/// Who I am.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::http) struct Me {
    #[serde(flatten)]
    user: User,
    /// My address.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// What I may do on the whole server.
    role: ServerRole,
}

impl From<record::User> for Me {
    fn from(user: record::User) -> Self {
        Self { email: user.email.clone(), role: user.role.into(), user: user.into() }
    }
}

/// One login.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Device)]
pub(in crate::http) struct DeviceView {
    /// Which.
    id: DeviceId,
    /// What its owner calls it.
    name: String,
    /// Since when.
    created_at: Millis,
    /// When it was last used, to a minute or so.
    last_used_at: Millis,
    /// Whether it is the one that asks.
    current: bool,
}

impl DeviceView {
    pub(in crate::http) fn of(device: Device, current: DeviceId) -> Self {
        Self {
            current: device.id == current,
            id: device.id,
            name: device.name,
            created_at: device.created_at,
            last_used_at: device.last_used_at,
        }
    }
}

/// How two people stand.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum Standing {
    /// I invited them.
    Invited,
    /// They invited me.
    Asking,
    /// Both want it.
    Contact,
}

/// Somebody that I know, invited, or was invited by.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::http) struct Contact {
    /// Who.
    user: User,
    /// How we stand.
    state: Standing,
    /// Since when.
    since: Millis,
}

impl From<record::Contact> for Contact {
    fn from(contact: record::Contact) -> Self {
        let state = match contact.state {
            ContactState::Invited => Standing::Invited,
            ContactState::Asking => Standing::Asking,
            ContactState::Contact => Standing::Contact,
        };
        Self { user: contact.user.into(), state, since: contact.since }
    }
}

/// A conversation; the fields from `role` on are there for its members only.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::http) struct Room {
    /// Which.
    id: RoomId,
    /// What sort.
    kind: RoomKind,
    /// Its name; empty for a direct room.
    name: String,
    /// What it is about.
    #[serde(skip_serializing_if = "String::is_empty")]
    topic: String,
    /// Who may find and join it.
    visibility: Visibility,
    /// Whether it is closed for writing.
    archived: bool,
    /// Since when.
    created_at: Millis,
    /// How many members.
    members: u64,
    /// Its last event.
    head: Seq,
    /// The other one of a direct room.
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<User>,
    /// What I may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    /// Read up to here.
    #[serde(skip_serializing_if = "Option::is_none")]
    read: Option<Seq>,
    /// Delivered up to here.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered: Option<Seq>,
    /// Messages after `read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<u64>,
    /// What I want to be told of.
    #[serde(skip_serializing_if = "Option::is_none")]
    notify: Option<Notify>,
    /// Its newest message.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_message: Option<Message>,
}

impl Room {
    pub(in crate::http) fn of(listing: RoomListing, peer: Option<User>) -> Self {
        let RoomListing { record, view, head, last_message, .. } = listing;
        let last_message = last_message.filter(|_| view.is_some()).map(Message::from);
        Self {
            id: record.id,
            kind: record.kind,
            name: record.name,
            topic: record.topic,
            visibility: record.visibility,
            archived: record.archived,
            created_at: record.created_at,
            members: record.members,
            head,
            peer,
            role: view.as_ref().map(|view| view.role),
            read: view.as_ref().map(|view| view.read),
            delivered: view.as_ref().map(|view| view.delivered),
            unread: view.as_ref().map(|view| view.unread),
            notify: view.as_ref().map(|view| view.notify),
            last_message,
        }
    }
}

/// Somebody in a room.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::http) struct Member {
    /// Who.
    user: User,
    /// What they may do.
    role: Role,
    /// Since when.
    joined_at: Millis,
    /// Until when they may not write.
    #[serde(skip_serializing_if = "Option::is_none")]
    muted_until: Option<Millis>,
    /// Read up to here; in rooms of up to 100 only.
    #[serde(skip_serializing_if = "Option::is_none")]
    read: Option<Seq>,
    /// Delivered up to here; in rooms of up to 100 only.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered: Option<Seq>,
}

impl Member {
    pub(in crate::http) fn of(membership: &Membership, user: User, marks: bool, now: Millis) -> Self {
        Self {
            user,
            role: membership.role,
            joined_at: membership.joined_at,
            muted_until: membership.muted_until.filter(|until| *until > now),
            read: marks.then_some(membership.read),
            delivered: marks.then_some(membership.delivered),
        }
    }
}

/// The present state of a message.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::http) struct Message {
    /// Where.
    room: RoomId,
    /// Its place.
    pub(in crate::http) seq: Seq,
    /// When.
    at: Millis,
    /// Who.
    from: UserId,
    /// The idempotency key of the send.
    client_id: ClientId,
    /// The text as it is now; empty once deleted.
    body: String,
    /// When it was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    edited_at: Option<Millis>,
    /// It was taken back.
    #[serde(skip_serializing_if = "is_false")]
    deleted: bool,
    /// What it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<Seq>,
    /// Who it names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mentions: Vec<UserId>,
    /// The files that it carries; none once deleted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment>,
    /// How people react.
    reactions: Vec<Reactions>,
}

/// How many react with one emoji.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::http) struct Reactions {
    /// Which.
    emoji: String,
    /// How many.
    count: u64,
    /// Whether I am one of them.
    mine: bool,
}

impl From<record::Message> for Message {
    fn from(message: record::Message) -> Self {
        let counted = |count: ReactionCount| Reactions { emoji: count.emoji, count: count.count, mine: count.mine };
        Self {
            room: message.room,
            seq: message.seq,
            at: message.at,
            from: message.from,
            client_id: message.client_id,
            body: message.body,
            edited_at: message.edited_at,
            deleted: message.deleted,
            reply_to: message.reply_to,
            mentions: message.mentions,
            attachments: message.attachments,
            reactions: message.reactions.into_iter().map(counted).collect(),
        }
    }
}

/// Where a write went.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::http) struct Receipt {
    /// The room.
    pub(in crate::http) room: RoomId,
    /// Its place in the log.
    pub(in crate::http) seq: Seq,
    /// When it was accepted.
    pub(in crate::http) at: Millis,
    /// The idempotency key.
    pub(in crate::http) client_id: ClientId,
    /// It had happened before.
    #[serde(skip_serializing_if = "is_false")]
    pub(in crate::http) repeat: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}
