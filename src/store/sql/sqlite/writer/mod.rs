//! The one writer: a task that owns the only connection that writes, and what fences rooms and shards.

mod batch;
mod marks;
mod queue;
mod transaction;
mod work;

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use rookery_core::{
    event::Content,
    ids::{RoomId, Seq, ShardId},
    shard::{Epoch, Stamp},
};
use sqlx::{Connection, SqliteConnection};
use uuid::Uuid;

#[cfg(test)]
pub(super) use self::marks::MARK;
pub(super) use self::{
    queue::{BOUND, Command, Queue},
    work::Closure,
};

use self::queue::Portion;
use super::{
    failure::{Class, classify, end_process},
    row::{signed, unsigned},
};
use crate::store::StoreError;

/// What is known of a room that was woken in this process.
#[derive(Clone, Copy, Debug)]
struct Fence {
    /// The newest wake.
    stamp: Stamp,
    /// The number that the next append must have.
    next: Seq,
}

/// How long nothing must have come before the writer cleans up.
const REST: Duration = Duration::from_secs(1);

/// The writer.
pub(super) struct Writer {
    connection: SqliteConnection,
    queue: Arc<Queue>,
    /// This process, as the owner of shards.
    incarnation: Uuid,
    rooms: HashMap<RoomId, Fence>,
    commit_events: usize,
    linger: Duration,
}

const CLAIM: &str = "INSERT INTO shards (shard, owner, epoch) VALUES ($1, $2, 1)
    ON CONFLICT (shard) DO UPDATE SET owner = excluded.owner, epoch = epoch + 1 RETURNING epoch";
const WAKE: &str = "SELECT (SELECT epoch FROM shards WHERE shard = $2 AND owner = $3),
    (SELECT seq FROM events WHERE room = $1 ORDER BY seq DESC LIMIT 1),
    EXISTS (SELECT 1 FROM rooms WHERE id = $1)";

impl Writer {
    /// A writer over this connection.
    pub(super) fn new(connection: SqliteConnection, queue: Arc<Queue>, commit_events: usize, linger: Duration) -> Self {
        let incarnation = Uuid::now_v7();
        Self { connection, queue, incarnation, rooms: HashMap::new(), commit_events: commit_events.max(1), linger }
    }

    /// Writes until the queue is closed and empty. A writer that panics takes the process with it: nobody else would
    /// answer those who wait.
    pub(super) async fn run_or_end(self) {
        if AssertUnwindSafe(self.run()).catch_unwind().await.is_err() {
            end_process("write", &"the writer panicked");
        }
    }

    async fn run(mut self) {
        let mut expected = 0;
        let queue = Arc::clone(&self.queue);
        loop {
            let next = queue.next(self.commit_events, self.linger, expected);
            let portion = if self.queue.owes_cleaning() {
                let Ok(portion) = tokio::time::timeout(REST, next).await else {
                    self.clean().await;
                    continue;
                };
                portion
            } else {
                next.await
            };
            match portion {
                None => break,
                // So many lately were under way at once; it is unlearned step by step.
                Some(portion) => expected = self.portion(portion).await.unwrap_or(0).max(expected * 3 / 4),
            }
        }
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the store did not close cleanly");
        }
    }

    /// Does one piece; answers how many appends there were, if it was a batch.
    async fn portion(&mut self, portion: Portion) -> Option<usize> {
        match portion {
            Portion::Batch(appends, works) => {
                let count = appends.len();
                if appends.iter().any(|append| matches!(append.event.content, Content::Delete { .. })) {
                    self.queue.owe_cleaning();
                }
                let begun = Instant::now();
                self.commit(appends, works).await;
                metrics::histogram!("rookery_commit_seconds").record(begun.elapsed().as_secs_f64());
                metrics::histogram!("rookery_commit_events")
                    .record(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
                return Some(count);
            }
            Portion::Claim(shard, reply) => {
                // Who asked may have gone.
                let _ = reply.send(self.claim(shard).await);
            }
            Portion::Wake(room, stamp, reply) => {
                let _ = reply.send(self.wake(room, stamp).await);
            }
        }
        None
    }

    /// Empties the write-ahead log, where words that were taken back still stand.
    async fn clean(&mut self) {
        let cleaned: Result<(bool, i64, i64), sqlx::Error> =
            sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut self.connection).await;
        match cleaned {
            Ok((false, ..)) => self.queue.cleaned(),
            // A reader is in the way; there will be another rest.
            Ok((true, ..)) => {}
            Err(error) if classify(&error) == Class::Fatal => end_process("clean up", &error),
            Err(error) => tracing::warn!(%error, "the write-ahead log could not be emptied yet"),
        }
    }

    async fn claim(&mut self, shard: ShardId) -> Result<Epoch, StoreError> {
        let query = sqlx::query_scalar(CLAIM).bind(i64::from(shard.0)).bind(self.incarnation);
        // A statement of its own is a transaction of its own: durable when it answers.
        // All rows are asked for because only a statement that ran to its end is committed.
        let epochs: Result<Vec<i64>, sqlx::Error> = query.fetch_all(&mut self.connection).await;
        let epochs = epochs.map_err(|error| self.lone_statement("claim", error))?;
        let epoch = epochs.first().ok_or_else(|| StoreError::Corrupt("a claim without an epoch".to_owned()))?;
        let epoch = unsigned(*epoch);
        // Whoever was awake under an older epoch is fenced off from now on.
        self.rooms.retain(|room, fence| room.shard() != shard || fence.stamp.epoch() >= epoch);
        Ok(epoch)
    }

    /// Fences off older stamps; what they had queued came before this in the queue, so it is settled.
    async fn wake(&mut self, room: RoomId, stamp: Stamp) -> Result<bool, StoreError> {
        if self.rooms.get(&room).is_some_and(|fence| fence.stamp > stamp) {
            return Err(StoreError::Fenced);
        }
        let query = sqlx::query_as(WAKE).bind(room.0).bind(i64::from(room.shard().0)).bind(self.incarnation);
        let found: Result<(Option<i64>, Option<i64>, bool), sqlx::Error> = query.fetch_one(&mut self.connection).await;
        let (epoch, head, exists) = found.map_err(|error| self.lone_statement("wake", error))?;
        if epoch != Some(signed(stamp.epoch())) {
            return Err(StoreError::Fenced);
        }
        if exists {
            self.rooms.insert(room, Fence { stamp, next: head.map_or(0, unsigned) + 1 });
        }
        Ok(exists)
    }

    fn lone_statement(&self, doing: &str, error: sqlx::Error) -> StoreError {
        if classify(&error) == Class::Fatal {
            end_process(doing, &error);
        }
        error.into()
    }
}
