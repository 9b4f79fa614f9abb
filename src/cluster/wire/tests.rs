//! The vocabulary says the same as the core: what is translated and translated back is what it was.

use bytes::Bytes;
use rookery_core::{
    event::{Notify, Role, RoomChange, RoomChangeKind, RoomKind, Visibility},
    frame::{Code, Refusal as CoreRefusal, server::RoomView as CoreRoomView},
    ids::{ClientId, MediaId, RoomId, SessionId, UserId},
    media::{Attached as CoreAttached, Attachment, MediaKind},
    room::{Authority, Caller, Intent as CoreIntent, Write as CoreWrite},
    time::Millis,
};
use uuid::Uuid;

use super::{
    FanOut, Id,
    intent::{Refusal, Write},
    registry::RoomView,
    room::Ack,
};

fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

fn attached() -> Vec<CoreAttached> {
    [MediaKind::Picture, MediaKind::Voice, MediaKind::Audio, MediaKind::Video, MediaKind::File]
        .into_iter()
        .map(|kind| {
            let named = CoreAttached::named(MediaId(Uuid::from_u128(7)));
            let described = Attachment {
                kind,
                name: "häh".into(),
                media_type: "image/png".into(),
                size: 70_000,
                width: Some(3),
                height: Some(4),
                blurhash: Some("L".into()),
                thumbnail: true,
                duration_ms: Some(5),
                waveform: vec![0, 100],
                ..named.clone().into_print()
            };
            CoreAttached { described: Some(described), ..named }
        })
        .chain([CoreAttached::named(MediaId(Uuid::from_u128(8)))])
        .collect()
}

fn intents() -> Vec<CoreIntent> {
    let change = RoomChange {
        change: RoomChangeKind::Changed,
        name: Some("Nest".into()),
        topic: Some(String::new()),
        visibility: Some(Visibility::Private),
        archived: Some(true),
        text: None,
    };
    vec![
        CoreIntent::Post {
            body: "hi".into(),
            reply_to: Some(3),
            mentions: vec![user(4), user(5)],
            attachments: Vec::new(),
        },
        CoreIntent::Edit { target: 3, body: "ho".into() },
        CoreIntent::Delete { target: 3 },
        CoreIntent::React { target: 3, emoji: "🐦".into(), remove: true },
        CoreIntent::Put { user: user(6), role: Some(Role::Reader), muted_until: Some(Some(Millis(-7))) },
        CoreIntent::Put { user: user(6), role: None, muted_until: Some(None) },
        CoreIntent::Put { user: user(6), role: None, muted_until: None },
        CoreIntent::Remove { user: user(6), ban: true },
        CoreIntent::Unban { user: user(6) },
        CoreIntent::Change(change),
        CoreIntent::Announce { text: "hear".into() },
        CoreIntent::End,
        CoreIntent::Post { body: String::new(), reply_to: None, mentions: vec![user(4)], attachments: attached() },
    ]
}

#[test]
fn a_write_is_the_same_on_the_other_side() {
    let caller = Caller::Session { hub: 3, session: SessionId(Uuid::from_u128(9)), id: Some("17".into()) };
    for authority in [Authority::Member, Authority::Server] {
        for intent in intents() {
            let client_id = ClientId(Uuid::from_u128(8));
            let write = CoreWrite {
                caller: caller.clone(),
                user: user(1),
                authority,
                client_id,
                seen: 5,
                again: true,
                after: None,
                intent,
            };
            assert_eq!(Write::from(&write).into_core(caller.clone()), write);
        }
    }
}

#[test]
fn a_refusal_is_the_same_on_the_other_side() {
    for code in Code::ALL {
        let refusal = CoreRefusal::field(code, "client_id", "no").after(200);
        assert_eq!(CoreRefusal::from(Refusal::from(refusal.clone())), refusal);
    }
    let newer = Refusal { code: "shy".into(), detail: "no".into(), field: Some("mood".into()), retry_after_ms: None };
    assert_eq!(CoreRefusal::from(newer), CoreRefusal::new(Code::Unavailable, "no"));
}

#[test]
fn a_view_of_a_room_is_the_same_on_the_other_side() {
    for (kind, notify) in
        [(RoomKind::Direct, Notify::All), (RoomKind::Group, Notify::Mentions), (RoomKind::Channel, Notify::None)]
    {
        let view = CoreRoomView {
            room: RoomId(Uuid::from_u128(1)),
            kind,
            name: "Nest".into(),
            role: Role::Owner,
            head: 9,
            read: 8,
            delivered: 7,
            unread: 1,
            notify,
            visible_from: 2,
        };
        assert_eq!(CoreRoomView::from(RoomView::from(view.clone())), view);
    }
}

fn fan_out() -> FanOut {
    FanOut {
        room: Id([1; 16]),
        first: 4,
        last: 5,
        joined: Bytes::from_static(b"onetwo").into(),
        ends: vec![3, 6],
        removed: vec![(5, user(7).into())],
        acks: vec![Ack {
            hub: 2,
            session: Id([3; 16]),
            client_id: Id([4; 16]),
            seq: 4,
            frame: Bytes::from_static(b"ack").into(),
        }],
    }
}

#[test]
fn only_a_sound_fan_out_may_be_sliced() {
    assert!(fan_out().is_sound());
    let unsound: [fn(&mut FanOut); 6] = [
        |it| it.last = 6,
        |it| it.last = 3,
        |it| it.ends = vec![3, 7],
        |it| it.ends = vec![6, 3],
        |it| it.ends = vec![],
        |it| (it.first, it.last) = (0, u64::MAX),
    ];
    for (n, change) in unsound.into_iter().enumerate() {
        let mut changed = fan_out();
        change(&mut changed);
        assert!(!changed.is_sound(), "change {n}");
    }
}

#[test]
fn events_that_are_shed_leave_their_acks() {
    let answers: Vec<_> = fan_out().into_answers().collect();
    assert_eq!(answers.len(), 1);
    assert_eq!((answers[0].hub, answers[0].client_id, &answers[0].frame.0[..]), (2, Some(Id([4; 16])), &b"ack"[..]));
}

#[test]
fn ids_spread_over_relays() {
    let keys: Vec<u64> = (0..1_000_u128).map(|n| Id::from(user(n * 0x9E37_79B9_7F4A_7C15)).key() % 2).collect();
    let odd = keys.iter().sum::<u64>();
    assert!((400..600).contains(&odd), "{odd} of 1000");
}
