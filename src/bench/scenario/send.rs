//! Durable sends: acks per second and their latency, beside the store's own group commit.

use clap::Args;

use super::{all_live, plan};
use crate::bench::latency::per;
use crate::bench::options::Common;
use crate::bench::reference::{self, GroupCommit, Injected};
use crate::bench::report::Report;
use crate::bench::server::{Folder, Server};
use crate::bench::worker::crew::Worker;
use crate::bench::worker::order::Send;
use crate::bench::{people, progress};

/// What is measured.
#[derive(Args, Clone, Debug)]
pub(in crate::bench) struct Options {
    #[command(flatten)]
    pub(in crate::bench) common: Common,
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
    let order = Send {
        rooms: room_of,
        body_bytes: options.body_bytes as usize,
        in_flight: options.in_flight as usize,
        rate: options.rate,
        warm_up_seconds: options.warm_up,
        seconds: options.seconds,
        pid: server.pid,
    };
    let sent = worker.send(order).await?;
    drop(worker);
    server.stop().await?;

    let mut report = Report::new("send");
    report.count("rooms", "rooms, each with one sender", options.rooms, "");
    match options.rate {
        Some(rate) => report.number("rate", "open loop", rate, "sends/s"),
        None => report.count("in_flight", "sends in flight", options.in_flight, ""),
    }
    let acks = per(sent.messages as f64, sent.seconds);
    report.number("acks_per_second", "durable acks", acks, "/s");
    report.latency("ack", "ack, from the intended send", sent.latency);
    if let Some(nanos) = sent.cpu_nanos {
        let micros = per(nanos as f64 / 1_000.0, sent.messages as f64);
        report.number("cpu_micros_per_ack", "processor time per ack", micros, "µs");
    }
    report.troubles("sending", &sent.troubles);
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
