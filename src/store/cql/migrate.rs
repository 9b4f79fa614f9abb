//! Bringing the schema up to date: once, by whoever comes first.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use scylla::{client::session::Session, statement::unprepared::Statement};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    check::Server,
    connect::CqlSettings,
    failure::{corrupt, unavailable},
    statements::{all, applied},
};
use crate::store::StoreError;

/// One step of the schema; never changes once it was released.
struct Step {
    version: i32,
    shared: &'static str,
    /// What only ScyllaDB understands.
    scylla: &'static str,
}

const STEPS: [Step; 1] = [Step {
    version: 1,
    shared: include_str!("../../../migrations/cql/0001_start.cql"),
    scylla: include_str!("../../../migrations/cql/0001_start.scylla.cql"),
}];

/// Seconds after which the lock of somebody who died is gone.
const LOCK_SECONDS: i32 = 60;
const LOCK_PATIENCE: Duration = Duration::from_secs(120);
const LOCK_AGAIN: Duration = Duration::from_millis(200);
/// A change of the schema takes as long as the slowest server.
const STATEMENT: Duration = Duration::from_secs(30);

const TABLES: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS schema_steps (version int PRIMARY KEY, checksum blob, applied_at bigint)",
    "CREATE TABLE IF NOT EXISTS schema_lock (name text PRIMARY KEY, holder uuid)",
];
const DONE: &str = "SELECT version, checksum FROM schema_steps";
const NOTE: &str = "INSERT INTO schema_steps (version, checksum, applied_at) VALUES (?, ?, ?) IF NOT EXISTS";
const LOCK: &str = "INSERT INTO schema_lock (name, holder) VALUES ('schema', ?) IF NOT EXISTS USING TTL ?";
const UNLOCK: &str = "DELETE FROM schema_lock WHERE name = 'schema' IF holder = ?";

/// Makes the keyspace if it is not there, and uses it.
pub(super) async fn keyspace(session: &Session, settings: &CqlSettings) -> Result<(), StoreError> {
    let (name, factor) = (&settings.keyspace, settings.replication.max(1));
    // Who may only use it need not be allowed to make it.
    if session.use_keyspace(name, false).await.is_ok() {
        return Ok(());
    }
    let replication = format!("{{'class': 'NetworkTopologyStrategy', 'replication_factor': {factor}}}");
    change(session, &format!("CREATE KEYSPACE IF NOT EXISTS {name} WITH replication = {replication}")).await?;
    session.use_keyspace(name, false).await.map_err(unavailable)
}

/// Takes the steps that were not taken yet.
pub(super) async fn up_to_date(session: &Session, server: Server) -> Result<(), StoreError> {
    if let Ok(true) = is_up_to_date(session).await {
        return Ok(());
    }
    for table in TABLES {
        change(session, table).await?;
    }
    let holder = Uuid::now_v7();
    lock(session, holder).await?;
    let result = take_steps(session, server).await;
    // One that cannot be given back is gone after a while.
    if let Err(error) = session.query_unpaged(UNLOCK, (holder,)).await {
        tracing::warn!(%error, "the lock on the schema was not given back");
    }
    result
}

/// Whether every step was taken, none of them another one; fails where even the list is not there.
async fn is_up_to_date(session: &Session) -> Result<bool, StoreError> {
    let done = done(session).await?;
    Ok(STEPS.iter().all(|step| done.contains(&(step.version, step.checksum()))) && done.len() == STEPS.len())
}

async fn done(session: &Session) -> Result<Vec<(i32, Vec<u8>)>, StoreError> {
    all(session.query_unpaged(DONE, &[]).await.map_err(unavailable)?)
}

async fn lock(session: &Session, holder: Uuid) -> Result<(), StoreError> {
    let begun = Instant::now();
    loop {
        match session.query_unpaged(LOCK, (holder, LOCK_SECONDS)).await.map_err(unavailable).and_then(applied) {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            // Perhaps it was taken, perhaps not: the lock itself says so when it is asked again, at the latest when it ends.
            Err(error) => tracing::warn!(%error, "the lock on the schema could not be taken"),
        }
        if begun.elapsed() > LOCK_PATIENCE {
            return Err(unavailable("somebody else has been changing the schema of the CQL store for two minutes"));
        }
        tokio::time::sleep(LOCK_AGAIN).await;
    }
}

async fn take_steps(session: &Session, server: Server) -> Result<(), StoreError> {
    let done = done(session).await?;
    let newest = STEPS.last().map_or(0, |step| step.version);
    if let Some((version, _)) = done.iter().find(|(version, _)| *version > newest) {
        return Err(unavailable(format!(
            "the CQL store was written by a newer version of Rookery (schema {version}, this one knows {newest}); use that version"
        )));
    }
    for step in &STEPS {
        match done.iter().find(|(version, _)| *version == step.version) {
            Some((_, checksum)) if *checksum == step.checksum() => continue,
            Some(_) => {
                return Err(corrupt(format!(
                    "step {} of the CQL store's schema is not the one that this version of Rookery has",
                    step.version
                )));
            }
            None => {}
        }
        let only_here = if server == Server::Scylla { step.scylla } else { "" };
        for statement in statements(step.shared).chain(statements(only_here)) {
            change(session, &statement).await?;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        session.query_unpaged(NOTE, (step.version, step.checksum(), now)).await.map_err(unavailable)?;
    }
    Ok(())
}

impl Step {
    fn checksum(&self) -> Vec<u8> {
        Sha256::new().chain_update(self.shared).chain_update([0]).chain_update(self.scylla).finalize().to_vec()
    }
}

/// One change of the schema, until all servers agree on it: also where it was made already, by somebody else just now.
async fn change(session: &Session, text: &str) -> Result<(), StoreError> {
    let mut statement = Statement::new(text);
    statement.set_request_timeout(Some(STATEMENT));
    let refused =
        |error: String| unavailable(format!("the schema of the CQL store cannot be brought up to date: {error}"));
    session.query_unpaged(statement, &[]).await.map_err(|error| refused(error.to_string()))?;
    session.await_schema_agreement().await.map_err(|error| refused(error.to_string()))?;
    Ok(())
}

/// The statements of a file: without comments, each up to a semicolon at the end of a line.
fn statements(file: &'static str) -> impl Iterator<Item = String> {
    let lines = file.lines().filter(|line| !line.trim_start().starts_with("--") && !line.trim().is_empty());
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    let parts: Vec<String> = text.split(";\n").map(|part| part.trim().to_owned()).collect();
    parts.into_iter().filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_read_into_its_statements() {
        for step in &STEPS {
            let shared: Vec<String> = statements(step.shared).collect();
            assert_eq!(shared.len(), step.shared.matches("CREATE ").count());
            assert!(shared.iter().all(|text| text.starts_with("CREATE TABLE IF NOT EXISTS") && !text.contains("--")));
            assert!(statements(step.scylla).all(|text| text.starts_with("ALTER TABLE")));
        }
        assert!(STEPS.iter().zip(1..).all(|(step, version)| step.version == version));
    }
}
