//! Bytes to frames and back; every error names the field at fault.

use bytes::Bytes;
use serde::Deserialize;

use super::{
    client::{ClientFrame, FIELDS, KINDS},
    code::{Code, Refusal},
    event::EventFrame,
    server::ServerFrame,
};
use crate::{
    event::Event,
    limits::{LABEL_CHARS, Limits},
};

/// Characters of what is said about a bad frame.
const DETAIL_CHARS: usize = 200;

/// What could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFrame {
    /// Why, in words and as a code: `bad_frame` when it is no frame at all, else what is wrong with the field.
    pub refusal: Refusal,
    /// The field that no frame of this type has, shortened; `refusal.field` names only those that there are.
    pub unknown: Option<String>,
    /// The request's id, if that much could be read.
    pub id: Option<String>,
    /// The write's id, if that much could be read.
    pub client_id: Option<crate::ids::ClientId>,
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type", borrow)]
    kind: std::borrow::Cow<'a, str>,
}

#[derive(Deserialize)]
struct Marks {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    client_id: Option<crate::ids::ClientId>,
}

/// Reads one frame from a client and holds it to the limits.
///
/// # Errors
/// `bad_frame` when it is not a JSON object with a known `type`, or has missing, unknown, doubled or mistyped fields;
/// `bad_request` or `too_large` when a field is out of its range.
pub fn decode(text: &[u8], limits: &Limits) -> Result<ClientFrame, Box<BadFrame>> {
    // A struct can also be read from an array; a frame cannot.
    if text.trim_ascii_start().first() != Some(&b'{') {
        return Err(bad(text, "not a JSON object".to_owned(), None));
    }
    let head: Head<'_> =
        serde_json::from_slice(text).map_err(|error| bad(text, words(&error), error.is_data().then_some("type")))?;
    let kind = KINDS.iter().find(|kind| **kind == head.kind);
    let Some(kind) = kind else {
        return Err(bad(text, format!("unknown type; one of {}", KINDS.join(", ")), Some("type")));
    };
    let mut json = serde_json::Deserializer::from_slice(text);
    let frame = ClientFrame::read(kind, &mut json).map_err(|error| {
        let name = field_at_fault(kind, text, &error);
        let field = name.as_ref().and_then(|name| FIELDS.iter().find(|field| *field == name).copied());
        let unknown = if field.is_none() { name.map(|name| shortened(&name, LABEL_CHARS)) } else { None };
        Box::new(BadFrame { unknown, ..*bad(text, words(&error), field) })
    })?;
    frame.check(limits).map_err(|refusal| with_ids(text, refusal))?;
    Ok(frame)
}

/// The JSON of one frame.
#[must_use]
pub fn encode(frame: &ServerFrame<'_>) -> Bytes {
    // Plain data with string keys; writing it into memory cannot fail.
    serde_json::to_vec(frame).map(Bytes::from).unwrap_or_default()
}

/// The JSON of one event, the same bytes for everybody.
#[must_use]
pub fn encode_event(event: &Event) -> Bytes {
    encode(&ServerFrame::Event(EventFrame::from(event)))
}

fn bad(text: &[u8], detail: String, field: Option<&'static str>) -> Box<BadFrame> {
    let code = Code::BadFrame;
    let field_refusal = Refusal { code, detail, field, retry_after_ms: None };
    with_ids(text, field_refusal)
}

fn with_ids(text: &[u8], refusal: Refusal) -> Box<BadFrame> {
    let marks: Option<Marks> = serde_json::from_slice(text).ok();
    let (id, client_id) = marks.map_or((None, None), |marks| (marks.id, marks.client_id));
    let id = id.filter(|id| id.chars().count() <= LABEL_CHARS);
    Box::new(BadFrame { refusal, unknown: None, id, client_id })
}

/// serde_json's own words, without the position: the position says nothing to a person who sent one line.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // From the end: what comes before may quote the client.
    shortened(text.rfind(" at line ").map_or(&text, |end| &text[..end]), DETAIL_CHARS)
}

/// What a client sent is not sent back to it at any length.
fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Which field serde stopped at: named in its words for missing, unknown and doubled ones, else by its path. Reading with
/// paths is slower, so it is done only for what has already failed.
fn field_at_fault(kind: &str, text: &[u8], error: &serde_json::Error) -> Option<String> {
    let message = error.to_string();
    let named =
        message.split_once("field `").and_then(|(_, rest)| rest.split_once('`')).map(|(name, _)| name.to_owned());
    named.or_else(|| {
        let mut json = serde_json::Deserializer::from_slice(text);
        let mut track = serde_path_to_error::Track::new();
        let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
        ClientFrame::read(kind, tracked).err()?;
        track.path().iter().next().map(ToString::to_string)
    })
}

#[cfg(test)]
mod tests;
