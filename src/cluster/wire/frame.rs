//! What travels between relays: batches of envelopes, and beats that say "alive" and give credit back.
//!
//! `kind, token, rest`. The token was told by the receiver when the connection began, over TLS: it stands for the link and
//! for this incarnation of it, so that nobody can speak for another node and nothing of a dead link is taken.

use super::LARGEST;

/// Which link, and which incarnation of it. Chosen at random by the receiving end of each direction.
pub type Token = [u8; 16];

/// Bytes of one frame at most; more is refused before it is read.
pub const LARGEST_FRAME: usize = LARGEST + HEAD + LENGTH;

/// Kind and token.
const HEAD: usize = 17;
/// The length before each envelope.
const LENGTH: usize = 4;

const BATCH: u8 = 1;
const BEAT: u8 = 2;

/// A frame, as it is read.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// Envelopes.
    Batch {
        /// Which link.
        token: Token,
        /// The envelopes.
        envelopes: Envelopes<'a>,
    },
    /// The sender is alive.
    Beat {
        /// Which link.
        token: Token,
        /// Bytes of batches that it has dealt with since the link began.
        dealt: u64,
    },
}

/// The envelopes of a batch, one after the other. Ends at the first that is cut off.
#[derive(Debug, PartialEq, Eq)]
pub struct Envelopes<'a> {
    rest: &'a [u8],
    broken: bool,
}

impl Envelopes<'_> {
    /// Whether the batch ended in the middle of an envelope.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        self.broken
    }
}

impl<'a> Iterator for Envelopes<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let envelope = self.rest.split_first_chunk::<LENGTH>().and_then(|(length, rest)| {
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            rest.split_at_checked(length)
        });
        match envelope {
            Some((envelope, rest)) => {
                self.rest = rest;
                Some(envelope)
            }
            None => {
                self.rest = &[];
                self.broken = true;
                None
            }
        }
    }
}

/// A batch that is being filled.
#[derive(Debug)]
pub struct Batch {
    bytes: Vec<u8>,
    envelopes: usize,
}

impl Batch {
    /// An empty one for a link.
    #[must_use]
    pub fn new(token: Token, capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(capacity + HEAD);
        bytes.push(BATCH);
        bytes.extend_from_slice(&token);
        Self { bytes, envelopes: 0 }
    }

    /// Adds an encoded envelope.
    pub fn push(&mut self, envelope: &[u8]) {
        // An envelope is at most LARGEST bytes; what cannot be said in four bytes is not one.
        if let Ok(length) = u32::try_from(envelope.len()) {
            self.bytes.extend_from_slice(&length.to_le_bytes());
            self.bytes.extend_from_slice(envelope);
            self.envelopes += 1;
        }
    }

    /// Whether another envelope of this length still belongs into a batch that should not be larger than `target`.
    #[must_use]
    pub fn has_room(&self, length: usize, target: usize) -> bool {
        self.envelopes == 0 || self.bytes.len() + LENGTH + length <= target
    }

    /// How many envelopes are in it.
    #[must_use]
    pub const fn envelopes(&self) -> usize {
        self.envelopes
    }

    /// Its bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// A beat.
#[must_use]
pub fn beat(token: Token, dealt: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + 8);
    bytes.push(BEAT);
    bytes.extend_from_slice(&token);
    bytes.extend_from_slice(&dealt.to_le_bytes());
    bytes
}

/// Reads a frame; `None`: it is none.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<Frame<'_>> {
    let (kind, rest) = bytes.split_first()?;
    let (token, rest) = rest.split_first_chunk::<16>()?;
    match *kind {
        BATCH => Some(Frame::Batch { token: *token, envelopes: Envelopes { rest, broken: false } }),
        BEAT => {
            let dealt = <[u8; 8]>::try_from(rest).ok()?;
            Some(Frame::Beat { token: *token, dealt: u64::from_le_bytes(dealt) })
        }
        _ => None,
    }
}
