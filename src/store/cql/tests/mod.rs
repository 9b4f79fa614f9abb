//! Tests of the log over CQL against a real server.

mod healing;
mod history;
mod outage;
mod owners;
pub(in crate::store) mod scratch;
mod start;
mod world;
