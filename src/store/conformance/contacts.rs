//! Contacts and blocks: how two people come to stand, and whom the lists show.

use rookery_core::{ids::UserId, time::Millis};
use uuid::Uuid;

use super::fixture::{Stores, part};
use crate::store::{StoreError, record::ContactState};

async fn stand(stores: &Stores, me: UserId, other: UserId) -> Option<ContactState> {
    stores.directory.contact(me, other).await.unwrap().map(|contact| {
        assert_eq!(contact.user.id, other);
        contact.state
    })
}

pub(super) async fn an_invitation_is_accepted(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let directory = &stores.directory;
    assert_eq!(stand(stores, ada, bert).await, None);
    let (contact, new) = directory.put_contact(ada, bert, Millis(1)).await.unwrap();
    assert_eq!((contact.state, contact.since, new), (ContactState::Invited, Millis(1), true));
    assert_eq!(stand(stores, bert, ada).await, Some(ContactState::Asking));
    let (contact, new) = directory.put_contact(ada, bert, Millis(2)).await.unwrap();
    assert_eq!((contact.state, contact.since, new), (ContactState::Invited, Millis(1), false), "asking twice is once");
    let (contact, new) = directory.put_contact(bert, ada, Millis(3)).await.unwrap();
    assert_eq!((contact.state, contact.since, new), (ContactState::Contact, Millis(3), false));
    assert_eq!(stand(stores, ada, bert).await, Some(ContactState::Contact));
    let (contact, new) = directory.put_contact(ada, bert, Millis(4)).await.unwrap();
    assert_eq!((contact.since, new), (Millis(3), false));
    let nobody = directory.put_contact(ada, UserId(Uuid::now_v7()), Millis(5)).await;
    assert_eq!(nobody.map(|_| ()), Err(StoreError::NotFound));
}

pub(super) async fn two_who_invite_each_other_at_once_are_contacts(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let directory = &stores.directory;
    for at in 1..=20 {
        let both = futures_util::future::join(
            directory.put_contact(ada, bert, Millis(at)),
            directory.put_contact(bert, ada, Millis(at)),
        );
        let (one, other) = both.await;
        let mut answers = [one.unwrap(), other.unwrap()].map(|(contact, new)| (contact.state, new));
        answers.sort_by_key(|(_, new)| !new);
        assert_eq!(answers, [(ContactState::Invited, true), (ContactState::Contact, false)]);
        assert_eq!(stand(stores, ada, bert).await, Some(ContactState::Contact));
        assert_eq!(stand(stores, bert, ada).await, Some(ContactState::Contact));
        let end = futures_util::future::join(directory.delete_contact(ada, bert), directory.delete_contact(bert, ada));
        let (one, other) = end.await;
        assert_ne!(one.unwrap(), other.unwrap(), "one of the two ends it");
    }
}

pub(super) async fn a_contact_ends_for_both(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let directory = &stores.directory;
    assert_eq!(directory.delete_contact(ada, bert).await, Ok(false));
    for (by, of) in [(ada, bert), (bert, ada)] {
        directory.put_contact(ada, bert, Millis(1)).await.unwrap();
        assert_eq!(directory.delete_contact(by, of).await, Ok(true));
        assert_eq!((stand(stores, ada, bert).await, stand(stores, bert, ada).await), (None, None));
    }
    directory.put_contact(ada, bert, Millis(1)).await.unwrap();
    directory.put_contact(bert, ada, Millis(2)).await.unwrap();
    assert_eq!(directory.delete_contact(bert, ada).await, Ok(true));
    assert_eq!((stand(stores, ada, bert).await, stand(stores, bert, ada).await), (None, None));
}

pub(super) async fn contacts_and_blocks_are_listed_by_handle(stores: &Stores) {
    let ada = stores.person("ada").await;
    let mut others = Vec::new();
    for handle in ["wren", "crow", "lark", "heron", "finch"] {
        others.push(stores.person(handle).await);
    }
    for other in &others[..3] {
        stores.directory.put_contact(ada, *other, Millis(1)).await.unwrap();
    }
    stores.directory.put_contact(others[3], others[4], Millis(1)).await.unwrap();
    for other in &others[1..] {
        stores.directory.block(others[0], *other, Millis(1)).await.unwrap();
    }
    let first = stores.directory.contacts(ada, part(2, None)).await.unwrap();
    let second = stores.directory.contacts(ada, part(2, first.next.clone())).await.unwrap();
    let handles = first.items.iter().chain(&second.items).map(|contact| contact.user.handle.as_str());
    assert_eq!(handles.collect::<Vec<_>>(), ["crow", "lark", "wren"]);
    assert_eq!((second.next, second.items[0].state), (None, ContactState::Invited));
    let first = stores.directory.blocks(others[0], part(3, None)).await.unwrap();
    let second = stores.directory.blocks(others[0], part(3, first.next.clone())).await.unwrap();
    let handles = first.items.iter().chain(&second.items).map(|user| user.handle.as_str());
    assert_eq!(handles.collect::<Vec<_>>(), ["crow", "finch", "heron", "lark"]);
}

pub(super) async fn a_block_ends_a_contact(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let directory = &stores.directory;
    directory.put_contact(ada, bert, Millis(1)).await.unwrap();
    directory.put_contact(bert, ada, Millis(2)).await.unwrap();
    assert_eq!(directory.block(bert, ada, Millis(3)).await, Ok(true));
    assert_eq!(directory.block(bert, ada, Millis(4)).await, Ok(false));
    assert_eq!((stand(stores, ada, bert).await, stand(stores, bert, ada).await), (None, None));
    assert_eq!(directory.is_blocked(bert, ada).await, Ok(true));
    assert_eq!(directory.is_blocked(ada, bert).await, Ok(false));
    assert_eq!(directory.unblock(ada, bert).await, Ok(false));
    assert_eq!(directory.unblock(bert, ada).await, Ok(true));
    assert_eq!(directory.is_blocked(bert, ada).await, Ok(false));
    let nobody = directory.block(ada, UserId(Uuid::now_v7()), Millis(5)).await;
    assert_eq!(nobody, Err(StoreError::NotFound));
}
