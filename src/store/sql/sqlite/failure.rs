//! What SQLite's errors mean for what was asked: it did not happen, or nobody knows and the process ends.

use sqlx::Error;

pub(super) use crate::store::sql::failure::Failure;

use crate::store::sql::failure::sqlite_code;

/// What is known after an error of the writer's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Something that must be unique is there already; the transaction goes on.
    Conflict,
    /// The disk is full; SQLite may have rolled back by itself.
    Full,
    /// Somebody else holds the file.
    Busy,
    /// It did not happen, and the connection is fine.
    Definite,
    /// The file or the disk cannot be trusted any more.
    Fatal,
}

/// Sorts an error.
pub(super) fn classify(error: &Error) -> Class {
    match (sqlite_code(error), error) {
        (Some(19), _) => Class::Conflict,
        (Some(13), _) => Class::Full,
        (Some(5 | 6), _) => Class::Busy,
        // IOERR, CORRUPT, NOTADB: a retried fsync may lie, so there is no going on.
        (Some(10 | 11 | 26), _) | (None, Error::Io(_) | Error::WorkerCrashed) => Class::Fatal,
        _ => Class::Definite,
    }
}

/// Whether `ROLLBACK` only said that SQLite had rolled back by itself.
pub(super) fn no_transaction(error: &Error) -> bool {
    error.as_database_error().is_some_and(|error| error.message().contains("no transaction is active"))
}

/// Ends the process: what stands on the disk is not known, and guessing would be worse than stopping.
pub(super) fn end_process(doing: &str, error: &dyn std::fmt::Display) -> ! {
    tracing::error!(%error, doing, "the store cannot be trusted any more; the process ends");
    std::process::exit(74)
}
