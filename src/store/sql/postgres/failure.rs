//! What PostgreSQL's errors mean for what was asked.

use sqlx::{Error, error::ErrorKind};

use super::Failure;
use crate::store::StoreError;

/// What the caller of a write that was undone is told.
pub(super) fn refusal(failure: Failure) -> StoreError {
    match failure {
        Failure::Refused(error) => error,
        Failure::Sql(error) => taken(&error).map_or_else(|| error.into(), StoreError::Taken),
    }
}

/// Two may ask for the same name at once: then only the index sees it.
fn taken(error: &Error) -> Option<&'static str> {
    let error = error.as_database_error()?;
    if error.kind() != ErrorKind::UniqueViolation {
        return None;
    }
    match error.constraint()? {
        "users_handle" | "users_skeleton" => Some("handle"),
        "users_email" => Some("email"),
        _ => None,
    }
}
