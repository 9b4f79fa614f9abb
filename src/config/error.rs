//! What is wrong with a configuration, in one sentence that names the key and where it stands.

use super::values::Origin;

/// The exit code of a process that cannot start because of its configuration (`EX_CONFIG`).
pub const EXIT_CODE: u8 = 78;

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no such setting.
    #[error("unknown setting `{key}` ({origin}){}", nearest.as_ref().map_or(String::new(), |near| format!("; did you mean `{near}`?")))]
    Unknown {
        /// As it was written.
        key: String,
        /// Where.
        origin: Origin,
        /// The known one that looks most like it.
        nearest: Option<String>,
    },
    /// The value does not fit.
    #[error("setting `{key}` ({origin}): {reason}")]
    Value {
        /// Which.
        key: String,
        /// Where.
        origin: Origin,
        /// Why not.
        reason: String,
    },
    /// The value does not fit what it is for.
    #[error("setting `{key}`: {reason}")]
    Unfit {
        /// Which.
        key: String,
        /// Why not.
        reason: String,
    },
    /// A file cannot be read.
    #[error("{path}: {reason}")]
    File {
        /// Which.
        path: String,
        /// Why.
        reason: String,
    },
    /// `--set` without a `=`.
    #[error("--set {0}: write it as section.key=value")]
    Set(String),
    /// It cannot be changed while the server runs.
    #[error("setting `{0}` cannot be changed while the server runs")]
    Fixed(String),
}

impl ConfigError {
    /// The setting at fault, if there is one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Unknown { key, .. } | Self::Value { key, .. } | Self::Unfit { key, .. } | Self::Fixed(key) => {
                Some(key)
            }
            Self::File { .. } | Self::Set(_) => None,
        }
    }
}
