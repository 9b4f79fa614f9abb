//! What is counted, as a scraper reads it.

use serde_json::json;

use crate::support::person::Person;
use crate::support::process::{Server, Setup};
use crate::support::raw::{BINARY, Frame, Raw};
use crate::support::rest::Rest;
use crate::support::socket::{Socket, handshake};
use crate::support::{client_id, eventually};

/// One scrape.
async fn scrape(server: &Server) -> String {
    let token = server.administrator().token.clone().expect("a token");
    let answer = Rest::new(&server.admin).with_token(&token).get("/metrics").await;
    assert_eq!(answer.status, 200);
    answer.text
}

/// The value of a sample, 0 when it was never counted.
fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().expect("a number"))
}

/// Scrapes until the sample has this value: what is counted may be counted a moment after it was seen.
async fn comes_to(server: &Server, sample: &str, expected: f64) {
    let seen = async || (value(&scrape(server).await, sample) >= expected).then_some(());
    eventually(&format!("{sample} {expected}"), seen).await;
    let text = scrape(server).await;
    assert!((value(&text, sample) - expected).abs() < 0.5, "{sample} is {expected}: {text}");
}

#[tokio::test]
async fn what_is_written_and_refused_is_counted() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[]).await;
    let mut socket = anna.online().await;
    for index in 0..7 {
        socket.say(&room, &index.to_string()).await;
    }
    comes_to(&server, "rookery_ack_seconds_count", 7.0).await;
    comes_to(&server, "rookery_deliveries_total", 7.0).await;
    let text = scrape(&server).await;
    assert!(value(&text, "rookery_ack_seconds_sum") > 0.0 && value(&text, "rookery_commit_seconds_sum") > 0.0);
    // Making a room is a commit too.
    assert!(value(&text, "rookery_commit_events_sum") >= 7.0, "{text}");
    assert!(text.contains("rookery_commit_events_bucket{le=\"256\"}"), "{text}");
    let send = |room: &str, body: &str| json!({"type": "send", "room": room, "client_id": client_id(), "body": body});
    socket.refused(send(&room, ""), "bad_request").await;
    let mut stranger = bert.online().await;
    stranger.refused(send(&room, "hello"), "not_found").await;
    stranger.refused(send(&room, "hello"), "not_found").await;
    comes_to(&server, "rookery_nacks_total{code=\"bad_request\"}", 1.0).await;
    comes_to(&server, "rookery_nacks_total{code=\"not_found\"}", 2.0).await;
    bert.rest.get(&format!("/rooms/{room}")).await.refused(404, "not_found");
    comes_to(&server, "rookery_problems_total{code=\"not_found\"}", 1.0).await;
    for gauge in ["rookery_room_queue", "rookery_hub_queue", "rookery_store_queue", "rookery_rooms_awake"] {
        let there = async || scrape(&server).await.contains(&format!("\n{gauge} ")).then_some(());
        eventually(gauge, there).await;
    }
}

#[tokio::test]
async fn logins_and_handshakes_are_counted_by_their_result() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let wrong = json!({"login": "anna", "password": "not-the-password"});
    server.anonymous().post("/logins", wrong).await.refused(401, "unauthenticated");
    comes_to(&server, "rookery_logins_total{result=\"accepted\"}", 1.0).await;
    comes_to(&server, "rookery_logins_total{result=\"unauthenticated\"}", 1.0).await;
    Socket::connect(&server.url, &anna.token).await;
    for _ in 0..2 {
        assert!(Socket::try_connect(handshake(&server.url, "nonsense"), None).await.is_err());
    }
    comes_to(&server, "rookery_handshakes_total{result=\"accepted\"}", 1.0).await;
    comes_to(&server, "rookery_handshakes_total{result=\"unauthenticated\"}", 2.0).await;
}

async fn fill(person: &Person, room: &str, count: usize) {
    let mut socket = person.online().await;
    for index in 0..count {
        socket.say(room, &index.to_string()).await;
    }
    socket.leave().await;
}

#[tokio::test]
async fn catching_up_and_closing_are_counted() {
    let server = Setup::new().set("limits.hello_seconds", 1).start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    fill(&anna, &room, 501).await;
    comes_to(&server, "rookery_connections_closed_total{code=\"1000\"}", 1.0).await;
    let (mut far, _) = anna.resume(json!({&room: 1})).await;
    far.next_of("gap").await;
    let (mut near, _) = anna.resume(json!({&room: 500})).await;
    near.next_of("synced").await;
    comes_to(&server, "rookery_catch_ups_total{result=\"gap\"}", 1.0).await;
    comes_to(&server, "rookery_catch_ups_total{result=\"synced\"}", 1.0).await;
    assert_eq!(Raw::open(&server, &anna).await.close_code().await, Some(4004));
    comes_to(&server, "rookery_connections_closed_total{code=\"4004\"}", 1.0).await;
    let mut raw = Raw::online(&server, &anna).await;
    raw.frame(&Frame::new(BINARY, "x")).await;
    assert_eq!(raw.close_code().await, Some(1003));
    comes_to(&server, "rookery_connections_closed_total{code=\"1003\"}", 1.0).await;
    let mut raw = Raw::online(&server, &anna).await;
    raw.frame(&Frame::new(crate::support::raw::CLOSE, 3_999_u16.to_be_bytes())).await;
    comes_to(&server, "rookery_connections_closed_total{code=\"other\"}", 1.0).await;
    drop(Raw::online(&server, &anna).await);
    comes_to(&server, "rookery_connections_closed_total{code=\"none\"}", 1.0).await;
}

#[tokio::test]
async fn metrics_are_prometheus_text_without_ids() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let (mut socket, _reader) = (anna.online().await, bert.online().await);
    socket.say(&room, "hello").await;
    let root = Rest::new(&server.admin);
    let token = server.administrator().token.clone().unwrap();
    let operator = root.with_token(&token);
    let answer = eventually("both connections to be counted", || async {
        let answer = operator.get("/metrics").await;
        assert_eq!(answer.status, 200);
        let counted = ["\nrookery_ws_connections 2\n", "\nrookery_events_committed_total "];
        let committed = !answer.text.contains("\nrookery_events_committed_total 0\n");
        (committed && counted.iter().all(|line| answer.text.contains(line))).then_some(answer)
    })
    .await;
    assert!(answer.header("content-type").starts_with("text/plain"), "{}", answer.header("content-type"));
    let sample = |name: &str| {
        let line = answer.text.lines().find(|line| line.starts_with(name) && !line.starts_with('#'));
        let line = line.unwrap_or_else(|| panic!("{name} is in {}", answer.text));
        line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
    };
    assert!(sample("rookery_events_committed_total") >= 1.0);
    assert!(answer.text.contains("rookery_build_info"));
    for secret in [&anna.id, &room, &anna.handle, &anna.token] {
        assert!(!answer.text.contains(secret.as_str()), "{secret} is a label");
    }
}
