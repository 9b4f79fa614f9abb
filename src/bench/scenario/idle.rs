//! Memory of the server per connected, subscribed, silent session.

use std::time::Duration;

use clap::Args;

use super::{all_live, plan};
use crate::bench::latency::per;
use crate::bench::options::Common;
use crate::bench::report::Report;
use crate::bench::server::Server;
use crate::bench::worker::crew::Crew;
use crate::bench::worker::order::Session;
use crate::bench::{people, progress};

/// A server has settled when its memory changes by less than this within two seconds.
const STILL: u64 = 128 * 1024;
const LONGEST_SETTLING: usize = 15;
/// Every fifth session connects first: enough to wake every room and fill every cache, so that the others show what
/// one more session costs.
const FIRST_OF: usize = 5;

/// What is measured.
#[derive(Args, Clone, Debug)]
pub(in crate::bench) struct Options {
    #[command(flatten)]
    pub(in crate::bench) common: Common,
    /// How many sessions, each of an account of its own.
    #[arg(long, default_value_t = 15_000, value_parser = clap::value_parser!(u64).range(10..=100_000))]
    sessions: u64,
    /// In how many rooms each of them is.
    #[arg(long, default_value_t = 3)]
    rooms_per_session: usize,
    /// How many people a room has.
    #[arg(long, default_value_t = 100)]
    room_size: usize,
    /// How many handshakes each worker has under way at once.
    #[arg(long, default_value_t = 128)]
    concurrency: usize,
    /// How long connecting may take.
    #[arg(long, default_value_t = 300)]
    seconds: u64,
}

/// Runs the bench.
pub(in crate::bench) async fn run(options: Options) -> anyhow::Result<()> {
    let common = &options.common;
    let count = options.sessions as usize;
    let server = Server::start(common).await?;
    let people = people::accounts(&server.rest, count, &people::password()).await?;
    let groups = people::groups(count, options.rooms_per_session, options.room_size);
    let places = people::rooms(&server.rest, &people, &groups).await?;
    let sessions = people::sessions(&people, &groups, &places);
    // The memory that preparation left behind would be reused for sessions and hide what they cost.
    let server = server.restart(common).await?;
    let before = settled(&server).await?;

    let (first, others) = shared_out(sessions);
    let plan = plan(server.address, options.concurrency, options.seconds);
    let mut early = Crew::start(first.len(), common.client_processor())?;
    all_live(&early.connect(&plan, &first).await?, first.len())?;
    let with_first = settled(&server).await?;
    let mut late = Crew::start(others.len(), common.client_processor())?;
    let outcomes = late.connect(&plan, &others).await?;
    all_live(&outcomes, others.len())?;
    let after = settled(&server).await?;

    let mut report = Report::new("idle");
    report.count("sessions", "sessions, connected and subscribed", options.sessions, "");
    report.count("rooms", "rooms", groups.len() as u64, "");
    report.count("rooms_per_session", "rooms of each session", options.rooms_per_session as u64, "");
    if let (Some(before), Some(with_first), Some(after)) = (before, with_first, after) {
        let grown = after.saturating_sub(before) as f64;
        let more = after.saturating_sub(with_first) as f64;
        report.count("rss_before_bytes", "RSS before", before, "bytes");
        report.count("rss_after_bytes", "RSS with all sessions", after, "bytes");
        report.number("bytes_per_session", "RSS per session, rooms and caches included", per(grown, count as f64), "B");
        report.number("bytes_per_further_session", "RSS per further session", per(more, others.len() as f64), "B");
    } else {
        report.missing("bytes_per_session", "RSS per session", "the server's process is not known: --pid");
    }
    for outcome in &outcomes {
        report.troubles("connecting", &outcome.troubles);
    }
    check_sessions(&server, options.sessions, &mut report).await;
    drop((early, late));
    server.stop().await?;
    report.print(common)
}

/// Every fifth session, and the others.
fn shared_out(sessions: Vec<Session>) -> (Vec<Session>, Vec<Session>) {
    let (mut first, mut others) = (Vec::new(), Vec::new());
    for (position, session) in sessions.into_iter().enumerate() {
        if position % FIRST_OF == 0 { first.push(session) } else { others.push(session) }
    }
    (first, others)
}

/// The memory of the server once it is still.
async fn settled(server: &Server) -> anyhow::Result<Option<u64>> {
    let spinner = progress::spinner("waiting until the server's memory is still");
    let mut last = server.resident()?;
    for _ in 0..LONGEST_SETTLING {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let now = server.resident()?;
        let (Some(earlier), Some(later)) = (last, now) else { break };
        last = now;
        if earlier.abs_diff(later) < STILL {
            break;
        }
    }
    spinner.finish_and_clear();
    Ok(last)
}

/// The server must agree that they are all there.
async fn check_sessions(server: &Server, wanted: u64, report: &mut Report) {
    if let Ok(overview) = server.overview().await {
        match overview["sessions"].as_u64() {
            Some(sessions) if sessions == wanted => {}
            other => report.trouble(format!("the server counts {other:?} sessions, not {wanted}")),
        }
    }
}
