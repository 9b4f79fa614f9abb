//! Load on a cluster: callers on every node, a probe that finds out when a room takes messages, and who owned what when.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use scylla::client::session::Session;
use serde_json::json;
use tokio_util::task::AbortOnDropHandle;

use super::{
    super::stores::{claimed, epochs},
    nodes::{Cluster, PATIENCE},
};
use crate::support::{
    caller::Manner,
    checker::check,
    client_id,
    history::{Entry, History},
    load::{Crowd, Outcome, Run},
    process::Server,
};

/// Enough to have something under way at every moment, and little enough for nodes that are not optimised.
pub(super) const CROWD: Crowd = Crowd { senders: 4, listeners: 2, rooms: 4 };
const MANNER: Manner = Manner { window: 3, pause: Duration::from_millis(30), patience: Duration::from_secs(4) };
/// Between two looks at who has claimed the rooms' shards.
const LOOK: Duration = Duration::from_millis(100);
/// How long one try of a probe may take.
const TRY: Duration = Duration::from_millis(700);
/// What is said when the store has not answered for a second and a half.
const BY_STORE: &str = "unavailable: the store takes nothing at the moment";
/// A machine where one read of one row has taken the test itself so long is too busy to blame a node for that. A write is
/// several such steps.
const BUSY: Duration = Duration::from_millis(500);

/// Callers on every node of a cluster.
pub(super) struct Load {
    pub(super) run: Run,
    session: Arc<Session>,
    /// The rooms, each with its shard.
    shards: Vec<(String, u64)>,
    watch: AbortOnDropHandle<()>,
    /// How long the slowest of the test's own looks into the store has taken.
    slowest: Arc<Mutex<Duration>>,
}

impl Load {
    /// Everybody begins to talk, spread over the nodes.
    pub(super) async fn on(cluster: &Cluster) -> Self {
        let first = cluster.servers()[0];
        let company = CROWD.gather(first).await;
        let run = Run::begin(CROWD, company, cluster.urls(), MANNER);
        let session = Arc::new(cluster.stores.session().await);
        let mut shards = Vec::new();
        for room in &run.rooms {
            shards.push((room.clone(), cluster.place(room).await.0));
        }
        let slowest: Arc<Mutex<Duration>> = Arc::default();
        let watch = watch(Arc::clone(&session), run.line.history.clone(), shards.clone(), Arc::clone(&slowest));
        Self { run, session, shards, watch: AbortOnDropHandle::new(tokio::spawn(watch)), slowest }
    }

    /// Those of the rooms whose shards a node has claimed, as the store says.
    pub(super) async fn held_by(&self, name: &str) -> Vec<String> {
        let mut held = Vec::new();
        for (room, shard) in &self.shards {
            let claimed = claimed(&self.session, *shard).await;
            if claimed.is_some_and(|(owner, _)| owner.split('/').next() == Some(name)) {
                held.push(room.clone());
            }
        }
        held
    }

    /// How many sends were refused so far, and why.
    pub(super) fn refusals(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for entry in self.run.line.history.entries() {
            if let Entry::Nack { why, .. } = entry {
                *counts.entry(why).or_default() += 1;
            }
        }
        counts
    }

    /// The refusals for which the nodes have to answer: all, as long as the store answered the test itself in good time.
    pub(super) fn refused_by_nodes(&self) -> BTreeMap<String, usize> {
        let (mut refusals, slowest) = (self.refusals(), *self.slowest.lock());
        println!("the slowest look into the store took {slowest:.2?}; refused: {refusals:?}");
        if slowest > BUSY {
            refusals.remove(BY_STORE);
        }
        refusals
    }

    /// How long it takes from this moment on until a node has a message of the first caller acked in the room. The message
    /// is asked for again and again, as a client does that has no answer.
    pub(super) async fn writable(&self, room: &str, at: &Server) -> Duration {
        let (since, id) = (Instant::now(), client_id());
        let (person, history) = (self.run.people[0].at(at), &self.run.line.history);
        // Requests of their own: several at once have no order among themselves.
        let connection = self.run.line.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let body = format!("is anybody there? {id}");
        let message = json!({"client_id": id, "body": body});
        let path = format!("/rooms/{room}/messages");
        loop {
            history.record(Entry::Invoke {
                connection,
                sender: person.id.clone(),
                room: room.to_owned(),
                client_id: id.clone(),
                body: body.clone(),
            });
            let asking = person.rest.request("POST", &path).json(&message).timeout(TRY).send();
            if let Ok(answer) = asking.await
                && answer.status().is_success()
                && let Ok(event) = answer.json::<serde_json::Value>().await
            {
                let seq = event["seq"].as_u64().expect("a seq");
                history.record(Entry::Ack { room: room.to_owned(), client_id: id, seq });
                return since.elapsed();
            }
            assert!(since.elapsed() < PATIENCE, "{room} takes no message for {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Everybody finishes; the logs of every node are compared, and with what lies in the store; nothing may be broken.
    pub(super) async fn judge(self, cluster: &Cluster) -> Outcome {
        let Self { run, session, watch, .. } = self;
        let (rooms, history) = (run.rooms.clone(), run.line.history.clone());
        let mut outcome = run.end(&cluster.servers()).await;
        drop(watch);
        for room in rooms {
            let logged = outcome.entries.iter().find_map(|entry| match entry {
                Entry::Log { room: other, events } if *other == room => events.last().map(|event| event.seq),
                _ => None,
            });
            let epochs = epochs(&session, &room, logged.unwrap_or(0)).await;
            history.record(Entry::Stamps { room, epochs });
        }
        outcome.entries = history.entries();
        let violations = check(&outcome.entries);
        let (first, count) = (&violations[..violations.len().min(5)], violations.len());
        assert!(violations.is_empty(), "{count} violations, among them {first:#?}");
        outcome
    }
}

/// Notes who has claimed the rooms' shards, as the store says, for as long as the run takes.
async fn watch(session: Arc<Session>, history: History, shards: Vec<(String, u64)>, slowest: Arc<Mutex<Duration>>) {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut known: Vec<Option<(String, u64)>> = vec![None; shards.len()];
    loop {
        looks.tick().await;
        for (index, (room, shard)) in shards.iter().enumerate() {
            let asked = Instant::now();
            let now = claimed(&session, *shard).await;
            let took = asked.elapsed();
            {
                let mut slowest = slowest.lock();
                *slowest = took.max(*slowest);
            }
            let Some(now) = now else { continue };
            if known[index].as_ref() != Some(&now) {
                let (owner, epoch) = now.clone();
                history.record(Entry::Owner { room: room.clone(), owner, epoch });
                known[index] = Some(now);
            }
        }
    }
}
