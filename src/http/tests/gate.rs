//! Every route of the table is registered, and nobody passes its gate who may not.

use actix_web::http::Method;

use super::*;
use crate::http::access::{self, Access, Route};

/// A path with something in the place of every name.
fn filled(route: &Route) -> String {
    let part = |part: &str| match part {
        "{seq}" => "1".to_owned(),
        "{emoji}" => "%F0%9F%91%8D".to_owned(),
        "{page}" => "protocol".to_owned(),
        "{file}" => asset(),
        "{decision}" => "0001-core-decides-shell-delivers".to_owned(),
        name if name.starts_with('{') => uuid::Uuid::now_v7().to_string(),
        other => other.to_owned(),
    };
    route.path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// A file of the web client; its name changes with its content.
fn asset() -> String {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/web/dist/index.html")).unwrap();
    let (_, rest) = page.split_once("/assets/").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

fn request(route: &Route) -> TestRequest {
    TestRequest::with_uri(&filled(route)).method(route.method.clone())
}

#[actix_web::test]
async fn without_a_login_every_route_but_the_open_ones_is_401() {
    let api = api(&[]);
    let (people, staff) = (init_service(public(api.clone())).await, init_service(operators(api)).await);
    for route in access::public() {
        let path = filled(&route);
        let got = ask(&people, TestRequest::with_uri(&path).method(route.method.clone())).await;
        assert_eq!(got.status == 401, route.access != Access::Open, "{} {}: {}", route.method, route.path, got.status);
        assert_ne!(got.status, 404, "{} {} is registered", route.method, route.path);
        if got.status == 401 {
            assert!(got.header("www-authenticate").starts_with("Bearer"));
            assert_eq!((&got.body["code"], &got.body["instance"]), (&"unauthenticated".into(), &path.into()));
            assert_eq!(got.body["request_id"], got.header("x-request-id"));
        }
    }
    for route in access::operators() {
        let got = ask(&staff, request(&route)).await;
        assert_eq!(got.status == 401, route.access != Access::Open, "{} {}: {}", route.method, route.path, got.status);
    }
}

#[actix_web::test]
async fn who_is_no_operator_is_403_at_every_route_of_operators() {
    let api = api(&[]);
    let token = token(&api, "anna").await;
    let staff = init_service(operators(api)).await;
    for route in access::operators().into_iter().filter(|route| route.access == Access::Admin) {
        let bearer = |token: &str| request(&route).insert_header(("authorization", format!("Bearer {token}")));
        assert_eq!(ask(&staff, bearer(&token)).await.status, 403, "{} {}", route.method, route.path);
        assert_eq!(ask(&staff, bearer("the-first-toke")).await.status, 401, "{} {}", route.method, route.path);
    }
    let audit =
        TestRequest::with_uri("/admin/v1/audit").insert_header(("authorization", format!("Bearer {BOOTSTRAP}")));
    assert_eq!(ask(&staff, audit).await.status, 200);
}

#[actix_web::test]
async fn who_is_not_in_a_room_is_404_at_every_route_for_members() {
    let api = api(&[]);
    let token = token(&api, "anna").await;
    let people = init_service(public(api)).await;
    let members: Vec<_> = access::public().into_iter().filter(|route| route.access == Access::Member).collect();
    assert!(members.len() >= 5);
    for route in members {
        let got = ask(&people, request(&route).insert_header(("authorization", format!("Bearer {token}")))).await;
        assert_eq!((got.status, &got.body["detail"]), (404, &"no such room".into()), "{} {}", route.method, route.path);
    }
}

#[actix_web::test]
async fn other_methods_are_405_and_name_those_that_there_are() {
    let api = api(&[]);
    let (people, staff) = (init_service(public(api.clone())).await, init_service(operators(api)).await);
    let check = async |table: Vec<Route>, is_people: bool| {
        for route in &table {
            for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::TRACE] {
                if table.iter().any(|other| other.path == route.path && other.method == method) {
                    continue;
                }
                let wrong = TestRequest::with_uri(&filled(route)).method(method.clone());
                let got = if is_people { ask(&people, wrong).await } else { ask(&staff, wrong).await };
                assert_eq!(got.status, 405, "{method} {}", route.path);
                assert!(got.header("allow").split(", ").any(|name| name == route.method.as_str()));
            }
        }
    };
    check(access::public(), true).await;
    check(access::operators(), false).await;
}

#[actix_web::test]
async fn the_listeners_do_not_share_their_routes() {
    let api = api(&[]);
    let token = token(&api, "anna").await;
    let (people, staff) = (init_service(public(api.clone())).await, init_service(operators(api)).await);
    let bearer = |path: &str| TestRequest::with_uri(path).insert_header(("authorization", format!("Bearer {token}")));
    for path in ["/metrics", "/admin/v1/overview", "/debug"] {
        assert_eq!(ask(&people, bearer(path)).await.status, 404, "{path}");
    }
    for path in ["/api/v1/me", "/docs", "/api/v1/ws"] {
        assert_eq!(ask(&staff, bearer(path)).await.status, 404, "{path}");
    }
}

#[actix_web::test]
async fn requests_without_a_login_count_against_the_address_and_not_against_who_is_logged_in() {
    let api = api(&["limits.anonymous_per_minute=3"]);
    let token = token(&api, "anna").await;
    let people = init_service(public(api)).await;
    let from = |n: u8| TestRequest::with_uri("/api/v1/me").peer_addr(([192, 0, 2, n], 4_000).into());
    let claimed = |n: u8| from(1).insert_header(("x-forwarded-for", format!("198.51.100.{n}")));
    for n in 0..3 {
        assert_eq!(ask(&people, claimed(n)).await.status, 401);
    }
    let refused = ask(&people, claimed(4)).await;
    assert_eq!((refused.status, &refused.body["code"]), (429, &"rate_limited".into()));
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1 && !refused.header("ratelimit").is_empty());
    assert_eq!(ask(&people, from(2)).await.status, 401, "another address");
    assert_eq!(ask(&people, from(1).insert_header(("authorization", format!("Bearer {token}")))).await.status, 200);
}

#[actix_web::test]
async fn while_the_server_drains_it_lives_and_is_not_ready() {
    let api = api(&[]);
    let people = init_service(public(api.clone())).await;
    assert_eq!(ask(&people, TestRequest::with_uri("/readyz")).await.status, 200);
    api.readiness.drain();
    assert_eq!(ask(&people, TestRequest::with_uri("/readyz")).await.status, 503);
    let verbose = ask(&people, TestRequest::with_uri("/readyz?verbose")).await;
    assert_eq!((verbose.status, &verbose.body["draining"], &verbose.body["store"]), (503, &true.into(), &true.into()));
    assert_eq!(ask(&people, TestRequest::with_uri("/healthz")).await.status, 200);
}
