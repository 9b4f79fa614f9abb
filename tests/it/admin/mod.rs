//! The admin endpoint on its own listener: section 4 of the wire contract.

mod metrics;
mod nodes;
mod operation;
mod rooms;
mod users;
