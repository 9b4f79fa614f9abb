//! A token bucket: so many at once, so many per second after that.

use crate::time::Millis;

/// Thousandths of a token, so that slow refills do not round to nothing.
const MILLI: i64 = 1_000;

/// How many tokens are there now.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    milli_tokens: i64,
    filled_at: Millis,
}

/// How fast a bucket fills and how much it holds.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Tokens per minute.
    pub per_minute: u32,
    /// The most that it holds.
    pub burst: u32,
}

impl Rate {
    /// So many per second, so many at once.
    #[must_use]
    pub const fn per_second(tokens: u32, burst: u32) -> Self {
        Self { per_minute: tokens.saturating_mul(60), burst }
    }

    /// The share of it at one of so many nodes: all of them together give what one would, but for rounding up, and each gives
    /// something.
    #[must_use]
    pub const fn share(self, nodes: u32) -> Self {
        let nodes = if nodes == 0 { 1 } else { nodes };
        Self { per_minute: self.per_minute.div_ceil(nodes), burst: self.burst.div_ceil(nodes) }
    }
}

impl Bucket {
    /// A full one.
    #[must_use]
    pub const fn full(rate: Rate, now: Millis) -> Self {
        Self { milli_tokens: rate.burst as i64 * MILLI, filled_at: now }
    }

    /// Takes one token.
    ///
    /// # Errors
    /// Milliseconds until there is one again. A clock that goes back fills nothing and takes nothing away.
    pub fn take(&mut self, rate: Rate, now: Millis) -> Result<(), u64> {
        self.fill(rate, now);
        if self.milli_tokens >= MILLI {
            self.milli_tokens -= MILLI;
            return Ok(());
        }
        let missing = MILLI - self.milli_tokens;
        let wait = missing.saturating_mul(60).div_euclid(i64::from(rate.per_minute.max(1))) + 1;
        Err(u64::try_from(wait).unwrap_or(1))
    }

    /// Whether it is full, so that forgetting it changes nothing.
    #[must_use]
    pub fn is_full(mut self, rate: Rate, now: Millis) -> bool {
        self.fill(rate, now);
        self.milli_tokens >= i64::from(rate.burst) * MILLI
    }

    fn fill(&mut self, rate: Rate, now: Millis) {
        let passed = now.since(self.filled_at);
        if passed <= 0 {
            return;
        }
        // Milliseconds times tokens per minute over 60 is thousandths of a token.
        let gained = passed.saturating_mul(i64::from(rate.per_minute)) / 60;
        if gained > 0 {
            self.milli_tokens = self.milli_tokens.saturating_add(gained).min(i64::from(rate.burst) * MILLI);
            self.filled_at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// In any stretch of time no more pass than the burst and what was refilled.
        #[test]
        fn never_more_than_burst_plus_refill(steps in proptest::collection::vec(0_i64..400, 1..300), per_second in 1_u32..50, burst in 1_u32..100) {
            let rate = Rate::per_second(per_second, burst);
            let mut bucket = Bucket::full(rate, Millis(0));
            let (mut now, mut passed) = (0, 0_i64);
            for step in steps {
                now += step;
                passed += i64::from(bucket.take(rate, Millis(now)).is_ok());
            }
            prop_assert!(passed <= i64::from(burst) + now * i64::from(per_second) / 1_000 + 1);
        }

        #[test]
        fn after_the_named_wait_there_is_a_token(per_second in 1_u32..50, burst in 1_u32..20) {
            let rate = Rate::per_second(per_second, burst);
            let mut bucket = Bucket::full(rate, Millis(0));
            let wait = loop {
                if let Err(wait) = bucket.take(rate, Millis(0)) { break wait; }
            };
            prop_assert!(bucket.take(rate, Millis(i64::try_from(wait).unwrap())).is_ok());
        }
    }

    #[test]
    fn a_clock_that_goes_back_takes_nothing_away() {
        let rate = Rate::per_second(1, 2);
        let mut bucket = Bucket::full(rate, Millis(10_000));
        assert!(bucket.take(rate, Millis(0)).is_ok());
        assert!(bucket.take(rate, Millis(0)).is_ok());
        assert!(bucket.take(rate, Millis(0)).is_err());
    }
}
