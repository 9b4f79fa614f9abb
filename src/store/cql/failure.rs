//! Errors of the driver as errors of the store.

use std::fmt::Display;

use crate::store::StoreError;

/// There was no answer, or one that says no. Whether something was written is for the caller to know.
pub(super) fn unavailable(error: impl Display) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// An answer came and cannot be read.
pub(super) fn corrupt(error: impl Display) -> StoreError {
    StoreError::Corrupt(error.to_string())
}
