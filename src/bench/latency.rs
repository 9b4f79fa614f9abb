//! Latencies: a histogram in microseconds, its percentiles, and clocks that two processes share.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Longer waits count as this long.
const LONGEST: u64 = 120_000_000;

/// Nanoseconds since 1970: one clock for every process of the machine.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_nanos() as u64)
}

/// Waits that were measured.
pub(super) struct Latencies {
    histogram: Option<Histogram<u64>>,
}

impl Latencies {
    /// None yet.
    pub(super) fn new() -> Latencies {
        Latencies { histogram: Histogram::new_with_bounds(1, LONGEST, 3).ok() }
    }

    /// Counts a wait that began when it was *meant* to begin, so that a sender who is held up hides nothing.
    pub(super) fn record(&mut self, intended: u64, now: u64) {
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record((now.saturating_sub(intended) / 1_000).max(1));
        }
    }

    /// The figures.
    pub(super) fn summary(&self) -> Summary {
        let Some(histogram) = &self.histogram else { return Summary::default() };
        let millis = |value: u64| value as f64 / 1_000.0;
        Summary {
            count: histogram.len(),
            p50: millis(histogram.value_at_quantile(0.5)),
            p99: millis(histogram.value_at_quantile(0.99)),
            p999: millis(histogram.value_at_quantile(0.999)),
            max: millis(histogram.max()),
        }
    }
}

/// Percentiles in milliseconds.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(super) struct Summary {
    pub(super) count: u64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) p999: f64,
    pub(super) max: f64,
}

/// `part` for each of `whole`; zero when there was nothing.
pub(super) fn per(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// Beats at a fixed rate, on a thread of its own: a timer of the runtime is a millisecond coarse, and late while the
/// runtime is busy. Each beat carries the time at which it was due. Ends when nobody listens or the time is over.
pub(super) fn metronome(rate: f64, lasting: Duration) -> tokio::sync::mpsc::Receiver<u64> {
    let (sender, beats) = tokio::sync::mpsc::channel(4_096);
    std::thread::spawn(move || {
        let period = 1e9 / rate.max(0.001);
        let start = now();
        for beat in 0_u64.. {
            let after = (beat as f64 * period) as u64;
            if after >= lasting.as_nanos() as u64 {
                break;
            }
            let due = start + after;
            let ahead = due.saturating_sub(now());
            if ahead > 0 {
                std::thread::sleep(Duration::from_nanos(ahead));
            }
            if sender.blocking_send(due).is_err() {
                break;
            }
        }
    });
    beats
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_waits() {
        let mut latencies = Latencies::new();
        for wait in 1..=1_000_u64 {
            latencies.record(5_000, 5_000 + wait * 1_000_000);
        }
        let summary = latencies.summary();
        assert_eq!(summary.count, 1_000);
        let close = |found: f64, wanted: f64| (found - wanted).abs() <= wanted * 0.002;
        assert!(close(summary.p50, 500.0) && close(summary.p99, 990.0) && close(summary.p999, 999.0), "{summary:?}");
    }

    #[test]
    fn a_clock_that_went_back_is_no_wait() {
        let mut latencies = Latencies::new();
        latencies.record(10, 5);
        assert_eq!(latencies.summary().max, 0.001);
    }

    #[test]
    fn nothing_divided_by_nothing_is_nothing() {
        assert_eq!(per(3.0, 0.0), 0.0);
        assert_eq!(per(3.0, 2.0), 1.5);
    }

    #[test]
    fn a_metronome_says_when_a_beat_was_due() {
        let mut beats = metronome(1_000.0, Duration::from_millis(50));
        let mut due = Vec::new();
        while let Some(beat) = beats.blocking_recv() {
            assert!(beat <= now());
            due.push(beat);
        }
        assert_eq!(due.len(), 50);
        assert!(due.windows(2).all(|pair| pair[1] - pair[0] == 1_000_000));
    }
}
