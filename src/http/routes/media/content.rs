//! The bytes of a file, for whoever may read it at the moment of asking.

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    body::SizedStream,
    http::{
        StatusCode,
        header::{self, HeaderName},
    },
    web,
};
use futures_util::{StreamExt as _, stream};
use rookery_core::{frame::Code, ids::MediaId};

use super::{
    Parameters, Shared, Who,
    range::{Wanted, wanted},
};
use crate::{
    http::{Answer, Problem, answer::headers::text},
    media::{Content, MediaError},
};

/// Nothing of it runs, wherever it is opened.
const POLICY: &str = "sandbox; default-src 'none'";

/// The file itself.
pub(in crate::http) async fn whole(
    api: Shared,
    request: HttpRequest,
    me: Who,
    id: web::Path<MediaId>,
    parameters: Parameters,
) -> Answer {
    no_more_than_a_ticket(&parameters)?;
    let content = api.media.content(*id, me.user, false).await?;
    answer(&api, &request, &content).await
}

/// The small picture.
pub(in crate::http) async fn thumbnail(
    api: Shared,
    request: HttpRequest,
    me: Who,
    id: web::Path<MediaId>,
    parameters: Parameters,
) -> Answer {
    no_more_than_a_ticket(&parameters)?;
    let content = api.media.content(*id, me.user, true).await?;
    answer(&api, &request, &content).await
}

/// Who a ticket stands for was found out before.
fn no_more_than_a_ticket(parameters: &Parameters) -> Result<(), Problem> {
    parameters.text("ticket")?;
    parameters.end()
}

async fn answer(api: &Shared, request: &HttpRequest, content: &Content) -> Answer {
    // A file never changes once it can be read.
    let tag = if content.is_thumbnail() { format!("\"{}.small\"", content.id) } else { format!("\"{}\"", content.id) };
    if text(request.headers(), &header::IF_NONE_MATCH).is_some_and(|known| knows(known, &tag)) {
        return Ok(dressed(HttpResponse::NotModified(), content, &tag).finish());
    }
    let same = text(request.headers(), &header::IF_RANGE).is_none_or(|known| known.trim() == tag);
    let header = text(request.headers(), &header::RANGE).filter(|_| same);
    let (status, range) = match wanted(header, content.size) {
        Wanted::Whole => (StatusCode::OK, 0..content.size),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Unsatisfiable => return Err(unsatisfiable(content.size)),
    };
    let mut response = dressed(HttpResponse::build(status), content, &tag);
    if status == StatusCode::PARTIAL_CONTENT {
        let place = format!("bytes {}-{}/{}", range.start, range.end - 1, content.size);
        response.insert_header((header::CONTENT_RANGE, place));
    }
    let length = range.end - range.start;
    let mut bytes = Box::pin(api.media.read(content, range));
    // What cannot be read at all is said as a problem; what breaks off later breaks the connection.
    let first = bytes.next().await.transpose()?;
    let first = stream::iter(first.map(Ok::<_, MediaError>));
    Ok(response.body(SizedStream::new(length, first.chain(bytes))))
}

fn knows(known: &str, tag: &str) -> bool {
    known.split(',').map(|one| one.trim().trim_start_matches("W/")).any(|one| one == tag || one == "*")
}

/// What every answer about a file says: its type as far as it is shown, and that nothing else is to be made of it.
fn dressed(mut response: HttpResponseBuilder, content: &Content, tag: &str) -> HttpResponseBuilder {
    let (media_type, disposition) = match &content.shown_as {
        Some(media_type) => (media_type.as_str(), "inline"),
        None => ("application/octet-stream", "attachment"),
    };
    let named = format!("{disposition}; filename*=UTF-8''{}", percent_encoded(&content.name));
    response
        .insert_header((header::CONTENT_TYPE, media_type))
        .insert_header((header::CONTENT_DISPOSITION, named))
        .insert_header((header::ETAG, tag))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((HeaderName::from_static("cross-origin-resource-policy"), "same-origin"));
    response
}

fn unsatisfiable(size: u64) -> Problem {
    let mut problem = Problem::new(Code::BadRequest, "one range of bytes that are there, at most");
    problem.size = Some(size);
    problem.with_status(StatusCode::RANGE_NOT_SATISFIABLE)
}

/// As RFC 8187 wants a name in a header.
fn percent_encoded(name: &str) -> String {
    use std::fmt::Write as _;
    name.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' => text.push(char::from(byte)),
            // Writing into a text cannot fail.
            _ => drop(write!(text, "%{byte:02X}")),
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_header_is_plain_letters() {
        assert_eq!(percent_encoded("a b\"\r\n;é.png"), "a%20b%22%0D%0A%3B%C3%A9.png");
    }
}
