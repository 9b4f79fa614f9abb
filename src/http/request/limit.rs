//! Budgets of requests: per user for those who are logged in, per address for the others.

use std::net::IpAddr;

use rookery_core::{
    frame::{Code, Refusal},
    ids::UserId,
    rate::Rate,
    time::Millis,
};

use crate::{
    auth::{Buckets, network_of},
    config::Config,
};

/// Users and addresses whose budgets are kept.
const KEPT: usize = 100_000;

/// Refusals of one user that the audit log takes: enough to see that somebody tries, too few to fill a disk.
const REFUSALS: Rate = Rate { per_minute: 1, burst: 5 };

/// Budgets of requests.
pub struct Limiter {
    users: Buckets<UserId>,
    addresses: Buckets<IpAddr>,
    refusals: Buckets<UserId>,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { users: Buckets::new(KEPT), addresses: Buckets::new(KEPT), refusals: Buckets::new(KEPT) }
    }
}

impl Limiter {
    /// Takes one request of a user from this node's share of their budget: one of so many.
    ///
    /// # Errors
    /// `rate_limited`, with the time to wait.
    pub fn user(&self, user: UserId, shares: u32, config: &Config, now: Millis) -> Result<(), Refusal> {
        let rate = Rate::per_second(config.limits.requests_per_second, config.limits.request_burst).share(shares);
        self.users
            .take(user, rate, now)
            .map_err(|wait| Refusal::new(Code::RateLimited, "too many requests").after(wait))
    }

    /// Whether the audit log takes one more refusal of this user.
    pub fn notes_refusal(&self, user: UserId, now: Millis) -> bool {
        self.refusals.take(user, REFUSALS, now).is_ok()
    }

    /// Takes one request without a valid login. The address is the peer's: what a header claims counts for nothing.
    ///
    /// # Errors
    /// `rate_limited`, with the time to wait.
    pub fn address(&self, address: IpAddr, config: &Config, now: Millis) -> Result<(), Refusal> {
        let per_minute = config.limits.anonymous_per_minute;
        let rate = Rate { per_minute, burst: per_minute };
        self.addresses
            .take(network_of(address), rate, now)
            .map_err(|wait| Refusal::new(Code::RateLimited, "too many requests from this address").after(wait))
    }
}
