//! Accounts, logins by device, the own profile and the search for users.

use serde_json::{Value, json};

use crate::support::person::PASSWORD;
use crate::support::preload::Later;
use crate::support::process::{Server, Setup};
use crate::support::socket::{Socket, handshake};
use crate::support::{client_id, eventually};

fn is_time(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.len() == "2026-11-24T10:00:00.123Z".len() && text.ends_with('Z') && text.as_bytes()[10] == b'T'
}

#[tokio::test]
async fn an_account_is_made_and_found_again_by_handle_and_by_email() {
    let server = Server::start().await;
    let anonymous = server.anonymous();
    let account = json!({"handle": "anna", "password": PASSWORD, "display_name": "Anna", "email": "anna@example.org"});
    let user = anonymous.post("/accounts", account).await.body(201);
    assert_eq!(user["handle"], "anna");
    assert_eq!(user["display_name"], "Anna");
    assert!(is_time(&user["created_at"]), "{user}");
    assert_eq!(uuid::Uuid::parse_str(user["id"].as_str().unwrap()).unwrap().get_version_num(), 7);
    assert!(user.get("email").is_none() && user.get("password").is_none(), "a user shows nothing private: {user}");
    for login in ["anna", "ANNA", "anna@example.org"] {
        let login = json!({"login": login, "password": PASSWORD, "device_name": "phone"});
        let answer = anonymous.post("/logins", login).await.body(201);
        assert_eq!(answer["user"], user);
        assert_eq!(answer["device"]["name"], "phone");
        assert!(is_time(&answer["device"]["created_at"]), "{answer}");
        assert_eq!(answer["device"]["current"], true);
        let me = anonymous.with_token(answer["token"].as_str().unwrap()).get("/me").await.body(200);
        assert_eq!((&me["id"], &me["email"], &me["role"]), (&user["id"], &json!("anna@example.org"), &json!("user")));
    }
}

#[tokio::test]
async fn a_taken_handle_a_lookalike_and_a_taken_email_are_conflicts() {
    let server = Server::start().await;
    let anonymous = server.anonymous();
    let account = json!({"handle": "paypal", "password": PASSWORD, "email": "p@example.org"});
    anonymous.post("/accounts", account).await.body(201);
    for handle in ["paypal", "PayPal", "ｐａｙｐａｌ", "paypa1", "раураӏ"] {
        let answer = anonymous.post("/accounts", json!({"handle": handle, "password": PASSWORD})).await;
        assert!(answer.status == 409, "{handle}: {answer:?}");
        answer.refused(409, "conflict");
    }
    let account = json!({"handle": "other", "password": PASSWORD, "email": "P@example.org"});
    anonymous.post("/accounts", account).await.refused(409, "conflict");
}

#[tokio::test]
async fn registration_can_be_closed() {
    let server = crate::support::process::Setup::new().set("auth.registration", "closed").start().await;
    let account = json!({"handle": "anna", "password": PASSWORD});
    server.anonymous().post("/accounts", account).await.refused(403, "forbidden");
}

#[tokio::test]
async fn devices_are_listed_and_logged_out_one_by_one() {
    let server = Server::start().await;
    let first = server.person("anna").await;
    let second = server.login("anna").await;
    let third = server.login("anna").await;
    let devices = first.rest.list("/logins").await;
    assert_eq!(devices.len(), 3);
    for device in &devices {
        assert_eq!(device["current"], json!(device["id"] == first.device.as_str()), "{device}");
        assert!(is_time(&device["last_used_at"]), "{device}");
    }
    first.rest.delete(&format!("/logins/{}", second.device)).await.body(204);
    second.rest.get("/me").await.refused(401, "unauthenticated");
    first.rest.delete(&format!("/logins/{}", second.device)).await.refused(404, "not_found");
    third.rest.delete("/logins/current").await.body(204);
    third.rest.get("/me").await.refused(401, "unauthenticated");
    first.rest.get("/me").await.body(200);
    let stranger = server.person("bert").await;
    stranger.rest.delete(&format!("/logins/{}", first.device)).await.refused(404, "not_found");
}

#[tokio::test]
async fn logging_out_everywhere_else_keeps_this_login() {
    let server = Server::start().await;
    let first = server.person("anna").await;
    let second = server.login("anna").await;
    first.rest.delete("/logins").await.body(204);
    second.rest.get("/me").await.refused(401, "unauthenticated");
    assert_eq!(first.rest.list("/logins").await.len(), 1);
}

#[tokio::test]
async fn a_login_ends_after_its_days() {
    // 4
    let (setup, clock) = Later::over(Setup::new().set("auth.login_days", 2).set("limits.heartbeat_seconds", 3_600));
    let server = setup.start().await;
    let anna = server.person("anna").await;
    let mut socket = anna.online().await;
    clock.by(2 * 86_400 - 60);
    anna.rest.get("/me").await.body(200);
    socket.ask(json!({"type": "ping"})).await;
    clock.by(2 * 86_400 + 60);
    anna.rest.get("/me").await.refused(401, "unauthenticated");
    assert_eq!(socket.close_code().await, Some(4003), "also where it is connected already");
    let refused = Socket::try_connect(handshake(&server.url, &anna.token), None).await;
    assert_eq!(refused.err().map(|(status, _)| status), Some(401));
    assert_eq!(server.login("anna").await.rest.list("/logins").await.len(), 1, "the ended one is not listed");
}

#[tokio::test]
async fn a_profile_is_changed_in_part_and_cleared_with_null() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let change = json!({"display_name": "Anna A.", "about": "likes tea", "email": "anna@example.org"});
    let me = anna.rest.patch("/me", change).await.body(200);
    assert_eq!((&me["display_name"], &me["about"]), (&json!("Anna A."), &json!("likes tea")));
    let public = bert.rest.get(&format!("/users/{}", anna.id)).await.body(200);
    assert_eq!((&public["display_name"], &public["about"]), (&json!("Anna A."), &json!("likes tea")));
    assert!(public.get("email").is_none(), "{public}");
    let me = anna.rest.patch("/me", json!({"about": null})).await.body(200);
    assert!(me.get("about").is_none_or(Value::is_null), "{me}");
    assert_eq!(me["display_name"], "Anna A.", "what is not named stays");
    let me = anna.rest.patch("/me", json!({"email": null})).await.body(200);
    assert!(me.get("email").is_none_or(Value::is_null), "{me}");
    bert.rest.patch("/me", json!({"display_name": "x".repeat(2000)})).await.refused(400, "bad_request");
}

#[tokio::test]
async fn a_new_password_needs_the_old_one_and_revokes_the_other_logins() {
    let server = Server::start().await;
    let first = server.person("anna").await;
    let second = server.login("anna").await;
    let wrong = json!({"current": "not-the-password", "new": "a-new-password-7"});
    let refused = first.rest.post("/me/password", wrong).await;
    assert!([401, 403].contains(&refused.status), "{refused:?}");
    let change = json!({"current": PASSWORD, "new": "a-new-password-7"});
    first.rest.post("/me/password", change).await.body(204);
    first.rest.get("/me").await.body(200);
    second.rest.get("/me").await.refused(401, "unauthenticated");
    let old = json!({"login": "anna", "password": PASSWORD});
    server.anonymous().post("/logins", old).await.refused(401, "unauthenticated");
    let new = json!({"login": "anna", "password": "a-new-password-7"});
    server.anonymous().post("/logins", new).await.body(201);
}

#[tokio::test]
async fn who_deletes_their_account_is_gone_and_their_messages_stay_nameless() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let seq = bert.post(&room, "I was here").await;
    bert.rest.request("DELETE", "/me").json(&json!({"password": "wrong-password"})).send().await.unwrap();
    bert.rest.get("/me").await.body(200);
    let request = bert.rest.request("DELETE", "/me").json(&json!({"password": PASSWORD}));
    crate::support::rest::send(request).await.body(204);
    bert.rest.get("/me").await.refused(401, "unauthenticated");
    let login = json!({"login": "bert", "password": PASSWORD});
    server.anonymous().post("/logins", login).await.refused(401, "unauthenticated");
    let page = anna.rest.get(&format!("/rooms/{room}/messages?around={seq}")).await.body(200);
    let message = page["items"].as_array().unwrap().iter().find(|item| item["seq"] == seq).unwrap().clone();
    assert_eq!((&message["body"], &message["from"]), (&json!("I was here"), &json!(bert.id)));
    let ghost = anna.rest.get(&format!("/users/{}", bert.id)).await.body(200);
    assert_eq!(ghost["deleted"], true, "{ghost}");
    assert_ne!(ghost["handle"], "bert", "the name is gone: {ghost}");
    eventually("bert to be no member any more", || async {
        let members = anna.rest.list(&format!("/rooms/{room}/members")).await;
        (members.len() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_last_owner_of_a_room_with_others_cannot_delete_their_account() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let leave = || crate::support::rest::send(anna.rest.request("DELETE", "/me").json(&json!({"password": PASSWORD})));
    leave().await.refused(409, "conflict");
    let owner = json!({"role": "owner"});
    anna.rest.put(&format!("/rooms/{room}/members/{}", bert.id), owner).await.body(200);
    leave().await.body(204);
}

#[tokio::test]
async fn users_are_found_by_prefix_first_and_then_by_what_they_contain() {
    let server = Server::start().await;
    let [anna, _, _] = server.people(["anna", "joanna", "bert"]).await;
    let found = anna.rest.list("/users?query=ann").await;
    let handles: Vec<&str> = found.iter().map(|user| user["handle"].as_str().unwrap()).collect();
    assert_eq!(handles, ["anna", "joanna"]);
    anna.rest.patch("/me", json!({"display_name": "Berta B."})).await.body(200);
    assert_eq!(anna.rest.list("/users?query=berta").await.len(), 1, "names are searched too");
    anna.rest.get("/users?query=").await.refused(400, "bad_request");
    anna.rest.get("/users").await.refused(400, "bad_request");
    anna.rest.get(&format!("/users/{}", client_id())).await.refused(404, "not_found");
}
