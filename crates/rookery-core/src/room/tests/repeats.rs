//! The same `client_id` of the same sender is one event, whenever it is asked again.

use super::{world::*, *};

#[test]
fn who_asks_again_while_it_is_under_way_gets_the_same_number() {
    let mut world = World::group();
    let first = world.ask_as(MEMBER, key(1), 10, post("hi"));
    let second = world.ask_as(MEMBER, key(1), 10, post("hi"));
    assert!(world.asked[second].told.is_empty(), "nobody knows yet");
    world.settle();
    assert_eq!(world.answer_to(first), Told::Ack { seq: 11, repeat: false });
    assert_eq!(world.answer_to(second), Told::Ack { seq: 11, repeat: true });
    let third = world.ask_as(MEMBER, key(1), 10, post("hi"));
    assert_eq!(world.answer_to(third), Told::Ack { seq: 11, repeat: true });
    assert_eq!(world.head(), 11);
}

#[test]
fn what_the_store_refused_is_refused_to_everybody_who_asked_and_can_be_asked_anew() {
    let mut world = World::group();
    let first = world.ask_as(MEMBER, key(1), 10, post("hi"));
    let second = world.ask_as(MEMBER, key(1), 10, post("hi"));
    world.fail();
    world.settle();
    for number in [first, second] {
        assert!(matches!(world.answer_to(number), Told::Nack(Code::Unavailable, _)));
    }
    let third = world.ask_as(MEMBER, key(1), 10, post("hi"));
    world.settle();
    assert_eq!(world.answer_to(third), Told::Ack { seq: 11, repeat: false });
}

#[test]
fn nothing_new_is_taken_between_a_refusal_and_its_end() {
    let mut world = World::group();
    world.ask(MEMBER, post("lost"));
    let later = world.ask(MEMBER, post("lost too"));
    world.fail();
    world.deliver(0);
    let between = world.ask(MEMBER, post("too early"));
    assert!(matches!(world.answer_to(between), Told::Nack(Code::Unavailable, _)));
    assert!(world.asked[later].told.is_empty(), "its fate is not known yet");
    world.settle();
    assert_eq!(world.done(MEMBER, post("again")), 11);
}

#[test]
fn other_content_under_the_same_key_is_a_conflict() {
    let mut world = World::group();
    world.ask_as(MEMBER, key(1), 10, post("hi"));
    let others = [
        post("ho"),
        Intent::Post { body: "hi".into(), reply_to: Some(7), mentions: Vec::new(), attachments: Vec::new() },
        Intent::Edit { target: MEMBERS_MESSAGE, body: "hi".into() },
        Intent::Delete { target: MEMBERS_MESSAGE },
        Intent::React { target: MEMBERS_MESSAGE, emoji: "👍".into(), remove: false },
        Intent::Put { user: user(MEMBER), role: None, muted_until: None },
        Intent::Remove { user: user(MEMBER), ban: false },
        Intent::Change(RoomChange { archived: Some(true), ..RoomChange::default() }),
        Intent::End,
    ];
    for settled in [false, true] {
        for other in &others {
            let number = world.ask_as(MEMBER, key(1), 10, other.clone());
            assert_eq!(world.answer_to(number), Told::Nack(Code::Conflict, Some("client_id")), "{settled} {other:?}");
        }
        world.settle();
    }
    assert_eq!(world.head(), 11);
}

#[test]
fn keys_of_different_people_do_not_meet() {
    let mut world = World::group();
    world.ask_as(MEMBER, key(1), 10, post("hi"));
    world.ask_as(OTHER, key(1), 10, post("ho"));
    world.settle();
    assert_eq!(world.head(), 12);
}

#[test]
fn twins_that_wait_for_the_store_are_one_event() {
    let mut world = World::new(RoomKind::Group, beginning(Visibility::Private), 2);
    let first = world.ask_as(MEMBER, key(1), 3, post("hi"));
    let second = world.ask_as(MEMBER, key(1), 3, post("hi"));
    assert_eq!(world.looks(), 2);
    world.look(1, true);
    assert!(world.asked[second].told.is_empty());
    world.settle();
    assert_eq!(world.answer_to(first), Told::Ack { seq: 11, repeat: false });
    assert_eq!(world.answer_to(second), Told::Ack { seq: 11, repeat: true });
}

#[test]
fn who_need_not_wait_for_the_store_does_not_overtake_who_must() {
    let mut world = World::new(RoomKind::Group, beginning(Visibility::Private), 2);
    let slow = world.ask_as(MEMBER, key(1), 3, post("first"));
    let quick = world.ask_as(MEMBER, key(2), 10, post("second"));
    assert_eq!(world.looks(), 1);
    world.settle();
    assert_eq!(world.answer_to(slow), Told::Ack { seq: 11, repeat: false });
    assert_eq!(world.answer_to(quick), Told::Ack { seq: 12, repeat: false });
}

#[test]
fn what_only_the_store_remembers_is_answered_from_there() {
    let mut world = World::new(RoomKind::Group, beginning(Visibility::Private), 0);
    let old = ClientId(Uuid::from_u128(0xF000_0000 + u128::from(MEMBERS_MESSAGE)));
    let again = world.ask_as(MEMBER, old, 0, post("hello"));
    let other = world.ask_as(MEMBER, old, 0, post("not what I said"));
    world.settle();
    assert_eq!(world.answer_to(again), Told::Ack { seq: MEMBERS_MESSAGE, repeat: true });
    assert_eq!(world.answer_to(other), Told::Nack(Code::Conflict, Some("client_id")));
    assert_eq!(world.head(), 10);
}

#[test]
fn a_repeat_of_what_was_taken_back_is_still_a_repeat() {
    let mut world = World::group();
    world.ask_as(MEMBER, key(500), 10, post("secret"));
    world.settle();
    world.done(MEMBER, Intent::Delete { target: 11 });
    let log = world.log.clone();
    for recent in [0, RECENT] {
        let mut woken = World::new(RoomKind::Group, log.clone(), recent);
        let again = woken.ask_as(MEMBER, key(500), 10, post("secret"));
        let other = woken.ask_as(MEMBER, key(500), 10, Intent::End);
        woken.settle();
        assert_eq!(woken.answer_to(again), Told::Ack { seq: 11, repeat: true });
        assert_eq!(woken.answer_to(other), Told::Nack(Code::Conflict, Some("client_id")));
    }
}

#[test]
fn when_the_store_cannot_say_nothing_is_taken() {
    let mut world = World::new(RoomKind::Group, beginning(Visibility::Private), 2);
    let number = world.ask_as(MEMBER, key(1), 3, post("hi"));
    world.look(0, false);
    assert!(matches!(world.answer_to(number), Told::Nack(Code::Unavailable, _)));
    assert!(world.room.is_idle());
}

#[test]
fn what_is_asked_again_is_refused_only_by_who_has_looked() {
    let mut world = World::new(RoomKind::Group, beginning(Visibility::Private), 2);
    let write = |key_number, seen| Write {
        caller: Caller::Request(0),
        user: user(MEMBER),
        authority: Authority::Member,
        client_id: key(key_number),
        seen,
        again: true,
        after: None,
        intent: Intent::End,
    };
    let unknown = world.ask_write(write(1, 3));
    world.look(0, false);
    let undecided = Effect::Undecided { caller: Caller::Request(unknown as u64), client_id: key(1) };
    assert_eq!(world.notes, [undecided], "the store could not say whether an earlier try is in the log");
    let looked = world.ask_write(write(2, 10));
    assert!(matches!(world.answer_to(looked), Told::Nack(Code::Forbidden, _)));
}

#[test]
fn who_lost_the_right_to_write_still_learns_what_became_of_their_write() {
    let mut world = World::group();
    world.ask_as(MEMBER, key(1), 10, post("hi"));
    world.settle();
    world.done(ADMIN, Intent::Remove { user: user(MEMBER), ban: true });
    let again = world.ask_as(MEMBER, key(1), 10, post("hi"));
    assert_eq!(world.answer_to(again), Told::Ack { seq: 11, repeat: true });
}

#[test]
fn an_answer_that_nobody_asked_for_changes_nothing() {
    let mut world = World::group();
    world.step(Input::Looked { ticket: 99, found: None });
    world.step(Input::Appended { seqs: 500..=600 });
    world.step(Input::AppendFailed { seqs: 500..=600 });
    assert_eq!(world.done(MEMBER, post("hi")), 11);
}
