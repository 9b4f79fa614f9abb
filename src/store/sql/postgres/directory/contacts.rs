//! How people stand with each other: contacts and blocks.

use rookery_core::{ids::UserId, time::Millis};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::{
    Page, Range, StoreError, cursor,
    record::{Contact, User},
    sql::{
        failure::Failure,
        page::{one_more, page},
        postgres::PostgresStore,
        row::{
            contact::{ASKING, ContactRow},
            user::{UserRow, select_user},
        },
    },
};

const CONTACTS: &str = "contacts";
const BLOCKS: &str = "blocks";

pub(in crate::store::sql::postgres) const ONE: &str = select_user!(
    ", c.state, c.since FROM contacts c JOIN users u ON u.id = c.other WHERE c.owner = $1 AND c.other = $2"
);
pub(in crate::store::sql::postgres) const ALL: &str = select_user!(
    ", c.state, c.since FROM contacts c JOIN users u ON u.id = c.other
     WHERE c.owner = $1 AND ($2::text IS NULL OR u.handle > $2) ORDER BY u.handle LIMIT $3"
);

pub(super) async fn one(store: &PostgresStore, me: UserId, other: UserId) -> Result<Option<Contact>, StoreError> {
    let query = sqlx::query_as(ONE).bind(me.0).bind(other.0);
    let found: Option<ContactRow> = store.read(query.fetch_optional(&store.pool)).await?;
    found.map(ContactRow::contact).transpose()
}

pub(super) async fn of(store: &PostgresStore, me: UserId, range: Range) -> Result<Page<Contact>, StoreError> {
    let after: Option<String> = cursor::decode(CONTACTS, range.after.as_deref())?;
    let query = sqlx::query_as(ALL).bind(me.0).bind(after).bind(one_more(&range));
    let found: Vec<ContactRow> = store.read(query.fetch_all(&store.pool)).await?;
    let found = found.into_iter().map(ContactRow::contact).collect::<Result<Vec<_>, _>>()?;
    Ok(page(found, &range, CONTACTS, |contact| contact.user.handle.clone()))
}

/// Whatever changes between two people locks both first, in one order: else two who do it at once would see half of each
/// other's change, or wait for each other for ever.
const LOCK: &str = "SELECT id, deleted FROM users WHERE id IN ($1, $2) ORDER BY id FOR NO KEY UPDATE";
const INVITE: &str = "INSERT INTO contacts (owner, other, state, since) VALUES ($1, $2, 0, $3), ($2, $1, 1, $3)";
const ACCEPT: &str = "UPDATE contacts SET state = 2, since = $3
    WHERE (owner = $1 AND other = $2) OR (owner = $2 AND other = $1)";

/// `NotFound` unless the other is somebody else, and there.
async fn lock(connection: &mut PgConnection, me: UserId, other: UserId) -> Result<(), Failure> {
    let both: Vec<(Uuid, bool)> = sqlx::query_as(LOCK).bind(me.0).bind(other.0).fetch_all(connection).await?;
    let there = both.iter().any(|(id, deleted)| *id == other.0 && !deleted);
    if me == other || !there { Err(StoreError::NotFound.into()) } else { Ok(()) }
}

pub(super) async fn put(
    store: &PostgresStore,
    me: UserId,
    other: UserId,
    at: Millis,
) -> Result<(Contact, bool), StoreError> {
    store.write(move |connection| Box::pin(invite_or_accept(connection, me, other, at))).await
}

async fn invite_or_accept(
    connection: &mut PgConnection,
    me: UserId,
    other: UserId,
    at: Millis,
) -> Result<(Contact, bool), Failure> {
    lock(connection, me, other).await?;
    let before: Option<ContactRow> =
        sqlx::query_as(ONE).bind(me.0).bind(other.0).fetch_optional(&mut *connection).await?;
    let change = match before.as_ref().map(|contact| contact.state) {
        None => Some(INVITE),
        Some(ASKING) => Some(ACCEPT),
        Some(_) => None,
    };
    if let Some(sql) = change {
        sqlx::query(sql).bind(me.0).bind(other.0).bind(at.0).execute(&mut *connection).await?;
    }
    let after: ContactRow = sqlx::query_as(ONE).bind(me.0).bind(other.0).fetch_one(connection).await?;
    Ok((after.contact()?, before.is_none()))
}

const END: &str = "DELETE FROM contacts WHERE (owner = $1 AND other = $2) OR (owner = $2 AND other = $1)";

pub(super) async fn delete(store: &PostgresStore, me: UserId, other: UserId) -> Result<bool, StoreError> {
    store
        .write(move |connection| {
            Box::pin(async move {
                sqlx::query(LOCK).bind(me.0).bind(other.0).execute(&mut *connection).await?;
                Ok(sqlx::query(END).bind(me.0).bind(other.0).execute(connection).await?.rows_affected() > 0)
            })
        })
        .await
}

const BLOCK: &str = "INSERT INTO blocks (owner, other, at) VALUES ($1, $2, $3) ON CONFLICT (owner, other) DO NOTHING";
const UNBLOCK: &str = "DELETE FROM blocks WHERE owner = $1 AND other = $2";

pub(super) async fn block(store: &PostgresStore, me: UserId, other: UserId, at: Millis) -> Result<bool, StoreError> {
    store
        .write(move |connection| {
            Box::pin(async move {
                lock(connection, me, other).await?;
                sqlx::query(END).bind(me.0).bind(other.0).execute(&mut *connection).await?;
                let done = sqlx::query(BLOCK).bind(me.0).bind(other.0).bind(at.0).execute(connection).await?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await
}

pub(super) async fn unblock(store: &PostgresStore, me: UserId, other: UserId) -> Result<bool, StoreError> {
    Ok(store.change(sqlx::query(UNBLOCK).bind(me.0).bind(other.0)).await? > 0)
}

pub(in crate::store::sql::postgres) const IS_BLOCKED: &str =
    "SELECT EXISTS (SELECT 1 FROM blocks WHERE owner = $1 AND other = $2)";
pub(in crate::store::sql::postgres) const BLOCKED: &str = select_user!(
    "FROM blocks b JOIN users u ON u.id = b.other
     WHERE b.owner = $1 AND ($2::text IS NULL OR u.handle > $2) ORDER BY u.handle LIMIT $3"
);

pub(super) async fn is_blocked(store: &PostgresStore, me: UserId, other: UserId) -> Result<bool, StoreError> {
    store.read(sqlx::query_scalar(IS_BLOCKED).bind(me.0).bind(other.0).fetch_one(&store.pool)).await
}

pub(super) async fn blocks(store: &PostgresStore, me: UserId, range: Range) -> Result<Page<User>, StoreError> {
    let after: Option<String> = cursor::decode(BLOCKS, range.after.as_deref())?;
    let query = sqlx::query_as(BLOCKED).bind(me.0).bind(after).bind(one_more(&range));
    let found: Vec<UserRow> = store.read(query.fetch_all(&store.pool)).await?;
    let found = found.into_iter().map(UserRow::user).collect();
    Ok(page(found, &range, BLOCKS, |user: &User| user.handle.clone()))
}
