//! Rooms as operators see them: list, archive, announce, digest, delete.

use serde_json::json;

use crate::support::client_id;
use crate::support::process::Server;

#[tokio::test]
async fn rooms_are_searched_and_shown_without_being_in_them() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    anna.group("coffee", &[]).await;
    let seq = anna.post(&room, "hello").await;
    let admin = server.administrator();
    assert_eq!(admin.list("/rooms?limit=1").await.len(), 2);
    let found = admin.list("/rooms?query=tea").await;
    assert_eq!(found.len(), 1);
    let shown = admin.get(&format!("/rooms/{room}")).await.body(200);
    assert_eq!((&shown["id"], &shown["name"], &shown["kind"]), (&json!(room), &json!("tea"), &json!("group")));
    assert_eq!((&shown["members"], &shown["head"], &shown["awake"]), (&json!(2), &json!(seq), &json!(true)));
    assert_eq!((&shown["archived"], &shown["quarantined"]), (&json!(false), &json!(false)));
    assert!(!shown.to_string().contains("hello"), "operators are shown no messages: {shown}");
    admin.get(&format!("/rooms/{}", client_id())).await.refused(404, "not_found");
}

#[tokio::test]
async fn an_admin_archives_and_the_members_see_the_event() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let mut socket = anna.online().await;
    let admin = server.administrator();
    let archived = admin.patch(&format!("/rooms/{room}"), json!({"archived": true})).await.body(200);
    assert_eq!(archived["archived"], true);
    let event = socket.find("the change", |frame| frame["kind"] == "room" && frame["archived"] == true).await;
    assert_eq!(event["change"], "changed");
    let frame = json!({"type": "send", "room": room, "client_id": client_id(), "body": "x"});
    socket.refused(frame, "archived").await;
    let wrong = json!({"quarantined": true});
    admin.patch(&format!("/rooms/{room}"), wrong).await.refused_field(400, "bad_request", "/quarantined");
}

#[tokio::test]
async fn an_announcement_is_an_event_that_everybody_hears() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let mut socket = bert.online().await;
    let admin = server.administrator();
    let path = format!("/rooms/{room}/announce");
    let seq = admin.post(&path, json!({"text": "closing at ten"})).await.body(201)["seq"].as_u64().unwrap();
    let event = socket.event(&room, seq).await;
    assert_eq!((&event["kind"], &event["change"]), (&json!("room"), &json!("announcement")));
    assert_eq!(event["text"], "closing at ten");
    admin.post(&path, json!({"text": ""})).await.refused_field(400, "bad_request", "/text");
    admin.post(&path, json!({})).await.refused_field(400, "bad_request", "/text");
}

#[tokio::test]
async fn the_digest_changes_with_every_event_and_not_otherwise() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let seq = anna.post(&room, "hello").await;
    let admin = server.administrator();
    let path = format!("/rooms/{room}/digest");
    let first = admin.get(&path).await.body(200);
    assert_eq!((&first["room"], &first["head"]), (&json!(room), &json!(seq)));
    assert!(first["epoch"].is_u64(), "{first}");
    let digest = first["digest"].as_str().unwrap();
    assert!(digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{digest}");
    assert_eq!(admin.get(&path).await.body(200)["digest"], first["digest"]);
    anna.post(&room, "hello").await;
    let second = admin.get(&path).await.body(200);
    assert_ne!(second["digest"], first["digest"]);
    let server = server.kill_and_restart().await;
    let later = server.administrator().get(&path).await.body(200);
    assert_eq!((&later["digest"], &later["head"]), (&second["digest"], &second["head"]));
}

#[tokio::test]
async fn an_admin_deletes_a_room() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let mut socket = anna.online().await;
    let admin = server.administrator();
    admin.delete(&format!("/rooms/{room}")).await.body(204);
    socket.find("the room to go", |frame| frame["type"] == "room" && frame["gone"] == true).await;
    assert!(anna.rest.list("/rooms").await.is_empty());
    let again = admin.delete(&format!("/rooms/{room}")).await;
    assert!([404, 410].contains(&again.status), "{again:?}");
}
