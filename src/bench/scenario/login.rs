//! Logins per second at the default cost of a password.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::future::join_all;
use parking_lot::Mutex;

use crate::bench::latency::{Latencies, now, per};
use crate::bench::options::Common;
use crate::bench::people::Person;
use crate::bench::process::Cpu;
use crate::bench::report::Report;
use crate::bench::server::Server;
use crate::bench::{people, progress};
use crate::client::rest::Rest;

/// What is measured.
#[derive(Args, Clone, Debug)]
pub(in crate::bench) struct Options {
    #[command(flatten)]
    pub(in crate::bench) common: Common,
    /// How many logins are under way at once. [default: one per core]
    #[arg(long)]
    in_flight: Option<usize>,
    /// How many accounts take turns.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    accounts: u64,
    /// For how long.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
}

#[derive(Default)]
struct Counts {
    turn: AtomicUsize,
    done: AtomicU64,
    busy: AtomicU64,
    failed: Mutex<Option<String>>,
}

/// Runs the bench.
pub(in crate::bench) async fn run(options: Options) -> anyhow::Result<()> {
    let common = &options.common;
    let in_flight =
        options.in_flight.unwrap_or_else(|| std::thread::available_parallelism().map_or(2, Into::into)).max(1);
    let server = Server::with_default_passwords(common).await?;
    let password = people::password();
    let people = people::accounts(&server.rest, options.accounts as usize, &password).await?;
    let spinner = progress::spinner("logging in");
    let counts = Counts::default();
    let latencies = Mutex::new(Latencies::new());
    let before = server.pid.map(Cpu::of).transpose()?;
    let begun = Instant::now();
    let end = begun + Duration::from_secs_f64(options.seconds);
    let doors = (0..in_flight).map(|_| knock(&server.rest, &people, &password, end, &counts, &latencies));
    join_all(doors).await;
    let seconds = begun.elapsed().as_secs_f64();
    let after = server.pid.map(Cpu::of).transpose()?;
    spinner.finish_and_clear();
    server.stop().await?;

    let done = counts.done.load(Ordering::Relaxed);
    let mut report = Report::new("login");
    report.count("in_flight", "logins under way at once", in_flight as u64, "");
    report.number("logins_per_second", "logins", per(done as f64, seconds), "/s");
    report.latency("login", "login", latencies.lock().summary());
    report.count("busy", "answered with busy or rate_limited", counts.busy.load(Ordering::Relaxed), "");
    if let (Some(before), Some(after)) = (before, after) {
        let millis = per(after.since(&before) as f64 / 1e6, done as f64);
        report.number("cpu_millis_per_login", "processor time per login", millis, "ms");
    }
    if let Some(why) = counts.failed.into_inner() {
        report.trouble(why);
    }
    report.print(common)
}

/// Logs in again and again until the time is over.
async fn knock(
    rest: &Rest,
    people: &[Person],
    password: &str,
    end: Instant,
    counts: &Counts,
    latencies: &Mutex<Latencies>,
) {
    while Instant::now() < end {
        let person = &people[counts.turn.fetch_add(1, Ordering::Relaxed) % people.len()];
        let asked = now();
        match rest.login(&person.handle, password, "rookery bench").await {
            Ok(_) => {
                counts.done.fetch_add(1, Ordering::Relaxed);
                latencies.lock().record(asked, now());
            }
            Err(error) => match error.wait() {
                Some(wait) => {
                    counts.busy.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(wait.min(end.saturating_duration_since(Instant::now()))).await;
                }
                None => {
                    *counts.failed.lock() = Some(error.to_string());
                    return;
                }
            },
        }
    }
}
