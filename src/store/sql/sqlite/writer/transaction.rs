//! One transaction of the writer: the check of the epochs, the rows, what follows from them, other writes, COMMIT.

use std::collections::BTreeSet;

use rookery_core::{
    ids::{RoomId, Seq, ShardId},
    shard::Epoch,
};

use super::{Writer, work::Work};
use crate::store::{
    StoreError,
    log::Append,
    sql::sqlite::{
        failure::{Class, Failure, classify, end_process, no_transaction},
        insert::insert,
        project::project,
        row::signed,
    },
};

/// Writes other than appends that go into the same transaction.
pub(super) type Works = Vec<Box<dyn Work>>;

/// Shards, and the epochs under which somebody wanted to write to them in vain.
pub(super) type Lost = BTreeSet<(ShardId, Epoch)>;

/// Why nothing of a transaction happened; the works were not begun where they are given back.
pub(super) enum Trouble {
    /// These shards are not ours under these epochs.
    Lost(Lost, Works),
    /// Something in it is in the log already.
    Conflict(Works),
    /// It failed as a whole, and the works know.
    Definite(StoreError),
}

/// A work that ran, and how it went.
type Ran = (Box<dyn Work>, Result<(), StoreError>);

/// Begins, and says in the same breath which of these shards are ours and under which epoch.
const BEGIN: &str = "BEGIN IMMEDIATE; SELECT shard, epoch FROM shards WHERE owner = $1
    AND shard IN (SELECT value FROM json_each($2))";
const IN_LOG: &str = "SELECT EXISTS (SELECT 1 FROM events WHERE room = $1 AND seq = $2 AND client_id = $3)";

impl Writer {
    /// All or nothing; works are answered here, appends by the caller.
    pub(super) async fn transaction(&mut self, appends: &[Append], works: Works) -> Result<(), Trouble> {
        if appends.is_empty() && works.is_empty() {
            return Ok(());
        }
        if let Err(trouble) = self.write_events(appends).await {
            self.roll_back().await;
            return Err(match trouble {
                Failed::Lost(lost) => Trouble::Lost(lost, works),
                Failed::Failure(Failure::Sql(error)) if classify(&error) == Class::Conflict => Trouble::Conflict(works),
                Failed::Failure(Failure::Sql(error)) => Self::all_failed(error, not_run(works)),
                Failed::Failure(Failure::Refused(error)) => {
                    works.into_iter().for_each(|work| work.settle(Err(error.clone())));
                    Trouble::Definite(error)
                }
            });
        }
        let Some(ran) = self.run_works(works, !appends.is_empty()).await? else { return Ok(()) };
        if let Err(error) = self.execute("COMMIT").await {
            self.settle_commit(appends, &error).await;
            return Err(Self::all_failed(error, ran));
        }
        ran.into_iter().for_each(|(work, fate)| work.settle(fate));
        Ok(())
    }

    async fn write_events(&mut self, appends: &[Append]) -> Result<(), Failed> {
        let lost = self.begin(appends).await?;
        if !lost.is_empty() {
            return Err(Failed::Lost(lost));
        }
        let rows = appends.iter().map(|append| (append.stamp, &*append.event));
        insert(&mut self.connection, rows).await?;
        for append in appends {
            project(&mut self.connection, &append.event).await?;
        }
        Ok(())
    }

    /// Begins, and finds the shards of these appends that are not, or not any more, ours under the epoch of the stamp.
    async fn begin(&mut self, appends: &[Append]) -> Result<Lost, sqlx::Error> {
        if appends.is_empty() {
            self.execute("BEGIN IMMEDIATE").await?;
            return Ok(BTreeSet::new());
        }
        let claimed: Lost = appends.iter().map(|append| (append.event.room.shard(), append.stamp.epoch())).collect();
        let shards: Vec<u16> = claimed.iter().map(|(shard, _)| shard.0).collect();
        let list = serde_json::Value::from(shards).to_string();
        let query = sqlx::query_as(BEGIN).bind(self.incarnation).bind(list);
        let rows: Vec<(i64, i64)> = query.fetch_all(&mut self.connection).await?;
        let ours: BTreeSet<(i64, i64)> = rows.into_iter().collect();
        let is_lost = |(shard, epoch): &(ShardId, Epoch)| !ours.contains(&(i64::from(shard.0), signed(*epoch)));
        Ok(claimed.into_iter().filter(is_lost).collect())
    }

    /// Each work is all or nothing; one that is refused leaves the others alone. `None`: there is nothing to commit.
    async fn run_works(&mut self, works: Works, company: bool) -> Result<Option<Vec<Ran>>, Trouble> {
        let mut ran: Vec<Ran> = Vec::with_capacity(works.len());
        let alone = works.len() == 1 && !company;
        let mut works = works.into_iter();
        while let Some(mut work) = works.next() {
            let done = if alone { work.run(&mut self.connection).await } else { self.in_savepoint(&mut *work).await };
            match done {
                Ok(()) => ran.push((work, Ok(()))),
                Err(Failure::Sql(error)) if ends_transaction(&error) => {
                    self.roll_back().await;
                    let all = ran.into_iter().chain([(work, Ok(()))]).chain(not_run(works));
                    return Err(Self::all_failed(error, all));
                }
                Err(failure) if alone => {
                    self.roll_back().await;
                    work.settle(Err(refusal(failure)));
                    return Ok(None);
                }
                Err(failure) => ran.push((work, Err(refusal(failure)))),
            }
        }
        Ok(Some(ran))
    }

    async fn in_savepoint(&mut self, work: &mut dyn Work) -> Result<(), Failure> {
        self.execute("SAVEPOINT work").await?;
        let done = work.run(&mut self.connection).await;
        match &done {
            Err(Failure::Sql(error)) if ends_transaction(error) => return done,
            Err(_) => self.execute("ROLLBACK TO work").await?,
            Ok(()) => {}
        }
        self.execute("RELEASE work").await?;
        done
    }

    async fn execute(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        sqlx::query(sql).execute(&mut self.connection).await.map(drop)
    }

    async fn roll_back(&mut self) {
        if let Err(error) = self.execute("ROLLBACK").await
            && !no_transaction(&error)
        {
            end_process("roll back", &error);
        }
    }

    /// COMMIT failed: only a full disk and a busy file say for certain that nothing was written, and even that is checked.
    async fn settle_commit(&mut self, appends: &[Append], error: &sqlx::Error) {
        if !matches!(classify(error), Class::Full | Class::Busy) {
            end_process("commit", error);
        }
        self.roll_back().await;
        let Some(first) = appends.first() else { return };
        let (room, seq): (RoomId, Seq) = (first.event.room, first.event.seq);
        let query = sqlx::query_scalar(IN_LOG).bind(room.0).bind(signed(seq)).bind(first.event.client_id.0);
        match query.fetch_one(&mut self.connection).await {
            Ok(false) => {}
            Ok(true) => end_process("commit", error),
            Err(look) => end_process("find out about a commit", &look),
        }
    }

    /// Nothing happened: tells the works, whatever became of them before, and says it for the appends.
    fn all_failed(error: sqlx::Error, works: impl IntoIterator<Item = Ran>) -> Trouble {
        if classify(&error) == Class::Fatal {
            end_process("write", &error);
        }
        tracing::warn!(%error, "a transaction failed; nothing of it was written");
        let error = StoreError::Unavailable(error.to_string());
        for (work, fate) in works {
            work.settle(fate.and(Err(error.clone())));
        }
        Trouble::Definite(error)
    }
}

/// Why the events of a transaction could not be written.
enum Failed {
    Lost(Lost),
    Failure(Failure),
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Failure(Failure::Sql(error))
    }
}

fn refusal(failure: Failure) -> StoreError {
    match failure {
        Failure::Refused(error) => error,
        Failure::Sql(error) => error.into(),
    }
}

/// Works that were not begun, as [`Ran`].
fn not_run(works: impl IntoIterator<Item = Box<dyn Work>>) -> impl Iterator<Item = Ran> {
    works.into_iter().map(|work| (work, Ok(())))
}

/// Whether an error leaves nothing of the transaction to go on with.
fn ends_transaction(error: &sqlx::Error) -> bool {
    matches!(classify(error), Class::Full | Class::Busy | Class::Fatal)
}
