//! Questions to other nodes that somebody waits for.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use dashmap::DashMap;

use crate::cluster::wire::call::Told;

/// How long an answer is waited for; whoever asked has a deadline of their own.
pub(super) const DEADLINE: Duration = Duration::from_secs(5);
/// Questions that may be open; one more is not asked.
const OPEN: usize = 65_536;

/// What is done with an answer.
type OnTold = Box<dyn FnOnce(Told) + Send + Sync>;

/// The open questions.
#[derive(Default)]
pub(super) struct Calls {
    numbers: AtomicU64,
    open: DashMap<u64, (Instant, OnTold)>,
}

impl Calls {
    /// A number for a question; `None` when too many are open. When no answer comes `on_told` is dropped, and with it
    /// whatever somebody waits on.
    pub(super) fn open(&self, on_told: impl FnOnce(Told) + Send + Sync + 'static) -> Option<u64> {
        if self.open.len() >= OPEN {
            return None;
        }
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        self.open.insert(number, (Instant::now() + DEADLINE, Box::new(on_told)));
        Some(number)
    }

    /// The answer to a question.
    pub(super) fn told(&self, number: u64, told: Told) {
        if let Some((_, (_, on_told))) = self.open.remove(&number) {
            on_told(told);
        }
    }

    /// A question that was not sent after all.
    pub(super) fn drop(&self, number: u64) {
        self.open.remove(&number);
    }

    /// Gives up on what nobody has answered in time.
    pub(super) fn sweep(&self) {
        let now = Instant::now();
        self.open.retain(|_, (until, _)| *until > now);
    }
}
