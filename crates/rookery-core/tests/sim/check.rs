//! Decides from a history alone whether the promises were kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde_json::Value;

use crate::{
    history::{Final, History, Record},
    members::Members,
};

/// A promise that was broken, and how.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Breach {
    pub(crate) promise: Promise,
    pub(crate) how: String,
}

/// The promises, by what a breach of them would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Promise {
    /// What was acknowledged is in the log, under its number.
    DurableAck,
    /// What was seen is in the log; what was refused is not.
    NoPhantom,
    /// One key is one event.
    Once,
    /// The log has no hole, and one number one value.
    DenseOrder,
    /// What one connection says in a room stands in the log in the order in which it was said.
    AsSaid,
    /// Everybody gets exactly what they missed, or is told.
    Resume,
    /// Marks move forwards only and survive.
    Marks,
    /// Who is not a member sees nothing and writes nothing.
    Membership,
    /// With every fault gone everything is answered and shown.
    Liveness,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.promise, self.how)
    }
}

/// The breaches found so far.
#[derive(Default)]
pub(crate) struct Found(Vec<Breach>);

impl Found {
    fn expect(&mut self, holds: bool, promise: Promise, how: impl FnOnce() -> String) {
        if !holds {
            self.0.push(Breach { promise, how: how() });
        }
    }
}

/// Every breach of a promise in a history.
pub(crate) fn breaches(history: &History) -> Vec<Breach> {
    let mut found = Found::default();
    for (room, last) in &history.rooms {
        check_log(room, last, &mut found);
    }
    check_answers(history, &mut found);
    check_as_said(history, &mut found);
    check_events(history, &mut found);
    check_connections(history, &mut found);
    check_marks(history, &mut found);
    check_end(history, &mut found);
    found.0
}

fn check_log(room: &str, last: &Final, found: &mut Found) {
    let mut keys = BTreeSet::new();
    for (place, event) in (1..).zip(&last.log) {
        let seq = seq_of(event);
        found.expect(seq == place, Promise::DenseOrder, || format!("{room}: {seq} stands where {place} should"));
        let key = (text(event, "from"), text(event, "client_id"));
        found.expect(keys.insert(key), Promise::Once, || format!("{room}: {event} is there twice"));
    }
    let mut members = Members::new(&last.kind);
    for event in &last.log {
        let speaks = matches!(event["kind"].as_str(), Some("message" | "edit" | "reaction" | "delete"));
        let allowed = !speaks || members.is_in(text(event, "from"));
        found.expect(allowed, Promise::Membership, || format!("{room}: written by who is not in it: {event}"));
        members.apply(event);
    }
}

fn check_answers(history: &History, found: &mut Found) {
    let mut asks: BTreeMap<(&str, &str, &str), Asks> = BTreeMap::new();
    for record in &history.records {
        match record {
            Record::Asked { user, room, key, .. } => {
                asks.entry((room, user, key)).or_default().open += 1;
            }
            Record::Acked { user, room, key, seq } => {
                let asks = asks.entry((room, user, key)).or_default();
                let same = asks.acked.is_none_or(|before| before == *seq);
                found.expect(same, Promise::Once, || {
                    format!("{room}: {key} acknowledged as {seq} and {:?}", asks.acked)
                });
                asks.acked = Some(*seq);
                let event = event_at(history, room, *seq);
                let there = event.is_some_and(|event| text(event, "from") == user && text(event, "client_id") == key);
                found.expect(there, Promise::DurableAck, || {
                    format!("{room}: {key} acknowledged as {seq}, there is {event:?}")
                });
            }
            Record::Nacked { user, room, key, .. } => {
                let asks = asks.entry((room, user, key)).or_default();
                asks.open = asks.open.saturating_sub(1);
                asks.refused = true;
            }
            Record::Doubled { room, key } => {
                found.expect(false, Promise::Once, || format!("{room}: {key} was about to be written twice"));
            }
            _ => {}
        }
    }
    for (room, last) in &history.rooms {
        for event in &last.log {
            let Some(asks) = asks.get(&(room.as_str(), text(event, "from"), text(event, "client_id"))) else {
                continue;
            };
            let refused = asks.refused && asks.open == 0 && asks.acked.is_none();
            found.expect(!refused, Promise::NoPhantom, || {
                format!("{room}: every attempt was refused, and there is {event}")
            });
        }
    }
}

/// What was said only once has one place among what its connection said.
fn check_as_said(history: &History, found: &mut Found) {
    let mut said: BTreeMap<&str, Vec<(u32, &str)>> = BTreeMap::new();
    for record in &history.records {
        if let Record::Asked { connection, room, key, .. } = record {
            said.entry(key).or_default().push((connection.unwrap_or(0), room));
        }
    }
    let said: BTreeMap<&str, (u32, &str)> =
        said.into_iter().filter(|(_, times)| times.len() == 1).map(|(key, times)| (key, times[0])).collect();
    let asked = history.records.iter().filter_map(|record| match record {
        Record::Asked { connection: Some(_), key, .. } => Some(key.as_str()),
        _ => None,
    });
    let order: BTreeMap<&str, usize> = asked.enumerate().map(|(place, key)| (key, place)).collect();
    for (room, last) in &history.rooms {
        let mut newest: BTreeMap<u32, (usize, &str)> = BTreeMap::new();
        for key in last.log.iter().map(|event| text(event, "client_id")) {
            let (Some((connection, _)), Some(place)) = (said.get(key), order.get(key)) else { continue };
            let before = newest.insert(*connection, (*place, key));
            found.expect(before.is_none_or(|before| before.0 < *place), Promise::AsSaid, || {
                format!("{room}: connection {connection} said {key} before {before:?}")
            });
        }
    }
}

/// What became of one key.
#[derive(Default)]
struct Asks {
    /// Attempts that nobody has refused.
    open: u32,
    acked: Option<u64>,
    refused: bool,
}

fn check_events(history: &History, found: &mut Found) {
    let members: BTreeMap<&str, Members> =
        history.rooms.iter().map(|(room, last)| (room.as_str(), Members::of(last))).collect();
    let mut asked = BTreeMap::new();
    for record in &history.records {
        let (user, room, events) = match record {
            Record::Asked { user, room, key, what, .. } => {
                asked.entry((room, user, key)).or_insert(what);
                continue;
            }
            Record::Got { user, room, event, .. } => (user, room, std::slice::from_ref(event)),
            Record::Paged { user, room, events, .. } => (user, room, events.as_slice()),
            _ => continue,
        };
        for event in events {
            let seq = seq_of(event);
            let logged = event_at(history, room, seq);
            let same = logged.is_some_and(|logged| is_same(event, logged));
            found.expect(same, Promise::NoPhantom, || format!("{room}: {user} saw {event}, and there is {logged:?}"));
            let visible = members[room.as_str()].sees(user, seq);
            found.expect(visible, Promise::Membership, || format!("{room}: {user} saw {event}, which is not for them"));
        }
    }
    for (room, last) in &history.rooms {
        for event in last.log.iter().filter(|event| is_asked_for(event)) {
            let (from, key) = (text(event, "from").to_owned(), text(event, "client_id").to_owned());
            let what = asked.get(&(room, &from, &key));
            let as_asked = what
                .is_some_and(|what| what["body"] == event["body"] || event["body"] == "" || event["body"].is_null());
            found.expect(as_asked, Promise::NoPhantom, || format!("{room}: {event} was asked for as {what:?}"));
        }
    }
}

/// Whether a client asked for this: not so what a room began with.
fn is_asked_for(event: &Value) -> bool {
    !text(event, "client_id").starts_with("00000000-0000-0000-0000-0000e")
}

/// The same event; the words may have been taken out of one of the two.
fn is_same(one: &Value, other: &Value) -> bool {
    let without = |event: &Value| {
        let mut event = event.clone();
        for words in ["body", "attachments"] {
            event.as_object_mut().unwrap().remove(words);
        }
        event
    };
    let wordless = one["body"] == "" || other["body"] == "";
    one == other || (wordless && without(one) == without(other))
}

/// Each connection gets, from where it begins, every event that is for its user, in order, once.
fn check_connections(history: &History, found: &mut Found) {
    let members: BTreeMap<&str, Members> =
        history.rooms.iter().map(|(room, last)| (room.as_str(), Members::of(last))).collect();
    let mut places: BTreeMap<(u32, &str), Place<'_>> = BTreeMap::new();
    for record in &history.records {
        match record {
            Record::Begins { connection, user, room, after } => {
                places.insert((*connection, room), Place { last: *after, again: Vec::new(), user, wrong: None });
            }
            Record::Asks { connection, user, room, after } => {
                let place = places.entry((*connection, room));
                let place = place.or_insert(Place { last: u64::MAX, again: Vec::new(), user, wrong: None });
                place.again.push(*after);
            }
            Record::Stops { connection, room } => {
                // Nothing comes any more but what is asked for, or was already.
                if let Some(place) = places.get_mut(&(*connection, room.as_str())) {
                    (place.last, place.wrong) = (u64::MAX, None);
                }
            }
            Record::Got { connection, room, event, .. } => {
                let Some(place) = places.get_mut(&(*connection, room.as_str())) else { continue };
                let (seq, before) = (seq_of(event), place.clone());
                let follows = place.wrong.is_none() && place.moves_to(seq, &members[room.as_str()]);
                found.expect(follows, Promise::Resume, || {
                    format!("{room}: connection {connection} got {seq}, and was at {before:?}")
                });
            }
            Record::Synced { connection, room, seq } => {
                let Some(place) = places.get_mut(&(*connection, room.as_str())) else { continue };
                // Unless it is told right then that it lagged: its events were dropped, and `synced` was not.
                place.wrong = place.misses(*seq, &members[room.as_str()]).then_some(*seq);
            }
            Record::Paged { user, room, after, to, events } => {
                let members = &members[room.as_str()];
                let mut place = Place { last: *after, again: Vec::new(), user, wrong: None };
                let complete = events.iter().all(|event| place.moves_to(seq_of(event), members));
                found.expect(complete && !place.misses(*to, members), Promise::Resume, || {
                    format!("{room}: {user} read a page after {after} to {to} that is not whole")
                });
            }
            _ => {}
        }
    }
    for ((connection, room), place) in places {
        found.expect(place.wrong.is_none(), Promise::Resume, || {
            format!("{room}: connection {connection} was told that it has everything, at {place:?}")
        });
    }
}

/// How far a connection is in a room.
#[derive(Clone, Debug)]
struct Place<'a> {
    /// The last event that it got; the largest number for one that follows nothing yet.
    last: u64,
    /// After which events it has asked to begin once more; what was under way still comes before that.
    again: Vec<u64>,
    user: &'a str,
    /// Up to here it was told to have everything, and does not.
    wrong: Option<u64>,
}

impl Place<'_> {
    /// Takes the next event; `false` when it is not the one that must come.
    fn moves_to(&mut self, seq: u64, members: &Members) -> bool {
        let is_next =
            |after: u64| seq > after && !(after + 1..seq).any(|skipped| members.needs(self.user, skipped, seq));
        if is_next(self.last) {
            self.last = seq;
            return true;
        }
        let Some(asked) = self.again.iter().position(|after| is_next(*after)) else {
            self.last = seq;
            return false;
        };
        self.again.drain(..=asked);
        self.last = seq;
        true
    }

    fn misses(&self, up_to: u64, members: &Members) -> bool {
        let complete = |after: u64| !(after.saturating_add(1)..=up_to).any(|seq| members.needs(self.user, seq, up_to));
        !complete(self.last) && !self.again.iter().any(|after| complete(*after))
    }
}

/// Marks never go back: not within a connection, not from one connection of a client to the next, not in the store.
fn check_marks(history: &History, found: &mut Found) {
    let mut shown: BTreeMap<(u32, &str, &str), (u64, u64)> = BTreeMap::new();
    let mut seen: BTreeMap<(usize, &str, &str), (u64, u64)> = BTreeMap::new();
    for record in &history.records {
        let Record::Marks { client, connection, welcome, room, user, read, delivered } = record else { continue };
        let ever = seen.entry((*client, room, user)).or_default();
        let here = shown.entry((*connection, room, user)).or_default();
        // What a new connection begins with is read from the store; what is shown comes from the room, on its own way.
        let before = if *welcome { *ever } else { *here };
        let forwards = *read >= before.0 && *delivered >= before.1 && read <= delivered;
        found.expect(forwards, Promise::Marks, || {
            format!("{room}: client {client} saw {user} at {read}/{delivered} after {before:?}")
        });
        if !welcome {
            *here = (*read, *delivered);
        }
        *ever = (ever.0.max(*read), ever.1.max(*delivered));
        let kept = history.rooms[room].marks.get(user).copied().unwrap_or_default();
        found.expect(kept.0 >= *read && kept.1 >= *delivered, Promise::Marks, || {
            format!("{room}: {user} was seen at {read}/{delivered}, and stands at {kept:?} in the end")
        });
    }
}

fn check_end(history: &History, found: &mut Found) {
    for key in &history.unanswered {
        found.expect(false, Promise::Liveness, || format!("{key} was never answered"));
    }
    for position in &history.positions {
        let last = &history.rooms[&position.room];
        let members = Members::of(last);
        let head = last.log.last().map_or(0, seq_of);
        let newest = (1..=head).rev().find(|seq| members.sees(&position.user, *seq)).unwrap_or(0);
        found.expect(position.cursor >= newest, Promise::Liveness, || {
            format!("{position:?} stays behind {newest}, which was never shown")
        });
    }
    for (room, last) in &history.rooms {
        let members = Members::of(last);
        for user in members.since.keys() {
            let follows = history.positions.iter().any(|position| position.user == *user && position.room == *room);
            found.expect(follows, Promise::Liveness, || format!("{room}: {user} is in it, and no device knows"));
        }
    }
}

fn event_at<'a>(history: &'a History, room: &str, seq: u64) -> Option<&'a Value> {
    let log = &history.rooms[room].log;
    // Where it should be, or wherever else it is.
    let place = usize::try_from(seq.checked_sub(1)?).ok()?;
    log.get(place).filter(|event| seq_of(event) == seq).or_else(|| log.iter().find(|event| seq_of(event) == seq))
}

pub(crate) fn seq_of(event: &Value) -> u64 {
    event["seq"].as_u64().unwrap_or(0)
}

pub(crate) fn text<'a>(event: &'a Value, field: &str) -> &'a str {
    event[field].as_str().unwrap_or("")
}
