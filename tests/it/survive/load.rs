//! A run: callers that talk and listen while the server is killed under them, and the history that they wrote.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::caller::{Caller, Line};
use crate::support::history::{Entry, Event, History};
use crate::support::person::Person;
use crate::support::process::{Server, Setup};

/// One run at a time: two would slow each other until their deadlines lie.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

const SENDERS: usize = 4;
const LISTENERS: usize = 2;
const ROOMS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(60);

/// What a run left.
pub(super) struct Outcome {
    pub(super) entries: Vec<Entry>,
    pub(super) acks: u64,
}

struct Ends {
    url: watch::Sender<String>,
    stop: watch::Sender<bool>,
    goal: watch::Sender<Option<BTreeMap<String, u64>>>,
}

/// Kills the server so many times, each time after so many more acks, and lets everybody finish at the end.
pub(super) async fn run(bug: Option<&str>, kills: usize, acks_between: u64) -> Outcome {
    let _alone = ALONE.lock().await;
    let mut server = Setup::new().start().await;
    let (people, rooms) = company(&server).await;
    if let Some(bug) = bug {
        server = server.kill_and_restart_broken(bug).await;
    }
    let (line, ends) = line(&server);
    let mut callers = JoinSet::new();
    for (index, person) in people.iter().enumerate() {
        let caller = Caller::new(person.clone(), &rooms, index < SENDERS, line.clone());
        callers.spawn(caller.run());
    }
    for _ in 0..kills {
        more_acks(&line, acks_between).await;
        server = server.kill_and_restart().await;
        ends.url.send_replace(server.url.clone());
    }
    more_acks(&line, acks_between).await;
    ends.stop.send_replace(true);
    until("every send to be answered", || line.open.load(Ordering::SeqCst) == 0).await;
    let last = people[0].at(&server);
    let mut heads = BTreeMap::new();
    for room in &rooms {
        heads.insert(room.clone(), last.head(room).await);
    }
    ends.goal.send_replace(Some(heads));
    finish(&line.history, callers).await;
    for room in &rooms {
        let events = last.log(room).await.iter().map(Event::read).collect();
        line.history.record(Entry::Log { room: room.clone(), events });
    }
    Outcome { entries: line.history.entries(), acks: line.acks.load(Ordering::SeqCst) }
}

/// Public rooms, so that everybody may see them from the first event on.
async fn company(server: &Server) -> (Vec<Person>, Vec<String>) {
    let mut people = Vec::new();
    for index in 0..SENDERS + LISTENERS {
        people.push(server.person(&format!("caller{index}")).await);
    }
    let mut rooms = Vec::new();
    for index in 0..ROOMS {
        let room = people[0].public_group(&format!("room {index}")).await;
        for person in &people[1..] {
            person.rest.put(&format!("/rooms/{room}/members/{}", person.id), json!({})).await.body(201);
        }
        rooms.push(room);
    }
    (people, rooms)
}

fn line(server: &Server) -> (Line, Ends) {
    let (url_in, url) = watch::channel(server.url.clone());
    let (stop_in, stop) = watch::channel(false);
    let (goal_in, goal) = watch::channel(None);
    let line = Line {
        history: History::default(),
        url,
        stop,
        goal,
        acks: Arc::new(AtomicU64::new(0)),
        connections: Arc::new(AtomicU64::new(0)),
        open: Arc::new(AtomicUsize::new(0)),
    };
    (line, Ends { url: url_in, stop: stop_in, goal: goal_in })
}

async fn more_acks(line: &Line, count: u64) {
    let wanted = line.acks.load(Ordering::SeqCst) + count;
    until("more acks", || line.acks.load(Ordering::SeqCst) >= wanted).await;
}

async fn until(what: &str, reached: impl Fn() -> bool) {
    let waiting = async {
        while !reached() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "waited {PATIENCE:?} in vain for {what}");
}

/// Waits for the callers. One that never comes to the head is noted as it stands, for the checker to judge.
async fn finish(history: &History, mut callers: JoinSet<Caller>) {
    let all = async {
        while let Some(caller) = callers.join_next().await {
            let caller = caller.expect("a caller ends well");
            for (room, seq) in caller.cursors {
                history.record(Entry::Cursor { person: caller.person.id.clone(), room, seq });
            }
        }
    };
    if tokio::time::timeout(PATIENCE, all).await.is_err() {
        history.record(Entry::Cursor { person: "who never came to the head".to_owned(), room: String::new(), seq: 0 });
    }
}
