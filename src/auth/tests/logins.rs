//! Logins, what their tokens and tickets open, and how they end.

use rookery_core::ids::UserId;

use super::*;
use crate::auth::Token;

impl House {
    pub(super) async fn log_in_user(&self, handle: &str) -> UserId {
        self.directory.user_by_handle(handle.to_owned()).await.unwrap().unwrap().id
    }
}

#[tokio::test]
async fn one_logs_in_by_handle_or_address_however_it_is_written() {
    let house = house(&[]);
    house.register("anna").await;
    for login in ["anna", "ANNA", "Anna@Example.org"] {
        assert_eq!(house.log_in(login, PASSWORD, 0).await.unwrap().user.handle, "anna", "{login}");
    }
    assert!(house.log_in("anna", "Umbrella-stand-42", 0).await.is_err());
}

#[tokio::test]
async fn a_token_is_good_until_its_login_ends() {
    let house = house(&["auth.login_days=1"]);
    house.register("anna").await;
    let login = house.log_in("anna", PASSWORD, 0).await.unwrap();
    let is_good = async |now: i64| house.authenticator.by_token(&login.token, Millis(now)).await.unwrap().is_some();
    assert!(is_good(0).await && is_good(1).await);
    assert!(!is_good(86_400_000).await, "it ends by itself");
    assert!(house.directory.revoke_device(login.user.id, login.device.id).await.unwrap());
    house.authenticator.forget_devices(&[login.device.id]);
    assert!(!is_good(2).await, "it was ended");
    for other in ["", "nonsense", &Token::random().text] {
        assert!(house.authenticator.by_token(other, Millis(0)).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_ticket_opens_once_and_only_while_its_login_lasts() {
    let house = house(&[]);
    house.register("anna").await;
    let login = house.log_in("anna", PASSWORD, 0).await.unwrap();
    let identity = house.authenticator.by_token(&login.token, Millis(0)).await.unwrap().unwrap();
    let open = async |ticket: &str| house.authenticator.by_ticket(ticket, Millis(1)).await.unwrap();
    let (ticket, _) = house.authenticator.ticket(&identity, Millis(0)).unwrap();
    assert_eq!(open(&ticket).await, Some(identity));
    assert_eq!(open(&ticket).await, None);
    let (ticket, _) = house.authenticator.ticket(&identity, Millis(0)).unwrap();
    assert!(house.authenticator.by_token(&ticket, Millis(0)).await.unwrap().is_none(), "a ticket is no token");
    house.directory.revoke_device(login.user.id, login.device.id).await.unwrap();
    house.authenticator.forget_user(login.user.id);
    assert_eq!(open(&ticket).await, None);
}

#[tokio::test]
async fn uses_are_noted_once_a_minute_and_written_together() {
    let house = house(&[]);
    house.register("anna").await;
    let login = house.log_in("anna", PASSWORD, 0).await.unwrap();
    let used = async |now: i64| {
        house.authenticator.by_token(&login.token, Millis(now)).await.unwrap();
        house.authenticator.flush_used().await.unwrap();
        house.directory.devices(login.user.id).await.unwrap()[0].last_used_at
    };
    assert_eq!(used(5_000).await, Millis(0), "made a moment ago is used a moment ago");
    assert_eq!(used(65_000).await, Millis(65_000));
    assert_eq!(used(70_000).await, Millis(65_000));
    assert_eq!(used(100_000).await, Millis(65_000));
    assert_eq!(used(126_000).await, Millis(126_000));
}

#[tokio::test]
async fn a_login_makes_a_weak_hash_stronger_and_ends_no_other_login() {
    let weak = house(&[]);
    weak.register("anna").await;
    let first = weak.log_in("anna", PASSWORD, 0).await.unwrap();
    let strong = over(&weak.directory, &["auth.password_memory_kib=128"]);
    strong.log_in("anna", PASSWORD, 0).await.unwrap();
    let hash = strong.directory.credentials("anna".to_owned()).await.unwrap().unwrap().password_hash;
    assert!(hash.contains("m=128"), "{hash}");
    assert!(strong.authenticator.by_token(&first.token, Millis(1)).await.unwrap().is_some());
    assert!(strong.log_in("anna", PASSWORD, 1).await.is_ok());
}

#[tokio::test]
async fn a_changed_password_keeps_this_login_and_ends_the_others() {
    let house = house(&[]);
    house.register("anna").await;
    let (here, there) =
        (house.log_in("anna", PASSWORD, 0).await.unwrap(), house.log_in("anna", PASSWORD, 0).await.unwrap());
    assert!(house.accounts.guard(here.user.id, "wrong-password-1", Millis(0)).await.is_err());
    let guarded = house.accounts.guard(here.user.id, PASSWORD, Millis(0)).await.unwrap();
    let ended = house.accounts.change_password(guarded, "new", "a-new-password-7", here.device.id).await.unwrap();
    assert_eq!(ended, [there.device.id]);
    assert!(house.log_in("anna", PASSWORD, 0).await.is_err());
    assert!(house.log_in("anna", "a-new-password-7", 0).await.is_ok());
}

#[tokio::test]
async fn what_is_taken_is_named() {
    let house = house(&[]);
    house.register("anna").await;
    let account = |handle: &str, email: &str| NewAccount {
        handle: handle.to_owned(),
        password: PASSWORD.to_owned(),
        display_name: None,
        email: Some(email.to_owned()),
        role: PlatformRole::User,
    };
    for (handle, email, field) in [
        ("Anna", "other@example.org", "handle"),
        ("other", "ANNA@example.org", "email"),
        ("x", "x@example.org", "handle"),
    ] {
        let error = house.accounts.register(account(handle, email), Millis(0)).await.unwrap_err();
        let AuthError::Refused(refusal) = error else { panic!("{error:?}") };
        assert_eq!(refusal.field, Some(field));
    }
}

#[tokio::test]
async fn where_registration_is_closed_only_operators_make_accounts() {
    let house = house(&["auth.registration=closed"]);
    let account = NewAccount {
        handle: "anna".to_owned(),
        password: PASSWORD.to_owned(),
        display_name: None,
        email: None,
        role: PlatformRole::User,
    };
    assert!(house.accounts.register(account.clone(), Millis(0)).await.is_err());
    assert!(house.accounts.create(account, Millis(0)).await.is_ok());
}
