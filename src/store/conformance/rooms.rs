//! Rooms: their beginning, and the lists that they stand in.

use std::collections::BTreeSet;

use rookery_core::{
    event::{Content, MemberChange, Notify, Role, RoomChange, RoomKind, Visibility},
    ids::{RoomId, UserId},
    time::Millis,
};
use uuid::Uuid;

use super::fixture::{Stores, newest, part};
use crate::store::{Page, Range, StoreError, record::Created};

/// Walks a list to its end in pages of two.
async fn walk<T, K>(mut next_page: impl AsyncFnMut(Range) -> Page<T>, key: impl Fn(T) -> K) -> Vec<K> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = next_page(part(2, after)).await;
        assert!(page.items.len() <= 2);
        all.extend(page.items.into_iter().map(&key));
        match page.next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
}

pub(super) async fn a_room_begins_with_its_events(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let new = stores.new_room(RoomKind::Channel, Visibility::Public, "News", &[ada, bert]);
    let (mut record, events) = (new.record.clone(), new.events.clone());
    assert_eq!(stores.directory.create_room(new).await, Ok(Created::New));
    record.members = 2;
    assert_eq!(stores.directory.room(record.id).await, Ok(Some(record.clone())));
    assert_eq!(stores.log.events(record.id, 0, 10).await, Ok(events));
    let membership = stores.directory.membership(record.id, ada).await.unwrap().unwrap();
    assert_eq!((membership.role, membership.notify, membership.muted_until), (Role::Owner, Notify::All, None));
    assert_eq!(stores.directory.room(RoomId(Uuid::now_v7())).await, Ok(None));
    let mut holed = stores.new_room(RoomKind::Group, Visibility::Private, "Holes", &[ada]);
    holed.events[1].seq = 3;
    let id = holed.record.id;
    assert!(stores.directory.create_room(holed).await.is_err());
    assert_eq!(stores.directory.room(id).await, Ok(None), "all or nothing");
}

pub(super) async fn two_people_have_one_direct_room(stores: &Stores) {
    let (ada, bert, eve) = (stores.person("ada").await, stores.person("bert").await, stores.person("eve").await);
    let tries = (0..6).map(|n| {
        let pair = if n % 2 == 0 { [ada, bert] } else { [bert, ada] };
        let room = stores.new_room(RoomKind::Direct, Visibility::Private, "", &pair);
        async { (room.record.id, stores.directory.create_room(room).await.unwrap()) }
    });
    let results = futures_util::future::join_all(tries).await;
    let news: Vec<RoomId> = results.iter().filter(|(_, created)| *created == Created::New).map(|(id, _)| *id).collect();
    let [room] = news.as_slice() else { panic!("one room, not {news:?}") };
    assert!(results.iter().all(|(_, created)| matches!(created, Created::New) || *created == Created::Existing(*room)));
    assert_eq!(stores.directory.direct_room(bert, ada).await, Ok(Some(*room)));
    assert_eq!(stores.directory.direct_room(ada, bert).await, Ok(Some(*room)));
    assert_eq!(stores.directory.direct_room(ada, eve).await, Ok(None));
    let pair = stores.directory.room(*room).await.unwrap().unwrap().pair.unwrap();
    assert_eq!(BTreeSet::from([pair.0, pair.1]), BTreeSet::from([ada, bert]));
    let other = stores.new_room(RoomKind::Direct, Visibility::Private, "", &[ada, eve]);
    assert_eq!(stores.directory.create_room(other).await, Ok(Created::New));
}

pub(super) async fn who_blocks_whom_is_known_on_waking(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let direct = stores.room(RoomKind::Direct, Visibility::Private, "", &[ada, bert]).await;
    let room = stores.awake(direct).await;
    assert!(room.snapshot.blocking.is_empty());
    stores.directory.block(bert, ada, Millis(1)).await.unwrap();
    let room = stores.awake_again(&room).await;
    assert_eq!(room.snapshot.blocking, [bert]);
    let group = stores.awake(stores.group(&[ada, bert]).await).await;
    assert!(group.snapshot.blocking.is_empty(), "only between the two of a direct room");
}

pub(super) async fn rooms_are_listed_newest_activity_first(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let mut rooms = Vec::new();
    for _ in 0..5 {
        rooms.push(stores.group(&[ada, bert]).await);
    }
    stores.group(&[bert]).await;
    for at in [3, 1] {
        stores.awake(rooms[at]).await.say(bert, "hello").await;
    }
    let listed = walk(async |range| stores.directory.list_rooms(ada, range).await.unwrap(), |room| room.record.id);
    let expected = [1, 3, 4, 2, 0].map(|at| rooms[at]);
    assert_eq!(listed.await, expected);
    let page = stores.directory.list_rooms(ada, part(10, None)).await.unwrap();
    assert_eq!((page.next, page.items.len()), (None, 5));
    assert_eq!(page.items[0].last_message.as_ref().map(|message| message.body.as_str()), newest(stores, "hello"));
    assert_eq!((page.items[0].head, page.items[0].record.members), (4, 2));
    assert!(page.items[2].last_message.is_none());
    let views = stores.directory.rooms_of(ada).await.unwrap();
    let ids: BTreeSet<RoomId> = views.iter().map(|view| view.room).collect();
    assert_eq!(ids, rooms.into_iter().collect());
    assert_eq!((views[0].kind, views[0].name.as_str(), views[0].role), (RoomKind::Group, "Birds", Role::Owner));
}

pub(super) async fn a_listing_shows_what_its_reader_may_see(stores: &Stores) {
    let (ada, bert, eve) = (stores.person("ada").await, stores.person("bert").await, stores.person("eve").await);
    let mut room = stores.awake(stores.group(&[ada]).await).await;
    let seq = room.say(ada, "before bert").await;
    room.member(ada, bert, MemberChange::Joined, None).await;
    let listing = async |user| stores.directory.listing(room.room, user).await.unwrap().unwrap();
    let of_ada = listing(ada).await;
    assert_eq!(of_ada.last_message.map(|message| message.seq), newest(stores, seq));
    assert_eq!((of_ada.head, of_ada.view.unwrap().role), (4, Role::Owner));
    let of_bert = listing(bert).await;
    assert!(of_bert.last_message.is_none() && of_bert.view.is_some());
    let of_eve = listing(eve).await;
    assert!(of_eve.last_message.is_none() && of_eve.view.is_none());
    assert!(stores.directory.listing(RoomId(Uuid::now_v7()), ada).await.unwrap().is_none());
}

pub(super) async fn public_rooms_are_found_by_name(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let open = async |name: &str| stores.room(RoomKind::Group, Visibility::Public, name, &[ada]).await;
    for name in ["Owls", "night owls", "100% birds", "100 birds", "snake_case", "snakes"] {
        open(name).await;
    }
    stores.room(RoomKind::Group, Visibility::Private, "Secret owls", &[ada]).await;
    let found = async |query: &str| {
        let page = async |range| stores.directory.public_rooms(bert, query.to_owned(), range).await.unwrap();
        walk(page, |room| room.record.name).await
    };
    assert_eq!(found("owls").await, ["night owls", "Owls"]);
    assert_eq!(found("0%").await, ["100% birds"]);
    assert_eq!(found("_").await, ["snake_case"]);
    assert_eq!(found("").await, ["100 birds", "100% birds", "night owls", "Owls", "snake_case", "snakes"]);
    let room = open("Larks").await;
    stores.awake(room).await.say(ada, "in the morning").await;
    let of = async |user: UserId| {
        stores.directory.public_rooms(user, "larks".to_owned(), part(5, None)).await.unwrap().items.remove(0)
    };
    let (mine, theirs) = (of(ada).await, of(bert).await);
    assert_eq!(mine.last_message.map(|message| message.body), newest(stores, "in the morning".to_owned()));
    assert!(mine.view.is_some() && theirs.view.is_none() && theirs.last_message.is_none());
}

pub(super) async fn operators_find_rooms_by_name_and_id(stores: &Stores) {
    let ada = stores.person("ada").await;
    let mut rooms = Vec::new();
    for name in ["Owls", "Owlets", "Larks"] {
        rooms.push(stores.room(RoomKind::Group, Visibility::Private, name, &[ada]).await);
    }
    let found = async |query: String| {
        let page = async |range| stores.directory.search_rooms(query.clone(), range).await.unwrap();
        walk(page, |room| room.id).await
    };
    assert_eq!(found("owl".to_owned()).await, rooms[..2]);
    assert_eq!(found(String::new()).await, rooms);
    assert!(found("%".to_owned()).await.is_empty());
    let id = rooms[2].to_string();
    assert_eq!(found(id.clone()).await, rooms[2..]);
    assert_eq!(found(id[..35].to_owned()).await, rooms[2..]);
    let alike: Vec<_> = rooms.iter().copied().filter(|room| room.to_string().starts_with(&id[..9])).collect();
    assert_eq!(found(id[..9].to_owned()).await, alike);
    assert!(found(format!("{id}0")).await.is_empty());
}

pub(super) async fn members_are_listed_by_role_then_time(stores: &Stores) {
    let mut people = Vec::new();
    for n in 0..6 {
        people.push(stores.person(&format!("person{n}")).await);
    }
    let id = stores.group(&people).await;
    let mut room = stores.awake(id).await;
    for (at, role) in [(1, Role::Reader), (4, Role::Admin), (5, Role::Admin)] {
        room.member(people[0], people[at], MemberChange::Role, Some(role)).await;
    }
    let listed = walk(async |range| stores.directory.members(id, range).await.unwrap(), |member| member.user).await;
    assert_eq!(listed, [0, 4, 5, 2, 3, 1].map(|at| people[at]));
}

pub(super) async fn what_members_want_to_be_told(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let id = stores.group(&[ada]).await;
    stores.directory.set_notify(id, ada, Notify::Mentions, Some(Millis(77))).await.unwrap();
    let membership = stores.directory.membership(id, ada).await.unwrap().unwrap();
    assert_eq!((membership.notify, membership.notify_muted_until), (Notify::Mentions, Some(Millis(77))));
    assert_eq!(stores.directory.rooms_of(ada).await.unwrap()[0].notify, Notify::Mentions);
    stores.directory.set_notify(id, ada, Notify::None, None).await.unwrap();
    let membership = stores.directory.membership(id, ada).await.unwrap().unwrap();
    assert_eq!((membership.notify, membership.notify_muted_until), (Notify::None, None));
    let refused = stores.directory.set_notify(id, bert, Notify::All, None).await;
    assert_eq!(refused, Err(StoreError::NotFound));
}

pub(super) async fn counts_leave_out_what_is_gone(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let mut room = stores.awake(stores.group(&[ada]).await).await;
    stores.group(&[bert]).await;
    let counts = async || {
        let counts = stores.directory.counts().await.unwrap();
        (counts.users, counts.rooms)
    };
    assert_eq!(counts().await, (2, 2));
    let end = RoomChange { change: rookery_core::event::RoomChangeKind::Deleted, ..RoomChange::default() };
    room.write(ada, Content::Room(end)).await;
    stores.directory.erase_user(bert).await.unwrap();
    assert_eq!(counts().await, (1, 1));
}
