//! Noting the newest events of rooms.

use std::collections::BTreeMap;

use rookery_core::ids::RoomId;
use uuid::Uuid;

use crate::store::{
    StoreError,
    projection::PublishedHead,
    sql::{postgres::PostgresStore, row::signed},
};

/// Rows are locked in the order of their ids, so that two nodes that publish do not wait for each other.
pub(in crate::store::sql::postgres) const PUBLISH: &str = "WITH
    news AS (SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
        AS n (room, head, messages, active_at, last_change)),
    locked AS (SELECT r.id FROM rooms r JOIN news n ON n.room = r.id ORDER BY r.id FOR NO KEY UPDATE OF r)
    UPDATE rooms r SET head = greatest(r.head, n.head), published = TRUE,
        messages = CASE WHEN n.head > r.head THEN n.messages ELSE r.messages END,
        active_at = CASE WHEN n.head > r.head THEN n.active_at ELSE r.active_at END,
        applied = CASE WHEN r.applied >= n.last_change THEN greatest(r.applied, n.head) ELSE r.applied END
    FROM news n JOIN locked l ON l.id = n.room WHERE r.id = n.room";
pub(in crate::store::sql::postgres) const FORGET: &str = "DELETE FROM beginnings WHERE room = ANY($1)";

pub(super) async fn publish(store: &PostgresStore, heads: Vec<PublishedHead>) -> Result<(), StoreError> {
    // The statement moves each row once.
    let mut newest: BTreeMap<RoomId, PublishedHead> = BTreeMap::new();
    for head in heads {
        let known = newest.entry(head.room).or_insert(head);
        if head.head > known.head {
            *known = head;
        }
    }
    if newest.is_empty() {
        return Ok(());
    }
    let rooms: Vec<Uuid> = newest.keys().map(|room| room.0).collect();
    let numbers = |of: fn(&PublishedHead) -> i64| newest.values().map(of).collect::<Vec<i64>>();
    let query = sqlx::query(PUBLISH).bind(rooms.clone()).bind(numbers(|head| signed(head.head)));
    let query = query.bind(numbers(|head| signed(head.messages))).bind(numbers(|head| head.active_at.0));
    let query = query.bind(numbers(|head| signed(head.last_change)));
    store
        .write(move |connection| {
            Box::pin(async move {
                query.execute(&mut *connection).await?;
                sqlx::query(FORGET).bind(rooms).execute(connection).await?;
                Ok(())
            })
        })
        .await
}
