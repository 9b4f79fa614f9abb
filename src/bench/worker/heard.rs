//! What a receiver reads out of a frame: just enough to count, to time and to notice holes.

use std::borrow::Cow;

use serde::Deserialize;
use uuid::Uuid;

/// The few things in a frame that a bench looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Welcome,
    Event { room: u128, seq: u64, stamp: Option<Stamp> },
    Ack { index: u64 },
    Nack,
    Synced { room: u128, seq: u64 },
    Gap,
    Lagged,
    Reconnect,
    Error,
    Other,
}

/// What a bench writes at the start of a body: when the message was due, and which one it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) due: u64,
    pub(super) index: u64,
}

const DUE_DIGITS: usize = 19;
const INDEX_DIGITS: usize = 9;
/// The shortest body that carries a stamp.
pub(super) const STAMP_BYTES: usize = DUE_DIGITS + 1 + INDEX_DIGITS;

impl Stamp {
    /// A body of `length` bytes, or a little more when that is too short for a stamp.
    pub(super) fn body(self, length: usize) -> String {
        let mut body = format!("{:0DUE_DIGITS$} {:0INDEX_DIGITS$}", self.due, self.index);
        while body.len() < length {
            body.push('x');
        }
        body
    }

    fn of(body: &str) -> Option<Stamp> {
        let due = body.get(..DUE_DIGITS)?.parse().ok()?;
        let index = body.get(DUE_DIGITS + 1..STAMP_BYTES)?.parse().ok()?;
        Some(Stamp { due, index })
    }
}

/// A client id that says which message of which run it is.
pub(super) fn client_id(run: u64, index: u64) -> Uuid {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&run.to_be_bytes());
    bytes[10..].copy_from_slice(&index.to_be_bytes()[2..]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

fn index_of(client_id: &str) -> Option<u64> {
    let (_, last) = client_id.rsplit_once('-')?;
    u64::from_str_radix(last, 16).ok()
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(default)]
    room: Option<&'a str>,
    #[serde(default)]
    seq: Option<u64>,
    #[serde(default)]
    client_id: Option<&'a str>,
    #[serde(default, borrow)]
    body: Option<Cow<'a, str>>,
}

/// Frames that are not looked into: lists and objects stand in them under names that others have for words.
const UNREAD: [(&[u8], Heard); 3] = [
    (b"{\"type\":\"welcome\"", Heard::Welcome),
    (b"{\"type\":\"lagged\"", Heard::Lagged),
    (b"{\"type\":\"room\"", Heard::Other),
];

/// Reads a text frame.
pub(super) fn read(payload: &[u8]) -> Result<Heard, String> {
    if let Some((_, heard)) = UNREAD.iter().find(|(start, _)| payload.starts_with(start)) {
        return Ok(*heard);
    }
    let fields: Fields<'_> = serde_json::from_slice(payload)
        .map_err(|error| format!("{error} in {}", String::from_utf8_lossy(&payload[..payload.len().min(200)])))?;
    let room = || fields.room.and_then(|room| Uuid::parse_str(room).ok()).map_or(0, |room| room.as_u128());
    let seq = fields.seq.unwrap_or(0);
    Ok(match fields.kind {
        "welcome" => Heard::Welcome,
        "event" => Heard::Event { room: room(), seq, stamp: fields.body.as_deref().and_then(Stamp::of) },
        "ack" => match fields.client_id.and_then(index_of) {
            Some(index) => Heard::Ack { index },
            None => Heard::Other,
        },
        "nack" => Heard::Nack,
        "synced" => Heard::Synced { room: room(), seq },
        "gap" => Heard::Gap,
        "lagged" => Heard::Lagged,
        "reconnect" => Heard::Reconnect,
        "error" => Heard::Error,
        _ => Heard::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_survives_the_way_through_a_frame() {
        let stamp = Stamp { due: 1_764_028_800_123_456_789, index: 1_234_567 };
        let body = stamp.body(128);
        assert_eq!(body.len(), 128);
        let room = Uuid::from_u128(7);
        let text = format!(r#"{{"type":"event","room":"{room}","seq":5,"kind":"message","from":"u","body":"{body}"}}"#);
        assert_eq!(read(text.as_bytes()), Ok(Heard::Event { room: 7, seq: 5, stamp: Some(stamp) }));
        assert_eq!(Stamp::of("good morning"), None);
        assert_eq!(stamp.body(0).len(), STAMP_BYTES);
    }

    #[test]
    fn an_ack_says_which_message_it_is_about() {
        let id = client_id(0xfeed_beef_dead_cafe, 123_456_789_012);
        assert_eq!((id.get_version_num(), id.get_variant()), (4, uuid::Variant::RFC4122));
        let text = format!(r#"{{"type":"ack","client_id":"{id}","room":"r","seq":5,"at":"t"}}"#);
        assert_eq!(read(text.as_bytes()), Ok(Heard::Ack { index: 123_456_789_012 }));
    }

    #[test]
    fn frames_that_matter_are_recognised_and_others_ignored() {
        let welcome = r#"{"type":"welcome","session":"s","rooms":[{"room":"r"}],"resume":{}}"#;
        assert_eq!(read(welcome.as_bytes()), Ok(Heard::Welcome));
        assert_eq!(read(br#"{"type":"lagged","rooms":{"r":1}}"#), Ok(Heard::Lagged));
        assert_eq!(read(br#"{"type":"gap","room":"r","from":1,"to":2}"#), Ok(Heard::Gap));
        assert_eq!(read(br#"{"type":"fireworks"}"#), Ok(Heard::Other));
        assert!(read(b"{").is_err());
    }
}
