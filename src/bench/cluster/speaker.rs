//! Somebody who says one thing after the other in one room, on whichever node there is, and keeps a diary.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use super::diary::{Diary, Said};
use crate::bench::latency::now;
use crate::client::frames::{Incoming, Outgoing, Retry};
use crate::client::socket::{Lost, Socket};

/// How long an answer may take until the same is sent again.
const SILENCE: Duration = Duration::from_secs(2);
/// Between two tries to connect.
const KNOCK: Duration = Duration::from_millis(50);
/// How long a connection may take to open: a node that has just died refuses at once.
const OPEN: Duration = Duration::from_secs(1);
/// How long the last answer is waited for at the end.
const LAST: Duration = Duration::from_secs(20);

/// What all speakers of a bench see and show.
pub(in crate::bench) struct Scene {
    /// The addresses of the nodes, by position; empty for one that does not run.
    pub(in crate::bench) urls: watch::Sender<Vec<String>>,
    /// Whether it goes on.
    pub(in crate::bench) goes_on: watch::Sender<bool>,
    /// When something was last acknowledged in each room.
    pub(in crate::bench) acked_at: Vec<AtomicU64>,
}

impl Scene {
    /// With these nodes and so many rooms.
    pub(in crate::bench) fn new(urls: Vec<String>, rooms: usize) -> Arc<Scene> {
        let acked_at = (0..rooms).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Scene { urls: watch::channel(urls).0, goes_on: watch::channel(true).0, acked_at })
    }

    /// Waits until something was acknowledged after a time in each of these rooms; whether that was so in time.
    pub(in crate::bench) async fn all_acked(&self, rooms: &[usize], after: u64, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        let is_so = || rooms.iter().all(|room| self.acked_at[*room].load(Ordering::Relaxed) > after);
        while !is_so() {
            if Instant::now() > deadline {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        true
    }
}

/// A speaker.
#[derive(Clone, Debug)]
pub(in crate::bench) struct Speaker {
    pub(in crate::bench) token: String,
    /// The room, and its position.
    pub(in crate::bench) place: String,
    pub(in crate::bench) room: usize,
    /// The last number of the room when it begins.
    pub(in crate::bench) head: u64,
    /// The node that is tried first.
    pub(in crate::bench) home: usize,
    /// Before the first message: so that many speakers do not all speak in the same moment again and again.
    pub(in crate::bench) wait: Duration,
    /// Between an answer and the next message.
    pub(in crate::bench) pause: Duration,
}

/// What became of something that was sent.
enum Outcome {
    Acked,
    Refused { retry: Retry, wait: Duration },
    Silence,
    Lost,
}

struct Speaking {
    speaker: Speaker,
    scene: Arc<Scene>,
    socket: Option<Socket>,
    /// How many nodes after the first one are tried.
    further: usize,
    diary: Diary,
}

/// Speaks until the scene ends.
pub(in crate::bench) async fn speak(speaker: Speaker, scene: Arc<Scene>) -> Diary {
    let diary = Diary { room: speaker.room, heard: speaker.head, ..Diary::default() };
    let mut goes_on = scene.goes_on.subscribe();
    tokio::time::sleep(speaker.wait).await;
    let mut speaking = Speaking { speaker, scene, socket: None, further: 0, diary };
    while *goes_on.borrow_and_update() {
        speaking.say().await;
        let until = Instant::now() + speaking.speaker.pause;
        speaking.listen(until).await;
    }
    if let Some(socket) = speaking.socket.take() {
        socket.close().await;
    }
    speaking.diary
}

impl Speaking {
    /// Says one thing, again and again until its outcome is known.
    async fn say(&mut self) {
        let client_id = Uuid::new_v4().to_string();
        self.diary.said.push(Said { client_id: client_id.clone(), first: now(), acked: None });
        let mut ends = None;
        loop {
            if !*self.scene.goes_on.borrow() {
                // What is under way at the end is waited for, though not for ever.
                let ends = *ends.get_or_insert_with(|| Instant::now() + LAST);
                if Instant::now() > ends {
                    return;
                }
            }
            match self.send(&client_id).await {
                Outcome::Acked => return,
                Outcome::Refused { retry: Retry::No, .. } => {
                    let code = self.diary.refused.last().map_or("", |(_, code)| code).to_owned();
                    return self.diary.note(format!("a message was refused for ever: {code}"));
                }
                Outcome::Refused { wait, .. } => self.listen(Instant::now() + wait).await,
                Outcome::Silence => {}
                Outcome::Lost => tokio::time::sleep(KNOCK).await,
            }
        }
    }

    async fn send(&mut self, client_id: &str) -> Outcome {
        let frame = Outgoing::Send {
            room: self.speaker.place.clone(),
            client_id: client_id.to_owned(),
            body: "something that is said while things go wrong".to_owned(),
            seen: self.diary.heard,
        };
        if self.socket.is_none() && !self.connect().await {
            return Outcome::Lost;
        }
        let Some(socket) = &mut self.socket else { return Outcome::Lost };
        if socket.send(&frame).await.is_err() {
            return self.lost();
        }
        let until = Instant::now() + SILENCE;
        loop {
            match self.next(until).await {
                Ok(Some(Incoming::Ack(ack))) if ack.client_id == client_id => return Outcome::Acked,
                Ok(Some(Incoming::Nack(nack))) if nack.client_id.as_deref() == Some(client_id) => {
                    let wait = Duration::from_millis(nack.retry_after_ms.unwrap_or(100));
                    return Outcome::Refused { retry: nack.retry, wait };
                }
                Ok(Some(_)) => {}
                Ok(None) => return Outcome::Silence,
                Err(_) => return self.lost(),
            }
        }
    }

    /// Hears what comes until then.
    async fn listen(&mut self, until: Instant) {
        while self.socket.is_some() {
            match self.next(until).await {
                Ok(Some(_)) => {}
                Ok(None) => return,
                Err(_) => drop(self.lost()),
            }
        }
        tokio::time::sleep_until(until).await;
    }

    /// The next thing that is heard, noted already; `None` when the time is over.
    async fn next(&mut self, until: Instant) -> Result<Option<Incoming>, Lost> {
        loop {
            let Some(socket) = &mut self.socket else { return Ok(None) };
            let Ok(heard) = tokio::time::timeout_at(until, socket.next()).await else { return Ok(None) };
            let Some(incoming) = heard? else { continue };
            match &incoming {
                Incoming::Event(event) if event.room == self.speaker.place => self.diary.hear(event.seq),
                Incoming::Ack(ack) => {
                    let at = now();
                    if self.diary.acked(&ack.client_id, ack.seq, at) {
                        self.scene.acked_at[self.speaker.room].fetch_max(at, Ordering::Relaxed);
                    }
                }
                Incoming::Nack(nack) => self.diary.refused.push((now(), nack.code.clone())),
                Incoming::Gap { room, from, to } if *room == self.speaker.place => {
                    match from > to {
                        true => self.diary.told_of_less += 1,
                        false => self.diary.note(format!("a gap from {from} to {to}")),
                    }
                    self.diary.heard = *to;
                }
                Incoming::Error { code, .. } => self.diary.note(format!("error {code}")),
                _ => {}
            }
            return Ok(Some(incoming));
        }
    }

    /// Connects to the node whose turn it is.
    async fn connect(&mut self) -> bool {
        let url = {
            let urls = self.scene.urls.borrow();
            urls.get((self.speaker.home + self.further) % urls.len().max(1)).cloned().unwrap_or_default()
        };
        let opened = match url.is_empty() {
            true => None,
            false => {
                tokio::time::timeout(OPEN, Socket::open(&url, &self.speaker.token)).await.ok().and_then(Result::ok)
            }
        };
        let Some(mut socket) = opened else {
            self.further += 1;
            return false;
        };
        let cursors = BTreeMap::from([(self.speaker.place.clone(), self.diary.heard)]);
        if socket.send(&Outgoing::Hello { cursors, client: "rookery bench".to_owned() }).await.is_err() {
            self.further += 1;
            return false;
        }
        self.socket = Some(socket);
        true
    }

    fn lost(&mut self) -> Outcome {
        self.socket = None;
        self.diary.lost_connections += 1;
        self.further += 1;
        Outcome::Lost
    }
}
