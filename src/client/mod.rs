//! Rookery's wire contract from the client's side: REST, WebSocket, and resuming without loss.
//!
//! Written from `docs/protocol.md` alone. It shares no type with the server, so that a mistake in the server's
//! vocabulary shows up as a client that does not understand it.

pub mod chat;
pub(crate) mod error;
pub(crate) mod follow;
pub(crate) mod frames;
pub(crate) mod pace;
pub(crate) mod rest;
pub(crate) mod socket;
