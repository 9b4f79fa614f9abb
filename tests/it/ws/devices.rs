//! Several devices of one person, and what happens to a socket whose login ends (cases 12, 51).

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::person::PASSWORD;
use crate::support::process::{Server, Setup};
use crate::support::rest::send;
use crate::support::socket::{Socket, handshake};

#[tokio::test]
async fn each_device_hears_everything_and_keeps_its_own_cursor() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let (phone, laptop) = (bert.clone(), server.login("bert").await);
    assert_ne!(phone.device, laptop.device);
    let (mut first, mut second) = (phone.online().await, laptop.online().await);
    let one = anna.post(&room, "one").await;
    assert_eq!(first.event(&room, one).await, second.event(&room, one).await);
    second.leave().await;
    let two = first.say(&room, "two").await["seq"].as_u64().unwrap();
    first.event(&room, two).await;
    let (mut second, _) = laptop.resume(json!({room.as_str(): one})).await;
    assert_eq!(second.event(&room, two).await["body"], "two");
}

#[tokio::test]
async fn a_revoked_login_closes_its_sockets_and_no_others() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let bert = server.person("bert").await;
    let room = anna.group("tea", &[&bert]).await;
    let other = server.login("anna").await;
    let mut mine = anna.online().await;
    let ways: [(&str, &str); 2] = [("DELETE", "/logins/{device}"), ("DELETE", "/logins")];
    for (method, path) in ways {
        let victim = server.login("anna").await;
        let mut socket = victim.online().await;
        let start = Instant::now();
        let path = path.replace("{device}", &victim.device);
        send(anna.rest.request(method, &path)).await.body(204);
        assert_eq!(socket.close_code().await, Some(4003), "{path}");
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
    other.rest.get("/me").await.refused(401, "unauthenticated");
    let seq = bert.post(&room, "still there?").await;
    mine.event(&room, seq).await;
    let own = server.login("anna").await;
    let mut socket = own.online().await;
    own.rest.delete("/logins/current").await.body(204);
    assert_eq!(socket.close_code().await, Some(4003));
}

#[tokio::test]
async fn a_new_password_closes_the_sockets_of_the_other_logins() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut other = server.login("anna").await.online().await;
    let mut mine = anna.online().await;
    let change = json!({"current": PASSWORD, "new": "a-new-password-7"});
    anna.rest.post("/me/password", change).await.body(204);
    assert_eq!(other.close_code().await, Some(4003));
    mine.ask(json!({"type": "ping"})).await;
}

#[tokio::test]
async fn the_administrator_closes_sockets_by_disabling_and_one_by_one() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let admin = server.administrator();
    let (mut socket, welcome) = anna.resume(json!({})).await;
    let mut kept = anna.online().await;
    admin.delete(&format!("/sessions/{}", welcome["session"].as_str().unwrap())).await.body(204);
    assert_eq!(socket.close_code().await, Some(4003));
    kept.ask(json!({"type": "ping"})).await;
    let mut his = bert.online().await;
    admin.patch(&format!("/users/{}", bert.id), json!({"disabled": true})).await.body(200);
    assert_eq!(his.close_code().await, Some(4003));
    let refused = Socket::try_connect(handshake(&server.url, &bert.token), None).await;
    assert_eq!(refused.err().map(|(status, _)| status), Some(401));
}

#[tokio::test]
async fn one_connection_too_many_of_a_device_replaces_the_oldest() {
    let server = Setup::new().set("limits.connections_per_device", 2).start().await;
    let anna = server.person("anna").await;
    let (mut first, mut second) = (anna.online().await, anna.online().await);
    let mut third = anna.online().await;
    assert_eq!(first.close_code().await, Some(4010));
    second.ask(json!({"type": "ping"})).await;
    third.ask(json!({"type": "ping"})).await;
    server.login("anna").await.online().await.ask(json!({"type": "ping"})).await;
    second.ask(json!({"type": "ping"})).await;
}

#[tokio::test]
async fn one_connection_too_many_of_a_user_is_refused() {
    let server = Setup::new().set("limits.connections_per_user", 2).start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let (mut first, mut second) = (anna.online().await, anna.online().await);
    let other = server.login("anna").await;
    match Socket::try_connect(handshake(&server.url, &other.token), None).await {
        Err((status, text)) => assert_eq!(status, 429, "{text}"),
        Ok(mut socket) => {
            let code = socket.close_code().await;
            assert!([Some(4010), Some(4029)].contains(&code), "{code:?}");
        }
    }
    first.ask(json!({"type": "ping"})).await;
    second.ask(json!({"type": "ping"})).await;
    bert.online().await;
    first.leave().await;
    crate::support::eventually("room for one more", || async {
        Socket::try_connect(handshake(&server.url, &other.token), None).await.ok()
    })
    .await;
}
