//! Whatever people ask and in whichever order the store answers: each thing once, in order, as if nothing had failed.

use proptest::prelude::*;

use super::{replay::State, world::*, *};

/// One thing that happens.
#[derive(Clone, Debug)]
enum Move {
    Ask {
        who: u8,
        intent: Intent,
        seen_all: bool,
    },
    /// Somebody asks again, perhaps meaning something else by now, and perhaps having seen more.
    Again {
        of: usize,
        other: bool,
    },
    Commit {
        count: usize,
        together: bool,
    },
    Fail,
    Deliver(usize),
    Look {
        which: usize,
        works: bool,
    },
    TimeGoesBy(i64),
}

fn people() -> impl Strategy<Value = u8> {
    0..=STRANGER
}

fn role() -> impl Strategy<Value = Option<Role>> {
    prop_oneof![
        Just(None),
        Just(Some(Role::Reader)),
        Just(Some(Role::Member)),
        Just(Some(Role::Admin)),
        Just(Some(Role::Owner))
    ]
}

fn intent() -> impl Strategy<Value = Intent> {
    let target = || 1..16_u64;
    let change = (proptest::option::of(any::<bool>()), proptest::option::of(any::<bool>()));
    prop_oneof![
        10 => "[a-c]{1,2}".prop_map(|body| post(&body)),
        3 => (target(), "[a-c]{1,2}").prop_map(|(target, body)| Intent::Edit { target, body }),
        3 => target().prop_map(|target| Intent::Delete { target }),
        3 => (target(), any::<bool>()).prop_map(|(target, remove)| Intent::React { target, emoji: "👍".into(), remove }),
        4 => (people(), role()).prop_map(|(who, role)| Intent::Put { user: user(who), role, muted_until: None }),
        2 => (people(), proptest::option::of(1_000_i64..3_000)).prop_map(|(who, until)| Intent::Put {
            user: user(who),
            role: None,
            muted_until: Some(until.map(Millis)),
        }),
        3 => (people(), any::<bool>()).prop_map(|(who, ban)| Intent::Remove { user: user(who), ban }),
        1 => people().prop_map(|who| Intent::Unban { user: user(who) }),
        2 => change.prop_map(|(public, archived)| Intent::Change(RoomChange {
            visibility: public.map(|public| if public { Visibility::Public } else { Visibility::Private }),
            archived,
            ..RoomChange::default()
        })),
        1 => Just(Intent::End),
    ]
}

fn next_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        12 => (people(), intent(), any::<bool>()).prop_map(|(who, intent, seen_all)| Move::Ask { who, intent, seen_all }),
        4 => (any::<usize>(), prop::bool::weighted(0.2)).prop_map(|(of, other)| Move::Again { of, other }),
        4 => (1..6_usize, any::<bool>()).prop_map(|(count, together)| Move::Commit { count, together }),
        1 => Just(Move::Fail),
        8 => any::<usize>().prop_map(Move::Deliver),
        5 => (any::<usize>(), prop::bool::weighted(0.8)).prop_map(|(which, works)| Move::Look { which, works }),
        1 => (1..1_000_i64).prop_map(Move::TimeGoesBy),
    ]
}

/// A room, and how much of its log it still has in memory when it wakes.
fn worlds() -> impl Strategy<Value = (RoomKind, Visibility, usize)> {
    let kind = prop_oneof![4 => Just(RoomKind::Group), 2 => Just(RoomKind::Channel), 1 => Just(RoomKind::Direct)];
    let visibility = prop_oneof![Just(Visibility::Private), Just(Visibility::Public)];
    (kind, visibility, 0..12_usize)
}

fn go(world: &mut World, next: Move) {
    match next {
        Move::Ask { who, intent, seen_all } => {
            let fresh = key(u32::try_from(world.asked.len()).unwrap());
            let seen = if seen_all { world.head() } else { 0 };
            world.ask_as(who, fresh, seen, intent);
        }
        Move::Again { of, other } if !world.asked.is_empty() => {
            let mut write = world.asked[of % world.asked.len()].write.clone();
            if other {
                write.intent = post("something else");
            }
            world.ask_write(write);
        }
        Move::Again { .. } => {}
        Move::Commit { count, together } => world.commit(count, together),
        Move::Fail => world.fail(),
        Move::Deliver(which) => world.deliver(which),
        Move::Look { which, works } => world.look(which, works),
        Move::TimeGoesBy(millis) => world.now = world.now.plus(millis),
    }
}

fn every_event_was_lawful(world: &World, began: usize) {
    let mut state = State::after(world.kind, &world.log[..began]);
    for event in &world.log[began..] {
        assert!(state.allows(event), "{event:?} after {state:?}");
        state.apply(event);
        assert!(state.has_owner_or_nobody());
        assert_eq!(
            event.messages,
            State::after(world.kind, &world.log[..event.seq as usize]).snapshot(&world.log, 0).messages
        );
    }
}

fn every_write_had_one_answer_and_one_event(world: &World) {
    for asked in &world.asked {
        assert_eq!(asked.told.len(), 1, "{asked:?}");
        let key = (asked.write.user, asked.write.client_id);
        let events: Vec<_> = world.log.iter().filter(|event| (event.sender, event.client_id) == key).collect();
        assert!(events.len() <= 1, "one write, several events: {events:?}");
        let twins = || world.asked.iter().filter(|other| (other.write.user, other.write.client_id) == key);
        match asked.told[0] {
            Told::Ack { seq, .. } => {
                assert_eq!(events[0].seq, seq);
                assert!(says(&asked.write.intent, &events[0].content), "{asked:?} became {events:?}");
            }
            Told::Nack(Code::Conflict, Some("client_id")) => assert!(twins().count() > 1),
            _ => {}
        }
        let nobody_was_told = twins().all(|twin| !matches!(twin.told[0], Told::Ack { .. }));
        assert!(!nobody_was_told || events.is_empty(), "refused to everybody, and there it is: {events:?}");
        let first = twins().filter(|twin| matches!(twin.told[0], Told::Ack { repeat: false, .. })).count();
        assert!(first <= 1, "two were told to be the first");
    }
}

fn says(intent: &Intent, content: &Content) -> bool {
    match (intent, content) {
        (Intent::Post { body, .. }, Content::Message { body: said, .. }) => body == said,
        (Intent::Edit { target, body }, Content::Edit { target: of, body: said }) => (target, body) == (of, said),
        (Intent::Delete { target }, Content::Delete { target: of, .. }) => target == of,
        (Intent::React { target, remove, .. }, Content::Reaction { target: of, remove: removed, .. }) => {
            (target, remove) == (of, removed)
        }
        (
            Intent::Put { user, .. } | Intent::Remove { user, .. } | Intent::Unban { user },
            Content::Member { user: of, .. },
        ) => user == of,
        (Intent::Change(_) | Intent::End, Content::Room(_)) => true,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn every_order_gives_a_lawful_log_and_one_answer_each(
        (kind, visibility, recent) in worlds(),
        moves in proptest::collection::vec(next_move(), 1..120),
    ) {
        let log = beginning(visibility);
        let began = log.len();
        let mut world = World::new(kind, log, recent);
        moves.into_iter().for_each(|next| go(&mut world, next));
        world.settle();
        prop_assert_eq!(world.shown, world.head());
        prop_assert_eq!(world.room.head(), world.head());
        every_write_had_one_answer_and_one_event(&world);
        every_event_was_lawful(&world, began);
        let woken = Room::wake(State::after(kind, &world.log).snapshot(&world.log, RECENT), 100);
        prop_assert!(world.room.is_same_as(&woken), "{:#?}\nis not\n{:#?}", world.room, woken);
    }

    /// Who reads while things are under way is judged by what is durable.
    #[test]
    fn what_may_be_read_is_what_the_durable_log_says(
        (kind, visibility, recent) in worlds(),
        moves in proptest::collection::vec(next_move(), 1..60),
    ) {
        let mut world = World::new(kind, beginning(visibility), recent);
        for next in moves {
            go(&mut world, next);
            let durable = &world.log[..usize::try_from(world.room.head()).unwrap()];
            let woken = Room::wake(State::after(kind, durable).snapshot(durable, RECENT), 100);
            for who in 0..=STRANGER {
                prop_assert_eq!(world.room.visible_from(user(who)), woken.visible_from(user(who)));
            }
        }
    }

    /// What the store refuses leaves no trace: the room is as it was, and so is what it answers.
    #[test]
    fn what_was_refused_never_was(
        (kind, visibility, recent) in worlds(),
        asks in proptest::collection::vec((people(), intent()), 1..40),
        order in proptest::collection::vec(any::<usize>(), 40),
    ) {
        let log = beginning(visibility);
        let mut world = World::new(kind, log.clone(), recent);
        for (who, intent) in asks {
            world.ask(who, intent);
        }
        while world.looks() > 0 {
            world.look(0, true);
        }
        world.fail();
        for which in order {
            world.deliver(which);
        }
        world.settle();
        prop_assert_eq!(&world.log, &log);
        let refused = |asked: &Asked| matches!(asked.told[..], [Told::Nack(..) | Told::Unchanged]);
        prop_assert!(world.asked.iter().all(refused), "told otherwise");
        let woken = Room::wake(State::after(kind, &log).snapshot(&log, recent), 100);
        prop_assert!(world.room.is_same_as(&woken), "{:#?}\nis not\n{:#?}", world.room, woken);
    }
}
