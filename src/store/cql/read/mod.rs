//! Reading logs: rows over the borders of partitions, heads, shards.

mod keys;
mod messages;
mod present;
pub(super) mod shards;

use std::sync::Arc;

use rookery_core::{
    event::Event,
    fence::{BUCKET, Row},
    ids::{RoomId, Seq},
};
use scylla::statement::prepared::PreparedStatement;

use super::{
    Store,
    failure::corrupt,
    row::{EventRow, bucket, log_row, rows, signed, unsigned},
    statements::{all, first},
};
use crate::store::{StoreError, projection::is_followed};

/// Rows that are asked for at once: large bodies in all of them are a few megabytes.
const AT_ONCE: usize = 512;

impl Store {
    /// The head that was published last; 0 for none.
    pub(super) async fn stored_head(&self, room: RoomId) -> Result<Seq, StoreError> {
        let head: Option<(i64,)> = first(self.run(&self.statements.read_head, (room.0,)).await?)?;
        Ok(head.map_or(0, |(head,)| unsigned(head)))
    }

    /// The rows that stand there with `after < seq <= through`, ascending, at most `limit`.
    pub(super) async fn rows_up(
        &self,
        room: RoomId,
        after: Seq,
        through: Seq,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let mut found: Vec<Row> = Vec::new();
        let mut after = after;
        while after < through && found.len() < limit {
            let wanted = (limit - found.len()).min(AT_ONCE);
            let place = (bucket(after + 1), after, through);
            let part = self.part(&self.statements.rows_up, room, place, wanted).await?;
            after = match part.last() {
                Some(last) if part.len() == wanted => last.seq(),
                // That was all of this partition.
                _ => (after + 1) / BUCKET * BUCKET + BUCKET - 1,
            };
            found.extend(part);
        }
        Ok(found)
    }

    /// The rows that stand there with `from <= seq < before`, descending, at most `limit`.
    pub(super) async fn rows_down(
        &self,
        room: RoomId,
        before: Seq,
        from: Seq,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let mut found: Vec<Row> = Vec::new();
        let (mut before, from) = (before, from.max(1));
        while before > from && found.len() < limit {
            let wanted = (limit - found.len()).min(AT_ONCE);
            let place = (bucket(before - 1), from - 1, before - 1);
            let part = self.part(&self.statements.rows_down, room, place, wanted).await?;
            before = match part.last() {
                Some(last) if part.len() == wanted => last.seq(),
                _ => (before - 1) / BUCKET * BUCKET,
            };
            found.extend(part);
        }
        Ok(found)
    }

    async fn part(
        &self,
        statement: &PreparedStatement,
        room: RoomId,
        (bucket, after, through): (i64, Seq, Seq),
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let values = (room.0, bucket, signed(after), signed(through), rows(limit));
        let columns: Vec<EventRow> = all(self.run(statement, values).await?)?;
        columns.into_iter().map(|columns| log_row(room, columns)).collect()
    }

    /// One row.
    pub(super) async fn row(&self, room: RoomId, seq: Seq) -> Result<Option<Row>, StoreError> {
        let Some(after) = seq.checked_sub(1) else { return Ok(None) };
        Ok(self.part(&self.statements.rows_up, room, (bucket(seq), after, seq), 1).await?.pop())
    }

    /// The events with `after < seq <= head`, at most `limit`; `head` is committed, so there is no hole.
    pub(super) async fn committed(
        &self,
        room: RoomId,
        after: Seq,
        head: Seq,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        let through = head.min(after.saturating_add(limit as u64));
        let rows = self.rows_up(room, after, through, limit).await?;
        let is_whole = rows.len() as u64 == through.saturating_sub(after);
        if !is_whole || !rows.iter().zip(after + 1..).all(|(row, seq)| row.seq() == seq) {
            return Err(corrupt(format!("events {} to {through} of room {room} have a hole", after + 1)));
        }
        Ok(rows.into_iter().map(|row| row.event).collect())
    }

    /// The events that the directory follows with `after < seq <= head`.
    pub(super) async fn changes(&self, room: RoomId, after: Seq, head: Seq) -> Result<Vec<Arc<Event>>, StoreError> {
        let (mut changes, mut after) = (Vec::new(), after);
        while after < head {
            let events = self.committed(room, after, head, AT_ONCE).await?;
            let Some(last) = events.last() else { break };
            after = last.seq;
            changes.extend(events.into_iter().filter(|event| is_followed(&event.content)));
        }
        Ok(changes)
    }
}
