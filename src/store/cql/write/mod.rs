//! Writing: rows of the log, claims, heads and keys, and what lies over messages.

mod import;
mod overlay;

use futures_util::{StreamExt, TryStreamExt, stream};
use rookery_core::{
    event::Event,
    fence::{Row, ShardRow, Swapped},
    ids::{ClientId, RoomId, Seq, ShardId, UserId},
    shard::Epoch,
};
use scylla::statement::batch::{Batch, BatchType};
use uuid::Uuid;

use super::{
    Store,
    failure::unavailable,
    read::shards::part,
    row::{bucket, signed, slice},
    statements::applied,
};
use crate::store::StoreError;

pub(super) use overlay::leaves_a_trace;

/// Rows of a tail that are written again at one time, for one room.
const REWRITES: usize = 64;

/// Parts of a room's keys that are noted at one time.
const SLICES: usize = 4;

/// A key, and where its write is.
pub(super) type Key = (Seq, UserId, ClientId);

impl Store {
    /// Decides who owns a shard, if nobody else has since.
    pub(super) async fn swap(&self, shard: ShardId, from: Epoch, to: &ShardRow) -> Swapped {
        let (node, incarnation) =
            to.owner.as_ref().map_or(("", Uuid::nil()), |owner| (&*owner.node.0, owner.incarnation));
        let (place, number, epoch) = (part(shard), i32::from(shard.0), signed(to.epoch));
        let turn = self.parts[place].deciding.lock().await;
        let place = place as i32;
        let decided = if from == 0 {
            self.run(&self.statements.first_claim, (place, number, node, incarnation, epoch)).await
        } else {
            self.run(&self.statements.next_claim, (node, incarnation, epoch, place, number, signed(from))).await
        };
        drop(turn);
        match decided.and_then(applied) {
            Ok(true) => Swapped::Applied,
            // The two servers say different things about how it stands; the row itself says the same on both.
            Ok(false) => match self.learn_shard(shard).await {
                Ok(row) => Swapped::NotApplied(row),
                Err(_) => Swapped::Unknown,
            },
            Err(_) => Swapped::Unknown,
        }
    }

    /// Writes one row of a log. Sent again it is the very same.
    pub(super) async fn insert(&self, row: &Row) -> Result<(), StoreError> {
        let _turn = self.writes.acquire().await.map_err(unavailable)?;
        let Event { room, seq, at, sender, client_id, messages, content } = &*row.event;
        let kind = content.kind().number() as i8;
        let target = content.target().map_or(0, signed);
        let place = (room.0, bucket(*seq), signed(*seq));
        let (stamp, messages) = (signed(row.stamp.0), signed(*messages));
        let values = (
            place.0,
            place.1,
            place.2,
            stamp,
            kind,
            sender.0,
            client_id.0,
            at.0,
            messages,
            target,
            content.to_stored(),
            row.timestamp(),
        );
        self.run(&self.statements.insert_event, values).await?;
        Ok(())
    }

    /// Writes rows again that were found.
    pub(super) async fn rewrite(&self, rows: &[Row]) -> Result<(), StoreError> {
        let writes: Vec<_> = rows.iter().map(|row| self.insert(row)).collect();
        stream::iter(writes).buffer_unordered(REWRITES).try_collect().await
    }

    /// Cuts off everything after `last` that is older.
    pub(super) async fn cut(
        &self,
        room: RoomId,
        last: Seq,
        buckets: std::ops::RangeInclusive<u64>,
        timestamp: i64,
    ) -> Result<(), StoreError> {
        for bucket in buckets {
            let values = (timestamp, room.0, signed(bucket), signed(last));
            self.run(&self.statements.cut_events, values).await?;
        }
        Ok(())
    }

    /// Notes where the writes with these keys are, which are all those up to `head` that are not noted yet, and only then
    /// the head: so every key at or below a stored head is found, and a tail has the rest.
    pub(super) async fn publish(&self, room: RoomId, head: Seq, mut keys: Vec<Key>) -> Result<(), StoreError> {
        keys.sort_by_key(|(_, sender, client_id)| slice(*sender, *client_id));
        let slice_of = |(_, sender, client_id): &Key| slice(*sender, *client_id);
        let parts = keys.chunk_by(|one, other| slice_of(one) == slice_of(other));
        let notes: Vec<_> = parts.map(|part| self.note_keys(room, part)).collect();
        stream::iter(notes).buffer_unordered(SLICES).try_collect::<()>().await?;
        self.run(&self.statements.write_head, (signed(head), signed(head), room.0)).await?;
        Ok(())
    }

    /// Notes keys of one partition in one write.
    async fn note_keys(&self, room: RoomId, keys: &[Key]) -> Result<(), StoreError> {
        let mut batch = Batch::new(BatchType::Unlogged);
        batch.set_is_idempotent(true);
        batch.set_request_timeout(self.statements.note_written.get_request_timeout());
        let mut values = Vec::with_capacity(keys.len());
        for (seq, sender, client_id) in keys {
            batch.append_statement(self.statements.note_written.clone());
            let slice = slice(*sender, *client_id);
            // A key has one place for ever, so its number is as good a time as any.
            values.push((room.0, slice, sender.0, client_id.0, signed(*seq), signed(*seq)));
        }
        match self.session.batch(&batch, values).await {
            Ok(_) => {
                self.health.succeeded();
                Ok(())
            }
            Err(error) => {
                self.health.failed();
                Err(unavailable(error))
            }
        }
    }
}
