//! Memberships, as they come out of a table.

use rookery_core::{
    ids::{RoomId, UserId},
    time::Millis,
};
use sqlx::FromRow;
use uuid::Uuid;

use super::{notify, role, unsigned};
use crate::store::{StoreError, record::Membership};

/// A membership as it comes out of a table.
#[derive(FromRow)]
pub(in crate::store::sql) struct MembershipRow {
    room: Uuid,
    user: Uuid,
    role: i64,
    joined_at: i64,
    visible_from: i64,
    muted_until: Option<i64>,
    read: i64,
    delivered: i64,
    notify: i64,
    notify_muted_until: Option<i64>,
}

impl MembershipRow {
    /// The membership in it.
    pub(in crate::store::sql) fn membership(self) -> Result<Membership, StoreError> {
        Ok(Membership {
            room: RoomId(self.room),
            user: UserId(self.user),
            role: role(self.role)?,
            joined_at: Millis(self.joined_at),
            visible_from: unsigned(self.visible_from),
            muted_until: self.muted_until.map(Millis),
            read: unsigned(self.read),
            delivered: unsigned(self.delivered),
            notify: notify(self.notify)?,
            notify_muted_until: self.notify_muted_until.map(Millis),
        })
    }
}
