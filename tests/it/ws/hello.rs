//! The first frame, the welcome, and the frames that ask for little.

use serde_json::{Value, json};

use crate::support::process::Server;

#[tokio::test]
async fn welcome_says_who_one_is_and_what_one_has() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let tea = anna.group("tea", &[&bert]).await;
    let direct = bert.direct(&anna).await;
    let seq = anna.post(&tea, "hello").await;
    let mut socket = bert.silent_socket().await;
    socket.send(json!({"type": "hello", "cursors": {}, "client": "the tests", "id": "first"})).await;
    let welcome = socket.next().await;
    assert_eq!((&welcome["type"], &welcome["id"]), (&json!("welcome"), &json!("first")));
    assert_eq!((&welcome["user"], &welcome["device"]), (&json!(bert.id), &json!(bert.device)));
    assert!(welcome["session"].is_string() && welcome["time"].as_str().unwrap().ends_with('Z'), "{welcome}");
    let limits = &welcome["limits"];
    assert_eq!((&limits["frame"], &limits["body"], &limits["rooms"]), (&json!(65_536), &json!(16_384), &json!(1000)));
    assert!(limits["sends_per_second"].is_u64() && limits["outbox"].is_u64(), "{limits}");
    let rooms = welcome["rooms"].as_array().unwrap();
    assert_eq!(rooms.len(), 2);
    let room = rooms.iter().find(|room| room["room"] == tea.as_str()).unwrap();
    assert_eq!((&room["kind"], &room["name"], &room["role"]), (&json!("group"), &json!("tea"), &json!("member")));
    assert_eq!((&room["head"], &room["unread"], &room["notify"]), (&json!(seq), &json!(1), &json!("all")));
    assert!(room["read"].is_u64() && room["delivered"].is_u64(), "{room}");
    assert!(rooms.iter().any(|room| room["room"] == direct.as_str() && room["kind"] == "direct"));
    assert_eq!(welcome["resume"], json!({}), "no cursors, nothing to resume");
}

#[tokio::test]
async fn a_session_is_new_with_every_connection() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let (_first, one) = anna.resume(json!({})).await;
    let (_second, two) = anna.resume(json!({})).await;
    assert_ne!(one["session"], two["session"]);
    let admin = server.administrator();
    let sessions = admin.list("/sessions").await;
    let listed: Vec<&Value> = sessions.iter().map(|session| &session["session"]).collect();
    assert!(listed.contains(&&one["session"]) && listed.contains(&&two["session"]), "{sessions:?}");
}

#[tokio::test]
async fn a_hello_that_is_wrong_is_an_error_that_names_the_field() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let cases = [
        (json!({"type": "hello"}), "cursors"),
        (json!({"type": "hello", "cursors": []}), "cursors"),
        (json!({"type": "hello", "cursors": {"nonsense": 1}}), "cursors"),
        (json!({"type": "hello", "cursors": {room.as_str(): -1}}), "cursors"),
        (json!({"type": "hello", "cursors": {room.as_str(): "1"}}), "cursors"),
        (json!({"type": "hello", "cursors": {}, "client": "x".repeat(65)}), "client"),
        (json!({"type": "hello", "cursors": {}, "colour": "red"}), "colour"),
        (json!({"type": "hello", "cursors": {}, "id": "x".repeat(65)}), "id"),
    ];
    for (hello, field) in cases {
        let mut socket = anna.silent_socket().await;
        socket.send(hello.clone()).await;
        let answer = socket.next().await;
        assert!(["error", "nack"].contains(&answer["type"].as_str().unwrap()), "{hello}: {answer}");
        assert!(answer["field"].as_str().unwrap_or("").starts_with(field), "{hello}: {answer}");
    }
}

#[tokio::test]
async fn a_ping_gets_a_pong_with_its_id() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut socket = anna.online().await;
    socket.send(json!({"type": "ping"})).await;
    let pong = socket.next().await;
    assert_eq!(pong["type"], "pong");
    assert!(pong.get("id").is_none_or(Value::is_null), "{pong}");
    for id in ["a", "", &"x".repeat(64), "ü🙂"] {
        socket.send(json!({"type": "ping", "id": id})).await;
        assert_eq!(socket.next().await, json!({"type": "pong", "id": id}));
    }
}

#[tokio::test]
async fn frames_right_behind_hello_have_their_turn_after_the_welcome() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let mut socket = anna.silent_socket().await;
    socket.send(json!({"type": "hello", "cursors": {}})).await;
    let id = crate::support::client_id();
    socket.send(json!({"type": "send", "room": room, "client_id": id, "body": "in a hurry", "id": "s"})).await;
    socket.send(json!({"type": "ping", "id": "p"})).await;
    assert_eq!(socket.next().await["type"], "welcome");
    let ack = socket.find("the ack", |frame| frame["id"] == "s").await;
    assert_eq!(ack["type"], "ack", "{ack}");
    socket.find("the pong", |frame| frame["id"] == "p").await;
    socket.event(&room, ack["seq"].as_u64().unwrap()).await;
}
