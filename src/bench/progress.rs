//! A progress bar on a terminal, and silence elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that counts to `total`. It draws on standard error, and only when that is a terminal.
pub(super) fn bar(what: &str, total: usize) -> ProgressBar {
    let bar = ProgressBar::new(total as u64).with_message(what.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{msg:28} {wide_bar} {pos}/{len} {elapsed}") {
        bar.set_style(style);
    }
    bar
}

/// A spinner for a step whose length is not known.
pub(super) fn spinner(what: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
