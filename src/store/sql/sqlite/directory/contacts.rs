//! How people stand with each other: contacts and blocks.

use rookery_core::{ids::UserId, time::Millis};
use sqlx::SqliteConnection;

use super::{one_more, page};
use crate::store::sql::row::contact::{ASKING, ContactRow};
use crate::store::sql::row::user::{UserRow, select_user};
use crate::store::{
    Page, Range, StoreError, cursor,
    record::{Contact, User},
    sql::sqlite::{SqliteStore, failure::Failure},
};

const CONTACTS: &str = "contacts";
const BLOCKS: &str = "blocks";

const ONE: &str = select_user!(
    ", c.state, c.since FROM contacts c JOIN users u ON u.id = c.other WHERE c.owner = $1 AND c.other = $2"
);
const ALL: &str = select_user!(
    ", c.state, c.since FROM contacts c JOIN users u ON u.id = c.other
     WHERE c.owner = $1 AND ($2 IS NULL OR u.handle > $2) ORDER BY u.handle LIMIT $3"
);

pub(super) async fn one(store: &SqliteStore, me: UserId, other: UserId) -> Result<Option<Contact>, StoreError> {
    let found: Option<ContactRow> = sqlx::query_as(ONE).bind(me.0).bind(other.0).fetch_optional(&store.readers).await?;
    found.map(ContactRow::contact).transpose()
}

pub(super) async fn of(store: &SqliteStore, me: UserId, range: Range) -> Result<Page<Contact>, StoreError> {
    let after: Option<String> = cursor::decode(CONTACTS, range.after.as_deref())?;
    let query = sqlx::query_as(ALL).bind(me.0).bind(after).bind(one_more(&range));
    let found: Vec<ContactRow> = query.fetch_all(&store.readers).await?;
    let found = found.into_iter().map(ContactRow::contact).collect::<Result<Vec<_>, _>>()?;
    Ok(page(found, &range, CONTACTS, |contact| contact.user.handle.clone()))
}

const IS_THERE: &str = "SELECT EXISTS (SELECT 1 FROM users WHERE id = $1 AND deleted = 0)";
const INVITE: &str = "INSERT INTO contacts (owner, other, state, since) VALUES ($1, $2, 0, $3), ($2, $1, 1, $3)";
const ACCEPT: &str = "UPDATE contacts SET state = 2, since = $3
    WHERE (owner = $1 AND other = $2) OR (owner = $2 AND other = $1)";

pub(super) async fn put(
    store: &SqliteStore,
    me: UserId,
    other: UserId,
    at: Millis,
) -> Result<(Contact, bool), StoreError> {
    store.write(move |connection| Box::pin(invite_or_accept(connection, me, other, at))).await
}

async fn invite_or_accept(
    connection: &mut SqliteConnection,
    me: UserId,
    other: UserId,
    at: Millis,
) -> Result<(Contact, bool), Failure> {
    if me == other || !sqlx::query_scalar(IS_THERE).bind(other.0).fetch_one(&mut *connection).await? {
        return Err(StoreError::NotFound.into());
    }
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

pub(super) async fn delete(store: &SqliteStore, me: UserId, other: UserId) -> Result<bool, StoreError> {
    change(store, END, me, other).await
}

async fn change(store: &SqliteStore, sql: &'static str, me: UserId, other: UserId) -> Result<bool, StoreError> {
    store
        .write(move |connection| {
            Box::pin(async move {
                let done = sqlx::query(sql).bind(me.0).bind(other.0).execute(connection).await?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await
}

const BLOCK: &str = "INSERT INTO blocks (owner, other, at) VALUES ($1, $2, $3) ON CONFLICT (owner, other) DO NOTHING";
const UNBLOCK: &str = "DELETE FROM blocks WHERE owner = $1 AND other = $2";

pub(super) async fn block(store: &SqliteStore, me: UserId, other: UserId, at: Millis) -> Result<bool, StoreError> {
    store
        .write(move |connection| {
            Box::pin(async move {
                if me == other || !sqlx::query_scalar(IS_THERE).bind(other.0).fetch_one(&mut *connection).await? {
                    return Err(Failure::Refused(StoreError::NotFound));
                }
                sqlx::query(END).bind(me.0).bind(other.0).execute(&mut *connection).await?;
                let done = sqlx::query(BLOCK).bind(me.0).bind(other.0).bind(at.0).execute(connection).await?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await
}

pub(super) async fn unblock(store: &SqliteStore, me: UserId, other: UserId) -> Result<bool, StoreError> {
    change(store, UNBLOCK, me, other).await
}

const IS_BLOCKED: &str = "SELECT EXISTS (SELECT 1 FROM blocks WHERE owner = $1 AND other = $2)";
const BLOCKED: &str = select_user!(
    "FROM blocks b JOIN users u ON u.id = b.other
     WHERE b.owner = $1 AND ($2 IS NULL OR u.handle > $2) ORDER BY u.handle LIMIT $3"
);

pub(super) async fn is_blocked(store: &SqliteStore, me: UserId, other: UserId) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar(IS_BLOCKED).bind(me.0).bind(other.0).fetch_one(&store.readers).await?)
}

pub(super) async fn blocks(store: &SqliteStore, me: UserId, range: Range) -> Result<Page<User>, StoreError> {
    let after: Option<String> = cursor::decode(BLOCKS, range.after.as_deref())?;
    let query = sqlx::query_as(BLOCKED).bind(me.0).bind(after).bind(one_more(&range));
    let found: Vec<UserRow> = query.fetch_all(&store.readers).await?;
    let found = found.into_iter().map(UserRow::user).collect();
    Ok(page(found, &range, BLOCKS, |user: &User| user.handle.clone()))
}
