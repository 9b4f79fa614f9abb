//! Tests of the client's cursor and outbox.

use serde_json::json;

use super::*;

fn frame(value: serde_json::Value) -> Incoming {
    serde_json::from_value(value).unwrap()
}

fn event(seq: u64) -> Incoming {
    frame(json!({"type": "event", "room": "r", "seq": seq, "kind": "message", "at": "t", "from": "u", "body": "b"}))
}

fn welcomed(cursor: u64) -> Follower {
    let mut follower = Follower::new("r", cursor);
    follower.hello();
    receive(&mut follower, frame(json!({"type": "welcome", "rooms": [{"room": "r", "head": cursor}]})));
    receive(&mut follower, frame(json!({"type": "synced", "room": "r", "seq": cursor})));
    follower
}

fn receive(follower: &mut Follower, frame: Incoming) -> Vec<Step> {
    let mut steps = Vec::new();
    follower.receive(frame, &mut steps);
    steps
}

fn submit(follower: &mut Follower, id: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    follower.submit(id.to_owned(), format!("body of {id}"), &mut steps);
    steps
}

fn shown(steps: &[Step]) -> Vec<u64> {
    steps.iter().filter_map(|step| if let Step::Show(event) = step { Some(event.seq) } else { None }).collect()
}

fn sent(steps: &[Step]) -> Vec<(String, u64)> {
    steps
        .iter()
        .filter_map(|step| match step {
            Step::Write(Outgoing::Send { client_id, seen, .. }) => Some((client_id.clone(), *seen)),
            _ => None,
        })
        .collect()
}

fn synced_from(steps: &[Step]) -> Option<u64> {
    steps.iter().find_map(|step| match step {
        Step::Write(Outgoing::Sync { after, .. }) => Some(*after),
        _ => None,
    })
}

#[test]
fn each_event_is_shown_once_and_in_order() {
    let mut follower = welcomed(3);
    assert!(shown(&receive(&mut follower, event(3))).is_empty());
    assert_eq!(shown(&receive(&mut follower, event(4))), [4]);
    assert!(shown(&receive(&mut follower, event(4))).is_empty());
    assert_eq!(follower.cursor(), 4);
}

#[test]
fn a_hole_is_asked_for_once_and_never_shown() {
    let mut follower = welcomed(3);
    let steps = receive(&mut follower, event(6));
    assert_eq!((shown(&steps), synced_from(&steps)), (vec![], Some(3)));
    assert_eq!(synced_from(&receive(&mut follower, event(7))), None, "already asked");
    assert_eq!(shown(&receive(&mut follower, event(4))), [4]);
}

#[test]
fn synced_beyond_what_was_shown_is_not_live() {
    let mut follower = welcomed(3);
    let steps = receive(&mut follower, frame(json!({"type": "synced", "room": "r", "seq": 5})));
    assert_eq!(synced_from(&steps), Some(3));
    assert!(!steps.iter().any(|step| matches!(step, Step::Live)));
}

#[test]
fn one_send_is_under_way_and_is_sent_again_unchanged_after_a_loss() {
    let mut follower = welcomed(3);
    assert_eq!(sent(&submit(&mut follower, "a")), [("a".to_owned(), 3)]);
    assert!(sent(&submit(&mut follower, "b")).is_empty());
    receive(&mut follower, event(4));
    follower.lost();
    follower.hello();
    let steps = receive(&mut follower, frame(json!({"type": "welcome", "rooms": [{"room": "r", "head": 4}]})));
    assert_eq!(sent(&steps), [("a".to_owned(), 3)], "with the `seen` of the first attempt");
    let steps = receive(&mut follower, frame(json!({"type": "ack", "client_id": "a", "room": "r", "seq": 5})));
    assert_eq!(sent(&steps), [("b".to_owned(), 3)]);
    assert_eq!(follower.unsent(), 1);
}

#[test]
fn settled_means_acked_and_shown() {
    let mut follower = welcomed(3);
    submit(&mut follower, "a");
    assert!(!follower.is_settled());
    receive(&mut follower, frame(json!({"type": "ack", "client_id": "a", "room": "r", "seq": 4})));
    assert!(!follower.is_settled(), "not shown yet");
    receive(&mut follower, event(4));
    assert!(follower.is_settled());
}

#[test]
fn a_nack_waits_or_gives_up_as_it_says() {
    let mut follower = welcomed(3);
    submit(&mut follower, "a");
    submit(&mut follower, "b");
    let later =
        json!({"type": "nack", "client_id": "a", "code": "rate_limited", "retry": "later", "retry_after_ms": 40});
    let steps = receive(&mut follower, frame(later));
    assert!(matches!(steps[..], [Step::Wait(wait)] if wait == Duration::from_millis(40)));
    let mut steps = Vec::new();
    follower.resend(&mut steps);
    assert_eq!(sent(&steps), [("a".to_owned(), 3)]);
    let never = json!({"type": "nack", "client_id": "a", "code": "muted", "retry": "no"});
    let steps = receive(&mut follower, frame(never));
    assert!(matches!(&steps[0], Step::Refused { body, .. } if body == "body of a"));
    assert_eq!(sent(&steps), [("b".to_owned(), 3)]);
}

#[test]
fn a_gap_is_paged_and_then_synced() {
    let mut follower = welcomed(3);
    let steps = receive(&mut follower, frame(json!({"type": "gap", "room": "r", "from": 4, "to": 900})));
    assert!(matches!(steps[..], [Step::Page]));
    assert!(shown(&receive(&mut follower, event(901))).is_empty());
    let Incoming::Event(missed) = event(4) else { panic!("not an event") };
    let mut steps = Vec::new();
    follower.paged(*missed, &mut steps);
    assert_eq!(shown(&steps), [4]);
    assert!(matches!(follower.caught_up(), Outgoing::Sync { after: 4, .. }));
}

#[test]
fn a_log_that_became_shorter_is_followed_from_its_head() {
    let mut follower = welcomed(30);
    let steps = receive(&mut follower, frame(json!({"type": "gap", "room": "r", "from": 31, "to": 12})));
    assert!(matches!(steps[0], Step::Forgot));
    assert_eq!(synced_from(&steps), Some(12));
    assert_eq!(shown(&receive(&mut follower, event(13))), [13]);
}

#[test]
fn lagged_and_gone_concern_only_the_followed_room() {
    let mut follower = welcomed(3);
    assert!(receive(&mut follower, frame(json!({"type": "lagged", "rooms": {"q": 9}}))).is_empty());
    let steps = receive(&mut follower, frame(json!({"type": "lagged", "rooms": {"r": 9}})));
    assert_eq!(synced_from(&steps), Some(3));
    assert!(receive(&mut follower, frame(json!({"type": "room", "room": "q", "gone": true}))).is_empty());
    let steps = receive(&mut follower, frame(json!({"type": "room", "room": "r", "gone": true})));
    assert!(matches!(steps[..], [Step::Gone]));
}

#[test]
fn a_room_that_could_not_be_read_is_synced_later_or_as_soon_as_it_answers() {
    let unread =
        || frame(json!({"type": "nack", "room": "r", "code": "unavailable", "retry": "later", "retry_after_ms": 30}));
    let mut follower = welcomed(3);
    let steps = receive(&mut follower, unread());
    assert!(matches!(steps[..], [Step::Wait(wait)] if wait == Duration::from_millis(30)), "{steps:?}");
    let mut steps = Vec::new();
    follower.resend(&mut steps);
    assert_eq!(synced_from(&steps), Some(3));
    let mut steps = Vec::new();
    follower.resend(&mut steps);
    assert_eq!(synced_from(&steps), None, "once");
    submit(&mut follower, "a");
    receive(&mut follower, unread());
    let steps =
        receive(&mut follower, frame(json!({"type": "ack", "client_id": "a", "room": "r", "seq": 4, "at": "t"})));
    assert_eq!(synced_from(&steps), Some(3));
    let elsewhere = frame(json!({"type": "nack", "room": "other", "code": "unavailable", "retry": "later"}));
    assert!(matches!(receive(&mut follower, elsewhere)[..], [Step::Complaint { .. }]));
}
