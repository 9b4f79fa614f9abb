//! Marks move forwards up to the head; typing shows only who may write.

use super::{world::*, *};

fn marked(world: &mut World, who: u8, read: Option<Seq>, delivered: Option<Seq>) -> Effect {
    let mut out = Vec::new();
    world.room.step(Input::Mark { caller: Caller::Request(0), user: user(who), read, delivered }, world.now, &mut out);
    assert_eq!(out.len(), 1, "{out:?}");
    out.remove(0)
}

fn code(effect: &Effect) -> (Code, Option<&'static str>) {
    match effect {
        Effect::Nack { refusal, .. } => (refusal.code, refusal.field),
        other => panic!("was not refused: {other:?}"),
    }
}

fn typing(world: &mut World, who: u8) -> bool {
    world.notes.clear();
    world.step(Input::Typing { user: user(who), on: true });
    !world.notes.is_empty()
}

#[test]
fn what_was_read_was_delivered() {
    let mut world = World::group();
    let stored =
        |read, delivered| Effect::StoreMarks { caller: Caller::Request(0), user: user(MEMBER), read, delivered };
    assert_eq!(marked(&mut world, MEMBER, Some(5), None), stored(5, 5));
    assert_eq!(marked(&mut world, MEMBER, Some(5), Some(8)), stored(5, 8));
    assert_eq!(marked(&mut world, MEMBER, Some(5), Some(3)), stored(5, 5));
    assert_eq!(marked(&mut world, MEMBER, None, Some(10)), stored(0, 10));
}

#[test]
fn nobody_marks_what_is_not_durable() {
    let mut world = World::group();
    world.ask(MEMBER, post("under way"));
    assert_eq!(code(&marked(&mut world, MEMBER, Some(11), None)), (Code::BadRequest, Some("read")));
    assert_eq!(code(&marked(&mut world, MEMBER, None, Some(11))), (Code::BadRequest, Some("delivered")));
    world.settle();
    assert!(matches!(marked(&mut world, MEMBER, Some(11), None), Effect::StoreMarks { .. }));
}

#[test]
fn a_stranger_has_no_marks_and_learns_nothing() {
    let mut world = World::group();
    assert_eq!(code(&marked(&mut world, STRANGER, Some(1), None)).0, Code::NotFound);
    let mut world = World::new(RoomKind::Group, beginning(Visibility::Public), RECENT);
    assert_eq!(code(&marked(&mut world, STRANGER, Some(1), None)).0, Code::NotMember);
}

#[test]
fn marks_are_shown_as_the_store_has_them_and_not_to_everybody_in_a_large_room() {
    for (people, to_all) in [(100_u8, true), (101, false)] {
        let mut log = vec![event(1, 0, created(Visibility::Private))];
        log.extend((0..people).map(|who| event(u64::from(who) + 2, 0, joined(who, Role::Owner))));
        let mut world = World::bounded(RoomKind::Group, log, RECENT, 1_000);
        let stand = Some((7, 9));
        world.step(Input::Marked { caller: Caller::Request(0), user: user(3), stand });
        let shown = Effect::ShowMarks { user: user(3), read: 7, delivered: 9, to_all };
        let answer = Effect::MarksStand { caller: Caller::Request(0), read: 7, delivered: 9 };
        assert_eq!(world.notes, [answer, shown]);
    }
}

#[test]
fn answers_that_overtake_each_other_show_no_marks_that_go_back() {
    let mut world = World::group();
    for (stand, shown) in [((5, 7), Some((5, 7))), ((4, 6), None), ((3, 9), Some((5, 9))), ((5, 9), None)] {
        world.notes.clear();
        world.step(Input::Marked { caller: Caller::Request(0), user: user(3), stand: Some(stand) });
        let seen = world.notes.iter().find_map(|note| match note {
            Effect::ShowMarks { read, delivered, .. } => Some((*read, *delivered)),
            _ => None,
        });
        assert_eq!(seen, shown);
        assert!(matches!(world.notes[0], Effect::MarksStand { read, .. } if read >= 4));
    }
}

#[test]
fn marks_that_the_store_did_not_take_are_shown_to_nobody() {
    let mut world = World::group();
    let mut out = Vec::new();
    world.room.step(Input::Marked { caller: Caller::Request(0), user: user(3), stand: None }, world.now, &mut out);
    assert_eq!(out.len(), 1);
    assert_eq!(code(&out[0]).0, Code::Unavailable);
}

#[test]
fn who_says_something_has_read_up_to_there() {
    let mut world = World::group();
    world.ask(MEMBER, post("hi"));
    assert!(world.notes.is_empty(), "not before it is durable");
    world.settle();
    assert_eq!(world.notes, [Effect::OwnRead { user: user(MEMBER), seq: 11 }]);
}

#[test]
fn typing_shows_only_who_may_write() {
    let mut world = World::group();
    assert!(typing(&mut world, MEMBER));
    assert!(!typing(&mut world, READER));
    assert!(!typing(&mut world, STRANGER));
    let until = world.now.plus(500);
    world.done(ADMIN, Intent::Put { user: user(MEMBER), role: None, muted_until: Some(Some(until)) });
    assert!(!typing(&mut world, MEMBER));
    world.now = until;
    assert!(typing(&mut world, MEMBER));
    let archive = |on| Intent::Change(RoomChange { archived: Some(on), ..RoomChange::default() });
    world.done(ADMIN, archive(true));
    assert!(!typing(&mut world, MEMBER));
    world.done(ADMIN, archive(false));
    world.done(OWNER, Intent::End);
    assert!(!typing(&mut world, OWNER));
}

#[test]
fn typing_of_who_is_blocked_is_not_shown() {
    let log = vec![
        event(1, OWNER, created(Visibility::Private)),
        event(2, OWNER, joined(OWNER, Role::Member)),
        event(3, OWNER, joined(MEMBER, Role::Member)),
    ];
    let mut world = World::new(RoomKind::Direct, log, RECENT);
    assert!(typing(&mut world, MEMBER));
    world.step(Input::Blocked { by: user(OWNER), on: true });
    assert!(!typing(&mut world, MEMBER));
    assert!(typing(&mut world, OWNER));
}
