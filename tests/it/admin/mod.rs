//! The admin endpoint on its own listener: section 4 of the wire contract.

mod operation;
mod rooms;
mod users;
