//! What the codec must refuse, and that it says which field.

use proptest::prelude::*;

use super::*;

const ROOM: &str = "0190c0de-0000-7000-8000-000000000001";
const CLIENT: &str = "11111111-1111-4111-8111-111111111111";

fn refused(text: &str) -> Refusal {
    decode(text.as_bytes(), &Limits::default()).map(|frame| format!("{frame:?}")).expect_err(text).refusal
}

#[test]
fn errors_name_the_field_at_fault() {
    let send = |rest: &str| format!(r#"{{"type":"send","room":"{ROOM}","client_id":"{CLIENT}"{rest}}}"#);
    for (text, field) in [
        (send(""), "body"),
        (send(r#","body":1"#), "body"),
        (send(r#","body":"x","body":"y""#), "body"),
        (send(r#","body":"x","seen":"1""#), "seen"),
        (send(r#","body":"x","seen":1.0"#), "seen"),
        (send(r#","body":"x","seen":-1"#), "seen"),
        (send(r#","body":"x","seen":9007199254740992"#), "seen"),
        (send(r#","body":"x","mentions":["y"]"#), "mentions"),
        (send(r#","body":"""#), "body"),
        (send(r#","body":"x","attachments":[1]"#), "attachments"),
        (r#"{"type":"mark","room":"x"}"#.to_owned(), "room"),
        (r#"{"type":"hello","cursors":{"x":1}}"#.to_owned(), "cursors"),
        (r#"{"type":"nonsense"}"#.to_owned(), "type"),
        (r#"{"type":7}"#.to_owned(), "type"),
        (r#"{"id":"a"}"#.to_owned(), "type"),
        (r#"{"type":"hello"}"#.to_owned(), "cursors"),
    ] {
        assert_eq!(refused(&text).field, Some(field), "{text}");
    }
}

#[test]
fn unknown_fields_are_errors_that_say_which() {
    let bad = decode(br#"{"type":"ping","colour":1}"#, &Limits::default()).expect_err("an unknown field");
    assert_eq!(bad.unknown.as_deref(), Some("colour"));
    let long = format!(r#"{{"type":"ping","{}":1}}"#, "k".repeat(60_000));
    let bad = decode(long.as_bytes(), &Limits::default()).expect_err("an unknown field");
    assert!(bad.unknown.is_some_and(|name| name.len() < 100) && bad.refusal.detail.len() < 1000);
}

#[test]
fn what_is_no_frame_is_a_bad_frame() {
    for text in [
        "",
        "null",
        "[]",
        r#"["ping"]"#,
        "1",
        "\u{feff}{}",
        "{} {}",
        r#"{"type":"ping"} x"#,
        r#"{"type":NaN}"#,
        r#"{"id":"a"}"#,
    ] {
        assert_eq!(refused(text).code, Code::BadFrame, "{text:?}");
    }
    let deep = format!(r#"{{"type":"ping","id":{}"#, "[".repeat(60_000));
    assert_eq!(refused(&deep).code, Code::BadFrame);
    let doubled = format!(r#"{{"type":"hello","cursors":{{"{ROOM}":1,"{ROOM}":2}}}}"#);
    assert_eq!(refused(&doubled).field, Some("cursors"));
}

#[test]
fn ids_come_back_even_when_the_rest_is_wrong() {
    let text = format!(r#"{{"type":"send","id":"7","client_id":"{CLIENT}"}}"#);
    let bad = decode(text.as_bytes(), &Limits::default()).expect_err("no room");
    assert_eq!(bad.id.as_deref(), Some("7"));
    assert!(bad.client_id.is_some());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode(&bytes, &Limits::default());
    }

    #[test]
    fn a_body_is_kept_byte_for_byte(body in "\\PC{1,200}") {
        let text = serde_json::json!({"type":"send","room":ROOM,"client_id":CLIENT,"body":body}).to_string();
        let Ok(ClientFrame::Send(frame)) = decode(text.as_bytes(), &Limits::default()) else {
            return Err(TestCaseError::fail("not read"));
        };
        prop_assert_eq!(frame.body, body);
    }
}
