//! The logs of rooms over ScyllaDB or Cassandra: plain quorum writes, fenced by `rookery_core::fence`.

mod check;
mod connect;
mod failure;
mod follow;
mod health;
mod log;
mod migrate;
mod read;
pub mod reference;
mod row;
mod shard;
mod statements;
#[cfg(test)]
mod tests;
mod write;

use std::{
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use dashmap::DashMap;
use rookery_core::{
    fence::{Bounds, Owner},
    ids::{RoomId, Seq, ShardId},
};
use scylla::{
    client::session::Session, response::query_result::QueryResult, serialize::row::SerializeRow,
    statement::prepared::PreparedStatement,
};
use tokio::sync::{Semaphore, mpsc};

#[cfg(test)]
pub(in crate::store) use self::tests::scratch;
pub use self::{connect::CqlSettings, follow::Follow, shard::Woken};
use self::{failure::unavailable, health::Health, read::shards::Part, shard::Command, statements::Statements};
use super::StoreError;

/// Appends of all rooms that may be under way; one more is refused.
pub const APPENDS: usize = 65_536;
/// Writes of events that are with the servers at one time; the others wait their turn here, where it costs nothing.
const AT_ONCE: usize = 1_024;
/// Between two looks at a store that does not answer.
const PROBE: Duration = Duration::from_millis(200);

/// The log.
pub struct CqlLog {
    store: Arc<Store>,
    /// The task of each shard that this process ever had to do with.
    shards: DashMap<ShardId, mpsc::Sender<Command>>,
    probe: tokio::task::JoinHandle<()>,
    runtime: tokio::runtime::Handle,
}

/// What all tasks share.
struct Store {
    session: Session,
    statements: Statements,
    health: Arc<Health>,
    owner: Owner,
    bounds: Bounds,
    writes: Semaphore,
    parts: Vec<Arc<Part>>,
    /// Rooms that are awake here.
    awake: DashMap<RoomId, Shown>,
    /// Appends that have not been told their fate.
    waiting: AtomicUsize,
    follow: Arc<dyn Follow>,
}

/// How far a room is that is awake here: verified, with all that follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shown {
    head: Seq,
    messages: u64,
}

impl CqlLog {
    /// Connects, on the runtime that calls; brings the schema up to date.
    ///
    /// # Errors
    /// With a sentence for people: no server answers, or it is not one that can be used.
    pub async fn open(settings: &CqlSettings, follow: Arc<dyn Follow>) -> Result<Self, StoreError> {
        check::keyspace_name(&settings.keyspace)?;
        Self::over(connect::connect(settings).await?, settings, follow).await
    }

    async fn over(session: Session, settings: &CqlSettings, follow: Arc<dyn Follow>) -> Result<Self, StoreError> {
        let server = check::server(&session).await?;
        migrate::keyspace(&session, settings).await?;
        check::replication(&session, settings).await?;
        migrate::up_to_date(&session, server).await?;
        check::compare_and_set(&session).await?;
        let statements = Statements::prepare(&session, settings).await?;
        let store = Arc::new(Store {
            session,
            statements,
            health: Arc::default(),
            owner: settings.owner.clone(),
            bounds: Bounds::default(),
            writes: Semaphore::new(AT_ONCE),
            parts: read::shards::parts(),
            awake: DashMap::new(),
            waiting: AtomicUsize::new(0),
            follow,
        });
        let probe = tokio::spawn(probe(Arc::clone(&store)));
        Ok(Self { store, shards: DashMap::new(), probe, runtime: tokio::runtime::Handle::current() })
    }
}

impl Drop for CqlLog {
    fn drop(&mut self) {
        self.probe.abort();
    }
}

impl Store {
    /// Asks something, or writes something.
    async fn run(&self, statement: &PreparedStatement, values: impl SerializeRow) -> Result<QueryResult, StoreError> {
        match self.session.execute_unpaged(statement, values).await {
            Ok(result) => {
                self.health.succeeded();
                Ok(result)
            }
            Err(error) => {
                self.health.failed();
                Err(unavailable(error))
            }
        }
    }

    /// Refuses at once what would only wait for a store that does not answer.
    fn must_answer(&self) -> Result<(), StoreError> {
        if self.health.is_down() { Err(unavailable("the CQL servers do not answer")) } else { Ok(()) }
    }
}

/// Finds out when a store is back that nobody asks anything, because it is down.
async fn probe(store: Arc<Store>) {
    loop {
        store.health.failing.notified().await;
        while store.health.is_failing() {
            tokio::time::sleep(PROBE).await;
            // Good or bad, the answer is noted where all are.
            let _ = store.run(&store.statements.read_shards, (-1_i32, vec![-1_i32])).await;
        }
    }
}
