//! Users, their sessions, and who may look.

use serde_json::json;

use crate::support::person::PASSWORD;
use crate::support::process::Server;
use crate::support::rest::Rest;

#[tokio::test]
async fn users_are_searched_listed_and_shown_with_what_only_admins_see() {
    let server = Server::start().await;
    let [anna, _bert] = server.people(["anna", "bert"]).await;
    anna.rest.patch("/me", json!({"email": "anna@example.org"})).await.body(200);
    let admin = server.administrator();
    assert_eq!(admin.list("/users?limit=1").await.len(), 2, "over pages");
    let found = admin.list("/users?query=ann").await;
    assert_eq!(found.len(), 1);
    let user = admin.get(&format!("/users/{}", anna.id)).await.body(200);
    assert_eq!(user, found[0]);
    assert_eq!(
        (&user["handle"], &user["email"], &user["role"]),
        (&json!("anna"), &json!("anna@example.org"), &json!("user"))
    );
    assert_eq!((&user["disabled"], &user["devices"], &user["sessions"]), (&json!(false), &json!(1), &json!(0)));
    assert!(user.get("password").is_none() && user.get("password_hash").is_none(), "{user}");
    admin.get(&format!("/users/{}", crate::support::client_id())).await.refused(404, "not_found");
}

#[tokio::test]
async fn who_is_made_admin_may_use_the_endpoint_and_nobody_else() {
    // 46: and what is refused is in the audit log of who tries.
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let base = format!("{}/admin/v1", server.admin);
    let (anonymous, hers, his) =
        (Rest::new(&base), Rest::new(&base).with_token(&anna.token), Rest::new(&base).with_token(&bert.token));
    for path in ["/overview", "/users", "/sessions", "/rooms", "/config", "/audit", &format!("/users/{}", anna.id)] {
        let answer = anonymous.get(path).await;
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{answer:?}");
        answer.refused(401, "unauthenticated");
        his.get(path).await.refused(403, "forbidden");
    }
    his.patch(&format!("/users/{}", bert.id), json!({"role": "admin"})).await.refused(403, "forbidden");
    let admin = server.administrator();
    let log = admin.list("/audit").await;
    let refused: Vec<_> = log.iter().filter(|line| line["action"] == "admin.refused").collect();
    // A few tell that somebody tries; more would only fill the disk.
    assert!((5..7).contains(&refused.len()), "{log:?}");
    assert!(refused.iter().all(|line| line["actor"] == bert.id.as_str() && line["detail"] == "GET"), "{refused:?}");
    assert!(refused.iter().any(|line| line["subject"] == "/admin/v1/overview"), "{refused:?}");
    let made = admin.patch(&format!("/users/{}", anna.id), json!({"role": "admin"})).await.body(200);
    assert_eq!(made["role"], "admin");
    hers.get("/overview").await.body(200);
    assert_eq!(anna.rest.get("/me").await.body(200)["role"], "admin");
    admin.patch(&format!("/users/{}", anna.id), json!({"role": "user"})).await.body(200);
    hers.get("/overview").await.refused(403, "forbidden");
    let king = json!({"role": "king"});
    admin.patch(&format!("/users/{}", anna.id), king).await.refused_field(400, "bad_request", "/role");
}

#[tokio::test]
async fn disabling_and_a_new_password_revoke_every_login() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let admin = server.administrator();
    let disabled = admin.patch(&format!("/users/{}", anna.id), json!({"disabled": true})).await.body(200);
    assert_eq!(disabled["disabled"], true);
    anna.rest.get("/me").await.refused(401, "unauthenticated");
    let login = json!({"login": "anna", "password": PASSWORD});
    server.anonymous().post("/logins", login.clone()).await.refused(401, "unauthenticated");
    admin.patch(&format!("/users/{}", anna.id), json!({"disabled": false})).await.body(200);
    server.anonymous().post("/logins", login).await.body(201);
    let password = json!({"password": "given-by-the-admin-1"});
    admin.patch(&format!("/users/{}", bert.id), password).await.body(200);
    bert.rest.get("/me").await.refused(401, "unauthenticated");
    let login = json!({"login": "bert", "password": "given-by-the-admin-1"});
    server.anonymous().post("/logins", login).await.body(201);
    let short = json!({"password": "short"});
    admin.patch(&format!("/users/{}", bert.id), short).await.refused_field(400, "bad_request", "/password");
}

#[tokio::test]
async fn a_user_is_erased_as_by_themselves() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    bert.post(&room, "I was here").await;
    let admin = server.administrator();
    admin.delete(&format!("/users/{}", anna.id)).await.refused(409, "conflict");
    admin.delete(&format!("/users/{}", bert.id)).await.body(204);
    bert.rest.get("/me").await.refused(401, "unauthenticated");
    assert_eq!(anna.rest.get(&format!("/users/{}", bert.id)).await.body(200)["deleted"], true);
    assert_eq!(anna.bodies(&room).await, ["I was here"]);
}

#[tokio::test]
async fn sessions_are_listed_by_user_and_over_all() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let mut socket = anna.silent_socket().await;
    socket.send(json!({"type": "hello", "cursors": {}, "client": "the tests"})).await;
    let welcome = socket.next().await;
    let _his = bert.online().await;
    let admin = server.administrator();
    let hers = admin.list(&format!("/users/{}/sessions", anna.id)).await;
    assert_eq!(hers.len(), 1);
    assert_eq!((&hers[0]["session"], &hers[0]["device"]), (&welcome["session"], &json!(anna.device)));
    assert_eq!(hers[0]["client"], "the tests");
    assert!(hers[0]["since"].is_string() && !hers[0]["node"].is_null(), "{}", hers[0]);
    let all = admin.list("/sessions").await;
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|session| !session["user"].is_null()), "{all:?}");
    assert_eq!(admin.get("/overview").await.body(200)["sessions"], 2);
    let nobody = format!("/sessions/{}", crate::support::client_id());
    admin.delete(&nobody).await.refused(404, "not_found");
}
