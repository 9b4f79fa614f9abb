//! Everything that is left to chance, out of one seed.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number in `0..bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.next_u64() % bound.max(1) as u64).unwrap()
    }

    /// Milliseconds in `least..=most`.
    pub(crate) fn between(&mut self, least: i64, most: i64) -> i64 {
        least + i64::try_from(self.below(usize::try_from(most - least + 1).unwrap())).unwrap()
    }

    /// True so many times in ten thousand.
    pub(crate) fn hits(&mut self, in_ten_thousand: u32) -> bool {
        self.below(10_000) < in_ten_thousand as usize
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { Some(&from[self.below(from.len())]) }
    }
}

/// What goes wrong in one run, and how often; in ten thousand of its kind unless it says otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Faults {
    pub(crate) append_fails: u32,
    pub(crate) read_fails: u32,
    pub(crate) room_panics: u32,
    pub(crate) batch_lost: u32,
    pub(crate) reader_lags: u32,
    pub(crate) hasty: u32,
    /// Milliseconds that the store takes at most.
    pub(crate) store_millis: i64,
    /// Milliseconds between two crashes of the server, about; 0: never.
    pub(crate) crash_every: i64,
    /// Milliseconds between two losses of one connection, about; 0: never.
    pub(crate) drop_every: i64,
    /// Milliseconds between two rooms put to sleep, about; 0: never.
    pub(crate) sleep_every: i64,
}

impl Faults {
    /// A random part of all that can go wrong: what is rare together with everything else is common on its own.
    pub(crate) fn some(chance: &mut Chance) -> Self {
        let mut sometimes = |rate: u32| if chance.hits(5_000) { rate } else { 0 };
        let (append_fails, read_fails, room_panics) = (sometimes(800), sometimes(1_500), sometimes(200));
        let (batch_lost, reader_lags, hasty) = (sometimes(500), sometimes(150), sometimes(300));
        let (slow, crashes, drops, sleeps) = (sometimes(1), sometimes(1), sometimes(1), sometimes(1));
        Self {
            append_fails,
            read_fails,
            room_panics,
            batch_lost,
            reader_lags,
            hasty,
            store_millis: if slow > 0 { 400 } else { 20 },
            crash_every: i64::from(crashes) * 2_500,
            drop_every: i64::from(drops) * 2_000,
            sleep_every: i64::from(sleeps) * 700,
        }
    }

    /// Nothing goes wrong any more.
    pub(crate) fn healed() -> Self {
        Self {
            append_fails: 0,
            read_fails: 0,
            room_panics: 0,
            batch_lost: 0,
            reader_lags: 0,
            hasty: 0,
            store_millis: 20,
            crash_every: 0,
            drop_every: 0,
            sleep_every: 0,
        }
    }
}
