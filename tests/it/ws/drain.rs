//! SIGTERM: the server says when to come back, closes with 1012, loses nothing and ends with 0.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::client_id;
use crate::support::process::Server;

#[tokio::test]
async fn everybody_is_told_to_reconnect_and_closed_with_1012() {
    let mut server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let mut sockets = [anna.online().await, bert.online().await];
    let seq = sockets[0].say(&room, "before").await["seq"].as_u64().unwrap();
    let start = Instant::now();
    server.terminate();
    for socket in &mut sockets {
        let reconnect = socket.next_of("reconnect").await;
        assert!(reconnect["after_ms"].is_u64() && reconnect["reason"].is_string(), "{reconnect}");
        assert_eq!(socket.close_code().await, Some(1012));
    }
    assert_eq!(server.ended().await.code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    let server = server.kill_and_restart().await;
    let (mut socket, welcome) = bert.at(&server).resume(json!({room.as_str(): seq - 1})).await;
    assert_eq!(welcome["resume"][&room], "replay", "cursors stay valid");
    assert_eq!(socket.event(&room, seq).await["body"], "before");
}

#[tokio::test]
async fn what_was_acked_while_draining_is_kept_and_the_rest_can_be_sent_again() {
    let mut server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let mut socket = anna.online().await;
    let frames: Vec<_> = (0..500)
        .map(|index| json!({"type": "send", "room": room, "client_id": client_id(), "body": index.to_string()}))
        .collect();
    for (index, frame) in frames.iter().enumerate() {
        if index == 250 {
            server.terminate();
        }
        if !socket.try_send(frame.clone()).await {
            break;
        }
    }
    let mut acked = std::collections::HashMap::new();
    while let Some(frame) = crate::support::within("the end", socket.next_or_end()).await {
        match frame["type"].as_str().unwrap() {
            "ack" => drop(acked.insert(frame["client_id"].clone(), frame["seq"].clone())),
            "nack" => assert_ne!(frame["retry"], "no", "{frame}"),
            _ => {}
        }
    }
    assert_eq!(server.ended().await.code(), Some(0));
    let server = server.kill_and_restart().await;
    let mut socket = anna.at(&server).online().await;
    for frame in frames {
        let answer = socket.ask(frame.clone()).await;
        assert_eq!(answer["type"], "ack", "{answer}");
        if let Some(seq) = acked.get(&frame["client_id"]) {
            assert_eq!((&answer["seq"], &answer["repeat"]), (seq, &json!(true)));
        }
    }
    assert_eq!(anna.at(&server).log(&room).await.iter().filter(|event| event["kind"] == "message").count(), 500);
}

#[tokio::test]
async fn a_draining_server_is_not_ready_and_a_ready_one_says_so() {
    let server = Server::start().await;
    let root = crate::support::rest::Rest::new(&server.url);
    assert_eq!(root.get("/readyz").await.status, 200);
    assert_eq!(root.get("/healthz").await.status, 200);
    let anna = server.person("anna").await;
    let _socket = anna.online().await;
    server.terminate();
    crate::support::eventually("the server to be unready or gone", || async {
        let request = root.request("GET", "/readyz").build().unwrap();
        match reqwest::Client::new().execute(request).await {
            Ok(answer) => (answer.status() == 503).then_some(()),
            Err(_) => Some(()),
        }
    })
    .await;
}
