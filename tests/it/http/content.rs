//! Section D of the security cases, as far as the API is concerned: content and names.

use serde_json::{Value, json};

use crate::support::client_id;
use crate::support::process::Server;
use crate::support::raw::{Frame, PING, Raw};
use crate::support::rest::{escaped, send};

fn difficult_bodies() -> Vec<String> {
    let zalgo = format!("z{}", "\u{0301}".repeat(5_000));
    let nested = format!("{} quoted", ">".repeat(10_000));
    let stars = "*".repeat(10_000);
    [
        "nul \u{0} inside",
        "\u{1}\u{2}\u{7f}\t\r\n",
        "\u{1b}[31mred\u{1b}[0m",
        "right \u{202e}to left",
        "isolates \u{2066}a\u{2069}",
        "\u{200b}\u{200d}",
        "\u{feff}starts with a mark",
        "tags \u{e0041}\u{e007f}",
        "noncharacters \u{fffe}\u{fdd0}\u{10ffff}",
        "e\u{301} is not \u{e9}",
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "[x](javascript:alert(1)) data:text/html,<b>",
        "' OR 1=1--",
        "\"; DROP TABLE events; --",
        "$$ %_ \\ \u{2019} * NEAR(\"a\")",
        "{\"type\":\"event\",\"seq\":1}",
        "  spaces at both ends  ",
        "👩‍👩‍👧‍👦 🏳️‍🌈",
        &zalgo,
        &nested,
        &stars,
    ]
    .map(str::to_owned)
    .to_vec()
}

#[tokio::test]
async fn bodies_are_kept_byte_for_byte_everywhere() {
    // 53, 55, 56, 57
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let (mut sender, mut reader) = (anna.online().await, bert.online().await);
    let bodies = difficult_bodies();
    for body in &bodies {
        let seq = sender.say(&room, body).await["seq"].as_u64().unwrap();
        assert_eq!(reader.event(&room, seq).await["body"], body.as_str());
    }
    assert_eq!(bert.bodies(&room).await, bodies);
    let log: Vec<Value> = bert.log(&room).await.into_iter().filter(|event| event["kind"] == "message").collect();
    assert!(log.iter().map(|event| event["body"].as_str().unwrap()).eq(bodies.iter().map(String::as_str)));
    let server = server.kill_and_restart().await;
    assert_eq!(bert.at(&server).bodies(&room).await, bodies, "and after a restart");
}

#[tokio::test]
async fn a_lone_surrogate_is_refused() {
    // 53: what no UTF-8 can say is not a text.
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let request = anna.rest.request("POST", &format!("/rooms/{room}/messages"));
    let text = format!(r#"{{"client_id":"{}","body":"\ud800"}}"#, client_id());
    let request = request.header("Content-Type", "application/json").body(text);
    send(request).await.refused(400, "bad_request");
    let mut bytes = format!(r#"{{"client_id":"{}","body":""#, client_id()).into_bytes();
    bytes.extend([0xff, 0xfe, b'"', b'}']);
    let request = anna.rest.request("POST", &format!("/rooms/{room}/messages"));
    let request = request.header("Content-Type", "application/json").body(bytes);
    send(request).await.refused(400, "bad_request");
    assert!(anna.bodies(&room).await.is_empty());
}

#[tokio::test]
async fn names_that_deceive_are_refused_and_others_are_kept() {
    // 54
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let bad = ["", " ", "\u{200b}\u{200d}", "tea\u{202e}", "\u{2066}tea", "tea\u{0}", "t\u{7}ea", "te\na"];
    for name in bad {
        let request = json!({"kind": "group", "name": name});
        anna.rest.post("/rooms", request).await.refused_field(400, "bad_request", "/name");
    }
    for name in ["tea & cake", "Ärger im <b>Büro</b>", "お茶", "' OR 1=1--"] {
        let room = anna.rest.post("/rooms", json!({"kind": "group", "name": name})).await.body(201);
        assert_eq!(room["name"], name);
    }
    for name in ["\u{202e}anna", "\u{200b}", "an\u{0}na"] {
        let answer = anna.rest.patch("/me", json!({"display_name": name})).await;
        answer.refused_field(400, "bad_request", "/display_name");
    }
}

#[tokio::test]
async fn searches_take_every_character_literally() {
    // 57
    let server = Server::start().await;
    let [anna, _, _] = server.people(["anna", "under_score", "underxscore"]).await;
    anna.rest.post("/rooms", json!({"kind": "group", "name": "100% tea", "visibility": "public"})).await.body(201);
    anna.rest.post("/rooms", json!({"kind": "group", "name": "1000 teas", "visibility": "public"})).await.body(201);
    let search = async |path: &str, query: &str| {
        let joint = if path.contains('?') { '&' } else { '?' };
        let page = anna.rest.get(&format!("{path}{joint}limit=200&query={}", escaped(query))).await.body(200);
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(search("/users", "under_").await, 1, "an underscore is an underscore");
    assert_eq!(search("/users", "%").await, 0);
    assert_eq!(search("/rooms?public=1", "100%").await, 1);
    for query in
        ["' OR 1=1--", "\"; DROP TABLE users; --", "$$", "\\", "* NEAR", "\u{0}", "\u{2019}", "a' UNION SELECT"]
    {
        let answer = anna.rest.get(&format!("/users?query={}", escaped(query))).await;
        assert!([200, 400].contains(&answer.status), "{query:?}: {answer:?}");
        if answer.status == 200 {
            assert_eq!(answer.body(200)["items"], json!([]), "{query:?}");
        }
    }
    assert_eq!(search("/users", "anna").await, 1);
}

#[tokio::test]
async fn what_a_client_sends_makes_no_lines_in_the_log() {
    // 58
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let forged = "x\r\n2026-11-24T10:00:00Z ERROR forged-line";
    let attempt = json!({"login": forged, "password": "wrong-password-1"});
    server.anonymous().post("/logins", attempt).await;
    anna.rest.patch("/me", json!({"display_name": forged})).await;
    anna.rest.get("/users/x%0d%0aforged-line").await;
    let mut socket = anna.silent_socket().await;
    socket.send(json!({"type": "hello", "cursors": {}, "client": "x\nforged-line"})).await;
    socket.send(json!({"type": "forged-line\nforged-line"})).await;
    let _ = socket.next().await;
    let mut raw = Raw::tcp(&server).await;
    raw.write(b"GET / HTTP/1.1\r\nforged-line\r\n: x\r\n\r\n").await;
    raw.head().await;
    let mut raw = Raw::online(&server, &anna).await;
    raw.frame(&Frame::new(PING, "x").unfinished()).await;
    assert_eq!(raw.close_code().await, Some(1002));
    let log = server.log();
    assert!(!log.contains("\"ERROR\""), "what clients do wrong is no error of the server: {log}");
    let line = log.lines().find(|line| line.trim_start().starts_with("forged-line") || line.contains("Z ERROR forged"));
    assert_eq!(line, None, "a line was forged");
}

#[tokio::test]
async fn secrets_and_bodies_are_not_logged() {
    // 78, as far as one server's log goes: bodies and tokens are never logged.
    let server = crate::support::process::Setup::new().set("log.level", "trace").start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let mut socket = anna.online().await;
    socket.say(&room, "canary-in-a-socket").await;
    bert.post(&room, "canary-in-a-request").await;
    let attempt = json!({"login": "anna", "password": "canary-in-a-password"});
    server.anonymous().post("/logins", attempt).await;
    let ticket = anna.rest.bare("POST", "/tickets").await.body(201)["ticket"].as_str().unwrap().to_owned();
    let request = crate::ws::ticket_handshake(&server, &ticket);
    crate::support::socket::Socket::try_connect(request, None).await.expect("the ticket is good");
    let (log, token) = (server.log(), anna.token.clone());
    for secret in ["canary-in-", token.as_str(), ticket.as_str(), crate::support::person::PASSWORD] {
        assert!(!log.contains(secret), "the log has {secret}");
    }
    assert!(!log.is_empty(), "at this level there is a log");
}
