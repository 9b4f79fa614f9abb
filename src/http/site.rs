//! The web client and the operators' page, served by the binary itself: one page each, and the files that they name by their content.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderName},
    web,
};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::{Answer, Problem, answer::headers::text};

/// What `scripts/web` built from `web/`.
#[derive(RustEmbed)]
#[folder = "web/dist/"]
struct Files;

/// Everything is the page's own, and nothing is written into it: neither scripts nor styles. Pictures and sound may also be
/// what the page itself has in memory (`blob:`): it fetches them with its token, which no address may carry.
const POLICY: &str = "default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'; object-src 'none'";
/// None of what a browser offers beyond drawing, storing, asking this server, and the microphone for voice messages, which
/// the browser asks people about.
const PERMISSIONS: &str = "camera=(), display-capture=(), geolocation=(), microphone=(self), payment=(), usb=()";

/// The operators' page records nothing.
const OPERATORS_PERMISSIONS: &str = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()";

/// What the names of files begin with that belong to the operators' page alone.
const OF_OPERATORS: &str = "admin-";

/// The page of the web client.
pub(super) async fn index(request: HttpRequest) -> Answer {
    page(&request, "index.html", PERMISSIONS)
}

/// The page of operators. There is nothing in it until somebody has shown a token.
pub(super) async fn operators_index(request: HttpRequest) -> Answer {
    page(&request, "admin.html", OPERATORS_PERMISSIONS)
}

/// A page. It is asked for anew each time, so that a newer server is a newer client.
fn page(request: &HttpRequest, name: &str, permissions: &'static str) -> Answer {
    let file = Files::get(name).ok_or_else(|| Problem::not_found("page"))?;
    let tag = entity_tag(&file);
    let is_known = text(request.headers(), &header::IF_NONE_MATCH).is_some_and(|known| names(known, &tag));
    let mut answer = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer
        .insert_header((header::ETAG, tag))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((HeaderName::from_static("permissions-policy"), permissions))
        .insert_header((HeaderName::from_static("cross-origin-opener-policy"), "same-origin"));
    if is_known {
        return Ok(answer.finish());
    }
    Ok(answer.content_type("text/html; charset=utf-8").body(file.data.into_owned()))
}

/// A file of the web client. Those of the operators' page are for their listener only.
pub(super) async fn asset(request: HttpRequest, name: web::Path<String>) -> Answer {
    if name.starts_with(OF_OPERATORS) {
        return Err(Problem::not_found("file"));
    }
    file(&request, &name)
}

/// A file of the operators' page, which has some in common with the web client.
pub(super) async fn operators_asset(request: HttpRequest, name: web::Path<String>) -> Answer {
    file(&request, &name)
}

/// A script, a style or a picture. Its name changes with its content, so that it may be kept for ever.
fn file(request: &HttpRequest, name: &str) -> Answer {
    // A build for development looks on the disk, where two dots lead out of the folder.
    let is_plain =
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) && !name.starts_with('.');
    let path = format!("assets/{name}");
    let file = Files::get(&path).filter(|_| is_plain).ok_or_else(|| Problem::not_found("file"))?;
    let short =
        Files::get(&format!("{path}.gz")).filter(|_| takes_gzip(text(request.headers(), &header::ACCEPT_ENCODING)));
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((header::VARY, "Accept-Encoding"))
        .content_type(content_type(name));
    if short.is_some() {
        answer.insert_header((header::CONTENT_ENCODING, "gzip"));
    }
    Ok(answer.body(short.unwrap_or(file).data.into_owned()))
}

/// Whether `Accept-Encoding` has gzip in it, and not only to rule it out.
fn takes_gzip(accepted: Option<&str>) -> bool {
    accepted.unwrap_or_default().split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name == "*");
        let refused =
            parts.any(|part| part.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0)));
        is_gzip && !refused
    })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

fn entity_tag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    format!("\"{}\"", hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// Whether `If-None-Match` names the tag. The comparison is the weak one, as its RFC asks.
fn names(known: &str, tag: &str) -> bool {
    known.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_a_list_and_nowhere_else() {
        for known in ["\"a\"", "\"b\", \"a\"", "W/\"a\"", "*"] {
            assert!(names(known, "\"a\""), "{known}");
        }
        for known in ["", "\"b\"", "a", "\"ab\""] {
            assert!(!names(known, "\"a\""), "{known}");
        }
    }

    #[test]
    fn gzip_is_taken_where_it_is_named_and_not_refused() {
        for accepted in ["gzip", "br, gzip;q=0.5", "GZIP", "deflate, *"] {
            assert!(takes_gzip(Some(accepted)), "{accepted}");
        }
        for accepted in [None, Some(""), Some("br"), Some("gzip;q=0"), Some("gzip; q=0.0, br")] {
            assert!(!takes_gzip(accepted), "{accepted:?}");
        }
    }

    #[test]
    fn files_are_found_by_their_names_only() {
        for name in ["", "nothing.js", "../index.html", "..", "../../../Cargo.toml", "/etc/passwd"] {
            let request = actix_web::test::TestRequest::default().to_http_request();
            assert!(file(&request, name).is_err(), "{name:?}");
        }
    }
}
