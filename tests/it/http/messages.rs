//! Messages over REST: sending, repeating, outcomes, edits, deletes, reactions.

use serde_json::{Value, json};

use crate::support::client_id;
use crate::support::person::Person;
use crate::support::process::Server;

async fn message(person: &Person, room: &str, seq: u64) -> Value {
    let page = person.rest.get(&format!("/rooms/{room}/messages?around={seq}")).await.body(200);
    let items = page["items"].as_array().unwrap();
    items.iter().find(|item| item["seq"] == seq).unwrap_or_else(|| panic!("{seq} is in {page}")).clone()
}

#[tokio::test]
async fn a_message_sent_twice_is_one_message() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let path = format!("/rooms/{room}/messages");
    let request = json!({"client_id": client_id(), "body": "hello"});
    let first = anna.rest.post(&path, request.clone()).await.body(201);
    assert_eq!((&first["room"], &first["client_id"]), (&json!(room), &request["client_id"]));
    assert!(first["at"].is_string() && first.get("repeat").is_none_or(|repeat| repeat == false), "{first}");
    let again = anna.rest.post(&path, request.clone()).await.body(200);
    assert_eq!((&again["seq"], &again["repeat"], &again["at"]), (&first["seq"], &json!(true), &first["at"]));
    let changed = json!({"client_id": request["client_id"], "body": "something else"});
    anna.rest.post(&path, changed).await.refused(409, "conflict");
    assert_eq!(anna.bodies(&room).await, ["hello"]);
    assert_eq!(anna.head(&room).await, first["seq"].as_u64().unwrap());
}

#[tokio::test]
async fn a_client_id_is_its_senders_own() {
    // 45
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let (room, other) = (anna.group("tea", &[&bert]).await, anna.group("coffee", &[]).await);
    let same = client_id();
    let request = |body: &str| json!({"client_id": same, "body": body});
    let path = format!("/rooms/{room}/messages");
    let hers = anna.rest.post(&path, request("from anna")).await.body(201);
    let his = bert.rest.post(&path, request("from bert")).await.body(201);
    assert_ne!(hers["seq"], his["seq"]);
    anna.rest.post(&format!("/rooms/{other}/messages"), request("elsewhere")).await.body(201);
    for bad in ["", "nonsense", &"x".repeat(1024)] {
        let request = json!({"client_id": bad, "body": "x"});
        anna.rest.post(&path, request).await.refused_field(400, "bad_request", "/client_id");
    }
}

#[tokio::test]
async fn the_outcome_of_a_send_can_be_asked_for() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let sent = client_id();
    let request = json!({"client_id": sent, "body": "hello"});
    let ack = anna.rest.post(&format!("/rooms/{room}/messages"), request).await.body(201);
    let path = format!("/rooms/{room}/outcomes/{sent}");
    let outcome = anna.rest.get(&path).await.body(200);
    assert_eq!((&outcome["state"], &outcome["seq"], &outcome["at"]), (&json!("committed"), &ack["seq"], &ack["at"]));
    let absent = anna.rest.get(&format!("/rooms/{room}/outcomes/{}", client_id())).await.body(200);
    assert_eq!(absent["state"], "absent");
    assert_eq!(bert.rest.get(&path).await.body(200)["state"], "absent", "only of the own sends");
    let carl = server.person("carl").await;
    carl.rest.get(&path).await.refused(404, "not_found");
}

#[tokio::test]
async fn bodies_have_1_to_16384_bytes() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let path = format!("/rooms/{room}/messages");
    let request = |body: &str| json!({"client_id": client_id(), "body": body});
    anna.rest.post(&path, request("")).await.refused_field(400, "bad_request", "/body");
    let answer = anna.rest.post(&path, request(&"x".repeat(16_385))).await;
    assert!([400, 413].contains(&answer.status), "{answer:?}");
    let (status, code) = (answer.status, if answer.status == 413 { "too_large" } else { "bad_request" });
    answer.refused(status, code);
    anna.rest.post(&path, request(&"x".repeat(16_384))).await.body(201);
    let answer = anna.rest.post(&path, request(&"ü".repeat(8_193))).await;
    assert_ne!(answer.status, 201, "bytes count, not characters");
    let missing = json!({"client_id": client_id()});
    anna.rest.post(&path, missing).await.refused_field(400, "bad_request", "/body");
    let attachments = json!({"client_id": client_id(), "body": "x", "attachments": ["file"]});
    let problem = anna.rest.post(&path, attachments).await.refused(400, "bad_request").to_string();
    assert!(problem.contains("/attachments"), "{problem}");
    let empty = json!({"client_id": client_id(), "body": "x", "attachments": []});
    anna.rest.post(&path, empty).await.body(201);
}

#[tokio::test]
async fn replies_and_mentions_are_kept() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let first = anna.post(&room, "milk?").await;
    let path = format!("/rooms/{room}/messages");
    let reply = json!({"client_id": client_id(), "body": "yes", "reply_to": first, "mentions": [anna.id]});
    let seq = bert.rest.post(&path, reply).await.body(201)["seq"].as_u64().unwrap();
    let seen = message(&anna, &room, seq).await;
    assert_eq!((&seen["reply_to"], &seen["mentions"]), (&json!(first), &json!([anna.id])));
    assert_eq!(seen["from"], bert.id.as_str());
    let head = anna.head(&room).await;
    let ahead = json!({"client_id": client_id(), "body": "x", "reply_to": head + 100});
    let answer = anna.rest.post(&path, ahead).await;
    assert!([400, 404].contains(&answer.status), "{answer:?}");
    let nonsense = json!({"client_id": client_id(), "body": "x", "mentions": ["nobody"]});
    anna.rest.post(&path, nonsense).await.refused(400, "bad_request");
}

#[tokio::test]
async fn only_the_author_edits_and_everybody_sees_the_present_state() {
    // 48
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let seq = bert.post(&room, "teh").await;
    let path = format!("/rooms/{room}/messages/{seq}");
    let mut socket = anna.online().await;
    anna.rest.patch(&path, json!({"body": "mine"})).await.refused(403, "forbidden");
    let edit = json!({"client_id": client_id(), "body": "the"});
    let made = bert.rest.patch(&path, edit.clone()).await.body(200);
    assert_eq!((&made["room"], &made["client_id"]), (&json!(room), &edit["client_id"]));
    assert!(made["seq"].as_u64().unwrap() > seq, "an edit is an event of its own: {made}");
    let again = bert.rest.patch(&path, edit).await.body(200);
    assert_eq!(again["seq"], made["seq"], "a repeated edit is one edit");
    let event = socket.event(&room, made["seq"].as_u64().unwrap()).await;
    assert_eq!((&event["kind"], &event["target"], &event["body"]), (&json!("edit"), &json!(seq), &json!("the")));
    let seen = message(&anna, &room, seq).await;
    assert_eq!(seen["body"], "the");
    assert!(seen["edited_at"].is_string(), "{seen}");
    bert.rest.patch(&path, json!({"body": ""})).await.refused_field(400, "bad_request", "/body");
    bert.rest.patch(&format!("/rooms/{room}/messages/1"), json!({"body": "x"})).await;
    let missing = format!("/rooms/{room}/messages/{}", 1_000_000);
    bert.rest.patch(&missing, json!({"body": "x"})).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_system_event_is_not_edited_deleted_or_reacted_to() {
    // 48
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.public_group("gardening").await;
    let created = format!("/rooms/{room}/messages/1");
    for answer in [
        anna.rest.patch(&created, json!({"body": "x"})).await,
        anna.rest.delete(&created).await,
        anna.rest.bare("PUT", &format!("{created}/reactions/%F0%9F%91%8D")).await,
    ] {
        assert!([400, 403, 404].contains(&answer.status), "{answer:?}");
    }
    assert_eq!(anna.log(&room).await[0]["kind"], "room");
}

#[tokio::test]
async fn what_is_deleted_is_gone_from_every_reading_and_from_the_disk() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let secret = "the-canary-sings-at-midnight";
    let seq = bert.post(&room, secret).await;
    let edited = "the-canary-sings-at-noon";
    let path = format!("/rooms/{room}/messages/{seq}");
    bert.rest.patch(&path, json!({"body": edited})).await.body(200);
    let carl = server.person("carl").await;
    anna.rest.bare("PUT", &format!("/rooms/{room}/members/{}", carl.id)).await.body(201);
    carl.rest.delete(&path).await.refused(404, "not_found");
    let mut socket = anna.online().await;
    bert.rest.delete(&format!("{path}?client_id={}", client_id())).await.body(204);
    let event = socket.find("the delete", |frame| frame["kind"] == "delete").await;
    assert_eq!((&event["target"], &event["from"]), (&json!(seq), &json!(bert.id)));
    let seen = message(&anna, &room, seq).await;
    assert!(seen["deleted"] == true || seen["deleted"].is_string(), "{seen}");
    for query in ["messages", "events?after=0"] {
        let answer = anna.rest.get(&format!("/rooms/{room}/{query}")).await;
        assert!(!answer.text.contains("canary"), "{}", answer.text);
    }
    let mut resumed = anna.resume(json!({room.as_str(): seq - 1})).await.0;
    let synced = resumed.next_of("synced").await;
    assert!(!format!("{:?}{synced}", resumed.arrived().await).contains("canary"));
    bert.rest.patch(&path, json!({"body": "back again"})).await;
    assert!(!anna.bodies(&room).await.contains(&"back again".to_owned()), "what is deleted stays deleted");
    let data = server.data();
    server.terminate();
    let mut server = server;
    server.ended().await;
    for entry in std::fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{} still has the deleted text", path.display());
        }
    }
}

#[tokio::test]
async fn admins_of_the_room_delete_and_members_do_not() {
    let server = Server::start().await;
    let [anna, bert, carl] = server.people(["anna", "bert", "carl"]).await;
    let room = anna.group("tea", &[&bert, &carl]).await;
    let seq = bert.post(&room, "rude").await;
    let path = format!("/rooms/{room}/messages/{seq}");
    carl.rest.delete(&path).await.refused(403, "forbidden");
    let admin = json!({"role": "admin"});
    anna.rest.put(&format!("/rooms/{room}/members/{}", carl.id), admin).await.body(200);
    carl.rest.delete(&path).await.body(204);
    assert!(!anna.bodies(&room).await.contains(&"rude".to_owned()));
}

#[tokio::test]
async fn reactions_are_counted_once_per_person_and_taken_back() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let seq = anna.post(&room, "milk?").await;
    let thumb = format!("/rooms/{room}/messages/{seq}/reactions/%F0%9F%91%8D");
    for person in [&anna, &bert, &bert] {
        person.rest.bare("PUT", &thumb).await.body(204);
    }
    let seen = message(&anna, &room, seq).await;
    assert_eq!(seen["reactions"], json!([{"emoji": "👍", "count": 2, "mine": true}]));
    let list = anna.rest.get(&format!("/rooms/{room}/messages/{seq}/reactions")).await.body(200);
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert!(items.iter().all(|item| item["emoji"] == "👍" && item["at"].is_string()), "{list}");
    anna.rest.delete(&thumb).await.body(204);
    let seen = message(&anna, &room, seq).await;
    assert_eq!(seen["reactions"], json!([{"emoji": "👍", "count": 1, "mine": false}]));
    bert.rest.delete(&thumb).await.body(204);
    assert_eq!(message(&anna, &room, seq).await["reactions"], json!([]));
    for bad in ["hello", "%20", &"%F0%9F%91%8D".repeat(9)] {
        let path = format!("/rooms/{room}/messages/{seq}/reactions/{bad}");
        anna.rest.bare("PUT", &path).await.refused(400, "bad_request");
    }
    let carl = server.person("carl").await;
    carl.rest.bare("PUT", &thumb).await.refused(404, "not_found");
}

#[tokio::test]
async fn who_is_not_a_member_sends_nothing() {
    let server = Server::start().await;
    let [anna, carl] = server.people(["anna", "carl"]).await;
    let (private, public) = (anna.group("tea", &[]).await, anna.public_group("gardening").await);
    let request = || json!({"client_id": client_id(), "body": "hello"});
    carl.rest.post(&format!("/rooms/{private}/messages"), request()).await.refused(404, "not_found");
    carl.rest.post(&format!("/rooms/{public}/messages"), request()).await.refused(403, "not_member");
    assert!(anna.bodies(&public).await.is_empty() && anna.bodies(&private).await.is_empty());
}
