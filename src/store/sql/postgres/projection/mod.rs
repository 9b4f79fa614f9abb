//! Following the logs of the rooms.

mod follow;
mod marks;
mod publish;
mod refer;
mod standing;

use rookery_core::ids::{RoomId, Seq};
use sqlx::PgConnection;

use super::PostgresStore;
use crate::store::{
    Answer, StoreError,
    log::Marks,
    projection::{CountedMarks, Projection, PublishedHead, Run, Standing},
    sql::{
        failure::Failure,
        row::{signed, unsigned},
    },
};

pub(super) use self::{follow::follow, standing::keep_beginning};
#[cfg(test)]
pub(super) use self::{
    marks::MARK,
    publish::{FORGET, PUBLISH},
    standing::{BEGINNING, STANDING},
};

/// Two nodes may follow the same room for a moment; one waits for the other.
const LOCK: &str = "SELECT applied FROM rooms WHERE id = $1 FOR NO KEY UPDATE";
const APPLIED: &str = "UPDATE rooms SET applied = $2 WHERE id = $1";

impl Projection for PostgresStore {
    fn standing(&self, room: RoomId) -> Answer<'_, Option<Standing>> {
        Box::pin(standing::standing(self, room))
    }

    fn apply(&self, room: RoomId, run: Run) -> Answer<'_, Seq> {
        Box::pin(async move { self.write(move |connection| Box::pin(apply(connection, room, run))).await })
    }

    fn publish(&self, heads: Vec<PublishedHead>) -> Answer<'_, ()> {
        Box::pin(publish::publish(self, heads))
    }

    fn mark(&self, marks: Vec<CountedMarks>) -> Answer<'_, Vec<Option<Marks>>> {
        Box::pin(marks::mark(self, marks))
    }
}

async fn apply(connection: &mut PgConnection, room: RoomId, run: Run) -> Result<Seq, Failure> {
    let seqs = || run.events.iter().map(|event| event.seq);
    let lawful = run.events.iter().all(|event| event.room == room)
        && seqs().is_sorted_by(|one, next| one < next)
        && seqs().all(|seq| run.after < seq && seq <= run.upto);
    if !lawful {
        return Err(StoreError::Corrupt(format!("a run of the log of room {room} is out of order")).into());
    }
    let applied: Option<i64> = sqlx::query_scalar(LOCK).bind(room.0).fetch_optional(&mut *connection).await?;
    let applied = applied.map(unsigned).ok_or(StoreError::NotFound)?;
    if applied < run.after || run.upto <= applied {
        return Ok(applied);
    }
    let fresh: Vec<_> = run.events.iter().map(AsRef::as_ref).filter(|event| event.seq > applied).collect();
    follow(connection, room, &fresh).await?;
    sqlx::query(APPLIED).bind(room.0).bind(signed(run.upto)).execute(connection).await?;
    Ok(run.upto)
}
