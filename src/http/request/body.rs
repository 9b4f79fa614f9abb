//! JSON bodies: read up to a bound, and every error names the field at fault.

use std::time::Duration;

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{StatusCode, header},
    web::{Bytes, BytesMut},
};
use futures_util::{StreamExt as _, future::LocalBoxFuture};
use rookery_core::frame::Code;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use crate::http::Problem;

/// Bytes of the largest body.
const MOST: usize = 64 * 1_024;
/// Bytes that are still read, and thrown away, so that who sends too much hears why.
const DRAINED: usize = 1024 * 1_024;
/// How long a body may take to come.
const WAIT: Duration = Duration::from_secs(10);

/// A body that must be there.
pub(crate) struct Body<T> {
    /// What it says.
    pub(crate) value: T,
    /// Its bytes.
    pub(crate) raw: Bytes,
}

/// A body that may be missing: then it says nothing.
pub(crate) struct MaybeBody<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let json = is_json(request);
        let payload = payload.take();
        Box::pin(async move {
            let raw = read(payload).await?;
            if !json {
                return Err(unsupported());
            }
            Ok(Self { value: parse(&raw)?, raw })
        })
    }
}

impl<T: DeserializeOwned + Default + 'static> FromRequest for MaybeBody<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let json = is_json(request);
        let payload = payload.take();
        Box::pin(async move {
            let raw = read(payload).await?;
            match (raw.is_empty(), json) {
                (true, _) => Ok(Self(T::default())),
                (false, false) => Err(unsupported()),
                (false, true) => parse(&raw).map(Self),
            }
        })
    }
}

fn is_json(request: &HttpRequest) -> bool {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

fn unsupported() -> Problem {
    Problem::new(Code::BadRequest, "the body must be application/json").with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
}

async fn read(payload: Payload) -> Result<Bytes, Problem> {
    let late = || Problem::new(Code::BadRequest, "the body did not come").with_status(StatusCode::REQUEST_TIMEOUT);
    tokio::time::timeout(WAIT, read_all(payload)).await.map_err(|_| late())?
}

async fn read_all(mut payload: Payload) -> Result<Bytes, Problem> {
    let mut raw = BytesMut::new();
    let mut length = 0;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::new(Code::BadRequest, "the body cannot be read"))?;
        length += chunk.len();
        if length > DRAINED {
            break;
        }
        if length <= MOST {
            raw.extend_from_slice(&chunk);
        }
    }
    if length > MOST {
        return Err(Problem::new(Code::TooLarge, format!("at most {MOST} bytes")));
    }
    Ok(raw.freeze())
}

/// Reads JSON; an error names the field.
fn parse<T: DeserializeOwned>(raw: &[u8]) -> Result<T, Problem> {
    // An array would be read as the fields in their order, and unknown to everybody.
    if raw.trim_ascii_start().first() != Some(&b'{') {
        return Err(Problem::new(Code::BadRequest, "the body must be a JSON object"));
    }
    let mut json = serde_json::Deserializer::from_slice(raw);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| named(&error))?;
    json.end().map_err(|error| Problem::new(Code::BadRequest, words(&error)))?;
    Ok(value)
}

fn named(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let detail = words(error.inner());
    let mut path: Vec<String> = error
        .path()
        .iter()
        .filter_map(|segment| match segment {
            serde_path_to_error::Segment::Seq { index } => Some(index.to_string()),
            serde_path_to_error::Segment::Map { key } => Some(key.clone()),
            _ => None,
        })
        .collect();
    let code = match detail.split(' ').next() {
        Some("missing") => "missing",
        Some("unknown") if detail.starts_with("unknown field") => "unknown",
        _ => "invalid",
    };
    // Missing, unknown and doubled fields are named in the words only.
    let quoted =
        detail.split_once("field `").and_then(|(_, rest)| rest.split_once('`')).map(|(name, _)| name.to_owned());
    if let Some(name) = quoted
        && path.last() != Some(&name)
    {
        path.push(name);
    }
    if path.is_empty() {
        return Problem::new(Code::BadRequest, detail);
    }
    let escaped: Vec<_> = path.iter().map(|part| part.replace('~', "~0").replace('/', "~1")).collect();
    Problem::field(&escaped.join("/"), code, detail)
}

/// serde_json's own words, without the position and without more than a line of what the client sent.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.find(" at line ").unwrap_or(text.len());
    text[..end].chars().take(200).collect()
}

/// For a field that may be left out (`None`), cleared (`Some(None)`) or set.
pub(crate) fn clearable<'de, D, T>(input: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(input).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        name: String,
        #[serde(default)]
        numbers: Vec<u8>,
        #[serde(default, deserialize_with = "clearable")]
        about: Option<Option<String>>,
    }

    fn at(text: &str) -> (String, &'static str) {
        let problem = parse::<Sample>(text.as_bytes()).unwrap_err();
        assert!(!problem.detail.contains(" at line "), "{}", problem.detail);
        let error = problem.errors.first().unwrap_or_else(|| panic!("{text}: {problem:?}"));
        (error.pointer.clone(), error.code)
    }

    #[test]
    fn the_field_at_fault_is_named() {
        assert_eq!(at("{}"), ("/name".to_owned(), "missing"));
        assert_eq!(at(r#"{"name":7}"#), ("/name".to_owned(), "invalid"));
        assert_eq!(at(r#"{"name":"a","colour":1}"#), ("/colour".to_owned(), "unknown"));
        assert_eq!(at(r#"{"name":"a","name":"b"}"#), ("/name".to_owned(), "invalid"));
        assert_eq!(at(r#"{"name":"a","numbers":[1,2,300]}"#), ("/numbers/2".to_owned(), "invalid"));
    }

    #[test]
    fn what_is_no_json_object_is_refused_in_plain_words() {
        let deep = "[".repeat(50_000);
        for text in [
            "",
            "{",
            "null",
            "[]",
            "[\"a\"]",
            "[\"a\", [], null]",
            "7",
            "\"x\"",
            "{\"name\":\"a\"} {}",
            "\u{feff}{}",
            "{\"name\":\"\\ud800\"}",
            &deep,
        ] {
            assert!(parse::<Sample>(text.as_bytes()).is_err(), "{text:.20}");
        }
        assert!(parse::<Sample>(b"{\"name\":\"\xff\"}").is_err());
    }

    #[test]
    fn leaving_out_and_clearing_are_two_things() {
        let about = |text: &str| parse::<Sample>(text.as_bytes()).unwrap().about;
        assert_eq!(about(r#"{"name":"a"}"#), None);
        assert_eq!(about(r#"{"name":"a","about":null}"#), Some(None));
        assert_eq!(about(r#"{"name":"a","about":"b"}"#), Some(Some("b".to_owned())));
        let sample = parse::<Sample>(br#"{"name":"a"}"#).unwrap();
        assert!(sample.name == "a" && sample.numbers.is_empty());
    }
}
