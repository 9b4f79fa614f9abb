//! Edits, deletes and reactions over the socket, and who may not.

use serde_json::{Value, json};

use crate::support::client_id;
use crate::support::process::Server;
use crate::support::socket::Socket;

async fn acked(socket: &mut Socket, frame: Value) -> u64 {
    let answer = socket.ask(frame).await;
    assert_eq!(answer["type"], "ack", "{answer}");
    answer["seq"].as_u64().unwrap()
}

#[tokio::test]
async fn an_edit_a_delete_and_a_reaction_are_events_with_acks() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let (mut sender, mut reader) = (anna.online().await, bert.online().await);
    let first = sender.say(&room, "teh").await["seq"].as_u64().unwrap();
    let frames = [
        (json!({"type": "edit", "seq": first, "body": "the"}), "edit"),
        (json!({"type": "react", "seq": first, "emoji": "👍"}), "reaction"),
        (json!({"type": "react", "seq": first, "emoji": "👍", "remove": true}), "reaction"),
        (json!({"type": "delete", "seq": first}), "delete"),
    ];
    for (mut frame, kind) in frames {
        frame["room"] = json!(room);
        frame["client_id"] = json!(client_id());
        frame["seen"] = json!(first);
        let seq = acked(&mut sender, frame.clone()).await;
        let event = reader.event(&room, seq).await;
        assert_eq!((&event["kind"], &event["target"]), (&json!(kind), &json!(first)), "{event}");
        assert_eq!((&event["client_id"], &event["from"]), (&frame["client_id"], &json!(anna.id)));
        for field in ["body", "emoji", "remove"].iter().filter(|field| frame.get(**field).is_some()) {
            assert_eq!(event[field], frame[field], "{event}");
        }
        let again = sender.ask(frame).await;
        assert_eq!((&again["seq"], &again["repeat"]), (&json!(seq), &json!(true)), "a retry is the same event");
    }
}

#[tokio::test]
async fn what_is_somebody_elses_or_not_there_is_refused() {
    // 44, 48
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let (room, other) = (anna.group("tea", &[&bert]).await, anna.group("coffee", &[]).await);
    let seq = anna.post(&room, "mine").await;
    anna.post(&other, "elsewhere").await;
    let mut socket = bert.online().await;
    let write = |kind: &str, room: &str, seq: u64| {
        let mut frame = json!({"type": kind, "room": room, "client_id": client_id(), "seq": seq});
        match kind {
            "edit" => frame["body"] = json!("x"),
            "react" => frame["emoji"] = json!("👍"),
            _ => {}
        }
        frame
    };
    socket.refused(write("edit", &room, seq), "forbidden").await;
    socket.refused(write("delete", &room, seq), "forbidden").await;
    for kind in ["edit", "delete", "react"] {
        socket.refused(write(kind, &room, 1_000_000), "not_found").await;
        let foreign = socket.ask(write(kind, &other, 3)).await;
        let absent = socket.ask(write(kind, &client_id(), 3)).await;
        assert_eq!(foreign["type"], "nack", "{foreign}");
        assert_eq!(foreign["code"], absent["code"], "what is hidden looks like what is not there");
        let system = socket.ask(write(kind, &room, 1)).await;
        assert_eq!(system["type"], "nack", "a system event: {system}");
    }
    assert_eq!(anna.bodies(&room).await, ["mine"]);
}

#[tokio::test]
async fn a_reader_reacts_and_does_not_write() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let news = anna.channel("news", &[&bert]).await;
    let seq = anna.post(&news, "hear").await;
    let mut socket = bert.online().await;
    let send = json!({"type": "send", "room": news, "client_id": client_id(), "body": "hear hear"});
    socket.refused(send, "forbidden").await;
    let react = json!({"type": "react", "room": news, "client_id": client_id(), "seq": seq, "emoji": "👂"});
    acked(&mut socket, react).await;
}

#[tokio::test]
async fn a_deleted_message_takes_no_edit_and_no_reaction() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let mut socket = anna.online().await;
    let seq = socket.say(&room, "oops").await["seq"].as_u64().unwrap();
    acked(&mut socket, json!({"type": "delete", "room": room, "client_id": client_id(), "seq": seq})).await;
    let frames = [
        json!({"type": "edit", "room": room, "client_id": client_id(), "seq": seq, "body": "back"}),
        json!({"type": "react", "room": room, "client_id": client_id(), "seq": seq, "emoji": "👍"}),
    ];
    for frame in frames {
        let answer = socket.ask(frame).await;
        assert_eq!(answer["type"], "nack", "{answer}");
        assert!(["gone", "not_found"].contains(&answer["code"].as_str().unwrap()), "{answer}");
    }
}

#[tokio::test]
async fn a_removal_that_races_with_sends_stands_before_or_after_each_of_them() {
    // 47: what the removed one sent after the removal is not in the room.
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[]).await;
    let path = format!("/rooms/{room}/members/{}", bert.id);
    let mut socket = bert.online().await;
    for round in 0..30 {
        anna.rest.bare("PUT", &path).await.body(201);
        for index in 0..5 {
            let body = format!("{round}.{index}");
            let frame = json!({"type": "send", "room": room, "client_id": client_id(), "body": body, "id": body});
            socket.send(frame).await;
        }
        anna.rest.delete(&path).await.body(204);
        for index in 0..5 {
            let id = format!("{round}.{index}");
            socket.find("an answer", |frame| frame["id"] == id.as_str()).await;
        }
    }
    let (mut inside, mut removals) = (false, 0);
    for event in anna.log(&room).await {
        match (event["kind"].as_str().unwrap(), event["change"].as_str()) {
            ("member", Some("joined")) if event["user"] == bert.id.as_str() => inside = true,
            ("member", Some("removed")) => {
                inside = false;
                removals += 1;
            }
            ("message", _) => assert!(inside, "written while he was out: {event}"),
            _ => {}
        }
    }
    assert_eq!(removals, 30);
}
