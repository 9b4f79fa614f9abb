//! A run: callers that talk and listen while something is done to the servers, and the history that they wrote.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::caller::{Caller, Goal, Line, Manner};
use super::eventually;
use super::history::{Entry, Event, History};
use super::person::Person;
use super::process::Server;
use super::rest::Answer;

/// How long a run waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who talks and who listens, and in how many rooms.
#[derive(Clone, Copy)]
pub(crate) struct Crowd {
    pub(crate) senders: usize,
    pub(crate) listeners: usize,
    pub(crate) rooms: usize,
}

impl Crowd {
    /// Public rooms, so that everybody may see them from the first event on.
    pub(crate) async fn gather(self, server: &Server) -> (Vec<Person>, Vec<String>) {
        let mut people = Vec::new();
        for index in 0..self.senders + self.listeners {
            people.push(server.person(&format!("caller{index}")).await);
        }
        let mut rooms = Vec::new();
        for index in 0..self.rooms {
            let room = json!({"kind": "group", "name": format!("room {index}"), "visibility": "public"});
            let room = taken(|| people[0].rest.post("/rooms", room.clone())).await;
            let room = room["id"].as_str().expect("an id").to_owned();
            for person in &people[1..] {
                let path = format!("/rooms/{room}/members/{}", person.id);
                taken(|| person.rest.put(&path, json!({}))).await;
            }
            rooms.push(room);
        }
        (people, rooms)
    }
}

/// Asks until it is taken: a store that was slow says that nothing was done.
async fn taken<F: Future<Output = Answer>>(ask: impl Fn() -> F) -> Value {
    eventually("a store that answers in time", || async {
        let answer = ask().await;
        (answer.status != 503).then_some(answer)
    })
    .await
    .body(201)
}

/// What a run left.
pub(crate) struct Outcome {
    pub(crate) entries: Vec<Entry>,
    pub(crate) acks: u64,
}

/// Callers at work.
pub(crate) struct Run {
    pub(crate) line: Line,
    pub(crate) people: Vec<Person>,
    pub(crate) rooms: Vec<String>,
    urls: watch::Sender<Vec<String>>,
    stop: watch::Sender<bool>,
    goal: watch::Sender<Option<Goal>>,
    callers: JoinSet<Caller>,
}

impl Run {
    /// Everybody begins, the first so many of them to talk; each at another of the urls.
    pub(crate) fn begin(crowd: Crowd, company: (Vec<Person>, Vec<String>), urls: Vec<String>, manner: Manner) -> Run {
        let (people, rooms) = company;
        let (urls_in, urls) = watch::channel(urls);
        let (stop, stopped) = watch::channel(false);
        let (goal_in, goal) = watch::channel(None);
        let line = Line {
            history: History::default(),
            urls,
            manner,
            stop: stopped,
            goal,
            acks: Arc::new(AtomicU64::new(0)),
            connections: Arc::new(AtomicU64::new(0)),
            open: Arc::new(AtomicUsize::new(0)),
        };
        let mut callers = JoinSet::new();
        for (index, person) in people.iter().enumerate() {
            let caller = Caller::new(person.clone(), &rooms, index < crowd.senders, index, line.clone());
            callers.spawn(caller.run());
        }
        Run { line, people, rooms, urls: urls_in, stop, goal: goal_in, callers }
    }

    /// From now on connections are made to these.
    pub(crate) fn lead_to(&self, urls: Vec<String>) {
        self.urls.send_replace(urls);
    }

    pub(crate) async fn more_acks(&self, count: u64) {
        let wanted = self.line.acks.load(Ordering::SeqCst) + count;
        until("more acks", || self.line.acks.load(Ordering::SeqCst) >= wanted).await;
    }

    /// Nothing new is said, everything that was said is answered, and everybody hears it. The logs are those that these
    /// servers tell.
    pub(crate) async fn end(mut self, servers: &[&Server]) -> Outcome {
        self.stop.send_replace(true);
        until("every send to be answered", || self.line.open.load(Ordering::SeqCst) == 0).await;
        let logs = self.agreed(servers).await;
        let mut heads: BTreeMap<String, u64> = BTreeMap::new();
        for (room, events) in logs {
            let (head, last) = (heads.entry(room.clone()).or_default(), events.last().map_or(0, |event| event.seq));
            *head = last.max(*head);
            self.line.history.record(Entry::Log { room, events });
        }
        self.goal.send_replace(Some((heads, Instant::now() + PATIENCE)));
        self.finish().await;
        Outcome { entries: self.line.history.entries(), acks: self.line.acks.load(Ordering::SeqCst) }
    }

    /// The logs as each of the servers tells them, once they agree. A node that could not ask how far a room is tells what it
    /// knows, which is true and may be short for a moment; if they do not agree in the end, the checker says so.
    async fn agreed(&self, servers: &[&Server]) -> Vec<(String, Vec<Event>)> {
        let end = Instant::now() + PATIENCE;
        loop {
            let mut logs = Vec::new();
            for room in &self.rooms {
                for server in servers {
                    let events = self.people[0].at(server).log(room).await;
                    logs.push((room.clone(), events.iter().map(Event::read).collect::<Vec<Event>>()));
                }
            }
            let agree = logs.windows(2).all(|pair| pair[0].0 != pair[1].0 || pair[0].1 == pair[1].1);
            if agree || Instant::now() > end {
                return logs;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits for the callers. One that never comes to the head is noted as it stands, for the checker to judge.
    async fn finish(&mut self) {
        let (callers, history) = (&mut self.callers, &self.line.history);
        let all = async {
            while let Some(caller) = callers.join_next().await {
                let caller = caller.expect("a caller ends well");
                let person = caller.standing();
                for (room, seq) in caller.cursors {
                    history.record(Entry::Cursor { person: person.clone(), room, seq });
                }
            }
        };
        if tokio::time::timeout(PATIENCE * 2, all).await.is_err() {
            let person = "who never came to the head".to_owned();
            history.record(Entry::Cursor { person, room: String::new(), seq: 0 });
        }
    }
}

async fn until(what: &str, reached: impl Fn() -> bool) {
    let waiting = async {
        while !reached() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "waited {PATIENCE:?} in vain for {what}");
}
