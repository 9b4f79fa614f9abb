//! Accounts: adding, finding, changing and erasing them.

use std::sync::Arc;

use rookery_core::{
    ids::{DeviceId, UserId},
    time::Millis,
};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::store::sql::row::user::{CredentialsRow, UserRow, platform_role_number, select_user};
use crate::store::{
    StoreError,
    record::{Credentials, NewUser, User, UserPatch},
    sql::sqlite::{SqliteStore, failure::Failure},
};

const TAKEN: &str = "SELECT EXISTS (SELECT 1 FROM users WHERE handle = $1) OR EXISTS
    (SELECT 1 FROM users WHERE skeleton = $2), EXISTS (SELECT 1 FROM users WHERE email = $3)";
const CREATE: &str = "INSERT INTO users (id, handle, skeleton, display_name, folded_name, about, email, role, disabled,
    created_at, last_seen, password_hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

pub(super) async fn create(store: &SqliteStore, new: NewUser) -> Result<(), StoreError> {
    store.write(move |connection| Box::pin(insert(connection, new))).await
}

/// Adds an account in the transaction of the connection.
pub(in crate::store::sql::sqlite) async fn insert(
    connection: &mut SqliteConnection,
    new: NewUser,
) -> Result<(), Failure> {
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

const ONE: &str = select_user!("FROM users u WHERE u.id = $1");
const THESE: &str = select_user!("FROM users u WHERE u.id IN (SELECT unhex(value) FROM json_each($1))");
const BY_HANDLE: &str = select_user!("FROM users u WHERE u.handle = $1");

pub(super) async fn one(store: &SqliteStore, id: UserId) -> Result<Option<User>, StoreError> {
    let found: Option<UserRow> = sqlx::query_as(ONE).bind(id.0).fetch_optional(&store.readers).await?;
    Ok(found.map(UserRow::user))
}

pub(super) async fn these(store: &SqliteStore, ids: Vec<UserId>) -> Result<Vec<User>, StoreError> {
    let ids: Vec<String> = ids.into_iter().map(|id| id.0.simple().to_string()).collect();
    let list = serde_json::Value::from(ids).to_string();
    let found: Vec<UserRow> = sqlx::query_as(THESE).bind(list).fetch_all(&store.readers).await?;
    Ok(found.into_iter().map(UserRow::user).collect())
}

pub(super) async fn by_handle(store: &SqliteStore, handle: String) -> Result<Option<User>, StoreError> {
    let found: Option<UserRow> = sqlx::query_as(BY_HANDLE).bind(handle).fetch_optional(&store.readers).await?;
    Ok(found.map(UserRow::user))
}

/// A handle holds no `@`, so a login is never both.
const BY_LOGIN: &str = select_user!(
    ", u.password_hash, u.failures, u.failed_at FROM users u WHERE (u.handle = $1 OR u.email = $1) AND u.deleted = 0"
);
const BY_ID: &str =
    select_user!(", u.password_hash, u.failures, u.failed_at FROM users u WHERE u.id = $1 AND u.deleted = 0");

pub(super) async fn credentials(store: &SqliteStore, login: String) -> Result<Option<Credentials>, StoreError> {
    let found: Option<CredentialsRow> = sqlx::query_as(BY_LOGIN).bind(login).fetch_optional(&store.readers).await?;
    Ok(found.map(CredentialsRow::credentials))
}

pub(super) async fn credentials_of(store: &SqliteStore, id: UserId) -> Result<Option<Credentials>, StoreError> {
    let found: Option<CredentialsRow> = sqlx::query_as(BY_ID).bind(id.0).fetch_optional(&store.readers).await?;
    Ok(found.map(CredentialsRow::credentials))
}

const EMAIL_TAKEN: &str = "SELECT EXISTS (SELECT 1 FROM users WHERE email = $1 AND id <> $2)";
/// A flag before each column that may be cleared says whether it changes.
const UPDATE: &str = "UPDATE users AS u SET display_name = coalesce($2, u.display_name),
    folded_name = coalesce($3, u.folded_name), about = CASE WHEN $4 THEN $5 ELSE u.about END,
    email = CASE WHEN $6 THEN $7 ELSE u.email END, disabled = coalesce($8, u.disabled), role = coalesce($9, u.role)
    WHERE u.id = $1 AND u.deleted = 0";

pub(super) async fn update(store: &SqliteStore, id: UserId, patch: UserPatch) -> Result<User, StoreError> {
    store.write(move |connection| Box::pin(change(connection, id, patch))).await
}

async fn change(connection: &mut SqliteConnection, id: UserId, patch: UserPatch) -> Result<User, Failure> {
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
    "UPDATE users SET password_hash = $2, failures = 0, failed_at = 0 WHERE id = $1 AND deleted = 0";

pub(super) async fn set_password(
    store: &SqliteStore,
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
                super::devices::end(connection, id, keep).await
            })
        })
        .await
}

const REHASH: &str = "UPDATE users SET password_hash = $2 WHERE id = $1 AND deleted = 0";

pub(super) async fn rehash(store: &SqliteStore, id: UserId, hash: String) -> Result<(), StoreError> {
    store
        .write(move |connection| {
            Box::pin(async move {
                let changed = sqlx::query(REHASH).bind(id.0).bind(hash).execute(connection).await?;
                if changed.rows_affected() == 0 {
                    return Err(StoreError::NotFound.into());
                }
                Ok(())
            })
        })
        .await
}

const FAILED: &str = "UPDATE users SET failures = failures + 1, failed_at = max(failed_at, $2) WHERE id = $1";
const SUCCEEDED: &str = "UPDATE users SET failures = 0, failed_at = 0 WHERE id = $1";
/// `$1` lists ids and times.
const SEEN: &str = "UPDATE users SET last_seen = max(coalesce(last_seen, j.at), j.at)
    FROM (SELECT unhex(value ->> 0) AS id, max(value ->> 1) AS at FROM json_each($1) GROUP BY 1) j
    WHERE users.id = j.id AND deleted = 0";

/// Ids and times as a list that SQLite reads.
pub(super) fn times(list: impl Iterator<Item = (Uuid, Millis)>) -> String {
    let line = |(id, at): (Uuid, Millis)| serde_json::json!([id.simple().to_string(), at.0]);
    serde_json::Value::from_iter(list.map(line)).to_string()
}

pub(super) async fn login_failed(store: &SqliteStore, id: UserId, at: Millis) -> Result<(), StoreError> {
    store
        .write(move |connection| {
            Box::pin(async move {
                sqlx::query(FAILED).bind(id.0).bind(at.0).execute(connection).await?;
                Ok(())
            })
        })
        .await
}

pub(super) async fn login_succeeded(store: &SqliteStore, id: UserId) -> Result<(), StoreError> {
    store
        .write(move |connection| {
            Box::pin(async move {
                sqlx::query(SUCCEEDED).bind(id.0).execute(connection).await?;
                Ok(())
            })
        })
        .await
}

pub(super) async fn seen(store: &SqliteStore, users: Vec<(UserId, Millis)>) -> Result<(), StoreError> {
    let list = times(users.into_iter().map(|(id, at)| (id.0, at)));
    store
        .write(move |connection| {
            Box::pin(async move {
                sqlx::query(SEEN).bind(list).execute(connection).await?;
                Ok(())
            })
        })
        .await
}

const ERASE: &str =
    "UPDATE users SET handle = NULL, skeleton = NULL, display_name = '', folded_name = '', about = NULL,
    email = NULL, role = 0, deleted = 1, last_seen = NULL, password_hash = '', failures = 0, failed_at = 0
    WHERE id = $1 AND deleted = 0";
const FORGET: [&str; 4] = [
    "DELETE FROM contacts WHERE owner = $1 OR other = $1",
    "DELETE FROM blocks WHERE owner = $1 OR other = $1",
    "DELETE FROM idempotency WHERE user = $1",
    "UPDATE media SET state = 3 WHERE uploader = $1",
];

pub(super) async fn erase(store: &SqliteStore, id: UserId) -> Result<Vec<DeviceId>, StoreError> {
    let queue = Arc::clone(&store.queue);
    store
        .write(move |connection| {
            queue.owe_cleaning();
            Box::pin(empty(connection, id))
        })
        .await
}

async fn empty(connection: &mut SqliteConnection, id: UserId) -> Result<Vec<DeviceId>, Failure> {
    if sqlx::query(ERASE).bind(id.0).execute(&mut *connection).await?.rows_affected() == 0 {
        return Err(StoreError::NotFound.into());
    }
    for sql in FORGET {
        sqlx::query(sql).bind(id.0).execute(&mut *connection).await?;
    }
    super::devices::end(connection, id, None).await
}
