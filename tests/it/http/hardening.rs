//! The rest of section E of the security cases, and what of section A concerns plain HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::process::Server;
use crate::support::raw::{Head, Raw};
use crate::support::rest::{Rest, send};
use crate::support::{eventually, within};

#[tokio::test]
async fn a_browser_of_another_origin_is_given_nothing() {
    // 68
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let api = Rest::new(&format!("{}/api/v1", server.url));
    let cookie = format!("rookery_token={}", anna.token);
    let foreign = "https://evil.example.net";
    let post = api.request("POST", "/rooms").header("Cookie", &cookie).header("Origin", foreign);
    let answer = send(post.json(&json!({"kind": "group", "name": "forged"}))).await;
    assert!([401, 403].contains(&answer.status), "{answer:?}");
    let simple = api.request("POST", "/rooms").header("Cookie", &cookie).header("Origin", foreign);
    let simple = simple.header("Content-Type", "text/plain").body(r#"{"kind":"group","name":"forged"}"#);
    let answer = send(simple).await;
    assert!([401, 403, 415].contains(&answer.status), "{answer:?}");
    let preflight = api.request("OPTIONS", "/rooms").header("Origin", foreign);
    let preflight = preflight.header("Access-Control-Request-Method", "POST");
    let answer = send(preflight.header("Access-Control-Request-Headers", "authorization,content-type")).await;
    assert_eq!(answer.header("access-control-allow-origin"), "", "{answer:?}");
    assert!(anna.rest.list("/rooms").await.is_empty());
}

#[tokio::test]
async fn answers_are_not_sniffed_and_say_nothing_of_what_runs_here() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    for answer in [anna.rest.get("/me").await, anna.rest.get("/castles").await] {
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{answer:?}");
        assert_eq!(answer.header("server"), "", "{answer:?}");
        assert_eq!(answer.header("x-powered-by"), "");
    }
}

#[tokio::test]
async fn the_admin_endpoint_is_on_its_own_listener() {
    // 78
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let public = Rest::new(&server.url).with_token(&anna.token);
    for path in ["/admin/v1/overview", "/admin/v1/users", "/metrics", "/debug"] {
        let answer = public.get(path).await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
    }
    let admin = Rest::new(&format!("{}/admin/v1", server.admin));
    admin.get("/overview").await.refused(401, "unauthenticated");
    admin.with_token(&anna.token).get("/overview").await.refused(403, "forbidden");
    admin.with_token("admin").get("/overview").await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn the_page_of_operators_is_served_to_them_alone_and_has_nothing_in_it() {
    // 78
    let server = Server::start().await;
    let handle = "nowhere-in-the-page";
    server.person(handle).await;
    let (public, admin) = (Rest::new(&server.url), Rest::new(&server.admin));
    let page = admin.get("/").await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.text.contains("/assets/admin-") && !page.text.contains(handle), "{page:?}");
    let own: Vec<&str> = page.text.split('"').filter(|part| part.starts_with("/assets/admin-")).collect();
    assert!(own.len() >= 2, "{own:?}");
    for path in own {
        assert_eq!((admin.get(path).await.status, public.get(path).await.status), (200, 404), "{path}");
    }
    assert!(!public.get("/").await.text.contains("/assets/admin-"));
    assert_eq!(public.get("/admin.html").await.status, 404);
}

async fn refused_head(server: &Server, bytes: &[u8]) -> Option<Head> {
    let mut raw = Raw::tcp(server).await;
    raw.try_write(bytes).await;
    raw.head().await
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    // 9
    let server = Server::start().await;
    let mut long = b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX-Filler: ".to_vec();
    long.extend(vec![b'x'; 300_000]);
    long.extend(b"\r\n\r\n");
    let mut many = b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\n".to_vec();
    for index in 0..200 {
        many.extend(format!("X-Filler-{index}: x\r\n").bytes());
    }
    many.extend(b"\r\n");
    for bytes in [long, many] {
        if let Some(head) = refused_head(&server, &bytes).await {
            assert!([400, 413, 431].contains(&head.status), "{}", head.text);
        }
    }
    let anna = server.person("anna").await;
    anna.rest.get("/me").await.body(200);
}

#[tokio::test]
async fn requests_that_two_servers_would_read_differently_are_refused() {
    // 10
    let server = Server::start().await;
    let smuggled = [
        "POST /api/v1/logins HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /api/v1/logins HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "POST /api/v1/logins HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX-Folded: a\r\n b\r\n\r\n",
        "GET /api/v1/me HTTP/1.1\r\nHost : x\r\n\r\n",
        "GET  /api/v1/me HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /api/v1/logins HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    ];
    for request in smuggled {
        if let Some(head) = refused_head(&server, request.as_bytes()).await {
            assert_eq!(head.status, 400, "{request:?}: {}", head.text);
        }
    }
}

#[tokio::test]
async fn a_head_that_trickles_is_cut_off() {
    // 9
    let server = Server::start().await;
    let mut raw = Raw::tcp(&server).await;
    raw.write(b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\n").await;
    let start = Instant::now();
    let trickle = async {
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            if !raw.try_write(b"X").await {
                return;
            }
            let mut byte = [0; 512];
            match raw.stream.try_read(&mut byte) {
                Ok(_) => return,
                Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
            }
        }
    };
    within("the end of the slow connection", trickle).await;
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_body_that_is_announced_and_does_not_come_is_cut_off() {
    // 9
    let server = Server::start().await;
    let mut raw = Raw::tcp(&server).await;
    let head =
        "POST /api/v1/logins HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    raw.write(head.as_bytes()).await;
    if let Some(head) = raw.head().await {
        assert!([400, 408].contains(&head.status), "{}", head.text);
    }
}

#[tokio::test]
async fn many_silent_connections_stop_nobody() {
    // 13: 5,000 that say nothing, each opened anew when the server has ended it.
    const SILENT: usize = 5_000;
    let server = Server::start().await;
    let address = server.address();
    let (opened, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut silent = JoinSet::new();
    for _ in 0..SILENT {
        let (address, opened, ended) = (address.clone(), Arc::clone(&opened), Arc::clone(&ended));
        silent.spawn(async move {
            loop {
                let mut stream = TcpStream::connect(&address).await.expect("a connection");
                opened.fetch_add(1, Ordering::Relaxed);
                let mut bytes = Vec::new();
                let _ = stream.read_to_end(&mut bytes).await;
                ended.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let all = async || (opened.load(Ordering::Relaxed) >= SILENT).then_some(());
    eventually("5,000 silent connections", all).await;
    let anna = server.person("anna").await;
    for _ in 0..5 {
        server.login("anna").await.rest.get("/me").await.body(200);
    }
    let room = anna.group("tea", &[]).await;
    anna.online().await.say(&room, "hello").await;
    // At the deadline for the head of a request each of them is ended.
    let all = async || (ended.load(Ordering::Relaxed) >= SILENT).then_some(());
    eventually("the end of 5,000 silent connections", all).await;
    server.login("anna").await;
}

/// Every route, with a room and a message where it has one.
const ROUTES: [(&str, &str); 41] = [
    ("POST", "/accounts"),
    ("POST", "/logins"),
    ("GET", "/logins"),
    ("DELETE", "/logins/{id}"),
    ("GET", "/me"),
    ("PATCH", "/me"),
    ("POST", "/me/password"),
    ("DELETE", "/me"),
    ("GET", "/users/{id}"),
    ("GET", "/users?query={id}"),
    ("GET", "/contacts"),
    ("GET", "/contacts/{id}"),
    ("PUT", "/contacts/{id}"),
    ("DELETE", "/contacts/{id}"),
    ("GET", "/blocks"),
    ("PUT", "/blocks/{id}"),
    ("DELETE", "/blocks/{id}"),
    ("POST", "/tickets"),
    ("POST", "/rooms"),
    ("PUT", "/direct/{id}"),
    ("GET", "/rooms?query={id}"),
    ("GET", "/rooms?public=1&query={id}"),
    ("GET", "/rooms/{id}"),
    ("PATCH", "/rooms/{id}"),
    ("DELETE", "/rooms/{id}/members/{id}"),
    ("GET", "/rooms/{id}/members?limit={id}"),
    ("PUT", "/rooms/{id}/members/{id}"),
    ("POST", "/rooms/{id}/messages"),
    ("GET", "/rooms/{id}/messages?before={id}"),
    ("GET", "/rooms/{id}/messages?around={id}&limit={id}"),
    ("GET", "/rooms/{id}/events?after={id}"),
    ("GET", "/rooms/{id}/outcomes/{id}"),
    ("PATCH", "/rooms/{id}/messages/{id}"),
    ("DELETE", "/rooms/{id}/messages/{id}?client_id={id}"),
    ("PUT", "/rooms/{id}/messages/{id}/reactions/{id}"),
    ("DELETE", "/rooms/{id}/messages/{id}/reactions/{id}"),
    ("GET", "/rooms/{id}/messages/{id}/reactions"),
    ("PUT", "/rooms/{id}/marks"),
    ("PUT", "/rooms/{id}/notifications"),
    ("DELETE", "/rooms/{id}"),
    ("GET", "/ws"),
];

fn awkward_bodies() -> Vec<String> {
    let fields = ["handle", "password", "login", "kind", "name", "client_id", "body", "read", "notify", "current"];
    let values = ["null", "-1", "1e400", "[]", "{}", "\"\"", "\"\\u0000\"", "18446744073709551616", "true"];
    let mut bodies: Vec<String> = ["", "{}", "null", "[]", "\"x\"", "{\"a\":"].map(str::to_owned).to_vec();
    bodies.push(format!("{{\"body\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000)));
    for value in values {
        let all: Vec<String> = fields.iter().map(|field| format!("\"{field}\":{value}")).collect();
        bodies.push(format!("{{{}}}", all.join(",")));
    }
    bodies
}

#[tokio::test]
async fn no_request_whatever_makes_the_server_fail() {
    // 44, 59: whatever is asked, the answer is a refusal with a reason, or right; never a failure of the server.
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let long = "x".repeat(10_240);
    let ids = [room.as_str(), anna.id.as_str(), "nonsense", "0", "-1", "%00", "..%2f..", "%F0%9F%91%8D", "%ff", &long];
    let bodies = awkward_bodies();
    for (number, (method, path)) in ROUTES.iter().enumerate() {
        for (index, id) in ids.iter().enumerate() {
            let first = path.replacen("{id}", if index % 2 == 0 { &room } else { id }, 1);
            let path = first.replace("{id}", id);
            let body = &bodies[(number + index) % bodies.len()];
            let request = anna.rest.request(method, &path).header("Content-Type", "application/json");
            let answer = send(request.body(body.clone())).await;
            assert!(answer.status < 500, "{method} {path} {body:.100}: {answer:?}");
            if answer.status >= 400 {
                assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
                assert!(!answer.text.contains("panicked") && !answer.text.contains(".rs:"), "{answer:?}");
            }
        }
        for body in &bodies {
            let path = path.replace("{id}", &room);
            let request = anna.rest.request(method, &path).header("Content-Type", "application/json");
            let answer = send(request.body(body.clone())).await;
            assert!(answer.status < 500, "{method} {path} {body:.100}: {answer:?}");
        }
    }
    server.person("bert").await.rest.get("/me").await.body(200);
}
