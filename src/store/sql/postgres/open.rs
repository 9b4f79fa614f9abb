//! Reaching the server: what it must be like, the schema, the settings of every connection.

use std::{str::FromStr, sync::atomic::AtomicU64, time::Duration};

use secrecy::ExposeSecret;
use sqlx::{
    ConnectOptions, Connection, PgConnection,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{PostgresSettings, PostgresStore};
use crate::store::StoreError;

/// The schema in all its steps.
static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// How many steps the schema has.
#[cfg(test)]
pub(super) fn migrations() -> i64 {
    MIGRATIONS.iter().count() as i64
}

/// The first version that has all that is asked for, and is still looked after.
const OLDEST: i32 = 14;
/// How long a call waits for a connection. A server that is away is tried again for so long, so this is also how soon callers
/// hear of it.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a transaction may be left alone. A node that hangs in the midst of one keeps rows locked that the others need to
/// take its rooms over; by then they have just found out that it hangs.
const HANGS: Duration = Duration::from_secs(2);
/// How long the schema may take, with other nodes at the same work.
const SCHEMA: Duration = Duration::from_secs(300);

impl PostgresStore {
    /// Reaches the server, looks whether it is what is needed, and brings the schema up to date: whoever comes first does
    /// it, the others wait.
    ///
    /// # Errors
    /// With a sentence for people: the server cannot be reached, or is not what is needed.
    pub async fn open(settings: PostgresSettings) -> Result<Self, StoreError> {
        let options = options(&settings)?;
        let unusable = |error: sqlx::Error| {
            let (host, port) = (options.get_host(), options.get_port());
            StoreError::Unavailable(format!("PostgreSQL at {host}:{port} cannot be used: {error}"))
        };
        let connecting = tokio::time::timeout(settings.deadline, options.connect()).await;
        let mut connection = connecting.map_err(|_| super::late())?.map_err(unusable)?;
        check(&mut connection).await?;
        let schema = tokio::time::timeout(SCHEMA, bring_up_to_date(&mut connection)).await;
        schema.map_err(|_| StoreError::Unavailable("another node has been at the schema for minutes".to_owned()))??;
        // It worked; how it is closed does not matter.
        let _ = connection.close().await;
        let pool = PgPoolOptions::new()
            .max_connections(settings.connections.max(1))
            .acquire_timeout(PATIENCE.min(settings.deadline))
            .connect_lazy_with(within_deadline(options, settings.deadline));
        Ok(Self { pool, deadline: settings.deadline, writes: AtomicU64::new(0) })
    }
}

fn options(settings: &PostgresSettings) -> Result<PgConnectOptions, StoreError> {
    let refuse = |error| StoreError::Unavailable(format!("the address of PostgreSQL cannot be read: {error}"));
    let options = PgConnectOptions::from_str(settings.url.expose_secret()).map_err(refuse)?;
    Ok(options.application_name("rookery").statement_cache_capacity(256).disable_statement_logging())
}

/// The server gives up by itself on what nobody waits for any more.
fn within_deadline(options: PgConnectOptions, deadline: Duration) -> PgConnectOptions {
    let millis = deadline.as_millis();
    options.options([
        ("statement_timeout", millis),
        ("lock_timeout", millis),
        ("idle_in_transaction_session_timeout", (2 * millis).min(HANGS.as_millis())),
    ])
}

const SERVER: &str = "SELECT current_setting('server_version_num')::int, pg_encoding_to_char(encoding),
    pg_is_in_recovery(), current_setting('default_transaction_read_only')::bool
    FROM pg_database WHERE datname = current_database()";

async fn check(connection: &mut PgConnection) -> Result<(), StoreError> {
    let (version, encoding, standby, read_only): (i32, String, bool, bool) =
        sqlx::query_as(SERVER).fetch_one(connection).await?;
    fault(version, &encoding, standby, read_only).map_or(Ok(()), |fault| Err(StoreError::Unavailable(fault)))
}

/// What is wrong with a server, as a sentence.
pub(super) fn fault(version: i32, encoding: &str, standby: bool, read_only: bool) -> Option<String> {
    let major = version / 10_000;
    if major < OLDEST {
        return Some(format!("PostgreSQL {major} is too old: {OLDEST} or newer is needed"));
    }
    if encoding != "UTF8" {
        return Some(format!(
            "the database has the encoding {encoding} and must have UTF8: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        ));
    }
    if standby {
        return Some(
            "this PostgreSQL is a standby, which cannot be written to: give the address of its primary".to_owned(),
        );
    }
    read_only.then(|| "the database is read-only (default_transaction_read_only): turn that off".to_owned())
}

async fn bring_up_to_date(connection: &mut PgConnection) -> Result<(), StoreError> {
    let known = MIGRATIONS.iter().map(|step| step.version).max().unwrap_or(0);
    MIGRATIONS.run(connection).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) => StoreError::Unavailable(format!(
            "the database was written by a newer version of Rookery (schema {version}, this one knows {known}); use that version"
        )),
        MigrateError::VersionMismatch(version) => StoreError::Unavailable(format!(
            "step {version} of the database's schema is not the one that this version of Rookery has"
        )),
        other => StoreError::Unavailable(format!("the schema of the database cannot be brought up to date: {other}")),
    })
}
