//! Finding users and rooms by what people type; every character of it is meant literally.

use rookery_core::ids::RoomId;
use uuid::Uuid;

use super::{
    one_more, page,
    rooms::{RecordRow, select_room},
    users::{UserRow, select_user},
};
use crate::store::{
    Page, Range, StoreError, cursor,
    record::{RoomRecord, User},
    sql::SqliteStore,
};

const USERS: &str = "users";
const ROOMS: &str = "all_rooms";

/// Those that begin with it come before those that only hold it.
const SEARCH_USERS: &str = concat!(
    "SELECT u.*, u.place FROM (",
    select_user!(
        ", CASE WHEN substr(u.handle, 1, length($1)) = $1 OR substr(u.folded_name, 1, length($1)) = $1 THEN 0 ELSE 1 END
         AS place FROM users u
         WHERE u.deleted = 0 AND ($2 OR u.disabled = 0)
         AND (instr(u.handle, $1) > 0 OR instr(u.folded_name, $1) > 0 OR $1 = '')"
    ),
    ") u WHERE $3 IS NULL OR (u.place, u.handle) > ($3, $4) ORDER BY u.place, u.handle LIMIT $5"
);

#[derive(sqlx::FromRow)]
struct FoundRow {
    #[sqlx(flatten)]
    user: UserRow,
    place: i64,
}

pub(super) async fn users(
    store: &SqliteStore,
    query: String,
    all: bool,
    range: Range,
) -> Result<Page<User>, StoreError> {
    let (place, handle): (Option<i64>, Option<String>) = cursor::decode(USERS, range.after.as_deref())?.unzip();
    let query = sqlx::query_as(SEARCH_USERS).bind(query.to_lowercase()).bind(all).bind(place).bind(handle);
    let found: Vec<FoundRow> = query.bind(one_more(&range)).fetch_all(&store.readers).await?;
    let found = found.into_iter().map(|row| (row.place, row.user.user())).collect();
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

/// The first and the last id whose text begins like this; `None` for what begins no id.
fn ids_that_begin_with(text: &str) -> Option<(Uuid, Uuid)> {
    const FORM: &str = "00000000-0000-0000-0000-000000000000";
    let rest = FORM.get(text.len()..)?;
    let low = Uuid::try_parse(&format!("{text}{rest}")).ok()?;
    let high = Uuid::try_parse(&format!("{text}{}", rest.replace('0', "f"))).ok()?;
    Some((low, high))
}
