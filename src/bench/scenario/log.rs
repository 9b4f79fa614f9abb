//! The log of a cluster alone, beside the driver alone writing the same rows: what fencing, verifying and noting keys cost.

use anyhow::ensure;
use clap::Args;

use crate::bench::latency::{Latencies, per};
use crate::bench::options::{Common, Stores};
use crate::bench::progress;
use crate::bench::reference::{GroupCommitFigures, Injected, Place, Rows, Way};
use crate::bench::report::Report;

/// What is measured.
#[derive(Args, Clone, Debug)]
pub(in crate::bench) struct Options {
    #[command(flatten)]
    pub(in crate::bench) common: Common,
    #[command(flatten)]
    stores: Stores,
    /// How many producers there are; each writes again as soon as its last event is durable.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    producers: u64,
    /// How many rooms they share.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    rooms: u64,
    /// Bytes of the body of each message.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u64).range(1..=16_384))]
    body_bytes: u64,
    /// Seconds of each run.
    #[arg(long, default_value_t = 8.0)]
    seconds: f64,
    /// Runs of each, in turns; what is reported is the one in the middle.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=99))]
    runs: u64,
}

/// Runs the bench.
pub(in crate::bench) async fn run(options: Options, injected: Injected) -> anyhow::Result<()> {
    ensure!(!options.stores.cql.is_empty(), "this bench needs --cql HOST:PORT");
    let place = Place { postgres: None, ..options.stores.place() };
    let measured = pairs(&options, injected, &place).await;
    let forgotten = tokio::task::spawn_blocking(move || (injected.forget)(&place)).await?;
    let pairs = measured?;
    forgotten?;

    let mut report = Report::new("log");
    report.count("producers", "producers", options.producers, "");
    report.count("rooms", "rooms", options.rooms, "");
    for (key, label, of) in [("driver", "the driver alone", 0), ("log", "the log", 1)] {
        let figures = middle(pairs.iter().map(|pair| &pair[of]).collect());
        let mut latencies = Latencies::new();
        figures.waits_micros.iter().for_each(|wait| latencies.record(0, wait * 1_000));
        report.number(&format!("{key}_per_second"), label, rate(figures), "events/s");
        report.latency(&format!("{key}_wait"), "… wait of a producer", latencies.summary());
    }
    let mut ratios: Vec<f64> = pairs.iter().map(|[driver, log]| per(rate(log), rate(driver))).collect();
    ratios.sort_by(f64::total_cmp);
    report.number("ratio_to_driver", "log / driver, of the same turn", ratios[ratios.len() / 2], "");
    report.number("ratio_lowest", "… lowest", ratios[0], "");
    report.number("ratio_highest", "… highest", ratios[ratios.len() - 1], "");
    report.print(&options.common)
}

/// Runs both, in turns.
async fn pairs(options: &Options, injected: Injected, place: &Place) -> anyhow::Result<Vec<[GroupCommitFigures; 2]>> {
    let mut pairs = Vec::new();
    // Once each without counting: what is slow only for the first.
    both(options, injected, place, 1.0).await?;
    for _ in 0..options.runs {
        pairs.push(both(options, injected, place, options.seconds).await?);
    }
    Ok(pairs)
}

async fn both(
    options: &Options,
    injected: Injected,
    place: &Place,
    seconds: f64,
) -> anyhow::Result<[GroupCommitFigures; 2]> {
    let run = |way: Way, name: &'static str| {
        let request = Rows {
            place: place.clone(),
            way,
            producers: options.producers as usize,
            rooms: options.rooms as usize,
            body_bytes: options.body_bytes as usize,
            seconds,
        };
        async move {
            let spinner = progress::spinner(name);
            let figures = tokio::task::spawn_blocking(move || (injected.rows)(&request)).await?;
            spinner.finish_and_clear();
            figures
        }
    };
    Ok([run(Way::Driver, "the driver alone").await?, run(Way::Log, "the log").await?])
}

fn rate(figures: &GroupCommitFigures) -> f64 {
    per(figures.events as f64, figures.seconds)
}

/// The run in the middle by its rate.
fn middle(mut runs: Vec<&GroupCommitFigures>) -> &GroupCommitFigures {
    runs.sort_by(|one, other| rate(one).total_cmp(&rate(other)));
    runs[runs.len() / 2]
}
