//! WebSocket frames on a raw socket: the few bytes of RFC 6455 that a receiver of thousands of sockets needs.

/// A text frame.
pub(super) const TEXT: u8 = 0x1;
/// The end of a connection.
pub(super) const CLOSE: u8 = 0x8;
/// A question for a sign of life.
pub(super) const PING: u8 = 0x9;
/// The answer to it.
pub(super) const PONG: u8 = 0xA;

/// Any key will do: masking protects proxies from scripts, and there is neither here. Not zero, so that the server
/// really has to unmask.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
/// More than any frame of a bench; a larger declared length is nonsense on the wire.
const LONGEST: u64 = 16 * 1024 * 1024;

/// A whole frame at the start of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) opcode: u8,
    pub(super) payload: &'a [u8],
    /// How many bytes the frame took, header included.
    pub(super) taken: usize,
}

/// The frame at the start of `bytes`; `None` when it is not complete yet.
pub(super) fn first(bytes: &[u8]) -> Result<Option<Frame<'_>>, &'static str> {
    let [start, length, ..] = *bytes else { return Ok(None) };
    if start & 0x80 == 0 || start & 0x0f == 0 {
        return Err("a fragmented message");
    }
    if start & 0x70 != 0 || length & 0x80 != 0 {
        return Err("reserved bits or a masked frame from a server");
    }
    let (header, length) = match length {
        126 => match bytes.get(2..4) {
            Some(extended) => (4, extended.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))),
            None => return Ok(None),
        },
        127 => match bytes.get(2..10) {
            Some(extended) => (10, extended.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))),
            None => return Ok(None),
        },
        short => (2, u64::from(short)),
    };
    if length > LONGEST {
        return Err("a frame that is too long");
    }
    let taken = header + length as usize;
    Ok(bytes.get(header..taken).map(|payload| Frame { opcode: start & 0x0f, payload, taken }))
}

/// Appends the header of an unfragmented frame. `mask` is 0x80 for a client.
fn header(opcode: u8, length: usize, mask: u8, out: &mut Vec<u8>) {
    out.push(0x80 | opcode);
    if length < 126 {
        out.push(mask | length as u8);
    } else if let Ok(length) = u16::try_from(length) {
        out.push(mask | 126);
        out.extend_from_slice(&length.to_be_bytes());
    } else {
        out.push(mask | 127);
        out.extend_from_slice(&(length as u64).to_be_bytes());
    }
}

/// Appends a frame as a client sends it.
pub(super) fn from_client(opcode: u8, payload: &[u8], out: &mut Vec<u8>) {
    header(opcode, payload.len(), 0x80, out);
    out.extend_from_slice(&MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// Appends a frame as a server sends it.
pub(super) fn from_server(opcode: u8, payload: &[u8], out: &mut Vec<u8>) {
    header(opcode, payload.len(), 0, out);
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_comes_back_and_no_prefix_is_a_frame() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
            let payload = vec![b'x'; length];
            let mut bytes = Vec::new();
            from_server(TEXT, &payload, &mut bytes);
            for cut in [0, 1, 2, 3, 9, bytes.len() - 1] {
                assert_eq!(first(&bytes[..cut.min(bytes.len() - 1)]), Ok(None), "{length} cut at {cut}");
            }
            let whole = bytes.len();
            bytes.extend_from_slice(b"more");
            assert_eq!(first(&bytes), Ok(Some(Frame { opcode: TEXT, payload: &payload, taken: whole })));
        }
    }

    #[test]
    fn nonsense_is_an_error_and_not_a_wait() {
        assert!(first(&[0x01, 5]).is_err(), "a first fragment");
        assert!(first(&[0x80, 5]).is_err(), "a continuation");
        assert!(first(&[0x81, 0x85]).is_err(), "masked by a server");
        assert!(first(&[0xc1, 5]).is_err(), "compressed");
        assert!(first(&[0x81, 127, 0, 0, 1, 0, 0, 0, 0, 0]).is_err(), "2^40 bytes");
    }

    #[test]
    fn a_client_masks() {
        let mut bytes = Vec::new();
        from_client(PING, b"hello", &mut bytes);
        assert_eq!(bytes[..6], [0x89, 0x85, 0x37, 0xfa, 0x21, 0x3d]);
        let unmasked: Vec<u8> = bytes[6..].iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        assert_eq!(unmasked, b"hello");
    }
}
