//! Section C of the security cases: what is no frame at all, and too many of those (38 to 40).

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::process::Server;
use crate::support::socket::Socket;

async fn refusal(socket: &mut Socket) -> Value {
    let answer = socket.find("the refusal", |frame| frame["type"] == "error" || frame["type"] == "nack").await;
    assert!(answer["code"].is_string(), "{answer}");
    answer
}

#[tokio::test]
async fn text_that_is_no_json_object_is_a_bad_frame() {
    // 38
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let bad = [
        "",
        " ",
        "nonsense",
        "null",
        "[]",
        "[{\"type\":\"ping\"}]",
        "[\"ping\"]",
        "[\"ping\",\"id\"]",
        "7",
        "\"ping\"",
        "true",
        "{",
        "}",
        "{\"type\":",
        "\u{feff}{\"type\":\"ping\"}",
        "{\"type\":\"ping\"} x",
        "{\"type\":\"ping\"}{\"type\":\"ping\"}",
        "{\"type\":\"ping\",}",
        "{'type':'ping'}",
        "{\"type\":\"ping\",\"id\":NaN}",
        "{}",
        "{\"type\":\"ping\",\"type\":\"ping\"}",
        "{\"type\":\"ping\",\"id\":\"a\",\"id\":\"b\"}",
        "{\"type\":\"ping\",\"id\":\"\\ud800\"}",
        "{\"type\":\"ping\",\"id\":\"\u{1}\"}",
    ];
    for texts in bad.chunks(5) {
        let mut socket = anna.online().await;
        for text in texts {
            socket.send_text(text).await;
            let answer = refusal(&mut socket).await;
            assert_eq!(answer["code"], "bad_frame", "{text:?}: {answer}");
        }
        socket.ask(json!({"type": "ping"})).await;
    }
}

#[tokio::test]
async fn ten_bad_frames_within_a_minute_close_with_4001() {
    // 38
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let mut other = bert.online().await;
    let mut socket = anna.online().await;
    for _ in 0..9 {
        socket.send_text("nonsense").await;
        let answer = refusal(&mut socket).await;
        assert_ne!(answer["close"], true, "{answer}");
    }
    socket.ask(json!({"type": "ping"})).await;
    socket.send_text("nonsense").await;
    assert_eq!(socket.close_code().await, Some(4001));
    other.ask(json!({"type": "ping"})).await;
    anna.online().await;
}

#[tokio::test]
async fn deep_json_is_refused() {
    // 39
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut socket = anna.online().await;
    for depth in [2, 100, 127, 128, 129, 10_000] {
        let nested = format!("{{\"type\":\"ping\",\"id\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        socket.send_text(&nested).await;
        let answer = refusal(&mut socket).await;
        assert!(["bad_frame", "bad_request"].contains(&answer["code"].as_str().unwrap()), "{depth}: {answer}");
    }
    socket.ask(json!({"type": "ping"})).await;
}

#[tokio::test]
async fn frames_that_are_costly_to_read_cost_little() {
    // 40
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut socket = anna.online().await;
    socket.ask(json!({"type": "ping"})).await;
    let before = server.memory();
    let many_keys: Vec<String> = (0..6_000).map(|index| format!("\"k{index}\":1")).collect();
    let costly = [
        "[".repeat(65_536),
        "{\"a\":".repeat(13_000),
        format!("{{\"type\":\"ping\",{}}}", many_keys.join(",")),
        format!("{{\"{}\":1}}", "k".repeat(60_000)),
        format!("{{\"type\":\"{}\"}}", "t".repeat(60_000)),
        format!("{{\"type\":\"ping\",\"id\":\"{}\"}}", "\\u0041".repeat(10_000)),
        format!("{{\"type\":\"ping\",\"id\":1e{}}}", "9".repeat(60_000)),
    ];
    for text in costly {
        assert!(text.len() <= 65_536);
        let start = Instant::now();
        socket.send_text(&text).await;
        let answer = refusal(&mut socket).await;
        // Far below what a quadratic reading would take, far above what a slow machine needs.
        assert!(start.elapsed() < Duration::from_millis(500), "{:?} for {}…", start.elapsed(), &text[..30]);
        assert!(answer.to_string().len() < 1024, "what is refused is not echoed: {}", answer.to_string().len());
    }
    assert!(server.memory() < before + 8 * 1024 * 1024, "{before} then {}", server.memory());
}

#[tokio::test]
async fn an_unknown_type_is_refused_by_name() {
    // 41
    let server = Server::start().await;
    let anna = server.person("anna").await;
    for kind in [json!("castle"), json!("SEND"), json!("ack"), json!("event"), json!(""), json!(7), json!(null)] {
        let mut socket = anna.online().await;
        socket.send(json!({"type": kind})).await;
        let answer = refusal(&mut socket).await;
        assert_eq!((&answer["code"], &answer["field"]), (&json!("bad_frame"), &json!("type")), "{kind}: {answer}");
    }
    let mut socket = anna.online().await;
    socket.send(json!({"id": "x"})).await;
    assert_eq!(refusal(&mut socket).await["field"], "type");
}
