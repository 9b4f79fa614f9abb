//! Bounds of the socket: rates, sizes, floods (cases 12, 50, 52).

use serde_json::json;

use crate::support::client_id;
use crate::support::process::{Server, Setup};
use crate::support::raw::{Frame, Raw};
use crate::support::within;

#[tokio::test]
async fn who_sends_too_fast_is_told_when_to_try_again_and_loses_nothing() {
    let server = Setup::new().set("limits.sends_per_second", 5).set("limits.send_burst", 10).start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let mut socket = anna.online().await;
    let frames: Vec<_> = (0..20)
        .map(|index| json!({"type": "send", "room": room, "client_id": client_id(), "body": index.to_string()}))
        .collect();
    let mut refused = Vec::new();
    for frame in &frames {
        let answer = socket.ask(frame.clone()).await;
        if answer["type"] == "nack" {
            assert_eq!((&answer["code"], &answer["retry"]), (&json!("rate_limited"), &json!("later")), "{answer}");
            assert!(answer["retry_after_ms"].as_u64().is_some_and(|wait| wait > 0 && wait < 10_000), "{answer}");
            refused.push((frame.clone(), answer["retry_after_ms"].as_u64().unwrap()));
        }
    }
    assert!((5..=12).contains(&refused.len()), "{} of 20 were refused", refused.len());
    bert.online().await.say(&room, "others are not limited").await;
    let (frame, wait) = refused.pop().unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
    assert_eq!(socket.ask(frame).await["type"], "ack", "after the time that it named");
}

#[tokio::test]
async fn the_rate_is_of_the_user_not_of_the_connection_and_holds_over_rest() {
    let server = Setup::new().set("limits.sends_per_second", 1).set("limits.send_burst", 5).start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let mut acks = 0;
    for index in 0..6 {
        let mut socket = anna.online().await;
        let frame = json!({"type": "send", "room": room, "client_id": client_id(), "body": index.to_string()});
        acks += usize::from(socket.ask(frame).await["type"] == "ack");
    }
    assert!(acks <= 6, "{acks}");
    let mut refused = None;
    for _ in 0..10 {
        let message = json!({"client_id": client_id(), "body": "x"});
        let answer = anna.rest.post(&format!("/rooms/{room}/messages"), message).await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("REST counts too");
    assert!(!refused.header("retry-after").is_empty(), "{refused:?}");
    refused.refused(429, "rate_limited");
}

#[tokio::test]
async fn who_floods_for_long_is_closed_with_4029() {
    let server = Setup::new().set("limits.sends_per_second", 1).set("limits.send_burst", 2).start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let mut socket = anna.online().await;
    let mut other = bert.online().await;
    let flood = async {
        for _ in 0..200_000 {
            let frame = json!({"type": "send", "room": room, "client_id": client_id(), "body": "x"});
            if !socket.try_send(frame).await {
                break;
            }
        }
        socket.close_code().await
    };
    assert_eq!(within("the flood to be cut off", flood).await, Some(4029));
    other.say(&room, "undisturbed").await;
}

#[tokio::test]
async fn one_more_than_64_that_wait_is_rate_limited() {
    // Commits wait long for company, so that nothing is answered before everything was read.
    let server = Setup::new().set("store.commit_millis", 100).start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let mut raw = Raw::online(&server, &anna).await;
    let frames: Vec<u8> = (0..70)
        .flat_map(|index| {
            let frame = json!({"type": "send", "room": room, "client_id": client_id(), "body": index.to_string()});
            Frame::text(frame.to_string()).bytes()
        })
        .collect();
    raw.write(&frames).await;
    let (mut acks, mut refused) = (0, 0);
    while acks + refused < 70 {
        let frame: serde_json::Value = serde_json::from_str(&raw.text().await).expect("JSON");
        match frame["type"].as_str().unwrap() {
            "ack" => acks += 1,
            "nack" => {
                assert_eq!((&frame["code"], &frame["retry"]), (&json!("rate_limited"), &json!("later")), "{frame}");
                refused += 1;
            }
            _ => {}
        }
    }
    assert_eq!((acks, refused), (64, 6));
    assert_eq!(anna.bodies(&room).await.len(), 64, "what was refused never was");
}

#[tokio::test]
async fn a_frame_of_64_kibibytes_is_read_and_one_byte_more_is_too_big() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut socket = anna.online().await;
    let frame = r#"{"type":"ping","id":"full"}"#;
    let padded = format!("{frame}{}", " ".repeat(65_536 - frame.len()));
    socket.send_text(&padded).await;
    assert_eq!(socket.next().await["id"], "full");
    socket.send_text(&format!("{padded} ")).await;
    assert_eq!(socket.close_code().await, Some(1009));
}

#[tokio::test]
async fn bodies_over_the_limit_are_refused_and_the_connection_stays() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let mut socket = anna.online().await;
    let send = |body: String| json!({"type": "send", "room": room, "client_id": client_id(), "body": body});
    let nack = socket.ask(send("x".repeat(16_385))).await;
    assert_eq!((&nack["type"], &nack["field"], &nack["retry"]), (&json!("nack"), &json!("body"), &json!("no")));
    assert!(["too_large", "bad_request"].contains(&nack["code"].as_str().unwrap()), "{nack}");
    let nack = socket.ask(send(String::new())).await;
    assert_eq!((&nack["type"], &nack["field"]), (&json!("nack"), &json!("body")), "{nack}");
    assert_eq!(socket.ask(send("x".repeat(16_384))).await["type"], "ack");
}

#[tokio::test]
async fn limits_that_are_set_are_the_limits_that_welcome_names() {
    let server = Setup::new()
        .set("limits.body_bytes", 1000)
        .set("limits.sends_per_second", 7)
        .set("limits.frame_bytes", 8192)
        .start()
        .await;
    let anna = server.person("anna").await;
    let (mut socket, welcome) = anna.resume(json!({})).await;
    let limits = &welcome["limits"];
    assert_eq!(
        (&limits["body"], &limits["frame"], &limits["sends_per_second"]),
        (&json!(1000), &json!(8192), &json!(7))
    );
    let room = anna.group("tea", &[]).await;
    let frame = json!({"type": "send", "room": room, "client_id": client_id(), "body": "x".repeat(1001)});
    assert_eq!(socket.ask(frame).await["type"], "nack");
    socket.send_text(&" ".repeat(8193)).await;
    assert_eq!(socket.close_code().await, Some(1009));
}
