//! One room, many members: what a delivery costs, beside a bare TCP writer of the same bytes.

use std::net::SocketAddr;
use std::process::Stdio;

use anyhow::Context;
use clap::Args;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use super::{all_live, cpu_per_delivery, plan};
use crate::bench::latency::per;
use crate::bench::options::Common;
use crate::bench::report::Report;
use crate::bench::server::Server;
use crate::bench::worker::crew::Worker;
use crate::bench::worker::order::{FanOut, Sent};
use crate::bench::{own_program, people, progress};

const WARM_UP: usize = 50;

/// What is measured.
#[derive(Args, Clone, Debug)]
pub(in crate::bench) struct Options {
    #[command(flatten)]
    pub(in crate::bench) common: Common,
    /// How many members the room has. All of them listen; the first one also sends.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=15_000))]
    members: u64,
    /// How many messages are on their way at once. A message is on its way until its ack and every delivery are there,
    /// so with 1 no two messages can share a write.
    #[arg(long, default_value_t = 1, conflicts_with = "rate", value_parser = clap::value_parser!(u64).range(1..=1_024))]
    in_flight: u64,
    /// Send at this rate (messages per second) whatever comes back, instead.
    #[arg(long)]
    rate: Option<f64>,
    /// How many messages at most.
    #[arg(long, default_value_t = 1_000_000)]
    messages: usize,
    /// For how long at most.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Bytes of the body of each message.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u64).range(30..=16_384))]
    body_bytes: u64,
}

/// Runs the bench.
pub(in crate::bench) async fn run(options: Options) -> anyhow::Result<()> {
    let common = &options.common;
    let members = options.members as usize;
    let server = Server::start(common).await?;
    let people = people::accounts(&server.rest, members, &people::password()).await?;
    let groups = [(0..members).collect()];
    let places = people::rooms(&server.rest, &people, &groups).await?;
    let mut order = order(&options, &places[0].id, server.pid.into_iter().collect());

    let mut plan = plan(server.address, 128, 120);
    plan.sessions = people::sessions(&people, &groups, &places);
    let mut worker = Worker::start(0, common.client_processor())?;
    plan.source = worker.source;
    all_live(&[worker.connect(plan).await?], members)?;
    let spinner = progress::spinner("sending through the server");
    let served = worker.fan_out(order.clone()).await.context("the fan-out of the server")?;
    worker.drop_all().await?;
    server.stop().await?;
    spinner.set_message("sending through a bare writer");
    let (writer, address) = bare_writer(members, served.frame_bytes, common.server_processor()).await?;
    order.pids = writer.id().into_iter().collect();
    order.bare_frame_bytes = Some(served.frame_bytes);
    worker.connect_bare(address, members).await?;
    let bare = worker.fan_out(order).await.context("the fan-out of the bare writer")?;
    spinner.finish_and_clear();
    drop((worker, writer));

    let mut report = Report::new("fanout");
    report.count("members", "members of the room", options.members, "");
    match options.rate {
        Some(rate) => report.number("rate", "open loop", rate, "messages/s"),
        None => report.count("in_flight", "messages on their way at once", options.in_flight, ""),
    }
    report.count("frame_bytes", "bytes of an event frame", served.frame_bytes as u64, "");
    describe(&mut report, "", "server", &served);
    describe(&mut report, "bare_", "bare writer", &bare);
    if let (Some(own), Some(limit)) = (cpu_per_delivery(&served), cpu_per_delivery(&bare)) {
        report.number("cpu_ratio_to_bare", "server / bare writer, processor time", per(own, limit), "");
    }
    report.print(common)
}

fn order(options: &Options, room: &str, pids: Vec<u32>) -> FanOut {
    FanOut {
        room: room.to_owned(),
        body_bytes: options.body_bytes as usize,
        bare_frame_bytes: None,
        messages: options.messages,
        in_flight: options.in_flight as usize,
        rate: options.rate,
        seconds: options.seconds,
        warm_up: WARM_UP,
        pids,
    }
}

fn describe(report: &mut Report, key: &str, who: &str, sent: &Sent) {
    report.count(&format!("{key}messages"), &format!("{who}: messages"), sent.messages, "");
    report.count(&format!("{key}deliveries"), &format!("{who}: deliveries"), sent.deliveries, "");
    let rate = per(sent.deliveries as f64, sent.seconds);
    report.number(&format!("{key}deliveries_per_second"), &format!("{who}: deliveries per second"), rate, "/s");
    let shared = per(sent.deliveries as f64, sent.reads as f64);
    report.number(&format!("{key}frames_per_read"), &format!("{who}: frames that came together"), shared, "");
    let (cost, label) = (format!("{key}cpu_micros_per_delivery"), format!("{who}: processor time per delivery"));
    match cpu_per_delivery(sent) {
        Some(micros) => report.number(&cost, &label, micros, "µs"),
        None => report.missing(&cost, &label, "the server's process is not known: --pid"),
    }
    report.latency(&format!("{key}delivery"), &format!("{who}: delivery"), sent.latency);
    report.troubles(who, &sent.troubles);
}

/// Starts the bare writer as a process of its own, like the server.
async fn bare_writer(sockets: usize, bytes: usize, pin: Option<usize>) -> anyhow::Result<(Child, SocketAddr)> {
    let (sockets, bytes) = (sockets.to_string(), bytes.to_string());
    let mut child = own_program(&["bench", "bare-writer", "--sockets", &sockets, "--frame-bytes", &bytes], pin)?
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("the bare writer cannot be started")?;
    let output = child.stdout.take().context("a bare writer without output")?;
    let line = BufReader::new(output).lines().next_line().await?.context("the bare writer ended")?;
    let address = line.strip_prefix("listening ").and_then(|address| address.parse().ok());
    Ok((child, address.context("the bare writer did not say where it listens")?))
}
