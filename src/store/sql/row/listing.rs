//! Rooms as a user sees them, as they come out of tables.

use rookery_core::{frame::server::RoomView, ids::RoomId, time::Millis};
use sqlx::FromRow;
use uuid::Uuid;

use super::{kind, notify, role, room::RecordRow, unsigned};
use crate::store::{StoreError, record::RoomListing};

/// A room as its member sees it.
#[derive(FromRow)]
pub(in crate::store::sql) struct ViewRow {
    room: Uuid,
    kind: i64,
    name: String,
    role: i64,
    read: i64,
    delivered: i64,
    read_messages: i64,
    notify: i64,
    visible_from: i64,
    head: i64,
    messages: i64,
}

impl ViewRow {
    /// The view in it.
    pub(in crate::store::sql) fn view(self) -> Result<RoomView, StoreError> {
        Ok(RoomView {
            room: RoomId(self.room),
            kind: kind(self.kind)?,
            name: self.name,
            role: role(self.role)?,
            head: unsigned(self.head),
            read: unsigned(self.read),
            delivered: unsigned(self.delivered),
            unread: unsigned(self.messages - self.read_messages),
            notify: notify(self.notify)?,
            visible_from: unsigned(self.visible_from),
        })
    }
}

/// A room in a list of somebody who may be in it or not.
#[derive(FromRow)]
pub(in crate::store::sql) struct ListingRow {
    #[sqlx(flatten)]
    record: RecordRow,
    role: Option<i64>,
    read: Option<i64>,
    delivered: Option<i64>,
    read_messages: Option<i64>,
    notify: Option<i64>,
    visible_from: Option<i64>,
    head: i64,
    messages: i64,
    active_at: i64,
}

impl ListingRow {
    /// The listing in it, without the newest message.
    pub(in crate::store::sql) fn listing(self) -> Result<RoomListing, StoreError> {
        let record = self.record.record()?;
        let (head, active_at) = (unsigned(self.head), Millis(self.active_at));
        let (Some(role), Some(notify)) = (self.role, self.notify) else {
            return Ok(RoomListing { record, view: None, head, last_message: None, active_at });
        };
        let view = RoomView {
            room: record.id,
            kind: record.kind,
            name: record.name.clone(),
            role: super::role(role)?,
            head,
            read: self.read.map_or(0, unsigned),
            delivered: self.delivered.map_or(0, unsigned),
            unread: unsigned(self.messages - self.read_messages.unwrap_or(0)),
            notify: super::notify(notify)?,
            visible_from: self.visible_from.map_or(0, unsigned),
        };
        Ok(RoomListing { record, view: Some(view), head, last_message: None, active_at })
    }
}
