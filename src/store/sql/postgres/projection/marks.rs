//! Moving marks: all that are given together are moved by one statement.

use std::collections::{BTreeMap, HashMap};

use rookery_core::ids::{RoomId, Seq, UserId};
use uuid::Uuid;

use crate::store::{
    StoreError,
    log::Marks,
    projection::CountedMarks,
    sql::{
        postgres::PostgresStore,
        row::{signed, unsigned},
    },
};

/// What is read is delivered. Rows are locked in one order, so that two that mark the same do not wait for each other.
pub(in crate::store::sql::postgres) const MARK: &str = "WITH
    new AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[])
        AS n (room, member, read, delivered, read_messages)),
    locked AS (SELECT m.room, m.member FROM memberships m JOIN new n ON n.room = m.room AND n.member = m.member
        ORDER BY m.room, m.member FOR NO KEY UPDATE OF m)
    UPDATE memberships m SET read = greatest(m.read, n.read),
        read_messages = CASE WHEN n.read > m.read THEN n.read_messages ELSE m.read_messages END,
        delivered = greatest(m.delivered, n.read, n.delivered)
    FROM new n JOIN locked l ON l.room = n.room AND l.member = n.member
    WHERE m.room = n.room AND m.member = n.member
    RETURNING m.room, m.member, m.read, m.delivered";

pub(super) async fn mark(store: &PostgresStore, marks: Vec<CountedMarks>) -> Result<Vec<Option<Marks>>, StoreError> {
    // The statement moves each row once.
    let mut furthest: BTreeMap<(RoomId, UserId), (Seq, Seq, u64)> = BTreeMap::new();
    for CountedMarks { marks, read_messages } in &marks {
        let (read, delivered, messages) = furthest.entry((marks.room, marks.user)).or_default();
        if marks.read > *read {
            (*read, *messages) = (marks.read, *read_messages);
        }
        *delivered = marks.delivered.max(*delivered);
    }
    if furthest.is_empty() {
        return Ok(Vec::new());
    }
    let (rooms, members): (Vec<Uuid>, Vec<Uuid>) = furthest.keys().map(|(room, user)| (room.0, user.0)).unzip();
    let numbers = |of: fn(&(Seq, Seq, u64)) -> u64| furthest.values().map(|n| signed(of(n))).collect::<Vec<i64>>();
    let query = sqlx::query_as(MARK).bind(rooms).bind(members).bind(numbers(|(read, ..)| *read));
    let query = query.bind(numbers(|(_, delivered, _)| *delivered)).bind(numbers(|(.., messages)| *messages));
    let moved = store.write(move |connection| Box::pin(async move { Ok(query.fetch_all(connection).await?) })).await?;
    let stand: HashMap<(RoomId, UserId), (Seq, Seq)> = moved
        .into_iter()
        .map(|(room, user, read, delivered): (Uuid, Uuid, i64, i64)| {
            ((RoomId(room), UserId(user)), (unsigned(read), unsigned(delivered)))
        })
        .collect();
    let now = |CountedMarks { marks, .. }: CountedMarks| {
        let (read, delivered) = *stand.get(&(marks.room, marks.user))?;
        Some(Marks { read, delivered, ..marks })
    };
    Ok(marks.into_iter().map(now).collect())
}
