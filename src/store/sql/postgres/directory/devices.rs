//! Logins: the devices that tokens stand for, and their end.

use rookery_core::{
    ids::{DeviceId, UserId},
    time::Millis,
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::{
    StoreError,
    record::{Device, User},
    sql::{
        failure::Failure,
        postgres::PostgresStore,
        row::{
            device::{DeviceRow, LoginRow},
            user::select_user,
        },
    },
};

const CREATE: &str = "INSERT INTO devices (id, owner, name, token, created_at, last_used_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

pub(super) async fn create(store: &PostgresStore, device: Device, token: [u8; 32]) -> Result<(), StoreError> {
    let query = sqlx::query(CREATE).bind(device.id.0).bind(device.user.0).bind(device.name).bind(token.to_vec());
    let query = query.bind(device.created_at.0).bind(device.last_used_at.0).bind(device.expires_at.0);
    store.change(query).await.map(drop)
}

pub(in crate::store::sql::postgres) const BY_TOKEN: &str = select_user!(
    ", d.id AS device, d.owner, d.name AS device_name, d.created_at AS device_created_at, d.last_used_at, d.expires_at
     FROM devices d JOIN users u ON u.id = d.owner
     WHERE d.token = $1 AND d.expires_at > $2 AND NOT u.disabled AND NOT u.deleted"
);

pub(super) async fn by_token(
    store: &PostgresStore,
    token: [u8; 32],
    now: Millis,
) -> Result<Option<(Device, User)>, StoreError> {
    let query = sqlx::query_as(BY_TOKEN).bind(token.to_vec()).bind(now.0);
    let found: Option<LoginRow> = store.read(query.fetch_optional(&store.pool)).await?;
    Ok(found.map(|login| (login.device.device(), login.user.user())))
}

pub(in crate::store::sql::postgres) const TOKEN_OF: &str = "SELECT token FROM devices WHERE id = $1";

pub(super) async fn token_of(store: &PostgresStore, device: DeviceId) -> Result<Option<[u8; 32]>, StoreError> {
    let query = sqlx::query_scalar(TOKEN_OF).bind(device.0);
    let found: Option<Vec<u8>> = store.read(query.fetch_optional(&store.pool)).await?;
    let unreadable = |_| StoreError::Corrupt(format!("the token of login {device}"));
    found.map(|token| token.try_into().map_err(unreadable)).transpose()
}

pub(in crate::store::sql::postgres) const OF: &str = "SELECT id AS device, owner, name AS device_name,
    created_at AS device_created_at, last_used_at, expires_at FROM devices
    WHERE owner = $1 ORDER BY created_at DESC, id DESC";

pub(super) async fn of(store: &PostgresStore, user: UserId) -> Result<Vec<Device>, StoreError> {
    let found: Vec<DeviceRow> = store.read(sqlx::query_as(OF).bind(user.0).fetch_all(&store.pool)).await?;
    Ok(found.into_iter().map(DeviceRow::device).collect())
}

const REVOKE: &str = "DELETE FROM devices WHERE id = $1 AND owner = $2";

pub(super) async fn revoke(store: &PostgresStore, user: UserId, device: DeviceId) -> Result<bool, StoreError> {
    Ok(store.change(sqlx::query(REVOKE).bind(device.0).bind(user.0)).await? > 0)
}

const END: &str = "DELETE FROM devices WHERE owner = $1 AND id IS DISTINCT FROM $2 RETURNING id";

/// Ends every login of a user but one.
pub(super) async fn end(
    connection: &mut PgConnection,
    user: UserId,
    keep: Option<DeviceId>,
) -> Result<Vec<DeviceId>, Failure> {
    let query = sqlx::query_scalar(END).bind(user.0).bind(keep.map(|keep| keep.0));
    let ended: Vec<Uuid> = query.fetch_all(connection).await?;
    Ok(ended.into_iter().map(DeviceId).collect())
}

pub(super) async fn revoke_all(
    store: &PostgresStore,
    user: UserId,
    keep: Option<DeviceId>,
) -> Result<Vec<DeviceId>, StoreError> {
    store.write(move |connection| Box::pin(end(connection, user, keep))).await
}

/// As with users, rows are locked in the order of their ids.
pub(in crate::store::sql::postgres) const USED: &str = "WITH
    used AS (SELECT id, max(at) AS at FROM unnest($1::uuid[], $2::bigint[]) AS s (id, at) GROUP BY id),
    locked AS (SELECT d.id FROM devices d JOIN used s ON s.id = d.id ORDER BY d.id FOR NO KEY UPDATE OF d)
    UPDATE devices d SET last_used_at = greatest(d.last_used_at, s.at)
    FROM used s JOIN locked l ON l.id = s.id WHERE d.id = s.id";

pub(super) async fn used(store: &PostgresStore, devices: Vec<(DeviceId, Millis)>) -> Result<(), StoreError> {
    let (ids, times): (Vec<Uuid>, Vec<i64>) = devices.into_iter().map(|(id, at)| (id.0, at.0)).unzip();
    store.change(sqlx::query(USED).bind(ids).bind(times)).await.map(drop)
}
