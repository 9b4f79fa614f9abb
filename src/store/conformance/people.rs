//! Accounts: what is taken, what is found, what changes, what is gone.

use rookery_core::{ids::UserId, time::Millis};
use uuid::Uuid;

use super::fixture::{Stores, part};
use crate::store::{
    StoreError,
    record::{ContactState, PlatformRole, Remembered, UserPatch},
};

pub(super) async fn an_account_is_found_again(stores: &Stores) {
    let mut new = stores.account("ada");
    new.user.email = Some("ada@example.org".to_owned());
    new.user.about = Some("likes birds".to_owned());
    new.user.role = PlatformRole::Admin;
    let directory = &stores.directory;
    directory.create_user(new.clone()).await.unwrap();
    let bert = stores.person("bert").await;
    let (id, user) = (new.user.id, new.user);
    assert_eq!(directory.user(id).await, Ok(Some(user.clone())));
    assert_eq!(directory.user_by_handle("ada".to_owned()).await, Ok(Some(user.clone())));
    assert_eq!(directory.user_by_handle("eve".to_owned()).await, Ok(None));
    let nobody = UserId(Uuid::now_v7());
    assert_eq!(directory.user(nobody).await, Ok(None));
    let mut both = directory.users(vec![id, nobody, bert, id]).await.unwrap();
    both.sort_by_key(|user| user.handle.clone());
    assert_eq!(both.iter().map(|user| user.id).collect::<Vec<_>>(), [id, bert]);
    for login in ["ada", "ada@example.org"] {
        let credentials = directory.credentials(login.to_owned()).await.unwrap().unwrap();
        assert_eq!((credentials.user, credentials.password_hash.as_str()), (user.clone(), "hash of ada"));
        assert_eq!((credentials.failures, credentials.failed_at), (0, Millis(0)));
    }
    assert_eq!(directory.credentials_of(id).await.unwrap().unwrap().user, user);
    assert!(directory.credentials("hash of ada".to_owned()).await.unwrap().is_none());
    assert!(directory.credentials_of(nobody).await.unwrap().is_none());
}

pub(super) async fn names_that_are_taken_stay_with_their_owner(stores: &Stores) {
    let directory = &stores.directory;
    let mut ada = stores.account("ada");
    ada.user.email = Some("ada@example.org".to_owned());
    directory.create_user(ada).await.unwrap();
    let same = stores.account("ada");
    assert_eq!(directory.create_user(same).await, Err(StoreError::Taken("handle")));
    let mut alike = stores.account("аda");
    alike.skeleton = "skeleton of ada".to_owned();
    assert_eq!(directory.create_user(alike).await, Err(StoreError::Taken("handle")));
    let mut address = stores.account("bert");
    address.user.email = Some("ada@example.org".to_owned());
    assert_eq!(directory.create_user(address).await, Err(StoreError::Taken("email")));
    assert_eq!(directory.user_by_handle("bert".to_owned()).await, Ok(None), "nothing of a refused account is there");
    // Two without an address do not get in each other's way.
    stores.person("bert").await;
    stores.person("eve").await;
}

pub(super) async fn of_two_who_want_a_handle_one_gets_it(stores: &Stores) {
    let wanted = (0..8).map(|_| stores.directory.create_user(stores.account("ada")));
    let results = futures_util::future::join_all(wanted).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(results.iter().all(|result| matches!(result, Ok(()) | Err(StoreError::Taken("handle")))), "{results:?}");
}

pub(super) async fn a_profile_changes_field_by_field(stores: &Stores) {
    let directory = &stores.directory;
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let email = |text: &str| UserPatch { email: Some(Some(text.to_owned())), ..UserPatch::default() };
    let user = directory.update_user(ada, email("ada@example.org")).await.unwrap();
    assert_eq!((user.email.as_deref(), user.display_name.as_str()), (Some("ada@example.org"), "Name of ada"));
    assert_eq!(directory.update_user(bert, email("ada@example.org")).await, Err(StoreError::Taken("email")));
    assert!(directory.update_user(ada, email("ada@example.org")).await.is_ok(), "one's own is not taken");
    let patch = UserPatch {
        display_name: Some("Ada".to_owned()),
        about: Some(Some("birds".to_owned())),
        disabled: Some(true),
        role: Some(PlatformRole::Admin),
        ..UserPatch::default()
    };
    let user = directory.update_user(ada, patch).await.unwrap();
    assert_eq!((user.display_name.as_str(), user.about.as_deref()), ("Ada", Some("birds")));
    assert_eq!((user.disabled, user.role, user.email.is_some()), (true, PlatformRole::Admin, true));
    let clear = UserPatch { about: Some(None), email: Some(None), ..UserPatch::default() };
    let user = directory.update_user(ada, clear).await.unwrap();
    assert_eq!((&user.about, &user.email, user.disabled), (&None, &None, true));
    assert_eq!(directory.user(ada).await, Ok(Some(user)));
    assert!(directory.update_user(bert, email("ada@example.org")).await.is_ok(), "an address that was cleared is free");
    let nobody = directory.update_user(UserId(Uuid::now_v7()), UserPatch::default()).await;
    assert_eq!(nobody, Err(StoreError::NotFound));
}

async fn found(stores: &Stores, query: &str, all: bool, limit: usize) -> Vec<String> {
    let (mut handles, mut after) = (Vec::new(), None);
    loop {
        let page = stores.directory.search_users(query.to_owned(), all, part(limit, after)).await.unwrap();
        assert!(page.items.len() <= limit);
        handles.extend(page.items.into_iter().map(|user| user.handle));
        match page.next {
            Some(next) => after = Some(next),
            None => return handles,
        }
    }
}

pub(super) async fn people_are_found_by_handle_and_name(stores: &Stores) {
    for (handle, name) in [
        ("robin", "Red Breast"),
        ("crow", "Robin's friend"),
        ("small_robin", "Wren"),
        ("a%b", "percent"),
        ("a_b", "underscore"),
        ("axb", "neither"),
    ] {
        let mut new = stores.account(handle);
        new.user.display_name = name.to_owned();
        stores.directory.create_user(new).await.unwrap();
    }
    for limit in [1, 2, 50] {
        // Those that begin with it first: by handle.
        assert_eq!(found(stores, "robin", false, limit).await, ["crow", "robin", "small_robin"]);
        assert_eq!(found(stores, "red", false, limit).await, ["robin"]);
        assert_eq!(found(stores, "a%b", false, limit).await, ["a%b"]);
        assert_eq!(found(stores, "a_b", false, limit).await, ["a_b"]);
        assert_eq!(found(stores, "%", false, limit).await, ["a%b"]);
        assert_eq!(found(stores, "_", false, limit).await, ["a_b", "small_robin"]);
        assert!(found(stores, "nobody", false, limit).await.is_empty());
        assert_eq!(found(stores, "", false, limit).await, ["a%b", "a_b", "axb", "crow", "robin", "small_robin"]);
    }
    let crow = stores.directory.user_by_handle("crow".to_owned()).await.unwrap().unwrap().id;
    let disable = UserPatch { disabled: Some(true), ..UserPatch::default() };
    stores.directory.update_user(crow, disable).await.unwrap();
    assert_eq!(found(stores, "robin", false, 50).await, ["robin", "small_robin"]);
    assert_eq!(found(stores, "robin", true, 50).await, ["crow", "robin", "small_robin"]);
    stores.directory.erase_user(crow).await.unwrap();
    assert_eq!(found(stores, "robin", true, 50).await, ["robin", "small_robin"]);
}

pub(super) async fn failed_tries_are_counted_and_forgotten(stores: &Stores) {
    let ada = stores.person("ada").await;
    let failures = async || {
        let credentials = stores.directory.credentials_of(ada).await.unwrap().unwrap();
        (credentials.failures, credentials.failed_at)
    };
    stores.directory.login_failed(ada, Millis(500)).await.unwrap();
    stores.directory.login_failed(ada, Millis(400)).await.unwrap();
    assert_eq!(failures().await, (2, Millis(500)));
    stores.directory.login_succeeded(ada).await.unwrap();
    assert_eq!(failures().await, (0, Millis(0)));
    stores.directory.login_failed(ada, Millis(600)).await.unwrap();
    stores.directory.set_password(ada, "new".to_owned(), None).await.unwrap();
    assert_eq!(failures().await.0, 0);
}

pub(super) async fn being_seen_never_goes_back(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let nobody = UserId(Uuid::now_v7());
    stores.directory.seen(vec![(ada, Millis(50)), (nobody, Millis(50))]).await.unwrap();
    stores.directory.seen(vec![(ada, Millis(40)), (bert, Millis(10))]).await.unwrap();
    let seen = async |id| stores.directory.user(id).await.unwrap().unwrap().last_seen;
    assert_eq!((seen(ada).await, seen(bert).await), (Some(Millis(50)), Some(Millis(10))));
}

pub(super) async fn an_erased_account_leaves_only_an_id(stores: &Stores) {
    let directory = &stores.directory;
    let mut new = stores.account("ada");
    new.user.email = Some("ada@example.org".to_owned());
    let (ada, bert) = (new.user.id, stores.person("bert").await);
    directory.create_user(new).await.unwrap();
    let device = super::logins::login(stores, ada, 1).await;
    directory.put_contact(ada, bert, Millis(1)).await.unwrap();
    directory.put_contact(bert, ada, Millis(2)).await.unwrap();
    let eve = stores.person("eve").await;
    directory.block(eve, ada, Millis(3)).await.unwrap();
    let answer = Remembered { request: [1; 32], status: 201, body: b"secret".to_vec() };
    directory.remember(ada, "key".to_owned(), answer, Millis(5), Millis(0)).await.unwrap();
    assert_eq!(directory.contact(bert, ada).await.unwrap().unwrap().state, ContactState::Contact);

    assert_eq!(directory.erase_user(ada).await, Ok(vec![device]));
    let gone = directory.user(ada).await.unwrap().unwrap();
    assert!(gone.deleted && gone.handle.is_empty() && gone.display_name.is_empty());
    assert_eq!((&gone.email, &gone.about, gone.last_seen), (&None, &None, None));
    assert!(directory.credentials("ada".to_owned()).await.unwrap().is_none());
    assert!(directory.credentials("ada@example.org".to_owned()).await.unwrap().is_none());
    assert!(directory.credentials(String::new()).await.unwrap().is_none());
    assert!(directory.credentials_of(ada).await.unwrap().is_none());
    assert_eq!(directory.user_by_handle("ada".to_owned()).await, Ok(None));
    assert_eq!(directory.user_by_handle(String::new()).await, Ok(None));
    assert_eq!(directory.contact(bert, ada).await, Ok(None));
    assert!(directory.contacts(bert, part(10, None)).await.unwrap().items.is_empty());
    assert!(directory.blocks(eve, part(10, None)).await.unwrap().items.is_empty());
    assert_eq!(directory.remembered(ada, "key".to_owned(), Millis(0)).await, Ok(None));
    assert!(directory.devices(ada).await.unwrap().is_empty());
    assert_eq!(directory.erase_user(ada).await, Err(StoreError::NotFound));
    assert_eq!(directory.update_user(ada, UserPatch::default()).await, Err(StoreError::NotFound));
    assert_eq!(directory.counts().await.unwrap().users, 2);

    // The names are free again, also twice.
    let mut again = stores.account("ada");
    again.user.email = Some("ada@example.org".to_owned());
    let id = again.user.id;
    directory.create_user(again).await.unwrap();
    directory.erase_user(id).await.unwrap();
    stores.person("ada").await;
}
