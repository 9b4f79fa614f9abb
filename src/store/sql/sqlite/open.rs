//! Opening the file: the lock, the settings of every connection, the schema.

use std::{
    fs::{File, TryLockError},
    path::Path,
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use sqlx::{
    ConnectOptions, Connection, SqliteConnection,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    SqliteSettings, SqliteStore,
    writer::{Queue, Writer},
};
use crate::store::StoreError;

/// The schema in all its steps.
pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

const FILE: &str = "rookery.db";
const LOCK: &str = "rookery.lock";
/// How long a statement waits for another connection, and a reader for a free connection.
const PATIENCE: Duration = Duration::from_secs(5);
const JOURNAL_BYTES: &str = "67108864";
/// Memory for pages of each reading connection, in KiB below zero as SQLite has it: the system's own cache holds the rest
/// once for all of them.
const READER_CACHE: &str = "-512";
/// Pages of the write-ahead log after which it is copied back: 16 MiB.
const CHECKPOINT_PAGES: &str = "4000";

impl SqliteStore {
    /// Whether a folder has a store.
    #[must_use]
    pub fn is_there(folder: &Path) -> bool {
        folder.join(FILE).is_file()
    }

    /// Opens the store of a folder, on the runtime that calls; brings the schema up to date.
    ///
    /// # Errors
    /// With a sentence for people: the folder is in use, cannot be used, or was written by a newer version.
    pub async fn open(settings: SqliteSettings) -> Result<Arc<Self>, StoreError> {
        let lock = lock(&settings.folder)?;
        let options = options(&settings);
        let mut connection =
            options.clone().create_if_missing(true).connect().await.map_err(|e| unusable(&settings, &e))?;
        bring_up_to_date(&mut connection).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(u32::try_from(settings.read_connections.max(1)).unwrap_or(4))
            .acquire_timeout(PATIENCE)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(options.read_only(true).pragma("cache_size", READER_CACHE))
            .await
            .map_err(|error| unusable(&settings, &error))?;
        let queue = Arc::new(Queue::default());
        let linger = Duration::from_millis(settings.commit_millis);
        let writer = Writer::new(connection, Arc::clone(&queue), settings.commit_events, linger);
        let writer = Mutex::new(Some(tokio::spawn(writer.run_or_end())));
        Ok(Arc::new(Self { queue, readers, writer, lock: Mutex::new(Some(lock)) }))
    }
}

/// Brings the schema of a folder's store up to date, and says how many steps it has.
///
/// # Errors
/// As [`SqliteStore::open`].
pub async fn migrate(folder: &Path) -> Result<usize, StoreError> {
    let settings = SqliteSettings::new(folder);
    let _lock = lock(folder)?;
    let connection = options(&settings).create_if_missing(true).connect().await;
    let mut connection = connection.map_err(|error| unusable(&settings, &error))?;
    bring_up_to_date(&mut connection).await?;
    connection.close().await?;
    Ok(MIGRATIONS.iter().count())
}

fn lock(folder: &Path) -> Result<File, StoreError> {
    let shown = folder.display();
    let refuse = |why: String| StoreError::Unavailable(why);
    std::fs::create_dir_all(folder).map_err(|error| refuse(format!("the folder {shown} cannot be made: {error}")))?;
    let path = folder.join(LOCK);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| refuse(format!("{} cannot be opened: {error}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(refuse(format!("another process uses the folder {shown}; stop it first, or name another folder")))
        }
        Err(TryLockError::Error(error)) => Err(refuse(format!("{} cannot be locked: {error}", path.display()))),
    }
}

pub(super) fn options(settings: &SqliteSettings) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(settings.folder.join(FILE))
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("journal_size_limit", JOURNAL_BYTES)
        .pragma("cache_size", format!("-{}", settings.cache_mib.max(1) * 1_024))
        .pragma("mmap_size", "0")
        .pragma("temp_store", "memory")
        // What is deleted or emptied is overwritten, not only forgotten.
        .pragma("secure_delete", "on")
        .statement_cache_capacity(512)
        .row_buffer_size(1_024)
        .disable_statement_logging()
}

fn unusable(settings: &SqliteSettings, error: &sqlx::Error) -> StoreError {
    StoreError::Unavailable(format!("{} cannot be opened: {error}", settings.folder.join(FILE).display()))
}

async fn bring_up_to_date(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let known = MIGRATIONS.iter().map(|step| step.version).max().unwrap_or(0);
    MIGRATIONS.run(connection).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) => StoreError::Unavailable(format!(
            "the store was written by a newer version of Rookery (schema {version}, this one knows {known}); use that version"
        )),
        MigrateError::VersionMismatch(version) => StoreError::Unavailable(format!(
            "step {version} of the store's schema is not the one that this version of Rookery has"
        )),
        other => StoreError::Unavailable(format!("the schema of the store cannot be brought up to date: {other}")),
    })
}
