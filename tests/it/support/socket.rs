//! A chat client over one WebSocket: sends frames, waits for the one it asks for, keeps the others in order.

use std::collections::VecDeque;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

use super::{client_id, within};

pub(crate) const SUBPROTOCOL: &str = "rookery.v1.json";

/// One connection.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Frames that came while the test waited for another one.
    backlog: VecDeque<Value>,
    closed: Option<Option<u16>>,
    count: u64,
}

/// The address of the WebSocket below the server's url.
pub(crate) fn socket_url(url: &str) -> String {
    format!("{}/api/v1/ws", url.replacen("http", "ws", 1).trim_end_matches('/'))
}

/// The handshake that a native client makes.
pub(crate) fn handshake(url: &str, token: &str) -> ClientRequestBuilder {
    let address = socket_url(url).parse().expect("a uri");
    let request = ClientRequestBuilder::new(address).with_sub_protocol(SUBPROTOCOL);
    if token.is_empty() { request } else { request.with_header("Authorization", format!("Bearer {token}")) }
}

impl Socket {
    pub(crate) async fn connect(url: &str, token: &str) -> Socket {
        match Socket::try_connect(handshake(url, token), None).await {
            Ok(socket) => socket,
            Err(error) => panic!("the handshake is accepted: {error:?}"),
        }
    }

    /// Makes the handshake; when it is refused, the answer's status and text.
    pub(crate) async fn try_connect(
        request: ClientRequestBuilder,
        connector: Option<Connector>,
    ) -> Result<Socket, (u16, String)> {
        let connecting = connect_async_tls_with_config(request, None, true, connector);
        match within("the handshake", connecting).await {
            Ok((stream, answer)) => {
                let chosen = answer.headers().get("sec-websocket-protocol").and_then(|name| name.to_str().ok());
                assert_eq!(chosen, Some(SUBPROTOCOL), "the subprotocol is echoed");
                Ok(Socket { stream, backlog: VecDeque::new(), closed: None, count: 0 })
            }
            Err(Error::Http(answer)) => {
                let text = answer.body().as_ref().map(|body| String::from_utf8_lossy(body).into_owned());
                Err((answer.status().as_u16(), text.unwrap_or_default()))
            }
            Err(other) => Err((0, other.to_string())),
        }
    }

    pub(crate) async fn send(&mut self, frame: Value) {
        self.send_text(&frame.to_string()).await;
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.send_message(Message::text(text)).await;
    }

    pub(crate) async fn send_message(&mut self, message: Message) {
        within("room in the socket", self.stream.send(message)).await.expect("the connection is open");
    }

    /// As `send`, for a connection that may be closing.
    pub(crate) async fn try_send(&mut self, frame: Value) -> bool {
        within("room in the socket", self.stream.send(Message::text(frame.to_string()))).await.is_ok()
    }

    /// The next frame, kept or new.
    pub(crate) async fn next(&mut self) -> Value {
        self.find("a frame", |_| true).await
    }

    /// The next frame of this type; others before it stay where they are.
    pub(crate) async fn next_of(&mut self, kind: &str) -> Value {
        self.find(kind, |frame| frame["type"] == kind).await
    }

    /// The next frame that fits; others before it stay where they are.
    pub(crate) async fn find(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        match within(what, self.try_find(&fits)).await {
            Some(frame) => frame,
            None => panic!("closed with {:?} while waiting for {what}; kept: {:?}", self.closed, self.backlog),
        }
    }

    async fn try_find(&mut self, fits: &impl Fn(&Value) -> bool) -> Option<Value> {
        if let Some(at) = self.backlog.iter().position(fits) {
            return self.backlog.remove(at);
        }
        loop {
            let frame = self.read().await?;
            if fits(&frame) {
                return Some(frame);
            }
            self.backlog.push_back(frame);
        }
    }

    /// The next frame from the wire, or nothing when the connection has ended.
    async fn read(&mut self) -> Option<Value> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(text.as_str()).expect("the server sends JSON");
                    assert!(frame["type"].is_string(), "a frame has a type: {frame}");
                    return Some(frame);
                }
                Some(Ok(Message::Close(close))) => {
                    self.closed.get_or_insert(close.map(|close| close.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => {
                    self.closed.get_or_insert(None);
                    return None;
                }
            }
        }
    }

    /// Like `next`, but a connection that ended is `None`; for clients that come back.
    pub(crate) async fn next_or_end(&mut self) -> Option<Value> {
        match self.backlog.pop_front() {
            Some(frame) => Some(frame),
            None => self.read().await,
        }
    }

    /// Waits for the end of the connection: the close code, if there was a close frame.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        within("the close", async {
            while let Some(frame) = self.read().await {
                self.backlog.push_back(frame);
            }
        })
        .await;
        self.closed.flatten()
    }

    /// Asks with a fresh `id`, and returns the frame that carries it back.
    pub(crate) async fn ask(&mut self, mut frame: Value) -> Value {
        self.count += 1;
        let id = format!("ask-{}", self.count);
        frame["id"] = json!(id);
        let what = format!("the answer to {frame}");
        self.send(frame).await;
        self.find(&what, |answer| answer["id"] == id.as_str()).await
    }

    /// Sends a message and returns its `ack`.
    pub(crate) async fn say(&mut self, room: &str, body: &str) -> Value {
        let frame = json!({"type": "send", "room": room, "client_id": client_id(), "body": body});
        let answer = self.ask(frame).await;
        assert_eq!(answer["type"], "ack", "the send is acked: {answer}");
        answer
    }

    /// Asks for what is refused: asserts the code and that the answer is a `nack`.
    pub(crate) async fn refused(&mut self, frame: Value, code: &str) -> Value {
        let asked = frame.to_string();
        let answer = self.ask(frame).await;
        assert_eq!(answer["type"], "nack", "{asked}: {answer}");
        assert_eq!(answer["code"], code, "{asked}: {answer}");
        let retry = answer["retry"].as_str().unwrap_or_default();
        assert!(["no", "same", "later"].contains(&retry), "a nack says whether to try again: {answer}");
        answer
    }

    /// The event of this room with this seq.
    pub(crate) async fn event(&mut self, room: &str, seq: u64) -> Value {
        let what = format!("event {seq} of {room}");
        self.find(&what, |frame| frame["type"] == "event" && frame["room"] == room && frame["seq"] == seq).await
    }

    /// The seqs of the next so many events of the room, in the order in which they come.
    pub(crate) async fn seqs(&mut self, room: &str, count: usize) -> Vec<u64> {
        let mut seqs = Vec::with_capacity(count);
        for _ in 0..count {
            let event = self.find("an event", |frame| frame["type"] == "event" && frame["room"] == room).await;
            seqs.push(event["seq"].as_u64().expect("a seq"));
        }
        seqs
    }

    /// All frames that have arrived until the server has answered a ping: what comes later is not among them.
    pub(crate) async fn arrived(&mut self) -> Vec<Value> {
        let pong = self.ask(json!({"type": "ping"})).await;
        assert_eq!(pong["type"], "pong");
        self.backlog.drain(..).collect()
    }

    /// Ends the connection as a client that says goodbye.
    pub(crate) async fn leave(mut self) {
        let _ = self.stream.close(None).await;
        self.close_code().await;
    }
}
