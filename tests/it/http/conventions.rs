//! What holds for every route: problems, headers, request ids, lists, unknown fields.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::process::{Server, Setup};
use crate::support::rest::{Answer, Rest, plain, send};

#[tokio::test]
async fn every_answer_carries_its_request_id_and_is_not_stored() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let answer = anna.rest.get("/me").await;
    assert!(!answer.header("x-request-id").is_empty());
    assert_eq!(answer.header("cache-control"), "no-store");
    let mine = send(anna.rest.request("GET", "/me").header("X-Request-Id", "my-request-7")).await;
    assert_eq!(mine.header("x-request-id"), "my-request-7");
    let refused = anna.rest.request("GET", "/rooms/nonsense").header("X-Request-Id", "my-request-8");
    let answer = send(refused).await;
    assert_eq!(answer.header("x-request-id"), "my-request-8");
    assert!(answer.text.contains("my-request-8"), "{}", answer.text);
    for bad in ["x".repeat(65), "with space".to_owned(), "tab\there".to_owned()] {
        let answer = send(anna.rest.request("GET", "/me").header("X-Request-Id", &bad)).await;
        assert_ne!(answer.header("x-request-id"), bad, "a bad one is replaced");
        assert_eq!(answer.status, 200);
    }
}

#[tokio::test]
async fn a_wrong_method_gets_405_with_allow() {
    // 60
    let server = Server::start().await;
    let anna = server.person("anna").await;
    for (method, path) in [("PUT", "/rooms"), ("POST", "/me"), ("DELETE", "/accounts"), ("TRACE", "/me")] {
        let answer = send(anna.rest.request(method, path)).await;
        assert!(!answer.header("allow").is_empty(), "{answer:?}");
        assert!(answer.header("allow").split(", ").all(|name| Method::from_bytes(name.as_bytes()).is_ok()));
        answer.refused(405, "bad_request");
    }
}

#[tokio::test]
async fn head_is_answered_as_get_without_the_body() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    anna.post(&room, "one").await;
    let length = |answer: &Answer| answer.header("content-length").parse::<usize>().expect("a length");
    let paths = [
        "/me".to_owned(),
        "/logins?limit=1".to_owned(),
        "/rooms".to_owned(),
        format!("/rooms/{room}"),
        format!("/rooms/{room}/members"),
        format!("/rooms/{room}/messages?limit=5"),
        format!("/rooms/{room}/events"),
        "/contacts".to_owned(),
        "/blocks".to_owned(),
        "/users?query=anna".to_owned(),
        "/rooms/nonsense".to_owned(),
        "/nowhere".to_owned(),
    ];
    for path in &paths {
        let with_id = |method: &str| anna.rest.request(method, path).header("X-Request-Id", "the-same");
        let (get, head) = (send(with_id("GET")).await, send(with_id("HEAD")).await);
        assert_eq!(head.status, get.status, "{path}");
        assert_eq!((length(&head), head.text.as_str()), (get.text.len(), ""), "{path}");
        let named = |answer: &Answer| answer.headers.iter().filter(|(name, _)| *name != "date").count();
        assert_eq!(named(&head), named(&get), "{path}: {head:?} {get:?}");
        for name in ["content-type", "cache-control", "x-request-id"] {
            assert_eq!(head.header(name), get.header(name), "{path}: {name}");
        }
    }
    for path in ["/healthz", "/readyz", "/docs", "/docs/protocol", "/docs/openapi.json"] {
        let root = Rest::new(&server.url);
        assert_eq!(send(root.request("HEAD", path)).await.body(200), Value::Null, "{path}");
    }
    assert_eq!(send(server.anonymous().request("HEAD", "/me")).await.status, 401);
    let refused = send(anna.rest.request("HEAD", "/accounts")).await;
    assert_eq!((refused.status, refused.header("allow"), refused.text.as_str()), (405, "POST", ""));
    assert_eq!(anna.rest.delete("/rooms").await.header("allow"), "POST, GET, HEAD");
    assert_eq!(send(server.administrator().request("HEAD", "/overview")).await.status, 200);
}

#[tokio::test]
async fn who_does_not_take_json_is_told_and_nothing_happens() {
    // 60
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let accepting = |method: &str, path: &str, accept: &str| anna.rest.request(method, path).header("Accept", accept);
    for accept in ["text/html", "application/json;q=0, */*", "image/png, application/xml"] {
        send(accepting("GET", "/me", accept)).await.refused(406, "bad_request");
        let room = serde_json::json!({"kind": "group", "name": "tea"});
        send(accepting("POST", "/rooms", accept).json(&room)).await.refused(406, "bad_request");
    }
    assert!(anna.rest.list("/rooms").await.is_empty(), "nothing was made");
    for accept in ["*/*", "application/json", "text/html, */*;q=0.1", "application/*"] {
        send(accepting("GET", "/me", accept)).await.body(200);
    }
    let root = Rest::new(&server.url);
    for path in ["/docs", "/healthz"] {
        assert_eq!(send(root.request("GET", path).header("Accept", "text/html")).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn the_path_of_the_socket_asks_for_the_upgrade() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let answer = anna.rest.get("/ws").await;
    assert_eq!((answer.header("upgrade"), answer.header("sec-websocket-version")), ("websocket", "13"), "{answer:?}");
    answer.refused(426, "bad_request");
    let answer = anna.rest.post("/ws", json!({})).await;
    assert_eq!(answer.header("allow"), "GET");
    answer.refused(405, "bad_request");
}

#[tokio::test]
async fn a_body_that_is_not_json_by_type_or_by_content_is_refused() {
    // 60
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let post = || anna.rest.request("POST", "/rooms");
    let room = r#"{"kind":"group","name":"tea"}"#;
    let answer = send(post().header("Content-Type", "text/plain").body(room)).await;
    answer.refused(415, "bad_request");
    send(post().body(room)).await.refused(415, "bad_request");
    for broken in ["", "{", "nonsense", "[1,2", "{\"kind\":\"group\",}", "\u{feff}{}"] {
        let answer = send(post().header("Content-Type", "application/json").body(broken)).await;
        let problem = answer.refused(400, "bad_request").to_string();
        assert!(!problem.contains("src/") && !problem.contains("serde"), "no internals: {problem}");
    }
    for not_an_object in ["null", "[]", "7", "\"text\"", "[\"group\", \"tea\"]"] {
        send(post().header("Content-Type", "application/json").body(not_an_object)).await.refused(400, "bad_request");
    }
    let huge = format!(r#"{{"kind":"group","name":"{}"}}"#, "x".repeat(200_000));
    send(post().header("Content-Type", "application/json").body(huge)).await.refused(413, "too_large");
    send(post().header("Content-Type", "application/json; charset=utf-8").body(room)).await.body(201);
}

#[tokio::test]
async fn unknown_fields_are_errors_that_name_the_field() {
    // 41, 62: nothing can be assigned that is not in the contract.
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let message = |extra: &str| {
        let mut body = json!({"client_id": crate::support::client_id(), "body": "x"});
        body[extra] = json!(1);
        body
    };
    let messages = format!("/rooms/{room}/messages");
    for field in ["seq", "from", "at", "created_at"] {
        let answer = anna.rest.post(&messages, message(field)).await;
        answer.refused_field(400, "bad_request", &format!("/{field}"));
    }
    for field in ["role", "is_admin", "owner_id", "created_at", "id", "handle"] {
        let answer = anna.rest.patch("/me", json!({field: "admin"})).await;
        answer.refused_field(400, "bad_request", &format!("/{field}"));
    }
    let mut account = json!({"handle": "bert", "password": "umbrella-stand-42"});
    account["role"] = json!("admin");
    server.anonymous().post("/accounts", account).await.refused_field(400, "bad_request", "/role");
    assert_eq!(anna.rest.get("/me").await.body(200)["role"], "user");
    let query = anna.rest.get("/rooms?colour=red").await;
    query.refused(400, "bad_request");
}

#[tokio::test]
async fn missing_and_wrong_fields_are_named() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let cases = [
        (json!({"name": "tea"}), "/kind"),
        (json!({"kind": "group"}), "/name"),
        (json!({"kind": "group", "name": ""}), "/name"),
        (json!({"kind": "group", "name": 7}), "/name"),
        (json!({"kind": "direct", "name": "tea"}), "/kind"),
        (json!({"kind": "castle", "name": "tea"}), "/kind"),
        (json!({"kind": "group", "name": "tea", "visibility": "secret"}), "/visibility"),
        (json!({"kind": "group", "name": "tea", "topic": 1}), "/topic"),
        (json!({"kind": "group", "name": "tea", "topic": "t".repeat(10_000)}), "/topic"),
        (json!({"kind": "group", "name": "n".repeat(1000)}), "/name"),
    ];
    for (request, pointer) in cases {
        anna.rest.post("/rooms", request).await.refused_field(400, "bad_request", pointer);
    }
    let members = json!({"kind": "group", "name": "tea", "members": ["nonsense"]});
    let problem = anna.rest.post("/rooms", members).await.refused(400, "bad_request");
    assert!(problem["errors"].to_string().contains("/members"), "{problem}");
}

#[tokio::test]
async fn without_a_login_everything_but_the_open_routes_is_401() {
    let server = Server::start().await;
    let anonymous = server.anonymous();
    for token in [None, Some("nonsense"), Some(""), Some("0000000000000000000000000000000000000000000")] {
        let rest = token.map_or_else(|| anonymous.clone(), |token| anonymous.with_token(token));
        for path in ["/me", "/rooms", "/logins", "/contacts", "/blocks", "/users?query=a"] {
            let answer = rest.get(path).await;
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "{answer:?}");
            answer.refused(401, "unauthenticated");
        }
    }
    for path in ["/healthz", "/readyz", "/docs"] {
        let root = crate::support::rest::Rest::new(&server.url);
        let answer = root.get(path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn an_unknown_path_is_a_problem_too() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    for path in ["/castles", "/rooms/", "/rooms/nonsense", "/users/..%2f..%2fetc%2fpasswd", "/%00"] {
        let answer = anna.rest.get(path).await;
        assert!([400, 404].contains(&answer.status), "{answer:?}");
        let (status, code) = (answer.status, if answer.status == 404 { "not_found" } else { "bad_request" });
        answer.refused(status, code);
    }
}

#[tokio::test]
async fn lists_page_by_opaque_cursors_with_a_link_header() {
    // 43
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut made = Vec::new();
    for index in 0..7 {
        made.push(anna.group(&format!("room {index}"), &[]).await);
    }
    let (mut seen, mut path, mut pages) = (Vec::new(), "/rooms?limit=3".to_owned(), 0);
    loop {
        let answer = anna.rest.get(&path).await;
        let link = answer.header("link").to_owned();
        let page = answer.body(200);
        seen.extend(page["items"].as_array().unwrap().iter().map(|room| room["id"].as_str().unwrap().to_owned()));
        pages += 1;
        if page["next"].is_null() {
            assert!(!link.contains("next"), "{link}");
            break;
        }
        assert!(link.contains("rel=\"next\"") && link.contains("after="), "{link}");
        path = format!("/rooms?limit=3&after={}", plain(&page["next"]));
    }
    assert_eq!(pages, 3);
    made.reverse();
    assert_eq!(seen, made, "newest activity first, every room once");
    for limit in ["0", "201", "-1", "1000000000", "many", ""] {
        anna.rest.get(&format!("/rooms?limit={limit}")).await.refused(400, "bad_request");
    }
    anna.rest.get("/rooms?limit=200").await.body(200);
}

#[tokio::test]
async fn a_cursor_that_is_not_ours_is_refused() {
    // 69
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    for index in 0..3 {
        anna.group(&format!("a {index}"), &[]).await;
        bert.group(&format!("b {index}"), &[]).await;
    }
    let page = anna.rest.get("/rooms?limit=1").await.body(200);
    let cursor = plain(&page["next"]);
    let mut flipped = cursor.clone().into_bytes();
    let middle = flipped.len() / 2;
    flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();
    for bad in ["nonsense", "", "e30", "%00", &format!("{cursor}x"), &"A".repeat(5000)] {
        let answer = anna.rest.get(&format!("/rooms?after={bad}")).await;
        assert!([400, 414, 431].contains(&answer.status), "{bad}: {answer:?}");
    }
    for (who, cursor) in [(&anna, &flipped), (&bert, &cursor)] {
        let answer = who.rest.get(&format!("/rooms?after={cursor}")).await;
        if answer.status == 200 {
            let rooms = answer.body(200);
            let foreign = rooms["items"].as_array().unwrap().iter().any(|room| room["role"] != "owner");
            assert!(!foreign, "a foreign cursor shows nobody else's rooms: {rooms}");
        } else {
            answer.refused(400, "bad_request");
        }
    }
    let foreign_kind = anna.rest.get(&format!("/logins?after={cursor}")).await;
    foreign_kind.refused(400, "bad_request");
}

#[tokio::test]
async fn requests_are_limited_per_user() {
    let server = Setup::new().set("limits.requests_per_second", 1).set("limits.request_burst", 5).start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let mut refused = None;
    for _ in 0..20 {
        let answer = anna.rest.get("/me").await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("twenty requests at once are too many");
    assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1), "{refused:?}");
    assert!(!refused.header("ratelimit").is_empty(), "{refused:?}");
    refused.refused(429, "rate_limited");
    bert.rest.get("/me").await.body(200);
}

#[tokio::test]
async fn the_documentation_is_served_by_the_binary() {
    let server = Server::start().await;
    let root = crate::support::rest::Rest::new(&server.url);
    for path in ["/docs", "/docs/errors", "/docs/openapi.json", "/docs/asyncapi.json"] {
        let answer = root.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.status);
        if path.ends_with(".json") {
            let document: Value = serde_json::from_str(&answer.text).expect("JSON");
            assert!(document["info"]["title"].is_string(), "{path}");
        }
    }
    assert!(root.get("/docs/openapi.json").await.text.contains("/api/v1/rooms"));
    let index = root.get("/docs").await.text;
    let pages: Vec<&str> = index.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(pages.iter().any(|page| page.starts_with("/docs/adr/")), "{pages:?}");
    for page in pages {
        assert_eq!(root.get(page).await.status, 200, "{page}");
    }
}
