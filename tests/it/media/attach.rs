//! Messages that carry files: over REST and over the socket, in history, and when they are taken back.

use serde_json::json;

use super::*;
use crate::support::client_id;
use crate::support::process::Server;

#[tokio::test]
async fn a_message_carries_files_and_everybody_is_told_all_about_them() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let note = upload(&anna, &room, "note.txt", b"a few words").await;
    let picture = upload(&anna, &room, "nest.png", &samples::png(600, 300, false)).await;
    let mut reader = bert.online().await;
    let mut socket = anna.online().await;
    let ids = [&note["id"], &picture["id"]];
    let frame = json!({"type": "send", "room": room, "client_id": client_id(), "body": "", "attachments": ids});
    let ack = socket.ask(frame).await;
    assert_eq!(ack["type"], "ack", "{ack}");
    let event = reader.next_of("event").await;
    let expected = json!([
        {"id": note["id"], "kind": "file", "name": "note.txt", "type": "text/plain", "size": 11},
        {"id": picture["id"], "kind": "picture", "name": "nest.png", "type": "image/png", "size": picture["size"],
         "width": 600, "height": 300, "blurhash": picture["blurhash"], "thumbnail": true},
    ]);
    assert_eq!((&event["body"], &event["attachments"]), (&json!(""), &expected));
    let history = bert.rest.get(&format!("/rooms/{room}/messages")).await.body(200);
    assert_eq!(history["items"][0]["attachments"], expected);
    let rooms = bert.rest.get("/rooms").await.body(200);
    assert_eq!(rooms["items"][0]["last_message"]["attachments"], expected);
    let seq = ack["seq"].as_u64().unwrap();
    let (mut resumed, _) = bert.resume(json!({&room: seq - 1})).await;
    assert_eq!(resumed.next_of("event").await["attachments"], expected);
    assert_eq!(bert.log_after(&room, Some(seq - 1)).await[0]["attachments"], expected);
}

#[tokio::test]
async fn only_ones_own_files_that_are_ready_in_the_room_are_carried() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let elsewhere = anna.group("coffee", &[]).await;
    let theirs = upload(&bert, &room, "a", b"abc").await;
    let other_room = upload(&anna, &elsewhere, "a", b"abc").await;
    let unready = begin(&anna, &room, "a", 3).await.body(201);
    let nothing = json!({"id": client_id()});
    let path = format!("/rooms/{room}/messages");
    let mut socket = anna.online().await;
    for file in [&theirs, &other_room, &unready, &nothing] {
        let message = json!({"client_id": client_id(), "body": "x", "attachments": [file["id"]]});
        anna.rest.post(&path, message).await.refused_field(400, "bad_request", "/attachments");
        let frame =
            json!({"type": "send", "room": room, "client_id": client_id(), "body": "x", "attachments": [file["id"]]});
        let nack = socket.refused(frame, "bad_request").await;
        assert_eq!(nack["field"], "attachments", "{nack}");
    }
    let mine = upload(&anna, &room, "a", b"abc").await;
    let many: Vec<String> = (0..11).map(|_| client_id()).collect();
    let twice = vec![id_of(&mine), id_of(&mine)];
    for ids in [many, twice] {
        let message = json!({"client_id": client_id(), "body": "x", "attachments": ids});
        anna.rest.post(&path, message).await.refused_field(400, "bad_request", "/attachments");
    }
    let nothing_at_all = json!({"client_id": client_id(), "body": "", "attachments": []});
    anna.rest.post(&path, nothing_at_all).await.refused_field(400, "bad_request", "/body");
}

#[tokio::test]
async fn what_is_said_right_behind_a_file_stands_right_behind_it() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let file = upload(&anna, &room, "a", b"abc").await;
    let mut socket = anna.online().await;
    let frames: Vec<_> = (0..20)
        .map(|n| {
            let carried = if n % 3 == 0 { vec![&file["id"]] } else { Vec::new() };
            json!({"type": "send", "room": room, "client_id": client_id(), "body": n.to_string(), "attachments": carried})
        })
        .collect();
    for frame in frames {
        socket.send(frame).await;
    }
    for _ in 0..20 {
        socket.next_of("ack").await;
    }
    let bodies = bert.bodies(&room).await;
    assert_eq!(bodies, (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_repeat_is_one_message_also_when_the_file_is_gone() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let file = upload(&anna, &room, "a", b"abc").await;
    let other = upload(&anna, &room, "b", b"abc").await;
    let path = format!("/rooms/{room}/messages");
    let message = |file: &Value, key: &str| json!({"client_id": key, "body": "", "attachments": [file["id"]]});
    let key = client_id();
    let first = anna.rest.post(&path, message(&file, &key)).await.body(201);
    let again = anna.rest.post(&path, message(&file, &key)).await.body(200);
    assert_eq!((&again["seq"], &again["repeat"]), (&first["seq"], &json!(true)));
    anna.rest.post(&path, message(&other, &key)).await.refused_field(409, "conflict", "/client_id");
    anna.rest.delete(&format!("{path}/{}", first["seq"])).await.body(204);
    let again = anna.rest.post(&path, message(&file, &key)).await.body(200);
    assert_eq!((&again["seq"], &again["repeat"]), (&first["seq"], &json!(true)));
    let shown = anna.rest.get(&path).await.body(200);
    assert!(shown["items"][0]["attachments"].is_null(), "{shown}");
    let log = anna.log(&room).await;
    let event = log.iter().find(|event| event["seq"] == first["seq"]).unwrap();
    assert!(event["attachments"].is_null(), "{event}");
}

#[tokio::test]
async fn voices_carry_how_long_and_how_loud_they_are() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let webm = b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\x82\x84webm A_OPUS".to_vec();
    let said = json!({"duration_ms": 2_500, "waveform": [0, 50, 100]});
    for (bytes, kind, media_type) in [(webm, "voice", "audio/webm"), (b"only words".to_vec(), "file", "text/plain")] {
        let wish = json!({"name": "voice", "size": bytes.len(), "voice": said});
        let id = id_of(&anna.rest.post(&format!("/rooms/{room}/media"), wish).await.body(201));
        put_all(&anna, &id, &bytes).await;
        let ready = complete(&anna, &id).await.body(200);
        assert_eq!((&ready["kind"], &ready["type"]), (&json!(kind), &json!(media_type)));
        carry(&anna, &room, &[&ready]).await;
        let shown = anna.rest.get(&format!("/rooms/{room}/messages")).await.body(200);
        let attachment = &shown["items"].as_array().unwrap().last().unwrap()["attachments"][0];
        let expected = if kind == "voice" { said.clone() } else { json!({"duration_ms": null, "waveform": null}) };
        for field in ["duration_ms", "waveform"] {
            assert_eq!(attachment[field], expected[field], "{attachment}");
        }
    }
}
