//! Rooms as a user sees them.

use std::collections::HashMap;

use rookery_core::{
    frame::server::RoomView,
    ids::{RoomId, UserId},
};
use sqlx::FromRow;

use super::{one_more, page};
use crate::store::sql::row::listing::{ListingRow, ViewRow};
use crate::store::sql::row::room::select_room;
use crate::store::{
    Page, Range, StoreError, cursor,
    record::RoomListing,
    sql::sqlite::{SqliteStore, messages},
};

const LIST: &str = "rooms";
const PUBLIC_LIST: &str = "public";

/// The columns beside those of a room: the membership (`m`), the last event, the newest message that the member may see.
/// Each subselect is one step down the index of the log.
macro_rules! select_listing {
    ($rest:literal) => {
        select_room!(concat!(
            ", m.role, m.read, m.delivered, m.read_messages, m.notify, m.visible_from,
             coalesce(h.seq, 0) AS head, coalesce(h.messages, 0) AS messages, coalesce(h.at, r.created_at) AS active_at,
             CASE WHEN m.room IS NOT NULL THEN (SELECT l.pos FROM events l WHERE l.room = r.id AND l.kind = 0
                AND l.seq >= m.visible_from ORDER BY l.seq DESC LIMIT 1) END AS last_message ",
            $rest
        ))
    };
}

const ONE: &str = select_listing!(
    "FROM rooms r LEFT JOIN memberships m ON m.room = r.id AND m.user = $1
     LEFT JOIN events h ON h.pos = (SELECT pos FROM events WHERE room = r.id ORDER BY seq DESC LIMIT 1)
     WHERE r.id = $2 AND r.deleted = 0"
);
/// Which rooms come next is found by their last events alone; only those are looked at closer.
pub(in crate::store::sql::sqlite) const LIST_ROOMS: &str = select_listing!(
    "FROM (SELECT n.room, e.pos, coalesce(e.at, q.created_at) AS active_at
        FROM memberships n JOIN rooms q ON q.id = n.room AND q.deleted = 0
        LEFT JOIN events e ON e.pos = (SELECT pos FROM events WHERE room = n.room ORDER BY seq DESC LIMIT 1)
        WHERE n.user = $1 AND ($2 IS NULL OR (coalesce(e.at, q.created_at), n.room) < ($2, $3))
        ORDER BY active_at DESC, n.room DESC LIMIT $4) next
     JOIN rooms r ON r.id = next.room JOIN memberships m ON m.room = next.room AND m.user = $1
     LEFT JOIN events h ON h.pos = next.pos
     ORDER BY next.active_at DESC, next.room DESC"
);
const PUBLIC: &str = select_listing!(
    "FROM rooms r LEFT JOIN memberships m ON m.room = r.id AND m.user = $1
     LEFT JOIN events h ON h.pos = (SELECT pos FROM events WHERE room = r.id ORDER BY seq DESC LIMIT 1)
     WHERE r.visibility = 1 AND r.deleted = 0 AND instr(r.folded_name, $2) > 0
     AND ($3 IS NULL OR (r.folded_name, r.id) > ($3, $4)) ORDER BY r.folded_name, r.id LIMIT $5"
);
pub(in crate::store::sql::sqlite) const ROOMS_OF: &str =
    "SELECT r.id AS room, r.kind, r.name, m.role, m.read, m.delivered,
        m.read_messages, m.notify, m.visible_from, coalesce(h.seq, 0) AS head, coalesce(h.messages, 0) AS messages
    FROM memberships m JOIN rooms r ON r.id = m.room AND r.deleted = 0
    LEFT JOIN events h ON h.pos = (SELECT pos FROM events WHERE room = m.room ORDER BY seq DESC LIMIT 1)
    WHERE m.user = $1 ORDER BY m.room LIMIT 10000";

/// A listing, and where its newest message lies.
#[derive(FromRow)]
struct PlacedRow {
    #[sqlx(flatten)]
    listing: ListingRow,
    last_message: Option<i64>,
}

/// Everything a user is in.
pub(super) async fn rooms_of(store: &SqliteStore, user: UserId) -> Result<Vec<RoomView>, StoreError> {
    let found: Vec<ViewRow> = sqlx::query_as(ROOMS_OF).bind(user.0).fetch_all(&store.readers).await?;
    found.into_iter().map(ViewRow::view).collect()
}

/// One room.
pub(super) async fn one(store: &SqliteStore, room: RoomId, user: UserId) -> Result<Option<RoomListing>, StoreError> {
    let found: Vec<PlacedRow> = sqlx::query_as(ONE).bind(user.0).bind(room.0).fetch_all(&store.readers).await?;
    Ok(listings(store, found, user).await?.pop())
}

/// The rooms of a user, newest activity first.
pub(super) async fn of_user(store: &SqliteStore, user: UserId, range: Range) -> Result<Page<RoomListing>, StoreError> {
    let (at, room): (Option<i64>, Option<RoomId>) = cursor::decode(LIST, range.after.as_deref())?.unzip();
    let query = sqlx::query_as(LIST_ROOMS).bind(user.0).bind(at).bind(room.map(|room| room.0)).bind(one_more(&range));
    let found: Vec<PlacedRow> = query.fetch_all(&store.readers).await?;
    let found = listings(store, found, user).await?;
    Ok(page(found, &range, LIST, |listing| (listing.active_at.0, listing.record.id)))
}

/// Public rooms.
pub(super) async fn public(
    store: &SqliteStore,
    user: UserId,
    query: String,
    range: Range,
) -> Result<Page<RoomListing>, StoreError> {
    let (name, room): (Option<String>, Option<RoomId>) = cursor::decode(PUBLIC_LIST, range.after.as_deref())?.unzip();
    let query = sqlx::query_as(PUBLIC).bind(user.0).bind(query.to_lowercase()).bind(name);
    let query = query.bind(room.map(|room| room.0)).bind(one_more(&range));
    let found: Vec<PlacedRow> = query.fetch_all(&store.readers).await?;
    let found = listings(store, found, user).await?;
    Ok(page(found, &range, PUBLIC_LIST, |listing| (listing.record.name.to_lowercase(), listing.record.id)))
}

/// Listings with their newest messages, all of which are read at once.
async fn listings(store: &SqliteStore, found: Vec<PlacedRow>, viewer: UserId) -> Result<Vec<RoomListing>, StoreError> {
    let places: Vec<i64> = found.iter().filter_map(|row| row.last_message).collect();
    let mut newest = HashMap::new();
    if !places.is_empty() {
        newest.extend(messages::at(store, &places, viewer).await?.into_iter().map(|message| (message.room, message)));
    }
    let listing = |row: PlacedRow| {
        let mut listing = row.listing.listing()?;
        listing.last_message = newest.remove(&listing.record.id);
        Ok(listing)
    };
    found.into_iter().map(listing).collect()
}
