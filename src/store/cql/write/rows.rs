//! Rows of a log: those of one partition go together in one write, which costs the servers little more than one row does.

use std::collections::VecDeque;

use futures_util::{StreamExt, TryStreamExt, stream};
use rookery_core::{event::Event, fence::Row};
use scylla::statement::batch::{Batch, BatchType};
use uuid::Uuid;

use super::super::{
    Store,
    failure::unavailable,
    row::{bucket, signed},
};
use crate::store::StoreError;

/// Rows in one write, and bytes of their bodies; a larger row goes alone.
const ROWS: usize = 64;
const BYTES: usize = 64 << 10;
/// Writes of a tail that is written again at one time, for one room.
const REWRITES: usize = 4;

/// A row as it is written: room, bucket, seq, stamp, kind, sender, client_id, at, messages, target, body, timestamp.
pub(in crate::store::cql) type Columns = (Uuid, i64, i64, i64, i8, Uuid, Uuid, i64, i64, i64, Vec<u8>, i64);

/// A row, as it is written.
pub(in crate::store::cql) fn columns(row: &Row) -> Columns {
    let Event { room, seq, at, sender, client_id, messages, content } = &*row.event;
    let kind = content.kind().number() as i8;
    let target = content.target().map_or(0, signed);
    let (stamp, messages) = (signed(row.stamp.0), signed(*messages));
    let body = content.to_stored();
    let place = (room.0, bucket(*seq), signed(*seq));
    (place.0, place.1, place.2, stamp, kind, sender.0, client_id.0, at.0, messages, target, body, row.timestamp())
}

/// Takes the first rows that may go in one write: of one partition, and not too many.
pub(in crate::store::cql) fn together(rows: &mut VecDeque<Columns>) -> Vec<Columns> {
    let place = rows.front().map(|row| (row.0, row.1));
    let mut bytes = 0;
    let fits = |row: &&Columns| {
        bytes += row.10.len();
        Some((row.0, row.1)) == place && bytes <= BYTES
    };
    let count = rows.iter().take(ROWS).take_while(fits).count().max(1).min(rows.len());
    rows.drain(..count).collect()
}

/// Whether a write would be full.
pub(in crate::store::cql) fn is_full(rows: &VecDeque<Columns>) -> bool {
    rows.len() >= ROWS || rows.iter().map(|row| row.10.len()).sum::<usize>() >= BYTES
}

impl Store {
    /// Writes one row of a log. Sent again it is the very same.
    pub(in crate::store::cql) async fn insert(&self, row: &Row) -> Result<(), StoreError> {
        self.insert_together(vec![columns(row)]).await
    }

    /// Writes rows of one partition. If it does not succeed, each of them may have been written or not.
    pub(in crate::store::cql) async fn insert_together(&self, mut rows: Vec<Columns>) -> Result<(), StoreError> {
        let _turn = self.writes.acquire().await.map_err(unavailable)?;
        let statement = &self.statements.insert_event;
        if rows.len() == 1
            && let Some(row) = rows.pop()
        {
            return self.run(statement, row).await.map(|_| ());
        }
        let mut batch = Batch::new_with_statements(BatchType::Unlogged, vec![statement.clone().into(); rows.len()]);
        batch.set_is_idempotent(true);
        batch.set_request_timeout(statement.get_request_timeout());
        self.run_batch(&batch, rows).await
    }

    /// Writes rows again that were found.
    pub(in crate::store::cql) async fn rewrite(&self, rows: &[Row]) -> Result<(), StoreError> {
        let mut rows: VecDeque<Columns> = rows.iter().map(columns).collect();
        let writes = std::iter::from_fn(|| (!rows.is_empty()).then(|| together(&mut rows)));
        let writes: Vec<_> = writes.map(|rows| self.insert_together(rows)).collect();
        stream::iter(writes).buffer_unordered(REWRITES).try_collect().await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rookery_core::{
        event::Content,
        fence::BUCKET,
        ids::{ClientId, RoomId, UserId},
        shard::Stamp,
        time::Millis,
    };

    use super::*;

    fn row(room: u128, seq: u64, bytes: usize) -> Columns {
        let content =
            Content::Message { body: "x".repeat(bytes), reply_to: None, mentions: Vec::new(), attachments: Vec::new() };
        let (sender, client_id) = (UserId(Uuid::nil()), ClientId(Uuid::from_u128(u128::from(seq))));
        let event = Event {
            room: RoomId(Uuid::from_u128(room)),
            seq,
            at: Millis(0),
            sender,
            client_id,
            messages: seq,
            content,
        };
        columns(&Row { stamp: Stamp::new(1, 1), event: Arc::new(event) })
    }

    fn sizes(mut rows: VecDeque<Columns>) -> Vec<usize> {
        let all: Vec<i64> = rows.iter().map(|row| row.2).collect();
        let mut taken = Vec::new();
        let mut sizes = Vec::new();
        while !rows.is_empty() {
            let write = together(&mut rows);
            sizes.push(write.len());
            taken.extend(write.iter().map(|row| row.2));
        }
        assert_eq!(taken, all, "each once, in order");
        sizes
    }

    #[test]
    fn rows_go_together_up_to_a_number_and_an_amount() {
        assert_eq!(sizes((1..=130).map(|seq| row(1, seq, 10)).collect()), [64, 64, 2]);
        assert_eq!(sizes((1..=9).map(|seq| row(1, seq, 16 << 10)).collect()), [3, 3, 3]);
        assert_eq!(sizes((1..=3).map(|seq| row(1, seq, BYTES + 1)).collect()), [1, 1, 1]);
        assert_eq!(sizes(VecDeque::new()), [0_usize; 0]);
    }

    #[test]
    fn rows_of_two_partitions_never_go_together() {
        let over_the_border = (BUCKET - 2..BUCKET + 3).map(|seq| row(1, seq, 10));
        assert_eq!(sizes(over_the_border.collect()), [2, 3]);
        assert_eq!(sizes([row(1, 1, 10), row(2, 2, 10), row(1, 3, 10)].into()), [1, 1, 1]);
    }
}
