//! What a change of members costs, counted.

/// Counts of one scenario.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Compare-and-sets of any kind.
    pub(crate) swaps: u64,
    /// Compare-and-sets that somebody else was faster with.
    pub(crate) lost_races: u64,
    /// Claims that were decided.
    pub(crate) claims: u64,
    /// Claims from a holder that was alive and had not given the shard back: it finds out at its next commit.
    pub(crate) fenced_alive: u64,
    /// Shards that were given back.
    pub(crate) handed_over: u64,
    /// Times that somebody asked a holder.
    pub(crate) asked: u64,
    /// Milliseconds that shards had no owner that could do anything, by claim.
    pub(crate) without_owner: Vec<u64>,
}

impl Tally {
    /// The time below which so many of a hundred lie.
    pub(crate) fn percentile(&self, percent: usize) -> u64 {
        let mut times = self.without_owner.clone();
        times.sort_unstable();
        let last = times.len().saturating_sub(1);
        times.get(last * percent / 100).copied().unwrap_or_default()
    }
}
