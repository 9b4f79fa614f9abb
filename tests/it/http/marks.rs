//! Delivered and read marks, and what is unread.

use serde_json::json;

use crate::support::eventually;
use crate::support::process::Server;

#[tokio::test]
async fn marks_only_move_forwards() {
    // P7
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let first = anna.post(&room, "one").await;
    let second = anna.post(&room, "two").await;
    let path = format!("/rooms/{room}/marks");
    let marks = bert.rest.put(&path, json!({"delivered": second, "read": first})).await.body(200);
    assert_eq!((&marks["read"], &marks["delivered"]), (&json!(first), &json!(second)));
    let marks = bert.rest.put(&path, json!({"read": 1, "delivered": 1})).await.body(200);
    assert_eq!((&marks["read"], &marks["delivered"]), (&json!(first), &json!(second)), "they do not go back");
    let room_now = bert.rest.get(&format!("/rooms/{room}")).await.body(200);
    assert_eq!((&room_now["read"], &room_now["unread"]), (&json!(first), &json!(1)));
    let server = server.kill_and_restart().await;
    let room_now = bert.at(&server).rest.get(&format!("/rooms/{room}")).await.body(200);
    assert_eq!((&room_now["read"], &room_now["delivered"]), (&json!(first), &json!(second)), "they survive");
}

#[tokio::test]
async fn a_mark_beyond_the_head_is_refused_and_so_is_a_strangers() {
    // 49
    let server = Server::start().await;
    let [anna, carl] = server.people(["anna", "carl"]).await;
    let room = anna.group("tea", &[]).await;
    let head = anna.post(&room, "one").await;
    let path = format!("/rooms/{room}/marks");
    anna.rest.put(&path, json!({"read": head + 1})).await.refused_field(400, "bad_request", "/read");
    anna.rest.put(&path, json!({"delivered": head + 1})).await.refused_field(400, "bad_request", "/delivered");
    anna.rest.put(&path, json!({"read": -1})).await.refused_field(400, "bad_request", "/read");
    anna.rest.put(&path, json!({"read": "1"})).await.refused_field(400, "bad_request", "/read");
    carl.rest.put(&path, json!({"read": 1})).await.refused(404, "not_found");
}

#[tokio::test]
async fn reading_counts_as_delivered_and_unread_counts_messages_only() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let seq = anna.post(&room, "one").await;
    let thumb = format!("/rooms/{room}/messages/{seq}/reactions/%F0%9F%91%8D");
    anna.rest.bare("PUT", &thumb).await.body(204);
    let unread = async || bert.rest.get(&format!("/rooms/{room}")).await.body(200)["unread"].clone();
    assert_eq!(unread().await, 1);
    let head = anna.head(&room).await;
    let marks = bert.rest.put(&format!("/rooms/{room}/marks"), json!({"read": head})).await.body(200);
    assert!(marks["delivered"].as_u64() >= marks["read"].as_u64(), "what is read was delivered: {marks}");
    assert_eq!(unread().await, 0);
    anna.post(&room, "two").await;
    assert_eq!(unread().await, 1);
    bert.post(&room, "three").await;
    eventually("his own mark to move along with what he sent", || async { (unread().await == 0).then_some(()) }).await;
}
