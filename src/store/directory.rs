//! The directory: people, logins, rooms, memberships and what belongs to them.

use rookery_core::{
    event::Notify,
    frame::server::RoomView,
    ids::{DeviceId, RoomId, UserId},
    time::Millis,
};

use super::{
    Answer, MediaIndex, Page, Range,
    record::{
        AuditEntry, Contact, Counts, Created, Credentials, Device, Membership, NewRoom, NewUser, Remembered,
        RoomListing, RoomRecord, User, UserPatch,
    },
};

/// People, logins, rooms and memberships. Every change is durable when its answer comes.
///
/// Memberships and the records of rooms follow from the rooms' logs; here they are only read.
pub trait Directory: MediaIndex {
    /// Adds an account. `Taken("handle")` also for a handle that looks like one that is there; `Taken("email")`.
    fn create_user(&self, user: NewUser) -> Answer<'_, ()>;
    /// One user, also one whose account is gone.
    fn user(&self, id: UserId) -> Answer<'_, Option<User>>;
    /// These users, in any order; those that do not exist are left out.
    fn users(&self, ids: Vec<UserId>) -> Answer<'_, Vec<User>>;
    /// The user with this folded handle.
    fn user_by_handle(&self, handle: String) -> Answer<'_, Option<User>>;
    /// What a login with this folded handle or lower-case address is checked against; not for accounts that are gone.
    fn credentials(&self, login: String) -> Answer<'_, Option<Credentials>>;
    /// The same, by id.
    fn credentials_of(&self, user: UserId) -> Answer<'_, Option<Credentials>>;
    /// Users whose handle or name begins with `query` (folded; taken literally), then those that hold it inside; by handle.
    /// An empty query is everybody. `all`: also the disabled.
    fn search_users(&self, query: String, all: bool, range: Range) -> Answer<'_, Page<User>>;
    /// Changes a user. `NotFound`, `Taken("email")`.
    fn update_user(&self, id: UserId, patch: UserPatch) -> Answer<'_, User>;
    /// Changes the password, forgets failures, revokes every login but `keep`; answers which were revoked.
    fn set_password(&self, id: UserId, hash: String, keep: Option<DeviceId>) -> Answer<'_, Vec<DeviceId>>;
    /// Keeps a stronger hash of the same password; nothing else changes.
    fn rehash(&self, id: UserId, hash: String) -> Answer<'_, ()>;
    /// Counts a failed try.
    fn login_failed(&self, id: UserId, at: Millis) -> Answer<'_, ()>;
    /// Forgets failed tries.
    fn login_succeeded(&self, id: UserId) -> Answer<'_, ()>;
    /// Takes everything personal out of an account: handle, name, address, words, password, logins, contacts, blocks. The id
    /// stays, under no name. Answers which logins were revoked.
    fn erase_user(&self, id: UserId) -> Answer<'_, Vec<DeviceId>>;
    /// Notes when users were last connected; never goes back.
    fn seen(&self, users: Vec<(UserId, Millis)>) -> Answer<'_, ()>;

    /// Adds a login. `token` is the SHA-256 of the token.
    fn create_device(&self, device: Device, token: [u8; 32]) -> Answer<'_, ()>;
    /// The login of a token, and its user; not if it has expired by `now`, not if the user is disabled or gone.
    fn device_by_token(&self, token: [u8; 32], now: Millis) -> Answer<'_, Option<(Device, User)>>;
    /// The SHA-256 of a login's token, whether or not the login is still good.
    fn token_of_device(&self, device: DeviceId) -> Answer<'_, Option<[u8; 32]>>;
    /// A user's logins, newest first.
    fn devices(&self, user: UserId) -> Answer<'_, Vec<Device>>;
    /// Ends one login of this user; `false`: there is none such.
    fn revoke_device(&self, user: UserId, device: DeviceId) -> Answer<'_, bool>;
    /// Ends every login of this user but `keep`; answers which.
    fn revoke_devices(&self, user: UserId, keep: Option<DeviceId>) -> Answer<'_, Vec<DeviceId>>;
    /// Notes when logins were last used; never goes back.
    fn used(&self, devices: Vec<(DeviceId, Millis)>) -> Answer<'_, ()>;

    /// Begins a room with its first events, all or nothing. Two people have one direct room: the second try finds the first.
    fn create_room(&self, room: NewRoom) -> Answer<'_, Created>;
    /// One room, also one that has ended.
    fn room(&self, id: RoomId) -> Answer<'_, Option<RoomRecord>>;
    /// The direct room of two people.
    fn direct_room(&self, one: UserId, other: UserId) -> Answer<'_, Option<RoomId>>;
    /// One room as a user sees it: the record, head, and view and newest message if a member. `None` if it has ended.
    fn listing(&self, room: RoomId, user: UserId) -> Answer<'_, Option<RoomListing>>;
    /// Every room that a user is in, in one short query: what `welcome` shows. At most 10,000.
    fn rooms_of(&self, user: UserId) -> Answer<'_, Vec<RoomView>>;
    /// The rooms that a user is in, newest activity first.
    fn list_rooms(&self, user: UserId, range: Range) -> Answer<'_, Page<RoomListing>>;
    /// Public rooms whose name holds `query` (taken literally), by name; as this user sees them.
    fn public_rooms(&self, user: UserId, query: String, range: Range) -> Answer<'_, Page<RoomListing>>;
    /// All rooms whose name or id begins with `query`, by id: for operators.
    fn search_rooms(&self, query: String, range: Range) -> Answer<'_, Page<RoomRecord>>;
    /// Somebody's membership; `None` for who is not in the room now.
    fn membership(&self, room: RoomId, user: UserId) -> Answer<'_, Option<Membership>>;
    /// The members of a room, by role from owner down, then by time of joining.
    fn members(&self, room: RoomId, range: Range) -> Answer<'_, Page<Membership>>;
    /// What a member wants to be told of. `NotFound` for who is not in the room.
    fn set_notify(&self, room: RoomId, user: UserId, notify: Notify, muted_until: Option<Millis>) -> Answer<'_, ()>;

    /// How I stand with somebody.
    fn contact(&self, me: UserId, other: UserId) -> Answer<'_, Option<Contact>>;
    /// Everybody that I stand with somehow, by handle.
    fn contacts(&self, me: UserId, range: Range) -> Answer<'_, Page<Contact>>;
    /// Invites, or accepts if they invited me; `true` if there was nothing before.
    fn put_contact(&self, me: UserId, other: UserId, at: Millis) -> Answer<'_, (Contact, bool)>;
    /// Cancels, refuses or removes, for both; `false` if there was nothing.
    fn delete_contact(&self, me: UserId, other: UserId) -> Answer<'_, bool>;
    /// Blocks somebody; `true` if they were not blocked before. A contact between the two ends.
    fn block(&self, me: UserId, other: UserId, at: Millis) -> Answer<'_, bool>;
    /// Unblocks somebody; `false` if they were not blocked.
    fn unblock(&self, me: UserId, other: UserId) -> Answer<'_, bool>;
    /// Whether I block somebody.
    fn is_blocked(&self, me: UserId, other: UserId) -> Answer<'_, bool>;
    /// Whom I block, by handle.
    fn blocks(&self, me: UserId, range: Range) -> Answer<'_, Page<User>>;

    /// The answer that was given for this user's idempotency key after `since`.
    fn remembered(&self, user: UserId, key: String, since: Millis) -> Answer<'_, Option<Remembered>>;
    /// Keeps an answer; forgets those from before `forget`.
    fn remember(&self, user: UserId, key: String, answer: Remembered, at: Millis, forget: Millis) -> Answer<'_, ()>;

    /// Adds a line to the audit log.
    fn audit(&self, entry: AuditEntry) -> Answer<'_, ()>;
    /// The audit log, newest first.
    fn audit_log(&self, range: Range) -> Answer<'_, Page<AuditEntry>>;
    /// How much there is.
    fn counts(&self) -> Answer<'_, Counts>;
}
