//! Opening a WebSocket to a server, and one frame in, one frame out.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::frames::{Incoming, Outgoing};

const PATIENCE: Duration = Duration::from_secs(15);

/// Why a connection could not be opened, or ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    /// The handshake was answered with an HTTP status.
    #[error("the server refused the connection with status {0}")]
    Status(u16),
    /// The server closed with a code.
    #[error("the server closed the connection with {code}{}", dash(.reason))]
    Closed {
        /// The close code; 1005 when there was none.
        code: u16,
        /// The reason given.
        reason: String,
    },
    /// The network, or nonsense on it.
    #[error("{0}")]
    Broken(String),
}

fn dash(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

/// An open connection.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    /// Connects to the server at `base` (its http or https address) with a token.
    pub(crate) async fn open(base: &str, token: &str) -> Result<Socket, Lost> {
        let broken = |error: &dyn std::fmt::Display| Lost::Broken(error.to_string());
        let mut request = address(base).into_client_request().map_err(|error| broken(&error))?;
        let bearer = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|error| broken(&error))?;
        request.headers_mut().insert("Authorization", bearer);
        request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("rookery.v1.json"));
        match tokio::time::timeout(PATIENCE, tokio_tungstenite::connect_async(request)).await {
            Ok(Ok((stream, _answer))) => Ok(Socket { stream }),
            Ok(Err(Error::Http(answer))) => Err(Lost::Status(answer.status().as_u16())),
            Ok(Err(error)) => Err(broken(&error)),
            Err(_) => Err(Lost::Broken("no answer to the handshake".to_owned())),
        }
    }

    /// Sends a frame.
    pub(crate) async fn send(&mut self, frame: &Outgoing) -> Result<(), Lost> {
        let text = serde_json::to_string(frame).map_err(|error| Lost::Broken(error.to_string()))?;
        match tokio::time::timeout(PATIENCE, self.stream.send(Message::text(text))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Lost::Broken(error.to_string())),
            Err(_) => Err(Lost::Broken("the server does not read".to_owned())),
        }
    }

    /// The next thing heard; `None` for a sign of life without content. May be dropped and called again at any time.
    pub(crate) async fn next(&mut self) -> Result<Option<Incoming>, Lost> {
        match self.stream.next().await {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text)
                .map(Some)
                .map_err(|error| Lost::Broken(format!("a frame cannot be read: {error}"))),
            Some(Ok(Message::Close(Some(frame)))) => {
                Err(Lost::Closed { code: frame.code.into(), reason: frame.reason.to_string() })
            }
            Some(Ok(Message::Close(None))) => Err(Lost::Closed { code: 1005, reason: String::new() }),
            Some(Ok(_)) => Ok(None),
            Some(Err(error)) => Err(Lost::Broken(error.to_string())),
            None => Err(Lost::Broken("the connection ended".to_owned())),
        }
    }

    /// Says goodbye. What comes back no longer matters.
    pub(crate) async fn close(mut self) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.stream.close(None)).await;
    }
}

/// The WebSocket address of the server at `base`.
fn address(base: &str) -> String {
    let base = base.trim_end_matches('/');
    let swapped = match base.split_once("://") {
        Some(("https" | "wss", rest)) => format!("wss://{rest}"),
        Some((_, rest)) => format!("ws://{rest}"),
        None => format!("ws://{base}"),
    };
    format!("{swapped}/api/v1/ws")
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn the_socket_lives_beside_the_rest_interface() {
        assert_eq!(address("http://127.0.0.1:8080"), "ws://127.0.0.1:8080/api/v1/ws");
        assert_eq!(address("https://chat.example/"), "wss://chat.example/api/v1/ws");
    }
}
