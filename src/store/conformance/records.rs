//! Answers kept for idempotency keys, the audit log, and cursors of every list.

use rookery_core::{
    event::{RoomKind, Visibility},
    time::Millis,
};

use super::fixture::{Stores, part};
use crate::store::{
    StoreError,
    record::{AuditEntry, Remembered},
};

fn answer(n: u8) -> Remembered {
    Remembered { request: [n; 32], status: 201, body: vec![n, 0, 255] }
}

pub(super) async fn answers_are_kept_per_user_and_key(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let directory = &stores.directory;
    directory.remember(ada, "key".to_owned(), answer(1), Millis(100), Millis(0)).await.unwrap();
    directory.remember(bert, "key".to_owned(), answer(2), Millis(101), Millis(0)).await.unwrap();
    let kept = async |user, key: &str, since| directory.remembered(user, key.to_owned(), Millis(since)).await.unwrap();
    assert_eq!(kept(ada, "key", 0).await, Some(answer(1)));
    assert_eq!(kept(bert, "key", 0).await, Some(answer(2)));
    assert_eq!(kept(ada, "other", 0).await, None);
    assert_eq!(kept(ada, "key", 99).await, Some(answer(1)));
    assert_eq!(kept(ada, "key", 100).await, None, "given after, not at");
    // What is too old is forgotten on the next occasion.
    directory.remember(bert, "new".to_owned(), answer(3), Millis(200), Millis(101)).await.unwrap();
    assert_eq!(kept(ada, "key", 0).await, None);
    assert_eq!(kept(bert, "key", 0).await, Some(answer(2)));
    directory.remember(bert, "key".to_owned(), answer(4), Millis(300), Millis(101)).await.unwrap();
    assert_eq!(kept(bert, "key", 299).await, Some(answer(4)));
}

pub(super) async fn the_audit_log_is_read_newest_first(stores: &Stores) {
    let entry = |n: i64| AuditEntry {
        // Time may stand still or go back; the order is that of writing.
        at: Millis(10 - n),
        actor: "bootstrap".to_owned(),
        action: "user.disable".to_owned(),
        subject: n.to_string(),
        detail: "for a test".to_owned(),
    };
    for n in 0..5 {
        stores.directory.audit(entry(n)).await.unwrap();
    }
    let first = stores.directory.audit_log(part(3, None)).await.unwrap();
    assert_eq!(first.items, [entry(4), entry(3), entry(2)]);
    stores.directory.audit(entry(5)).await.unwrap();
    let second = stores.directory.audit_log(part(3, first.next)).await.unwrap();
    assert_eq!((second.items, second.next), (vec![entry(1), entry(0)], None));
}

pub(super) async fn only_ones_own_cursor_goes_on(stores: &Stores) {
    let ada = stores.person("ada").await;
    let bert = stores.person("bert").await;
    for _ in 0..2 {
        stores.room(RoomKind::Group, Visibility::Public, "Birds", &[ada, bert]).await;
    }
    let room = stores.group(&[ada, bert]).await;
    let directory = &stores.directory;
    let ours = directory.search_users(String::new(), true, part(1, None)).await.unwrap().next.unwrap();
    assert_eq!(directory.search_users(String::new(), true, part(1, Some(ours.clone()))).await.unwrap().items.len(), 1);
    let half = ours[..ours.len() / 2].to_owned();
    for cursor in [String::new(), "1".to_owned(), "../..".to_owned(), "ä".to_owned(), half, ours.clone() + "A"] {
        let range = || part(1, Some(cursor.clone()));
        let search = directory.search_users(String::new(), true, range()).await;
        assert_eq!(search.map(drop), Err(StoreError::BadCursor), "{cursor:?}");
    }
    // A cursor of one list is none of another.
    let range = || part(1, Some(ours.clone()));
    let bad = Err(StoreError::BadCursor);
    assert_eq!(directory.list_rooms(ada, range()).await.map(drop), bad);
    assert_eq!(directory.public_rooms(ada, String::new(), range()).await.map(drop), bad);
    assert_eq!(directory.search_rooms(String::new(), range()).await.map(drop), bad);
    assert_eq!(directory.members(room, range()).await.map(drop), bad);
    assert_eq!(directory.contacts(ada, range()).await.map(drop), bad);
    assert_eq!(directory.blocks(ada, range()).await.map(drop), bad);
    assert_eq!(directory.audit_log(range()).await.map(drop), bad);
    // A list whose end was reached says so, also when it is exactly full.
    let members = directory.members(room, part(2, None)).await.unwrap();
    assert_eq!((members.items.len(), members.next), (2, None));
}
