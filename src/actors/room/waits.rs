//! How long writes wait for their acks: from the room's taking one to its being durable.

use std::{collections::VecDeque, sync::LazyLock, time::Instant};

use rookery_core::ids::Seq;

static ACK_SECONDS: LazyLock<metrics::Histogram> = LazyLock::new(|| metrics::histogram!("rookery_ack_seconds"));

/// What was sent to the store and is not acked; never more than the room has in flight.
#[derive(Default)]
pub(super) struct Waits {
    sent: VecDeque<(Seq, Instant)>,
}

impl Waits {
    /// This number was sent to the store now. If it had been before, that came to nothing.
    pub(super) fn sent(&mut self, seq: Seq) {
        while self.sent.back().is_some_and(|(last, _)| *last >= seq) {
            self.sent.pop_back();
        }
        self.sent.push_back((seq, Instant::now()));
    }

    /// This number is acked: counts how long that took.
    pub(super) fn acked(&mut self, seq: Seq) {
        while let Some((first, at)) = self.sent.pop_front_if(|(first, _)| *first <= seq) {
            if first == seq {
                ACK_SECONDS.record(at.elapsed().as_secs_f64());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(waits: &Waits) -> Vec<Seq> {
        waits.sent.iter().map(|(seq, _)| *seq).collect()
    }

    #[test]
    fn what_is_acked_waits_no_more_and_nothing_before_it() {
        let mut waits = Waits::default();
        (1..=5).for_each(|seq| waits.sent(seq));
        waits.acked(3);
        assert_eq!(left(&waits), [4, 5]);
        waits.acked(3);
        assert_eq!(left(&waits), [4, 5]);
    }

    #[test]
    fn a_number_that_is_given_again_waits_from_then_on() {
        let mut waits = Waits::default();
        (1..=5).for_each(|seq| waits.sent(seq));
        waits.sent(4);
        assert_eq!(left(&waits), [1, 2, 3, 4]);
    }
}
