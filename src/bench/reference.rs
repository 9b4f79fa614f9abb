//! What a bench needs from the stores themselves: references without a server, a full store to start with, places for nodes.

use std::path::PathBuf;

use super::latency::Latencies;
use super::report::Report;

/// The functions that whoever owns the stores hands to `bench::run`. All may block; they run on a thread of
/// their own and may build a runtime.
#[derive(Clone, Copy)]
pub struct Injected {
    /// Commits through the store, without any server.
    pub group_commit: fn(&GroupCommit) -> anyhow::Result<GroupCommitFigures>,
    /// Fills a store.
    pub seed: fn(&Seed) -> anyhow::Result<SeedFigures>,
    /// Writes events over CQL, without any server.
    pub rows: fn(&Rows) -> anyhow::Result<GroupCommitFigures>,
    /// Makes a place in the stores of a cluster.
    pub make: fn(&Place) -> anyhow::Result<()>,
    /// Forgets it, with all that is in it.
    pub forget: fn(&Place) -> anyhow::Result<()>,
}

/// A place of its own in the stores of a cluster.
#[derive(Clone, Debug)]
pub struct Place {
    /// The database in which it has a schema; none: only rows are written.
    pub postgres: Option<String>,
    /// Servers of ScyllaDB or Cassandra on which it has a keyspace.
    pub cql: Vec<String>,
    /// The name of the schema and of the keyspace.
    pub name: String,
    /// Replicas of the keyspace.
    pub replication: u8,
}

/// Which way rows take to the servers of a cluster's store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Through the log: fenced, verified, with their keys noted.
    Log,
    /// With the driver, and nothing else.
    Driver,
}

/// Which rows to write: the events of `producers` producers, each of which waits for its own to be durable.
#[derive(Clone, Debug)]
pub struct Rows {
    /// Where to.
    pub place: Place,
    /// How.
    pub way: Way,
    /// How many producers there are.
    pub producers: usize,
    /// Over how many rooms they are spread.
    pub rooms: usize,
    /// Bytes of the body of each message.
    pub body_bytes: usize,
    /// For how long.
    pub seconds: f64,
}

/// Which group commit to measure: the events of `producers` producers, each of which waits for its own commit before
/// it appends the next event.
#[derive(Clone, Debug)]
pub struct GroupCommit {
    /// An empty folder on the file system of the server that was measured.
    pub data: PathBuf,
    /// How many producers there are.
    pub producers: usize,
    /// Over how many rooms they are spread.
    pub rooms: usize,
    /// Bytes of the body of each message.
    pub body_bytes: usize,
    /// For how long.
    pub seconds: f64,
}

/// What a group commit reached.
#[derive(Clone, Debug)]
pub struct GroupCommitFigures {
    /// Events that were durable within the time.
    pub events: u64,
    /// The time that it took.
    pub seconds: f64,
    /// How long each producer waited for each of its commits, in microseconds.
    pub waits_micros: Vec<u64>,
}

/// Which store to make.
#[derive(Clone, Debug)]
pub struct Seed {
    /// The data folder of a stopped server that has started once: the tables are there.
    pub data: PathBuf,
    /// The user that is the owner of every room.
    pub owner: uuid::Uuid,
    /// How many rooms.
    pub rooms: u64,
    /// How many messages over all rooms; as even as possible.
    pub messages: u64,
}

/// What was put into the store.
#[derive(Clone, Debug)]
pub struct SeedFigures {
    /// Rooms.
    pub rooms: u64,
    /// Messages.
    pub messages: u64,
}

/// Runs the reference beside a bench and puts its figures, and the ratio to them, into the report.
pub(super) async fn compare(
    report: &mut Report,
    injected: Injected,
    request: GroupCommit,
    acks_per_second: f64,
) -> anyhow::Result<()> {
    let figures = tokio::task::spawn_blocking(move || (injected.group_commit)(&request)).await??;
    let per_second = super::latency::per(figures.events as f64, figures.seconds);
    let mut latencies = Latencies::new();
    for wait in figures.waits_micros {
        latencies.record(0, wait * 1_000);
    }
    report.number("store_commits_per_second", "the store's own group commit", per_second, "events/s");
    report.latency("store_commit", "… wait of a producer", latencies.summary());
    report.number("ratio_to_store", "acks / group commit", super::latency::per(acks_per_second, per_second), "");
    Ok(())
}
