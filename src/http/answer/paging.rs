//! Lists: the page, where it goes on, and cursors for lists that the store hands out whole.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderValue},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use uuid::Uuid;

use super::error::Problem;
use crate::store::{Page, Range};

/// One page of a list.
#[derive(Serialize)]
struct ListBody<T> {
    items: Vec<T>,
    next: Option<String>,
}

/// The answer for one page.
pub(in crate::http) fn list<T: Serialize>(request: &HttpRequest, page: Page<T>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if let Some(link) = page.next.as_deref().and_then(|next| link(request, next)) {
        response.insert_header((header::LINK, link));
    }
    response.json(ListBody { items: page.items, next: page.next })
}

/// The same path and parameters with another `after`.
fn link(request: &HttpRequest, next: &str) -> Option<HeaderValue> {
    let kept = request.query_string().split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("after="));
    let mut query: String = kept.map(|pair| format!("{pair}&")).collect();
    query.push_str("after=");
    for byte in next.bytes() {
        match byte {
            b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => query.push(char::from(b)),
            b => query.push_str(&format!("%{b:02X}")),
        }
    }
    HeaderValue::from_str(&format!("<{}?{query}>; rel=\"next\"", request.path())).ok()
}

/// The position behind `id` in the list of this name.
pub(in crate::http) fn cursor(list: &str, id: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}:{id}"))
}

/// What a cursor of the list of this name points at.
pub(in crate::http) fn position(list: &str, range: &Range) -> Result<Option<Uuid>, Problem> {
    let Some(cursor) = range.after.as_deref() else { return Ok(None) };
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        Uuid::parse_str(text.strip_prefix(list)?.strip_prefix(':')?).ok()
    };
    read().map(Some).ok_or_else(|| Problem::field("after", "invalid", "not a cursor of this list"))
}

/// The part of a whole list behind the cursor.
pub(in crate::http) fn part<T>(
    name: &str,
    all: Vec<T>,
    id: impl Fn(&T) -> Uuid,
    range: &Range,
) -> Result<Page<T>, Problem> {
    let after = position(name, range)?;
    let skip = match after {
        None => 0,
        Some(after) => all
            .iter()
            .position(|item| id(item) == after)
            .map(|at| at + 1)
            .ok_or_else(|| Problem::field("after", "invalid", "what it points at is gone; begin again"))?,
    };
    let more = all.len() > skip + range.limit;
    let items: Vec<T> = all.into_iter().skip(skip).take(range.limit).collect();
    let next = items.last().filter(|_| more).map(|last| cursor(name, id(last)));
    Ok(Page { items, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(limit: usize) -> Vec<Vec<u128>> {
        let all: Vec<u128> = (1..8).collect();
        let mut pages = Vec::new();
        let mut after = None;
        loop {
            let range = Range { after, limit };
            let page = part("numbers", all.clone(), |n| Uuid::from_u128(*n), &range).unwrap();
            pages.push(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => return pages,
            }
        }
    }

    #[test]
    fn pages_have_everything_once() {
        for limit in [1, 3, 7, 8] {
            assert_eq!(pages(limit).concat(), (1..8).collect::<Vec<_>>(), "{limit}");
        }
        assert_eq!(pages(7).len(), 1);
    }

    #[test]
    fn a_cursor_of_another_list_is_none() {
        let foreign = cursor("letters", Uuid::from_u128(3));
        for wrong in [foreign.as_str(), "nonsense", "", "%00", "e30"] {
            let range = Range { after: Some(wrong.to_owned()), limit: 3 };
            assert!(part("numbers", vec![3], |n| Uuid::from_u128(*n), &range).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_link_keeps_the_other_parameters() {
        let uri = "/api/v1/users?query=a%20b&after=old&limit=3";
        let request = actix_web::test::TestRequest::with_uri(uri).to_http_request();
        let link = link(&request, "a+b/=").unwrap();
        assert_eq!(link, "</api/v1/users?query=a%20b&limit=3&after=a%2Bb%2F%3D>; rel=\"next\"");
    }
}
