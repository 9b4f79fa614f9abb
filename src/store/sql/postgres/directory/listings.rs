//! Rooms as a user sees them; heads and counts are the published ones, newest messages are in the log's store.

use rookery_core::{
    frame::server::RoomView,
    ids::{RoomId, UserId},
};

use crate::store::{
    Page, Range, StoreError, cursor,
    record::RoomListing,
    sql::{
        page::{one_more, page},
        postgres::PostgresStore,
        row::{
            listing::{ListingRow, ViewRow},
            room::select_room,
        },
    },
};

const LIST: &str = "rooms";
const PUBLIC_LIST: &str = "public";

/// The columns beside those of a room; `m` is the membership. What a member has read is in the log, so the head is there
/// or further.
macro_rules! select_listing {
    ($rest:literal) => {
        select_room!(concat!(
            ", m.role, m.read, m.delivered, m.read_messages, m.notify, m.visible_from,
             greatest(r.head, m.delivered) AS head, r.messages, r.active_at ",
            $rest
        ))
    };
}

pub(in crate::store::sql::postgres) const ONE: &str = select_listing!(
    "FROM rooms r LEFT JOIN memberships m ON m.room = r.id AND m.member = $1 WHERE r.id = $2 AND NOT r.deleted"
);
pub(in crate::store::sql::postgres) const LIST_ROOMS: &str = select_listing!(
    "FROM memberships m JOIN rooms r ON r.id = m.room AND NOT r.deleted
     WHERE m.member = $1 AND ($2::bigint IS NULL OR (r.active_at, r.id) < ($2, $3))
     ORDER BY r.active_at DESC, r.id DESC LIMIT $4"
);
pub(in crate::store::sql::postgres) const PUBLIC: &str = select_listing!(
    "FROM rooms r LEFT JOIN memberships m ON m.room = r.id AND m.member = $1
     WHERE r.visibility = 1 AND NOT r.deleted AND strpos(r.folded_name, $2) > 0
     AND ($3::text IS NULL OR (r.folded_name, r.id) > ($3, $4)) ORDER BY r.folded_name, r.id LIMIT $5"
);
pub(in crate::store::sql::postgres) const ROOMS_OF: &str = "SELECT r.id AS room, r.kind, r.name, m.role, m.read,
        m.delivered, m.read_messages, m.notify, m.visible_from, greatest(r.head, m.delivered) AS head, r.messages
    FROM memberships m JOIN rooms r ON r.id = m.room AND NOT r.deleted
    WHERE m.member = $1 ORDER BY m.room LIMIT 10000";

/// Everything a user is in.
pub(super) async fn rooms_of(store: &PostgresStore, user: UserId) -> Result<Vec<RoomView>, StoreError> {
    let found: Vec<ViewRow> = store.read(sqlx::query_as(ROOMS_OF).bind(user.0).fetch_all(&store.pool)).await?;
    found.into_iter().map(ViewRow::view).collect()
}

/// One room.
pub(super) async fn one(store: &PostgresStore, room: RoomId, user: UserId) -> Result<Option<RoomListing>, StoreError> {
    let query = sqlx::query_as(ONE).bind(user.0).bind(room.0);
    let found: Option<ListingRow> = store.read(query.fetch_optional(&store.pool)).await?;
    found.map(ListingRow::listing).transpose()
}

/// The rooms of a user, newest activity first.
pub(super) async fn of_user(
    store: &PostgresStore,
    user: UserId,
    range: Range,
) -> Result<Page<RoomListing>, StoreError> {
    let (at, room): (Option<i64>, Option<RoomId>) = cursor::decode(LIST, range.after.as_deref())?.unzip();
    let query = sqlx::query_as(LIST_ROOMS).bind(user.0).bind(at).bind(room.map(|room| room.0)).bind(one_more(&range));
    let found: Vec<ListingRow> = store.read(query.fetch_all(&store.pool)).await?;
    let found = found.into_iter().map(ListingRow::listing).collect::<Result<Vec<_>, _>>()?;
    Ok(page(found, &range, LIST, |listing| (listing.active_at.0, listing.record.id)))
}

/// Public rooms.
pub(super) async fn public(
    store: &PostgresStore,
    user: UserId,
    query: String,
    range: Range,
) -> Result<Page<RoomListing>, StoreError> {
    let (name, room): (Option<String>, Option<RoomId>) = cursor::decode(PUBLIC_LIST, range.after.as_deref())?.unzip();
    if !super::storable(&query) {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let query = sqlx::query_as(PUBLIC).bind(user.0).bind(query.to_lowercase()).bind(name);
    let query = query.bind(room.map(|room| room.0)).bind(one_more(&range));
    let found: Vec<ListingRow> = store.read(query.fetch_all(&store.pool)).await?;
    let found = found.into_iter().map(ListingRow::listing).collect::<Result<Vec<_>, _>>()?;
    Ok(page(found, &range, PUBLIC_LIST, |listing| (listing.record.name.to_lowercase(), listing.record.id)))
}
