//! The stores that speak SQL: everything in one SQLite file, and the directory of a cluster in PostgreSQL.
//!
//! Each has its own statements, as the two differ where it matters; what comes out of them is read in one place.

mod failure;
mod page;
mod postgres;
mod row;
mod sqlite;
pub mod transfer;

#[cfg(test)]
pub(in crate::store) use self::postgres::scratch;
pub use self::{
    postgres::{PostgresSettings, PostgresStore, place},
    sqlite::{SqliteSettings, SqliteStore, migrate, reference, seed},
};
