//! The store of a cluster: the logs of rooms in CQL, and the directory that follows them in PostgreSQL.

mod directory;
mod follower;
mod heads;
mod listings;
mod log;
mod marks;
mod media;
mod wake;

use std::sync::{Arc, OnceLock};

use self::follower::Follower;
pub use self::heads::Heads;
use super::{
    StoreError,
    cql::{CqlLog, CqlSettings},
    sql::PostgresStore,
};

/// The store. Every node has one, over the same servers.
pub struct ClusterStore {
    log: CqlLog,
    directory: Arc<PostgresStore>,
    follower: Arc<Follower>,
    /// Who knows the heads of rooms that are awake on other nodes.
    heads: OnceLock<Arc<dyn Heads>>,
}

impl ClusterStore {
    /// Opens the logs beside a directory, on the runtime that calls; brings the schema up to date.
    ///
    /// # Errors
    /// As [`CqlLog::open`].
    pub async fn open(settings: &CqlSettings, directory: Arc<PostgresStore>) -> Result<Self, StoreError> {
        let follower = Follower::start(Arc::clone(&directory));
        let log = CqlLog::open(settings, Arc::clone(&follower) as _).await?;
        Ok(Self { log, directory, follower, heads: OnceLock::new() })
    }

    /// From now on heads of rooms that are not awake here are asked for there first. The first who is named stays.
    pub fn ask_for_heads(&self, heads: Arc<dyn Heads>) {
        // A second one would be the same node's.
        let _ = self.heads.set(heads);
    }

    /// Publishes what is not and lets go of the servers.
    pub async fn close(&self) {
        self.log.close().await;
        if let Err(error) = self.follower.flush().await {
            tracing::warn!(%error, "the newest heads of rooms were not published; the next owner does it");
        }
        self.directory.close().await;
    }
}
