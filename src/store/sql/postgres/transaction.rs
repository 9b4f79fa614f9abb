//! One transaction: all or nothing, and known which.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Executor, PgConnection, PgPool, Postgres, Row, pool::PoolConnection};
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;

use crate::store::StoreError;

/// A transaction that is under way. Dropped, it ends together with its connection, and so is undone.
pub(super) struct Transaction {
    held: Held,
    mark: Mark,
}

/// What a transaction is known by, also after its connection is gone.
struct Mark {
    /// The row that is there if it was committed.
    id: Uuid,
    /// The process that runs it.
    process: i32,
}

const COMMITTED: &str = "SELECT EXISTS (SELECT 1 FROM commits WHERE id = $1)";
/// Ends that process if it is in a transaction; answers whether it was.
const END: &str =
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid = $1 AND backend_xid IS NOT NULL";
/// Long after anybody could still ask; rows that somebody else is at are left to them.
const FORGET: &str = "DELETE FROM commits WHERE id IN
    (SELECT id FROM commits WHERE at < now() - interval '5 minutes' FOR UPDATE SKIP LOCKED)";
/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(50);

/// Forgets what became of old transactions.
pub(super) async fn forget(pool: &PgPool) -> Result<(), sqlx::Error> {
    sqlx::query(FORGET).execute(pool).await.map(drop)
}

impl Transaction {
    /// Begins.
    pub(super) async fn begin(pool: &PgPool) -> Result<Self, sqlx::Error> {
        let mut held = Held { connection: pool.acquire().await?, clean: false };
        let id = Uuid::new_v4();
        // In one breath, so that it costs no time; there is nothing in it but the id.
        let begin = format!("BEGIN; INSERT INTO commits (id) VALUES ('{id}') RETURNING pg_backend_pid()");
        let row = held.connection.fetch_one(sqlx::raw_sql(AssertSqlSafe(begin))).await?;
        let mark = Mark { id, process: row.try_get(0)? };
        Ok(Self { held, mark })
    }

    /// Where its statements go.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.held.connection
    }

    /// Ends it so that all of it is durable, or says that none of it was done. If the connection breaks at this very
    /// moment, PostgreSQL is asked over another one; only when that says nothing either within `patience`, nobody knows,
    /// and the error says so.
    pub(super) async fn commit(mut self, pool: &PgPool, until: Instant, patience: Duration) -> Result<(), StoreError> {
        let why = match timeout_at(until, self.held.connection.execute("COMMIT")).await {
            Ok(Ok(_)) => {
                self.held.clean = true;
                return Ok(());
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        let Self { held, mark } = self;
        drop(held);
        tracing::warn!(%why, "a commit was not answered; PostgreSQL is asked how it went");
        match timeout_at(Instant::now() + patience, mark.outcome(pool)).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(StoreError::Unavailable(why)),
            Err(_) => Err(StoreError::Unavailable(format!(
                "nobody knows whether it was done, as PostgreSQL went away: {why}"
            ))),
        }
    }

    /// Undoes it.
    pub(super) async fn roll_back(mut self, until: Instant) {
        self.held.clean = matches!(timeout_at(until, self.held.connection.execute("ROLLBACK")).await, Ok(Ok(_)));
    }
}

impl Mark {
    /// Whether the transaction was committed; asks until PostgreSQL says so.
    async fn outcome(&self, pool: &PgPool) -> bool {
        loop {
            match self.look(pool).await {
                Ok(Some(committed)) => return committed,
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, "PostgreSQL cannot be asked yet"),
            }
            sleep(PAUSE).await;
        }
    }

    /// `None`: it is still under way. Nobody would hear its end any more, so it is ended.
    async fn look(&self, pool: &PgPool) -> Result<Option<bool>, sqlx::Error> {
        let under_way: i64 = sqlx::query_scalar(END).bind(self.process).fetch_one(pool).await?;
        if under_way > 0 {
            return Ok(None);
        }
        sqlx::query_scalar(COMMITTED).bind(self.id).fetch_one(pool).await.map(Some)
    }
}

/// A connection that goes back to the pool only in a known state.
struct Held {
    connection: PoolConnection<Postgres>,
    clean: bool,
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.clean {
            self.connection.close_on_drop();
        }
    }
}
