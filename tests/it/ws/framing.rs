//! Section B of the security cases: frames that no library would send.

use std::time::Duration;

use serde_json::json;

use crate::support::person::Person;
use crate::support::process::{Server, Setup};
use crate::support::raw::{BINARY, CLOSE, CONTINUATION, Frame, PING, PONG, Raw, TEXT};
use crate::support::within;

const HELLO: &str = r#"{"type":"hello","cursors":{}}"#;
const PING_FRAME: &str = r#"{"type":"ping"}"#;

async fn room_to_test() -> (Server, Person) {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    (server, anna)
}

/// Sends the bytes on a connection of their own and returns the close code.
async fn closed_by(server: &Server, person: &Person, bytes: &[u8]) -> Option<u16> {
    let mut raw = Raw::online(server, person).await;
    raw.try_write(bytes).await;
    raw.close_code().await
}

#[tokio::test]
async fn frames_that_break_the_protocol_close_with_1002() {
    // 15 to 20
    let (server, anna) = room_to_test().await;
    let mut broken: Vec<(String, Vec<Frame>)> = vec![
        ("unmasked".to_owned(), vec![Frame { masked: false, ..Frame::text(PING_FRAME) }]),
        ("a long ping".to_owned(), vec![Frame::new(PING, [b'x'; 126])]),
        ("a long close".to_owned(), vec![Frame::new(CLOSE, [b'x'; 126])]),
        ("a fragmented ping".to_owned(), vec![Frame::new(PING, "x").unfinished()]),
        ("a fragmented close".to_owned(), vec![Frame::new(CLOSE, "").unfinished()]),
        ("continuation of nothing".to_owned(), vec![Frame::new(CONTINUATION, "x")]),
        ("text inside a text".to_owned(), vec![Frame::text("{").unfinished(), Frame::text("}")]),
    ];
    for reserved in [1, 2, 4, 7] {
        broken.push((format!("reserved bits {reserved}"), vec![Frame { reserved, ..Frame::text(PING_FRAME) }]));
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        broken.push((format!("opcode {opcode}"), vec![Frame::new(opcode, "x")]));
    }
    for (what, frames) in broken {
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
        assert_eq!(closed_by(&server, &anna, &bytes).await, Some(1002), "{what}");
    }
}

#[tokio::test]
async fn a_declared_length_beyond_the_limit_is_refused_at_the_header() {
    // 21, 22
    let (server, anna) = room_to_test().await;
    let mut raw = Raw::online(&server, &anna).await;
    let before = server.memory();
    let frame = Frame { announced: Some((8, 1 << 40)), ..Frame::text("x") };
    raw.frame(&frame).await;
    // Goes on sending, as an attacker would; the server may stop taking it at any moment.
    let more = vec![b'x'; 64 * 1024];
    for _ in 0..200 {
        if !raw.try_write(&more).await {
            break;
        }
    }
    assert!(server.memory() < before + 8 * 1024 * 1024, "{} then {}", before, server.memory());
    let frame = Frame { announced: Some((8, 1 << 40)), ..Frame::text("x") };
    assert_eq!(closed_by(&server, &anna, &frame.bytes()).await, Some(1009));
    for length in [65_537, 1 << 63, u64::MAX] {
        let frame = Frame { announced: Some((8, length)), ..Frame::text("x") };
        let code = closed_by(&server, &anna, &frame.bytes()).await;
        assert!([Some(1009), Some(1002)].contains(&code), "{length}: {code:?}");
    }
}

#[tokio::test]
async fn a_length_that_is_not_minimal_is_treated_as_every_other() {
    // 23: pinned: taken, as actix-http's codec does, or 1002, as the RFC says; never anything else.
    let (server, anna) = room_to_test().await;
    let mut raw = Raw::online(&server, &anna).await;
    let length = PING_FRAME.len() as u64;
    raw.frame(&Frame { announced: Some((2, length)), ..Frame::text(PING_FRAME) }).await;
    let received = raw.receive().await.expect("an answer");
    let taken = received.opcode == TEXT && received.payload.starts_with(b"{\"type\":\"pong\"");
    let refused = received.opcode == CLOSE && received.payload.starts_with(&1002_u16.to_be_bytes());
    assert!(taken || refused, "{received:?}");
}

#[tokio::test]
async fn a_message_over_the_limit_in_small_fragments_is_too_big() {
    // 24
    let (server, anna) = room_to_test().await;
    let mut bytes = Frame::text([b'x'; 64]).unfinished().bytes();
    for _ in 0..1100 {
        bytes.extend(Frame::new(CONTINUATION, [b'x'; 64]).unfinished().bytes());
    }
    assert_eq!(closed_by(&server, &anna, &bytes).await, Some(1009));
}

#[tokio::test]
async fn fragments_within_the_limit_are_one_message() {
    let (server, anna) = room_to_test().await;
    let mut raw = Raw::online(&server, &anna).await;
    let (first, rest) = PING_FRAME.split_at(4);
    let (second, third) = rest.split_at(3);
    raw.frame(&Frame::text(first).unfinished()).await;
    raw.frame(&Frame::new(CONTINUATION, second).unfinished()).await;
    raw.frame(&Frame::new(PING, "between")).await;
    raw.frame(&Frame::new(CONTINUATION, "").unfinished()).await;
    raw.frame(&Frame::new(CONTINUATION, third)).await;
    let (mut ponged, mut answered) = (false, false);
    while !(ponged && answered) {
        let received = raw.receive().await.expect("open");
        ponged |= received.opcode == PONG && received.payload == b"between";
        answered |= received.opcode == TEXT && received.payload.starts_with(b"{\"type\":\"pong\"");
    }
}

#[tokio::test]
async fn a_fragmented_message_that_does_not_end_is_closed() {
    // 25, 26
    let server = Setup::new().set("limits.fragment_seconds", 1).start().await;
    let anna = server.person("anna").await;
    let mut raw = Raw::online(&server, &anna).await;
    raw.frame(&Frame::text("{").unfinished()).await;
    assert_eq!(raw.close_code().await, Some(1008), "the rest never comes");
    let mut raw = Raw::online(&server, &anna).await;
    let before = server.memory();
    let trickle = async {
        raw.frame(&Frame::text("{").unfinished()).await;
        let empty = Frame::new(CONTINUATION, "").unfinished().bytes().repeat(100);
        while raw.try_write(&empty).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let mut bytes = [0; 512];
            if let Ok(count) = raw.stream.try_read(&mut bytes) {
                return bytes[..count].to_vec();
            }
        }
        Vec::new()
    };
    let last = within("the end of endless empty fragments", trickle).await;
    assert!(last.is_empty() || last[2..4] == 1008_u16.to_be_bytes(), "{last:?}");
    assert!(server.memory() < before + 8 * 1024 * 1024);
}

#[tokio::test]
async fn a_frame_that_trickles_in_meets_the_same_deadline() {
    // 26: the bytes of one frame, not only the fragments of one message.
    let server = Setup::new().set("limits.fragment_seconds", 1).start().await;
    let anna = server.person("anna").await;
    let mut raw = Raw::online(&server, &anna).await;
    let bytes = Frame::text([b' '; 4000]).bytes();
    raw.write(&bytes[..100]).await;
    let code = raw.close_code().await;
    assert_eq!(code, Some(1008));
}

#[tokio::test]
async fn text_that_is_not_utf8_closes_with_1007() {
    // 27
    let (server, anna) = room_to_test().await;
    let bad: [&[u8]; 6] =
        [b"\xff", b"{\"type\":\"\xc3\x28\"}", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xe2\x82"];
    for bytes in bad {
        let code = closed_by(&server, &anna, &Frame::text(bytes).bytes()).await;
        assert_eq!(code, Some(1007), "{bytes:x?}");
    }
    let mut raw = Raw::online(&server, &anna).await;
    // A code point may be cut by a fragment's border.
    let text = r#"{"type":"ping","id":"ü"}"#.as_bytes();
    let middle = text.iter().position(|byte| *byte == 0xc3).unwrap() + 1;
    raw.frame(&Frame::text(&text[..middle]).unfinished()).await;
    raw.frame(&Frame::new(CONTINUATION, &text[middle..])).await;
    assert!(raw.text().await.contains("ü"));
}

#[tokio::test]
async fn a_close_is_answered_when_it_is_right_and_refused_when_it_is_not() {
    // 28, 29
    let (server, anna) = room_to_test().await;
    for code in [1000_u16, 1001, 3000, 4999] {
        let mut raw = Raw::online(&server, &anna).await;
        raw.frame(&Frame::new(CLOSE, code.to_be_bytes())).await;
        raw.try_write(&Frame::text("after the close").bytes()).await;
        let answer = raw.close_code().await;
        assert!([Some(code), Some(1000), None].contains(&answer), "{code}: {answer:?}");
    }
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
        let answer = closed_by(&server, &anna, &Frame::new(CLOSE, code.to_be_bytes()).bytes()).await;
        assert_eq!(answer, Some(1002), "close with {code}");
    }
    assert_eq!(closed_by(&server, &anna, &Frame::new(CLOSE, [3]).bytes()).await, Some(1002), "one byte");
    let reason = [&1000_u16.to_be_bytes()[..], b"\xff\xfe"].concat();
    let answer = closed_by(&server, &anna, &Frame::new(CLOSE, reason).bytes()).await;
    assert!([Some(1007), Some(1002)].contains(&answer), "{answer:?}");
}

#[tokio::test]
async fn a_client_that_does_not_answer_the_close_is_dropped() {
    // 30
    let (server, anna) = room_to_test().await;
    let mut raw = Raw::online(&server, &anna).await;
    raw.frame(&Frame::new(CONTINUATION, "x")).await;
    let start = std::time::Instant::now();
    while raw.receive().await.is_some() {}
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
}

#[tokio::test]
async fn binary_is_refused_with_1003() {
    // 34
    let (server, anna) = room_to_test().await;
    assert_eq!(closed_by(&server, &anna, &Frame::new(BINARY, PING_FRAME).bytes()).await, Some(1003));
    assert_eq!(closed_by(&server, &anna, &Frame::new(BINARY, "").bytes()).await, Some(1003));
}

#[tokio::test]
async fn a_good_frame_before_a_broken_one_in_one_segment_counts() {
    // 35: frames are taken one by one; a retry of the good one is the same event.
    let (server, anna) = room_to_test().await;
    let room = anna.group("tea", &[]).await;
    for round in 0..5 {
        let id = crate::support::client_id();
        let send = json!({"type": "send", "room": room, "client_id": id, "body": format!("round {round}")});
        let mut bytes = Frame::text(send.to_string()).bytes();
        bytes.extend(Frame::new(3, "broken").bytes());
        assert_eq!(closed_by(&server, &anna, &bytes).await, Some(1002));
        let mut socket = anna.online().await;
        let again = socket.ask(send).await;
        assert_eq!(again["type"], "ack", "{again}");
    }
    let bodies = anna.bodies(&room).await;
    assert_eq!(bodies, (0..5).map(|round| format!("round {round}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_send_whose_connection_breaks_is_one_event_when_it_is_sent_again() {
    // 36
    let (server, anna) = room_to_test().await;
    let room = anna.group("tea", &[]).await;
    for (index, way) in ["half-close", "drop", "inside the next frame"].into_iter().enumerate() {
        let id = crate::support::client_id();
        let send = json!({"type": "send", "room": room, "client_id": id, "body": way});
        let mut raw = Raw::online(&server, &anna).await;
        raw.frame(&Frame::text(send.to_string())).await;
        match way {
            "half-close" => {
                tokio::io::AsyncWriteExt::shutdown(&mut raw.stream).await.unwrap();
                while raw.receive().await.is_some() {}
            }
            "drop" => drop(raw),
            _ => {
                raw.write(&Frame::text(HELLO).bytes()[..5]).await;
                raw.stream.set_zero_linger().unwrap();
                drop(raw);
            }
        }
        let mut socket = anna.online().await;
        let first = socket.ask(send.clone()).await;
        let second = socket.ask(send).await;
        assert_eq!(first["seq"], second["seq"], "{way}");
        assert_eq!(second["repeat"], true, "{way}");
        assert_eq!(anna.bodies(&room).await.len(), index + 1, "{way}");
    }
}

#[tokio::test]
async fn frames_are_understood_however_the_bytes_are_cut() {
    let (server, anna) = room_to_test().await;
    let mut raw = Raw::open(&server, &anna).await;
    for byte in Frame::text(HELLO).bytes() {
        raw.write(&[byte]).await;
    }
    assert!(raw.text().await.contains("welcome"));
    let mut bytes = Frame::text(r#"{"type":"ping","id":"a"}"#).bytes();
    bytes.extend(Frame::new(PING, "p").bytes());
    bytes.extend(Frame::text(r#"{"type":"ping","id":"b"}"#).bytes());
    for byte in bytes {
        raw.write(&[byte]).await;
    }
    assert!(raw.text().await.contains("\"a\""));
    assert!(raw.text().await.contains("\"b\""));
}
