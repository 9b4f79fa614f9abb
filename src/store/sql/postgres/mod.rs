//! The directory of a cluster in PostgreSQL; it follows the logs of the rooms, which are in another store.

mod directory;
mod failure;
mod open;
pub mod place;
mod projection;
#[cfg(test)]
mod tests;
mod transaction;

use std::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use futures_util::future::BoxFuture;
use secrecy::SecretString;
use sqlx::{PgConnection, PgPool, Postgres, postgres::PgArguments, query::Query};
use tokio::time::Instant;

#[cfg(test)]
pub(in crate::store) use self::tests::scratch;
use self::{failure::refusal, transaction::Transaction};

use super::failure::Failure;
use crate::store::StoreError;

/// How the store is reached.
#[derive(Clone, Debug)]
pub struct PostgresSettings {
    /// `postgres://user:password@host:port/database?sslmode=verify-full`; the mode says whether the connection is
    /// encrypted and who is believed.
    pub url: SecretString,
    /// Connections, at most.
    pub connections: u32,
    /// How long a call may take in all.
    pub deadline: Duration,
}

impl PostgresSettings {
    /// The usual settings for this address.
    #[must_use]
    pub fn new(url: impl Into<SecretString>) -> Self {
        Self { url: url.into(), connections: 16, deadline: Duration::from_secs(5) }
    }
}

/// The store. Connections that break are replaced; while the server is away every call is `Unavailable`.
pub struct PostgresStore {
    pub(in crate::store::sql) pool: PgPool,
    deadline: Duration,
    /// Writes so far.
    writes: AtomicU64,
}

/// After how many writes what became of old ones is forgotten.
const FORGET_EVERY: u64 = 1_000;

impl PostgresStore {
    /// Waits for what is under way, and lets go of the server.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Asks something, within the deadline. That nothing changes is what makes it a reading: giving up is harmless.
    pub(in crate::store::sql) async fn read<T>(
        &self,
        ask: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(self.deadline, ask).await {
            Ok(answer) => answer.map_err(StoreError::from),
            Err(_) => Err(late()),
        }
    }

    /// Runs one statement as a write; answers how many rows it changed.
    pub(in crate::store::sql) async fn change(
        &self,
        statement: Query<'static, Postgres, PgArguments>,
    ) -> Result<u64, StoreError> {
        self.write(move |connection| Box::pin(async move { Ok(statement.execute(connection).await?.rows_affected()) }))
            .await
    }

    /// Runs a write in a transaction; the answer comes once it is durable. What is late or breaks before the end is undone,
    /// and if only the end breaks, PostgreSQL is asked how it went.
    pub(in crate::store::sql) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T, Failure>>,
    {
        let until = Instant::now() + self.deadline;
        let mut transaction =
            tokio::time::timeout_at(until, Transaction::begin(&self.pool)).await.map_err(|_| late())??;
        // Dropping a transaction that is under way undoes it.
        let done = tokio::time::timeout_at(until, work(transaction.connection())).await.map_err(|_| late())?;
        match done {
            Ok(answer) => {
                transaction.commit(&self.pool, until, self.deadline).await?;
                if self.writes.fetch_add(1, Ordering::Relaxed).is_multiple_of(FORGET_EVERY)
                    && let Err(error) = self.read(transaction::forget(&self.pool)).await
                {
                    tracing::debug!(%error, "old transactions could not be forgotten; the next try is not far");
                }
                Ok(answer)
            }
            Err(failure) => {
                transaction.roll_back(until).await;
                Err(refusal(failure))
            }
        }
    }
}

fn late() -> StoreError {
    StoreError::Unavailable("PostgreSQL took too long to answer".to_owned())
}
