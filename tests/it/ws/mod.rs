//! The WebSocket: every frame of section 2 of the wire contract, and sections A, B and C of the security cases.

mod devices;
mod drain;
mod framing;
mod handshake;
mod hello;
mod limits;
mod live;
mod malformed;
mod resume;
mod slow;
mod tickets;
mod values;
mod watch;
mod writes;

use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;

use crate::support::process::Server;
use crate::support::socket::{SUBPROTOCOL, socket_url};

/// The handshake of a browser: no header of its own, but a ticket in the address.
pub(crate) fn ticket_handshake(server: &Server, ticket: &str) -> ClientRequestBuilder {
    let address = format!("{}?ticket={ticket}", socket_url(&server.url)).parse().expect("a uri");
    ClientRequestBuilder::new(address).with_sub_protocol(SUBPROTOCOL)
}
