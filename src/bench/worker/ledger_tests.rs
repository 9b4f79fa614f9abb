//! Tests of a worker's books.

use super::*;

const ROOM: &str = "00000000-0000-0000-0000-000000000007";

fn text(payload: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::from_server(frame::TEXT, payload.as_bytes(), &mut bytes);
    bytes
}

fn event(seq: u64, stamp: Stamp) -> Vec<u8> {
    text(&format!(r#"{{"type":"event","room":"{ROOM}","seq":{seq},"kind":"message","body":"{}"}}"#, stamp.body(40)))
}

fn ledger(seats: usize) -> Ledger {
    let mut ledger = Ledger::new();
    ledger.seats = (0..seats).map(|_| Seat::new(vec![(7, 10)])).collect();
    ledger
}

fn spread(done: &Arc<Semaphore>, expected: u32) -> Phase {
    Phase::Spread(Spread {
        missing: vec![expected; 4],
        expected,
        counted_from: 1,
        deliveries: 0,
        done: Arc::clone(done),
    })
}

#[test]
fn a_seat_is_live_after_welcome_and_every_synced() {
    let mut ledger = ledger(1);
    let mut out = Vec::new();
    ledger.take(0, &text(r#"{"type":"welcome","rooms":[]}"#), &mut out).unwrap();
    assert_eq!(ledger.live, 0);
    ledger.take(0, &text(&format!(r#"{{"type":"synced","room":"{ROOM}","seq":10}}"#)), &mut out).unwrap();
    assert_eq!((ledger.live, ledger.latencies.summary().count), (1, 1));
    assert!(ledger.troubles.none());
}

#[test]
fn holes_repetitions_and_a_wrong_synced_are_counted() {
    let mut ledger = ledger(1);
    let mut out = Vec::new();
    for seq in [11, 13, 13] {
        ledger.take(0, &event(seq, Stamp { due: 1, index: 0 }), &mut out).unwrap();
    }
    assert_eq!(ledger.troubles.holes, 2);
    ledger.take(0, &text(&format!(r#"{{"type":"synced","room":"{ROOM}","seq":14}}"#)), &mut out).unwrap();
    assert_eq!(ledger.troubles.holes, 3);
    assert_eq!(ledger.account(3), (0, 3));
    assert_eq!(ledger.account(2), (1, 3));
}

#[test]
fn a_message_is_done_when_everybody_and_the_sender_know_it() {
    let mut ledger = ledger(2);
    let done = Arc::new(Semaphore::new(0));
    ledger.phase = spread(&done, 3);
    let mut out = Vec::new();
    let message = event(11, Stamp { due: 1, index: 1 });
    ledger.take(0, &message, &mut out).unwrap();
    ledger.take(1, &message, &mut out).unwrap();
    assert_eq!(done.available_permits(), 0);
    let ack = format!(r#"{{"type":"ack","client_id":"{}","room":"{ROOM}","seq":11}}"#, client_id(9, 1));
    ledger.take(0, &text(&ack), &mut out).unwrap();
    assert_eq!(done.available_permits(), 1);
    let Phase::Spread(spread) = &ledger.phase else { panic!("another phase") };
    assert_eq!((spread.deliveries, ledger.latencies.summary().count), (2, 2));
}

#[test]
fn warming_up_is_not_counted() {
    let mut ledger = ledger(1);
    let done = Arc::new(Semaphore::new(0));
    ledger.phase = spread(&done, 1);
    ledger.take(0, &event(11, Stamp { due: 1, index: 0 }), &mut Vec::new()).unwrap();
    assert_eq!((done.available_permits(), ledger.latencies.summary().count), (1, 0));
}

#[test]
fn half_a_frame_waits_for_its_other_half() {
    let mut ledger = ledger(1);
    let mut bytes = event(11, Stamp { due: 1, index: 0 });
    let whole = bytes.len();
    bytes.extend_from_slice(&event(12, Stamp { due: 1, index: 1 })[..30]);
    assert_eq!(ledger.take(0, &bytes, &mut Vec::new()), Ok(whole));
    assert_eq!(ledger.account(1), (0, 1));
}

#[test]
fn a_ping_is_answered_and_a_close_is_an_end() {
    let mut ledger = ledger(1);
    let mut bytes = Vec::new();
    frame::from_server(frame::PING, b"abc", &mut bytes);
    let mut out = Vec::new();
    ledger.take(0, &bytes, &mut out).unwrap();
    assert_eq!(out[..2], [0x8a, 0x83]);
    bytes.clear();
    frame::from_server(frame::CLOSE, &4009_u16.to_be_bytes(), &mut bytes);
    assert!(ledger.take(0, &bytes, &mut out).unwrap_err().contains("4009"));
}

#[test]
fn a_closed_loop_sends_the_next_one_after_an_ack_until_its_time_is_over() {
    let mut ledger = ledger(1);
    let far = now() + 60_000_000_000;
    let burst = |again_until| Burst {
        run: 5,
        body_bytes: 40,
        rooms: vec![ROOM.to_owned()],
        due: Vec::new(),
        counted: (0, far),
        again_until,
        acks: 0,
        outstanding: 0,
        idle: Arc::new(Notify::new()),
    };
    for (again_until, outstanding) in [(Some(far), 1), (Some(1), 0), (None, 0)] {
        let mut out = Vec::new();
        let mut first = burst(again_until);
        first.next(0, now(), &mut out);
        ledger.phase = Phase::Burst(first);
        out.clear();
        let ack = format!(r#"{{"type":"ack","client_id":"{}","room":"{ROOM}","seq":11}}"#, client_id(5, 0));
        ledger.take(0, &text(&ack), &mut out).unwrap();
        let Phase::Burst(after) = &ledger.phase else { panic!("another phase") };
        assert_eq!((after.acks, after.outstanding, out.is_empty()), (1, outstanding, outstanding == 0));
    }
}
