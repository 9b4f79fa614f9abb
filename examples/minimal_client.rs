//! A client of the wire contract in one file: it chats, loses its connection, comes back, and loses nothing.
//!
//! It knows `docs/protocol.md` and nothing else of this project: a start for a client in any language. Section 3 of that
//! page is `Client::connected` and what it calls.
//!
//! ```text
//! cargo run --example minimal_client -- http://127.0.0.1:8080 HANDLE PASSWORD ROOM
//! ```

use std::{
    error::Error,
    io::{BufRead as _, ErrorKind, Read as _, Write},
    net::TcpStream,
    sync::mpsc::{Receiver, TryRecvError, sync_channel},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{
    self, ClientRequestBuilder, Message, WebSocket, protocol::frame::coding::CloseCode,
};

/// What may go wrong: all of it is answered by coming back, except what [`End::Over`] says.
type Failure = Box<dyn Error + Send + Sync>;

/// The first wait before coming back, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// How long a read waits before the program looks whether there is something to send.
const LOOK: Duration = Duration::from_millis(50);
/// Silence after which a connection is held for dead: the server pings every 25 s.
const SILENCE: Duration = Duration::from_secs(60);

/// How a connection ended.
enum End {
    /// Everything that was typed is acked, and nothing more comes.
    Finished,
    /// Come back, after this if the server said so.
    Again(Option<Duration>),
    /// Coming back would not help.
    Over(String),
}

/// Something to send that has no `ack` yet.
struct Pending {
    frame: Value,
    /// When to send it (again); `None`: it was sent, and nobody has said anything against it.
    due: Option<Instant>,
}

/// The client of one room.
struct Client {
    /// host:port
    server: String,
    token: String,
    room: String,
    /// The newest event that was shown; `None`: nothing yet, and the room begins at its head.
    cursor: Option<u64>,
    outbox: Vec<Pending>,
    /// Nothing more is typed.
    typed_all: bool,
    /// The last connection came as far as its welcome.
    was_welcome: bool,
}

/// Logs in and chats until `lines` ends and everything is acked. Every event of the room becomes a line of `output`.
///
/// # Errors
/// The login is refused, or the server says that coming back is of no use.
pub(crate) fn run(
    url: &str,
    (handle, password): (&str, &str),
    room: &str,
    lines: &Receiver<String>,
    output: &mut impl Write,
) -> Result<(), Failure> {
    let server = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let login = json!({"login": handle, "password": password, "device_name": "minimal client"});
    let (status, answer) = rest(&server, "POST", "/logins", None, Some(&login))?;
    let token = answer["token"].as_str().ok_or_else(|| format!("no login: {status} {answer}"))?.to_owned();
    let room = room.to_owned();
    let mut client =
        Client { server, token, room, cursor: None, outbox: Vec::new(), typed_all: false, was_welcome: false };
    let mut wait = WAITS.0;
    loop {
        let end = client.connected(lines, output);
        if std::mem::take(&mut client.was_welcome) {
            wait = WAITS.0;
        }
        match end {
            Ok(End::Finished) => return Ok(()),
            Ok(End::Over(reason)) => return Err(reason.into()),
            Ok(End::Again(Some(after))) => thread::sleep(after),
            // A real client waits a random part of this, so that not all come back at once.
            Ok(End::Again(None)) | Err(_) => {
                thread::sleep(wait);
                wait = (wait * 2).min(WAITS.1);
            }
        }
    }
}

impl Client {
    /// One connection, from the handshake to its end.
    fn connected(&mut self, lines: &Receiver<String>, output: &mut impl Write) -> Result<End, Failure> {
        let stream = TcpStream::connect(&self.server)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE))?;
        let address = format!("ws://{}/api/v1/ws", self.server).parse()?;
        let request = ClientRequestBuilder::new(address)
            .with_sub_protocol("rookery.v1.json")
            .with_header("Authorization", format!("Bearer {}", self.token));
        let (mut socket, _) = match tungstenite::client(request, stream) {
            Ok(opened) => opened,
            Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(answer))) if answer.status() == 401 => {
                return Ok(End::Over("the login has ended".to_owned()));
            }
            Err(error) => return Err(error.to_string().into()),
        };
        let mut cursors = json!({});
        if let Some(cursor) = self.cursor {
            cursors[self.room.as_str()] = json!(cursor);
        }
        say(&mut socket, &json!({"type": "hello", "cursors": cursors}))?;
        socket.get_ref().set_read_timeout(Some(LOOK))?;
        let (mut come_back, mut heard) = (None, Instant::now());
        loop {
            match next(&mut socket)? {
                Next::Frame(frame) => {
                    heard = Instant::now();
                    match frame["type"].as_str().unwrap_or_default() {
                        "welcome" => {
                            self.welcomed(&frame)?;
                            self.was_welcome = true;
                        }
                        "reconnect" => come_back = frame["after_ms"].as_u64().map(Duration::from_millis),
                        _ => self.take(&mut socket, &frame, output)?,
                    }
                }
                Next::Alive => heard = Instant::now(),
                Next::Closed(code) => return Ok(self.closed(code, come_back)),
                Next::Nothing if heard.elapsed() > SILENCE => return Err("nothing was heard for too long".into()),
                Next::Nothing => {}
            }
            self.read_lines(lines);
            if self.was_welcome {
                self.send_what_is_due(&mut socket)?;
                if self.typed_all && self.outbox.is_empty() {
                    return Ok(End::Finished);
                }
            }
        }
    }

    /// The beginning of a connection: where the room is, and everything that has no ack goes out again, unchanged.
    fn welcomed(&mut self, welcome: &Value) -> Result<(), Failure> {
        let rooms = welcome["rooms"].as_array().ok_or("a welcome has rooms")?;
        let room = rooms.iter().find(|room| room["room"] == self.room.as_str()).ok_or("not a member of the room")?;
        if self.cursor.is_none() {
            self.cursor = room["head"].as_u64();
        }
        let now = Instant::now();
        self.outbox.iter_mut().for_each(|pending| pending.due = Some(now));
        Ok(())
    }

    /// Any other frame; types that are not known are ignored.
    fn take(
        &mut self,
        socket: &mut WebSocket<TcpStream>,
        frame: &Value,
        output: &mut impl Write,
    ) -> Result<(), Failure> {
        let mine = frame["room"] == self.room.as_str();
        match frame["type"].as_str().unwrap_or_default() {
            "event" if mine => self.show(frame, output)?,
            "ack" => self.outbox.retain(|pending| pending.frame["client_id"] != frame["client_id"]),
            "nack" => self.refused(frame, output)?,
            "gap" if mine => self.fill(socket, frame, output)?,
            "lagged" if frame["rooms"].get(self.room.as_str()).is_some() => self.sync(socket)?,
            "error" => writeln!(output, "error: {}", frame["detail"])?,
            _ => {}
        }
        Ok(())
    }

    /// Shows an event that is new, and moves the cursor; nothing else moves it.
    fn show(&mut self, event: &Value, output: &mut impl Write) -> Result<(), Failure> {
        let seq = event["seq"].as_u64().ok_or("an event has a seq")?;
        if self.cursor.is_some_and(|cursor| seq <= cursor) {
            return Ok(());
        }
        self.cursor = Some(seq);
        let what = event["body"].as_str().or(event["kind"].as_str()).unwrap_or_default();
        Ok(writeln!(output, "{seq} {} {what}", event["from"].as_str().unwrap_or_default())?)
    }

    /// It did not happen: it is dropped and shown, or sent again later.
    fn refused(&mut self, nack: &Value, output: &mut impl Write) -> Result<(), Failure> {
        let wait = Duration::from_millis(nack["retry_after_ms"].as_u64().unwrap_or(500));
        let client_id = &nack["client_id"];
        if nack["retry"] == "no" {
            writeln!(output, "refused: {} {}", nack["code"], nack["detail"])?;
            self.outbox.retain(|pending| pending.frame["client_id"] != *client_id);
        }
        let again = self.outbox.iter_mut().find(|pending| pending.frame["client_id"] == *client_id);
        if let Some(pending) = again {
            pending.due = Some(Instant::now() + if nack["retry"] == "same" { Duration::ZERO } else { wait });
        }
        Ok(())
    }

    /// Too much was missed to be pushed: pages it, then asks for the rest and to be live.
    fn fill(&mut self, socket: &mut WebSocket<TcpStream>, gap: &Value, output: &mut impl Write) -> Result<(), Failure> {
        if gap["from"].as_u64() > gap["to"].as_u64() {
            // The server is behind us, as after a restored backup.
            self.cursor = gap["to"].as_u64();
            return self.sync(socket);
        }
        loop {
            let path = format!("/rooms/{}/events?limit=200&after={}", self.room, self.cursor.unwrap_or(0));
            let (status, page) = rest(&self.server, "GET", &path, Some(&self.token), None)?;
            let items = page["items"].as_array().ok_or_else(|| format!("no events: {status} {page}"))?;
            for event in items {
                self.show(event, output)?;
            }
            if page["next"].is_null() {
                return self.sync(socket);
            }
        }
    }

    fn sync(&self, socket: &mut WebSocket<TcpStream>) -> Result<(), Failure> {
        say(socket, &json!({"type": "sync", "room": self.room, "after": self.cursor.unwrap_or(0)}))
    }

    /// What was typed becomes something to send, with a key that stays the same however often it is sent.
    fn read_lines(&mut self, lines: &Receiver<String>) {
        loop {
            match lines.try_recv() {
                Ok(line) => {
                    let frame = json!({"type": "send", "room": self.room, "client_id": uuid::Uuid::new_v4(),
                        "body": line, "seen": self.cursor.unwrap_or(0)});
                    self.outbox.push(Pending { frame, due: Some(Instant::now()) });
                }
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.typed_all = true;
                    return;
                }
            }
        }
    }

    fn send_what_is_due(&mut self, socket: &mut WebSocket<TcpStream>) -> Result<(), Failure> {
        let now = Instant::now();
        for pending in self.outbox.iter_mut().filter(|pending| pending.due.is_some_and(|due| due <= now)) {
            say(socket, &pending.frame)?;
            pending.due = None;
        }
        Ok(())
    }

    /// What a close code says about coming back.
    fn closed(&self, code: Option<CloseCode>, come_back: Option<Duration>) -> End {
        match code.map(u16::from) {
            Some(code @ (1_002 | 1_003 | 1_007 | 1_008 | 1_009 | 4_001 | 4_003 | 4_010)) => {
                End::Over(format!("closed with {code}, with {} unsent", self.outbox.len()))
            }
            _ => End::Again(come_back),
        }
    }
}

/// What a look at the socket found.
enum Next {
    Frame(Value),
    Alive,
    Closed(Option<CloseCode>),
    Nothing,
}

fn next(socket: &mut WebSocket<TcpStream>) -> Result<Next, Failure> {
    match socket.read() {
        Ok(Message::Text(text)) => Ok(Next::Frame(serde_json::from_str(&text)?)),
        Ok(Message::Close(close)) => Ok(Next::Closed(close.map(|close| close.code))),
        // The library answers pings.
        Ok(_) => Ok(Next::Alive),
        Err(tungstenite::Error::Io(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Ok(Next::Nothing)
        }
        Err(error) => Err(error.into()),
    }
}

fn say(socket: &mut WebSocket<TcpStream>, frame: &Value) -> Result<(), Failure> {
    Ok(socket.send(Message::text(frame.to_string()))?)
}

/// One request over a connection of its own.
fn rest(
    server: &str,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Option<&Value>,
) -> Result<(u16, Value), Failure> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(SILENCE))?;
    let length = body.len();
    write!(
        stream,
        "{method} /api/v1{path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n{token}\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("half an answer")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or("no status")?;
    Ok((status, serde_json::from_str(body)?))
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, handle, password, room] = arguments.as_slice() else {
        return Err("usage: minimal_client http://HOST:PORT HANDLE PASSWORD ROOM".into());
    };
    // Whoever types faster than that waits.
    let (typed, lines) = sync_channel(64);
    thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if typed.send(line).is_err() {
                return;
            }
        }
    });
    run(url, (handle, password), room, &lines, &mut std::io::stdout())
}
