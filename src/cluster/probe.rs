//! A node that only exchanges envelopes, and obeys orders on standard input: for measurements and for tests of links.
//!
//! One JSON object per line, in and out. What happens by itself (`up`, `down`) is told when it happens.

use std::{
    collections::BTreeMap,
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use metrics_exporter_prometheus::PrometheusHandle;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    time::{Instant, MissedTickBehavior, interval, sleep},
};

use super::{
    Envelope, Network, NodeId, Peer, Receiver, SendError, Settings,
    wire::{FanOut, Id},
};
use crate::telemetry;

/// Rooms that envelopes are spread over, so that they go by all relays.
const ROOMS: u64 = 64;
/// Between two portions of a paced sender.
const PORTION: Duration = Duration::from_millis(5);

/// What the node can be told to do.
#[derive(Debug, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case", deny_unknown_fields)]
enum Order {
    /// Send envelopes, and say what became of them.
    Send(Sending),
    /// Say who is there, what came in, and what was counted.
    State,
    /// Say to others whether this node gives its shards away.
    Drain { on: bool },
    /// Leave.
    Stop,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sending {
    to: String,
    kind: Kind,
    count: u64,
    /// Bytes of a frame.
    #[serde(default)]
    bytes: usize,
    /// As fast as it goes when 0.
    #[serde(default)]
    per_second: u64,
    /// Wait and try again when too much waits, instead of giving the envelope up.
    #[serde(default)]
    patient: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Event,
    Typing,
    Interest,
}

/// Runs the node until it is told to stop, or nobody is there to tell it.
///
/// # Errors
/// It cannot be part of its cluster.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    let recorder = telemetry::start_metrics()?;
    let counted = Arc::new(Counted::default());
    let network = Arc::new(Network::start(settings, Arc::clone(&counted) as _).await?);
    say(&json!({
        "ready": network.me().node.as_str(),
        "incarnation": network.me().incarnation,
        "address": network.address().to_string(),
    }));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        match serde_json::from_str(&line) {
            Ok(Order::Send(sending)) => {
                let (network, counted) = (Arc::clone(&network), Arc::clone(&counted));
                tokio::spawn(async move { say(&send(&network, &counted, sending).await) });
            }
            Ok(Order::State) => say(&state(&network, &counted, &recorder)),
            Ok(Order::Drain { on }) => network.set_draining(on).await,
            Ok(Order::Stop) => break,
            Err(error) => say(&json!({ "wrong": error.to_string() })),
        }
    }
    network.stop().await;
    Ok(())
}

/// What came in.
#[derive(Default)]
struct Counted {
    envelopes: AtomicU64,
    bytes: AtomicU64,
    /// Events that came after a later one of their room.
    disorder: AtomicU64,
    /// Events that came twice.
    twice: AtomicU64,
    rooms: Mutex<BTreeMap<Id, Room>>,
    /// The next event of each room that this node sends.
    sent: Mutex<BTreeMap<u64, u64>>,
}

#[derive(Default)]
struct Room {
    last: u64,
    head: u64,
    events: u64,
}

impl Receiver for Counted {
    fn deliver(&self, _: &Peer, envelope: Envelope) {
        self.envelopes.fetch_add(1, Ordering::Relaxed);
        match envelope {
            Envelope::FanOut(fan_out) => {
                self.bytes.fetch_add(fan_out.joined.len() as u64, Ordering::Relaxed);
                let mut rooms = self.rooms.lock();
                let room = rooms.entry(fan_out.room).or_default();
                match fan_out.first {
                    first if first == room.last => drop(self.twice.fetch_add(1, Ordering::Relaxed)),
                    first if first < room.last => drop(self.disorder.fetch_add(1, Ordering::Relaxed)),
                    _ => {}
                }
                room.last = room.last.max(fan_out.last);
                room.head = room.head.max(fan_out.last);
                room.events += 1;
            }
            Envelope::Head { room, head } => {
                let mut rooms = self.rooms.lock();
                let room = rooms.entry(room).or_default();
                room.head = room.head.max(head);
            }
            _ => {}
        }
    }

    fn link_up(&self, peer: &Peer) {
        say(&json!({ "up": peer.node.as_str(), "incarnation": peer.incarnation }));
    }

    fn link_down(&self, peer: &Peer) {
        say(&json!({ "down": peer.node.as_str(), "incarnation": peer.incarnation }));
    }
}

fn state(network: &Network, counted: &Counted, recorder: &PrometheusHandle) -> Value {
    let members = network.members().borrow().clone();
    let shown: Vec<Value> = members
        .all()
        .map(|member| {
            json!({
                "node": member.peer.node.as_str(), "incarnation": member.peer.incarnation,
                "address": member.address.to_string(), "draining": member.draining,
            })
        })
        .collect();
    let links: Vec<Value> = network
        .links()
        .into_iter()
        .map(|link| {
            json!({
                "node": link.peer.node.as_str(), "incarnation": link.peer.incarnation,
                "waiting": link.waiting, "waiting_bytes": link.waiting_bytes, "shed": link.shed,
            })
        })
        .collect();
    let rooms = counted.rooms.lock();
    json!({
        "state": network.me().node.as_str(),
        "members": shown,
        "superseded": members.superseded_by.is_some(),
        "links": links,
        "envelopes": counted.envelopes.load(Ordering::Relaxed),
        "bytes": counted.bytes.load(Ordering::Relaxed),
        "disorder": counted.disorder.load(Ordering::Relaxed),
        "twice": counted.twice.load(Ordering::Relaxed),
        "events": rooms.values().map(|room| room.events).sum::<u64>(),
        "heads": rooms.values().map(|room| room.head).sum::<u64>(),
        "sent_heads": counted.sent.lock().values().sum::<u64>(),
        "metrics": recorder.render(),
    })
}

/// Sends, and says how many were taken.
async fn send(network: &Network, counted: &Counted, sending: Sending) -> Value {
    let Ok(to) = sending.to.parse::<NodeId>() else { return json!({ "wrong": "no such node" }) };
    let frame = Bytes::from(vec![b'x'; sending.bytes]);
    let mut paced = interval(PORTION);
    paced.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let began = Instant::now();
    let mut outcome = Outcome::default();
    for number in 0..sending.count {
        if sending.per_second > 0 {
            while due(began, sending.per_second) <= number {
                paced.tick().await;
            }
        } else if number % 256 == 0 {
            tokio::task::yield_now().await;
        }
        let envelope = envelope(counted, sending.kind, number % ROOMS, &frame);
        let mut result = network.send(&to, envelope.clone());
        while sending.patient && result == Err(SendError::Full) {
            sleep(Duration::from_millis(1)).await;
            result = network.send(&to, envelope.clone());
        }
        outcome.count(result);
    }
    json!({
        "sent": sending.to, "taken": outcome.taken, "full": outcome.full, "no_link": outcome.no_link,
        "too_large": outcome.too_large, "millis": u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}

/// How many should have been sent by now.
fn due(began: Instant, per_second: u64) -> u64 {
    let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    micros.saturating_mul(per_second) / 1_000_000
}

fn envelope(counted: &Counted, kind: Kind, room: u64, frame: &Bytes) -> Envelope {
    let id = Id(u128::from(room).to_be_bytes());
    match kind {
        Kind::Event => {
            let mut sent = counted.sent.lock();
            let seq = sent.entry(room).or_default();
            *seq += 1;
            Envelope::FanOut(FanOut {
                room: id,
                first: *seq,
                last: *seq,
                joined: frame.clone().into(),
                ends: vec![u32::try_from(frame.len()).unwrap_or(u32::MAX)],
                removed: Vec::new(),
                acks: Vec::new(),
            })
        }
        Kind::Typing => Envelope::Typing { room: id, user: id, frame: frame.clone().into() },
        Kind::Interest => Envelope::Interest { room: id, on: true },
    }
}

#[derive(Default)]
struct Outcome {
    taken: u64,
    full: u64,
    no_link: u64,
    too_large: u64,
}

impl Outcome {
    fn count(&mut self, result: Result<(), SendError>) {
        let counter = match result {
            Ok(()) => &mut self.taken,
            Err(SendError::Full) => &mut self.full,
            Err(SendError::NoLink) => &mut self.no_link,
            Err(SendError::TooLarge) => &mut self.too_large,
        };
        *counter += 1;
    }
}

/// Who gave the orders may have gone; the end of standard input says so.
fn say(line: &Value) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
