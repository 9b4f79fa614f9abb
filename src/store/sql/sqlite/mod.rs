//! The store in one SQLite file: one writer with group commit, and a few readers.

mod directory;
mod failure;
mod insert;
mod log;
mod messages;
mod open;
mod project;
pub mod reference;
pub mod seed;
#[cfg(test)]
mod tests;
mod writer;

use std::{fs::File, path::PathBuf, sync::Arc};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use sqlx::{SqliteConnection, SqlitePool};
use tokio::task::JoinHandle;

use self::{
    failure::Failure,
    writer::{Closure, Command, Queue},
};
use super::row;
use crate::store::StoreError;

pub use open::migrate;

/// How the store is set up.
#[derive(Clone, Debug)]
pub struct SqliteSettings {
    /// The folder of the file; made if it is not there.
    pub folder: PathBuf,
    /// Events per commit, at most.
    pub commit_events: usize,
    /// Milliseconds that a commit may wait for more events, when there lately were many.
    pub commit_millis: u64,
    /// Connections for reading.
    pub read_connections: usize,
    /// Memory for pages of the writing connection, in MiB.
    pub cache_mib: usize,
}

impl SqliteSettings {
    /// The usual settings for this folder.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), commit_events: 256, commit_millis: 2, read_connections: 4, cache_mib: 64 }
    }
}

/// The store.
pub struct SqliteStore {
    queue: Arc<Queue>,
    pub(in crate::store::sql) readers: SqlitePool,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Held as long as the store is open; a second process is refused.
    lock: Mutex<Option<File>>,
}

impl SqliteStore {
    /// Writes what waits, closes the file and gives the folder free.
    pub async fn close(&self) {
        // The last connection copies the write-ahead log back, and readers cannot.
        self.readers.close().await;
        self.queue.close();
        let writer = self.writer.lock().take();
        if let Some(writer) = writer
            && let Err(error) = writer.await
        {
            tracing::error!(%error, "the writer of the store ended badly");
        }
        self.lock.lock().take();
    }

    /// Runs a write in the writer's transaction; the answer comes once it is durable.
    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, Failure>> + Send + 'static,
    {
        let (work, answer) = Closure::new(work);
        self.queue.push(Command::Work(Box::new(work))).map_err(|_| busy())?;
        answer.await.map_err(|_| busy())?
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // The writer ends when it has written what waits.
        self.queue.close();
    }
}

fn busy() -> StoreError {
    StoreError::Unavailable("too much waits to be written, or the store is closed".to_owned())
}
