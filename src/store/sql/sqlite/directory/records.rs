//! Answers kept for idempotency keys, the audit log, and counts.

use rookery_core::{ids::UserId, time::Millis};

use super::{one_more, page};
use crate::store::{
    Page, Range, StoreError, cursor,
    record::{AuditEntry, Counts, Remembered},
    sql::sqlite::{SqliteStore, row::unsigned},
};

const AUDIT: &str = "audit";

const REMEMBERED: &str = "SELECT request, status, body FROM idempotency WHERE user = $1 AND key = $2 AND at > $3";

pub(super) async fn remembered(
    store: &SqliteStore,
    user: UserId,
    key: String,
    since: Millis,
) -> Result<Option<Remembered>, StoreError> {
    let query = sqlx::query_as(REMEMBERED).bind(user.0).bind(key).bind(since.0);
    let found: Option<(Vec<u8>, i64, Vec<u8>)> = query.fetch_optional(&store.readers).await?;
    let unreadable = || StoreError::Corrupt("an answer that was kept".to_owned());
    let read = |(request, status, body): (Vec<u8>, i64, Vec<u8>)| {
        let request = request.try_into().map_err(|_| unreadable())?;
        let status = u16::try_from(status).map_err(|_| unreadable())?;
        Ok(Remembered { request, status, body })
    };
    found.map(read).transpose()
}

const REMEMBER: &str = "INSERT INTO idempotency (user, key, request, status, body, at) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (user, key) DO UPDATE SET request = excluded.request, status = excluded.status, body = excluded.body,
    at = excluded.at";
const FORGET: &str = "DELETE FROM idempotency WHERE at < $1";

pub(super) async fn remember(
    store: &SqliteStore,
    user: UserId,
    key: String,
    answer: Remembered,
    at: Millis,
    forget: Millis,
) -> Result<(), StoreError> {
    store
        .write(move |connection| {
            Box::pin(async move {
                sqlx::query(FORGET).bind(forget.0).execute(&mut *connection).await?;
                let query = sqlx::query(REMEMBER).bind(user.0).bind(key).bind(answer.request.to_vec());
                query.bind(i64::from(answer.status)).bind(answer.body).bind(at.0).execute(connection).await?;
                Ok(())
            })
        })
        .await
}

const ADD: &str = "INSERT INTO audit (at, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5)";
const LOG: &str = "SELECT pos, at, actor, action, subject, detail FROM audit WHERE $1 IS NULL OR pos < $1
    ORDER BY pos DESC LIMIT $2";

pub(super) async fn add(store: &SqliteStore, entry: AuditEntry) -> Result<(), StoreError> {
    store
        .write(move |connection| {
            Box::pin(async move {
                let query = sqlx::query(ADD).bind(entry.at.0).bind(entry.actor).bind(entry.action);
                query.bind(entry.subject).bind(entry.detail).execute(connection).await?;
                Ok(())
            })
        })
        .await
}

pub(super) async fn log(store: &SqliteStore, range: Range) -> Result<Page<AuditEntry>, StoreError> {
    let after: Option<i64> = cursor::decode(AUDIT, range.after.as_deref())?;
    let query = sqlx::query_as(LOG).bind(after).bind(one_more(&range));
    let found: Vec<(i64, i64, String, String, String, String)> = query.fetch_all(&store.readers).await?;
    let entry = |(pos, at, actor, action, subject, detail)| {
        (pos, AuditEntry { at: Millis(at), actor, action, subject, detail })
    };
    let found = page(found.into_iter().map(entry).collect(), &range, AUDIT, |(pos, _): &(i64, AuditEntry)| *pos);
    Ok(Page { items: found.items.into_iter().map(|(_, entry)| entry).collect(), next: found.next })
}

const COUNTS: &str = "SELECT (SELECT count(*) FROM users WHERE deleted = 0),
    (SELECT count(*) FROM rooms WHERE deleted = 0)";

pub(super) async fn counts(store: &SqliteStore) -> Result<Counts, StoreError> {
    let (users, rooms): (i64, i64) = sqlx::query_as(COUNTS).fetch_one(&store.readers).await?;
    Ok(Counts { users: unsigned(users), rooms: unsigned(rooms) })
}
