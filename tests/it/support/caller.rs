//! A client that loses nothing, written after section 3 of the wire contract, and noting all that it does and sees.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::support::client_id;
use crate::support::history::{Entry, Event, History};
use crate::support::person::Person;
use crate::support::rest::Rest;
use crate::support::socket::{Socket, handshake};

/// After so long without an answer a send goes out again: no answer means that nobody knows. Sooner than the server gives up
/// on it (ten seconds): what is sent behind something that was given up goes without it, so that order is not judged.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(9);
/// The id of marks, which tells their refusals from those of sends.
const MARK: &str = "mark";
/// Between two looks at the time.
const LOOK: Duration = Duration::from_millis(20);

/// What all callers of a run share.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) history: History,
    /// Where the server is now, or the nodes that take connections. Who loses one goes on to the next.
    pub(crate) urls: watch::Receiver<Vec<String>>,
    /// How callers behave.
    pub(crate) manner: Manner,
    /// Say nothing new from now on.
    pub(crate) stop: watch::Receiver<bool>,
    /// The heads to come to before the end, once they are known, and until when.
    pub(crate) goal: watch::Receiver<Option<Goal>>,
    pub(crate) acks: Arc<AtomicU64>,
    pub(crate) connections: Arc<AtomicU64>,
    /// Sends without an answer, over all callers.
    pub(crate) open: Arc<AtomicUsize>,
}

/// The heads of the rooms, and until when callers try to come to them.
pub(crate) type Goal = (BTreeMap<String, u64>, Instant);

/// How callers behave.
#[derive(Clone, Copy)]
pub(crate) struct Manner {
    /// How many sends a caller has open at once.
    pub(crate) window: usize,
    /// How long a caller thinks between two sends.
    pub(crate) pause: Duration,
    /// After so long without any frame, not even an answer to a ping, a connection counts as lost.
    pub(crate) patience: Duration,
}

#[derive(Clone)]
struct Pending {
    client_id: String,
    room: String,
    body: String,
    seen: u64,
    asked: Instant,
}

/// What a caller knows of the life of its connection.
struct Pulse {
    heard: Instant,
    pinged: bool,
}

/// One client.
pub(crate) struct Caller {
    pub(crate) person: Person,
    pub(crate) cursors: BTreeMap<String, u64>,
    line: Line,
    sends: bool,
    outbox: VecDeque<Pending>,
    number: u64,
    connection: u64,
    /// Which of the urls comes next.
    turn: usize,
    says_next: Instant,
}

impl Caller {
    /// Begins at the url of this turn.
    pub(crate) fn new(person: Person, rooms: &[String], sends: bool, turn: usize, line: Line) -> Self {
        let cursors = rooms.iter().map(|room| (room.clone(), 0)).collect();
        let (outbox, says_next) = (VecDeque::new(), Instant::now());
        Caller { person, cursors, line, sends, outbox, number: 0, connection: 0, turn, says_next }
    }

    /// Where it stands when it is not at the goal, for whoever reads why.
    pub(crate) fn standing(&self) -> String {
        format!("{} on connection {}", self.person.handle, self.connection)
    }

    /// Calls again whenever the connection ends, until all is said and heard.
    pub(crate) async fn run(mut self) -> Self {
        while !self.finished() {
            let url = self.next_url();
            let connecting = Socket::try_connect(handshake(&url, &self.person.token), None);
            match timeout(self.line.manner.patience, connecting).await {
                Ok(Ok(socket)) => self.converse(socket, &url).await,
                // The server is down or says nothing. A client would wait longer; this one is impatient.
                Ok(Err(_)) | Err(_) => tokio::time::sleep(Duration::from_millis(15)).await,
            }
        }
        self
    }

    fn next_url(&mut self) -> String {
        let urls = self.line.urls.borrow_and_update();
        self.turn += 1;
        urls[(self.turn - 1) % urls.len()].clone()
    }

    /// Whether all is said and heard, or it has been waited for in vain.
    fn finished(&self) -> bool {
        let goal = self.line.goal.borrow();
        let Some((heads, until)) = &*goal else { return false };
        (*heads == self.cursors && self.outbox.is_empty()) || Instant::now() > *until
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
        let Ok(Some(welcome)) = timeout(self.line.manner.patience, socket.next_or_end()).await else { return };
        self.welcomed(&welcome);
        if !self.ask_again(&mut socket, Duration::ZERO).await {
            return;
        }
        let mut pulse = Pulse { heard: Instant::now(), pinged: false };
        let mut looks = tokio::time::interval(LOOK);
        while !self.finished() {
            if !self.top_up(&mut socket).await {
                return;
            }
            tokio::select! {
                frame = socket.next_or_end() => {
                    let Some(frame) = frame else { return };
                    pulse = Pulse { heard: Instant::now(), pinged: false };
                    if !self.take(&mut socket, url, frame).await {
                        return;
                    }
                }
                _ = looks.tick() => {
                    if !self.is_alive(&mut socket, &mut pulse).await || !self.ask_again(&mut socket, ASK_AGAIN_AFTER).await {
                        return;
                    }
                }
                _ = self.line.stop.changed() => {}
                _ = self.line.goal.changed() => {}
            }
        }
        let _ = timeout(self.line.manner.patience, socket.leave()).await;
    }

    /// Whether something has come lately. Asks when it has been quiet for half of the time.
    async fn is_alive(&self, socket: &mut Socket, pulse: &mut Pulse) -> bool {
        let (quiet, patience) = (pulse.heard.elapsed(), self.line.manner.patience);
        if quiet > patience / 2 && !pulse.pinged {
            pulse.pinged = true;
            return socket.try_send(json!({"type": "ping"})).await;
        }
        quiet < patience
    }

    /// Sends again what was sent so long ago and has no answer.
    async fn ask_again(&mut self, socket: &mut Socket, after: Duration) -> bool {
        for index in 0..self.outbox.len() {
            if self.outbox[index].asked.elapsed() >= after {
                self.outbox[index].asked = Instant::now();
                if !self.invoke(socket, &self.outbox[index]).await {
                    return false;
                }
            }
        }
        true
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
        let Manner { window, pause, .. } = self.line.manner;
        let may = |caller: &Self| caller.outbox.len() < window && Instant::now() >= caller.says_next;
        while self.sends && !*self.line.stop.borrow() && may(self) {
            self.number += 1;
            self.says_next = Instant::now() + pause;
            let rooms: Vec<&String> = self.cursors.keys().collect();
            let room = rooms[self.number as usize % rooms.len()].clone();
            let body = format!("{} says {}", self.person.handle, self.number);
            let seen = self.cursors[&room];
            let pending = Pending { client_id: client_id(), room, body, seen, asked: Instant::now() };
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
                    return socket.try_send(json!({"type": "mark", "room": room, "read": seq, "id": MARK})).await;
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
        let text = |name: &str| frame[name].as_str().unwrap_or_default();
        let (client_id, why) = (text("id").to_owned(), format!("{}: {}", text("code"), text("detail")));
        let wait = Duration::from_millis(frame["retry_after_ms"].as_u64().unwrap_or(50).min(1_000));
        match client_id.as_str() {
            // The next mark says more than it did.
            MARK => return true,
            // The room could not be read, and is not followed until it is asked for again.
            "" => {
                tokio::time::sleep(wait).await;
                let room = text("room");
                return socket.try_send(json!({"type": "sync", "room": room, "after": self.cursors[room]})).await;
            }
            _ => {}
        }
        self.line.history.record(Entry::Nack { client_id: client_id.clone(), why });
        if frame["retry"] == "no" {
            self.forget(&client_id);
            return true;
        }
        tokio::time::sleep(wait).await;
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
            let asking = rest.request("GET", &path).timeout(self.line.manner.patience);
            let Ok(answer) = asking.send().await else { return false };
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
