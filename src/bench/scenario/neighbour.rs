//! Latency of an ack while another room is loud, against the latency in silence.

use anyhow::Context;
use clap::Args;
use futures_util::future::try_join;

use super::{all_live, plan};
use crate::bench::latency::per;
use crate::bench::options::Common;
use crate::bench::report::Report;
use crate::bench::server::Server;
use crate::bench::worker::crew::Worker;
use crate::bench::worker::order::{FanOut, Send, Session};
use crate::bench::{people, progress};

const WARM_UP: usize = 50;
/// How long the loud room is heard before the other one is measured, and after it.
const MARGIN: f64 = 1.0;

/// What is measured.
#[derive(Args, Clone, Debug)]
pub(in crate::bench) struct Options {
    #[command(flatten)]
    pub(in crate::bench) common: Common,
    /// How many members the loud room has.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=15_000))]
    members: u64,
    /// How many deliveries per second the loud room takes.
    #[arg(long, default_value_t = 100_000.0)]
    deliveries: f64,
    /// How many sends per second are timed in the other room.
    #[arg(long, default_value_t = 200.0)]
    rate: f64,
    /// For how long, in silence and again in noise.
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
    let people = people::accounts(&server.rest, members + 1, &people::password()).await?;
    let groups = [(0..members).collect(), vec![members]];
    let places = people::rooms(&server.rest, &people, &groups).await?;
    let sessions = people::sessions(&people, &groups, &places);
    let (loud_ones, quiet_one) = sessions.split_at(members);
    let mut crowd = Worker::start(0, common.client_processor())?;
    let mut neighbour = Worker::start(1, common.client_processor())?;
    connect(&server, &mut crowd, loud_ones).await?;
    connect(&server, &mut neighbour, quiet_one).await?;

    let probe = Send {
        rooms: vec![places[1].id.clone()],
        body_bytes: options.body_bytes as usize,
        in_flight: 0,
        rate: Some(options.rate),
        warm_up_seconds: MARGIN,
        seconds: options.seconds,
        pids: Vec::new(),
    };
    let noise = FanOut {
        room: places[0].id.clone(),
        body_bytes: options.body_bytes as usize,
        bare_frame_bytes: None,
        messages: usize::MAX,
        in_flight: 0,
        rate: Some(options.deliveries / members as f64),
        seconds: options.seconds + 2.0 * MARGIN,
        warm_up: WARM_UP,
        pids: server.pid.into_iter().collect(),
    };
    let spinner = progress::spinner("timing acks in silence");
    let silence = neighbour.send(probe.clone()).await.context("in silence")?;
    spinner.set_message("timing acks beside a loud room");
    let (loud, beside) = try_join(crowd.fan_out(noise), neighbour.send(probe)).await.context("in noise")?;
    spinner.finish_and_clear();
    drop((crowd, neighbour));
    server.stop().await?;

    let mut report = Report::new("neighbour");
    report.number("rate", "sends that are timed", options.rate, "/s");
    let delivered = per(loud.deliveries as f64, loud.seconds);
    report.number("deliveries_per_second", "deliveries of the loud room", delivered, "/s");
    report.latency("silence_ack", "ack in silence", silence.latency);
    report.latency("noise_ack", "ack beside the loud room", beside.latency);
    report.number("p99_ratio", "p99 beside / in silence", per(beside.latency.p99, silence.latency.p99), "");
    report.latency("delivery", "delivery in the loud room", loud.latency);
    report.troubles("silence", &silence.troubles);
    report.troubles("noise", &beside.troubles);
    report.troubles("the loud room", &loud.troubles);
    report.print(common)
}

async fn connect(server: &Server, worker: &mut Worker, sessions: &[Session]) -> anyhow::Result<()> {
    let mut order = plan(server.address, 128, 120);
    order.source = worker.source;
    order.sessions = sessions.to_vec();
    all_live(&[worker.connect(order).await?], sessions.len())
}
