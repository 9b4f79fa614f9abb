//! What pages of other origins get, and what a cookie may do.

use super::*;

const FRIEND: &str = "https://app.example.com";
const STRANGER: &str = "https://evil.example.net";

fn allowed() -> web::Data<Api> {
    api(&["server.allowed_origins=https://app.example.com"])
}

fn preflight(origin: &str) -> TestRequest {
    TestRequest::with_uri("/api/v1/rooms")
        .method(actix_web::http::Method::OPTIONS)
        .insert_header(("origin", origin))
        .insert_header(("access-control-request-method", "POST"))
}

#[actix_web::test]
async fn only_pages_of_allowed_origins_are_told_that_they_may() {
    let people = init_service(public(allowed())).await;
    let yes = ask(&people, preflight(FRIEND)).await;
    assert_eq!((yes.status, yes.header("access-control-allow-origin")), (204, FRIEND));
    assert!(yes.header("access-control-allow-methods").contains("PATCH"));
    for origin in [STRANGER, "null", "https://app.example.com.evil.net", "http://app.example.com"] {
        let no = ask(&people, preflight(origin)).await;
        assert_eq!((no.status, no.header("access-control-allow-origin")), (405, ""), "{origin}");
    }
    let plain = ask(&people, TestRequest::with_uri("/healthz").insert_header(("origin", FRIEND))).await;
    assert_eq!((plain.header("access-control-allow-origin"), plain.header("vary")), (FRIEND, "Origin"));
    let plain = ask(&people, TestRequest::with_uri("/healthz").insert_header(("origin", STRANGER))).await;
    assert_eq!(plain.header("access-control-allow-origin"), "");
}

#[actix_web::test]
async fn a_cookie_changes_something_only_from_an_allowed_origin() {
    let api = allowed();
    let token = token(&api, "anna").await;
    let people = init_service(public(api)).await;
    let cookie = || ("cookie", format!("rookery_token={token}"));
    let change = || TestRequest::post().uri("/api/v1/tickets").insert_header(cookie());
    assert_eq!(ask(&people, change()).await.status, 403, "no origin");
    assert_eq!(ask(&people, change().insert_header(("origin", STRANGER))).await.status, 403);
    assert_eq!(ask(&people, change().insert_header(("origin", FRIEND))).await.status, 201);
    let look = || TestRequest::with_uri("/api/v1/me").insert_header(cookie());
    assert_eq!(
        ask(&people, look()).await.status,
        200,
        "a page of the server itself sends no origin when it only looks"
    );
    assert_eq!(ask(&people, look().insert_header(("origin", STRANGER))).await.status, 403);
}

#[actix_web::test]
async fn every_answer_is_dressed() {
    let people = init_service(public(allowed())).await;
    for path in ["/healthz", "/api/v1/me", "/nowhere", "/docs", "/docs/protocol", "/docs/openapi.json"] {
        let got = ask(&people, TestRequest::with_uri(path)).await;
        assert_eq!(got.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(got.header("referrer-policy"), "no-referrer", "{path}");
        assert!(got.header("content-security-policy").contains("default-src 'none'"), "{path}");
        assert!(!got.header("x-request-id").is_empty(), "{path}");
        assert!(path.starts_with("/docs") || got.header("cache-control") == "no-store", "{path}");
    }
}

/// Every file that a page of the bundle names.
fn named_by(page: &str) -> Vec<String> {
    let page = std::fs::read_to_string(format!("{}/web/dist/{page}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let named: Vec<_> = page.split('"').filter(|part| part.starts_with("/assets/")).map(ToOwned::to_owned).collect();
    assert!(named.len() >= 3, "{named:?}");
    named
}

fn assert_is_a_page_with_its_policy(page: &Got, microphone: &str) {
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert_eq!(page.header("cache-control"), "no-cache");
    let policy = page.header("content-security-policy");
    for part in [
        "default-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "object-src 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("script-src"), "what is in memory is shown, and never run: {policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
    let permissions = page.header("permissions-policy");
    assert!(
        permissions.contains("geolocation=()") && permissions.contains(&format!("microphone={microphone},")),
        "{permissions}"
    );
}

#[actix_web::test]
async fn the_web_client_is_served_with_its_policy_and_kept_as_long_as_is_right() {
    let people = init_service(public(allowed())).await;
    let page = ask(&people, TestRequest::with_uri("/")).await;
    assert_is_a_page_with_its_policy(&page, "(self)");
    let tag = page.header("etag");
    assert!(tag.starts_with('"') && tag.len() > 20, "{tag}");
    let known = ask(&people, TestRequest::with_uri("/").insert_header(("if-none-match", tag))).await;
    assert_eq!((known.status, known.header("etag")), (304, tag));
    let older = ask(&people, TestRequest::with_uri("/").insert_header(("if-none-match", "\"another\""))).await;
    assert_eq!(older.status, 200);
    let wrong = ask(&people, TestRequest::post().uri("/")).await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, "GET, HEAD"));
}

#[actix_web::test]
async fn what_the_page_of_the_web_client_names_is_there_under_its_type_and_may_be_kept_for_ever() {
    let people = init_service(public(allowed())).await;
    for path in &named_by("index.html") {
        let file = ask(&people, TestRequest::with_uri(path)).await;
        let expected = match path.rsplit('.').next() {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            _ => "image/svg+xml",
        };
        assert_eq!((file.status, file.header("content-type")), (200, expected), "{path}");
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(file.header("x-content-type-options"), "nosniff");
        let short = ask(&people, TestRequest::with_uri(path).insert_header(("accept-encoding", "gzip, br"))).await;
        let is_text = expected != "image/svg+xml";
        assert_eq!(
            (short.status, short.header("content-encoding")),
            (200, if is_text { "gzip" } else { "" }),
            "{path}"
        );
        assert_eq!((short.header("content-type"), short.header("vary")), (expected, "Accept-Encoding"));
    }
    for path in ["/assets/nothing.js", "/assets/", "/assets/..%2Findex.html", "/index.html", "/sources.sha256"] {
        assert_eq!(ask(&people, TestRequest::with_uri(path)).await.status, 404, "{path}");
    }
}

#[actix_web::test]
async fn the_page_of_operators_is_on_their_listener_only() {
    let api = allowed();
    let (people, staff) = (init_service(public(api.clone())).await, init_service(operators(api)).await);
    let page = ask(&staff, TestRequest::with_uri("/")).await;
    assert_is_a_page_with_its_policy(&page, "()");
    assert_ne!(page.header("etag"), ask(&people, TestRequest::with_uri("/")).await.header("etag"), "another page");
    let named = named_by("admin.html");
    for path in &named {
        let there = ask(&staff, TestRequest::with_uri(path)).await;
        assert_eq!((there.status, there.header("x-content-type-options")), (200, "nosniff"), "{path}");
    }
    let own: Vec<_> = named.iter().filter(|path| path.starts_with("/assets/admin-")).collect();
    assert!(own.len() >= 2, "a script and a style of its own: {named:?}");
    let of_people = named_by("index.html");
    for path in own {
        assert!(!of_people.contains(path), "{path}");
        assert_eq!(ask(&people, TestRequest::with_uri(path)).await.status, 404, "{path}");
        assert_eq!(
            ask(&people, TestRequest::with_uri(&path.replace("admin-", "%61dmin-"))).await.status,
            404,
            "{path}"
        );
    }
    for path in ["/admin", "/admin.html", "/assets/admin.html", "/assets/..%2Fadmin.html"] {
        assert_eq!(ask(&people, TestRequest::with_uri(path)).await.status, 404, "{path}");
        assert_eq!(ask(&staff, TestRequest::with_uri(path)).await.status, 404, "{path}");
    }
}
