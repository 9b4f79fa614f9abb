//! Why a piece of work in a database did not succeed.

use sqlx::{Error, error::DatabaseError, sqlite::SqliteError};

use crate::store::StoreError;

/// Why a piece of work did not succeed.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was refused for a reason of ours; the connection is fine.
    Refused(StoreError),
    /// The database said no, or says nothing any more.
    Sql(Error),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Sql(error)
    }
}

/// The primary result code of SQLite, if it is one.
pub(super) fn sqlite_code(error: &Error) -> Option<i32> {
    let code = error.as_database_error()?.try_downcast_ref::<SqliteError>()?.code()?;
    code.parse::<i32>().ok().map(|code| code & 0xff)
}

/// For readers: nothing was to happen, so nothing is in doubt.
impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match (sqlite_code(&error), &error) {
            // CORRUPT, NOTADB
            (Some(11 | 26), _)
            | (
                _,
                Error::ColumnDecode { .. } | Error::Decode(_) | Error::ColumnNotFound(_) | Error::TypeNotFound { .. },
            ) => Self::Corrupt(error.to_string()),
            _ => Self::Unavailable(error.to_string()),
        }
    }
}
