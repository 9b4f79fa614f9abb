//! The conversation of one connection, step by step.

mod asks;
mod files;

use serde_json::Value;
use uuid::Uuid;

use super::*;
use crate::{
    event::{Notify, Role, RoomKind},
    frame::{codec::decode, server::RoomView},
    limits::REPLAY_PER_ROOM,
};

const LIMITS: fn() -> Limits = Limits::default;

pub(super) fn room(n: u128) -> RoomId {
    RoomId(Uuid::from_u128(n))
}

fn session() -> Session {
    let peer = Peer {
        session: SessionId(Uuid::from_u128(1)),
        hub: 0,
        user: UserId(Uuid::from_u128(2)),
        device: DeviceId(Uuid::from_u128(3)),
    };
    Session::new(peer, &LIMITS(), Millis(0))
}

fn unavailable() -> Refusal {
    Refusal::new(crate::frame::Code::Unavailable, "the room's node does not answer")
}

pub(super) fn view(n: u128, head: u64) -> RoomView {
    RoomView {
        room: room(n),
        kind: RoomKind::Group,
        name: String::new(),
        role: Role::Member,
        head,
        read: 0,
        delivered: 0,
        unread: 0,
        notify: Notify::All,
        visible_from: 1,
    }
}

pub(super) fn step(session: &mut Session, input: Input, now: i64) -> Vec<Effect> {
    let mut out = Vec::new();
    session.step(input, &LIMITS(), Millis(now), &mut out);
    out
}

pub(super) fn say(session: &mut Session, frame: Value, now: i64) -> Vec<Effect> {
    let frame = decode(frame.to_string().as_bytes(), &LIMITS()).unwrap();
    step(session, Input::Frame { frame, admitted: Ok(()) }, now)
}

pub(super) fn sent(effects: &[Effect]) -> Vec<Value> {
    let frames = effects.iter().filter_map(|effect| match effect {
        Effect::Send(json) => Some(serde_json::from_slice(json).unwrap()),
        _ => None,
    });
    frames.collect()
}

fn closed(effects: &[Effect]) -> Option<u16> {
    effects.iter().find_map(|effect| match effect {
        Effect::Close { code, .. } => Some(*code),
        _ => None,
    })
}

pub(super) fn live(rooms: Vec<RoomView>, cursors: Value) -> (Session, Vec<Effect>) {
    let mut session = session();
    let effects = say(&mut session, serde_json::json!({"type": "hello", "cursors": cursors}), 0);
    assert!(matches!(effects[..], [Effect::Load { .. }]));
    let effects = step(&mut session, Input::Loaded(Some(rooms)), 0);
    (session, effects)
}

fn send_frame(n: u128) -> Value {
    serde_json::json!({"type": "send", "room": room(1), "client_id": Uuid::from_u128(n), "body": "x"})
}

#[test]
fn welcome_comes_before_anything_else() {
    let (_, effects) = live(vec![view(1, 5), view(2, 9)], serde_json::json!({room(1).to_string(): 3}));
    let frames = sent(&effects);
    assert_eq!(frames[0]["type"], "welcome");
    assert_eq!(frames[0]["resume"], serde_json::json!({room(1).to_string(): "replay"}));
    assert!(effects.contains(&Effect::Pull { room: room(1), after: 3, ticket: 1 }));
    assert!(effects.contains(&Effect::Listen { room: room(2), next: 10, live: true }));
}

#[test]
fn a_cursor_at_the_head_is_synced_at_once() {
    let (_, effects) = live(vec![view(1, 5)], serde_json::json!({room(1).to_string(): 5}));
    let frames = sent(&effects);
    assert_eq!((&frames[1]["type"], &frames[1]["seq"]), (&"synced".into(), &5.into()));
    assert!(effects.contains(&Effect::Listen { room: room(1), next: 6, live: true }));
}

#[test]
fn too_far_behind_is_a_gap() {
    let head = REPLAY_PER_ROOM + 1;
    let (_, effects) = live(vec![view(1, head)], serde_json::json!({room(1).to_string(): 0}));
    let frames = sent(&effects);
    assert_eq!(frames[0]["resume"], serde_json::json!({room(1).to_string(): "gap"}));
    assert_eq!((&frames[1]["type"], &frames[1]["from"], &frames[1]["to"]), (&"gap".into(), &1.into(), &head.into()));
}

#[test]
fn a_cursor_beyond_what_the_list_of_rooms_says_is_a_gap_only_if_the_room_says_so_too() {
    let (mut session, effects) = live(vec![view(1, 5)], serde_json::json!({room(1).to_string(): 8}));
    assert!(effects.contains(&Effect::Pull { room: room(1), after: 8, ticket: 1 }));
    let mut other = session.clone();
    let answer = |head| Input::Pulled { room: room(1), ticket: 1, after: 8, answer: Ok(head) };
    assert_eq!(step(&mut session, answer(9), 0), [Effect::Deliver { room: room(1) }], "the list was old");
    let gap = &sent(&step(&mut other, answer(5), 0))[0];
    assert_eq!((&gap["type"], &gap["from"], &gap["to"]), (&"gap".into(), &9.into(), &5.into()));
}

#[test]
fn what_was_missed_before_joining_is_a_gap() {
    let mine = RoomView { visible_from: 4, ..view(1, 5) };
    let (_, effects) = live(vec![mine], serde_json::json!({room(1).to_string(): 1}));
    assert_eq!(sent(&effects)[1]["type"], "gap");
}

#[test]
fn over_all_rooms_no_more_than_the_bound_is_replayed() {
    let rooms: Vec<RoomView> = (1..=20).map(|n| view(n, 400)).collect();
    let cursors: serde_json::Map<String, Value> = (1..=20).map(|n| (room(n).to_string(), 0.into())).collect();
    let (_, effects) = live(rooms, cursors.into());
    let pulls = effects.iter().filter(|effect| matches!(effect, Effect::Pull { .. })).count();
    assert_eq!(pulls, 12);
    assert_eq!(sent(&effects).iter().filter(|frame| frame["type"] == "gap").count(), 8);
}

#[test]
fn a_frame_before_hello_ends_the_connection() {
    let mut session = session();
    let effects = say(&mut session, serde_json::json!({"type": "ping"}), 0);
    assert_eq!(closed(&effects), Some(close::UNAUTHENTICATED));
    assert!(step(&mut session, Input::Tick, 0).is_empty(), "nothing is said after the end");
}

#[test]
fn frames_right_behind_hello_have_their_turn_after_the_welcome() {
    let mut session = session();
    say(&mut session, serde_json::json!({"type": "hello", "cursors": {}}), 0);
    assert!(say(&mut session, serde_json::json!({"type": "ping", "id": "early"}), 0).is_empty());
    let effects = step(&mut session, Input::Loaded(Some(Vec::new())), 0);
    let kinds: Vec<Value> = sent(&effects).into_iter().map(|frame| frame["type"].clone()).collect();
    assert_eq!(kinds, ["welcome", "pong"]);
}

#[test]
fn no_hello_in_time_ends_the_connection() {
    let mut session = session();
    assert_eq!(session.due(), Millis(10_000));
    assert_eq!(closed(&step(&mut session, Input::Tick, 9_999)), None);
    assert_eq!(closed(&step(&mut session, Input::Tick, 10_000)), Some(close::NO_HELLO));
}

#[test]
fn two_pings_without_an_answer_end_the_connection() {
    let (mut session, _) = live(Vec::new(), serde_json::json!({}));
    assert_eq!(step(&mut session, Input::Tick, 25_000), [Effect::Ping]);
    step(&mut session, Input::Pong, 26_000);
    assert_eq!(step(&mut session, Input::Tick, 50_000), [Effect::Ping]);
    assert_eq!(step(&mut session, Input::Tick, 75_000), [Effect::Ping]);
    assert_eq!(closed(&step(&mut session, Input::Tick, 100_000)), Some(close::NO_HEARTBEAT));
}

#[test]
fn one_more_than_the_credits_is_refused_until_something_is_answered() {
    let (mut session, _) = live(vec![view(1, 0)], serde_json::json!({}));
    for n in 0..u128::try_from(CREDITS).unwrap() {
        assert!(sent(&say(&mut session, send_frame(n), 0)).is_empty());
    }
    let refused = say(&mut session, send_frame(999), 0);
    assert_eq!(sent(&refused)[0]["code"], "rate_limited");
    assert!(sent(&refused)[0]["retry_after_ms"].is_u64());
    session.answered(ClientId(Uuid::from_u128(0)));
    assert!(sent(&say(&mut session, send_frame(999), 0)).is_empty());
}

#[test]
fn bad_frames_again_and_again_end_the_connection() {
    let (mut session, _) = live(Vec::new(), serde_json::json!({}));
    let bad = || Input::BadFrame(decode(b"{", &LIMITS()).unwrap_err());
    for _ in 1..10 {
        assert_eq!(closed(&step(&mut session, bad(), 0)), None);
    }
    let last = step(&mut session, bad(), 0);
    assert_eq!(sent(&last)[0]["close"], true);
    assert_eq!(closed(&last), Some(close::BAD_FRAMES));
}

#[test]
fn who_floods_for_long_is_closed() {
    let (mut session, _) = live(vec![view(1, 0)], serde_json::json!({}));
    let mut end = None;
    for n in 0..400 {
        let frame = decode(send_frame(n).to_string().as_bytes(), &LIMITS()).unwrap();
        let effects = step(&mut session, Input::Frame { frame, admitted: Err(50) }, 0);
        end = end.or(closed(&effects));
    }
    assert_eq!(end, Some(close::FLOODING));
}

#[test]
fn sync_is_answered_by_synced_or_gap_with_its_id() {
    let (mut session, _) = live(vec![view(1, 3)], serde_json::json!({}));
    let sync = serde_json::json!({"type": "sync", "room": room(1), "after": 1, "id": "s"});
    assert!(say(&mut session, sync.clone(), 0).contains(&Effect::Pull { room: room(1), after: 1, ticket: 1 }));
    let answer = step(&mut session, Input::Pulled { room: room(1), ticket: 1, after: 1, answer: Ok(3) }, 0);
    assert_eq!(answer, [Effect::Deliver { room: room(1) }]);
    let done = step(&mut session, Input::CaughtUp { room: room(1), seq: 3 }, 0);
    assert_eq!(sent(&done)[0]["id"], "s");
    say(&mut session, sync, 0);
    let gap = step(&mut session, Input::Pulled { room: room(1), ticket: 2, after: 1, answer: Ok(5_000) }, 0);
    assert_eq!(sent(&gap)[0]["type"], "gap");
}

#[test]
fn a_hole_that_we_found_ourselves_is_filled_without_a_word() {
    let (mut session, _) = live(vec![view(1, 3)], serde_json::json!({}));
    assert_eq!(
        step(&mut session, Input::Hole { room: room(1), after: 3 }, 0),
        [Effect::Pull { room: room(1), after: 3, ticket: 1 }]
    );
    let answer = step(&mut session, Input::Pulled { room: room(1), ticket: 1, after: 3, answer: Ok(5_000) }, 0);
    assert_eq!(answer, [Effect::Deliver { room: room(1) }]);
    assert!(step(&mut session, Input::CaughtUp { room: room(1), seq: 5_000 }, 0).is_empty());
}

#[test]
fn what_cannot_be_read_now_is_asked_for_again_without_a_word_for_half_a_minute() {
    let (mut session, _) = live(vec![view(1, 3)], serde_json::json!({}));
    let refused = |ticket| Input::Pulled { room: room(1), ticket, after: 3, answer: Err(unavailable()) };
    step(&mut session, Input::Hole { room: room(1), after: 3 }, 0);
    let mut now = 0;
    for ticket in 1..=6 {
        assert_eq!(step(&mut session, refused(ticket), now), [], "the client hears nothing of it");
        loop {
            // The deadline may also be that of a ping.
            now = session.due().0;
            let effects = step(&mut session, Input::Tick, now);
            if effects.contains(&Effect::Pull { room: room(1), after: 3, ticket: ticket + 1 }) {
                break;
            }
        }
    }
    assert_eq!((now, session.due()), (31_500, Millis(50_000)));
    let ticket = 7;
    let mut given_up = session.clone();
    let told = step(&mut given_up, refused(ticket), now);
    assert!(told.contains(&Effect::Unlisten { room: room(1) }));
    assert_eq!((&sent(&told)[0]["code"], &sent(&told)[0]["id"]), (&"unavailable".into(), &Value::Null));
    let answer = Input::Pulled { room: room(1), ticket, after: 3, answer: Ok(9) };
    assert_eq!(step(&mut session, answer, now), [Effect::Deliver { room: room(1) }]);
}

#[test]
fn who_may_not_read_is_told_so_at_once_and_so_is_who_waits_for_an_answer_with_a_name() {
    let (mut session, _) = live(vec![view(1, 3)], serde_json::json!({}));
    step(&mut session, Input::Hole { room: room(1), after: 3 }, 0);
    let refusal = Refusal::new(crate::frame::Code::NotMember, "not in it");
    let told = step(&mut session, Input::Pulled { room: room(1), ticket: 1, after: 3, answer: Err(refusal) }, 0);
    assert_eq!(sent(&told)[0]["code"], "not_member");
    say(&mut session, serde_json::json!({"type": "sync", "room": room(1), "after": 2, "id": "s"}), 0);
    let told = step(&mut session, Input::Pulled { room: room(1), ticket: 2, after: 2, answer: Err(unavailable()) }, 0);
    assert_eq!((&sent(&told)[0]["code"], &sent(&told)[0]["id"]), (&"unavailable".into(), &"s".into()));
}

#[test]
fn an_answer_to_an_older_question_is_not_taken_for_the_newer() {
    let (mut session, _) = live(vec![view(1, 9)], serde_json::json!({}));
    step(&mut session, Input::Hole { room: room(1), after: 9 }, 0);
    say(&mut session, serde_json::json!({"type": "sync", "room": room(1), "after": 2}), 0);
    let old = Input::Pulled { room: room(1), ticket: 1, after: 9, answer: Ok(12) };
    assert!(step(&mut session, old, 0).is_empty());
    let new = Input::Pulled { room: room(1), ticket: 2, after: 2, answer: Ok(12) };
    assert_eq!(step(&mut session, new, 0), [Effect::Deliver { room: room(1) }]);
}

#[test]
fn a_hole_found_while_the_client_waits_does_not_forget_that_it_waits() {
    let (mut session, _) = live(vec![view(1, 9)], serde_json::json!({}));
    say(&mut session, serde_json::json!({"type": "sync", "room": room(1), "after": 2, "id": "s"}), 0);
    step(&mut session, Input::Hole { room: room(1), after: 2 }, 0);
    step(&mut session, Input::Pulled { room: room(1), ticket: 2, after: 2, answer: Ok(9) }, 0);
    let done = step(&mut session, Input::CaughtUp { room: room(1), seq: 9 }, 0);
    assert_eq!((&sent(&done)[0]["type"], &sent(&done)[0]["id"]), (&"synced".into(), &"s".into()));
}

#[test]
fn rooms_that_change_while_they_are_read_are_read_again() {
    let changes = [Input::Vanished { room: room(1) }, Input::Appeared { view: view(2, 0), follows: false }];
    for change in changes {
        let mut session = session();
        say(&mut session, serde_json::json!({"type": "hello", "cursors": {}}), 0);
        assert!(sent(&step(&mut session, change, 0)).is_empty(), "nothing before welcome");
        let again = step(&mut session, Input::Loaded(Some(vec![view(1, 5)])), 0);
        assert!(matches!(again[..], [Effect::Load { .. }]), "{again:?}");
        let welcome = step(&mut session, Input::Loaded(Some(vec![view(2, 5)])), 0);
        assert_eq!(sent(&welcome)[0]["rooms"][0]["room"], serde_json::json!(room(2)));
    }
}

#[test]
fn a_room_that_appears_is_heard_once_it_agrees() {
    let (mut session, _) = live(Vec::new(), serde_json::json!({}));
    let effects = step(&mut session, Input::Appeared { view: view(1, 5), follows: false }, 0);
    assert_eq!(sent(&effects)[0]["head"], 5);
    assert!(effects.contains(&Effect::Listen { room: room(1), next: 6, live: false }));
    assert!(effects.contains(&Effect::Pull { room: room(1), after: 5, ticket: 1 }));
    let again = step(&mut session, Input::Appeared { view: view(1, 6), follows: true }, 0);
    assert_eq!((again.len(), &sent(&again)[0]["type"]), (1, &"room".into()));
}
