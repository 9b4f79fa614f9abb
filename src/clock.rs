//! The wall clock, for people's eyes and for deadlines; no order depends on it.

use std::time::{SystemTime, UNIX_EPOCH};

use rookery_core::time::Millis;

/// Now.
#[must_use]
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
