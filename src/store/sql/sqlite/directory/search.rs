//! Finding users and rooms by what people type; every character of it is meant literally.

use rookery_core::ids::RoomId;

use super::{one_more, page};
use crate::store::sql::row::room::ids_that_begin_with;
use crate::store::sql::row::room::{RecordRow, select_room};
use crate::store::sql::row::user::{UserRow, select_user};
use crate::store::{
    Page, Range, StoreError, cursor,
    record::{RoomRecord, User},
    sql::sqlite::SqliteStore,
};

const USERS: &str = "users";
const ROOMS: &str = "all_rooms";

/// Those whose handle or name begins with it: each is a stretch of an index. No letter comes after the last one of Unicode.
pub(in crate::store::sql::sqlite) const BEGIN: &str = concat!(
    "WITH found AS MATERIALIZED (SELECT id FROM users
        WHERE handle >= $1 AND handle < $1 || char(1114111) AND handle > $3
        UNION SELECT id FROM users WHERE folded_name >= $1 AND folded_name < $1 || char(1114111) AND deleted = 0) ",
    select_user!(
        "FROM found f CROSS JOIN users u ON u.id = f.id
         WHERE u.deleted = 0 AND ($2 OR u.disabled = 0) AND u.handle > $3 ORDER BY u.handle LIMIT $4"
    )
);
/// Those that hold it further inside: there is no index for this, so it walks along the handles until the page is full.
const INSIDE: &str = select_user!(
    "FROM users u
     WHERE (instr(u.handle, $1) > 1 OR instr(u.folded_name, $1) > 1)
     AND instr(u.handle, $1) <> 1 AND instr(u.folded_name, $1) <> 1
     AND u.deleted = 0 AND ($2 OR u.disabled = 0) AND u.handle > $3 ORDER BY u.handle LIMIT $4"
);

pub(super) async fn users(
    store: &SqliteStore,
    query: String,
    all: bool,
    range: Range,
) -> Result<Page<User>, StoreError> {
    let after: Option<(i64, String)> = cursor::decode(USERS, range.after.as_deref())?;
    let (place, handle) = after.unwrap_or_default();
    let wanted = query.to_lowercase();
    let part = async |sql: &'static str, after: &str, limit: i64| -> Result<Vec<UserRow>, StoreError> {
        let query = sqlx::query_as(sql).bind(&wanted).bind(all).bind(after).bind(limit);
        Ok(query.fetch_all(&store.readers).await?)
    };
    let limit = one_more(&range);
    let mut found: Vec<(i64, User)> = Vec::new();
    if place == 0 {
        found.extend(part(BEGIN, &handle, limit).await?.into_iter().map(|row| (0, row.user())));
    }
    let left = limit - i64::try_from(found.len()).unwrap_or(i64::MAX);
    if left > 0 && !wanted.is_empty() {
        let after = if place == 0 { "" } else { &handle };
        found.extend(part(INSIDE, after, left).await?.into_iter().map(|row| (1, row.user())));
    }
    let found = page(found, &range, USERS, |(place, user): &(i64, User)| (*place, user.handle.clone()));
    Ok(Page { items: found.items.into_iter().map(|(_, user)| user).collect(), next: found.next })
}

const SEARCH_ROOMS: &str = select_room!(
    "FROM rooms r WHERE r.deleted = 0
     AND (substr(r.folded_name, 1, length($1)) = $1 OR (r.id >= $2 AND r.id <= $3))
     AND ($4 IS NULL OR r.id > $4) ORDER BY r.id LIMIT $5"
);

pub(super) async fn rooms(store: &SqliteStore, query: String, range: Range) -> Result<Page<RoomRecord>, StoreError> {
    let after: Option<RoomId> = cursor::decode(ROOMS, range.after.as_deref())?;
    let (low, high) = ids_that_begin_with(&query).unzip();
    let query = sqlx::query_as(SEARCH_ROOMS).bind(query.to_lowercase()).bind(low).bind(high);
    let query = query.bind(after.map(|room| room.0)).bind(one_more(&range));
    let found: Vec<RecordRow> = query.fetch_all(&store.readers).await?;
    let found = found.into_iter().map(RecordRow::record).collect::<Result<Vec<_>, _>>()?;
    Ok(page(found, &range, ROOMS, |record| record.id))
}
