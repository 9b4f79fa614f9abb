//! Who guesses is slowed down, and learns nothing on the way.

use super::*;

const WRONG: Result<(), Code> = Err(Code::Unauthenticated);
const WAIT: Result<(), Code> = Err(Code::RateLimited);

#[tokio::test]
async fn a_known_and_an_unknown_name_get_the_same_answers_for_ever() {
    let house = house(&[]);
    house.register("anna").await;
    let mut answers = Vec::new();
    for login in ["anna", "nobody", "anna@example.org"] {
        let mut codes = Vec::new();
        if login == "anna@example.org" {
            house.directory.login_succeeded(house.log_in_user("anna").await).await.unwrap();
        }
        for _ in 0..8 {
            codes.push(house.fail(login, 1_000).await);
        }
        answers.push(codes);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
    assert_eq!(answers[0][4..6], [Code::Unauthenticated, Code::RateLimited]);
}

#[tokio::test]
async fn after_the_wait_the_right_password_is_right_and_all_is_forgotten() {
    let house = house(&[]);
    house.register("anna").await;
    for _ in 0..5 {
        house.fail("anna", 0).await;
    }
    assert_eq!(house.log_in("anna", PASSWORD, 500).await.map(drop), WAIT, "not even the right one");
    assert!(house.log_in("anna", PASSWORD, 1_000).await.is_ok());
    assert_eq!(house.failures("anna").await, Some(0));
    assert_eq!(house.fail("anna", 1_000).await, Code::Unauthenticated);
}

#[tokio::test]
async fn the_count_survives_a_restart() {
    let house = house(&[]);
    house.register("anna").await;
    for _ in 0..5 {
        house.fail("anna", 0).await;
    }
    let restarted = over(&house.directory, &[]);
    assert_eq!(restarted.log_in("anna", PASSWORD, 10).await.map(drop), WAIT);
}

#[tokio::test]
async fn who_is_shut_out_looks_like_nobody() {
    let house = house(&[]);
    house.register("anna").await;
    let user = house.log_in_user("anna").await;
    let patch = crate::store::record::UserPatch { disabled: Some(true), ..Default::default() };
    house.directory.update_user(user, patch).await.unwrap();
    assert_eq!(house.log_in("anna", PASSWORD, 0).await.map(drop), WRONG);
}

#[tokio::test]
async fn one_address_that_tries_many_names_is_stopped_and_others_are_not() {
    let house = house(&["limits.anonymous_per_minute=60"]);
    house.register("anna").await;
    for n in 0..20 {
        assert_eq!(house.log_in(&format!("nobody{n}"), "wrong-password-1", 0).await.map(drop), WRONG, "{n}");
    }
    assert_eq!(house.log_in("anna", PASSWORD, 0).await.map(drop), WAIT);
    assert!(house.log_in_from("192.0.2.2", "anna", PASSWORD, 0).await.is_ok());
    assert!(house.log_in("anna", PASSWORD, 60_000).await.is_ok(), "it passes");
}

#[tokio::test]
async fn a_password_that_is_too_long_to_be_one_is_just_wrong() {
    let house = house(&[]);
    house.register("anna").await;
    assert_eq!(house.log_in("anna", &"x".repeat(60_000), 0).await.map(drop), WRONG);
}
