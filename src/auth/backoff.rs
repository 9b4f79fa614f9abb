//! How long somebody who fails again and again must wait before the next try counts.

use rookery_core::time::Millis;

/// Failures that cost nothing: people mistype.
const FREE: u32 = 5;
/// The first wait; each further failure doubles it.
const FIRST_MS: u64 = 1_000;
/// The longest wait. Never for ever: else anybody could shut anybody out.
const LONGEST_MS: u64 = 300_000;

/// Milliseconds until the next try is looked at; `None`: now.
pub(super) fn wait(failures: u32, failed_at: Millis, now: Millis) -> Option<u64> {
    let beyond = failures.checked_sub(FREE)?;
    let delay = FIRST_MS.saturating_mul(1_u64.checked_shl(beyond).unwrap_or(u64::MAX)).min(LONGEST_MS);
    // A clock that went back must not make the wait longer than it is.
    let passed = u64::try_from(now.since(failed_at)).unwrap_or(0);
    delay.checked_sub(passed).filter(|left| *left > 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_few_are_free_then_it_doubles() {
        let at = Millis(1_000_000);
        let waits: Vec<_> = (3..9).map(|failures| wait(failures, at, at)).collect();
        assert_eq!(waits, [None, None, Some(1_000), Some(2_000), Some(4_000), Some(8_000)]);
        assert_eq!(wait(6, at, at.plus(1_500)), Some(500));
        assert_eq!(wait(6, at, at.plus(2_000)), None);
    }

    proptest! {
        #[test]
        fn it_always_ends(failures in any::<u32>(), failed_at in any::<i64>(), now in any::<i64>()) {
            prop_assert!(wait(failures, Millis(failed_at), Millis(now)).unwrap_or(0) <= LONGEST_MS);
            prop_assert_eq!(wait(failures, Millis(0), Millis(300_000)), None);
        }
    }
}
