//! Judges the declared length of each frame at its header, before the codec buffers a single byte of it.
//!
//! actix-http's parser waits until a whole frame is there and only then looks at its limit, so that one client could make
//! the server hold whatever it declares.

/// Where in a frame the stream of bytes is.
#[derive(Default)]
pub(super) struct Guard {
    header: [u8; 14],
    read: u8,
    skip: u64,
}

/// A frame declares more than it may.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooBig;

impl Guard {
    /// Looks at bytes that came from the client, in whatever pieces.
    ///
    /// # Errors
    /// A frame declares more than `most` bytes. Everything else that may be wrong is left to the codec.
    pub(super) fn look(&mut self, mut bytes: &[u8], most: u64) -> Result<(), TooBig> {
        while let Some((first, rest)) = bytes.split_first() {
            if self.skip > 0 {
                let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
                self.skip -= skipped as u64;
                bytes = &bytes[skipped..];
                continue;
            }
            self.header[usize::from(self.read)] = *first;
            self.read += 1;
            bytes = rest;
            if let Some((length, whole)) = self.declared() {
                if length > most {
                    return Err(TooBig);
                }
                if self.read == whole {
                    (self.skip, self.read) = (length, 0);
                }
            }
        }
        Ok(())
    }

    /// The declared length, once its bytes are there, and how long the header is.
    fn declared(&self) -> Option<(u64, u8)> {
        if self.read < 2 {
            return None;
        }
        let mask = if self.header[1] & 0x80 == 0 { 0 } else { 4 };
        let (length, extended) = match self.header[1] & 0x7F {
            126 => (u64::from(u16::from_be_bytes([self.header[2], self.header[3]])), 2),
            127 => {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(&self.header[2..10]);
                (u64::from_be_bytes(bytes), 8)
            }
            short => (u64::from(short), 0),
        };
        (self.read >= 2 + extended).then_some((length, 2 + extended + mask))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(length: u64, masked: bool) -> Vec<u8> {
        let mask = if masked { 0x80 } else { 0 };
        let mut bytes = vec![0x81];
        match length {
            0..126 => bytes.push(mask | u8::try_from(length).unwrap()),
            126..65_536 => {
                bytes.push(mask | 126);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            _ => {
                bytes.push(mask | 127);
                bytes.extend(length.to_be_bytes());
            }
        }
        if masked {
            bytes.extend([1, 2, 3, 4]);
        }
        bytes
    }

    proptest! {
        /// However the bytes are cut, frames within the limit pass and the first beyond it does not.
        #[test]
        fn the_cuts_make_no_difference(lengths in proptest::collection::vec((0_u64..70_000, any::<bool>()), 1..5), cut in 1_usize..500) {
            let mut bytes = Vec::new();
            for (length, masked) in &lengths {
                bytes.extend(frame(*length, *masked));
                bytes.extend(vec![0xFF; usize::try_from(*length).unwrap()]);
            }
            let mut guard = Guard::default();
            let passes = bytes.chunks(cut).all(|piece| guard.look(piece, 65_536).is_ok());
            prop_assert_eq!(passes, lengths.iter().all(|(length, _)| *length <= 65_536));
        }
    }

    #[test]
    fn a_terabyte_is_refused_at_its_header() {
        assert_eq!(Guard::default().look(&frame(1 << 40, true)[..10], 65_536), Err(TooBig));
        assert_eq!(Guard::default().look(&[0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0], 65_536), Err(TooBig));
    }
}
