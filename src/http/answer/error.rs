//! Problems (RFC 9457): every refusal of REST, with the same stable words as the frames.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use rookery_core::frame::{Code, Refusal};
use serde::Serialize;

use crate::{actors::ports::Unanswered, auth::AuthError, store::StoreError};

/// What a handler answers.
pub type Answer = Result<HttpResponse, Problem>;

/// One field at fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldProblem {
    /// Where in the body (RFC 6901), or which parameter.
    #[schema(example = "/name")]
    pub pointer: String,
    /// What is wrong with it.
    pub code: &'static str,
    /// For people.
    pub detail: String,
}

/// A refusal on its way to the client; `instance` and `request_id` are filled in by the outermost layer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{status}: {detail}")]
pub struct Problem {
    /// The stable word.
    pub code: Code,
    /// The HTTP status.
    pub status: StatusCode,
    /// For people.
    pub detail: String,
    /// The fields at fault.
    pub errors: Vec<FieldProblem>,
    /// How long to wait.
    pub retry_after_ms: Option<u64>,
    /// The methods that the path has, for a 405.
    pub allow: Option<String>,
    /// How many bytes there are, for a 416.
    pub size: Option<u64>,
}

/// The body of a problem.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// Where the word is explained.
    #[serde(rename = "type")]
    #[schema(example = "/docs/errors#not_found")]
    kind: String,
    /// What the status means.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// For people.
    detail: &'a str,
    /// The path that was asked for.
    instance: &'a str,
    /// The stable word.
    code: Code,
    /// The request's id, as in the log.
    request_id: &'a str,
    /// The fields at fault.
    #[serde(skip_serializing_if = "<[FieldProblem]>::is_empty")]
    errors: &'a [FieldProblem],
}

impl Problem {
    /// A problem with the usual status of its word.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            status: status_of(code),
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_ms: None,
            allow: None,
            size: None,
        }
    }

    /// A problem with one field or parameter of the request.
    #[must_use]
    pub fn field(pointer: &str, code: &'static str, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(Code::BadRequest, detail);
        let detail = problem.detail.clone();
        problem.errors.push(FieldProblem { pointer: format!("/{pointer}"), code, detail });
        problem
    }

    /// The same with another status.
    #[must_use]
    pub const fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// There is no such thing, or it is not for them to know.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("no such {what}"))
    }

    /// The problem for an error of the framework, which says nothing of its own.
    pub(in crate::http) fn of_status(status: StatusCode) -> Self {
        let code = match status {
            StatusCode::UNAUTHORIZED => Code::Unauthenticated,
            StatusCode::FORBIDDEN => Code::Forbidden,
            StatusCode::NOT_FOUND => Code::NotFound,
            StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
            status if status.is_server_error() => Code::Unavailable,
            _ => Code::BadRequest,
        };
        Self::new(code, title_of(status)).with_status(status)
    }

    /// The answer for this request.
    #[must_use]
    pub fn render(&self, instance: &str, request_id: &str) -> HttpResponse {
        let body = ProblemBody {
            kind: format!("/docs/errors#{}", self.code.as_str()),
            title: title_of(self.status),
            status: self.status.as_u16(),
            detail: &self.detail,
            instance,
            code: self.code,
            request_id,
            errors: &self.errors,
        };
        let mut response = HttpResponse::build(self.status);
        response.insert_header((header::CONTENT_TYPE, "application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"rookery\""));
        }
        if let Some(allow) = self.allow.as_deref().and_then(|allow| HeaderValue::from_str(allow).ok()) {
            response.insert_header((header::ALLOW, allow));
        }
        if let Some(size) = self.size {
            response.insert_header((header::CONTENT_RANGE, format!("bytes */{size}")));
        }
        if self.status == StatusCode::UPGRADE_REQUIRED {
            response.insert_header((header::UPGRADE, "websocket"));
            response.insert_header((header::SEC_WEBSOCKET_VERSION, "13"));
        }
        if let Some(millis) = self.retry_after_ms {
            let seconds = millis.div_ceil(1_000).max(1);
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
            if self.code == Code::RateLimited {
                response.insert_header(("RateLimit", format!("\"default\";r=0;t={seconds}")));
            }
        }
        response.body(serde_json::to_vec(&body).unwrap_or_default())
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        self.render("", "")
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let mut problem = Self::new(refusal.code, refusal.detail);
        if let Some(field) = refusal.field {
            let detail = problem.detail.clone();
            problem.errors.push(FieldProblem { pointer: format!("/{field}"), code: refusal.code.as_str(), detail });
        }
        let waits = matches!(refusal.code, Code::RateLimited | Code::Busy | Code::Unavailable | Code::Moved);
        problem.retry_after_ms = refusal.retry_after_ms.or(waits.then_some(1_000));
        problem
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::not_found("thing"),
            StoreError::BadCursor => Self::field("after", "invalid", "not a cursor of this list"),
            StoreError::Taken(what) => Refusal::field(Code::Conflict, what, "taken").into(),
            StoreError::Unavailable(_) | StoreError::Fenced => {
                tracing::warn!(%error, "the store did not answer");
                Refusal::new(Code::Unavailable, "the store cannot be reached; nothing was done").into()
            }
            StoreError::Corrupt(_) => {
                tracing::error!(%error, "the store is damaged");
                Self::new(Code::Unavailable, "this cannot be read any more")
                    .with_status(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Refused(refusal) => refusal.into(),
            AuthError::Store(error) => error.into(),
        }
    }
}

impl From<Unanswered> for Problem {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Refused(refusal) => refusal.into(),
            // Not 503: that one says that nothing was taken.
            Unanswered::Unknown => Self::new(
                Code::Unavailable,
                "whether it happened is not known: send it again with the same client_id, or ask outcomes",
            )
            .with_status(StatusCode::GATEWAY_TIMEOUT),
        }
    }
}

/// The status that a word has when nothing more is known.
#[must_use]
pub const fn status_of(code: Code) -> StatusCode {
    match code {
        Code::BadFrame | Code::BadRequest => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Forbidden | Code::NotMember | Code::Muted | Code::Blocked => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Conflict | Code::Archived => StatusCode::CONFLICT,
        Code::TooLarge | Code::Quota => StatusCode::PAYLOAD_TOO_LARGE,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::Busy | Code::Unavailable | Code::Moved => StatusCode::SERVICE_UNAVAILABLE,
        Code::Gone => StatusCode::GONE,
    }
}

fn title_of(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}

/// What a path that is not there answers.
pub(in crate::http) async fn no_such_path(_request: HttpRequest) -> Answer {
    Err(Problem::not_found("path"))
}
