//! How long to wait before the next attempt to connect.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// Doubling waits with jitter: half of the wait is fixed, half is random, so that clients that lost the server at the
/// same moment do not come back at the same moment.
#[derive(Debug)]
pub(crate) struct Pace {
    next: Duration,
}

impl Pace {
    /// A pace that has not failed yet.
    pub(crate) fn new() -> Pace {
        Pace { next: FIRST }
    }

    /// The wait after one more failure.
    pub(crate) fn failed(&mut self) -> Duration {
        let ceiling = self.next;
        self.next = (self.next * 2).min(LONGEST);
        spread(ceiling)
    }

    /// It worked: the next failure starts small again.
    pub(crate) fn worked(&mut self) {
        self.next = FIRST;
    }
}

/// A random wait between half of `ceiling` and all of it.
fn spread(ceiling: Duration) -> Duration {
    ceiling.mul_f64(0.5 + 0.5 * rand::random::<f64>())
}

/// The wait that a server asked for, a little stretched.
pub(crate) fn asked(after_ms: u64) -> Duration {
    let wanted = Duration::from_millis(after_ms).min(LONGEST * 10);
    wanted.mul_f64(1.0 + 0.2 * rand::random::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_start_again() {
        let mut pace = Pace::new();
        let mut ceiling = FIRST;
        for _ in 0..12 {
            let wait = pace.failed();
            assert!(wait >= ceiling / 2 && wait <= ceiling, "{wait:?} of {ceiling:?}");
            ceiling = (ceiling * 2).min(LONGEST);
        }
        pace.worked();
        assert!(pace.failed() <= FIRST);
    }

    #[test]
    fn a_server_is_never_visited_earlier_than_it_asked() {
        for _ in 0..100 {
            assert!(asked(1_000) >= Duration::from_secs(1));
        }
    }
}
