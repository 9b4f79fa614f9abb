//! Counts what a client is told, as far as operators ask after it: refusals, and how it caught up.

use rookery_core::{frame::Code, session::close};

/// Looks at one frame on its way out.
pub(super) fn count(frame: &[u8]) {
    let json = payload(frame);
    let Some(kind) = json.strip_prefix(b"{\"type\":\"") else { return };
    if kind.starts_with(b"nack\"") {
        metrics::counter!("rookery_nacks_total", "code" => code_of(json)).increment(1);
    } else if kind.starts_with(b"synced\"") {
        metrics::counter!("rookery_catch_ups_total", "result" => "synced").increment(1);
    } else if kind.starts_with(b"gap\"") {
        metrics::counter!("rookery_catch_ups_total", "result" => "gap").increment(1);
    }
}

/// A connection was closed with this code; `None`: its socket was lost without a word.
pub(super) fn closed(code: Option<u16>) {
    let code = match code {
        None => "none",
        Some(1_000) => "1000",
        Some(close::AWAY) => "1001",
        Some(close::PROTOCOL) => "1002",
        Some(close::BINARY) => "1003",
        Some(close::NOT_UTF8) => "1007",
        Some(close::POLICY) => "1008",
        Some(close::TOO_BIG) => "1009",
        Some(close::RESTART) => "1012",
        Some(close::BAD_FRAMES) => "4001",
        Some(close::UNAUTHENTICATED) => "4003",
        Some(close::NO_HELLO) => "4004",
        Some(close::TOO_SLOW) => "4008",
        Some(close::NO_HEARTBEAT) => "4009",
        Some(close::REPLACED) => "4010",
        Some(close::FLOODING) => "4029",
        // A client may say good-bye with thousands of others.
        Some(_) => "other",
    };
    metrics::counter!("rookery_connections_closed_total", "code" => code).increment(1);
}

/// What stands behind the header of a frame of ours, which has no mask.
fn payload(frame: &[u8]) -> &[u8] {
    let header = match frame.get(1) {
        Some(126) => 4,
        Some(127) => 10,
        _ => 2,
    };
    frame.get(header..).unwrap_or_default()
}

/// The code of a `nack`. Quotes in a client's own words are escaped, so that the first one that is bare is ours.
fn code_of(json: &[u8]) -> &'static str {
    const FIELD: &[u8] = b"\"code\":\"";
    let from = json.windows(FIELD.len()).position(|window| window == FIELD).map(|at| at + FIELD.len());
    let rest = from.and_then(|from| json.get(from..)).unwrap_or_default();
    let word = rest.split(|byte| *byte == b'"').next().unwrap_or_default();
    Code::ALL.iter().map(|code| code.as_str()).find(|known| known.as_bytes() == word).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use rookery_core::frame::{
        Refusal, codec,
        server::{Nack, ServerFrame},
        websocket,
    };

    use super::*;

    #[test]
    fn the_code_is_found_whatever_the_client_wrote_into_its_id() {
        for code in Code::ALL {
            let refusal = Refusal::new(code, "said \"code\":\"other\" before");
            let id = r#"x","code":"busy"#;
            let json = codec::encode(&ServerFrame::Nack(Nack::of(&refusal, Some(id), None, None)));
            for padding in [0, 200, 70_000] {
                let mut text = json.to_vec();
                text.extend(std::iter::repeat_n(b' ', padding));
                let mut frame = BytesMut::new();
                websocket::append(&mut frame, websocket::TEXT, &text);
                let found = payload(&frame);
                assert!(found.starts_with(b"{\"type\":\"nack\""), "{}", String::from_utf8_lossy(&found[..40]));
                assert_eq!(code_of(found), code.as_str());
            }
        }
    }
}
