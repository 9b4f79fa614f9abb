//! The header of a server's WebSocket frame (RFC 6455 §5.2): never masked, never fragmented.

use bytes::{BufMut, BytesMut};

/// Opcode of a text frame.
pub const TEXT: u8 = 1;
/// Opcode of a close frame.
pub const CLOSE: u8 = 8;
/// Opcode of a ping.
pub const PING: u8 = 9;
/// Opcode of a pong.
pub const PONG: u8 = 10;

/// Appends one whole frame.
pub fn append(out: &mut BytesMut, opcode: u8, payload: &[u8]) {
    out.reserve(payload.len() + 10);
    out.put_u8(0x80 | opcode);
    match payload.len() {
        length @ 0..126 => out.put_u8(u8::try_from(length).unwrap_or(125)),
        length @ 126..65_536 => {
            out.put_u8(126);
            out.put_u16(u16::try_from(length).unwrap_or(u16::MAX));
        }
        length => {
            out.put_u8(127);
            out.put_u64(length as u64);
        }
    }
    out.put_slice(payload);
}

/// Appends a close frame; a reason is cut to the 123 bytes that a control frame has room for.
pub fn append_close(out: &mut BytesMut, code: u16, reason: &str) {
    let mut end = reason.len().min(123);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let mut payload = Vec::with_capacity(2 + end);
    payload.extend_from_slice(&code.to_be_bytes());
    payload.extend_from_slice(&reason.as_bytes()[..end]);
    append(out, CLOSE, &payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_of_the_length() {
        for (length, header) in [(5, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let mut out = BytesMut::new();
            append(&mut out, TEXT, &vec![b'x'; length]);
            assert_eq!(out.len(), header + length);
            assert_eq!(out[0], 0x81);
        }
    }

    #[test]
    fn a_long_close_reason_is_cut_at_a_character() {
        let mut out = BytesMut::new();
        append_close(&mut out, 1000, &"ä".repeat(100));
        assert_eq!(out[1], 124);
    }
}
