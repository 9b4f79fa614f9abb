//! Which bytes a request wants.

use std::ops::Range;

/// What a `Range` header asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Everything: there is no such header, or it is none that is understood.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Nothing that there is, or several parts at once.
    Unsatisfiable,
}

/// Reads a `Range` header (RFC 9110 §14) for something of this size.
pub(super) fn wanted(header: Option<&str>, size: u64) -> Wanted {
    let Some(ranges) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else { return Wanted::Whole };
    if ranges.contains(',') {
        // Each would cost as much as a request of its own, and nobody needs them.
        return Wanted::Unsatisfiable;
    }
    let Some((first, last)) = ranges.trim().split_once('-') else { return Wanted::Whole };
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    match (first, last) {
        ("", last) => match number(last) {
            Some(0) => Wanted::Unsatisfiable,
            Some(count) if size > 0 => Wanted::Part(size.saturating_sub(count)..size),
            Some(_) => Wanted::Unsatisfiable,
            None => Wanted::Whole,
        },
        (first, last) => match (number(first), last) {
            (Some(first), _) if first >= size => Wanted::Unsatisfiable,
            (Some(first), "") => Wanted::Part(first..size),
            (Some(first), last) => match number(last) {
                Some(last) if last >= first => Wanted::Part(first..last.saturating_add(1).min(size)),
                _ => Wanted::Whole,
            },
            (None, _) => Wanted::Whole,
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let of = |header| wanted(Some(header), 100);
        assert_eq!(wanted(None, 100), Wanted::Whole);
        assert_eq!(of("bytes=0-9"), Wanted::Part(0..10));
        assert_eq!(of("bytes=90-"), Wanted::Part(90..100));
        assert_eq!(of("bytes=90-1000"), Wanted::Part(90..100));
        assert_eq!(of("bytes=-10"), Wanted::Part(90..100));
        assert_eq!(of("bytes=-1000"), Wanted::Part(0..100));
        let many = format!("bytes={}", "0-0,".repeat(10_000));
        for nothing in ["bytes=100-", "bytes=-0", "bytes=0-1,5-6", &many] {
            assert_eq!(of(nothing), Wanted::Unsatisfiable, "{nothing:.40}");
        }
        for other in ["bytes=5-4", "bytes=x-y", "lines=1-2", "bytes=", "bytes=-", "bytes=+1-2"] {
            assert_eq!(of(other), Wanted::Whole, "{other}");
        }
    }

    proptest! {
        #[test]
        fn what_is_wanted_is_there(header in "bytes=[0-9]{0,20}-[0-9]{0,20}|\\PC{0,30}", size in 0..u64::MAX) {
            if let Wanted::Part(range) = wanted(Some(&header), size) {
                prop_assert!(range.start < range.end && range.end <= size);
            }
        }
    }
}
