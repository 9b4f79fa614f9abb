//! Rooms, as they come out of a table.

use rookery_core::{
    ids::{RoomId, UserId},
    time::Millis,
};
use sqlx::FromRow;
use uuid::Uuid;

use super::{kind, unsigned, visibility};
use crate::store::{StoreError, record::RoomRecord};

/// A room as it comes out of a table.
#[derive(FromRow)]
pub(in crate::store::sql) struct RecordRow {
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
    pub(in crate::store::sql) fn record(self) -> Result<RoomRecord, StoreError> {
        Ok(RoomRecord {
            id: RoomId(self.id),
            kind: kind(self.kind)?,
            name: self.name,
            topic: self.topic,
            visibility: visibility(self.visibility)?,
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
pub(in crate::store::sql) use select_room;

/// The two of a direct room, in the order of the columns.
pub(in crate::store::sql) fn ordered(one: UserId, other: UserId) -> (UserId, UserId) {
    (one.min(other), one.max(other))
}

/// The first and the last id whose text begins like this; `None` for what begins no id.
pub(in crate::store::sql) fn ids_that_begin_with(text: &str) -> Option<(Uuid, Uuid)> {
    const FORM: &str = "00000000-0000-0000-0000-000000000000";
    let rest = FORM.get(text.len()..)?;
    let low = Uuid::try_parse(&format!("{text}{rest}")).ok()?;
    let high = Uuid::try_parse(&format!("{text}{}", rest.replace('0', "f"))).ok()?;
    Some((low, high))
}
