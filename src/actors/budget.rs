//! How much each user may write, over all their connections and requests on this node.

use dashmap::DashMap;
use rookery_core::{
    ids::UserId,
    limits::Limits,
    rate::{Bucket, Rate},
    time::Millis,
};

/// Users whose budget is kept at the most; those with a full one are forgotten first.
const KEPT: usize = 100_000;

/// A bucket per user who wrote lately.
#[derive(Default)]
pub struct Budget {
    buckets: DashMap<UserId, Bucket>,
}

impl Budget {
    /// Takes one write.
    ///
    /// # Errors
    /// Milliseconds until there is one again.
    pub fn take(&self, user: UserId, limits: &Limits, now: Millis) -> Result<(), u64> {
        let rate = Rate::per_second(limits.sends_per_second, limits.send_burst);
        self.buckets.entry(user).or_insert_with(|| Bucket::full(rate, now)).take(rate, now)
    }

    /// Forgets the users whose budget is full again: forgetting changes nothing for them.
    pub fn sweep(&self, limits: &Limits, now: Millis) {
        let rate = Rate::per_second(limits.sends_per_second, limits.send_burst);
        self.buckets.retain(|_, bucket| !bucket.is_full(rate, now));
        if self.buckets.len() > KEPT {
            self.buckets.shrink_to_fit();
        }
    }
}
