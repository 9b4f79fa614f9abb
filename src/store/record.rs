//! What the stores hand out and take in.

use rookery_core::{
    event::{Event, Notify, Role, RoomKind, Visibility},
    frame::server::RoomView,
    ids::{ClientId, DeviceId, RoomId, Seq, UserId},
    media::Attachment,
    time::Millis,
};

/// What a user may do on the whole server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlatformRole {
    /// Chat.
    User,
    /// Operate the server too.
    Admin,
}

/// A person or a bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// Their handle, folded; empty once the account is gone.
    pub handle: String,
    /// Their name.
    pub display_name: String,
    /// A few words.
    pub about: Option<String>,
    /// Their address; lower case.
    pub email: Option<String>,
    /// What they may do.
    pub role: PlatformRole,
    /// Whether an operator has shut them out.
    pub disabled: bool,
    /// Whether the account is gone.
    pub deleted: bool,
    /// Since when.
    pub created_at: Millis,
    /// When they were last connected.
    pub last_seen: Option<Millis>,
}

/// A new account.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Its record.
    pub user: User,
    /// What looks like the handle; unique.
    pub skeleton: String,
    /// The password's hash (PHC string).
    pub password_hash: String,
}

/// What a login is checked against.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Whose.
    pub user: User,
    /// The password's hash (PHC string).
    pub password_hash: String,
    /// Failed tries since the last success.
    pub failures: u32,
    /// When the last one was.
    pub failed_at: Millis,
}

/// What to change of a user; `None` leaves it, `Some(None)` clears it.
#[derive(Clone, Debug, Default)]
pub struct UserPatch {
    /// The name.
    pub display_name: Option<String>,
    /// The few words.
    pub about: Option<Option<String>>,
    /// The address.
    pub email: Option<Option<String>>,
    /// Whether an operator shuts them out.
    pub disabled: Option<bool>,
    /// What they may do.
    pub role: Option<PlatformRole>,
}

/// One login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Which.
    pub id: DeviceId,
    /// Whose.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// Since when.
    pub created_at: Millis,
    /// When it was last used, to a minute or so.
    pub last_used_at: Millis,
    /// When it ends by itself.
    pub expires_at: Millis,
}

/// A room, apart from its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomRecord {
    /// Which.
    pub id: RoomId,
    /// What sort.
    pub kind: RoomKind,
    /// Its name; empty for a direct room.
    pub name: String,
    /// What it is about; empty for nothing.
    pub topic: String,
    /// Who may find and join it.
    pub visibility: Visibility,
    /// Whether it is closed for writing.
    pub archived: bool,
    /// Whether it has ended.
    pub deleted: bool,
    /// Since when.
    pub created_at: Millis,
    /// How many members.
    pub members: u64,
    /// The two of a direct room.
    pub pair: Option<(UserId, UserId)>,
}

/// A room that begins, with the first entries of its log.
#[derive(Clone, Debug)]
pub struct NewRoom {
    /// Its record; `members` counts what the events say.
    pub record: RoomRecord,
    /// Its first events, from seq 1 on without a hole.
    pub events: Vec<Event>,
}

/// What became of a [`NewRoom`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// It is there.
    New,
    /// The two had a direct room already: this one.
    Existing(RoomId),
}

/// Somebody's membership of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Where.
    pub room: RoomId,
    /// Who.
    pub user: UserId,
    /// What they may do.
    pub role: Role,
    /// Since when.
    pub joined_at: Millis,
    /// The first event that they see.
    pub visible_from: Seq,
    /// Until when they may not write.
    pub muted_until: Option<Millis>,
    /// Read up to here.
    pub read: Seq,
    /// Delivered up to here.
    pub delivered: Seq,
    /// What they want to be told of.
    pub notify: Notify,
    /// Until when they want to be told of nothing.
    pub notify_muted_until: Option<Millis>,
}

/// A room in the list of one of its members.
#[derive(Clone, Debug)]
pub struct RoomListing {
    /// The room.
    pub record: RoomRecord,
    /// How its member sees it; `None` for who is not in it.
    pub view: Option<RoomView>,
    /// Its last event; 0 for none.
    pub head: Seq,
    /// Its newest message that the member may see.
    pub last_message: Option<Message>,
    /// When its last event was.
    pub active_at: Millis,
}

/// The present state of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where.
    pub room: RoomId,
    /// Its place.
    pub seq: Seq,
    /// When.
    pub at: Millis,
    /// Who.
    pub from: UserId,
    /// The idempotency key of the send.
    pub client_id: ClientId,
    /// The text as it is now; empty once deleted.
    pub body: String,
    /// When it was last changed.
    pub edited_at: Option<Millis>,
    /// Whether it was taken back.
    pub deleted: bool,
    /// What it answers.
    pub reply_to: Option<Seq>,
    /// Who it names.
    pub mentions: Vec<UserId>,
    /// The files that it carries; none once deleted.
    pub attachments: Vec<Attachment>,
    /// How people react.
    pub reactions: Vec<ReactionCount>,
}

/// How many react with one emoji.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReactionCount {
    /// Which.
    pub emoji: String,
    /// How many.
    pub count: u64,
    /// Whether the viewer is one of them.
    pub mine: bool,
}

/// One reaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// Which.
    pub emoji: String,
    /// Whose.
    pub user: UserId,
    /// When.
    pub at: Millis,
}

/// How two people stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactState {
    /// I invited them.
    Invited,
    /// They invited me.
    Asking,
    /// Both want it.
    Contact,
}

/// Somebody that I know, invited, or was invited by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Who.
    pub user: User,
    /// How we stand.
    pub state: ContactState,
    /// Since when.
    pub since: Millis,
}

/// An answer that is given again for the same idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// SHA-256 of method, path and body of the request.
    pub request: [u8; 32],
    /// The status of the answer.
    pub status: u16,
    /// The body of the answer.
    pub body: Vec<u8>,
}

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Millis,
    /// Who: a user's id, or `bootstrap`.
    pub actor: String,
    /// What, e.g. `user.disable`.
    pub action: String,
    /// To whom or what.
    pub subject: String,
    /// More, for people.
    pub detail: String,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Accounts that are not gone.
    pub users: u64,
    /// Rooms that have not ended.
    pub rooms: u64,
}
