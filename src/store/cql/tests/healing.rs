//! An owner that ends between the log and what follows from it: the next one does it again.

use rookery_core::{
    event::{Content, MemberChange, Role},
    fence::Row,
    ids::Seq,
};

use super::world::{Node, message, new_room, user};
use crate::store::{StoreError, log::Window};

const SECRET: &str = "the nest is in the elm";

fn joins(n: u128) -> Content {
    Content::Member { user: user(n), change: MemberChange::Joined, role: Some(Role::Member), until: None }
}

fn react(target: Seq, emoji: &str, remove: bool) -> Content {
    Content::Reaction { target, emoji: emoji.to_owned(), remove }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_did_not_come_to_follow_is_done_by_the_next_wake() {
    let (one, two) = (Node::new("one").await, Node::new("two").await);
    let id = new_room();
    let mut old = one.take(id).await;
    let edited = old.write(message("frist")).await.seq;
    let deleted = old.write(message(SECRET)).await.seq;
    let liked = old.write(message("liked")).await.seq;
    old.write(Content::Edit { target: deleted, body: format!("{SECRET}, really") }).await;
    // Rows alone, as they are when their owner ends at that very moment.
    let contents = [
        Content::Edit { target: edited, body: "first".to_owned() },
        Content::Delete { target: deleted, attachments: false },
        react(liked, "👍", false),
        react(liked, "❤️", false),
        react(liked, "❤️", true),
        joins(7),
    ];
    for content in contents {
        let event = old.event(user(1), content);
        one.write_late(old.stamp, &event).await;
    }
    let mut new = two.take(id).await;
    assert_eq!(new.woken.head, 10);
    let page = new.page(Window::Newest, 10).await;
    let texts: Vec<_> = page.iter().map(|message| (message.body.as_str(), message.deleted)).collect();
    assert_eq!(texts, [("first", false), ("", true), ("liked", false)]);
    assert_eq!(page[2].reactions.len(), 1);
    assert_eq!(
        (page[2].reactions[0].emoji.as_str(), page[2].reactions[0].count, page[2].reactions[0].mine),
        ("👍", 1, true)
    );
    let runs = std::mem::take(&mut *two.follower.runs.lock());
    let [run] = runs.as_slice() else { panic!("one run, not {runs:?}") };
    assert_eq!((run.after, run.upto, run.events.len()), (0, 10, 1));
    assert_no_secret(&two.rows(id, 0).await);
    // Once more, with all of it done already: nothing is counted twice.
    new.write(react(liked, "👍", false)).await;
    // That it is no owner any more it finds out by trying.
    assert_eq!(one.log.claim(id.shard()).await, Err(StoreError::Fenced));
    let again = one.take(id).await;
    let page = again.page(Window::Newest, 1).await;
    assert_eq!(page[0].reactions[0].count, 1);
    assert_no_secret(&one.rows(id, 0).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_that_an_owner_in_between_had_read_are_taken_out_again() {
    let (one, two) = (Node::new("one").await, Node::new("two").await);
    let id = new_room();
    let mut old = one.take(id).await;
    let said = old.write(message(SECRET)).await;
    old.write(Content::Delete { target: said.seq, attachments: false }).await;
    assert_no_secret(&one.rows(id, 0).await);
    // One that had read the words before, and writes them again under its own stamp on waking.
    let between = two.log.claim(id.shard()).await.unwrap();
    two.write_late(rookery_core::shard::Stamp::new(between, 1), &said).await;
    assert_eq!(one.rows(id, 0).await[0].event.content, said.content);
    assert_eq!(one.log.claim(id.shard()).await, Err(StoreError::Fenced));
    let new = one.take(id).await;
    assert_eq!(new.woken.head, 2);
    assert_no_secret(&one.rows(id, 0).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_projection_that_fell_behind_is_given_the_log() {
    let node = Node::new("one").await;
    let mut room = node.take(new_room()).await;
    room.write(joins(1)).await;
    room.write(message("hello")).await;
    room.write(joins(2)).await;
    // As if it was restored from a copy.
    node.follower.applied.lock().insert(room.room, 0);
    node.follower.runs.lock().clear();
    room.write(joins(3)).await;
    let runs = std::mem::take(&mut *node.follower.runs.lock());
    let [run] = runs.as_slice() else { panic!("one run, not {runs:?}") };
    assert_eq!((run.after, run.upto), (0, 4));
    assert_eq!(run.events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 3, 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_room_begins_with_is_written_by_its_first_wake() {
    let node = Node::new("one").await;
    let id = new_room();
    let epoch = node.log.claim(id.shard()).await.unwrap();
    // More than may be under way at once; an earlier wake has written some of it.
    let mut maker = node.wake(id, epoch, 1).await;
    let beginning: Vec<_> = (0..2_500).map(|n| maker.event(user(1), joins(n + 1))).collect();
    for event in &beginning[..3] {
        maker.append(event.clone());
    }
    maker.written(3).await;
    let stamp = rookery_core::shard::Stamp::new(epoch, 2);
    let woken = node.log.wake(id, stamp, 2_500, beginning.clone()).await.unwrap();
    assert_eq!((woken.head, woken.applied), (2_500, 2_500));
    let log = node.log.events(id, 0, 2_500, 3_000).await.unwrap();
    assert!(log.iter().map(|event| &**event).eq(&beginning));
}

fn assert_no_secret(rows: &[Row]) {
    let text = format!("{rows:?}");
    assert!(!text.contains(SECRET), "{text}");
}
