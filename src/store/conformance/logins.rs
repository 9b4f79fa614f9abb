//! Logins: tokens, expiry, revocation.

use rookery_core::{
    ids::{DeviceId, UserId},
    time::Millis,
};
use uuid::Uuid;

use super::fixture::Stores;
use crate::store::{
    StoreError,
    record::{Device, UserPatch},
};

fn device(user: UserId, n: i64) -> Device {
    Device {
        id: DeviceId(Uuid::now_v7()),
        user,
        name: format!("device {n}"),
        created_at: Millis(n),
        last_used_at: Millis(n),
        expires_at: Millis(1_000),
    }
}

/// A login with the token `[n; 32]`.
pub(super) async fn login(stores: &Stores, user: UserId, n: u8) -> DeviceId {
    let device = device(user, i64::from(n));
    let id = device.id;
    stores.directory.create_device(device, [n; 32]).await.unwrap();
    id
}

async fn by_token(stores: &Stores, n: u8, now: i64) -> Option<(DeviceId, UserId)> {
    let found = stores.directory.device_by_token([n; 32], Millis(now)).await.unwrap();
    found.map(|(device, user)| {
        assert_eq!(device.user, user.id);
        (device.id, user.id)
    })
}

pub(super) async fn a_token_leads_to_its_login(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let (first, second) = (device(ada, 1), device(bert, 2));
    stores.directory.create_device(first.clone(), [1; 32]).await.unwrap();
    stores.directory.create_device(second.clone(), [2; 32]).await.unwrap();
    let (found, user) = stores.directory.device_by_token([1; 32], Millis(10)).await.unwrap().unwrap();
    assert_eq!((found, user.handle.as_str()), (first, "ada"));
    assert_eq!(by_token(stores, 2, 10).await, Some((second.id, bert)));
    assert_eq!(by_token(stores, 3, 10).await, None);
    assert_eq!(stores.directory.devices(bert).await, Ok(vec![second]));
}

pub(super) async fn a_token_expires(stores: &Stores) {
    let ada = stores.person("ada").await;
    let id = login(stores, ada, 1).await;
    assert_eq!(by_token(stores, 1, 999).await, Some((id, ada)));
    assert_eq!(by_token(stores, 1, 1_000).await, None);
}

pub(super) async fn who_is_shut_out_has_no_token(stores: &Stores) {
    let ada = stores.person("ada").await;
    let id = login(stores, ada, 1).await;
    let disable = |disabled| UserPatch { disabled: Some(disabled), ..UserPatch::default() };
    stores.directory.update_user(ada, disable(true)).await.unwrap();
    assert_eq!(by_token(stores, 1, 10).await, None);
    stores.directory.update_user(ada, disable(false)).await.unwrap();
    assert_eq!(by_token(stores, 1, 10).await, Some((id, ada)));
}

pub(super) async fn a_login_ends_at_once(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let id = login(stores, ada, 1).await;
    assert_eq!(stores.directory.revoke_device(bert, id).await, Ok(false), "not theirs");
    assert_eq!(by_token(stores, 1, 10).await, Some((id, ada)));
    assert_eq!(stores.directory.revoke_device(ada, id).await, Ok(true));
    assert_eq!(by_token(stores, 1, 10).await, None);
    assert_eq!(stores.directory.revoke_device(ada, id).await, Ok(false));
}

pub(super) async fn all_logins_but_one_end(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let (one, two, three) = (login(stores, ada, 1).await, login(stores, ada, 2).await, login(stores, ada, 3).await);
    let other = login(stores, bert, 4).await;
    let mut ended = stores.directory.revoke_devices(ada, Some(two)).await.unwrap();
    ended.sort_unstable();
    assert_eq!(ended, [one, three]);
    assert_eq!(by_token(stores, 2, 10).await, Some((two, ada)));
    assert_eq!(by_token(stores, 4, 10).await, Some((other, bert)));
    assert_eq!(stores.directory.revoke_devices(ada, None).await, Ok(vec![two]));
    assert_eq!(stores.directory.revoke_devices(ada, None).await, Ok(Vec::new()));
}

pub(super) async fn a_new_password_ends_the_other_logins(stores: &Stores) {
    let ada = stores.person("ada").await;
    let (one, two) = (login(stores, ada, 1).await, login(stores, ada, 2).await);
    assert_eq!(stores.directory.set_password(ada, "new hash".to_owned(), Some(one)).await, Ok(vec![two]));
    assert_eq!(stores.directory.credentials_of(ada).await.unwrap().unwrap().password_hash, "new hash");
    assert_eq!((by_token(stores, 1, 10).await, by_token(stores, 2, 10).await), (Some((one, ada)), None));
    let nobody = UserId(Uuid::now_v7());
    let refused = stores.directory.set_password(nobody, "hash".to_owned(), None).await;
    assert_eq!(refused, Err(StoreError::NotFound));
}

pub(super) async fn logins_are_listed_newest_first(stores: &Stores) {
    let ada = stores.person("ada").await;
    let (one, two, three) = (login(stores, ada, 1).await, login(stores, ada, 2).await, login(stores, ada, 3).await);
    let listed = stores.directory.devices(ada).await.unwrap();
    assert_eq!(listed.iter().map(|device| device.id).collect::<Vec<_>>(), [three, two, one]);
}

pub(super) async fn being_used_never_goes_back(stores: &Stores) {
    let ada = stores.person("ada").await;
    let id = login(stores, ada, 1).await;
    stores.directory.used(vec![(id, Millis(90)), (DeviceId(Uuid::now_v7()), Millis(90))]).await.unwrap();
    stores.directory.used(vec![(id, Millis(80))]).await.unwrap();
    assert_eq!(stores.directory.devices(ada).await.unwrap()[0].last_used_at, Millis(90));
}

pub(super) async fn the_token_of_a_login_is_known_by_its_digest(stores: &Stores) {
    let ada = stores.person("ada").await;
    let id = login(stores, ada, 1).await;
    assert_eq!(stores.directory.token_of_device(id).await, Ok(Some([1; 32])));
    assert_eq!(stores.directory.token_of_device(DeviceId(Uuid::nil())).await, Ok(None));
    stores.directory.revoke_device(ada, id).await.unwrap();
    assert_eq!(stores.directory.token_of_device(id).await, Ok(None));
}
