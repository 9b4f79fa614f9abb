//! Writes that have no answer yet: what is asked again, and in which order.

use super::*;

#[test]
fn what_a_room_had_not_answered_is_asked_again_when_it_starts_anew() {
    let (mut session, _) = live(vec![view(1, 0)], serde_json::json!({}));
    say(&mut session, send_frame(7), 0);
    say(&mut session, send_frame(8), 0);
    session.answered(ClientId(Uuid::from_u128(7)));
    let again = step(&mut session, Input::Restarted { room: room(1), by: 0 }, 0);
    let keys: Vec<ClientId> = again
        .iter()
        .filter_map(|effect| match effect {
            Effect::Write { write, .. } => Some(write.client_id),
            _ => None,
        })
        .collect();
    assert_eq!(keys, [ClientId(Uuid::from_u128(8))]);
}

/// The writes that effects ask rooms for, and whether each is asked for again.
fn writes(effects: &[Effect]) -> Vec<(ClientId, bool)> {
    let write = |effect: &Effect| match effect {
        Effect::Write { write, .. } => Some((write.client_id, write.again)),
        _ => None,
    };
    effects.iter().filter_map(write).collect()
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

#[test]
fn every_write_names_the_unanswered_one_of_the_same_room_before_it() {
    let (mut session, _) = live(vec![view(1, 0)], serde_json::json!({}));
    assert_eq!(chain(&say(&mut session, send_frame(1), 0)), [(1, None)]);
    assert_eq!(chain(&say(&mut session, send_frame(2), 0)), [(2, Some(1))]);
    assert_eq!(chain(&say(&mut session, send_frame(3), 0)), [(3, Some(2))]);
    session.answered(ClientId(Uuid::from_u128(2)));
    assert_eq!(chain(&say(&mut session, send_frame(4), 0)), [(4, Some(3))]);
    let client_id = ClientId(Uuid::from_u128(3));
    assert_eq!(chain(&step(&mut session, Input::Undecided { client_id, by: None }, 0)), [(3, Some(1))]);
    session.answered(ClientId(Uuid::from_u128(1)));
    assert_eq!(chain(&step(&mut session, Input::Undecided { client_id, by: None }, 0)), [(3, None)]);
    let moved = step(&mut session, Input::Moved { room: room(1) }, 0);
    assert_eq!(chain(&moved), [(3, None), (4, Some(3))]);
}

#[test]
fn an_impatient_client_does_not_have_a_write_wait_for_itself() {
    let (mut session, _) = live(vec![view(1, 0)], serde_json::json!({}));
    assert_eq!(chain(&say(&mut session, send_frame(1), 0)), [(1, None)]);
    assert_eq!(chain(&say(&mut session, send_frame(1), 0)), [(1, None)]);
    assert_eq!(chain(&say(&mut session, send_frame(2), 0)), [(2, Some(1))]);
    assert_eq!(chain(&say(&mut session, send_frame(2), 0)), [(2, Some(1))]);
    let moved = step(&mut session, Input::Moved { room: room(1) }, 0);
    assert_eq!(chain(&moved), [(1, None), (1, None), (2, Some(1)), (2, Some(1))]);
}

#[test]
fn what_is_tried_again_behind_something_later_keeps_its_place() {
    let (mut session, _) = live(vec![view(1, 0)], serde_json::json!({}));
    assert_eq!(chain(&say(&mut session, send_frame(1), 0)), [(1, None)]);
    assert_eq!(chain(&say(&mut session, send_frame(2), 0)), [(2, Some(1))]);
    assert_eq!(chain(&say(&mut session, send_frame(1), 0)), [(1, None)]);
    assert_eq!(chain(&say(&mut session, send_frame(3), 0)), [(3, Some(2))]);
    let moved = step(&mut session, Input::Moved { room: room(1) }, 0);
    assert_eq!(chain(&moved), [(1, None), (2, Some(1)), (1, None), (3, Some(2))]);
    // One of the tries is answered: that the other one is not says nothing of what came between them.
    session.answered(ClientId(Uuid::from_u128(1)));
    assert_eq!(chain(&say(&mut session, send_frame(4), 0)), [(4, Some(3))]);
    let client_id = ClientId(Uuid::from_u128(3));
    assert_eq!(chain(&step(&mut session, Input::Undecided { client_id, by: None }, 0)), [(3, Some(2))]);
}

#[test]
fn what_nobody_could_decide_is_asked_again_for_a_while_and_then_left_open() {
    let (mut session, _) = live(vec![view(1, 0)], serde_json::json!({}));
    let client_id = ClientId(Uuid::from_u128(7));
    assert_eq!(writes(&say(&mut session, send_frame(7), 0)), [(client_id, false)]);
    assert_eq!(writes(&step(&mut session, Input::Restarted { room: room(1), by: 0 }, 1_000)), [(client_id, true)]);
    assert_eq!(writes(&step(&mut session, Input::Undecided { client_id, by: None }, 10_999)), [(client_id, true)]);
    // Nobody knows what became of it: no frame says that it did not happen.
    assert!(step(&mut session, Input::Undecided { client_id, by: None }, 11_000).is_empty());
    assert!(step(&mut session, Input::Restarted { room: room(1), by: 0 }, 11_001).is_empty());
}

#[test]
fn a_refusal_is_told_only_when_nobody_else_may_still_do_it() {
    let (mut session, _) = live(vec![view(1, 0)], serde_json::json!({}));
    let client_id = ClientId(Uuid::from_u128(7));
    let (one, other) = (1, 2);
    say(&mut session, send_frame(7), 0);
    session.taken(client_id, one);
    // The room moves before the first node has said anything.
    assert_eq!(writes(&step(&mut session, Input::Moved { room: room(1) }, 0)), [(client_id, true)]);
    session.taken(client_id, other);
    assert!(!session.refused(client_id, other), "the first may still do it");
    assert_eq!(writes(&step(&mut session, Input::Undecided { client_id, by: None }, 0)), [(client_id, true)]);
    session.taken(client_id, other);
    assert!(!session.refused(client_id, other));
    // On the first node the room has started anew, and forgot it there.
    step(&mut session, Input::Restarted { room: room(1), by: one }, 0);
    session.taken(client_id, other);
    assert!(session.refused(client_id, other));
    assert!(!session.refused(client_id, other), "once");

    say(&mut session, send_frame(8), 0);
    let client_id = ClientId(Uuid::from_u128(8));
    session.taken(client_id, one);
    session.answered(client_id);
    assert!(!session.refused(client_id, one), "what was acknowledged is not refused afterwards");
}
