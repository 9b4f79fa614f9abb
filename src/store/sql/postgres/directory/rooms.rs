//! Rooms, apart from their logs.

use rookery_core::ids::{RoomId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::{
    StoreError,
    record::{Created, NewRoom, RoomRecord},
    sql::{
        failure::Failure,
        postgres::{PostgresStore, projection},
        row::{
            self,
            room::{RecordRow, ordered, select_room},
        },
    },
};

pub(in crate::store::sql::postgres) const PAIR: &str =
    "SELECT id FROM rooms WHERE pair_low = $1 AND pair_high = $2 AND NOT deleted";
/// Somebody else may begin the direct room of the same two at the same moment: then there is no row.
const CREATE: &str =
    "INSERT INTO rooms (id, kind, name, folded_name, topic, visibility, archived, created_at, pair_low,
    pair_high, applied, head, messages, active_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $13)
    ON CONFLICT (pair_low, pair_high) WHERE pair_low IS NOT NULL AND NOT deleted DO NOTHING";

pub(super) async fn create(store: &PostgresStore, room: NewRoom) -> Result<Created, StoreError> {
    store.write(move |connection| Box::pin(begin(connection, room))).await
}

/// Begins a room: its log will have the events once it is first woken; what follows from them is there at once.
async fn begin(connection: &mut PgConnection, room: NewRoom) -> Result<Created, Failure> {
    let NewRoom { record, events } = room;
    if !events.iter().zip(1..).all(|(event, seq)| event.seq == seq && event.room == record.id) {
        return Err(StoreError::Corrupt("the first events of a room have holes".to_owned()).into());
    }
    let pair = record.pair.map(|(one, other)| ordered(one, other));
    let last = events.last();
    let query = sqlx::query(CREATE).bind(record.id.0).bind(row::kind_number(record.kind)).bind(&record.name);
    let query = query.bind(record.name.to_lowercase()).bind(record.topic);
    let query = query.bind(row::visibility_number(record.visibility)).bind(record.archived).bind(record.created_at.0);
    let query = query.bind(pair.map(|(low, _)| low.0)).bind(pair.map(|(_, high)| high.0));
    let query = query.bind(last.map_or(0, |event| row::signed(event.seq)));
    let query = query.bind(last.map_or(0, |event| row::signed(event.messages)));
    let created = query.bind(last.map_or(record.created_at.0, |event| event.at.0)).execute(&mut *connection).await?;
    if created.rows_affected() == 0 {
        let Some((low, high)) = pair else { return Err(StoreError::Corrupt("a room was not begun".to_owned()).into()) };
        let existing: Uuid = sqlx::query_scalar(PAIR).bind(low.0).bind(high.0).fetch_one(&mut *connection).await?;
        return Ok(Created::Existing(RoomId(existing)));
    }
    projection::keep_beginning(connection, record.id, &events).await?;
    projection::follow(connection, record.id, &events.iter().collect::<Vec<_>>()).await?;
    Ok(Created::New)
}

pub(in crate::store::sql::postgres) const ONE: &str = select_room!("FROM rooms r WHERE r.id = $1");

pub(super) async fn one(store: &PostgresStore, id: RoomId) -> Result<Option<RoomRecord>, StoreError> {
    let found: Option<RecordRow> = store.read(sqlx::query_as(ONE).bind(id.0).fetch_optional(&store.pool)).await?;
    found.map(RecordRow::record).transpose()
}

pub(super) async fn direct(store: &PostgresStore, one: UserId, other: UserId) -> Result<Option<RoomId>, StoreError> {
    let (low, high) = ordered(one, other);
    let query = sqlx::query_scalar(PAIR).bind(low.0).bind(high.0);
    let found: Option<Uuid> = store.read(query.fetch_optional(&store.pool)).await?;
    Ok(found.map(RoomId))
}
