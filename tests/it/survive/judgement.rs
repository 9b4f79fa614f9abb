//! Tests of the checker itself: a good history passes, and each way of spoiling it is found for what it is.

use crate::support::checker::{Promise, check};
use crate::support::history::{Entry, Event};

const ROOM: &str = "tea";

fn event(seq: u64) -> Event {
    let text = |kind: &str| format!("{kind}-{seq}");
    Event { seq, kind: "message".into(), from: "anna".into(), client_id: text("id"), body: text("body") }
}

fn invoke(connection: u64, seq: u64) -> Entry {
    let Event { from, client_id, body, .. } = event(seq);
    Entry::Invoke { connection, sender: from, room: ROOM.into(), client_id, body }
}

fn ack(seq: u64) -> Entry {
    Entry::Ack { room: ROOM.into(), client_id: event(seq).client_id, seq }
}

fn deliver(connection: u64, seq: u64) -> Entry {
    Entry::Deliver { connection, room: ROOM.into(), event: event(seq) }
}

fn hears(connection: u64, after: u64) -> Entry {
    Entry::Hears { connection, room: ROOM.into(), after }
}

fn mark(read: u64) -> Entry {
    Entry::Mark { observer: "bert".into(), room: ROOM.into(), user: "anna".into(), read }
}

/// Six messages on connection 1, heard on 2 until the third, and on 3 from there on.
fn good() -> Vec<Entry> {
    let mut entries = vec![hears(2, 0)];
    for seq in 1..=6 {
        entries.push(invoke(1, seq));
        entries.push(ack(seq));
        match seq {
            1..=3 => entries.push(deliver(2, seq)),
            4 => entries.extend([hears(3, 3), deliver(3, 4)]),
            _ => entries.push(deliver(3, seq)),
        }
        entries.push(mark(seq));
    }
    entries.push(Entry::Cursor { person: "bert".into(), room: ROOM.into(), seq: 6 });
    entries.push(Entry::Log { room: ROOM.into(), events: (1..=6).map(event).collect() });
    entries
}

fn log(entries: &mut [Entry]) -> &mut Vec<Event> {
    match entries.last_mut() {
        Some(Entry::Log { events, .. }) => events,
        _ => panic!("the log is the last entry"),
    }
}

fn position(entries: &[Entry], wanted: impl Fn(&Entry) -> bool) -> usize {
    entries.iter().position(wanted).expect("it is in the good history")
}

fn delivery(entries: &[Entry], seq: u64) -> usize {
    position(entries, |entry| matches!(entry, Entry::Deliver { event, .. } if event.seq == seq))
}

/// Puts an entry before the delivery of this seq.
fn insert(entries: &mut Vec<Entry>, before: u64, entry: Entry) {
    let at = delivery(entries, before);
    entries.insert(at, entry);
}

#[track_caller]
fn finds(promise: Promise, spoil: impl FnOnce(&mut Vec<Entry>)) {
    let mut entries = good();
    spoil(&mut entries);
    let found = check(&entries);
    assert!(found.iter().any(|violation| violation.promise == promise), "{promise:?} is not among {found:?}");
}

#[test]
fn a_good_history_passes() {
    assert!(check(&good()).is_empty(), "{:?}", check(&good()));
}

#[test]
fn retries_and_refusals_that_were_sent_again_pass() {
    let mut entries = good();
    let first = position(&entries, |entry| matches!(entry, Entry::Ack { seq: 2, .. }));
    let nack = Entry::Nack { client_id: event(2).client_id, why: "busy".into() };
    entries.splice(first..first, [nack, invoke(1, 2)]);
    let end = entries.len() - 2;
    entries.splice(end..end, [invoke(4, 2), ack(2)]);
    assert!(check(&entries).is_empty(), "{:?}", check(&entries));
}

#[test]
fn an_acked_event_that_is_lost_is_found() {
    finds(Promise::Durable, |entries| drop(log(entries).pop()));
    finds(Promise::Durable, |entries| log(entries)[5].body = "changed".into());
    finds(Promise::Durable, |entries| {
        let events = log(entries);
        events.swap(3, 4);
        (events[3].seq, events[4].seq) = (4, 5);
    });
}

#[test]
fn a_hole_is_found() {
    finds(Promise::NoHole, |entries| drop(log(entries).remove(2)));
    finds(Promise::NoHole, |entries| log(entries)[5].seq = 7);
    finds(Promise::NoHole, |entries| drop(log(entries).remove(0)));
}

#[test]
fn a_doubled_event_is_found() {
    finds(Promise::OnlyOnce, |entries| {
        let again = Event { seq: 7, ..event(2) };
        log(entries).push(again);
    });
    finds(Promise::OnlyOnce, |entries| {
        let wrong = Entry::Ack { room: ROOM.into(), client_id: event(3).client_id, seq: 5 };
        entries.insert(0, wrong);
    });
}

#[test]
fn two_values_of_one_number_are_found() {
    finds(Promise::OneValue, |entries| {
        let at = delivery(entries, 5);
        entries[at] =
            Entry::Deliver { connection: 3, room: ROOM.into(), event: Event { body: "other".into(), ..event(5) } };
    });
}

#[test]
fn an_event_that_nobody_sent_or_that_was_refused_is_found() {
    finds(Promise::NothingInvented, |entries| log(entries).push(event(7)));
    finds(Promise::NothingInvented, |entries| log(entries)[4].from = "bert".into());
    finds(Promise::NothingInvented, |entries| {
        entries.insert(0, invoke(1, 7));
        entries.insert(1, Entry::Nack { client_id: event(7).client_id, why: "forbidden".into() });
        log(entries).push(event(7));
    });
}

#[test]
fn a_resume_that_skips_repeats_or_swaps_is_found() {
    finds(Promise::ExactResume, |entries| {
        let at = delivery(entries, 4);
        entries.remove(at);
    });
    finds(Promise::ExactResume, |entries| insert(entries, 5, deliver(3, 3)));
    finds(Promise::ExactResume, |entries| insert(entries, 5, deliver(3, 4)));
    finds(Promise::ExactResume, |entries| {
        let (five, six) = (delivery(entries, 5), delivery(entries, 6));
        entries.swap(five, six);
    });
    finds(Promise::ExactResume, |entries| entries.insert(0, deliver(8, 1)));
}

#[test]
fn who_does_not_come_to_the_head_is_found() {
    finds(Promise::CaughtUp, |entries| {
        let at = position(entries, |entry| matches!(entry, Entry::Cursor { .. }));
        entries[at] = Entry::Cursor { person: "bert".into(), room: ROOM.into(), seq: 5 };
    });
}

#[test]
fn sends_that_overtake_each_other_are_found() {
    finds(Promise::FirstInFirstOut, |entries| {
        let at = position(
            entries,
            |entry| matches!(entry, Entry::Invoke { client_id, .. } if *client_id == event(2).client_id),
        );
        let second = entries.remove(at);
        entries.insert(0, second);
    });
}

#[test]
fn sends_that_overtake_each_other_while_a_room_changes_hands_are_found_too() {
    let overtaken = |epochs| {
        let mut entries = good();
        let invoked = |entries: &[Entry], seq| {
            position(
                entries,
                |entry| matches!(entry, Entry::Invoke { client_id, .. } if *client_id == event(seq).client_id),
            )
        };
        let (second, third) = (invoked(&entries, 2), invoked(&entries, 3));
        entries[second..=third].rotate_right(1);
        entries.insert(0, stamps(epochs));
        check(&entries)
    };
    for epochs in [[1, 2, 2, 2, 2, 2], [2, 2, 2, 2, 2, 2]] {
        assert!(overtaken(epochs).iter().any(|found| found.promise == Promise::FirstInFirstOut), "{epochs:?}");
    }
}

#[test]
fn a_send_that_stands_before_what_was_acked_when_it_was_sent_is_found() {
    finds(Promise::RealTime, |entries| {
        let (first, second) = (event(1), event(2));
        let swapped = |entry: &mut Entry| match entry {
            Entry::Ack { client_id, seq, .. } if *client_id == first.client_id => *seq = 2,
            Entry::Ack { client_id, seq, .. } if *client_id == second.client_id => *seq = 1,
            _ => {}
        };
        entries.iter_mut().for_each(swapped);
    });
}

fn owner(owner: &str, epoch: u64) -> Entry {
    Entry::Owner { room: ROOM.into(), owner: owner.into(), epoch }
}

fn stamps(epochs: [u64; 6]) -> Entry {
    Entry::Stamps { room: ROOM.into(), epochs: (1..).zip(epochs).collect() }
}

#[test]
fn owners_that_follow_each_other_pass() {
    let mut entries = good();
    let again = entries.last().expect("the log").clone();
    entries.splice(0..0, [owner("n1", 3), owner("n1", 3), owner("n2", 4), owner("n1", 6)]);
    entries.splice(4..4, [again, stamps([1, 3, 3, 4, 6, 6])]);
    assert!(check(&entries).is_empty(), "{:?}", check(&entries));
}

#[test]
fn two_owners_of_one_epoch_and_late_writes_are_found() {
    finds(Promise::OneOwner, |entries| {
        entries.splice(0..0, [owner("n1", 3), owner("n2", 3)]);
    });
    finds(Promise::OneOwner, |entries| {
        entries.splice(0..0, [owner("n1", 4), owner("n2", 3)]);
    });
    finds(Promise::OneOwner, |entries| entries.insert(0, stamps([1, 3, 4, 3, 6, 6])));
    finds(Promise::OneOwner, |entries| {
        let short = Entry::Stamps { room: ROOM.into(), epochs: vec![(1, 1)] };
        entries.insert(0, short);
    });
}

#[test]
fn nodes_that_tell_different_logs_are_found() {
    finds(Promise::SameEverywhere, |entries| {
        let shorter = Entry::Log { room: ROOM.into(), events: (1..=5).map(event).collect() };
        entries.insert(0, shorter);
    });
    finds(Promise::SameEverywhere, |entries| {
        let mut events: Vec<Event> = (1..=6).map(event).collect();
        events[2].body = "other".into();
        entries.insert(0, Entry::Log { room: ROOM.into(), events });
    });
}

#[test]
fn two_sends_that_were_acked_under_one_number_are_found() {
    finds(Promise::OneValue, |entries| {
        let other = Entry::Ack { room: ROOM.into(), client_id: "id-9".into(), seq: 4 };
        entries.insert(0, other);
    });
}

#[test]
fn marks_that_go_back_are_found() {
    finds(Promise::MarksForward, |entries| entries.push(mark(3)));
}

#[test]
fn a_run_in_which_nothing_happened_is_found() {
    assert_eq!(check(&[])[0].promise, Promise::SomethingHappened);
    finds(Promise::SomethingHappened, |entries| entries.retain(|entry| !matches!(entry, Entry::Ack { .. })));
    finds(Promise::SomethingHappened, |entries| entries.retain(|entry| !matches!(entry, Entry::Log { .. })));
}
