//! Moving a stopped embedded store into the store of a cluster: all of it, resumable, and proven.

mod directory;
mod logs;
mod sum;

use std::{fmt::Write as _, sync::Arc};

use rookery_core::ids::{RoomId, Seq};
use sha2::{Digest as _, Sha256};

use super::{
    Answer, StoreError,
    cql::{CqlLog, CqlSettings, Follow},
    projection::{PublishedHead, Run},
    sql::{PostgresSettings, PostgresStore, SqliteStore},
};

/// Who is told how far a move is.
pub trait Progress: Send + Sync {
    /// A part begins that has so much to do.
    fn begin(&self, part: &str, total: u64);
    /// So much of it was done.
    fn done(&self, amount: u64);
}

/// What a part of a store holds, and what it comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which: a table, or the logs.
    pub name: &'static str,
    /// How much of it there is.
    pub count: u64,
    /// SHA-256 over every column of every row, in the order of the key.
    pub sum: [u8; 32],
}

/// Why a move did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// A store did not do what it was asked; the move goes on when it is started again.
    #[error("{0}; start the move again and it goes on from here")]
    Store(#[from] StoreError),
    /// It would mix what does not belong together.
    #[error("{0}")]
    Refused(String),
    /// Something is not there, or not as it was.
    #[error("{0} is not in the cluster's store as it is in the embedded one: empty both targets and start again")]
    Differs(String),
}

/// What an embedded store holds, by parts, and last all events.
///
/// # Errors
/// It cannot be read.
pub async fn inventory(source: &SqliteStore, progress: &dyn Progress) -> Result<Vec<Part>, StoreError> {
    let mut parts = directory::inventory(source, progress).await?;
    parts.push(logs::inventory(source, progress).await?);
    Ok(parts)
}

/// The embedded store and those of a cluster.
pub struct Transfer {
    source: Arc<SqliteStore>,
    directory: PostgresStore,
    log: CqlLog,
}

impl Transfer {
    /// Opens the targets and brings their schemas up to date.
    ///
    /// # Errors
    /// They cannot be reached, or are not what is needed.
    pub async fn open(
        source: Arc<SqliteStore>,
        postgres: PostgresSettings,
        cql: &CqlSettings,
    ) -> Result<Self, StoreError> {
        let directory = PostgresStore::open(postgres).await?;
        let log = CqlLog::open(cql, Arc::new(Nobody)).await?;
        Ok(Self { source, directory, log })
    }

    /// Moves everything and compares it; what an interrupted move has done is not done again. `inventory` is that of the
    /// source as it is now.
    ///
    /// # Errors
    /// See [`MoveError`].
    pub async fn run(&self, inventory: &[Part], progress: &dyn Progress) -> Result<(), MoveError> {
        let source = fingerprint(inventory);
        self.begin(source).await?;
        directory::copy(&self.source, &self.directory, inventory, progress).await?;
        logs::copy(&self.source, &self.log, inventory, progress).await?;
        directory::compare(&self.directory, inventory, progress).await?;
        logs::compare(&self.source, &self.log, inventory, progress).await?;
        self.directory.finish_move(source).await?;
        Ok(())
    }

    /// Lets go of the targets.
    pub async fn close(&self) {
        self.log.close().await;
        self.directory.close().await;
    }

    async fn begin(&self, source: [u8; 32]) -> Result<(), MoveError> {
        let refuse = |why: &str| Err(MoveError::Refused(why.to_owned()));
        match self.directory.moved().await? {
            Some((of, true)) if of == source => return refuse("this store was moved already; nothing was changed"),
            Some((_, true)) => return refuse("another store was moved into this database; nothing was changed"),
            Some((of, false)) if of != source => {
                return refuse(
                    "the move into this database began with another store, or this one has changed since: empty the \
                     database and the keyspace and start again",
                );
            }
            Some(_) => {}
            None if !self.directory.is_empty().await? => {
                return refuse("the database is not empty; nothing was changed");
            }
            None if !self.log.is_empty().await? => return refuse("the keyspace is not empty; nothing was changed"),
            None => {}
        }
        if !self.log.is_unowned().await? {
            return refuse("a node has served from this keyspace; a store can only be moved into a new one");
        }
        if self.directory.moved().await?.is_none() {
            self.directory.begin_move(source).await?;
        }
        Ok(())
    }
}

/// What the whole source comes to: a move goes on only with the very same.
fn fingerprint(inventory: &[Part]) -> [u8; 32] {
    let mut all = Sha256::new();
    for part in inventory {
        all.update(part.name);
        all.update(part.count.to_be_bytes());
        all.update(part.sum);
    }
    all.finalize().into()
}

/// The first characters of a sum, for people.
#[must_use]
pub fn shown(sum: &[u8; 32]) -> String {
    sum.iter().take(8).fold(String::new(), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Follows nothing: no room wakes during a move.
struct Nobody;

impl Follow for Nobody {
    fn apply(&self, _room: RoomId, run: Run) -> Answer<'_, Seq> {
        Box::pin(std::future::ready(Ok(run.upto)))
    }

    fn committed(&self, _head: PublishedHead) {}
}
