//! Who comes, who goes, who has a say over whom.

use super::{replay::State, world::*, *};

fn put(who: u8, role: Option<Role>) -> Intent {
    Intent::Put { user: user(who), role, muted_until: None }
}

fn remove(who: u8) -> Intent {
    Intent::Remove { user: user(who), ban: false }
}

fn ban(who: u8) -> Intent {
    Intent::Remove { user: user(who), ban: true }
}

fn by_server(world: &mut World, who: u8, intent: Intent) -> Told {
    let client_id = key(70_000 + u32::try_from(world.asked.len()).unwrap());
    let write = Write {
        caller: Caller::Request(0),
        user: user(who),
        authority: Authority::Server,
        client_id,
        seen: 0,
        again: false,
        after: None,
        intent,
    };
    let number = world.ask_write(write);
    world.settle();
    world.answer_to(number)
}

/// The room must be as its log says.
fn as_logged(world: &World) {
    let woken = Room::wake(State::after(world.kind, &world.log).snapshot(&world.log, RECENT), 100);
    assert!(world.room.is_same_as(&woken), "{:#?}\nis not\n{woken:#?}", world.room);
}

#[test]
fn who_is_added_is_a_member_of_a_group_and_a_reader_of_a_channel() {
    for (kind, usual) in [(RoomKind::Group, Role::Member), (RoomKind::Channel, Role::Reader)] {
        let mut world = World::new(kind, beginning(Visibility::Private), RECENT);
        assert_eq!(world.refusal(MEMBER, put(STRANGER, None)), Code::Forbidden);
        let came = world.done(ADMIN, put(STRANGER, None));
        let wanted =
            Content::Member { user: user(STRANGER), change: MemberChange::Joined, role: Some(usual), until: None };
        assert_eq!(world.log[usize::try_from(came).unwrap() - 1].content, wanted);
        assert_eq!(world.notes, [Effect::Appeared { user: user(STRANGER) }]);
    }
}

#[test]
fn nobody_joins_a_private_room_by_themselves_and_anybody_a_public_one() {
    let mut private = World::group();
    assert_eq!(private.refusal(STRANGER, put(STRANGER, None)), Code::NotFound);
    let mut public = World::new(RoomKind::Group, beginning(Visibility::Public), RECENT);
    assert_eq!(public.refusal(STRANGER, put(STRANGER, Some(Role::Admin))), Code::Forbidden);
    public.done(STRANGER, put(STRANGER, None));
    assert_eq!(public.told(STRANGER, put(STRANGER, None)), Told::Unchanged);
    let mut archived = World::new(RoomKind::Group, beginning(Visibility::Public), RECENT);
    archived.done(OWNER, Intent::Change(RoomChange { archived: Some(true), ..RoomChange::default() }));
    assert_eq!(archived.refusal(STRANGER, put(STRANGER, None)), Code::Archived);
}

#[test]
fn nobody_gives_more_than_they_have() {
    let mut world = World::group();
    assert_eq!(world.refusal(ADMIN, put(STRANGER, Some(Role::Admin))), Code::Forbidden);
    assert_eq!(world.refusal(ADMIN, put(MEMBER, Some(Role::Admin))), Code::Forbidden);
    assert_eq!(world.refusal(ADMIN, put(MEMBER, Some(Role::Owner))), Code::Forbidden);
    assert_eq!(world.refusal(ADMIN, put(OWNER, Some(Role::Reader))), Code::Forbidden);
    assert_eq!(world.refusal(MEMBER, put(OTHER, Some(Role::Reader))), Code::Forbidden);
    assert_eq!(world.refusal(MEMBER, put(MEMBER, Some(Role::Admin))), Code::Forbidden);
    world.done(ADMIN, put(MEMBER, Some(Role::Reader)));
    world.done(OWNER, put(MEMBER, Some(Role::Admin)));
    assert_eq!(world.refusal(ADMIN, put(MEMBER, Some(Role::Reader))), Code::Forbidden);
    world.done(ADMIN, put(ADMIN, Some(Role::Member)));
    as_logged(&world);
}

#[test]
fn the_last_owner_makes_another_one_first() {
    let mut world = World::group();
    assert_eq!(world.refusal(OWNER, remove(OWNER)), Code::Conflict);
    assert_eq!(world.refusal(OWNER, put(OWNER, Some(Role::Member))), Code::Conflict);
    world.done(OWNER, put(MEMBER, Some(Role::Owner)));
    assert_eq!(world.refusal(MEMBER, remove(OWNER)), Code::Forbidden);
    world.done(OWNER, remove(OWNER));
    assert_eq!(world.refusal(MEMBER, remove(MEMBER)), Code::Conflict);
    for who in [ADMIN, OTHER, READER] {
        world.done(MEMBER, remove(who));
    }
    world.done(MEMBER, remove(MEMBER));
    assert_eq!(world.room.member_count(), 0);
    as_logged(&world);
}

#[test]
fn an_owner_who_is_made_while_the_other_leaves_is_only_one_if_the_store_agrees() {
    let mut world = World::group();
    world.ask(OWNER, put(MEMBER, Some(Role::Owner)));
    world.ask(OWNER, remove(OWNER));
    world.fail();
    world.settle();
    assert_eq!(world.refusal(OWNER, remove(OWNER)), Code::Conflict);
    as_logged(&world);
}

#[test]
fn moderators_take_out_only_who_stands_below() {
    let mut world = World::group();
    assert_eq!(world.refusal(MEMBER, remove(READER)), Code::Forbidden);
    assert_eq!(world.refusal(ADMIN, remove(OWNER)), Code::Forbidden);
    assert_eq!(world.refusal(ADMIN, ban(OWNER)), Code::Forbidden);
    assert_eq!(world.refusal(ADMIN, remove(STRANGER)), Code::NotFound);
    world.done(ADMIN, remove(MEMBER));
    assert_eq!(world.notes, [Effect::Vanished { user: user(MEMBER) }]);
    assert_eq!(world.room.visible_from(user(MEMBER)), None);
    assert_eq!(world.refusal(MEMBER, post("hi")), Code::NotFound);
    as_logged(&world);
}

#[test]
fn who_is_banned_stays_out_until_unbanned() {
    let mut world = World::new(RoomKind::Group, beginning(Visibility::Public), RECENT);
    assert_eq!(world.refusal(MEMBER, ban(MEMBER)), Code::BadRequest);
    world.done(ADMIN, ban(MEMBER));
    world.done(ADMIN, ban(STRANGER));
    assert_eq!(world.refusal(ADMIN, ban(STRANGER)), Code::NotFound);
    for who in [MEMBER, STRANGER] {
        assert_eq!(world.refusal(who, put(who, None)), Code::Forbidden);
        assert_eq!(world.refusal(OWNER, put(who, None)), Code::Forbidden);
    }
    as_logged(&world);
    assert_eq!(world.refusal(OTHER, Intent::Unban { user: user(MEMBER) }), Code::Forbidden);
    world.done(ADMIN, Intent::Unban { user: user(MEMBER) });
    assert_eq!(world.refusal(ADMIN, Intent::Unban { user: user(MEMBER) }), Code::NotFound);
    world.done(MEMBER, put(MEMBER, None));
    as_logged(&world);
}

#[test]
fn who_comes_back_sees_from_then_on() {
    let mut world = World::group();
    world.done(MEMBER, remove(MEMBER));
    world.done(OWNER, post("between"));
    let back = world.done(ADMIN, put(MEMBER, None));
    assert_eq!(world.room.visible_from(user(MEMBER)), Some(back));
    as_logged(&world);
}

#[test]
fn nobody_mutes_upwards_or_themselves_or_before_they_came() {
    let mut world = World::group();
    let mute = |who| Intent::Put { user: user(who), role: None, muted_until: Some(Some(Millis(9_000))) };
    assert_eq!(world.refusal(ADMIN, mute(OWNER)), Code::Forbidden);
    assert_eq!(world.refusal(ADMIN, mute(ADMIN)), Code::Forbidden);
    assert_eq!(world.refusal(MEMBER, mute(READER)), Code::Forbidden);
    assert_eq!(world.refusal(ADMIN, mute(STRANGER)), Code::BadRequest);
    let both = Intent::Put { user: user(MEMBER), role: Some(Role::Reader), muted_until: Some(Some(Millis(9_000))) };
    assert_eq!(world.refusal(OWNER, both), Code::BadRequest);
}

#[test]
fn a_full_room_takes_nobody_until_somebody_goes() {
    let mut world = World::bounded(RoomKind::Group, beginning(Visibility::Public), RECENT, 5);
    assert_eq!(world.refusal(STRANGER, put(STRANGER, None)), Code::Conflict);
    world.done(MEMBER, remove(MEMBER));
    world.done(STRANGER, put(STRANGER, None));
}

#[test]
fn the_room_is_changed_and_ended_by_who_may() {
    let mut world = World::group();
    let rename = Intent::Change(RoomChange { name: Some("tea".into()), ..RoomChange::default() });
    assert_eq!(world.refusal(MEMBER, rename.clone()), Code::Forbidden);
    world.done(ADMIN, rename);
    let closed = Intent::Change(RoomChange { archived: Some(false), ..RoomChange::default() });
    assert_eq!(world.told(ADMIN, closed), Told::Unchanged);
    assert_eq!(world.refusal(ADMIN, Intent::End), Code::Forbidden);
    world.done(OWNER, Intent::End);
    as_logged(&world);
}

#[test]
fn the_server_takes_anybody_out_and_the_log_says_what_happened() {
    let mut world = World::group();
    assert!(matches!(by_server(&mut world, OWNER, remove(OWNER)), Told::Ack { .. }));
    assert!(matches!(by_server(&mut world, MEMBER, ban(MEMBER)), Told::Ack { .. }));
    assert_eq!(by_server(&mut world, STRANGER, remove(STRANGER)), Told::Nack(Code::NotFound, None));
    as_logged(&world);
}

#[test]
fn what_a_room_had_no_time_to_tell_the_next_one_tells() {
    let mut world = World::group();
    world.done(MEMBER, post("told"));
    let told = world.head();
    world.ask(ADMIN, put(STRANGER, None));
    world.ask(ADMIN, remove(OTHER));
    world.commit(2, true);
    // It ends before it learns that these are durable.
    let woken = World::new(RoomKind::Group, world.log.clone(), RECENT).room;
    let mut out = Vec::new();
    woken.tell_again(told, &mut out);
    let [Effect::FanOut(events), Effect::Appeared { user: came }, Effect::Vanished { user: gone }] = &out[..] else {
        panic!("{out:?}")
    };
    assert_eq!(events.iter().map(|logged| logged.event.seq).collect::<Vec<_>>(), [told + 1, told + 2]);
    assert_eq!((*came, *gone), (user(STRANGER), user(OTHER)));
    out.clear();
    woken.tell_again(world.head(), &mut out);
    assert_eq!(out, []);
}
