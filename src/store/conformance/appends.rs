//! Appending to rooms: order, fates, fences, keys.

use std::collections::BTreeSet;

use rookery_core::{
    event::{Content, RoomKind, Visibility},
    ids::{ClientId, RoomId},
    room::{RECENT, Target},
    shard::Stamp,
};
use uuid::Uuid;

use super::fixture::{Stores, fates, message, told};
use crate::store::StoreError;

pub(super) async fn events_are_kept_in_order_and_read_in_pages(stores: &Stores) {
    let ada = stores.person("ada").await;
    let room = stores.group(&[ada]).await;
    let mut awake = stores.awake(room).await;
    let mut written = Vec::new();
    for n in 0..30 {
        written.push(awake.write(ada, message(&format!("message {n}"))).await);
    }
    assert_eq!(stores.log.head(room).await, Ok(32));
    let mut read = Vec::new();
    let mut after = 2;
    loop {
        let page = stores.log.events(room, after, 7).await.unwrap();
        assert!(page.len() <= 7);
        let Some(last) = page.last() else { break };
        after = last.seq;
        read.extend(page);
    }
    assert_eq!(read, written);
    let begin = stores.log.events(room, 0, 2).await.unwrap();
    assert_eq!(begin.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(stores.log.events(room, 32, 10).await, Ok(Vec::new()));
    assert_eq!(stores.log.head(RoomId(Uuid::now_v7())).await, Ok(0));
}

pub(super) async fn every_append_is_told_its_fate_once(stores: &Stores) {
    let ada = stores.person("ada").await;
    let room = stores.group(&[ada]).await;
    let mut awake = stores.awake(room).await;
    let (reply, mut told) = told();
    for n in 0..1_000 {
        let event = awake.event(ada, message(&n.to_string()));
        awake.append(event, &reply);
    }
    let fates = fates(&mut told, 1_000).await;
    assert!(fates.iter().all(|(_, fate)| *fate == Ok(())));
    // In order, so that a room can release what it holds as it comes.
    assert!(fates.iter().map(|(seq, _)| *seq).eq(3..=1_002));
    assert!(told.try_recv().is_err());
    assert_eq!(stores.log.head(room).await, Ok(1_002));
    assert_eq!(stores.log.queue_length(), 0);
    assert!(stores.log.queue_bound() >= 1_024);
}

pub(super) async fn a_write_is_found_by_its_key(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let room = stores.group(&[ada, bert]).await;
    let mut awake = stores.awake(room).await;
    let said = awake.write(ada, message("hello")).await;
    let deleted = awake.write(bert, Content::Delete { target: said.seq, attachments: false }).await;
    let other = awake.write(bert, message("good day")).await;

    let looked = stores.log.look(room, bert, deleted.client_id, Some(said.seq)).await.unwrap();
    let known = looked.known.unwrap();
    assert_eq!((known.seq, known.at, known.content), (deleted.seq, deleted.at, deleted.content));
    assert_eq!(looked.target, Some(Target { author: ada, deleted: true, attachments: false }));

    let looked = stores.log.look(room, ada, said.client_id, Some(other.seq)).await.unwrap();
    assert_eq!(looked.known.unwrap().content, message(""), "the text of a deleted message is gone");
    assert_eq!(looked.target, Some(Target { author: bert, deleted: false, attachments: false }));

    let nothing = stores.log.look(room, bert, said.client_id, Some(deleted.seq)).await.unwrap();
    assert_eq!((nothing.known, nothing.target), (None, None), "another sender; not a message");
    let nothing = stores.log.look(room, ada, said.client_id, Some(99)).await.unwrap();
    assert_eq!(nothing.target, None);

    assert_eq!(stores.log.outcome(room, ada, said.client_id).await, Ok(Some((said.seq, said.at))));
    assert_eq!(stores.log.outcome(room, bert, said.client_id).await, Ok(None));
    let elsewhere = RoomId(Uuid::now_v7());
    assert_eq!(stores.log.outcome(elsewhere, ada, said.client_id).await, Ok(None));
}

pub(super) async fn a_room_that_was_not_woken_writes_nothing(stores: &Stores) {
    let ada = stores.person("ada").await;
    let (asleep, other) = (stores.group(&[ada]).await, stores.group(&[ada]).await);
    let mut awake = stores.awake(other).await;
    stores.log.claim(asleep.shard()).await.unwrap();
    awake.room = asleep;
    let (reply, mut told) = told();
    let event = awake.event(ada, message("nobody woke me"));
    awake.append(event, &reply);
    assert_eq!(fates(&mut told, 1).await, [(3, Err(StoreError::Fenced))]);
    assert_eq!(stores.log.head(asleep).await, Ok(2));
}

pub(super) async fn a_newer_wake_fences_off_older_ones(stores: &Stores) {
    let ada = stores.person("ada").await;
    let room = stores.group(&[ada]).await;
    let mut old = stores.awake(room).await;
    let (reply, mut told) = told();
    for _ in 0..200 {
        let event = old.event(ada, message("from the old one"));
        old.append(event, &reply);
    }
    let mut new = stores.awake_again(&old).await;
    // What the old one had queued is settled, and it is all there.
    assert_eq!(new.snapshot.head, 202);
    assert!(fates(&mut told, 200).await.iter().all(|(_, fate)| *fate == Ok(())));

    let event = old.event(ada, message("too late"));
    old.append(event, &reply);
    assert_eq!(fates(&mut told, 1).await, [(203, Err(StoreError::Fenced))]);
    assert_eq!(new.say(ada, "from the new one").await, 203);
    let refused = stores.log.wake(room, old.stamp).await;
    assert_eq!(refused, Err(StoreError::Fenced));
    assert_eq!(new.say(ada, "still awake").await, 204);
}

pub(super) async fn a_wake_under_an_older_epoch_is_refused(stores: &Stores) {
    let ada = stores.person("ada").await;
    let room = stores.group(&[ada]).await;
    let first = stores.log.claim(room.shard()).await.unwrap();
    let second = stores.log.claim(room.shard()).await.unwrap();
    assert_eq!(second, first + 1);
    assert_eq!(stores.log.wake(room, Stamp::new(first, 1)).await, Err(StoreError::Fenced));
    assert!(stores.log.wake(room, Stamp::new(second, 1)).await.unwrap().is_some());
}

pub(super) async fn a_new_claim_fences_off_the_epoch_before(stores: &Stores) {
    let ada = stores.person("ada").await;
    let room = stores.group(&[ada]).await;
    let mut old = stores.awake(room).await;
    old.say(ada, "before").await;
    let epoch = stores.log.claim(room.shard()).await.unwrap();
    let (reply, mut told) = told();
    let event = old.event(ada, message("after"));
    old.append(event, &reply);
    assert_eq!(fates(&mut told, 1).await, [(4, Err(StoreError::Fenced))]);
    let mut new = stores.awake_under(room, epoch, 1).await;
    assert_eq!(new.say(ada, "from the new one").await, 4);
}

pub(super) async fn a_claim_leaves_rooms_of_the_new_epoch_alone(stores: &Stores) {
    let ada = stores.person("ada").await;
    let one = stores.group(&[ada]).await;
    let same_shard = || stores.new_room(RoomKind::Group, Visibility::Private, "Birds", &[ada]);
    let other = std::iter::repeat_with(same_shard).find(|new| new.record.id.shard() == one.shard()).unwrap();
    let id = other.record.id;
    stores.directory.create_room(other).await.unwrap();
    let mut old = stores.awake(one).await;
    let epoch = stores.log.claim(one.shard()).await.unwrap();
    let mut new = stores.awake_under(id, epoch, 1).await;
    let (to_old, mut told_old) = told();
    let (to_new, mut told_new) = told();
    for _ in 0..20 {
        let event = old.event(ada, message("from the old epoch"));
        old.append(event, &to_old);
        let event = new.event(ada, message("from the new epoch"));
        new.append(event, &to_new);
    }
    assert!(fates(&mut told_old, 20).await.iter().all(|(_, fate)| *fate == Err(StoreError::Fenced)));
    assert!(fates(&mut told_new, 20).await.iter().all(|(_, fate)| *fate == Ok(())));
}

pub(super) async fn a_failure_leaves_no_hole(stores: &Stores) {
    if cfg!(feature = "bugs") {
        return; // Such a server is allowed to leave holes, so that the checker of histories has something to find.
    }
    let ada = stores.person("ada").await;
    let room = stores.group(&[ada]).await;
    let mut awake = stores.awake(room).await;
    let said = awake.write(ada, message("first")).await;
    let (reply, mut told) = told();
    // The second of ten breaks the rule of keys: it fails, and so does everything after it.
    for n in 0..10 {
        let mut event = awake.event(ada, message(&n.to_string()));
        if n == 1 {
            event.client_id = said.client_id;
        }
        awake.append(event, &reply);
    }
    for (seq, fate) in fates(&mut told, 10).await {
        assert_eq!(fate.is_ok(), seq == said.seq + 1, "{seq}: {fate:?}");
        assert!(matches!(fate, Ok(()) | Err(StoreError::Unavailable(_))), "{fate:?}");
    }
    assert_eq!(stores.log.head(room).await, Ok(said.seq + 1));
    // The room goes on where the log ends.
    awake.next = said.seq + 2;
    assert_eq!(awake.say(ada, "again").await, said.seq + 2);
    awake.next += 1;
    let skipped = awake.event(ada, message("after a hole"));
    awake.append(skipped, &reply);
    let fate = fates(&mut told, 1).await;
    assert!(matches!(fate[0].1, Err(StoreError::Unavailable(_))), "{fate:?}");
}

pub(super) async fn a_key_that_is_there_is_not_written_twice(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let room = stores.group(&[ada, bert]).await;
    let mut awake = stores.awake(room).await;
    let said = awake.write(ada, message("once")).await;
    let (reply, mut told) = told();
    let mut twice = awake.event(ada, message("once"));
    twice.client_id = said.client_id;
    awake.append(twice, &reply);
    assert!(matches!(fates(&mut told, 1).await[0].1, Err(StoreError::Unavailable(_))));
    awake.next -= 1;
    // The key belongs to its sender and its room.
    let mut of_other = awake.event(bert, message("mine"));
    of_other.client_id = said.client_id;
    awake.append(of_other, &reply);
    assert_eq!(fates(&mut told, 1).await, [(said.seq + 1, Ok(()))]);
}

pub(super) async fn a_room_wakes_as_it_was_left(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let room = stores.group(&[ada, bert]).await;
    let mut awake = stores.awake(room).await;
    let mut written = Vec::new();
    for n in 0..300 {
        written.push(awake.event(ada, message(&n.to_string())));
    }
    let (reply, mut told) = told();
    written.iter().for_each(|event| awake.append(event.clone(), &reply));
    fates(&mut told, 300).await;
    let snapshot = stores.awake_again(&awake).await.snapshot;
    assert_eq!((snapshot.head, snapshot.messages), (303, 300));
    assert_eq!(snapshot.recent, written[300 - RECENT..]);
    let members: BTreeSet<_> = snapshot.members.iter().map(|member| member.user).collect();
    assert_eq!(members, BTreeSet::from([ada, bert]));
    assert!(!snapshot.archived && !snapshot.deleted && snapshot.banned.is_empty() && snapshot.blocking.is_empty());
}

pub(super) async fn there_is_no_waking_what_is_not_there(stores: &Stores) {
    let nowhere = stores.room_id();
    let epoch = stores.log.claim(nowhere.shard()).await.unwrap();
    assert_eq!(stores.log.wake(nowhere, Stamp::new(epoch, 1)).await, Ok(None));
    assert_eq!(stores.log.events(nowhere, 0, 10).await, Ok(Vec::new()));
}

pub(super) async fn rooms_do_not_disturb_each_other(stores: &Stores) {
    let ada = stores.person("ada").await;
    let mut awake = Vec::new();
    for _ in 0..8 {
        let room = stores.group(&[ada]).await;
        awake.push(stores.awake(room).await);
    }
    // Two of eight lose their shard; their appends stand in the same queue as those of the others.
    let lost: Vec<_> = awake[..2].iter().map(|awake| awake.room.shard()).collect();
    for shard in &lost {
        stores.log.claim(*shard).await.unwrap();
    }
    let mut waiting = Vec::new();
    for room in &mut awake {
        let (reply, told) = told();
        for _ in 0..50 {
            let event = room.event(ada, message("hello"));
            room.append(event, &reply);
        }
        waiting.push((room.room, told));
    }
    for (room, mut told) in waiting {
        let expected = if lost.contains(&room.shard()) { Err(StoreError::Fenced) } else { Ok(()) };
        assert!(fates(&mut told, 50).await.iter().all(|(_, fate)| *fate == expected), "{expected:?}");
        let key = ClientId(Uuid::now_v7());
        assert_eq!(stores.log.outcome(room, ada, key).await, Ok(None));
    }
}
