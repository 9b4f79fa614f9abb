//! Token buckets by key, at most so many: who has not been seen for long is forgotten, and starts with a full one.

use std::hash::Hash;

use parking_lot::Mutex;
use rookery_core::{
    rate::{Bucket, Rate},
    time::Millis,
};
use std::collections::HashMap;

/// Token buckets by key.
pub struct Buckets<K> {
    most: usize,
    // One lock: it is held for the time of one look-up, except once per `most` new keys.
    buckets: Mutex<HashMap<K, Bucket>>,
}

impl<K: Eq + Hash> Buckets<K> {
    /// At most this many keys.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, buckets: Mutex::default() }
    }

    /// Takes one token.
    ///
    /// # Errors
    /// Milliseconds until there is one again.
    pub fn take(&self, key: K, rate: Rate, now: Millis) -> Result<(), u64> {
        let mut buckets = self.buckets.lock();
        if buckets.len() >= self.most && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| !bucket.is_full(rate, now));
            // Still too many: more addresses than a limit per address can hold back anyway.
            if buckets.len() >= self.most {
                buckets.clear();
            }
        }
        buckets.entry(key).or_insert_with(|| Bucket::full(rate, now)).take(rate, now)
    }

    /// Whether there is a token; takes none.
    ///
    /// # Errors
    /// Milliseconds until there is one again.
    pub fn look(&self, key: &K, rate: Rate, now: Millis) -> Result<(), u64> {
        let bucket = self.buckets.lock().get(key).copied();
        bucket.map_or(Ok(()), |mut bucket| bucket.take(rate, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate::per_second(1, 2);

    #[test]
    fn each_key_has_its_own_and_looking_takes_nothing() {
        let buckets = Buckets::new(10);
        let now = Millis(0);
        for _ in 0..5 {
            assert!(buckets.look(&"anna", RATE, now).is_ok());
        }
        assert!(buckets.take("anna", RATE, now).is_ok());
        assert!(buckets.take("anna", RATE, now).is_ok());
        assert!(buckets.look(&"anna", RATE, now).is_err());
        assert!(buckets.take("anna", RATE, now).is_err());
        assert!(buckets.take("bert", RATE, now).is_ok());
        assert!(buckets.take("anna", RATE, Millis(1_100)).is_ok());
    }

    #[test]
    fn there_are_never_more_than_the_bound() {
        let buckets = Buckets::new(100);
        for key in 0..10_000 {
            let _ = buckets.take(key, RATE, Millis(0));
            assert!(buckets.buckets.lock().len() <= 100);
        }
    }

    #[test]
    fn making_room_forgets_those_that_are_full_first() {
        let buckets = Buckets::new(3);
        for key in ["idle", "also idle"] {
            buckets.take(key, RATE, Millis(0)).unwrap();
        }
        let later = Millis(60_000);
        for _ in 0..2 {
            buckets.take("busy", RATE, later).unwrap();
        }
        buckets.take("new", RATE, later).unwrap();
        assert!(buckets.take("busy", RATE, later).is_err(), "it is still known");
    }
}
