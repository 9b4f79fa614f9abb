//! Finding users and rooms by what people type; every character of it is meant literally.

use rookery_core::ids::RoomId;

use crate::store::{
    Page, Range, StoreError, cursor,
    record::{RoomRecord, User},
    sql::{
        page::{one_more, page},
        postgres::PostgresStore,
        row::{
            room::{RecordRow, ids_that_begin_with, select_room},
            user::{UserRow, select_user},
        },
    },
};

const USERS: &str = "users";
const ROOMS: &str = "all_rooms";

/// Those whose handle or name begins with it: each is a stretch of an index, looked at by itself so that the planner does not
/// walk along all handles instead. No letter comes after the last one of Unicode.
pub(in crate::store::sql::postgres) const BEGIN: &str = concat!(
    "WITH by_handle AS MATERIALIZED (SELECT u.* FROM users u
        WHERE u.handle >= $1 AND u.handle < $1 || chr(1114111) AND u.handle > $3
        AND NOT u.deleted AND ($2 OR NOT u.disabled) ORDER BY u.handle LIMIT $4),
     by_name AS MATERIALIZED (SELECT u.* FROM users u
        WHERE u.folded_name >= $1 AND u.folded_name < $1 || chr(1114111)
        AND NOT u.deleted AND ($2 OR NOT u.disabled)) ",
    select_user!(
        "FROM (SELECT * FROM by_handle UNION SELECT * FROM by_name) u WHERE u.handle > $3 ORDER BY u.handle LIMIT $4"
    )
);
/// Those that hold it further inside: there is no index for this, so it walks along the handles until the page is full.
const INSIDE: &str = select_user!(
    "FROM users u
     WHERE (strpos(u.handle, $1) > 1 OR strpos(u.folded_name, $1) > 1)
     AND NOT starts_with(u.handle, $1) AND NOT starts_with(u.folded_name, $1)
     AND NOT u.deleted AND ($2 OR NOT u.disabled) AND u.handle > $3 ORDER BY u.handle LIMIT $4"
);

pub(super) async fn users(
    store: &PostgresStore,
    query: String,
    all: bool,
    range: Range,
) -> Result<Page<User>, StoreError> {
    let after: Option<(i64, String)> = cursor::decode(USERS, range.after.as_deref())?;
    let (place, handle) = after.unwrap_or_default();
    let wanted = query.to_lowercase();
    if !super::storable(&wanted) {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let part = async |sql: &'static str, after: &str, limit: i64| -> Result<Vec<UserRow>, StoreError> {
        let query = sqlx::query_as(sql).bind(&wanted).bind(all).bind(after).bind(limit);
        store.read(query.fetch_all(&store.pool)).await
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
    "FROM rooms r WHERE NOT r.deleted AND (starts_with(r.folded_name, $1) OR (r.id >= $2 AND r.id <= $3))
     AND ($4::uuid IS NULL OR r.id > $4) ORDER BY r.id LIMIT $5"
);

pub(super) async fn rooms(store: &PostgresStore, query: String, range: Range) -> Result<Page<RoomRecord>, StoreError> {
    let after: Option<RoomId> = cursor::decode(ROOMS, range.after.as_deref())?;
    let (low, high) = ids_that_begin_with(&query).unzip();
    if !super::storable(&query) {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let query = sqlx::query_as(SEARCH_ROOMS).bind(query.to_lowercase()).bind(low).bind(high);
    let query = query.bind(after.map(|room| room.0)).bind(one_more(&range));
    let found: Vec<RecordRow> = store.read(query.fetch_all(&store.pool)).await?;
    let found = found.into_iter().map(RecordRow::record).collect::<Result<Vec<_>, _>>()?;
    Ok(page(found, &range, ROOMS, |record| record.id))
}
