//! Everybody is dropped at once, misses a few messages, and comes back.

use std::time::Instant;

use anyhow::Context;
use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use uuid::Uuid;

use super::{all_live, plan};
use crate::bench::options::Common;
use crate::bench::people::{self, Person, Place};
use crate::bench::progress;
use crate::bench::report::Report;
use crate::bench::server::Server;
use crate::bench::worker::crew::Crew;
use crate::client::rest::Rest;

/// What is measured.
#[derive(Args, Clone, Debug)]
pub(in crate::bench) struct Options {
    #[command(flatten)]
    pub(in crate::bench) common: Common,
    /// How many sessions, each of an account of its own.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    sessions: u64,
    /// How many messages each of them misses.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=400))]
    missed: u64,
    /// How many people a room has.
    #[arg(long, default_value_t = 100)]
    room_size: usize,
    /// How many handshakes each worker has under way at once.
    #[arg(long, default_value_t = 256)]
    concurrency: usize,
    /// How long coming back may take.
    #[arg(long, default_value_t = 120)]
    seconds: u64,
}

/// Runs the bench.
pub(in crate::bench) async fn run(options: Options) -> anyhow::Result<()> {
    let common = &options.common;
    let count = options.sessions as usize;
    let server = Server::start(common).await?;
    let people = people::accounts(&server.rest, count, &people::password()).await?;
    let groups = people::groups(count, 1, options.room_size);
    let places = people::rooms(&server.rest, &people, &groups).await?;
    let sessions = people::sessions(&people, &groups, &places);
    let mut plan = plan(server.address, options.concurrency, options.seconds);
    let mut crew = Crew::start(count, common.client_processor())?;
    let spinner = progress::spinner("connecting");
    let begun = Instant::now();
    all_live(&crew.connect(&plan, &sessions).await?, count)?;
    let first_time = begun.elapsed();
    spinner.set_message("dropping everybody, and sending meanwhile");
    crew.drop_all().await?;
    miss(&server.rest, &people, &groups, &places, options.missed).await?;
    spinner.set_message("coming back");
    plan.missed = options.missed;
    let begun = Instant::now();
    let outcomes = crew.connect(&plan, &sessions).await?;
    let back = begun.elapsed();
    spinner.finish_and_clear();

    let mut report = Report::new("resume");
    report.count("sessions", "sessions", options.sessions, "");
    report.count("missed", "messages that each missed", options.missed, "");
    report.number("connect_seconds", "the first time, until all were live", first_time.as_secs_f64(), "s");
    report.number("resume_seconds", "until all were live and caught up", back.as_secs_f64(), "s");
    let mut wrong = 0;
    for outcome in &outcomes {
        wrong += outcome.wrong;
        report.troubles("coming back", &outcome.troubles);
    }
    if let Some(slowest) = outcomes.iter().max_by(|left, right| left.latency.p99.total_cmp(&right.latency.p99)) {
        report.latency("session", "one session, in the slower worker", slowest.latency);
    }
    report.count("events", "events replayed", outcomes.iter().map(|outcome| outcome.events).sum(), "");
    report.count("wrong", "sessions that got something else", wrong as u64, "");
    if wrong > 0 {
        report.trouble(format!("{wrong} sessions did not get exactly what they missed"));
    }
    all_live(&outcomes, count)?;
    drop(crew);
    server.stop().await?;
    report.print(common)
}

/// Sends `missed` messages into every room, by its owner.
async fn miss(
    rest: &Rest,
    people: &[Person],
    groups: &[Vec<usize>],
    places: &[Place],
    missed: u64,
) -> anyhow::Result<()> {
    stream::iter(groups.iter().zip(places))
        .map(|(group, place)| {
            let rest = rest.with_token(&people[group[0]].token);
            async move {
                for number in 1..=missed {
                    let body = format!("message {number} that nobody hears");
                    rest.post(&place.id, &Uuid::new_v4().to_string(), &body).await?;
                }
                Ok::<_, crate::client::error::ClientError>(())
            }
        })
        .buffer_unordered(32)
        .try_collect::<()>()
        .await
        .context("a message cannot be sent")
}
