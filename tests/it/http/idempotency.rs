//! The idempotency key of POST requests that create (case 70).

use serde_json::{Value, json};

use crate::support::client_id;
use crate::support::person::Person;
use crate::support::preload::Later;
use crate::support::process::{Server, Setup};
use crate::support::rest::{Answer, send};

async fn post(person: &Person, path: &str, key: &str, body: &Value) -> Answer {
    send(person.rest.request("POST", path).header("Idempotency-Key", key).json(body)).await
}

#[tokio::test]
async fn the_same_key_and_body_give_the_same_answer() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let request = json!({"kind": "group", "name": "tea"});
    let first = post(&anna, "/rooms", "key-1", &request).await;
    assert_eq!(first.header("idempotent-replayed"), "");
    let first = first.body(201);
    let again = post(&anna, "/rooms", "key-1", &request).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.body(201), first);
    assert_eq!(anna.rest.list("/rooms").await.len(), 1);
    let others = post(&bert, "/rooms", "key-1", &request).await.body(201);
    assert_ne!(others["id"], first["id"], "a key is its user's own");
    let another = post(&anna, "/rooms", "key-2", &request).await.body(201);
    assert_ne!(another["id"], first["id"]);
}

#[tokio::test]
async fn the_same_key_with_another_body_is_422() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    post(&anna, "/rooms", "key-1", &json!({"kind": "group", "name": "tea"})).await.body(201);
    let other = post(&anna, "/rooms", "key-1", &json!({"kind": "group", "name": "coffee"})).await;
    other.refused(422, "conflict");
    assert_eq!(anna.rest.list("/rooms").await.len(), 1);
}

#[tokio::test]
async fn keys_survive_a_restart() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let request = json!({"kind": "group", "name": "tea"});
    let first = post(&anna, "/rooms", "key-1", &request).await.body(201);
    let server = server.kill_and_restart().await;
    let anna = anna.at(&server);
    let again = post(&anna, "/rooms", "key-1", &request).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.body(201), first);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    const DAY: u64 = 86_400;
    let (setup, clock) = Later::over(Setup::new());
    let server = setup.start().await;
    let anna = server.person("anna").await;
    let request = json!({"kind": "group", "name": "tea"});
    let first = post(&anna, "/rooms", "key-1", &request).await.body(201);
    clock.by(DAY - 60);
    let again = post(&anna, "/rooms", "key-1", &request).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    clock.by(DAY + 1);
    let another = post(&anna, "/rooms", "key-1", &request).await;
    assert_eq!(another.header("idempotent-replayed"), "");
    assert_ne!(another.body(201)["id"], first["id"]);
}

#[tokio::test]
async fn messages_and_tickets_take_keys_too() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let path = format!("/rooms/{room}/messages");
    let message = json!({"client_id": client_id(), "body": "hello"});
    let first = post(&anna, &path, "key-1", &message).await.body(201);
    let again = post(&anna, &path, "key-1", &message).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.body(201), first);
    let ticket = send(anna.rest.request("POST", "/tickets").header("Idempotency-Key", "key-2")).await.body(201);
    let again = send(anna.rest.request("POST", "/tickets").header("Idempotency-Key", "key-2")).await.body(201);
    assert_eq!(again, ticket);
}

#[tokio::test]
async fn a_bad_key_is_refused() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let request = json!({"kind": "group", "name": "tea"});
    for key in ["", &"k".repeat(65), "with space"] {
        post(&anna, "/rooms", key, &request).await.refused(400, "bad_request");
    }
    assert!(anna.rest.list("/rooms").await.is_empty());
    post(&anna, "/rooms", &"k".repeat(64), &request).await.body(201);
}
