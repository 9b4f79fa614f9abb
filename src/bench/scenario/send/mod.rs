//! Durable sends: acks per second and their latency, beside the store's own group commit; or over several nodes.

mod nodes;

use clap::Args;

use super::{all_live, plan};
use crate::bench::latency::per;
use crate::bench::options::{Common, Nodes};
use crate::bench::reference::{self, GroupCommit, Injected};
use crate::bench::report::Report;
use crate::bench::server::{Folder, Server};
use crate::bench::worker::crew::Worker;
use crate::bench::worker::order::{Send, Sent};
use crate::bench::{people, progress};

/// What is measured.
#[derive(Args, Clone, Debug)]
pub(in crate::bench) struct Options {
    #[command(flatten)]
    pub(in crate::bench) common: Common,
    #[command(flatten)]
    nodes: Nodes,
    /// With --cql, over several nodes: runs of the nodes and of the driver alone, in turns.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=99))]
    runs: u64,
    /// How many rooms; each has one member, who sends.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=5_000))]
    rooms: u64,
    /// How many sends over all rooms wait for their ack at once.
    #[arg(long, default_value_t = 256, conflicts_with = "rate", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    in_flight: u64,
    /// Send at this rate (messages per second) whatever comes back, instead.
    #[arg(long)]
    rate: Option<f64>,
    /// For how long, after a warm-up.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// How long the warm-up is, in seconds.
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// Bytes of the body of each message.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u64).range(30..=16_384))]
    body_bytes: u64,
    /// Leave the store's own group commit out.
    #[arg(long)]
    no_reference: bool,
}

/// Runs the bench.
pub(in crate::bench) async fn run(options: Options, injected: Injected) -> anyhow::Result<()> {
    if !options.nodes.stores.cql.is_empty() {
        return nodes::run(&options, injected).await;
    }
    let common = &options.common;
    let rooms = options.rooms as usize;
    let server = Server::start(common).await?;
    let people = people::accounts(&server.rest, rooms, &people::password()).await?;
    let groups = people::groups(rooms, 1, 1);
    let places = people::rooms(&server.rest, &people, &groups).await?;
    let mut plan = plan(server.address, 128, 120);
    plan.sessions = people::sessions(&people, &groups, &places);
    let mut worker = Worker::start(0, common.client_processor())?;
    plan.source = worker.source;
    let mut room_of = vec![String::new(); rooms];
    for (group, place) in groups.iter().zip(&places) {
        room_of[group[0]].clone_from(&place.id);
    }
    all_live(&[worker.connect(plan).await?], rooms)?;
    let spinner = progress::spinner("sending");
    let order = order(&options, room_of, server.pid.into_iter().collect());
    let sent = worker.send(order).await?;
    drop(worker);
    server.stop().await?;

    let mut report = Report::new("send");
    describe(&mut report, &options, &sent);
    let acks = per(sent.messages as f64, sent.seconds);
    if !options.no_reference {
        spinner.set_message("committing through the store alone");
        let folder = Folder::make(common)?;
        let request = GroupCommit {
            data: folder.path().to_path_buf(),
            producers: options.in_flight as usize,
            rooms,
            body_bytes: options.body_bytes as usize,
            seconds: options.seconds,
        };
        reference::compare(&mut report, injected, request, acks).await?;
    }
    spinner.finish_and_clear();
    report.print(common)
}

fn order(options: &Options, rooms: Vec<String>, pids: Vec<u32>) -> Send {
    Send {
        rooms,
        body_bytes: options.body_bytes as usize,
        in_flight: options.in_flight as usize,
        rate: options.rate,
        warm_up_seconds: options.warm_up,
        seconds: options.seconds,
        pids,
    }
}

fn describe(report: &mut Report, options: &Options, sent: &Sent) {
    report.count("rooms", "rooms, each with one sender", options.rooms, "");
    match options.rate {
        Some(rate) => report.number("rate", "open loop", rate, "sends/s"),
        None => report.count("in_flight", "sends in flight", options.in_flight, ""),
    }
    report.number("acks_per_second", "durable acks", per(sent.messages as f64, sent.seconds), "/s");
    report.latency("ack", "ack, from the intended send", sent.latency);
    if let Some(nanos) = sent.cpu_nanos {
        let micros = per(nanos as f64 / 1_000.0, sent.messages as f64);
        report.number("cpu_micros_per_ack", "processor time per ack", micros, "µs");
    }
    report.troubles("sending", &sent.troubles);
}
