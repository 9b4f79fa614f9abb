//! Opaque tokens: what a client holds, and what the store keeps of it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// What every token of this server begins with, so that scanners for lost secrets recognise it.
const PREFIX: &str = "rk_";
/// Characters after the prefix: 32 bytes in base64url.
const LENGTH: usize = 43;

/// A new token: given to the client once, and kept as its digest only.
pub struct Token {
    /// What the client gets.
    pub text: String,
    /// What the store keeps.
    pub digest: [u8; 32],
}

impl Token {
    /// 32 bytes from the operating system's generator.
    #[must_use]
    pub fn random() -> Self {
        let bytes: [u8; 32] = rand::random();
        let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        let digest = digest(&text);
        Self { text, digest }
    }

    /// The digest of what a client presents; `None`: it cannot be one of ours.
    #[must_use]
    pub fn digest_of(text: &str) -> Option<[u8; 32]> {
        let rest = text.strip_prefix(PREFIX)?;
        let fits = rest.len() == LENGTH && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        fits.then(|| digest(text))
    }
}

/// SHA-256. Enough for a secret of 256 random bits: there is nothing to guess.
pub(super) fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_is_recognised_and_no_two_are_alike() {
        let (one, other) = (Token::random(), Token::random());
        assert_ne!(one.text, other.text);
        assert_eq!(Token::digest_of(&one.text), Some(one.digest));
        assert_ne!(one.digest, other.digest);
        assert_eq!(one.text.len(), PREFIX.len() + LENGTH);
    }

    proptest! {
        #[test]
        fn anything_else_is_none_of_ours(text in "\\PC{0,60}") {
            prop_assert!(text.starts_with(PREFIX) || Token::digest_of(&text).is_none());
        }
    }

    #[test]
    fn a_cut_or_lengthened_token_is_none_of_ours() {
        let token = Token::random().text;
        assert_eq!(Token::digest_of(&token[..token.len() - 1]), None);
        assert_eq!(Token::digest_of(&format!("{token}A")), None);
        assert_eq!(Token::digest_of(&token.replacen("rk_", "rk-", 1)), None);
    }
}
