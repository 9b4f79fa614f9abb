//! Logins: the devices that tokens stand for, and their end.

use rookery_core::{
    ids::{DeviceId, UserId},
    time::Millis,
};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::store::sql::row::{
    device::{DeviceRow, LoginRow},
    user::select_user,
};
use crate::store::{
    StoreError,
    record::{Device, User},
    sql::sqlite::{SqliteStore, failure::Failure},
};

const CREATE: &str = "INSERT INTO devices (id, user, name, token, created_at, last_used_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

pub(super) async fn create(store: &SqliteStore, device: Device, token: [u8; 32]) -> Result<(), StoreError> {
    store
        .write(move |connection| {
            Box::pin(async move {
                let query =
                    sqlx::query(CREATE).bind(device.id.0).bind(device.user.0).bind(device.name).bind(token.to_vec());
                let query = query.bind(device.created_at.0).bind(device.last_used_at.0).bind(device.expires_at.0);
                query.execute(connection).await?;
                Ok(())
            })
        })
        .await
}

pub(in crate::store::sql::sqlite) const BY_TOKEN: &str = select_user!(
    ", d.id AS device, d.user AS owner, d.name AS device_name, d.created_at AS device_created_at, d.last_used_at,
     d.expires_at
     FROM devices d JOIN users u ON u.id = d.user
     WHERE d.token = $1 AND d.expires_at > $2 AND u.disabled = 0 AND u.deleted = 0"
);

pub(super) async fn by_token(
    store: &SqliteStore,
    token: [u8; 32],
    now: Millis,
) -> Result<Option<(Device, User)>, StoreError> {
    let query = sqlx::query_as(BY_TOKEN).bind(token.to_vec()).bind(now.0);
    let found: Option<LoginRow> = query.fetch_optional(&store.readers).await?;
    Ok(found.map(|login| (login.device.device(), login.user.user())))
}

pub(in crate::store::sql::sqlite) const TOKEN_OF: &str = "SELECT token FROM devices WHERE id = $1";

pub(super) async fn token_of(store: &SqliteStore, device: DeviceId) -> Result<Option<[u8; 32]>, StoreError> {
    let query = sqlx::query_scalar(TOKEN_OF).bind(device.0);
    let found: Option<Vec<u8>> = query.fetch_optional(&store.readers).await?;
    let unreadable = |_| StoreError::Corrupt(format!("the token of login {device}"));
    found.map(|token| token.try_into().map_err(unreadable)).transpose()
}

const OF: &str = "SELECT id AS device, user AS owner, name AS device_name, created_at AS device_created_at,
    last_used_at, expires_at FROM devices WHERE user = $1 ORDER BY created_at DESC, id DESC";

pub(super) async fn of(store: &SqliteStore, user: UserId) -> Result<Vec<Device>, StoreError> {
    let found: Vec<DeviceRow> = sqlx::query_as(OF).bind(user.0).fetch_all(&store.readers).await?;
    Ok(found.into_iter().map(DeviceRow::device).collect())
}

const REVOKE: &str = "DELETE FROM devices WHERE id = $1 AND user = $2";

pub(super) async fn revoke(store: &SqliteStore, user: UserId, device: DeviceId) -> Result<bool, StoreError> {
    store
        .write(move |connection| {
            Box::pin(async move {
                let gone = sqlx::query(REVOKE).bind(device.0).bind(user.0).execute(connection).await?;
                Ok(gone.rows_affected() > 0)
            })
        })
        .await
}

const END: &str = "DELETE FROM devices WHERE user = $1 AND id IS NOT $2 RETURNING id";

/// Ends every login of a user but one.
pub(super) async fn end(
    connection: &mut SqliteConnection,
    user: UserId,
    keep: Option<DeviceId>,
) -> Result<Vec<DeviceId>, Failure> {
    let query = sqlx::query_scalar(END).bind(user.0).bind(keep.map(|keep| keep.0));
    let ended: Vec<Uuid> = query.fetch_all(connection).await?;
    Ok(ended.into_iter().map(DeviceId).collect())
}

pub(super) async fn revoke_all(
    store: &SqliteStore,
    user: UserId,
    keep: Option<DeviceId>,
) -> Result<Vec<DeviceId>, StoreError> {
    store.write(move |connection| Box::pin(end(connection, user, keep))).await
}

/// `$1` lists ids and times.
const USED: &str = "UPDATE devices SET last_used_at = max(last_used_at, j.at)
    FROM (SELECT unhex(value ->> 0) AS id, max(value ->> 1) AS at FROM json_each($1) GROUP BY 1) j
    WHERE devices.id = j.id";

pub(super) async fn used(store: &SqliteStore, devices: Vec<(DeviceId, Millis)>) -> Result<(), StoreError> {
    let list = super::users::times(devices.into_iter().map(|(id, at)| (id.0, at)));
    store
        .write(move |connection| {
            Box::pin(async move {
                sqlx::query(USED).bind(list).execute(connection).await?;
                Ok(())
            })
        })
        .await
}
