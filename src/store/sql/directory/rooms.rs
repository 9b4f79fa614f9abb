//! Rooms, apart from their logs.

use rookery_core::{
    ids::{RoomId, UserId},
    shard::Stamp,
    time::Millis,
};
use sqlx::{FromRow, SqliteConnection};
use uuid::Uuid;

use crate::store::{
    StoreError,
    record::{Created, NewRoom, RoomRecord},
    sql::{
        SqliteStore,
        failure::Failure,
        insert::insert,
        project::project,
        row::{self, unsigned},
    },
};

/// A room as it comes out of the file.
#[derive(FromRow)]
pub(super) struct RecordRow {
    id: Uuid,
    kind: i64,
    name: String,
    topic: String,
    visibility: i64,
    archived: bool,
    deleted: bool,
    created_at: i64,
    members: i64,
    pair_low: Option<Uuid>,
    pair_high: Option<Uuid>,
}

impl RecordRow {
    /// The record in it.
    pub(super) fn record(self) -> Result<RoomRecord, StoreError> {
        Ok(RoomRecord {
            id: RoomId(self.id),
            kind: row::kind(self.kind)?,
            name: self.name,
            topic: self.topic,
            visibility: row::visibility(self.visibility)?,
            archived: self.archived,
            deleted: self.deleted,
            created_at: Millis(self.created_at),
            members: unsigned(self.members),
            pair: self.pair_low.zip(self.pair_high).map(|(low, high)| (UserId(low), UserId(high))),
        })
    }
}

/// The columns of a room; `r` is the table.
macro_rules! select_room {
    ($rest:expr) => {
        concat!(
            "SELECT r.id, r.kind, r.name, r.topic, r.visibility, r.archived, r.deleted, r.created_at, r.members,
             r.pair_low, r.pair_high ",
            $rest
        )
    };
}
pub(super) use select_room;

/// The two of a direct room, in the order of the columns.
fn ordered(one: UserId, other: UserId) -> (UserId, UserId) {
    (one.min(other), one.max(other))
}

const PAIR: &str = "SELECT id FROM rooms WHERE pair_low = $1 AND pair_high = $2 AND deleted = 0";
const CREATE: &str =
    "INSERT INTO rooms (id, kind, name, folded_name, topic, visibility, archived, created_at, pair_low,
    pair_high) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

pub(super) async fn create(store: &SqliteStore, room: NewRoom) -> Result<Created, StoreError> {
    store.write(move |connection| Box::pin(begin(connection, room))).await
}

/// Begins a room in the transaction of the connection.
pub(in crate::store::sql) async fn begin(connection: &mut SqliteConnection, room: NewRoom) -> Result<Created, Failure> {
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
