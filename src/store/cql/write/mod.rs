//! Writing: rows of the log, claims, heads and keys, and what lies over messages.

mod import;
mod overlay;
mod rows;

use futures_util::{StreamExt, TryStreamExt, stream};
use rookery_core::{
    fence::{ShardRow, Swapped},
    ids::{ClientId, RoomId, Seq, ShardId, UserId},
    shard::Epoch,
};
use scylla::{
    serialize::batch::BatchValues,
    statement::batch::{Batch, BatchType},
};
use uuid::Uuid;

use super::{
    Store,
    failure::unavailable,
    read::shards::part,
    row::{signed, slice},
    statements::applied,
};
use crate::store::StoreError;

pub(super) use overlay::leaves_a_trace;
pub(super) use rows::{Columns, columns, is_full, together};

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
        self.run_batch(&batch, values).await
    }

    /// Writes several rows of one partition at once.
    async fn run_batch(&self, batch: &Batch, values: impl BatchValues) -> Result<(), StoreError> {
        match self.session.batch(batch, values).await {
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
