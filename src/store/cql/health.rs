//! Whether the store answers at all: so that nothing new is sent into a store that is down.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

/// Milliseconds without a single good answer, since the first bad one, after which the store counts as down.
const PATIENCE_MS: u64 = 200;
/// Between two tries of the same thing: while others succeed, and while nothing does.
const PAUSE: Duration = Duration::from_millis(20);
const PAUSE_WHEN_DOWN: Duration = Duration::from_millis(250);

/// What answers have said lately.
pub(super) struct Health {
    begun: Instant,
    /// Milliseconds from `begun` to the first bad answer that no good one has followed; 0 for none.
    failing_since: AtomicU64,
    /// Told when answers begin to fail.
    pub(super) failing: Notify,
}

impl Default for Health {
    fn default() -> Self {
        Self { begun: Instant::now(), failing_since: AtomicU64::new(0), failing: Notify::new() }
    }
}

impl Health {
    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }

    pub(super) fn succeeded(&self) {
        if self.failing_since.load(Ordering::Relaxed) != 0 {
            self.failing_since.store(0, Ordering::Relaxed);
        }
    }

    pub(super) fn failed(&self) {
        let first = self.failing_since.compare_exchange(0, self.now(), Ordering::Relaxed, Ordering::Relaxed);
        if first.is_ok() {
            self.failing.notify_one();
        }
    }

    /// Whether the last answer was a bad one.
    pub(super) fn is_failing(&self) -> bool {
        self.failing_since.load(Ordering::Relaxed) != 0
    }

    /// Whether nothing new should be sent.
    pub(super) fn is_down(&self) -> bool {
        match self.failing_since.load(Ordering::Relaxed) {
            0 => false,
            since => self.now().saturating_sub(since) >= PATIENCE_MS,
        }
    }

    /// How long to wait before the same thing is tried again.
    pub(super) fn pause(&self) -> Duration {
        if self.is_down() { PAUSE_WHEN_DOWN } else { PAUSE }
    }
}
