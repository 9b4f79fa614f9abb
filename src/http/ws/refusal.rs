//! The answer to a handshake that is refused; no `App` writes it, since upgrades pass it by.

use actix_http::{
    StatusCode,
    body::MessageBody as _,
    header::{self, HeaderMap, HeaderValue},
};
use rookery_core::frame::{Code, Refusal};

use crate::http::Problem;

/// 400.
pub(super) fn bad_request(detail: &str) -> Problem {
    Problem::new(Code::BadRequest, detail)
}

/// 401.
pub(super) fn unauthenticated() -> Problem {
    Problem::new(Code::Unauthenticated, "a valid token or ticket is needed")
}

/// 403.
pub(super) fn forbidden(detail: &str) -> Problem {
    Problem::new(Code::Forbidden, detail)
}

/// 404.
pub(super) fn not_found() -> Problem {
    Problem::new(Code::NotFound, "there is no WebSocket here")
}

/// 405.
pub(super) fn not_a_get() -> Problem {
    let mut problem = Problem::new(Code::BadRequest, "a handshake is a GET");
    problem.allow = Some("GET".to_owned());
    problem.with_status(StatusCode::METHOD_NOT_ALLOWED)
}

/// 426, with the version that is spoken.
pub(super) fn version() -> Problem {
    Problem::new(Code::BadRequest, "only version 13 is spoken").with_status(StatusCode::UPGRADE_REQUIRED)
}

/// 426, to a request that is no upgrade at all.
pub(super) fn no_upgrade() -> Problem {
    Problem::new(Code::BadRequest, "this is a WebSocket: ask for the upgrade").with_status(StatusCode::UPGRADE_REQUIRED)
}

/// 429, of a user.
pub(super) fn too_many() -> Problem {
    Refusal::new(Code::RateLimited, "too many connections of this user").after(10_000).into()
}

/// 503.
pub(super) fn unavailable(detail: &str) -> Problem {
    Refusal::new(Code::Unavailable, detail).after(2_000).into()
}

/// The whole answer, byte for byte.
pub(super) fn answer(problem: &Problem, request_id: &str) -> Vec<u8> {
    let (head, body) = problem.render(super::PATH, request_id).into_parts();
    let body = body.try_into_bytes().unwrap_or_default();
    let mut headers = head.headers().clone();
    dress(&mut headers, head.status(), body.len());
    let status = head.status();
    let mut answer =
        format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or("Error")).into_bytes();
    for (name, value) in &headers {
        answer.extend_from_slice(name.as_str().as_bytes());
        answer.extend_from_slice(b": ");
        answer.extend_from_slice(value.as_bytes());
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(format!("x-request-id: {request_id}\r\n\r\n").as_bytes());
    answer.extend_from_slice(&body);
    answer
}

fn dress(headers: &mut HeaderMap, status: StatusCode, length: usize) {
    let fixed = HeaderValue::from_static;
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::CACHE_CONTROL, fixed("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    headers.insert(header::CONNECTION, fixed("close"));
    if status == StatusCode::UPGRADE_REQUIRED {
        // RFC 9110: who sends `Upgrade` names it here too.
        headers.insert(header::CONNECTION, fixed("close, upgrade"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(problem: &Problem) -> (String, serde_json::Value) {
        let text = String::from_utf8(answer(problem, "id-7")).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let length = format!("content-length: {}", body.len());
        assert!(head.lines().any(|line| line == length), "{head}");
        assert!(head.lines().any(|line| line == "x-request-id: id-7"), "{head}");
        (head.to_owned(), serde_json::from_str(body).unwrap())
    }

    #[test]
    fn a_refusal_is_a_whole_problem() {
        let (head, body) = written(&unauthenticated());
        assert!(head.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{head}");
        assert!(head.contains("www-authenticate: Bearer") && head.contains("application/problem+json"), "{head}");
        assert_eq!((&body["code"], &body["request_id"]), (&"unauthenticated".into(), &"id-7".into()));
        assert_eq!((&body["status"], &body["instance"]), (&401.into(), &super::super::PATH.into()));
    }

    #[test]
    fn what_can_be_tried_again_says_when() {
        let (head, body) = written(&too_many());
        assert!(head.contains("retry-after: 10\r\n") && head.contains("ratelimit: "), "{head}");
        assert_eq!(body["code"], "rate_limited");
        assert!(written(&unavailable("soon")).0.contains("retry-after: 2\r\n"));
    }

    #[test]
    fn another_version_is_told_which_one_is_spoken() {
        let (head, _) = written(&version());
        assert!(head.starts_with("HTTP/1.1 426 ") && head.contains("sec-websocket-version: 13\r\n"), "{head}");
        assert!(written(&not_a_get()).0.contains("allow: GET\r\n"));
    }
}
