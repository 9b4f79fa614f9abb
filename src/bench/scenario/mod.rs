//! The benches: each prepares people and rooms, gives its workers orders, and reports.

pub(super) mod across;
pub(super) mod drain;
pub(super) mod fanout;
pub(super) mod idle;
pub(super) mod kill;
pub(super) mod link;
pub(super) mod log;
pub(super) mod login;
pub(super) mod lookup;
pub(super) mod neighbour;
pub(super) mod resume;
pub(super) mod send;
pub(super) mod start;

use anyhow::ensure;

use super::worker::order::{Connect, Connected, Sent};

/// An order to connect that missed nothing yet.
fn plan(address: std::net::SocketAddr, concurrency: usize, seconds: u64) -> Connect {
    Connect { address, source: std::net::Ipv4Addr::LOCALHOST, concurrency, sessions: Vec::new(), missed: 0, seconds }
}

/// Nothing can be measured while somebody is not connected.
fn all_live(outcomes: &[Connected], wanted: usize) -> anyhow::Result<()> {
    let live: usize = outcomes.iter().map(|outcome| outcome.live).sum();
    let first = outcomes.iter().find_map(|outcome| outcome.troubles.first.clone()).unwrap_or_default();
    ensure!(live == wanted, "{live} of {wanted} sessions are live: {first}");
    Ok(())
}

/// Microseconds of processor time for each delivery; `None` when the server's process is not known.
fn cpu_per_delivery(sent: &Sent) -> Option<f64> {
    sent.cpu_nanos.map(|nanos| super::latency::per(nanos as f64 / 1_000.0, sent.deliveries as f64))
}
