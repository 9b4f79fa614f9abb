//! Links to one file: for a few minutes, for one login, good on every node and kept on none.

use aws_lc_rs::{constant_time, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rookery_core::{
    ids::{DeviceId, MediaId},
    time::Millis,
};
use uuid::Uuid;

/// How long a link lasts.
pub const LIFETIME_MS: i64 = 300_000;
/// What a link's ticket begins with.
const PREFIX: &str = "rl_";
const ID: usize = 16;
const TIME: usize = 8;
const SEAL: usize = 32;

/// A ticket for one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The login that it is bound to.
    pub device: DeviceId,
    /// When it ends.
    pub expires_at: Millis,
    seal: [u8; SEAL],
}

/// Only who knows the digest of the login's token can seal for it, and that never leaves the servers.
fn seal(login: &[u8; 32], media: MediaId, device: DeviceId, expires_at: Millis) -> [u8; SEAL] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, login);
    let mut context = hmac::Context::with_key(&key);
    context.update(b"rookery media link");
    context.update(media.0.as_bytes());
    context.update(device.0.as_bytes());
    context.update(&expires_at.0.to_be_bytes());
    let mut seal = [0; SEAL];
    seal.copy_from_slice(context.sign().as_ref());
    seal
}

impl Link {
    /// A link for this login to this file.
    #[must_use]
    pub fn new(login: &[u8; 32], media: MediaId, device: DeviceId, now: Millis) -> Self {
        let expires_at = now.plus(LIFETIME_MS);
        Self { device, expires_at, seal: seal(login, media, device, expires_at) }
    }

    /// As it stands in an address.
    #[must_use]
    pub fn text(&self) -> String {
        let mut bytes = self.device.0.as_bytes().to_vec();
        bytes.extend_from_slice(&self.expires_at.0.to_be_bytes());
        bytes.extend_from_slice(&self.seal);
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads what stands in an address; `None`: it cannot be one of ours.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let (device, rest) = bytes.split_first_chunk::<ID>()?;
        let (expires_at, rest) = rest.split_first_chunk::<TIME>()?;
        let seal = rest.try_into().ok()?;
        let expires_at = Millis(i64::from_be_bytes(*expires_at));
        Some(Self { device: DeviceId(Uuid::from_bytes(*device)), expires_at, seal })
    }

    /// Whether it was sealed for this login and this file, and has not ended.
    #[must_use]
    pub fn is_good(&self, login: &[u8; 32], media: MediaId, now: Millis) -> bool {
        let right = seal(login, media, self.device, self.expires_at);
        constant_time::verify_slices_are_equal(&right, &self.seal).is_ok() && now < self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOGIN: [u8; 32] = [7; 32];

    fn link(now: i64) -> Link {
        Link::new(&LOGIN, MediaId(Uuid::from_u128(1)), DeviceId(Uuid::from_u128(2)), Millis(now))
    }

    #[test]
    fn a_link_is_good_for_its_login_its_file_and_its_time() {
        let media = MediaId(Uuid::from_u128(1));
        let read = Link::read(&link(0).text()).unwrap();
        assert_eq!(read, link(0));
        assert!(read.is_good(&LOGIN, media, Millis(LIFETIME_MS - 1)));
        assert!(!read.is_good(&LOGIN, media, Millis(LIFETIME_MS)), "ended");
        assert!(!read.is_good(&[8; 32], media, Millis(1)), "another login");
        assert!(!read.is_good(&LOGIN, MediaId(Uuid::from_u128(3)), Millis(1)), "another file");
    }

    proptest! {
        #[test]
        fn a_link_that_was_changed_anywhere_is_not_good(at in 0..75_usize, by in 1..64_u8) {
            const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let mut text = link(0).text().into_bytes();
            let place = PREFIX.len() + at.min(text.len() - PREFIX.len() - 2);
            let letter = LETTERS.iter().position(|letter| *letter == text[place]).unwrap();
            text[place] = LETTERS[(letter + usize::from(by)) % 64];
            let read = Link::read(std::str::from_utf8(&text).unwrap());
            prop_assert!(read.is_none_or(|read| !read.is_good(&LOGIN, MediaId(Uuid::from_u128(1)), Millis(1))));
        }

        #[test]
        fn anything_else_is_none_of_ours(text in "(rl_)?[A-Za-z0-9_-]{0,100}") {
            let read = Link::read(&text);
            prop_assert!(read.is_none_or(|read| !read.is_good(&LOGIN, MediaId(Uuid::from_u128(1)), Millis(1))));
        }
    }
}
