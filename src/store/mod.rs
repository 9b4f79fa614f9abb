//! What the server keeps, as traits: the log of the rooms, and the directory of people, logins and rooms.
//!
//! Every promise stands on the method that keeps it; `conformance` holds every implementation to the same promises.

pub mod cluster;
#[cfg(test)]
mod conformance;
pub mod cql;
pub mod cursor;
pub mod directory;
pub mod log;
pub mod media;
pub mod memory;
pub mod projection;
pub mod record;
pub mod sql;
pub mod transfer;

use futures_util::future::BoxFuture;

pub use directory::Directory;
pub use log::MessageLog;
pub use media::MediaIndex;
pub use projection::Projection;

/// An answer of a store, later.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, is full, or took longer than its deadline. What was asked did **not** happen; only when
    /// PostgreSQL goes away in the middle of a commit and stays away does nobody know, and then the text says so.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// Another owner, or another activation of the room, has taken over. What was asked did **not** happen; of an append to
    /// a log that is shared, see `MessageLog::append`.
    #[error("another owner has taken over")]
    Fenced,
    /// Something that must be unique is there already; names which.
    #[error("{0} is taken")]
    Taken(&'static str),
    /// It is not there.
    #[error("not found")]
    NotFound,
    /// A cursor that this store did not give.
    #[error("not a cursor of this list")]
    BadCursor,
    /// What stands in the store cannot be read; says what.
    #[error("the store holds something unreadable: {0}")]
    Corrupt(String),
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is in it.
    pub items: Vec<T>,
    /// Where to go on; `None` at the end.
    pub next: Option<String>,
}

/// Which part of a list.
#[derive(Clone, Debug, Default)]
pub struct Range {
    /// The `next` of the part before.
    pub after: Option<String>,
    /// How many at most.
    pub limit: usize,
}
