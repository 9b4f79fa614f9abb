//! Two processes that both mean to own a room: one commits, and what the other had sent is decided once.

use rookery_core::{fence::cut_timestamp, shard::Stamp};

use super::world::{Node, message, new_room, user};
use crate::store::StoreError;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_of_another_process_fences_the_owner_off() {
    let (one, two) = (Node::new("one").await, Node::new("two").await);
    let room = new_room();
    let mut old = one.take(room).await;
    old.say(3).await;
    let mut new = two.take(room).await;
    assert_eq!((new.woken.head, new.woken.messages), (3, 3));
    // The old owner does not know yet, and may find out only by trying.
    let late = old.send(message("too late"));
    assert_eq!(old.fate().await, (late.seq..=late.seq, Err(StoreError::Fenced)));
    let said = new.write(message("from the new one")).await;
    assert_eq!(said.seq, 4);
    let log = two.log.events(room, 0, 4, 10).await.unwrap();
    assert_eq!(log.last().map(|event| &**event), Some(&said));
    assert!(log.iter().all(|event| event.client_id != late.client_id));
    // Everything of its epoch is over, and it may claim again.
    assert_eq!(one.log.wake(room, Stamp::new(old.stamp.epoch(), 2), 0, Vec::new()).await, Err(StoreError::Fenced));
    let again = one.take(room).await;
    assert_eq!((again.woken.head, again.stamp.epoch()), (4, old.stamp.epoch() + 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_comes_after_the_next_wake_is_born_dead() {
    let (one, two) = (Node::new("one").await, Node::new("two").await);
    let room = new_room();
    let mut old = one.take(room).await;
    old.say(2).await;
    let (third, fourth) = (old.event(user(1), message("third")), old.event(user(1), message("fourth")));
    let mut new = two.take(room).await;
    // Both arrive now, after the cut; the second one where nothing stands and nothing will for a while.
    one.write_late(old.stamp, &third).await;
    one.write_late(old.stamp, &fourth).await;
    assert!(two.rows(room, 2).await.is_empty());
    let said = new.write(message("what stands there")).await;
    assert_eq!(said.seq, 3);
    one.write_late(old.stamp, &third).await;
    let rows = two.rows(room, 0).await;
    assert_eq!(rows.iter().map(|row| row.event.client_id).collect::<Vec<_>>().last(), Some(&said.client_id));
    assert_eq!(rows.len(), 3);
    // What was found was written again under the stamp of the wake, so that no older cut can reach it.
    let floor = cut_timestamp(new.stamp);
    let head = one.log.stored_head(room).await.unwrap();
    assert!(rows.iter().filter(|row| row.seq() > head).all(|row| row.timestamp() > floor));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_and_never_acknowledged_is_settled_by_the_next_owner() {
    let (one, two) = (Node::new("one").await, Node::new("two").await);
    let room = new_room();
    let mut old = one.take(room).await;
    old.say(2).await;
    // The owner dies: its third write stands, the fourth never came, the fifth stands behind the hole.
    let events: Vec<_> = (0..3).map(|n| old.event(user(1), message(&format!("after {n}")))).collect();
    one.write_late(old.stamp, &events[0]).await;
    one.write_late(old.stamp, &events[2]).await;
    let mut new = two.take(room).await;
    assert_eq!((new.woken.head, new.woken.messages), (3, 3), "the log ends before the first hole");
    let find = async |n: usize| {
        let event = &events[n];
        two.log.find(room, (event.sender, event.client_id), 3).await.unwrap().map(|event| event.seq)
    };
    assert_eq!((find(0).await, find(1).await, find(2).await), (Some(3), None, None));
    let follower = two.follower.heads.lock()[&room];
    assert_eq!((follower.head, follower.messages), (3, 3));
    // Whoever had no answer sends again, and the numbers are given anew.
    assert_eq!(new.write(message("again")).await.seq, 4);
    assert_eq!(two.rows(room, 0).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_claim_at_once_each_has_an_epoch_of_its_own() {
    let room = new_room();
    let mut nodes = Vec::new();
    for n in 0..4 {
        nodes.push(Node::new(&format!("node{n}")).await);
    }
    let claims = futures_util::future::join_all(nodes.iter().map(|node| async {
        let mut epochs = Vec::new();
        for _ in 0..5 {
            match node.log.claim(room.shard()).await {
                Ok(epoch) => epochs.push(epoch),
                Err(error) => assert!(matches!(error, StoreError::Fenced | StoreError::Unavailable(_)), "{error}"),
            }
        }
        epochs
    }));
    let claims = claims.await;
    let mut all: Vec<_> = claims.iter().flatten().copied().collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "no epoch twice: {claims:?}");
    assert!(count > 0 && claims.iter().all(|epochs| epochs.is_sorted()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shard_that_was_given_back_is_somebody_elses() {
    let (one, two) = (Node::new("one").await, Node::new("two").await);
    let room = new_room();
    let mut old = one.take(room).await;
    old.say(300).await;
    one.log.release(room.shard()).await.unwrap();
    assert!(one.log.shown(room).is_none());
    let refused = old.send(message("after that"));
    assert_eq!(old.fate().await, (refused.seq..=refused.seq, Err(StoreError::Fenced)));
    let new = two.take(room).await;
    assert_eq!((new.woken.head, new.stamp.epoch()), (300, old.stamp.epoch() + 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_whether_it_is_the_owner_is_told_the_truth() {
    let (one, two) = (Node::new("one").await, Node::new("two").await);
    let room = new_room();
    one.take(room).await;
    assert!(one.log.confirm(room).await);
    assert!(!two.log.confirm(room).await);
    two.take(room).await;
    assert!(!one.log.confirm(room).await, "it was, and does not know yet that it is no more");
    assert!(two.log.confirm(room).await);
}
