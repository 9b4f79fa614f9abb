//! Reading what is too long for one partition, or for one look.

use rookery_core::{
    event::Content,
    fence::BUCKET,
    ids::{ClientId, Seq},
    room::RECENT,
};
use uuid::Uuid;

use super::world::{Node, message, new_room, user};
use crate::store::log::Window;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_goes_on_over_the_border_of_a_partition() {
    let node = Node::new("one").await;
    let mut room = node.take(new_room()).await;
    room.say(BUCKET + 40).await;
    let head = room.next - 1;
    let seqs = |from: Seq, to: Seq| (from..=to).collect::<Vec<_>>();
    let page =
        async |window, limit| room.page(window, limit).await.into_iter().map(|message| message.seq).collect::<Vec<_>>();
    assert_eq!(page(Window::Before(BUCKET + 2), 5).await, seqs(BUCKET - 3, BUCKET + 1));
    assert_eq!(page(Window::After(BUCKET - 3), 5).await, seqs(BUCKET - 2, BUCKET + 2));
    assert_eq!(page(Window::Around(BUCKET), 4).await, seqs(BUCKET - 2, BUCKET + 1));
    assert_eq!(page(Window::Newest, 200).await, seqs(head - 199, head));
    let events = node.log.events(room.room, 10, head, 5_000).await.unwrap();
    assert!(events.iter().map(|event| event.seq).eq(11..=head), "no hole, nothing twice");
    let part = node.log.events(room.room, BUCKET - 2, head, 3).await.unwrap();
    assert!(part.iter().map(|event| event.seq).eq(BUCKET - 1..=BUCKET + 1));
    // Nothing above the head that is named, though it stands there.
    assert_eq!(node.log.events(room.room, BUCKET - 2, BUCKET, 10).await.unwrap().len(), 2);
    let woken = node.wake(room.room, room.stamp.epoch(), 2).await.woken;
    assert_eq!((woken.head, woken.messages), (head, head));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_stretches_without_messages_are_jumped_over() {
    let node = Node::new("one").await;
    let mut room = node.take(new_room()).await;
    let first = room.write(message("first")).await.seq;
    let second = room.write(message("second")).await.seq;
    let shrug = || Content::Reaction { target: first, emoji: "🤷".to_owned(), remove: true };
    for _ in 0..700 {
        room.send(shrug());
    }
    room.written(702).await;
    let third = room.write(message("third")).await.seq;
    for _ in 0..300 {
        room.send(shrug());
    }
    room.written(1_003).await;
    let page =
        async |window, limit| room.page(window, limit).await.into_iter().map(|message| message.seq).collect::<Vec<_>>();
    assert_eq!(page(Window::Newest, 1).await, [third]);
    assert_eq!(page(Window::Newest, 10).await, [first, second, third]);
    assert_eq!(page(Window::Before(third), 1).await, [second]);
    assert_eq!(page(Window::After(second), 2).await, [third]);
    assert_eq!(page(Window::After(third), 2).await, Vec::<Seq>::new());
    assert_eq!(page(Window::Around(400), 2).await, [second, third]);
    let above = node.log.messages(room.room, Window::Before(900), (third + 1, 1_003), 5, user(1)).await.unwrap();
    assert!(above.is_empty(), "who sees only what comes after the last message");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_found_for_ever() {
    let node = Node::new("one").await;
    let mut room = node.take(new_room()).await;
    let old = room.write(message("long ago")).await;
    room.say(RECENT as u64 * 2).await;
    let new = room.write(message("just now")).await;
    let id = room.room;
    let find = async |event: &rookery_core::event::Event, head| {
        let key = (event.sender, event.client_id);
        node.log.find(id, key, head).await.unwrap().map(|event| event.seq)
    };
    let head = new.seq;
    assert_eq!((find(&old, head).await, find(&new, head).await), (Some(1), Some(head)));
    // The head is published on the way, beside the writes; a test that hangs here has found something.
    while node.log.stored_head(id).await.unwrap() < RECENT as u64 {
        tokio::task::yield_now().await;
    }
    assert_eq!(find(&new, head - 1).await, None, "not above the head");
    let nobodys = (user(2), old.client_id);
    assert_eq!(node.log.find(id, nobodys, head).await, Ok(None));
    assert_eq!(node.log.find(id, (user(1), ClientId(Uuid::now_v7())), head).await, Ok(None));
    // A node where the room is not awake finds them in the tables.
    let other = Node::new("two").await;
    for event in [&old, &new] {
        let found = other.log.find(id, (event.sender, event.client_id), head).await.unwrap();
        assert_eq!(found.as_deref(), Some(event));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_head_of_a_room_that_falls_quiet_is_published() {
    let node = Node::new("one").await;
    let mut room = node.take(new_room()).await;
    room.say(10).await;
    // Nobody is told, so it is looked at until it is so; a test that hangs here has found something.
    while node.log.stored_head(room.room).await.unwrap() < 10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_has_nothing_left_to_do_is_forgotten_with_its_head_published() {
    let node = Node::new("one").await;
    let mut room = node.take(new_room()).await;
    room.say(10).await;
    room.write(Content::Delete { target: 3, attachments: false }).await;
    let id = room.room;
    node.log.retire(id, room.stamp);
    // Nobody is told, so it is looked at until it is so; a test that hangs here has found something.
    while node.log.shown(id).is_some() {
        tokio::task::yield_now().await;
    }
    assert_eq!(node.log.stored_head(id).await, Ok(11));
    let mut again = node.wake(id, room.stamp.epoch(), 2).await;
    assert_eq!(again.woken.head, 11);
    assert_eq!(again.write(message("awake again")).await.seq, 12);
}
