//! Answers kept for idempotency keys, the audit log, and counts.

use rookery_core::{ids::UserId, time::Millis};

use crate::store::{
    Page, Range, StoreError, cursor,
    record::{AuditEntry, Counts, Remembered},
    sql::{
        page::{one_more, page},
        postgres::PostgresStore,
        row::unsigned,
    },
};

const AUDIT: &str = "audit";

pub(in crate::store::sql::postgres) const REMEMBERED: &str =
    "SELECT request, status, body FROM idempotency WHERE owner = $1 AND key = $2 AND at > $3";

pub(super) async fn remembered(
    store: &PostgresStore,
    user: UserId,
    key: String,
    since: Millis,
) -> Result<Option<Remembered>, StoreError> {
    let query = sqlx::query_as(REMEMBERED).bind(user.0).bind(key).bind(since.0);
    let found: Option<(Vec<u8>, i64, Vec<u8>)> = store.read(query.fetch_optional(&store.pool)).await?;
    let unreadable = || StoreError::Corrupt("an answer that was kept".to_owned());
    let read = |(request, status, body): (Vec<u8>, i64, Vec<u8>)| {
        let request = request.try_into().map_err(|_| unreadable())?;
        let status = u16::try_from(status).map_err(|_| unreadable())?;
        Ok(Remembered { request, status, body })
    };
    found.map(read).transpose()
}

const REMEMBER: &str = "INSERT INTO idempotency (owner, key, request, status, body, at) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (owner, key) DO UPDATE SET request = excluded.request, status = excluded.status, body = excluded.body,
    at = excluded.at";
/// Rows that somebody else is at are left to them.
const FORGET: &str = "DELETE FROM idempotency WHERE (owner, key) IN
    (SELECT owner, key FROM idempotency WHERE at < $1 FOR UPDATE SKIP LOCKED)";

pub(super) async fn remember(
    store: &PostgresStore,
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
pub(in crate::store::sql::postgres) const LOG: &str = "SELECT pos, at, actor, action, subject, detail FROM audit
    WHERE pos < coalesce($1, 9223372036854775807) ORDER BY pos DESC LIMIT $2";

pub(super) async fn add(store: &PostgresStore, entry: AuditEntry) -> Result<(), StoreError> {
    let query = sqlx::query(ADD).bind(entry.at.0).bind(entry.actor).bind(entry.action);
    store.change(query.bind(entry.subject).bind(entry.detail)).await.map(drop)
}

pub(super) async fn log(store: &PostgresStore, range: Range) -> Result<Page<AuditEntry>, StoreError> {
    let after: Option<i64> = cursor::decode(AUDIT, range.after.as_deref())?;
    let query = sqlx::query_as(LOG).bind(after).bind(one_more(&range));
    let found: Vec<(i64, i64, String, String, String, String)> = store.read(query.fetch_all(&store.pool)).await?;
    let entry = |(pos, at, actor, action, subject, detail)| {
        (pos, AuditEntry { at: Millis(at), actor, action, subject, detail })
    };
    let found = page(found.into_iter().map(entry).collect(), &range, AUDIT, |(pos, _): &(i64, AuditEntry)| *pos);
    Ok(Page { items: found.items.into_iter().map(|(_, entry)| entry).collect(), next: found.next })
}

const COUNTS: &str = "SELECT (SELECT count(*) FROM users WHERE NOT deleted),
    (SELECT count(*) FROM rooms WHERE NOT deleted)";

pub(super) async fn counts(store: &PostgresStore) -> Result<Counts, StoreError> {
    let (users, rooms): (i64, i64) = store.read(sqlx::query_as(COUNTS).fetch_one(&store.pool)).await?;
    Ok(Counts { users: unsigned(users), rooms: unsigned(rooms) })
}
