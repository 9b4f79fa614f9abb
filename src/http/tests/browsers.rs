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
