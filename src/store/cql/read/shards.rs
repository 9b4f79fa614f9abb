//! Looks at the rows of shards: one read for all that had asked when it began.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use parking_lot::Mutex;
use rookery_core::{
    fence::{Owner, ShardRow},
    ids::ShardId,
    placement::NodeId,
};
use uuid::Uuid;

use super::super::{
    Store,
    row::unsigned,
    statements::{all, first},
};
use crate::store::StoreError;

const LATELY: Duration = Duration::from_millis(2);
const LINGER: Duration = Duration::from_millis(10);

/// Partitions that the shards are in.
const PARTS: usize = 16;

/// The partition of a shard.
pub(in crate::store::cql) const fn part(shard: ShardId) -> usize {
    shard.0 as usize % PARTS
}

/// How shards stand; those that nobody ever claimed are not in it.
type Rows = Arc<HashMap<i32, ShardRow>>;

/// A read that many wait for; `None`: it did not succeed.
type Read = Shared<BoxFuture<'static, Option<Rows>>>;

/// The way to one partition.
#[derive(Default)]
pub(in crate::store::cql) struct Part {
    /// Decisions in one partition get into each other's way, so this process takes them one at a time.
    pub(in crate::store::cql) deciding: tokio::sync::Mutex<()>,
    /// The read that has not begun yet, and what it will ask for.
    next: Mutex<Option<(Read, BTreeSet<i32>)>>,
    /// One read at a time; when the one before began and ended.
    reading: tokio::sync::Mutex<Option<(Instant, Instant)>>,
}

/// How long a read waits for others that it could serve too: half as long as the one before took, if that was just now. So
/// who is alone does not wait, and servers that have much to do are asked less often.
fn linger(before: Option<(Instant, Instant)>) -> Duration {
    match before {
        Some((began, ended)) if ended.elapsed() < LATELY => ((ended - began) / 2).min(LINGER),
        _ => Duration::ZERO,
    }
}

/// All of them.
pub(in crate::store::cql) fn parts() -> Vec<Arc<Part>> {
    std::iter::repeat_with(Arc::default).take(PARTS).collect()
}

fn row((node, incarnation, epoch): (String, Uuid, i64)) -> ShardRow {
    let owner = (!node.is_empty()).then(|| Owner { node: NodeId(node.into()), incarnation });
    ShardRow { owner, epoch: unsigned(epoch) }
}

impl Store {
    /// How a shard stands by the newest decision.
    pub(in crate::store::cql) async fn learn_shard(&self, shard: ShardId) -> Result<ShardRow, StoreError> {
        let place = (part(shard) as i32, i32::from(shard.0));
        let columns = first(self.run(&self.statements.learn_shard, place).await?)?;
        Ok(columns.map_or_else(ShardRow::default, row))
    }

    /// How a shard stands at some moment after now; `None`: that could not be read.
    ///
    /// An answer to a read that began earlier says nothing about what has succeeded since, so who comes while one is under
    /// way waits for the next, together with all others who do.
    pub(in crate::store::cql) async fn look(self: Arc<Self>, shard: ShardId) -> Option<ShardRow> {
        let number = i32::from(shard.0);
        let read = self.join_read(part(shard), number);
        Some(read.await?.get(&number).cloned().unwrap_or_default())
    }

    fn join_read(self: Arc<Self>, part: usize, shard: i32) -> Read {
        let way = Arc::clone(&self.parts[part]);
        let mut next = way.next.lock();
        if let Some((read, shards)) = &mut *next {
            shards.insert(shard);
            return read.clone();
        }
        let (store, of_read) = (Arc::clone(&self), Arc::clone(&way));
        let read = async move {
            let mut before = of_read.reading.lock().await;
            let linger = linger(*before);
            if !linger.is_zero() {
                tokio::time::sleep(linger).await;
            }
            // It begins here: who comes from now on is not part of it.
            let shards = of_read.next.lock().take().map(|(_, shards)| shards).unwrap_or_default();
            let began = Instant::now();
            let rows = store.read_part(part, shards).await.ok();
            *before = Some((began, Instant::now()));
            rows
        };
        let read = read.boxed().shared();
        *next = Some((read.clone(), BTreeSet::from([shard])));
        read
    }

    async fn read_part(&self, part: usize, shards: BTreeSet<i32>) -> Result<Rows, StoreError> {
        let values = (part as i32, shards.into_iter().collect::<Vec<i32>>());
        let found: Vec<(i32, String, Uuid, i64)> = all(self.run(&self.statements.read_shards, values).await?)?;
        Ok(Arc::new(found.into_iter().map(|(shard, node, who, epoch)| (shard, row((node, who, epoch)))).collect()))
    }
}
