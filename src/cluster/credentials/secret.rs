//! The cluster's secret: `name.key`, the name in the clear so that nodes of two clusters can be told apart.

use std::{fmt, str::FromStr};

use aws_lc_rs::{
    hkdf::{HKDF_SHA256, KeyType, Salt},
    rand::{SecureRandom, SystemRandom},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::cluster::identity::is_label;

/// Bytes of the key.
const BYTES: usize = 32;

/// The secret of a cluster. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    cluster: String,
    key: [u8; BYTES],
}

/// A text that is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// Not of the form.
    #[error("must be what `rookery cluster init` wrote: the cluster's name, a dot, and 43 letters")]
    Form,
    /// The system gave no random bytes.
    #[error("the system has no random numbers")]
    NoRandom,
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

impl Secret {
    /// A new one.
    ///
    /// # Errors
    /// The name is none, or the system has no random numbers.
    pub fn generate(cluster: &str) -> Result<Self, BadSecret> {
        if !is_label(cluster) {
            return Err(BadSecret::Form);
        }
        Ok(Self { cluster: cluster.to_owned(), key: random()? })
    }

    /// The name of the cluster.
    #[must_use]
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The text that is kept in a file.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{}.{}", self.cluster, URL_SAFE_NO_PAD.encode(self.key))
    }

    /// A key for one purpose: who knows it knows nothing of the others.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; BYTES] {
        derive(&self.key, &[purpose.as_bytes(), self.cluster.as_bytes()])
    }
}

impl FromStr for Secret {
    type Err = BadSecret;

    fn from_str(text: &str) -> Result<Self, BadSecret> {
        let (cluster, key) = text.trim().split_once('.').ok_or(BadSecret::Form)?;
        let key = URL_SAFE_NO_PAD.decode(key).ok().and_then(|key| key.try_into().ok()).ok_or(BadSecret::Form)?;
        if !is_label(cluster) {
            return Err(BadSecret::Form);
        }
        Ok(Self { cluster: cluster.to_owned(), key })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

/// HKDF-SHA-256. The only failure is a length beyond 8,160 bytes.
pub(in crate::cluster) fn derive(key: &[u8], info: &[&[u8]]) -> [u8; BYTES] {
    let mut out = [0; BYTES];
    let extracted = Salt::new(HKDF_SHA256, b"rookery cluster v1").extract(key);
    if let Ok(expanded) = extracted.expand(info, Length(BYTES)) {
        // A buffer of just the length that was asked for is filled.
        let _ = expanded.fill(&mut out);
    }
    out
}

/// Random bytes for keys, salts and tokens.
///
/// # Errors
/// The system has none.
pub(in crate::cluster) fn random<const N: usize>() -> Result<[u8; N], BadSecret> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| BadSecret::NoRandom)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_revealed_is_read_again_and_debug_reveals_nothing() {
        let secret = Secret::generate("birds").unwrap();
        let text = secret.reveal();
        assert_eq!(text.parse::<Secret>().unwrap(), secret);
        assert_eq!(format!("{text}\n").parse::<Secret>().unwrap(), secret);
        let key = text.split_once('.').unwrap().1;
        assert_eq!(key.len(), 43);
        assert!(!format!("{secret:?}").contains(key));
    }

    #[test]
    fn keys_differ_by_purpose_by_cluster_and_by_secret() {
        let secret = Secret::generate("birds").unwrap();
        let key = secret.reveal().split_once('.').unwrap().1.to_owned();
        let renamed: Secret = format!("bees.{key}").parse().unwrap();
        let keys = [
            secret.derive("a"),
            secret.derive("b"),
            renamed.derive("a"),
            Secret::generate("birds").unwrap().derive("a"),
        ];
        for (n, key) in keys.iter().enumerate() {
            assert_ne!(*key, [0; 32]);
            assert!(keys[n + 1..].iter().all(|other| other != key));
        }
        assert_eq!(secret.derive("a"), keys[0]);
    }

    #[test]
    fn another_text_is_no_secret() {
        for text in ["", "birds", "birds.", "birds.AAAA", ".AAAA", "Bi rds.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
        {
            assert_eq!(text.parse::<Secret>(), Err(BadSecret::Form), "{text:?}");
        }
    }
}
