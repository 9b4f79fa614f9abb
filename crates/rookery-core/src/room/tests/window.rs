//! What a room keeps in memory is bounded, and what it has forgotten the store still knows.

use proptest::prelude::*;

use super::{world::*, *};
use crate::{limits::IN_FLIGHT, room::window::REMEMBERED};

#[test]
fn one_more_than_may_be_under_way_is_busy_and_nothing_was_taken() {
    let mut world = World::group();
    for _ in 0..IN_FLIGHT {
        world.ask(MEMBER, post("hi"));
    }
    let refused = world.ask(MEMBER, post("one more"));
    assert!(matches!(world.answer_to(refused), Told::Nack(Code::Busy, _)));
    let twin = world.asked[5].write.clone();
    let twin = world.ask_write(twin);
    assert!(world.asked[twin].told.is_empty(), "what is under way already is not refused");
    world.settle();
    assert_eq!(world.answer_to(twin), Told::Ack { seq: 16, repeat: true });
    assert_eq!(world.head(), 10 + IN_FLIGHT as Seq);
    world.done(MEMBER, post("now"));
}

#[test]
fn one_more_than_may_wait_for_the_store_is_busy() {
    let mut world = World::new(RoomKind::Group, beginning(Visibility::Private), 0);
    for n in 0..IN_FLIGHT {
        world.ask_as(MEMBER, key(u32::try_from(n).unwrap()), 0, post("hi"));
    }
    let refused = world.ask_as(MEMBER, key(5_000), 0, post("one more"));
    assert!(matches!(world.answer_to(refused), Told::Nack(Code::Busy, _)));
    assert_eq!(world.looks(), IN_FLIGHT);
}

/// A room that remembers exactly as much as it can; the oldest that it remembers has the number 11 and the key 0.
fn full() -> World {
    let mut world = World::new(RoomKind::Group, beginning(Visibility::Private), 0);
    for _ in 0..REMEMBERED {
        if world.ask(MEMBER, post("hi")) % 1_000 == 999 {
            world.settle();
        }
    }
    world.settle();
    world
}

#[test]
fn the_store_knows_what_the_room_has_forgotten() {
    let mut world = full();
    let remembered = world.ask_as(MEMBER, key(0), 10, post("hi"));
    assert_eq!((world.answer_to(remembered), world.looks()), (Told::Ack { seq: 11, repeat: true }, 0));
    world.done(MEMBER, post("one more than can be remembered"));
    let forgotten = world.ask_as(MEMBER, key(0), 10, post("hi"));
    assert_eq!(world.looks(), 1);
    world.settle();
    assert_eq!(world.answer_to(forgotten), Told::Ack { seq: 11, repeat: true });
    let edited = world.ask(MEMBER, Intent::Edit { target: 11, body: "ho".into() });
    assert_eq!(world.looks(), 1);
    world.settle();
    assert!(matches!(world.answer_to(edited), Told::Ack { .. }));
}

#[test]
fn what_is_forgotten_while_it_waits_is_looked_up_then() {
    let mut world = full();
    let ahead = world.ask_as(MEMBER, key(90_000), 0, post("waits for the store"));
    let repeat = world.ask_as(MEMBER, key(0), 10, post("hi"));
    let edit = world.ask_as(MEMBER, key(90_001), 10, Intent::Edit { target: 11, body: "ho".into() });
    assert_eq!(world.looks(), 1);
    world.settle();
    let head = 10 + REMEMBERED as Seq;
    assert_eq!(world.answer_to(ahead), Told::Ack { seq: head + 1, repeat: false });
    assert_eq!(world.answer_to(repeat), Told::Ack { seq: 11, repeat: true });
    assert_eq!(world.answer_to(edit), Told::Ack { seq: head + 2, repeat: false });
}

#[test]
fn what_is_taken_back_is_so_however_old_it_is() {
    let mut world = full();
    world.done(MEMBER, Intent::Delete { target: MEMBERS_MESSAGE });
    let refused =
        |world: &mut World| world.refusal(MEMBER, Intent::Edit { target: MEMBERS_MESSAGE, body: "ho".into() });
    assert_eq!(refused(&mut world), Code::Gone);
    for _ in 0..REMEMBERED {
        if world.ask(MEMBER, post("hi")) % 1_000 == 999 {
            world.settle();
        }
    }
    world.settle();
    assert_eq!(refused(&mut world), Code::Gone);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Events of any size: what is kept is the newest, in order, without a hole, and within its bounds.
    #[test]
    fn what_is_kept_for_those_who_come_back_is_the_newest_and_bounded(
        sizes in proptest::collection::vec(prop_oneof![8 => 1_usize..50, 2 => 1_usize..16_384], 1..400),
        recent in 0..12_usize,
    ) {
        let mut world = World::new(RoomKind::Group, beginning(Visibility::Private), recent);
        for size in sizes {
            world.done(MEMBER, post(&"x".repeat(size)));
        }
        prop_assert!(world.room.recent.len() <= RECENT);
        let bytes: usize = world.room.recent.iter().map(|logged| logged.text.len()).sum();
        prop_assert!(bytes <= RECENT_BYTES);
        prop_assert_eq!(bytes, world.room.recent_bytes);
        let head = world.head();
        let first = head + 1 - world.room.recent.len() as Seq;
        for after in 0..=head + 2 {
            let seqs = |events: &mut dyn Iterator<Item = &Logged>| events.map(|logged| logged.event.seq).collect::<Vec<_>>();
            match world.room.events_after(after) {
                Some(mut events) => prop_assert_eq!(seqs(&mut events), (after + 1..=head).collect::<Vec<_>>()),
                None => prop_assert!(after + 1 < first),
            }
            prop_assert_eq!(world.room.events_after(after).is_some(), after + 1 >= first);
        }
    }
}
