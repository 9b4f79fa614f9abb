//! The stable words for what went wrong; the same in frames and in REST problems.

use serde::{Deserialize, Serialize};

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Not a frame of this protocol.
    BadFrame,
    /// A field is missing, unknown or out of range.
    BadRequest,
    /// No valid login.
    Unauthenticated,
    /// The role does not allow it.
    Forbidden,
    /// There is no such thing, or it is not for you to know.
    NotFound,
    /// Not a member of that room.
    NotMember,
    /// It contradicts what is there.
    Conflict,
    /// More bytes than allowed.
    TooLarge,
    /// Too many in too short a time.
    RateLimited,
    /// Too much is under way; nothing was taken.
    Busy,
    /// The store or the room cannot be reached; nothing was taken.
    Unavailable,
    /// The room lives on another node now.
    Moved,
    /// The room is closed for writing.
    Archived,
    /// You may not write in this room for now.
    Muted,
    /// The other one does not want to hear from you.
    Blocked,
    /// It was there and is not any more.
    Gone,
    /// More files than one user may keep.
    Quota,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 17] = [
        Self::BadFrame,
        Self::BadRequest,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::NotMember,
        Self::Conflict,
        Self::TooLarge,
        Self::RateLimited,
        Self::Busy,
        Self::Unavailable,
        Self::Moved,
        Self::Archived,
        Self::Muted,
        Self::Blocked,
        Self::Gone,
        Self::Quota,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadFrame => "bad_frame",
            Self::BadRequest => "bad_request",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::NotMember => "not_member",
            Self::Conflict => "conflict",
            Self::TooLarge => "too_large",
            Self::RateLimited => "rate_limited",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
            Self::Moved => "moved",
            Self::Archived => "archived",
            Self::Muted => "muted",
            Self::Blocked => "blocked",
            Self::Gone => "gone",
            Self::Quota => "quota",
        }
    }

    /// Whether the same request can succeed another time.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            Self::RateLimited | Self::Busy | Self::Unavailable | Self::Muted => Retry::Later,
            Self::Moved => Retry::Same,
            _ => Retry::No,
        }
    }
}

/// Whether to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// It will never work like this.
    No,
    /// At once, unchanged.
    Same,
    /// After a while, unchanged.
    Later,
}

/// A refusal: nothing happened, and nothing will happen by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The stable word.
    pub code: Code,
    /// For people.
    pub detail: String,
    /// The field at fault.
    pub field: Option<&'static str>,
    /// How long to wait, in milliseconds.
    pub retry_after_ms: Option<u64>,
}

impl Refusal {
    /// A refusal with a reason for people.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), field: None, retry_after_ms: None }
    }

    /// A refusal because of one field.
    #[must_use]
    pub fn field(code: Code, field: &'static str, detail: impl Into<String>) -> Self {
        Self { field: Some(field), ..Self::new(code, detail) }
    }

    /// The same, with the time to wait.
    #[must_use]
    pub fn after(mut self, millis: u64) -> Self {
        self.retry_after_ms = Some(millis);
        self
    }
}
