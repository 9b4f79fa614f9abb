//! The WebSocket edge: after the handshake a socket leaves actix's dispatcher and lives in a small task of its own.

mod connection;
mod fragments;
mod guard;
mod handshake;
mod outgoing;
mod reader;
mod refusal;
mod socket;

use std::sync::Arc;

pub use handshake::upgrade;
pub use socket::{Socket, Tls, Transport};

use crate::{actors::Router, auth::Authenticator, config::Live};

/// The path of the WebSocket.
pub const PATH: &str = "/api/v1/ws";

/// What a handshake needs.
#[derive(Clone)]
pub struct Edge {
    /// The way to the actors.
    pub router: Arc<Router>,
    /// Who a token or ticket belongs to.
    pub authenticator: Arc<Authenticator>,
    /// The settings as they are now.
    pub live: Arc<Live>,
}
