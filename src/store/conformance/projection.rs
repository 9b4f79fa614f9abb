//! What follows from events: memberships, rooms, the present state of messages.

use rookery_core::{
    event::{Content, MemberChange, Role, RoomChange, RoomChangeKind, RoomKind, Visibility},
    ids::UserId,
    time::Millis,
};

use super::fixture::{Awake, Stores, newest, part};
use crate::store::record::{Membership, Reaction, ReactionCount};

async fn members(room: &Awake<'_>) -> Vec<Membership> {
    room.stores.directory.members(room.room, part(200, None)).await.unwrap().items
}

async fn member(room: &Awake<'_>, user: UserId) -> Option<Membership> {
    room.stores.directory.membership(room.room, user).await.unwrap()
}

async fn count(room: &Awake<'_>) -> u64 {
    room.stores.directory.room(room.room).await.unwrap().unwrap().members
}

pub(super) async fn joining_and_leaving(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let mut room = stores.awake(stores.group(&[ada]).await).await;
    assert_eq!((count(&room).await, members(&room).await.len()), (1, 1));
    let joined = room.write(ada, joins(bert)).await;
    let membership = member(&room, bert).await.unwrap();
    assert_eq!((membership.role, membership.joined_at), (Role::Member, joined.at));
    assert_eq!((count(&room).await, members(&room).await.len()), (2, 2));
    room.member(bert, bert, MemberChange::Left, None).await;
    assert_eq!((count(&room).await, member(&room, bert).await), (1, None));
    assert!(stores.directory.rooms_of(bert).await.unwrap().is_empty());
    room.write(ada, joins(bert)).await;
    room.member(ada, bert, MemberChange::Removed, None).await;
    assert_eq!((count(&room).await, member(&room, bert).await), (1, None));
    let again = room.write(ada, joins(bert)).await;
    assert_eq!(member(&room, bert).await.unwrap().visible_from, again.seq, "a new membership, not the old one");
}

fn joins(user: UserId) -> Content {
    Content::Member { user, change: MemberChange::Joined, role: Some(Role::Member), until: None }
}

pub(super) async fn roles_and_mutes(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let mut room = stores.awake(stores.group(&[ada, bert]).await).await;
    room.member(ada, bert, MemberChange::Role, Some(Role::Admin)).await;
    assert_eq!(member(&room, bert).await.unwrap().role, Role::Admin);
    let mute = |until| Content::Member { user: bert, change: MemberChange::Muted, role: None, until };
    room.write(ada, mute(Some(Millis(9_000)))).await;
    let muted = member(&room, bert).await.unwrap();
    assert_eq!((muted.muted_until, muted.role), (Some(Millis(9_000)), Role::Admin));
    let snapshot = stores.awake_again(&room).await.snapshot;
    let in_snapshot = snapshot.members.iter().find(|member| member.user == bert).unwrap();
    assert_eq!((in_snapshot.role, in_snapshot.muted_until), (Role::Admin, Some(Millis(9_000))));
    let mut room = stores.awake_again(&room).await;
    room.write(ada, mute(None)).await;
    assert_eq!(member(&room, bert).await.unwrap().muted_until, None);
}

pub(super) async fn bans_outlast_leaving(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let mut room = stores.awake(stores.group(&[ada, bert]).await).await;
    room.member(ada, bert, MemberChange::Banned, None).await;
    assert_eq!((member(&room, bert).await, count(&room).await), (None, 1));
    let mut room = stores.awake_again(&room).await;
    assert_eq!(room.snapshot.banned, [bert]);
    // Somebody who is not in the room can be banned too; nobody is counted out twice.
    room.member(ada, bert, MemberChange::Banned, None).await;
    assert_eq!(count(&room).await, 1);
    room.member(ada, bert, MemberChange::Unbanned, None).await;
    let room = stores.awake_again(&room).await;
    assert!(room.snapshot.banned.is_empty());
}

pub(super) async fn what_a_member_sees_depends_on_the_room(stores: &Stores) {
    let (ada, bert, eve) = (stores.person("ada").await, stores.person("bert").await, stores.person("eve").await);
    for (kind, visibility, everything) in [
        (RoomKind::Group, Visibility::Private, false),
        (RoomKind::Group, Visibility::Public, true),
        (RoomKind::Channel, Visibility::Private, false),
        (RoomKind::Channel, Visibility::Public, true),
    ] {
        let mut room = stores.awake(stores.room(kind, visibility, "Birds", &[ada, bert]).await).await;
        let joined = room.write(ada, joins(eve)).await.seq;
        let expected = if everything { 1 } else { joined };
        assert_eq!(member(&room, eve).await.unwrap().visible_from, expected, "{kind:?} {visibility:?}");
        let snapshot = stores.awake_again(&room).await.snapshot;
        let in_snapshot = snapshot.members.iter().find(|member| member.user == eve).unwrap();
        assert_eq!(in_snapshot.visible_from, expected);
        let view = stores.directory.listing(room.room, eve).await.unwrap().unwrap().view.unwrap();
        assert_eq!(view.visible_from, expected);
    }
    let direct = stores.room(RoomKind::Direct, Visibility::Private, "", &[ada, bert]).await;
    for user in [ada, bert] {
        assert_eq!(stores.directory.membership(direct, user).await.unwrap().unwrap().visible_from, 1);
    }
}

pub(super) async fn a_channel_makes_readers(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    for (kind, role) in [(RoomKind::Channel, Role::Reader), (RoomKind::Group, Role::Member)] {
        let mut room = stores.awake(stores.room(kind, Visibility::Public, "Birds", &[ada]).await).await;
        room.member(bert, bert, MemberChange::Joined, None).await;
        assert_eq!(member(&room, bert).await.unwrap().role, role);
    }
}

pub(super) async fn the_room_changes_and_ends(stores: &Stores) {
    let ada = stores.person("ada").await;
    let mut room = stores.awake(stores.group(&[ada]).await).await;
    let change = RoomChange { name: Some("Owls".to_owned()), archived: Some(true), ..RoomChange::default() };
    room.write(ada, Content::Room(change)).await;
    let change = RoomChange { topic: Some("at night".to_owned()), ..RoomChange::default() };
    room.write(ada, Content::Room(change)).await;
    let announcement = RoomChangeKind::Announcement;
    let change = RoomChange { change: announcement, text: Some("hear".to_owned()), ..RoomChange::default() };
    room.write(ada, Content::Room(change)).await;
    let record = stores.directory.room(room.room).await.unwrap().unwrap();
    assert_eq!((record.name.as_str(), record.topic.as_str()), ("Owls", "at night"));
    assert_eq!((record.archived, record.visibility, record.deleted), (true, Visibility::Private, false));
    let mut room = stores.awake_again(&room).await;
    assert!(room.snapshot.archived);
    let change = RoomChange {
        topic: Some(String::new()),
        visibility: Some(Visibility::Public),
        archived: Some(false),
        ..RoomChange::default()
    };
    room.write(ada, Content::Room(change)).await;
    let record = stores.directory.room(room.room).await.unwrap().unwrap();
    assert_eq!((record.name.as_str(), record.topic.as_str()), ("Owls", ""));
    assert_eq!((record.archived, record.visibility), (false, Visibility::Public));

    let end = RoomChange { change: RoomChangeKind::Deleted, ..RoomChange::default() };
    room.write(ada, Content::Room(end)).await;
    let id = room.room;
    assert!(stores.directory.room(id).await.unwrap().unwrap().deleted);
    assert!(stores.awake_again(&room).await.snapshot.deleted);
    assert!(stores.directory.listing(id, ada).await.unwrap().is_none());
    assert_eq!(stores.directory.membership(id, ada).await, Ok(None));
    assert!(stores.directory.members(id, part(10, None)).await.unwrap().items.is_empty());
    assert!(stores.directory.rooms_of(ada).await.unwrap().is_empty());
    assert!(stores.directory.list_rooms(ada, part(10, None)).await.unwrap().items.is_empty());
    assert!(stores.directory.public_rooms(ada, "Owls".to_owned(), part(10, None)).await.unwrap().items.is_empty());
}

pub(super) async fn edits_show_the_newest_text(stores: &Stores) {
    let ada = stores.person("ada").await;
    let mut room = stores.awake(stores.group(&[ada]).await).await;
    let seq = room.say(ada, "frist").await;
    let other = room.say(ada, "untouched").await;
    room.write(ada, Content::Edit { target: seq, body: "first".to_owned() }).await;
    let edit = room.write(ada, Content::Edit { target: seq, body: "First".to_owned() }).await;
    let message = stores.log.message(room.room, seq, ada).await.unwrap().unwrap();
    assert_eq!((message.body.as_str(), message.edited_at, message.deleted), ("First", Some(edit.at), false));
    let message = stores.log.message(room.room, other, ada).await.unwrap().unwrap();
    assert_eq!((message.body.as_str(), message.edited_at), ("untouched", None));
    let listing = stores.directory.listing(room.room, ada).await.unwrap().unwrap();
    assert_eq!(listing.last_message.map(|message| message.seq), newest(stores, other));
    assert_eq!((listing.head, listing.active_at), (edit.seq, edit.at));
}

pub(super) async fn a_delete_takes_every_word_away(stores: &Stores) {
    const SECRETS: [&str; 3] = ["the nest is in the elm", "the nest is in the oak", "the nest is in the ash"];
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let mut room = stores.awake(stores.group(&[ada, bert]).await).await;
    let content = Content::Message {
        body: SECRETS[0].to_owned(),
        reply_to: Some(1),
        mentions: vec![bert],
        attachments: Vec::new(),
    };
    let seq = room.write(ada, content).await.seq;
    for secret in &SECRETS[1..] {
        room.write(ada, Content::Edit { target: seq, body: (*secret).to_owned() }).await;
    }
    let kept = room.say(ada, "what may stay").await;
    room.write(bert, Content::Reaction { target: seq, emoji: "🪺".to_owned(), remove: false }).await;
    room.write(ada, Content::Delete { target: seq, attachments: false }).await;
    // Too late, in the queue of a room that did not know yet.
    room.write(bert, Content::Reaction { target: seq, emoji: "🥚".to_owned(), remove: false }).await;

    let message = stores.log.message(room.room, seq, bert).await.unwrap().unwrap();
    assert_eq!((message.body.as_str(), message.deleted, message.edited_at), ("", true, None));
    assert_eq!((message.reply_to, message.mentions, message.reactions), (Some(1), Vec::new(), Vec::new()));
    assert!(stores.log.reactions(room.room, seq).await.unwrap().is_empty());
    let log = format!("{:?}", stores.log.events(room.room, 0, 100).await.unwrap());
    assert!(SECRETS.iter().all(|secret| !log.contains(secret)), "{log}");
    let untouched = stores.log.message(room.room, kept, ada).await.unwrap().unwrap();
    assert_eq!((untouched.body.as_str(), untouched.deleted), ("what may stay", false));
    if let Some((store, folder)) = &stores.sqlite {
        // Closing copies the write-ahead log back; nothing of the text is in any file.
        store.close().await;
        let mut read = 0;
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let path = file.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            read += bytes.len();
            let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
            let found: Vec<_> = SECRETS.iter().filter(|secret| holds(secret)).collect();
            assert!(found.is_empty(), "{found:?} in {path:?}");
        }
        assert!(read > 10_000);
    }
}

pub(super) async fn reactions_are_counted_once_per_person(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let mut room = stores.awake(stores.group(&[ada, bert]).await).await;
    let seq = room.say(ada, "hello").await;
    let react = |emoji: &str, remove| Content::Reaction { target: seq, emoji: emoji.to_owned(), remove };
    let first = room.write(bert, react("👍", false)).await;
    room.write(bert, react("👍", false)).await;
    let second = room.write(ada, react("👍", false)).await;
    let third = room.write(ada, react("❤️", false)).await;
    let of = |emoji: &str, user, at| Reaction { emoji: emoji.to_owned(), user, at };
    let all = [of("👍", bert, first.at), of("👍", ada, second.at), of("❤️", ada, third.at)];
    assert_eq!(stores.log.reactions(room.room, seq).await.unwrap(), all);
    let counted = |emoji: &str, count, mine| ReactionCount { emoji: emoji.to_owned(), count, mine };
    let message = stores.log.message(room.room, seq, bert).await.unwrap().unwrap();
    assert_eq!(message.reactions, [counted("👍", 2, true), counted("❤️", 1, false)]);
    room.write(bert, react("👍", true)).await;
    room.write(bert, react("❤️", true)).await;
    let message = stores.log.message(room.room, seq, bert).await.unwrap().unwrap();
    assert_eq!(message.reactions, [counted("👍", 1, false), counted("❤️", 1, false)]);
    let message = stores.log.message(room.room, seq, ada).await.unwrap().unwrap();
    assert_eq!(message.reactions, [counted("👍", 1, true), counted("❤️", 1, true)]);
}
