//! The WebSocket edge: after the handshake a socket leaves actix's dispatcher and lives in a small task of its own.

mod connection;
#[cfg(feature = "bugs")]
mod echo;
mod fragments;
mod guard;
mod handshake;
mod outgoing;
mod reader;
mod refusal;
mod said;
mod socket;

use std::sync::Arc;

use actix_web::{HttpRequest, http::Method};
pub use handshake::upgrade;
pub use socket::{Socket, Tls, Transport};

use super::{Answer, Limiter};
use crate::{actors::Router, auth::Authenticator, config::Live};

/// The path of the WebSocket.
pub const PATH: &str = "/api/v1/ws";

/// What the `App` answers at the path of the WebSocket: only requests without an upgrade come that far.
pub(super) async fn without_upgrade(request: HttpRequest) -> Answer {
    Err(if request.method() == Method::GET { refusal::no_upgrade() } else { refusal::not_a_get() })
}

/// What a handshake needs.
#[derive(Clone)]
pub struct Edge {
    /// The way to the actors.
    pub router: Arc<Router>,
    /// Who a token or ticket belongs to.
    pub authenticator: Arc<Authenticator>,
    /// The settings as they are now.
    pub live: Arc<Live>,
    /// Budgets of addresses, the same as for REST.
    pub limiter: Arc<Limiter>,
}
