//! Logins, as they come out of a table.

use rookery_core::{
    ids::{DeviceId, UserId},
    time::Millis,
};
use sqlx::FromRow;
use uuid::Uuid;

use super::user::UserRow;
use crate::store::record::Device;

/// A login as it comes out of a table; its names differ from those of a user.
#[derive(FromRow)]
pub(in crate::store::sql) struct DeviceRow {
    device: Uuid,
    owner: Uuid,
    device_name: String,
    device_created_at: i64,
    last_used_at: i64,
    expires_at: i64,
}

impl DeviceRow {
    /// The login in it.
    pub(in crate::store::sql) fn device(self) -> Device {
        Device {
            id: DeviceId(self.device),
            user: UserId(self.owner),
            name: self.device_name,
            created_at: Millis(self.device_created_at),
            last_used_at: Millis(self.last_used_at),
            expires_at: Millis(self.expires_at),
        }
    }
}

/// A login together with its user.
#[derive(FromRow)]
pub(in crate::store::sql) struct LoginRow {
    #[sqlx(flatten)]
    pub(in crate::store::sql) device: DeviceRow,
    #[sqlx(flatten)]
    pub(in crate::store::sql) user: UserRow,
}
