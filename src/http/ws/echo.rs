//! For conformance tests only: a socket that says back what it hears, over the same reader and writer as every other.

use std::rc::Rc;

use actix_http::{RequestHead, ws};
use bytes::BytesMut;
use futures_util::StreamExt as _;
use rookery_core::{frame::websocket, time::Millis};
use tokio::io::AsyncWriteExt as _;

use super::{Edge, Transport, connection::Connection, reader::Reader};
use crate::actors::{
    Hub,
    ports::{Outbox as _, Read},
};

/// The path.
pub(super) const PATH: &str = "/echo";

/// Answers the handshake and says back every text until the connection ends.
pub(super) async fn serve<T: Transport>(mut stream: T, head: &RequestHead, unread: &[u8], edge: &Edge) {
    let key = head.headers().get("sec-websocket-key").map(|key| ws::hash_key(key.as_bytes()));
    let (Some(key), Some(hub)) = (key, Hub::here(&edge.router)) else { return };
    let key = String::from_utf8_lossy(&key).into_owned();
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: {key}\r\n\r\n"
    );
    if stream.write_all(answer.as_bytes()).await.is_err() {
        return;
    }
    let connection = Connection::new(stream.into_socket(), hub, Millis(i64::MAX));
    let mut reader = Reader::new(Rc::clone(&connection), unread);
    while let Some(read) = reader.next().await {
        match read {
            Read::Text(text) => {
                let mut frame = BytesMut::new();
                websocket::append(&mut frame, websocket::TEXT, &text);
                connection.control(&frame.freeze(), false);
            }
            Read::Pong => {}
            Read::Ended { code: Some(code), reason } => connection.close(code, reason),
            Read::Ended { code: None, .. } => return,
        }
    }
}
