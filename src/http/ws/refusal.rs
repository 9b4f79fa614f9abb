//! The answer to a handshake that is refused; no `App` writes it, since upgrades pass it by.

use rookery_core::frame::Code;

/// Why a handshake is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    status: &'static str,
    code: Code,
    detail: &'static str,
    header: &'static str,
}

impl Refused {
    /// 400.
    pub(super) const fn bad_request(detail: &'static str) -> Self {
        Self { status: "400 Bad Request", code: Code::BadRequest, detail, header: "" }
    }

    /// 401.
    pub(super) const fn unauthenticated() -> Self {
        let (detail, header) = ("a valid token or ticket is needed", "www-authenticate: Bearer\r\n");
        Self { status: "401 Unauthorized", code: Code::Unauthenticated, detail, header }
    }

    /// 403.
    pub(super) const fn forbidden(detail: &'static str) -> Self {
        Self { status: "403 Forbidden", code: Code::Forbidden, detail, header: "" }
    }

    /// 404.
    pub(super) const fn not_found() -> Self {
        Self { status: "404 Not Found", code: Code::NotFound, detail: "there is no WebSocket here", header: "" }
    }

    /// 405.
    pub(super) const fn not_a_get() -> Self {
        let (detail, header) = ("a handshake is a GET", "allow: GET\r\n");
        Self { status: "405 Method Not Allowed", code: Code::BadRequest, detail, header }
    }

    /// 426.
    pub(super) const fn version() -> Self {
        let (detail, header) = ("only version 13 is spoken", "sec-websocket-version: 13\r\nupgrade: websocket\r\n");
        Self { status: "426 Upgrade Required", code: Code::BadRequest, detail, header }
    }

    /// 429.
    pub(super) const fn too_many() -> Self {
        let (detail, header) = ("too many connections of this user", "retry-after: 10\r\n");
        Self { status: "429 Too Many Requests", code: Code::RateLimited, detail, header }
    }

    /// 503.
    pub(super) const fn unavailable(detail: &'static str) -> Self {
        Self { status: "503 Service Unavailable", code: Code::Unavailable, detail, header: "retry-after: 2\r\n" }
    }

    /// The whole answer.
    pub(super) fn answer(&self, request_id: &str) -> Vec<u8> {
        let (number, title) = self.status.split_once(' ').unwrap_or(("500", ""));
        let body = serde_json::json!({
            "type": format!("/docs/errors#{}", self.code.as_str()),
            "title": title,
            "status": number.parse::<u16>().unwrap_or(500),
            "detail": self.detail,
            "instance": super::PATH,
            "code": self.code.as_str(),
            "request_id": request_id,
            "errors": [],
        })
        .to_string();
        let Self { status, header, .. } = self;
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n{header}\
             cache-control: no-store\r\nx-request-id: {request_id}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }
}
