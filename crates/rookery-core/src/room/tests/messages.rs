//! Who may say what, change it, take it back, react to it.

use super::{world::*, *};
use crate::{ids::MediaId, media::Attached};

fn edit(target: Seq) -> Intent {
    Intent::Edit { target, body: "other".into() }
}

fn delete(target: Seq) -> Intent {
    Intent::Delete { target }
}

fn react(target: Seq) -> Intent {
    Intent::React { target, emoji: "👍".into(), remove: false }
}

fn archive(on: bool) -> Intent {
    Intent::Change(RoomChange { archived: Some(on), ..RoomChange::default() })
}

fn mute(who: u8, until: Option<Millis>) -> Intent {
    Intent::Put { user: user(who), role: None, muted_until: Some(until) }
}

fn direct() -> World {
    let log = vec![
        event(1, OWNER, created(Visibility::Private)),
        event(2, OWNER, joined(OWNER, Role::Member)),
        event(3, OWNER, joined(MEMBER, Role::Member)),
        event(4, OWNER, text("hello")),
    ];
    World::new(RoomKind::Direct, log, RECENT)
}

#[test]
fn everybody_but_readers_writes() {
    let mut world = World::group();
    for who in [OWNER, ADMIN, MEMBER, OTHER] {
        world.done(who, post("hi"));
    }
    assert_eq!(world.refusal(READER, post("hi")), Code::Forbidden);
    assert_eq!(world.refusal(STRANGER, post("hi")), Code::NotFound);
}

#[test]
fn a_stranger_learns_of_a_public_room_and_of_no_other() {
    for (visibility, code) in [(Visibility::Private, Code::NotFound), (Visibility::Public, Code::NotMember)] {
        let mut world = World::new(RoomKind::Group, beginning(visibility), RECENT);
        for intent in [post("hi"), edit(OWNERS_MESSAGE), delete(OWNERS_MESSAGE), react(OWNERS_MESSAGE), archive(true)] {
            assert_eq!(world.refusal(STRANGER, intent), code);
        }
        let others = [
            Intent::Remove { user: user(MEMBER), ban: false },
            Intent::Unban { user: user(MEMBER) },
            Intent::Put { user: user(MEMBER), role: Some(Role::Reader), muted_until: None },
            Intent::End,
        ];
        for intent in others {
            assert_eq!(world.refusal(STRANGER, intent), code);
        }
    }
}

#[test]
fn what_is_ended_is_gone_for_members_and_never_was_for_others() {
    let mut world = World::new(RoomKind::Group, beginning(Visibility::Public), RECENT);
    world.done(OWNER, Intent::End);
    assert_eq!(world.refusal(MEMBER, post("hi")), Code::Gone);
    assert_eq!(world.refusal(OWNER, Intent::End), Code::Gone);
    assert_eq!(world.refusal(STRANGER, post("hi")), Code::NotFound);
    assert_eq!(world.notes.iter().filter(|note| matches!(note, Effect::Vanished { .. })).count(), 5);
    assert_eq!(world.notes.last(), Some(&Effect::Ended));
}

#[test]
fn only_the_author_edits() {
    let mut world = World::group();
    world.done(MEMBER, edit(MEMBERS_MESSAGE));
    for who in [OWNER, ADMIN, OTHER] {
        assert_eq!(world.refusal(who, edit(MEMBERS_MESSAGE)), Code::Forbidden);
    }
}

#[test]
fn the_author_and_admins_take_back_once() {
    let mut world = World::group();
    assert_eq!(world.refusal(OTHER, delete(MEMBERS_MESSAGE)), Code::Forbidden);
    world.done(MEMBER, delete(MEMBERS_MESSAGE));
    world.done(ADMIN, delete(OWNERS_MESSAGE));
    for intent in [delete(MEMBERS_MESSAGE), edit(MEMBERS_MESSAGE), react(MEMBERS_MESSAGE)] {
        assert_eq!(world.refusal(MEMBER, intent), Code::Gone);
    }
}

#[test]
fn what_was_taken_back_is_not_replayed_from_memory() {
    let mut world = World::group();
    let said = world.done(MEMBER, post("secret one"));
    world.done(MEMBER, Intent::Edit { target: said, body: "secret two".into() });
    world.done(MEMBER, post("harmless"));
    world.done(MEMBER, delete(said));
    let kept: Vec<_> = world.room.events_after(0).unwrap().collect();
    assert_eq!(kept.len(), 14);
    assert!(kept.iter().all(|logged| !String::from_utf8_lossy(&logged.text).contains("secret")));
    assert!(kept.iter().all(|logged| codec::encode_event(&logged.event) == logged.text));
    assert!(kept.iter().any(|logged| String::from_utf8_lossy(&logged.text).contains("harmless")));
    assert_eq!(world.room.recent_bytes, kept.iter().map(|logged| logged.text.len()).sum::<usize>());
}

#[test]
fn readers_react() {
    let mut world = World::group();
    world.done(READER, react(OWNERS_MESSAGE));
    world.done(READER, Intent::React { target: OWNERS_MESSAGE, emoji: "👍".into(), remove: true });
}

#[test]
fn what_is_no_message_cannot_be_meant() {
    let mut world = World::group();
    for target in [0, 1, 2, 11, 500] {
        for intent in [edit(target), delete(target), react(target)] {
            assert_eq!(world.refusal(MEMBER, intent), Code::NotFound);
        }
    }
    for seq in [0, 11] {
        let reply =
            Intent::Post { body: "hi".into(), reply_to: Some(seq), mentions: Vec::new(), attachments: Vec::new() };
        assert_eq!(world.told(MEMBER, reply), Told::Nack(Code::BadRequest, Some("reply_to")));
    }
    let mention =
        Intent::Post { body: "hi".into(), reply_to: Some(7), mentions: vec![user(STRANGER)], attachments: Vec::new() };
    assert_eq!(world.told(MEMBER, mention), Told::Nack(Code::BadRequest, Some("mentions")));
}

#[test]
fn the_same_is_so_for_what_only_the_store_remembers() {
    let mut world = World::new(RoomKind::Group, beginning(Visibility::Private), 0);
    assert_eq!(world.refusal(OTHER, edit(MEMBERS_MESSAGE)), Code::Forbidden);
    assert_eq!(world.refusal(OTHER, edit(3)), Code::NotFound);
    world.done(MEMBER, edit(MEMBERS_MESSAGE));
    world.done(MEMBER, delete(MEMBERS_MESSAGE));
    assert_eq!(world.refusal(MEMBER, edit(MEMBERS_MESSAGE)), Code::Gone);
    let mut woken = World::new(RoomKind::Group, world.log, 0);
    assert_eq!(woken.refusal(MEMBER, edit(MEMBERS_MESSAGE)), Code::Gone);
}

#[test]
fn two_who_take_back_the_same_at_once_are_not_both_right() {
    let mut world = World::new(RoomKind::Group, beginning(Visibility::Private), 0);
    let first = world.ask_as(MEMBER, key(1), 10, delete(MEMBERS_MESSAGE));
    let second = world.ask_as(ADMIN, key(2), 10, delete(MEMBERS_MESSAGE));
    world.settle();
    assert!(matches!(world.answer_to(first), Told::Ack { .. }));
    assert!(matches!(world.answer_to(second), Told::Nack(Code::Gone, _)));
}

#[test]
fn what_was_said_before_somebody_came_is_not_there_for_them() {
    let mut world = World::group();
    let put = Intent::Put { user: user(STRANGER), role: Some(Role::Admin), muted_until: None };
    let came = world.done(OWNER, put);
    assert_eq!(world.room.visible_from(user(STRANGER)), Some(came));
    for intent in [delete(OWNERS_MESSAGE), react(OWNERS_MESSAGE)] {
        assert_eq!(world.refusal(STRANGER, intent), Code::NotFound);
    }
    let mut public = World::new(RoomKind::Group, beginning(Visibility::Public), RECENT);
    public.done(STRANGER, Intent::Put { user: user(STRANGER), role: None, muted_until: None });
    assert_eq!(public.room.visible_from(user(STRANGER)), Some(1));
    public.done(STRANGER, react(OWNERS_MESSAGE));
}

#[test]
fn an_archived_room_takes_no_words_but_still_lets_them_be_taken_back() {
    let mut world = World::group();
    world.done(ADMIN, archive(true));
    for intent in [post("hi"), edit(MEMBERS_MESSAGE), react(MEMBERS_MESSAGE)] {
        assert_eq!(world.refusal(MEMBER, intent), Code::Archived);
    }
    world.done(MEMBER, delete(MEMBERS_MESSAGE));
    world.done(ADMIN, archive(false));
    world.done(MEMBER, post("hi"));
}

#[test]
fn who_is_muted_is_told_for_how_long() {
    let mut world = World::group();
    let until = world.now.plus(5_000);
    world.done(ADMIN, mute(MEMBER, Some(until)));
    let mut out = Vec::new();
    let write = Write {
        caller: Caller::Request(0),
        user: user(MEMBER),
        authority: Authority::Member,
        client_id: key(900),
        seen: 11,
        again: false,
        after: None,
        intent: post("hi"),
    };
    world.room.step(Input::Write(write), world.now, &mut out);
    let [Effect::Nack { refusal, .. }] = &out[..] else { panic!("{out:?}") };
    assert_eq!((refusal.code, refusal.retry_after_ms), (Code::Muted, Some(5_000)));
    assert_eq!(world.refusal(MEMBER, edit(MEMBERS_MESSAGE)), Code::Muted);
    world.now = until;
    world.done(MEMBER, post("hi"));
    let until = world.now.plus(5_000);
    world.done(ADMIN, mute(MEMBER, Some(until)));
    world.done(ADMIN, mute(MEMBER, None));
    world.done(MEMBER, post("hi"));
    assert_eq!(world.refusal(ADMIN, mute(MEMBER, Some(world.now))), Code::BadRequest);
}

#[test]
fn who_is_blocked_says_nothing_in_a_direct_room() {
    let mut world = direct();
    world.done(MEMBER, post("hi"));
    world.step(Input::Blocked { by: user(OWNER), on: true });
    for intent in [post("hi"), edit(5), react(4)] {
        assert_eq!(world.refusal(MEMBER, intent), Code::Blocked);
    }
    world.done(OWNER, post("I still may"));
    world.step(Input::Blocked { by: user(OWNER), on: false });
    world.done(MEMBER, post("hi"));
}

#[test]
fn a_direct_room_stays_as_it_is() {
    let mut world = direct();
    let intents = [
        Intent::Put { user: user(STRANGER), role: None, muted_until: None },
        Intent::Put { user: user(MEMBER), role: Some(Role::Owner), muted_until: None },
        Intent::Remove { user: user(MEMBER), ban: false },
        Intent::Remove { user: user(OWNER), ban: false },
        archive(true),
        delete(4),
        Intent::End,
    ];
    for (n, intent) in intents.into_iter().enumerate() {
        let who = if matches!(intent, Intent::Delete { .. }) { MEMBER } else { OWNER };
        assert_eq!(world.refusal(who, intent), Code::Forbidden, "{n}");
    }
    assert_eq!(world.refusal(STRANGER, post("hi")), Code::NotFound);
    let join = Intent::Put { user: user(STRANGER), role: None, muted_until: None };
    assert_eq!(world.refusal(STRANGER, join), Code::NotFound);
}

#[test]
fn only_operators_announce() {
    let mut world = World::group();
    let announce = Intent::Announce { text: "maintenance at noon".into() };
    assert_eq!(world.refusal(OWNER, announce.clone()), Code::Forbidden);
    let write = Write {
        caller: Caller::Request(0),
        user: user(STRANGER),
        authority: Authority::Server,
        client_id: key(900),
        seen: 0,
        again: false,
        after: None,
        intent: announce,
    };
    let number = world.ask_write(write);
    world.settle();
    assert!(matches!(world.answer_to(number), Told::Ack { .. }));
}

fn carrying(n: u128) -> (Attached, Intent) {
    let named = Attached::named(MediaId(Uuid::from_u128(n)));
    let attached = Attached { described: Some(named.clone().into_print()), ..named };
    let attachments = vec![attached.clone()];
    (attached, Intent::Post { body: String::new(), reply_to: None, mentions: Vec::new(), attachments })
}

#[test]
fn a_message_carries_files_that_were_found_and_no_others() {
    let mut world = World::group();
    let (attached, intent) = carrying(1);
    let seq = world.done(MEMBER, intent);
    let written = world.log.last().unwrap();
    let Content::Message { attachments, .. } = &written.content else { panic!("{written:?}") };
    assert_eq!(written.seq, seq);
    assert_eq!(attachments, &[attached.described.unwrap()]);
    let missing = vec![Attached::named(MediaId(Uuid::from_u128(2)))];
    let intent = Intent::Post { body: "hi".into(), reply_to: None, mentions: Vec::new(), attachments: missing };
    let number = world.ask(MEMBER, intent);
    assert_eq!(world.answer_to(number), Told::Nack(Code::BadRequest, Some("attachments")));
}

#[test]
fn who_asks_again_for_a_file_that_is_gone_meanwhile_gets_the_same_number() {
    let mut world = World::group();
    let (attached, intent) = carrying(1);
    world.ask_as(MEMBER, key(1), 10, intent);
    world.settle();
    let gone = vec![Attached::named(attached.id)];
    let again = Intent::Post { body: String::new(), reply_to: None, mentions: Vec::new(), attachments: gone };
    let number = world.ask_as(MEMBER, key(1), 10, again.clone());
    assert_eq!(world.answer_to(number), Told::Ack { seq: 11, repeat: true });
    let number = world.ask_as(MEMBER, key(1), 10, carrying(2).1);
    assert_eq!(world.answer_to(number), Told::Nack(Code::Conflict, Some("client_id")));
    world.done(MEMBER, delete(11));
    let number = world.ask_as(MEMBER, key(1), 10, again);
    assert_eq!(world.answer_to(number), Told::Ack { seq: 11, repeat: true });
}

#[test]
fn a_delete_says_whether_files_go_with_the_message() {
    let mut world = World::group();
    let carries = world.done(MEMBER, carrying(1).1);
    let plain = world.done(MEMBER, post("hi"));
    for (seq, expected) in [(carries, true), (plain, false)] {
        let deleted = world.done(MEMBER, delete(seq));
        let written = world.log.last().unwrap();
        assert_eq!(written.seq, deleted);
        assert_eq!(written.content, Content::Delete { target: seq, attachments: expected });
    }
}
