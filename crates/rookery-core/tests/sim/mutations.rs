//! The checker is worth as much as it notices: histories in which one thing is wrong, each found out as what it is.

use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::{
    check::{Promise, breaches},
    history::{History, Record},
    world::World,
};

/// A run with enough of everything in it, in which every promise was kept.
fn sound() -> History {
    static SOUND: OnceLock<History> = OnceLock::new();
    let rich = |history: &History| {
        let has = |least, of: fn(&Record) -> bool| history.count(of) >= least;
        has(10, |record| matches!(record, Record::Acked { .. }))
            && has(3, |record| matches!(record, Record::Nacked { code, .. } if code != "unavailable"))
            && has(3, |record| matches!(record, Record::Synced { .. }))
            && has(3, |record| matches!(record, Record::Marks { welcome: false, .. }))
            && has(1, |record| matches!(record, Record::Crashed))
    };
    let find = || (0..100).map(|seed| World::new(seed).run()).find(rich).expect("one of a hundred");
    let history = SOUND.get_or_init(find).clone();
    assert_eq!(breaches(&history), []);
    history
}

fn assert_found(history: &History, promise: Promise) {
    let found = breaches(history);
    assert!(found.iter().any(|breach| breach.promise == promise), "not found as {promise:?}: {found:?}");
}

/// The room with the longest log.
fn busiest(history: &mut History) -> (String, &mut Vec<Value>) {
    let (room, last) = history.rooms.iter_mut().max_by_key(|(_, last)| last.log.len()).unwrap();
    (room.clone(), &mut last.log)
}

/// The place of the last live event of a run that is contiguous with the one before it on the same connection.
fn in_a_run(history: &History) -> usize {
    let next = |one: &Record, other: &Record| match (one, other) {
        (
            Record::Got { connection, room, event, .. },
            Record::Got { connection: same, room: there, event: following, .. },
        ) => {
            connection == same
                && room == there
                && event["seq"].as_u64().unwrap() + 1 == following["seq"].as_u64().unwrap()
        }
        _ => false,
    };
    let places = 1..history.records.len() - 1;
    let place = places.rev().find(|place| {
        next(&history.records[place - 1], &history.records[*place])
            && next(&history.records[*place], &history.records[place + 1])
    });
    place.expect("three in a row")
}

#[test]
fn an_acknowledged_write_that_is_lost_is_noticed() {
    let mut history = sound();
    let (_, log) = busiest(&mut history);
    log.pop();
    assert_found(&history, Promise::DurableAck);
}

#[test]
fn an_ack_with_another_number_is_noticed() {
    let mut history = sound();
    let ack = history.records.iter_mut().find_map(|record| match record {
        Record::Acked { seq, .. } => Some(seq),
        _ => None,
    });
    *ack.unwrap() += 1;
    assert_found(&history, Promise::DurableAck);
}

#[test]
fn a_refused_write_that_appears_is_noticed() {
    let mut history = sound();
    let asked = |key: &str| {
        history.records.iter().filter(|record| matches!(record, Record::Asked { key: of, .. } if of == key)).count()
    };
    let refused = history.records.iter().find_map(|record| match record {
        Record::Nacked { user, room, key, code } if code != "unavailable" && asked(key) == 1 => {
            Some((user.clone(), room.clone(), key.clone()))
        }
        _ => None,
    });
    let (user, room, key) = refused.unwrap();
    let log = &mut history.rooms.get_mut(&room).unwrap().log;
    let seq = log.len() + 1;
    log.push(json!({"type": "event", "room": room, "seq": seq, "kind": "member", "from": user, "client_id": key}));
    assert_found(&history, Promise::NoPhantom);
}

#[test]
fn an_event_that_was_seen_and_is_not_in_the_log_is_noticed() {
    let mut history = sound();
    let (_, log) = busiest(&mut history);
    let place = log.iter().rposition(|event| event["kind"] == "message" && event["body"] != "").unwrap();
    log[place]["body"] = json!("nobody said that");
    assert_found(&history, Promise::NoPhantom);
}

#[test]
fn a_write_that_is_there_twice_is_noticed() {
    let mut history = sound();
    let (_, log) = busiest(&mut history);
    let mut twin = log.last().unwrap().clone();
    twin["seq"] = json!(log.len() + 1);
    log.push(twin);
    assert_found(&history, Promise::Once);
}

#[test]
fn one_key_with_two_numbers_is_noticed() {
    let mut history = sound();
    let ack = history.records.iter().find(|record| matches!(record, Record::Acked { .. })).cloned().unwrap();
    let Record::Acked { user, room, key, seq } = ack else { unreachable!() };
    history.records.push(Record::Acked { user, room, key, seq: seq + 1 });
    assert_found(&history, Promise::Once);
}

#[test]
fn a_hole_in_the_log_is_noticed() {
    let mut history = sound();
    let (_, log) = busiest(&mut history);
    log.remove(log.len() / 2);
    assert_found(&history, Promise::DenseOrder);
}

#[test]
fn two_that_changed_places_are_noticed() {
    let mut history = sound();
    let (_, log) = busiest(&mut history);
    let place = log.len() / 2;
    log.swap(place, place + 1);
    assert_found(&history, Promise::DenseOrder);
}

#[test]
fn an_event_left_out_on_the_way_is_noticed() {
    let mut history = sound();
    let place = in_a_run(&history);
    history.records.remove(place);
    assert_found(&history, Promise::Resume);
}

#[test]
fn an_event_that_comes_twice_is_noticed() {
    let mut history = sound();
    let place = in_a_run(&history);
    let again = history.records[place].clone();
    history.records.insert(place, again);
    assert_found(&history, Promise::Resume);
}

#[test]
fn being_told_of_more_than_was_sent_is_noticed() {
    let mut history = sound();
    let place = in_a_run(&history);
    let Record::Got { connection, room, event, .. } = history.records[place].clone() else { unreachable!() };
    let seq = event["seq"].as_u64().unwrap() + 1;
    history.records.insert(place + 1, Record::Synced { connection, room, seq });
    assert_found(&history, Promise::Resume);
}

#[test]
fn marks_that_go_back_are_noticed() {
    let mut history = sound();
    let shown = history.records.iter().rev().find(|record| matches!(record, Record::Marks { read, .. } if *read > 0));
    let mut back = shown.cloned().unwrap();
    let Record::Marks { read, welcome, .. } = &mut back else { unreachable!() };
    (*read, *welcome) = (*read - 1, true);
    history.records.push(back);
    assert_found(&history, Promise::Marks);
}

#[test]
fn marks_that_are_lost_are_noticed() {
    let mut history = sound();
    history.rooms.values_mut().for_each(|last| last.marks.clear());
    assert_found(&history, Promise::Marks);
}

#[test]
fn a_stranger_who_sees_something_is_noticed() {
    let mut history = sound();
    let place = in_a_run(&history);
    let mut seen = history.records[place].clone();
    let Record::Got { user, .. } = &mut seen else { unreachable!() };
    *user = "00000000-0000-0000-0000-0000000fffff".to_owned();
    history.records.push(seen);
    assert_found(&history, Promise::Membership);
}

#[test]
fn a_stranger_who_writes_is_noticed() {
    let mut history = sound();
    let (room, log) = busiest(&mut history);
    let seq = log.len() + 1;
    log.push(json!({"type": "event", "room": room, "seq": seq, "kind": "message", "from": "nobody", "client_id": "x"}));
    assert_found(&history, Promise::Membership);
}

#[test]
fn what_is_never_shown_or_answered_is_noticed() {
    let mut history = sound();
    history.positions[0].cursor = 0;
    assert_found(&history, Promise::Liveness);
    let mut history = sound();
    history.unanswered.push("a key".to_owned());
    assert_found(&history, Promise::Liveness);
}
