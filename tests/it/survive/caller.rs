//! A client that loses nothing, written after section 3 of the wire contract, and noting all that it does and sees.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::support::client_id;
use crate::support::history::{Entry, Event, History};
use crate::support::person::Person;
use crate::support::rest::Rest;
use crate::support::socket::{Socket, handshake};

/// How many sends a caller has open at once.
const WINDOW: usize = 6;

/// What all callers of a run share.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) history: History,
    /// Where the server is now.
    pub(super) url: watch::Receiver<String>,
    /// Say nothing new from now on.
    pub(super) stop: watch::Receiver<bool>,
    /// The heads to come to before the end, once they are known.
    pub(super) goal: watch::Receiver<Option<BTreeMap<String, u64>>>,
    pub(super) acks: Arc<AtomicU64>,
    pub(super) connections: Arc<AtomicU64>,
    /// Sends without an answer, over all callers.
    pub(super) open: Arc<AtomicUsize>,
}

#[derive(Clone)]
struct Pending {
    client_id: String,
    room: String,
    body: String,
    seen: u64,
}

/// One client.
pub(super) struct Caller {
    pub(super) person: Person,
    pub(super) cursors: BTreeMap<String, u64>,
    line: Line,
    sends: bool,
    outbox: VecDeque<Pending>,
    number: u64,
    connection: u64,
}

impl Caller {
    pub(super) fn new(person: Person, rooms: &[String], sends: bool, line: Line) -> Self {
        let cursors = rooms.iter().map(|room| (room.clone(), 0)).collect();
        Caller { person, cursors, line, sends, outbox: VecDeque::new(), number: 0, connection: 0 }
    }

    /// Calls again whenever the connection ends, until all is said and heard.
    pub(super) async fn run(mut self) -> Self {
        while !self.finished() {
            let url = self.line.url.borrow_and_update().clone();
            match Socket::try_connect(handshake(&url, &self.person.token), None).await {
                Ok(socket) => self.converse(socket, &url).await,
                // The server is down. A client would wait longer; this one is impatient.
                Err(_) => tokio::time::sleep(Duration::from_millis(15)).await,
            }
        }
        self
    }

    fn finished(&self) -> bool {
        let reached = self.line.goal.borrow().as_ref().is_some_and(|goal| *goal == self.cursors);
        reached && self.outbox.is_empty()
    }

    async fn converse(&mut self, mut socket: Socket, url: &str) {
        self.connection = self.line.connections.fetch_add(1, Ordering::Relaxed) + 1;
        for (room, cursor) in &self.cursors {
            let (connection, room) = (self.connection, room.clone());
            self.line.history.record(Entry::Hears { connection, room, after: *cursor });
        }
        if !socket.try_send(json!({"type": "hello", "cursors": self.cursors})).await {
            return;
        }
        let Some(welcome) = socket.next_or_end().await else { return };
        self.welcomed(&welcome);
        for pending in self.outbox.clone() {
            if !self.invoke(&mut socket, &pending).await {
                return;
            }
        }
        while !self.finished() {
            if !self.top_up(&mut socket).await {
                return;
            }
            tokio::select! {
                frame = socket.next_or_end() => match frame {
                    Some(frame) => if !self.take(&mut socket, url, frame).await { return },
                    None => return,
                },
                _ = self.line.stop.changed() => {}
                _ = self.line.goal.changed() => {}
            }
        }
        socket.leave().await;
    }

    /// The rooms of the welcome show the own read marks as the server has them.
    fn welcomed(&self, welcome: &Value) {
        for room in welcome["rooms"].as_array().into_iter().flatten() {
            if let (Some(name), Some(read)) = (room["room"].as_str(), room["read"].as_u64()) {
                self.saw_mark(name, &self.person.id, read);
            }
        }
    }

    fn saw_mark(&self, room: &str, user: &str, read: u64) {
        let (observer, room, user) = (self.person.id.clone(), room.to_owned(), user.to_owned());
        self.line.history.record(Entry::Mark { observer, room, user, read });
    }

    /// Says new things while fewer than the window are open. Every tenth goes out twice, as after a lost answer.
    async fn top_up(&mut self, socket: &mut Socket) -> bool {
        while self.sends && !*self.line.stop.borrow() && self.outbox.len() < WINDOW {
            self.number += 1;
            let rooms: Vec<&String> = self.cursors.keys().collect();
            let room = rooms[self.number as usize % rooms.len()].clone();
            let body = format!("{} says {}", self.person.handle, self.number);
            let seen = self.cursors[&room];
            let pending = Pending { client_id: client_id(), room, body, seen };
            self.line.open.fetch_add(1, Ordering::SeqCst);
            self.outbox.push_back(pending.clone());
            for _ in 0..1 + u64::from(self.number.is_multiple_of(10)) {
                if !self.invoke(socket, &pending).await {
                    return false;
                }
            }
        }
        true
    }

    async fn invoke(&self, socket: &mut Socket, pending: &Pending) -> bool {
        self.line.history.record(Entry::Invoke {
            connection: self.connection,
            sender: self.person.id.clone(),
            room: pending.room.clone(),
            client_id: pending.client_id.clone(),
            body: pending.body.clone(),
        });
        // The `id` says which send an answer is for, whatever `client_id` a broken server may put into it.
        let frame = json!({"type": "send", "room": pending.room, "client_id": pending.client_id,
                           "body": pending.body, "seen": pending.seen, "id": pending.client_id});
        socket.try_send(frame).await
    }

    async fn take(&mut self, socket: &mut Socket, url: &str, frame: Value) -> bool {
        let room = frame["room"].as_str().unwrap_or_default().to_owned();
        match frame["type"].as_str().unwrap_or_default() {
            "event" => {
                let seq = self.heard(&room, &frame);
                if seq.is_multiple_of(20) {
                    return socket.try_send(json!({"type": "mark", "room": room, "read": seq})).await;
                }
            }
            "ack" => self.acked(&room, &frame),
            "nack" => return self.refused(socket, &frame).await,
            "marks" => {
                if let (Some(user), Some(read)) = (frame["user"].as_str(), frame["read"].as_u64()) {
                    self.saw_mark(&room, user, read);
                }
            }
            "gap" => return self.fill(socket, url, &room, &frame).await,
            "lagged" => {
                for room in frame["rooms"].as_object().into_iter().flatten().map(|(room, _)| room) {
                    if !socket.try_send(json!({"type": "sync", "room": room, "after": self.cursors[room]})).await {
                        return false;
                    }
                }
            }
            _ => {}
        }
        true
    }

    fn heard(&mut self, room: &str, frame: &Value) -> u64 {
        let event = Event::read(frame);
        let seq = event.seq;
        self.line.history.record(Entry::Deliver { connection: self.connection, room: room.to_owned(), event });
        if let Some(cursor) = self.cursors.get_mut(room) {
            *cursor = (*cursor).max(seq);
        }
        seq
    }

    fn acked(&mut self, room: &str, frame: &Value) {
        let client_id = frame["id"].as_str().unwrap_or_default().to_owned();
        let Some(seq) = frame["seq"].as_u64() else { return };
        self.forget(&client_id);
        self.line.history.record(Entry::Ack { room: room.to_owned(), client_id, seq });
        self.line.acks.fetch_add(1, Ordering::SeqCst);
    }

    fn forget(&mut self, client_id: &str) -> Option<Pending> {
        let at = self.outbox.iter().position(|pending| pending.client_id == client_id)?;
        self.line.open.fetch_sub(1, Ordering::SeqCst);
        self.outbox.remove(at)
    }

    async fn refused(&mut self, socket: &mut Socket, frame: &Value) -> bool {
        let client_id = frame["id"].as_str().unwrap_or_default().to_owned();
        self.line.history.record(Entry::Nack { client_id: client_id.clone() });
        if frame["retry"] == "no" {
            self.forget(&client_id);
            return true;
        }
        let wait = frame["retry_after_ms"].as_u64().unwrap_or(50).min(1_000);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        let again = self.outbox.iter().find(|pending| pending.client_id == client_id).cloned();
        match again {
            Some(pending) => self.invoke(socket, &pending).await,
            None => true,
        }
    }

    /// Pages what was too much to push, then asks to be live from there.
    async fn fill(&mut self, socket: &mut Socket, url: &str, room: &str, gap: &Value) -> bool {
        let (from, to) = (gap["from"].as_u64().unwrap_or(0), gap["to"].as_u64().unwrap_or(0));
        if from > to {
            // The server does not know what this client has seen: the checker will say which promise that breaks.
            let (connection, room) = (self.connection, room.to_owned());
            self.line.history.record(Entry::Hears { connection, room: room.clone(), after: to });
            self.cursors.insert(room, to);
        }
        let rest = Rest::new(&format!("{url}/api/v1")).with_token(&self.person.token);
        loop {
            let path = format!("/rooms/{room}/events?limit=200&after={}", self.cursors[room]);
            let Ok(answer) = rest.request("GET", &path).send().await else { return false };
            let Ok(text) = answer.text().await else { return false };
            let Ok(page) = serde_json::from_str::<Value>(&text) else { return false };
            for event in page["items"].as_array().into_iter().flatten() {
                self.heard(room, event);
            }
            if page["next"].is_null() {
                break;
            }
        }
        socket.try_send(json!({"type": "sync", "room": room, "after": self.cursors[room]})).await
    }
}
