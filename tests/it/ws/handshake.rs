//! Section A of the security cases: the handshake.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;

use crate::support::eventually;
use crate::support::person::Person;
use crate::support::process::{Server, Setup};
use crate::support::raw::{Frame, Head, Raw, handshake_lines};
use crate::support::socket::{SUBPROTOCOL, Socket, handshake, socket_url};
use crate::ws::ticket_handshake;

/// The handshake with a line changed, left out or added.
async fn changed(server: &Server, person: &Person, name: &str, line: Option<&str>) -> Head {
    let mut lines = handshake_lines(server, &person.token);
    lines.retain(|known| !known.to_ascii_lowercase().starts_with(&name.to_ascii_lowercase()));
    lines.extend(line.map(str::to_owned));
    Raw::tcp(server).await.request(&lines).await
}

fn with_cookie(server: &Server, person: &Person, origin: Option<&str>) -> ClientRequestBuilder {
    let address = socket_url(&server.url).parse().expect("a uri");
    let request = ClientRequestBuilder::new(address).with_sub_protocol(SUBPROTOCOL);
    let request = request.with_header("Cookie", format!("rookery_token={}", person.token));
    match origin {
        Some(origin) => request.with_header("Origin", origin),
        None => request,
    }
}

#[tokio::test]
async fn a_cookie_needs_an_origin_that_is_exactly_allowed() {
    // 1, 2, 3
    let allowed = "https://app.example.com";
    let server = Setup::new().set("server.allowed_origins", format!("[\"{allowed}\"]")).start().await;
    let anna = server.person("anna").await;
    let foreign = [
        "https://evil.example.net",
        "null",
        "https://app.example.com.evil.example.net",
        "https://evilapp.example.com",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com/",
        "",
    ];
    for origin in foreign {
        let refused = Socket::try_connect(with_cookie(&server, &anna, Some(origin)), None).await;
        assert_eq!(refused.err().map(|(status, _)| status), Some(403), "{origin:?}");
    }
    let refused = Socket::try_connect(with_cookie(&server, &anna, None), None).await;
    assert_eq!(refused.err().map(|(status, _)| status), Some(403), "a cookie without an origin");
    let mut socket = Socket::try_connect(with_cookie(&server, &anna, Some(allowed)), None).await.expect("allowed");
    socket.send(json!({"type": "hello", "cursors": {}})).await;
    assert_eq!(socket.next().await["user"], anna.id.as_str());
}

#[tokio::test]
async fn a_token_needs_no_origin_and_a_ticket_no_foreign_one() {
    // 3
    let allowed = "https://app.example.com";
    let server = Setup::new().set("server.allowed_origins", format!("[\"{allowed}\"]")).start().await;
    let anna = server.person("anna").await;
    for origin in [allowed, "https://evil.example.net", "null"] {
        let bearer = handshake(&server.url, &anna.token).with_header("Origin", origin);
        let mut socket = Socket::try_connect(bearer, None).await.expect("who holds the token may connect");
        socket.send(json!({"type": "hello", "cursors": {}})).await;
        assert_eq!(socket.next().await["user"], anna.id.as_str());
    }
    let ticket = anna.rest.bare("POST", "/tickets").await.body(201)["ticket"].as_str().unwrap().to_owned();
    let from = |origin: &str| ticket_handshake(&server, &ticket).with_header("Origin", origin.to_owned());
    for origin in ["https://evil.example.net", "null", ""] {
        let refused = Socket::try_connect(from(origin), None).await;
        assert_eq!(refused.err().map(|(status, _)| status), Some(403), "{origin:?}");
    }
    assert!(Socket::try_connect(from(allowed), None).await.is_ok(), "a refused page has not used it up");
}

#[tokio::test]
async fn bad_tokens_and_tickets_count_against_the_address() {
    let server = Setup::new().set("limits.anonymous_per_minute", 6).start().await;
    // Two requests go for the account and the login.
    let anna = server.person("anna").await;
    let bad = |index: usize| match index % 2 {
        0 => handshake(&server.url, "nonsense"),
        _ => ticket_handshake(&server, "nonsense"),
    };
    for index in 0..4 {
        let refused = Socket::try_connect(bad(index), None).await;
        assert_eq!(refused.err().map(|(status, _)| status), Some(401), "{index}");
    }
    // The budget refills slowly, so that now and then one more goes through.
    for index in 4..8 {
        let refused = async || {
            let refused = Socket::try_connect(bad(index), None).await.err().expect("never a socket");
            (refused.0 != 401).then_some(refused)
        };
        let refused = eventually("an empty budget", refused).await;
        assert!(refused.0 == 429 && refused.1.contains("\"rate_limited\""), "{refused:?}");
    }
    let claimed = async || {
        let mut lines = handshake_lines(&server, "nonsense");
        lines.push("X-Forwarded-For: 198.51.100.7".to_owned());
        let head = Raw::tcp(&server).await.request(&lines).await;
        (head.status != 401).then_some(head)
    };
    let head = eventually("an empty budget", claimed).await;
    assert_eq!(head.status, 429, "what a header claims counts for nothing");
    assert!(head.header("retry-after").is_some_and(|wait| wait.parse::<u64>().is_ok_and(|wait| wait >= 1)));
    let over_rest = async || match server.anonymous().with_token("nonsense").get("/me").await {
        answer if answer.status == 401 => None,
        answer => Some(answer),
    };
    eventually("the same budget over REST", over_rest).await.refused(429, "rate_limited");
    Socket::connect(&server.url, &anna.token).await;
}

#[tokio::test]
async fn without_a_good_token_there_is_no_socket() {
    // 4
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let revoked = server.login("anna").await;
    revoked.rest.delete("/logins/current").await.body(204);
    for token in ["", "nonsense", revoked.token.as_str(), &"x".repeat(4096)] {
        let refused = Socket::try_connect(handshake(&server.url, token), None).await;
        let (status, text) = refused.err().expect("no token, no socket");
        assert_eq!(status, 401, "{token}: {text}");
        assert!(text.contains("\"unauthenticated\""), "{text}");
    }
    Socket::connect(&server.url, &anna.token).await;
}

#[tokio::test]
async fn the_subprotocol_is_required() {
    // 7
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let name = "Sec-WebSocket-Protocol";
    assert_eq!(changed(&server, &anna, name, None).await.status, 400);
    for other in ["chat", "rookery.v2.json", "Rookery.V1.JSON"] {
        let line = format!("{name}: {other}");
        assert_eq!(changed(&server, &anna, name, Some(&line)).await.status, 400, "{other}");
    }
    let several = format!("{name}: chat, {SUBPROTOCOL}, bearer.secret");
    let head = changed(&server, &anna, name, Some(&several)).await;
    assert_eq!((head.status, head.header(name)), (101, Some(SUBPROTOCOL)));
    assert!(!head.text.contains("bearer"), "{}", head.text);
}

#[tokio::test]
async fn handshakes_that_are_none_are_refused() {
    // 6
    let server = Server::start().await;
    let anna = server.person("anna").await;
    for version in ["8", "0", "14", "x"] {
        let line = format!("Sec-WebSocket-Version: {version}");
        let head = changed(&server, &anna, "Sec-WebSocket-Version", Some(&line)).await;
        assert!([400, 426].contains(&head.status), "{}", head.text);
        if head.status == 426 {
            assert_eq!(head.header("sec-websocket-version"), Some("13"), "{}", head.text);
        }
    }
    assert!([400, 426].contains(&changed(&server, &anna, "Sec-WebSocket-Version", None).await.status));
    assert_eq!(changed(&server, &anna, "Sec-WebSocket-Key", None).await.status, 400);
    for key in ["", "short", "bm90IHNpeHRlZW4=", "!!!!!!!!!!!!!!!!!!!!!!=="] {
        let line = format!("Sec-WebSocket-Key: {key}");
        let head = changed(&server, &anna, "Sec-WebSocket-Key", Some(&line)).await;
        assert_eq!(head.status, 400, "{key:?}");
    }
    for line in [None, Some("Upgrade: h2c"), Some("Upgrade: nonsense")] {
        let head = changed(&server, &anna, "Upgrade", line).await;
        assert!([400, 404, 405, 426].contains(&head.status), "{}", head.text);
    }
    let mut lines = handshake_lines(&server, &anna.token);
    lines[0] = "POST /api/v1/ws HTTP/1.1".to_owned();
    lines.push("Content-Length: 0".to_owned());
    let head = Raw::tcp(&server).await.request(&lines).await;
    assert!([400, 405].contains(&head.status), "{}", head.text);
    for path in ["/", "/api/v1/rooms", "/api/v1/ws/", "/api/v2/ws"] {
        lines = handshake_lines(&server, &anna.token);
        lines[0] = format!("GET {path} HTTP/1.1");
        let head = Raw::tcp(&server).await.request(&lines).await;
        assert_ne!(head.status, 101, "{path} is no socket");
    }
}

#[tokio::test]
async fn compression_is_not_negotiated_and_not_accepted() {
    // 8
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut lines = handshake_lines(&server, &anna.token);
    lines.push("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits".to_owned());
    let mut raw = Raw::tcp(&server).await;
    let head = raw.request(&lines).await;
    assert_eq!((head.status, head.header("sec-websocket-extensions")), (101, None));
    raw.frame(&Frame { reserved: 4, ..Frame::text(r#"{"type":"hello","cursors":{}}"#) }).await;
    assert_eq!(raw.close_code().await, Some(1002));
}

#[tokio::test]
async fn who_says_nothing_is_closed_at_the_deadline() {
    // 13, 32
    let server = Setup::new().set("limits.hello_seconds", 1).start().await;
    let anna = server.person("anna").await;
    let start = Instant::now();
    assert_eq!(Raw::open(&server, &anna).await.close_code().await, Some(4004));
    assert!(start.elapsed() >= Duration::from_millis(900), "{:?}", start.elapsed());
    let mut raw = Raw::open(&server, &anna).await;
    let pongs = async {
        while raw.try_write(&Frame::new(crate::support::raw::PONG, "unasked").bytes()).await {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let mut bytes = [0; 64];
            if matches!(raw.stream.try_read(&mut bytes), Ok(count) if count > 0) {
                return bytes[2..4].to_vec();
            }
        }
        Vec::new()
    };
    let code = crate::support::within("the close in spite of pongs", pongs).await;
    assert_eq!(code, 4004_u16.to_be_bytes(), "pongs do not extend the deadline");
}

#[tokio::test]
async fn a_frame_before_hello_closes_the_connection() {
    // 46
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let id = crate::support::client_id();
    let frames = [
        json!({"type": "send", "room": room, "client_id": id, "body": "x"}),
        json!({"type": "sync", "room": room, "after": 0}),
        json!({"type": "ping"}),
        json!({"type": "watch", "rooms": []}),
    ];
    for frame in frames {
        let mut socket = anna.silent_socket().await;
        socket.send(frame.clone()).await;
        assert_eq!(socket.close_code().await, Some(4003), "{frame}");
    }
    assert!(anna.bodies(&room).await.is_empty());
}

#[tokio::test]
async fn a_second_hello_is_an_error() {
    // 46
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut socket = anna.online().await;
    socket.send(json!({"type": "hello", "cursors": {}})).await;
    let answer = socket.find("the refusal", |frame| frame["type"] == "error" || frame["type"] == "nack").await;
    assert!(["bad_frame", "bad_request", "conflict"].contains(&answer["code"].as_str().unwrap()), "{answer}");
}
