//! Writes that attach files: they wait until these were looked for, and nothing of the same room overtakes them.

use super::*;
use crate::{ids::MediaId, media::Attached, room::Intent};

fn media(n: u128) -> MediaId {
    MediaId(Uuid::from_u128(n))
}

fn carrying(n: u128) -> Value {
    serde_json::json!({"type": "send", "room": room(1), "client_id": Uuid::from_u128(n), "body": "",
                       "attachments": [media(n)]})
}

fn elsewhere(n: u128) -> Value {
    serde_json::json!({"type": "send", "room": room(2), "client_id": Uuid::from_u128(n), "body": "x"})
}

/// The writes that effects ask rooms for, each with the one that it names as the one before it.
fn chain(effects: &[Effect]) -> Vec<(u128, Option<u128>)> {
    let number = |key: ClientId| key.0.as_u128();
    let write = |effect: &Effect| match effect {
        Effect::Write { write, .. } => Some((number(write.client_id), write.after.map(number))),
        _ => None,
    };
    effects.iter().filter_map(write).collect()
}

fn found(session: &mut Session, n: u128) -> Vec<Effect> {
    let described = Some(Attached::named(media(n)).into_print());
    let found = Some(vec![Attached { id: media(n), described }]);
    step(session, Input::Found { client_id: ClientId(Uuid::from_u128(n)), found }, 0)
}

fn two_rooms() -> Session {
    live(vec![view(1, 0), view(2, 0)], serde_json::json!({})).0
}

#[test]
fn what_is_said_behind_a_file_waits_for_it_and_other_rooms_do_not() {
    let mut session = two_rooms();
    let asked = say(&mut session, carrying(1), 0);
    let find = Effect::Find { client_id: ClientId(Uuid::from_u128(1)), room: room(1), media: vec![media(1)] };
    assert_eq!(asked, [find]);
    assert!(say(&mut session, send_frame(2), 0).is_empty());
    assert_eq!(chain(&say(&mut session, elsewhere(3), 0)), [(3, None)]);
    let out = found(&mut session, 1);
    assert_eq!(chain(&out), [(1, None), (2, Some(1))]);
    let Effect::Write { write, .. } = &out[0] else { panic!("{out:?}") };
    let Intent::Post { attachments, .. } = &write.intent else { panic!("{write:?}") };
    assert!(attachments[0].described.is_some());
    assert_eq!(chain(&say(&mut session, send_frame(4), 0)), [(4, Some(2))]);
}

#[test]
fn files_that_are_found_out_of_turn_are_said_in_turn() {
    let mut session = two_rooms();
    for n in [1, 2] {
        say(&mut session, carrying(n), 0);
    }
    say(&mut session, send_frame(3), 0);
    assert!(found(&mut session, 2).is_empty());
    assert_eq!(chain(&found(&mut session, 1)), [(1, None), (2, Some(1)), (3, Some(2))]);
}

#[test]
fn what_could_not_be_looked_for_is_refused_and_holds_nobody_up() {
    let mut session = two_rooms();
    say(&mut session, carrying(1), 0);
    say(&mut session, send_frame(2), 0);
    let out = step(&mut session, Input::Found { client_id: ClientId(Uuid::from_u128(1)), found: None }, 0);
    let frames = sent(&out);
    assert_eq!((&frames[0]["type"], &frames[0]["code"]), (&"nack".into(), &"unavailable".into()));
    assert_eq!(chain(&out), [(2, None)]);
    assert!(found(&mut session, 1).is_empty(), "it was answered");
}

#[test]
fn a_room_that_starts_anew_is_not_asked_for_what_still_waits() {
    let mut session = two_rooms();
    say(&mut session, send_frame(1), 0);
    say(&mut session, carrying(2), 0);
    say(&mut session, send_frame(3), 0);
    assert_eq!(chain(&step(&mut session, Input::Moved { room: room(1) }, 0)), [(1, None)]);
    assert_eq!(chain(&found(&mut session, 2)), [(2, Some(1)), (3, Some(2))]);
}

#[test]
fn what_waits_for_files_takes_credits_as_everything_does() {
    let mut session = two_rooms();
    for n in 0..CREDITS as u128 {
        say(&mut session, carrying(n), 0);
    }
    let frames = sent(&say(&mut session, send_frame(999), 0));
    assert_eq!(frames[0]["code"], "rate_limited");
}
