//! Decides from a recorded history whether the server kept its promises.

use std::collections::{BTreeMap, HashMap};

use super::history::{Entry, Event};

/// What was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Promise {
    /// An acked event is in the log under its number, with its content (P1).
    Durable,
    /// What was never sent, or was refused and not sent again, is nowhere (P2).
    NothingInvented,
    /// One client id is one event (P3).
    OnlyOnce,
    /// The log is numbered 1, 2, 3 … (P4).
    NoHole,
    /// One number has one value, for everybody (P4).
    OneValue,
    /// A connection gets exactly what comes after its cursor, in order, once (P5).
    ExactResume,
    /// At the end everybody has come to the head (P5).
    CaughtUp,
    /// Sends of one connection keep their order.
    FirstInFirstOut,
    /// What is sent after another send was acked stands behind it.
    RealTime,
    /// Every node tells the same log (P4).
    SameEverywhere,
    /// An epoch has one owner, and what a later one wrote stands behind what the one before wrote (P6).
    OneOwner,
    /// Read marks only move forwards (P7).
    MarksForward,
    /// The run tested something at all.
    SomethingHappened,
}

/// A broken promise and the evidence.
#[derive(Clone, Debug)]
pub(crate) struct Violation {
    pub(crate) promise: Promise,
    /// The evidence, as `Debug` shows it.
    #[allow(dead_code)]
    pub(crate) evidence: String,
}

/// Looks for broken promises.
pub(crate) fn check(entries: &[Entry]) -> Vec<Violation> {
    let mut checker = Checker { entries, logs: HashMap::new(), found: Vec::new() };
    checker.collect_logs();
    checker.something_happened();
    checker.holes();
    checker.values();
    checker.numbers();
    checker.everywhere();
    checker.owners();
    checker.stamps();
    checker.once();
    checker.durable();
    checker.invented();
    checker.resumes();
    checker.caught_up();
    checker.order_on_connections();
    checker.real_time();
    checker.marks();
    checker.found
}

struct Checker<'a> {
    entries: &'a [Entry],
    logs: HashMap<&'a str, BTreeMap<u64, &'a Event>>,
    found: Vec<Violation>,
}

impl<'a> Checker<'a> {
    fn broken(&mut self, promise: Promise, evidence: String) {
        self.found.push(Violation { promise, evidence });
    }

    fn collect_logs(&mut self) {
        for entry in self.entries {
            if let Entry::Log { room, events } = entry {
                let log = self.logs.entry(room).or_default();
                log.extend(events.iter().map(|event| (event.seq, event)));
            }
        }
    }

    fn something_happened(&mut self) {
        let acks = self.entries.iter().filter(|entry| matches!(entry, Entry::Ack { .. })).count();
        let deliveries = self.entries.iter().filter(|entry| matches!(entry, Entry::Deliver { .. })).count();
        if acks == 0 || deliveries == 0 || self.logs.is_empty() {
            self.broken(Promise::SomethingHappened, format!("{acks} acks, {deliveries} deliveries"));
        }
    }

    fn holes(&mut self) {
        for entry in self.entries {
            let Entry::Log { room, events } = entry else { continue };
            for (index, event) in events.iter().enumerate() {
                if event.seq != index as u64 + 1 {
                    self.broken(Promise::NoHole, format!("{room}: place {} has {event:?}", index + 1));
                    break;
                }
            }
        }
    }

    fn values(&mut self) {
        for entry in self.entries {
            let Entry::Deliver { room, event, connection } = entry else { continue };
            let logged = self.logs.get(room.as_str()).and_then(|log| log.get(&event.seq)).copied();
            if logged != Some(event) {
                self.broken(
                    Promise::OneValue,
                    format!("{room}: connection {connection} saw {event:?}, the log has {logged:?}"),
                );
            }
        }
    }

    /// No two sends were acked under one number, whoever acked them.
    fn numbers(&mut self) {
        let mut acked: HashMap<(&str, u64), &str> = HashMap::new();
        for entry in self.entries {
            let Entry::Ack { room, client_id, seq } = entry else { continue };
            let first = *acked.entry((room, *seq)).or_insert(client_id);
            if first != client_id {
                self.broken(Promise::OneValue, format!("{room}: {first} and {client_id} were both acked as {seq}"));
            }
        }
    }

    fn everywhere(&mut self) {
        let mut told: HashMap<&str, &Vec<Event>> = HashMap::new();
        for entry in self.entries {
            let Entry::Log { room, events } = entry else { continue };
            let first = *told.entry(room).or_insert(events);
            if first != events {
                let at = first.iter().zip(events).take_while(|(one, other)| one == other).count();
                let (one, other) = (first.get(at), events.get(at));
                self.broken(Promise::SameEverywhere, format!("{room}: one node tells {one:?}, another {other:?}"));
            }
        }
    }

    fn owners(&mut self) {
        let mut owners: HashMap<(&str, u64), &str> = HashMap::new();
        let mut latest: HashMap<&str, u64> = HashMap::new();
        for entry in self.entries {
            let Entry::Owner { room, owner, epoch } = entry else { continue };
            let first = *owners.entry((room, *epoch)).or_insert(owner);
            let before = latest.insert(room, *epoch).unwrap_or(0);
            if first != owner || *epoch < before {
                let evidence = format!("{room}: {owner} has epoch {epoch}, after {before}, which was of {first}");
                self.broken(Promise::OneOwner, evidence);
            }
        }
    }

    fn stamps(&mut self) {
        for entry in self.entries {
            let Entry::Stamps { room, epochs } = entry else { continue };
            let behind = epochs.windows(2).find(|pair| pair[1].1 < pair[0].1);
            if let Some(pair) = behind {
                self.broken(Promise::OneOwner, format!("{room}: a late write of an earlier owner: {pair:?}"));
            }
            let logged: Vec<u64> = self.logs.get(room.as_str()).into_iter().flatten().map(|(seq, _)| *seq).collect();
            let stored: Vec<u64> = epochs.iter().map(|(seq, _)| *seq).collect();
            if logged != stored {
                let (told, kept) = (logged.len(), stored.len());
                self.broken(Promise::OneOwner, format!("{room}: {told} events are told, {kept} are in the store"));
            }
        }
    }

    fn once(&mut self) {
        let mut places: HashMap<(&str, &str), u64> = HashMap::new();
        let mut seen: Vec<(&str, &str, u64)> = Vec::new();
        for entry in self.entries {
            match entry {
                Entry::Ack { room, client_id, seq, .. } => seen.push((room, client_id, *seq)),
                Entry::Deliver { room, event, .. } => seen.push((room, &event.client_id, event.seq)),
                Entry::Log { room, events } => {
                    seen.extend(events.iter().map(|event| (room.as_str(), event.client_id.as_str(), event.seq)));
                }
                _ => {}
            }
        }
        for (room, client_id, seq) in seen.into_iter().filter(|(_, client_id, _)| !client_id.is_empty()) {
            let place = *places.entry((room, client_id)).or_insert(seq);
            if place != seq {
                self.broken(Promise::OnlyOnce, format!("{room}: {client_id} is {place} and {seq}"));
            }
        }
    }

    fn durable(&mut self) {
        let bodies = self.bodies();
        for entry in self.entries {
            let Entry::Ack { room, client_id, seq, .. } = entry else { continue };
            let logged = self.logs.get(room.as_str()).and_then(|log| log.get(seq)).copied();
            let kept = logged.is_some_and(|event| {
                event.client_id == *client_id && bodies.get(client_id.as_str()) == Some(&event.body.as_str())
            });
            if !kept {
                self.broken(
                    Promise::Durable,
                    format!("{room}: {client_id} was acked as {seq}, the log has {logged:?}"),
                );
            }
        }
    }

    fn bodies(&self) -> HashMap<&'a str, &'a str> {
        let invoked = self.entries.iter().filter_map(|entry| match entry {
            Entry::Invoke { client_id, body, .. } => Some((client_id.as_str(), body.as_str())),
            _ => None,
        });
        invoked.collect()
    }

    /// A refusal speaks of the try that it answers: only what was refused as often as it was tried is nowhere.
    fn invented(&mut self) {
        let mut sent: HashMap<&str, (&str, &str)> = HashMap::new();
        let mut tries: HashMap<&str, i64> = HashMap::new();
        for entry in self.entries {
            match entry {
                Entry::Invoke { client_id, sender, body, .. } => {
                    sent.insert(client_id, (sender, body));
                    *tries.entry(client_id).or_default() += 1;
                }
                Entry::Nack { client_id, .. } => *tries.entry(client_id).or_default() -= 1,
                _ => {}
            }
        }
        let logged: Vec<(&str, &Event)> =
            self.logs.iter().flat_map(|(room, log)| log.values().map(|event| (*room, *event))).collect();
        for (room, event) in logged.into_iter().filter(|(_, event)| event.kind == "message") {
            let id = event.client_id.as_str();
            let was_sent = sent.get(id) == Some(&(event.from.as_str(), event.body.as_str()));
            if !was_sent || tries.get(id).copied() <= Some(0) {
                self.broken(Promise::NothingInvented, format!("{room}: nobody sent {event:?}, or it was refused"));
            }
        }
    }

    fn resumes(&mut self) {
        let mut heard: HashMap<(u64, &str), u64> = HashMap::new();
        for entry in self.entries {
            match entry {
                Entry::Hears { connection, room, after } => {
                    heard.insert((*connection, room), *after);
                }
                Entry::Deliver { connection, room, event } => {
                    let Some(last) = heard.insert((*connection, room), event.seq) else {
                        self.broken(Promise::ExactResume, format!("{room}: {connection} got {event:?} unasked"));
                        continue;
                    };
                    if event.seq != last + 1 {
                        self.broken(
                            Promise::ExactResume,
                            format!("{room}: connection {connection} got {} after {last}", event.seq),
                        );
                    }
                }
                _ => {}
            }
        }
    }

    fn caught_up(&mut self) {
        for entry in self.entries {
            let Entry::Cursor { person, room, seq } = entry else { continue };
            let head = self.logs.get(room.as_str()).and_then(|log| log.keys().next_back()).copied();
            if head != Some(*seq) {
                self.broken(Promise::CaughtUp, format!("{room}: {person} is at {seq}, the head is {head:?}"));
            }
        }
    }

    /// Judges sends that were tried once only: a retry may rightly stand where its first try fell.
    fn order_on_connections(&mut self) {
        let mut tries: HashMap<&str, u32> = HashMap::new();
        let mut sent: Vec<(u64, &str, &str)> = Vec::new();
        let mut acked: HashMap<&str, u64> = HashMap::new();
        for entry in self.entries {
            match entry {
                Entry::Invoke { connection, room, client_id, .. } => {
                    *tries.entry(client_id).or_default() += 1;
                    sent.push((*connection, room, client_id));
                }
                Entry::Ack { client_id, seq, .. } => {
                    acked.insert(client_id, *seq);
                }
                _ => {}
            }
        }
        let mut last: HashMap<(u64, &str), (u64, &str)> = HashMap::new();
        for (connection, room, client_id) in sent.into_iter().filter(|(_, _, client_id)| tries[client_id] == 1) {
            let Some(&seq) = acked.get(client_id) else { continue };
            if let Some((before, earlier)) = last.insert((connection, room), (seq, client_id))
                && before > seq
            {
                self.broken(
                    Promise::FirstInFirstOut,
                    format!("{room}: {earlier} went before {client_id} and stands behind it, {before} and {seq}"),
                );
            }
        }
    }

    fn real_time(&mut self) {
        let mut highest: HashMap<&str, u64> = HashMap::new();
        let mut floor: HashMap<(&str, &str), u64> = HashMap::new();
        for entry in self.entries {
            match entry {
                Entry::Invoke { room, client_id, .. } => {
                    let acked = highest.get(room.as_str()).copied().unwrap_or(0);
                    floor.entry((room, client_id)).or_insert(acked);
                }
                Entry::Ack { room, client_id, seq, .. } => {
                    let acked = highest.entry(room).or_default();
                    *acked = (*acked).max(*seq);
                    let floor = floor.get(&(room.as_str(), client_id.as_str())).copied().unwrap_or(0);
                    if *seq <= floor {
                        self.broken(
                            Promise::RealTime,
                            format!("{room}: {client_id} was sent when {floor} was acked, and became {seq}"),
                        );
                    }
                }
                _ => {}
            }
        }
    }

    fn marks(&mut self) {
        let mut last: HashMap<(&str, &str, &str), u64> = HashMap::new();
        for entry in self.entries {
            let Entry::Mark { observer, room, user, read } = entry else { continue };
            let before = last.insert((observer, room, user), *read).unwrap_or(0);
            if *read < before {
                self.broken(
                    Promise::MarksForward,
                    format!("{room}: {observer} saw {user}'s read mark go from {before} to {read}"),
                );
            }
        }
    }
}
