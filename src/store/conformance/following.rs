//! What a projection promises of logs that live elsewhere.

use std::sync::Arc;

use rookery_core::{
    event::{Content, Event, MemberChange, Role, RoomChange, RoomKind, Visibility},
    ids::{ClientId, RoomId, Seq, UserId},
    room::SnapshotMember,
    time::Millis,
};
use uuid::Uuid;

use super::fixture::{Stores, message, part};
use crate::store::{
    Projection, StoreError,
    log::Marks,
    projection::{CountedMarks, PublishedHead, Run, Standing},
    record::Created,
};

fn projection(stores: &Stores) -> &dyn Projection {
    stores.projection.as_deref().unwrap()
}

async fn standing(stores: &Stores, room: RoomId) -> Standing {
    projection(stores).standing(room).await.unwrap().unwrap()
}

fn event(stores: &Stores, room: RoomId, seq: Seq, sender: UserId, content: Content) -> Arc<Event> {
    let client_id = ClientId(Uuid::now_v7());
    Arc::new(Event { room, seq, at: stores.now(), sender, client_id, messages: 0, content })
}

fn change(user: UserId, change: MemberChange, role: Option<Role>) -> Content {
    Content::Member { user, change, role, until: None }
}

fn renamed(name: &str) -> Content {
    Content::Room(RoomChange { name: Some(name.to_owned()), ..RoomChange::default() })
}

/// A part of the log that holds these events.
fn run(after: Seq, events: &[&Arc<Event>], upto: Seq) -> Run {
    Run { after, events: events.iter().map(|event| Arc::clone(event)).collect(), upto }
}

fn users(standing: &Standing) -> Vec<UserId> {
    standing.members.iter().map(|member| member.user).collect()
}

pub(super) async fn a_room_stands_as_it_began(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let new = stores.new_room(RoomKind::Channel, Visibility::Public, "News", &[ada, bert]);
    let (room, events) = (new.record.id, new.events.clone());
    assert_eq!(stores.directory.create_room(new).await, Ok(Created::New));
    let member = |user, role| SnapshotMember { user, role, visible_from: 1, muted_until: None };
    let mut members = vec![member(ada, Role::Owner), member(bert, Role::Member)];
    members.sort_by_key(|member| member.user);
    let expected = Standing {
        kind: RoomKind::Channel,
        visibility: Visibility::Public,
        archived: false,
        deleted: false,
        members,
        banned: Vec::new(),
        blocking: Vec::new(),
        applied: 3,
        beginning: events,
        head: 3,
        messages: 0,
    };
    assert_eq!(standing(stores, room).await, expected);
    assert_eq!(projection(stores).standing(RoomId(Uuid::now_v7())).await, Ok(None));
}

pub(super) async fn a_run_is_applied_once(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let room = stores.group(&[ada]).await;
    let joins = event(stores, room, 3, ada, change(bert, MemberChange::Joined, None));
    let leaves = event(stores, room, 4, bert, change(bert, MemberChange::Left, None));
    let again = event(stores, room, 5, ada, change(bert, MemberChange::Joined, Some(Role::Admin)));
    let all = run(2, &[&joins, &leaves, &again], 5);
    for _ in 0..2 {
        assert_eq!(projection(stores).apply(room, all.clone()).await, Ok(5));
        let membership = stores.directory.membership(room, bert).await.unwrap().unwrap();
        assert_eq!((membership.role, membership.visible_from), (Role::Admin, 5));
        assert_eq!(stores.directory.room(room).await.unwrap().unwrap().members, 2);
    }
    // An older run, as a node gives it that was slow to notice: nothing goes back.
    assert_eq!(projection(stores).apply(room, run(2, &[&joins, &leaves], 4)).await, Ok(5));
    assert_eq!(users(&standing(stores, room).await).len(), 2);
    let nowhere = stores.room_id();
    assert_eq!(projection(stores).apply(nowhere, run(0, &[], 1)).await, Err(StoreError::NotFound));
}

pub(super) async fn a_run_with_events_missing_before_it_changes_nothing(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let room = stores.group(&[ada]).await;
    let joins = event(stores, room, 9, ada, change(bert, MemberChange::Joined, None));
    assert_eq!(projection(stores).apply(room, run(8, &[&joins], 9)).await, Ok(2));
    assert_eq!(users(&standing(stores, room).await), [ada]);
    let banned = event(stores, room, 5, ada, change(bert, MemberChange::Banned, None));
    assert_eq!(projection(stores).apply(room, run(2, &[&banned, &joins], 9)).await, Ok(9));
    let now = standing(stores, room).await;
    assert_eq!((now.applied, now.banned, now.members.len()), (9, vec![bert], 2));
}

pub(super) async fn a_run_that_was_applied_in_part_goes_on(stores: &Stores) {
    let ada = stores.person("ada").await;
    let room = stores.group(&[ada]).await;
    let names: Vec<_> = (3..=5).map(|seq| event(stores, room, seq, ada, renamed(&format!("Name {seq}")))).collect();
    assert_eq!(projection(stores).apply(room, run(2, &[&names[0], &names[1]], 4)).await, Ok(4));
    let moderator = event(stores, room, 4, ada, renamed("what stood there is not looked at again"));
    assert_eq!(projection(stores).apply(room, run(2, &[&names[0], &moderator, &names[2]], 7)).await, Ok(7));
    assert_eq!(stores.directory.room(room).await.unwrap().unwrap().name, "Name 5");
    assert_eq!(standing(stores, room).await.applied, 7);
}

pub(super) async fn a_run_of_another_room_or_order_is_refused(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let (room, other) = (stores.group(&[ada]).await, stores.group(&[ada]).await);
    let joins = |room, seq| event(stores, room, seq, ada, change(bert, MemberChange::Joined, None));
    let (one, two, foreign) = (joins(room, 3), joins(room, 4), joins(other, 4));
    for bad in [
        run(2, &[&one, &foreign], 4),
        run(2, &[&two, &one], 4),
        run(2, &[&one, &one], 4),
        run(3, &[&one], 4),
        run(2, &[&one, &two], 3),
    ] {
        let refused = projection(stores).apply(room, bad).await;
        assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{refused:?}");
    }
    assert_eq!(users(&standing(stores, room).await), [ada]);
}

pub(super) async fn many_who_come_together_are_one_room(stores: &Stores) {
    let people: Vec<UserId> = (0..1_000).map(|_| UserId(Uuid::now_v7())).collect();
    let room = stores.group(&people).await;
    let now = standing(stores, room).await;
    assert_eq!((users(&now), now.applied, now.beginning.len()), (people.clone(), 1_001, 1_001));
    assert!(now.members.iter().all(|member| (member.role == Role::Owner) == (member.user == people[0])));
    assert_eq!(stores.directory.room(room).await.unwrap().unwrap().members, 1_000);
    // Somebody who is named twice is there once, and stays as they were.
    let guest = UserId(Uuid::now_v7());
    let first = event(stores, room, 1_002, people[0], change(guest, MemberChange::Joined, Some(Role::Reader)));
    let second = event(stores, room, 1_003, people[0], change(guest, MemberChange::Joined, Some(Role::Admin)));
    let gone = event(stores, room, 1_004, people[0], change(people[7], MemberChange::Removed, None));
    assert_eq!(projection(stores).apply(room, run(1_001, &[&first, &second, &gone], 1_004)).await, Ok(1_004));
    assert_eq!(stores.directory.room(room).await.unwrap().unwrap().members, 1_000);
    let membership = stores.directory.membership(room, guest).await.unwrap().unwrap();
    assert_eq!((membership.role, membership.visible_from), (Role::Reader, 1_002));
}

fn head(room: RoomId, head: Seq, messages: u64, at: i64, last_change: Seq) -> PublishedHead {
    PublishedHead { room, head, messages, active_at: Millis(at), last_change }
}

pub(super) async fn heads_only_move_forwards(stores: &Stores) {
    let ada = stores.person("ada").await;
    let (room, other) = (stores.group(&[ada]).await, stores.group(&[ada]).await);
    let shown = async || {
        let listing = stores.directory.listing(room, ada).await.unwrap().unwrap();
        (listing.head, listing.view.unwrap().unread, listing.active_at)
    };
    let heads = vec![head(room, 5, 3, 7_000, 2), head(room, 9, 6, 9_000, 2), head(other, 3, 1, 8_000, 2)];
    projection(stores).publish(heads).await.unwrap();
    assert_eq!(shown().await, (9, 6, Millis(9_000)));
    let stale = vec![head(room, 8, 5, 99_000, 2), head(RoomId(Uuid::now_v7()), 4, 1, 1, 1)];
    projection(stores).publish(stale).await.unwrap();
    assert_eq!(shown().await, (9, 6, Millis(9_000)));
    projection(stores).publish(Vec::new()).await.unwrap();
    let listed = stores.directory.list_rooms(ada, part(10, None)).await.unwrap().items;
    assert_eq!(listed.iter().map(|listing| listing.record.id).collect::<Vec<_>>(), [room, other]);
    assert_eq!(stores.directory.rooms_of(ada).await.unwrap()[0].head, 9);
}

pub(super) async fn a_published_head_applies_what_changes_nothing(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let room = stores.group(&[ada]).await;
    projection(stores).publish(vec![head(room, 50, 48, 1, 2)]).await.unwrap();
    assert_eq!(standing(stores, room).await.applied, 50);
    // Somebody came at 60, and that is not applied yet: the head is further, the members are not.
    projection(stores).publish(vec![head(room, 70, 67, 2, 60)]).await.unwrap();
    let now = standing(stores, room).await;
    assert_eq!((now.applied, now.head, now.messages), (50, 70, 67));
    let joins = event(stores, room, 60, ada, change(bert, MemberChange::Joined, None));
    assert_eq!(projection(stores).apply(room, run(2, &[&joins], 60)).await, Ok(60));
    projection(stores).publish(vec![head(room, 70, 67, 2, 60)]).await.unwrap();
    let now = standing(stores, room).await;
    assert_eq!((now.applied, now.members.len()), (70, 2));
}

pub(super) async fn what_a_room_began_with_is_kept_until_its_log_has_it(stores: &Stores) {
    let ada = stores.person("ada").await;
    let (room, other) = (stores.group(&[ada]).await, stores.group(&[ada]).await);
    assert_eq!(standing(stores, room).await.beginning.len(), 2);
    projection(stores).publish(vec![head(room, 2, 0, 1, 2)]).await.unwrap();
    let now = standing(stores, room).await;
    assert_eq!((now.beginning, now.head, now.applied), (Vec::new(), 2, 2));
    assert_eq!(standing(stores, other).await.beginning.len(), 2);
}

pub(super) async fn two_nodes_that_follow_the_same_room_agree(stores: &Stores) {
    let ada = stores.person("ada").await;
    let room = stores.group(&[ada]).await;
    let guest = UserId(Uuid::now_v7());
    for after in (2..62).step_by(2) {
        let joins = event(stores, room, after + 1, ada, change(guest, MemberChange::Joined, None));
        let leaves = event(stores, room, after + 2, guest, change(guest, MemberChange::Left, None));
        // One knows only that somebody came, the other that they went again.
        let less = projection(stores).apply(room, run(after, &[&joins], after + 1));
        let more = projection(stores).apply(room, run(after, &[&joins, &leaves], after + 2));
        let (less, more) = futures_util::future::join(less, more).await;
        assert!(less.is_ok_and(|applied| applied > after) && more == Ok(after + 2));
        let now = standing(stores, room).await;
        assert_eq!((users(&now), now.applied), (vec![ada], after + 2));
        assert_eq!(stores.directory.room(room).await.unwrap().unwrap().members, 1);
    }
}

pub(super) async fn many_nodes_that_note_the_same_do_not_wait_for_each_other(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let mut rooms = Vec::new();
    for _ in 0..30 {
        rooms.push(stores.group(&[ada, bert]).await);
    }
    let node = async |first: usize| {
        for seq in 4..14 {
            let order = || rooms.iter().cycle().skip(first).take(rooms.len());
            let heads = order().map(|room| head(*room, seq, seq, 1, 3)).collect();
            projection(stores).publish(heads).await.unwrap();
            let marks = |user| {
                let marks = move |room: &RoomId| Marks { room: *room, user, read: seq, delivered: seq };
                order().map(move |room| CountedMarks { marks: marks(room), read_messages: seq })
            };
            let stand = projection(stores).mark(marks(ada).chain(marks(bert)).collect()).await.unwrap();
            assert!(stand.iter().all(|marks| marks.is_some_and(|marks| marks.read >= seq)));
            let seen = vec![(bert, Millis(seq as i64)), (ada, Millis(seq as i64))];
            stores.directory.seen(seen.into_iter().cycle().skip(first).take(2).collect()).await.unwrap();
        }
    };
    futures_util::future::join_all((0..5).map(node)).await;
    let views = stores.directory.rooms_of(bert).await.unwrap();
    assert!(views.len() == 30 && views.iter().all(|view| (view.head, view.read, view.unread) == (13, 13, 0)));
}

pub(super) async fn counted_marks_keep_the_count_of_the_furthest(stores: &Stores) {
    let ada = stores.person("ada").await;
    let room = stores.group(&[ada]).await;
    projection(stores).publish(vec![head(room, 40, 30, 1, 2)]).await.unwrap();
    let marks = |read, delivered, read_messages| CountedMarks {
        marks: Marks { room, user: ada, read, delivered },
        read_messages,
    };
    let stand = projection(stores).mark(vec![marks(20, 20, 12), marks(30, 0, 21), marks(0, 35, 0)]).await.unwrap();
    let expected = Some(Marks { room, user: ada, read: 30, delivered: 35 });
    assert_eq!(stand, [expected; 3]);
    let unread = async || stores.directory.rooms_of(ada).await.unwrap()[0].unread;
    assert_eq!(unread().await, 9);
    // A count that is given again, or an older one, changes nothing.
    projection(stores).mark(vec![marks(30, 0, 99), marks(10, 0, 5)]).await.unwrap();
    assert_eq!(unread().await, 9);
    assert_eq!(projection(stores).mark(Vec::new()).await, Ok(Vec::new()));
}

pub(super) async fn marks_may_be_ahead_of_the_published_head(stores: &Stores) {
    let ada = stores.person("ada").await;
    let mut room = stores.awake(stores.group(&[ada]).await).await;
    room.write(ada, message("hello")).await;
    let marks = CountedMarks { marks: Marks { room: room.room, user: ada, read: 8, delivered: 9 }, read_messages: 6 };
    projection(stores).mark(vec![marks]).await.unwrap();
    let view = stores.directory.rooms_of(ada).await.unwrap().remove(0);
    assert_eq!((view.head, view.read, view.delivered, view.unread), (9, 8, 9, 0), "what is marked is there");
    projection(stores).publish(vec![head(room.room, 10, 8, 1, 2)]).await.unwrap();
    let view = stores.directory.rooms_of(ada).await.unwrap().remove(0);
    assert_eq!((view.head, view.unread), (10, 2));
}
