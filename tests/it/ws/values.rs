//! Section C of the security cases: every frame type with every field missing, wrong and huge (41 to 45).

use serde_json::{Value, json};

use crate::support::client_id;
use crate::support::person::Person;
use crate::support::process::Server;
use crate::support::socket::Socket;

/// A frame that is right, and which of its fields must be there.
struct Kind {
    frame: Value,
    required: &'static [&'static str],
}

fn kinds(room: &str, message: u64) -> Vec<Kind> {
    let kind = |frame: Value, required| Kind { frame, required };
    vec![
        kind(
            json!({"type": "send", "room": room, "client_id": client_id(), "body": "x", "seen": 1, "reply_to": message,
                   "mentions": [], "attachments": []}),
            &["room", "client_id", "body"],
        ),
        kind(
            json!({"type": "edit", "room": room, "client_id": client_id(), "seq": message, "body": "x", "seen": 1}),
            &["room", "client_id", "seq", "body"],
        ),
        kind(
            json!({"type": "delete", "room": room, "client_id": client_id(), "seq": message, "seen": 1}),
            &["room", "client_id", "seq"],
        ),
        kind(
            json!({"type": "react", "room": room, "client_id": client_id(), "seq": message, "emoji": "👍",
                   "remove": false, "seen": 1}),
            &["room", "client_id", "seq", "emoji"],
        ),
        kind(json!({"type": "mark", "room": room, "read": 1, "delivered": 1}), &["room"]),
        kind(json!({"type": "typing", "room": room, "on": true}), &["room", "on"]),
        kind(json!({"type": "watch", "users": [], "rooms": []}), &[]),
        kind(json!({"type": "sync", "room": room, "after": 1}), &["room", "after"]),
        kind(json!({"type": "ping"}), &[]),
    ]
}

/// What is wrong for every field of this name, whatever else it may hold.
fn wrong(field: &str) -> Vec<Value> {
    let huge = json!("x".repeat(10_240));
    let numbers = [json!("1"), json!(1.5), json!(-1), json!(true), json!({}), huge.clone()];
    match field {
        "room" => {
            let path = json!("../../rooms");
            vec![json!(7), json!(""), json!("nonsense"), json!([]), json!({}), json!(true), path, huge]
        }
        "client_id" => vec![json!(7), json!(""), json!("nonsense"), json!([]), json!("x".repeat(1024)), huge],
        "body" => vec![json!(7), json!(""), json!([]), json!({}), json!("x".repeat(16_385))],
        "seq" | "seen" | "read" | "delivered" | "after" | "reply_to" => numbers.to_vec(),
        "emoji" => vec![json!(7), json!(""), json!("text"), json!("👍".repeat(9)), huge],
        "remove" | "on" => vec![json!("true"), json!(1), json!([]), huge],
        "mentions" => vec![json!("x"), json!({}), json!([7]), json!(["nonsense"]), huge],
        "attachments" => vec![json!("x"), json!(["file"]), json!({}), huge],
        "users" | "rooms" => vec![json!("x"), json!({}), json!([7]), json!(["nonsense"]), huge],
        "id" => vec![json!(7), json!([]), json!("x".repeat(65)), huge],
        other => panic!("no wrong values are known for {other}"),
    }
}

/// Sends broken frames, a few on each connection, so that no connection is closed for repeating it.
struct Breaker {
    person: Person,
    socket: Socket,
    sent: u32,
}

impl Breaker {
    async fn refused(&mut self, frame: &Value, field: &str) {
        if self.sent == 8 {
            self.socket = self.person.online().await;
            self.sent = 0;
        }
        self.sent += 1;
        let shown: String = frame.to_string().chars().take(300).collect();
        self.socket.send(frame.clone()).await;
        // A ping behind it bounds the wait: its pong may only come after the refusal.
        self.socket.send(json!({"type": "ping", "id": "behind"})).await;
        let answer = self
            .socket
            .find("a refusal", |frame| {
                ["error", "nack", "ack", "synced"].contains(&frame["type"].as_str().unwrap()) || frame["id"] == "behind"
            })
            .await;
        assert!(["error", "nack"].contains(&answer["type"].as_str().unwrap()), "{shown}: {answer}");
        let code = answer["code"].as_str().unwrap();
        assert!(["bad_frame", "bad_request", "too_large"].contains(&code), "{shown}: {answer}");
        let named = answer["field"].as_str().unwrap_or("");
        let inside = named.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '/']));
        assert!(inside, "{shown} names {field}: {answer}");
        if answer["type"] == "nack" {
            assert_eq!(answer["retry"], "no", "{answer}");
        }
        self.socket.find("the pong", |frame| frame["id"] == "behind").await;
    }
}

async fn breaker() -> (Server, Breaker, Vec<Kind>) {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let message = anna.post(&room, "hello").await;
    let socket = anna.online().await;
    (server, Breaker { person: anna, socket, sent: 0 }, kinds(&room, message))
}

#[tokio::test]
async fn every_required_field_that_is_missing_is_named() {
    let (_server, mut breaker, kinds) = breaker().await;
    for kind in &kinds {
        for field in kind.required {
            let mut frame = kind.frame.clone();
            frame.as_object_mut().unwrap().remove(*field);
            breaker.refused(&frame, field).await;
            frame[*field] = Value::Null;
            breaker.refused(&frame, field).await;
        }
    }
}

#[tokio::test]
async fn every_field_that_is_wrong_is_named() {
    let (_server, mut breaker, kinds) = breaker().await;
    for kind in &kinds {
        let mut fields: Vec<String> = kind.frame.as_object().unwrap().keys().cloned().collect();
        fields.retain(|field| field != "type");
        fields.push("id".to_owned());
        for field in fields {
            for value in wrong(&field) {
                let mut frame = kind.frame.clone();
                frame[&field] = value;
                breaker.refused(&frame, &field).await;
            }
        }
    }
}

#[tokio::test]
async fn every_frame_refuses_fields_that_it_does_not_know() {
    let (_server, mut breaker, kinds) = breaker().await;
    for kind in &kinds {
        for field in ["colour", "role", "from", "at"] {
            let mut frame = kind.frame.clone();
            frame[field] = json!("x");
            breaker.refused(&frame, field).await;
        }
    }
}

#[tokio::test]
async fn numbers_that_are_no_seq_are_refused_and_the_largest_are_nowhere() {
    // 42
    let (_server, mut breaker, kinds) = breaker().await;
    for number in ["1e3", "1.0", "-0", "-1", "18446744073709551616", "1e400"] {
        let room = kinds[0].frame["room"].as_str().unwrap();
        let text = format!(r#"{{"type":"sync","room":"{room}","after":{number},"id":"n"}}"#);
        breaker.socket.send_text(&text).await;
        let answer = breaker
            .socket
            .find("an answer", |frame| ["error", "nack", "synced", "gap"].contains(&frame["type"].as_str().unwrap()))
            .await;
        let clamped = number == "-0" && answer["type"] == "synced";
        assert!(clamped || ["error", "nack"].contains(&answer["type"].as_str().unwrap()), "{number}: {answer}");
    }
    breaker.socket = breaker.person.online().await;
    for number in [1_u64 << 53, 1 << 63, u64::MAX] {
        let frame = json!({"type": "sync", "room": kinds[0].frame["room"], "after": number});
        let answer = breaker.socket.ask(frame).await;
        assert!(["gap", "nack"].contains(&answer["type"].as_str().unwrap()), "never an empty success: {answer}");
    }
}

#[tokio::test]
async fn after_all_that_the_room_is_as_it_was() {
    let (_server, mut breaker, kinds) = breaker().await;
    let room = kinds[0].frame["room"].as_str().unwrap().to_owned();
    let before = breaker.person.log(&room).await;
    for kind in &kinds {
        let mut frame = kind.frame.clone();
        frame["colour"] = json!("red");
        breaker.refused(&frame, "colour").await;
    }
    assert_eq!(breaker.person.log(&room).await, before);
    for kind in kinds.iter().filter(|kind| kind.required.contains(&"client_id")) {
        let answer = breaker.socket.ask(kind.frame.clone()).await;
        let gone = answer["code"] == "gone" || answer["code"] == "not_found";
        assert!(answer["type"] == "ack" || gone, "the unbroken frame is good: {answer}");
    }
}
