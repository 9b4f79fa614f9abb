//! Between the columns of tables and the words of the core.

pub(super) mod contact;
pub(super) mod device;
pub(super) mod listing;
pub(super) mod media;
pub(super) mod membership;
pub(super) mod room;
pub(super) mod user;

use rookery_core::{
    event::{Content, Event, Notify, Role, RoomKind, Visibility},
    ids::{ClientId, RoomId, Seq, UserId},
    time::Millis,
};
use sqlx::FromRow;
use uuid::Uuid;

use crate::store::StoreError;

/// A number for a column; SQLite knows only signed ones.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number from a column; ours are never negative.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// How many rows at most.
pub(super) fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn unreadable(what: &str, number: i64) -> StoreError {
    StoreError::Corrupt(format!("{what} {number}"))
}

pub(super) const fn role_number(role: Role) -> i64 {
    match role {
        Role::Reader => 0,
        Role::Member => 1,
        Role::Admin => 2,
        Role::Owner => 3,
    }
}

pub(super) fn role(number: i64) -> Result<Role, StoreError> {
    match number {
        0 => Ok(Role::Reader),
        1 => Ok(Role::Member),
        2 => Ok(Role::Admin),
        3 => Ok(Role::Owner),
        _ => Err(unreadable("role", number)),
    }
}

pub(super) const fn kind_number(kind: RoomKind) -> i64 {
    match kind {
        RoomKind::Direct => 0,
        RoomKind::Group => 1,
        RoomKind::Channel => 2,
    }
}

pub(super) fn kind(number: i64) -> Result<RoomKind, StoreError> {
    match number {
        0 => Ok(RoomKind::Direct),
        1 => Ok(RoomKind::Group),
        2 => Ok(RoomKind::Channel),
        _ => Err(unreadable("kind of room", number)),
    }
}

pub(super) const fn visibility_number(visibility: Visibility) -> i64 {
    match visibility {
        Visibility::Private => 0,
        Visibility::Public => 1,
    }
}

pub(super) fn visibility(number: i64) -> Result<Visibility, StoreError> {
    match number {
        0 => Ok(Visibility::Private),
        1 => Ok(Visibility::Public),
        _ => Err(unreadable("visibility", number)),
    }
}

pub(super) const fn notify_number(notify: Notify) -> i64 {
    match notify {
        Notify::All => 0,
        Notify::Mentions => 1,
        Notify::None => 2,
    }
}

pub(super) fn notify(number: i64) -> Result<Notify, StoreError> {
    match number {
        0 => Ok(Notify::All),
        1 => Ok(Notify::Mentions),
        2 => Ok(Notify::None),
        _ => Err(unreadable("notify", number)),
    }
}

/// The content of a stored body.
pub(super) fn content(room: RoomId, seq: Seq, body: &[u8]) -> Result<Content, StoreError> {
    Content::from_stored(body).ok_or_else(|| StoreError::Corrupt(format!("event {seq} of room {room}")))
}

/// One row of the log.
#[derive(FromRow)]
pub(super) struct EventRow {
    seq: i64,
    sender: Uuid,
    client_id: Uuid,
    at: i64,
    messages: i64,
    body: Vec<u8>,
}

impl EventRow {
    /// The event in it.
    pub(super) fn event(self, room: RoomId) -> Result<Event, StoreError> {
        let seq = unsigned(self.seq);
        Ok(Event {
            room,
            seq,
            at: Millis(self.at),
            sender: UserId(self.sender),
            client_id: ClientId(self.client_id),
            messages: unsigned(self.messages),
            content: content(room, seq, &self.body)?,
        })
    }
}
