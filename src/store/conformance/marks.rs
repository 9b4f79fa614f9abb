//! Read and delivered marks, and what is unread.

use rookery_core::{
    event::{MemberChange, Role, RoomKind, Visibility},
    ids::{RoomId, UserId},
};
use uuid::Uuid;

use super::fixture::{Stores, part};
use crate::store::log::Marks;

/// Unread of a user's only room, everywhere it is shown.
async fn unread(stores: &Stores, user: UserId) -> u64 {
    let views = stores.directory.rooms_of(user).await.unwrap();
    let [view] = views.as_slice() else { panic!("one room, not {views:?}") };
    let listed = stores.directory.list_rooms(user, part(10, None)).await.unwrap().items;
    assert_eq!(listed[0].view.as_ref(), Some(view));
    let listing = stores.directory.listing(view.room, user).await.unwrap().unwrap();
    assert_eq!(listing.view.as_ref(), Some(view));
    view.unread
}

pub(super) async fn marks_only_move_forwards(stores: &Stores) {
    let ada = stores.person("ada").await;
    let mut room = stores.awake(stores.group(&[ada]).await).await;
    for _ in 0..10 {
        room.say(ada, "hello").await;
    }
    let id = room.room;
    assert_eq!(stores.mark(id, ada, 5, 8).await, Some((5, 8)));
    assert_eq!(stores.mark(id, ada, 4, 7).await, Some((5, 8)));
    assert_eq!(stores.mark(id, ada, 0, 9).await, Some((5, 9)));
    assert_eq!(stores.mark(id, ada, 6, 0).await, Some((6, 9)));
    let membership = stores.directory.membership(id, ada).await.unwrap().unwrap();
    assert_eq!((membership.read, membership.delivered), (6, 9));
    let stranger = stores.person("stranger").await;
    assert_eq!(stores.mark(id, stranger, 5, 5).await, None);
    assert_eq!(stores.mark(RoomId(Uuid::now_v7()), ada, 5, 5).await, None);
}

pub(super) async fn marks_stop_at_the_head(stores: &Stores) {
    let ada = stores.person("ada").await;
    let mut room = stores.awake(stores.group(&[ada]).await).await;
    let head = room.say(ada, "hello").await;
    assert_eq!(stores.mark(room.room, ada, head + 100, head + 200).await, Some((head, head)));
    room.say(ada, "again").await;
    assert_eq!(unread(stores, ada).await, 1, "the mark did not run ahead");
}

pub(super) async fn what_is_read_is_delivered(stores: &Stores) {
    let ada = stores.person("ada").await;
    let mut room = stores.awake(stores.group(&[ada]).await).await;
    let head = room.say(ada, "hello").await;
    assert_eq!(stores.mark(room.room, ada, head, 0).await, Some((head, head)));
}

pub(super) async fn unread_counts_the_messages_after_the_mark(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let mut room = stores.awake(stores.group(&[ada, bert]).await).await;
    assert_eq!(unread(stores, bert).await, 0);
    let mut seqs = Vec::new();
    for _ in 0..4 {
        seqs.push(room.say(ada, "hello").await);
        // What is no message does not count.
        room.member(ada, bert, MemberChange::Role, Some(Role::Admin)).await;
    }
    assert_eq!(unread(stores, bert).await, 4);
    stores.mark(room.room, bert, seqs[1], 0).await;
    assert_eq!(unread(stores, bert).await, 2);
    stores.mark(room.room, bert, seqs[1] + 1, 0).await;
    assert_eq!(unread(stores, bert).await, 2, "the mark may stand on what is no message");
    stores.mark(room.room, bert, seqs[0], 0).await;
    assert_eq!(unread(stores, bert).await, 2, "a mark that stays behind changes nothing");
    stores.mark(room.room, bert, seqs[3] + 1, 0).await;
    assert_eq!(unread(stores, bert).await, 0);
    room.say(ada, "one more").await;
    assert_eq!(unread(stores, bert).await, 1);
}

pub(super) async fn what_was_said_before_somebody_came_is_not_unread(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    for visibility in [Visibility::Private, Visibility::Public] {
        let eve = stores.person(&format!("eve_{visibility:?}")).await;
        let id = stores.room(RoomKind::Group, visibility, "Birds", &[ada, bert]).await;
        let mut room = stores.awake(id).await;
        for _ in 0..5 {
            room.say(ada, "hello").await;
        }
        let joined = room.member(ada, eve, MemberChange::Joined, Some(Role::Member)).await;
        assert_eq!(unread(stores, eve).await, 0);
        let view = stores.directory.rooms_of(eve).await.unwrap().remove(0);
        assert_eq!((view.read, view.delivered, view.head), (joined, joined, joined));
        room.say(ada, "welcome").await;
        assert_eq!(unread(stores, eve).await, 1);
    }
}

pub(super) async fn marks_of_many_are_answered_in_order(stores: &Stores) {
    let (ada, bert, eve) = (stores.person("ada").await, stores.person("bert").await, stores.person("eve").await);
    let mut room = stores.awake(stores.group(&[ada, bert]).await).await;
    for _ in 0..5 {
        room.say(ada, "hello").await;
    }
    let id = room.room;
    let marks = |user, read| Marks { room: id, user, read, delivered: 0 };
    let stand = stores.log.mark(vec![marks(bert, 5), marks(eve, 5), marks(ada, 6), marks(bert, 4)]).await.unwrap();
    let stand: Vec<_> = stand.into_iter().map(|marks| marks.map(|marks| (marks.user, marks.read))).collect();
    assert_eq!(stand, [Some((bert, 5)), None, Some((ada, 6)), Some((bert, 5))]);
}
