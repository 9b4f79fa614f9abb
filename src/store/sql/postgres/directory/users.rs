//! Accounts: adding, finding, changing and erasing them.

use rookery_core::{
    ids::{DeviceId, UserId},
    time::Millis,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::devices::end;
use crate::store::{
    StoreError,
    record::{Credentials, NewUser, User, UserPatch},
    sql::{
        failure::Failure,
        postgres::PostgresStore,
        row::user::{CredentialsRow, UserRow, platform_role_number, select_user},
    },
};

const TAKEN: &str = "SELECT EXISTS (SELECT 1 FROM users WHERE handle = $1) OR EXISTS
    (SELECT 1 FROM users WHERE skeleton = $2), EXISTS (SELECT 1 FROM users WHERE email = $3)";
const CREATE: &str = "INSERT INTO users (id, handle, skeleton, display_name, folded_name, about, email, role, disabled,
    created_at, last_seen, password_hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

pub(super) async fn create(store: &PostgresStore, new: NewUser) -> Result<(), StoreError> {
    store.write(move |connection| Box::pin(insert(connection, new))).await
}

async fn insert(connection: &mut PgConnection, new: NewUser) -> Result<(), Failure> {
    let NewUser { user, skeleton, password_hash } = new;
    let query = sqlx::query_as(TAKEN).bind(&user.handle).bind(&skeleton).bind(&user.email);
    match query.fetch_one(&mut *connection).await? {
        (true, _) => return Err(StoreError::Taken("handle").into()),
        (_, true) => return Err(StoreError::Taken("email").into()),
        (false, false) => {}
    }
    let folded_name = user.display_name.to_lowercase();
    let query = sqlx::query(CREATE).bind(user.id.0).bind(user.handle).bind(skeleton).bind(user.display_name);
    let query = query.bind(folded_name).bind(user.about).bind(user.email).bind(platform_role_number(user.role));
    let query = query.bind(user.disabled).bind(user.created_at.0).bind(user.last_seen.map(|at| at.0));
    query.bind(password_hash).execute(connection).await?;
    Ok(())
}

pub(in crate::store::sql::postgres) const ONE: &str = select_user!("FROM users u WHERE u.id = $1");
pub(in crate::store::sql::postgres) const THESE: &str = select_user!("FROM users u WHERE u.id = ANY($1)");
pub(in crate::store::sql::postgres) const BY_HANDLE: &str = select_user!("FROM users u WHERE u.handle = $1");

pub(super) async fn one(store: &PostgresStore, id: UserId) -> Result<Option<User>, StoreError> {
    let found: Option<UserRow> = store.read(sqlx::query_as(ONE).bind(id.0).fetch_optional(&store.pool)).await?;
    Ok(found.map(UserRow::user))
}

pub(super) async fn these(store: &PostgresStore, ids: Vec<UserId>) -> Result<Vec<User>, StoreError> {
    let ids: Vec<Uuid> = ids.into_iter().map(|id| id.0).collect();
    let found: Vec<UserRow> = store.read(sqlx::query_as(THESE).bind(ids).fetch_all(&store.pool)).await?;
    Ok(found.into_iter().map(UserRow::user).collect())
}

pub(super) async fn by_handle(store: &PostgresStore, handle: String) -> Result<Option<User>, StoreError> {
    if !super::storable(&handle) {
        return Ok(None);
    }
    let found: Option<UserRow> = store.read(sqlx::query_as(BY_HANDLE).bind(handle).fetch_optional(&store.pool)).await?;
    Ok(found.map(UserRow::user))
}

/// A handle holds no `@`, so a login is never both.
pub(in crate::store::sql::postgres) const BY_LOGIN: &str = select_user!(
    ", u.password_hash, u.failures, u.failed_at FROM users u WHERE (u.handle = $1 OR u.email = $1) AND NOT u.deleted"
);
pub(in crate::store::sql::postgres) const BY_ID: &str =
    select_user!(", u.password_hash, u.failures, u.failed_at FROM users u WHERE u.id = $1 AND NOT u.deleted");

pub(super) async fn credentials(store: &PostgresStore, login: String) -> Result<Option<Credentials>, StoreError> {
    if !super::storable(&login) {
        return Ok(None);
    }
    let found: Option<CredentialsRow> =
        store.read(sqlx::query_as(BY_LOGIN).bind(login).fetch_optional(&store.pool)).await?;
    Ok(found.map(CredentialsRow::credentials))
}

pub(super) async fn credentials_of(store: &PostgresStore, id: UserId) -> Result<Option<Credentials>, StoreError> {
    let found: Option<CredentialsRow> =
        store.read(sqlx::query_as(BY_ID).bind(id.0).fetch_optional(&store.pool)).await?;
    Ok(found.map(CredentialsRow::credentials))
}

const EMAIL_TAKEN: &str = "SELECT EXISTS (SELECT 1 FROM users WHERE email = $1 AND id <> $2)";
/// A flag before each column that may be cleared says whether it changes.
const UPDATE: &str = "UPDATE users AS u SET display_name = coalesce($2, u.display_name),
    folded_name = coalesce($3, u.folded_name), about = CASE WHEN $4 THEN $5 ELSE u.about END,
    email = CASE WHEN $6 THEN $7 ELSE u.email END, disabled = coalesce($8, u.disabled), role = coalesce($9, u.role)
    WHERE u.id = $1 AND NOT u.deleted";

pub(super) async fn update(store: &PostgresStore, id: UserId, patch: UserPatch) -> Result<User, StoreError> {
    store.write(move |connection| Box::pin(change(connection, id, patch))).await
}

async fn change(connection: &mut PgConnection, id: UserId, patch: UserPatch) -> Result<User, Failure> {
    if let Some(Some(email)) = &patch.email
        && sqlx::query_scalar(EMAIL_TAKEN).bind(email).bind(id.0).fetch_one(&mut *connection).await?
    {
        return Err(StoreError::Taken("email").into());
    }
    let folded_name = patch.display_name.as_deref().map(str::to_lowercase);
    let query = sqlx::query(UPDATE).bind(id.0).bind(patch.display_name).bind(folded_name);
    let query = query.bind(patch.about.is_some()).bind(patch.about.flatten());
    let query = query.bind(patch.email.is_some()).bind(patch.email.flatten());
    let changed =
        query.bind(patch.disabled).bind(patch.role.map(platform_role_number)).execute(&mut *connection).await?;
    if changed.rows_affected() == 0 {
        return Err(StoreError::NotFound.into());
    }
    let row: UserRow = sqlx::query_as(ONE).bind(id.0).fetch_one(connection).await?;
    Ok(row.user())
}

const SET_PASSWORD: &str =
    "UPDATE users SET password_hash = $2, failures = 0, failed_at = 0 WHERE id = $1 AND NOT deleted";

pub(super) async fn set_password(
    store: &PostgresStore,
    id: UserId,
    hash: String,
    keep: Option<DeviceId>,
) -> Result<Vec<DeviceId>, StoreError> {
    store
        .write(move |connection| {
            Box::pin(async move {
                let changed = sqlx::query(SET_PASSWORD).bind(id.0).bind(hash).execute(&mut *connection).await?;
                if changed.rows_affected() == 0 {
                    return Err(StoreError::NotFound.into());
                }
                end(connection, id, keep).await
            })
        })
        .await
}

const REHASH: &str = "UPDATE users SET password_hash = $2 WHERE id = $1 AND NOT deleted";

pub(super) async fn rehash(store: &PostgresStore, id: UserId, hash: String) -> Result<(), StoreError> {
    match store.change(sqlx::query(REHASH).bind(id.0).bind(hash)).await? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

const FAILED: &str = "UPDATE users SET failures = failures + 1, failed_at = greatest(failed_at, $2) WHERE id = $1";
const SUCCEEDED: &str = "UPDATE users SET failures = 0, failed_at = 0 WHERE id = $1 AND failures > 0";
/// Rows are locked in the order of their ids, so that two that note the same do not wait for each other.
pub(in crate::store::sql::postgres) const SEEN: &str = "WITH
    seen AS (SELECT id, max(at) AS at FROM unnest($1::uuid[], $2::bigint[]) AS s (id, at) GROUP BY id),
    locked AS (SELECT u.id FROM users u JOIN seen s ON s.id = u.id WHERE NOT u.deleted ORDER BY u.id FOR NO KEY UPDATE OF u)
    UPDATE users u SET last_seen = greatest(u.last_seen, s.at) FROM seen s JOIN locked l ON l.id = s.id WHERE u.id = s.id";

pub(super) async fn login_failed(store: &PostgresStore, id: UserId, at: Millis) -> Result<(), StoreError> {
    store.change(sqlx::query(FAILED).bind(id.0).bind(at.0)).await.map(drop)
}

pub(super) async fn login_succeeded(store: &PostgresStore, id: UserId) -> Result<(), StoreError> {
    store.change(sqlx::query(SUCCEEDED).bind(id.0)).await.map(drop)
}

pub(super) async fn seen(store: &PostgresStore, users: Vec<(UserId, Millis)>) -> Result<(), StoreError> {
    let (ids, times): (Vec<Uuid>, Vec<i64>) = users.into_iter().map(|(id, at)| (id.0, at.0)).unzip();
    store.change(sqlx::query(SEEN).bind(ids).bind(times)).await.map(drop)
}

const ERASE: &str =
    "UPDATE users SET handle = NULL, skeleton = NULL, display_name = '', folded_name = '', about = NULL,
    email = NULL, role = 0, deleted = TRUE, last_seen = NULL, password_hash = '', failures = 0, failed_at = 0
    WHERE id = $1 AND NOT deleted";
const FORGET: [&str; 4] = [
    "DELETE FROM contacts WHERE owner = $1 OR other = $1",
    "DELETE FROM blocks WHERE owner = $1 OR other = $1",
    "DELETE FROM idempotency WHERE owner = $1",
    "WITH locked AS (SELECT id FROM media WHERE uploader = $1 ORDER BY id FOR NO KEY UPDATE)
    UPDATE media SET state = 3 FROM locked l WHERE media.id = l.id",
];

pub(super) async fn erase(store: &PostgresStore, id: UserId) -> Result<Vec<DeviceId>, StoreError> {
    store.write(move |connection| Box::pin(empty(connection, id))).await
}

async fn empty(connection: &mut PgConnection, id: UserId) -> Result<Vec<DeviceId>, Failure> {
    if sqlx::query(ERASE).bind(id.0).execute(&mut *connection).await?.rows_affected() == 0 {
        return Err(StoreError::NotFound.into());
    }
    for sql in FORGET {
        sqlx::query(sql).bind(id.0).execute(&mut *connection).await?;
    }
    end(connection, id, None).await
}
