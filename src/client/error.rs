//! What can go wrong between a client and a server.

use std::time::Duration;

/// Why a request has no good answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// The server answered with a problem.
    #[error("{detail} ({code})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The stable word of the problem.
        code: String,
        /// The problem in a sentence.
        detail: String,
        /// How long to wait before the next attempt, when the server said so.
        retry_after: Option<Duration>,
    },
    /// No answer came.
    #[error("the server cannot be reached: {}", innermost(.0))]
    Unreachable(#[source] reqwest::Error),
    /// The answer is not what the contract says.
    #[error("the server's answer cannot be read: {0}")]
    Unreadable(String),
    /// What was asked for cannot be turned into a request.
    #[error("{0}")]
    Unusable(String),
}

impl ClientError {
    /// Whether the server refused with this stable word.
    pub(crate) fn is(&self, wanted: &str) -> bool {
        matches!(self, ClientError::Refused { code, .. } if code == wanted)
    }

    /// Whether the same request may succeed after a while, and after how long.
    pub(crate) fn wait(&self) -> Option<Duration> {
        match self {
            ClientError::Refused { status: 429 | 503, retry_after, .. } => {
                Some(retry_after.unwrap_or(Duration::from_secs(1)))
            }
            _ => None,
        }
    }
}

/// The sentence at the bottom of a chain of errors: "connection refused" says more than "error sending request".
fn innermost(error: &reqwest::Error) -> String {
    let mut current: &dyn std::error::Error = error;
    while let Some(next) = current.source() {
        current = next;
    }
    current.to_string()
}
