//! Rooms, apart from their logs.

use rookery_core::{
    ids::{RoomId, UserId},
    shard::Stamp,
};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::store::sql::row::room::{RecordRow, ordered, select_room};
use crate::store::{
    StoreError,
    record::{Created, NewRoom, RoomRecord},
    sql::sqlite::{SqliteStore, failure::Failure, insert::insert, project::project, row},
};

const PAIR: &str = "SELECT id FROM rooms WHERE pair_low = $1 AND pair_high = $2 AND deleted = 0";
const CREATE: &str =
    "INSERT INTO rooms (id, kind, name, folded_name, topic, visibility, archived, created_at, pair_low,
    pair_high) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

pub(super) async fn create(store: &SqliteStore, room: NewRoom) -> Result<Created, StoreError> {
    store.write(move |connection| Box::pin(begin(connection, room))).await
}

/// Begins a room in the transaction of the connection.
pub(in crate::store::sql::sqlite) async fn begin(
    connection: &mut SqliteConnection,
    room: NewRoom,
) -> Result<Created, Failure> {
    let NewRoom { record, events } = room;
    if !events.iter().zip(1..).all(|(event, seq)| event.seq == seq && event.room == record.id) {
        return Err(StoreError::Corrupt("the first events of a room have holes".to_owned()).into());
    }
    let pair = record.pair.map(|(one, other)| ordered(one, other));
    if let Some((low, high)) = pair {
        let query = sqlx::query_scalar(PAIR).bind(low.0).bind(high.0);
        let existing: Option<Uuid> = query.fetch_optional(&mut *connection).await?;
        if let Some(existing) = existing {
            return Ok(Created::Existing(RoomId(existing)));
        }
    }
    let query = sqlx::query(CREATE).bind(record.id.0).bind(row::kind_number(record.kind)).bind(&record.name);
    let query = query.bind(record.name.to_lowercase()).bind(record.topic);
    let query = query.bind(row::visibility_number(record.visibility)).bind(record.archived).bind(record.created_at.0);
    let query = query.bind(pair.map(|(low, _)| low.0)).bind(pair.map(|(_, high)| high.0));
    query.execute(&mut *connection).await?;
    // No activation of the room wrote these.
    insert(connection, events.iter().map(|event| (Stamp::default(), event))).await?;
    for event in &events {
        project(connection, event).await?;
    }
    Ok(Created::New)
}

const ONE: &str = select_room!("FROM rooms r WHERE r.id = $1");

pub(super) async fn one(store: &SqliteStore, id: RoomId) -> Result<Option<RoomRecord>, StoreError> {
    let found: Option<RecordRow> = sqlx::query_as(ONE).bind(id.0).fetch_optional(&store.readers).await?;
    found.map(RecordRow::record).transpose()
}

pub(super) async fn direct(store: &SqliteStore, one: UserId, other: UserId) -> Result<Option<RoomId>, StoreError> {
    let (low, high) = ordered(one, other);
    let found: Option<Uuid> = sqlx::query_scalar(PAIR).bind(low.0).bind(high.0).fetch_optional(&store.readers).await?;
    Ok(found.map(RoomId))
}
