//! The outermost layer: request ids, what every answer carries, problems made whole, one line in the log.

use std::time::Instant;

use actix_web::{
    Error, HttpMessage as _, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web,
};

use super::error::Problem;
use crate::http::Api;

/// The name of the header.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The request's id: the client's if it gave a good one, else ours.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// What a header holds if it is one to `most` visible ASCII characters.
pub(in crate::http) fn visible(headers: &HeaderMap, name: &HeaderName, most: usize) -> Option<String> {
    let value = headers.get(name)?.as_bytes();
    let fits = (1..=most).contains(&value.len()) && value.iter().all(u8::is_ascii_graphic);
    fits.then(|| String::from_utf8_lossy(value).into_owned())
}

/// What a header holds if it is text.
pub(in crate::http) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The client's own id for the request if it is short and plain, else a new one.
pub(in crate::http) fn request_id(headers: &HeaderMap) -> String {
    visible(headers, &REQUEST_ID, 64).unwrap_or_else(|| uuid::Uuid::now_v7().to_string())
}

/// Wraps every request of both listeners.
pub(in crate::http) async fn outermost(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if request.method() == Method::HEAD {
        // Answered as the GET would be; that the body stays away is the codec's work, which knows what was asked.
        request.head_mut().method = Method::GET;
    }
    let started = Instant::now();
    let id = request_id(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let response = match preflight(&request) {
        Some(answer) => request.into_response(answer),
        None => next.call(request).await?.map_into_boxed_body(),
    };
    let mut response = whole(response, &id);
    let request = response.request().clone();
    dress(&request, response.headers_mut(), &id);
    report(&request, response.status().as_u16(), &id, started);
    Ok(response)
}

/// Fills in what a problem could not know where it was made.
fn whole(response: ServiceResponse<BoxBody>, id: &str) -> ServiceResponse<BoxBody> {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let error = response.response().error();
    let known = error.and_then(|error| error.as_error::<Problem>()).cloned();
    // A handler may say itself how things are; what the framework answers has no content.
    if error.is_none() && response.headers().contains_key(header::CONTENT_TYPE) {
        return response;
    }
    let problem = known.unwrap_or_else(|| Problem::of_status(status));
    metrics::counter!("rookery_problems_total", "code" => problem.code.as_str()).increment(1);
    let (request, _) = response.into_parts();
    let whole = problem.render(request.path(), id);
    ServiceResponse::new(request, whole)
}

fn dress(request: &HttpRequest, headers: &mut HeaderMap, id: &str) {
    let mut usual = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    usual(header::CACHE_CONTROL, "no-store");
    usual(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    usual(header::REFERRER_POLICY, "no-referrer");
    usual(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    usual(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if request.app_config().secure() || is_tls(request) {
        usual(header::STRICT_TRANSPORT_SECURITY, "max-age=63072000");
    }
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, value);
    }
    if let Some(origin) = allowed_origin(request) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        let exposed = "x-request-id, retry-after, ratelimit, link, location, idempotent-replayed, etag, content-range, \
                       content-disposition";
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
}

fn is_tls(request: &HttpRequest) -> bool {
    api(request).is_some_and(|api| api.live.config().server.tls_certificate.is_some())
}

fn api(request: &HttpRequest) -> Option<&web::Data<Api>> {
    request.app_data::<web::Data<Api>>()
}

/// The request's origin, if pages from there may use this server.
fn allowed_origin(request: &HttpRequest) -> Option<HeaderValue> {
    let origin = request.headers().get(header::ORIGIN)?;
    let allowed = api(request)?.live.config().allows_origin(origin.to_str().ok()?);
    allowed.then(|| origin.clone())
}

/// The answer to a browser that asks whether a page may do something; `None`: it does not ask, or may not.
fn preflight(request: &ServiceRequest) -> Option<HttpResponse> {
    let asks =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if !asks || allowed_origin(request.request()).is_none() {
        return None;
    }
    let methods = "GET, POST, PUT, PATCH, DELETE";
    let headers = "authorization, content-type, idempotency-key, x-request-id, range, if-range, if-none-match";
    Some(
        HttpResponse::NoContent()
            .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, methods))
            .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, headers))
            .insert_header((header::ACCESS_CONTROL_MAX_AGE, "600"))
            .finish(),
    )
}

/// The path is logged, the query is not: it may hold what people search for.
fn report(request: &HttpRequest, status: u16, id: &str, started: Instant) {
    let method = match request.method().as_str() {
        known @ ("GET" | "POST" | "PUT" | "PATCH" | "DELETE") => known,
        _ => "other",
    };
    let took = started.elapsed();
    let class = ["1xx", "2xx", "3xx", "4xx", "5xx"][usize::from(status / 100).clamp(1, 5) - 1];
    metrics::counter!("rookery_http_requests_total", "method" => method.to_owned(), "status" => class).increment(1);
    metrics::histogram!("rookery_http_request_seconds").record(took.as_secs_f64());
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    if status >= 500 {
        tracing::warn!(request_id = id, method, path = request.path(), status, micros, "request");
    } else if method == "GET" {
        tracing::debug!(request_id = id, method, path = request.path(), status, micros, "request");
    } else {
        tracing::info!(request_id = id, method, path = request.path(), status, micros, "request");
    }
}
