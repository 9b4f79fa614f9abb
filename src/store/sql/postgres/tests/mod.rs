//! What only the store in PostgreSQL promises: the server it wants, its plans, outages, and what becomes of a broken commit.

mod open;
mod outage;
mod own_server;
mod plans;
pub(in crate::store) mod scratch;
mod severed;
