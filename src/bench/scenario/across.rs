//! What a delivery costs more when its receiver is on another node than its room, and how many envelopes a message takes.

use anyhow::Context;
use clap::Args;

use super::{all_live, cpu_per_delivery, plan};
use crate::bench::cluster::{self, Cluster};
use crate::bench::latency::per;
use crate::bench::options::{Common, Nodes};
use crate::bench::people;
use crate::bench::progress;
use crate::bench::reference::Injected;
use crate::bench::report::Report;
use crate::bench::worker::crew::Worker;
use crate::bench::worker::order::{FanOut, Sent, Session};

const WARM_UP: usize = 50;
/// The two metrics: envelopes with events, and all envelopes.
const FAN_OUT: &str = "rookery_cluster_fan_out_envelopes_total";
const SENT: &str = "rookery_link_envelopes_sent_total";

/// What is measured.
#[derive(Args, Clone, Debug)]
pub(in crate::bench) struct Options {
    #[command(flatten)]
    pub(in crate::bench) common: Common,
    #[command(flatten)]
    nodes: Nodes,
    /// How many members listen: all on the room's node, or all on one other.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=5_000))]
    members: u64,
    /// How many messages are on their way at once.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_024))]
    in_flight: u64,
    /// Seconds of each run.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Runs of each, in turns.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=99))]
    runs: u64,
    /// Bytes of the body of each message.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u64).range(30..=16_384))]
    body_bytes: u64,
}

/// A run, and the envelopes of it: with events, and all.
struct Run {
    sent: Sent,
    envelopes: [f64; 2],
}

impl Run {
    fn micros(&self) -> f64 {
        cpu_per_delivery(&self.sent).unwrap_or_default()
    }

    fn envelopes_per_message(&self, which: usize) -> f64 {
        per(self.envelopes[which], self.sent.messages as f64 + WARM_UP as f64)
    }
}

/// Runs the bench.
pub(in crate::bench) async fn run(options: Options, injected: Injected) -> anyhow::Result<()> {
    let runs =
        cluster::with(&options.common, &options.nodes, injected, async |cluster| fan_out(&options, cluster).await)
            .await?;
    let mut report = Report::new("across");
    report.count("nodes", "nodes", options.nodes.nodes, "");
    report.count("members", "members of the room", options.members, "");
    report.count("in_flight", "messages on their way at once", options.in_flight, "");
    for (key, label, of) in [("near", "on the room's node", 0), ("far", "on another node", 1)] {
        let micros = middle(runs.iter().map(|pair| pair[of].micros()));
        report.number(&format!("{key}_cpu_micros"), &format!("{label}: processor time per delivery"), micros, "µs");
        let (events, all) = (0, 1);
        let envelopes = |which| middle(runs.iter().map(|pair| pair[of].envelopes_per_message(which)));
        report.number(
            &format!("{key}_envelopes"),
            &format!("{label}: envelopes with events"),
            envelopes(events),
            "per message",
        );
        report.number(
            &format!("{key}_all_envelopes"),
            &format!("{label}: all envelopes"),
            envelopes(all),
            "per message",
        );
        if let Some(pair) = runs.last() {
            report.latency(&format!("{key}_delivery"), &format!("{label}: delivery"), pair[of].sent.latency);
        }
        runs.iter().for_each(|pair| report.troubles(label, &pair[of].sent.troubles));
    }
    let added: Vec<f64> = runs.iter().map(|[near, far]| far.micros() - near.micros()).collect();
    report.number("added_cpu_micros", "crossing adds, per delivery", middle(added.iter().copied()), "µs");
    report.number("added_lowest", "… lowest", added.iter().copied().fold(f64::INFINITY, f64::min), "µs");
    report.number("added_highest", "… highest", added.iter().copied().fold(f64::NEG_INFINITY, f64::max), "µs");
    report.print(&options.common)
}

fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

async fn fan_out(options: &Options, cluster: &mut Cluster) -> anyhow::Result<Vec<[Run; 2]>> {
    // One more, who sends from the room's own node.
    let members = options.members as usize + 1;
    let rest = &cluster.node(0)?.rest;
    let people = people::accounts(rest, members, &people::password()).await?;
    let groups = [(0..members).collect::<Vec<_>>()];
    let places = people::rooms(rest, &people, &groups).await?;
    let place = places.first().context("no room")?;
    let owner = cluster.owner(&place.id).await?;
    let other = (owner + 1) % cluster.size();
    let order = FanOut {
        room: place.id.clone(),
        body_bytes: options.body_bytes as usize,
        bare_frame_bytes: None,
        messages: usize::MAX,
        in_flight: options.in_flight as usize,
        rate: None,
        seconds: options.seconds,
        warm_up: WARM_UP,
        pids: [owner, other].iter().filter_map(|node| cluster.node(*node).ok()?.pid).collect(),
    };
    let mut sessions = people::sessions(&people, &groups, &places);
    let mut worker = Worker::start(0, options.common.client_processor())?;
    let bar = progress::bar("runs", options.runs as usize);
    let mut runs = Vec::new();
    for _ in 0..options.runs {
        let near = one(cluster, &mut worker, &mut sessions, (owner, owner), &order).await?;
        let far = one(cluster, &mut worker, &mut sessions, (owner, other), &order).await?;
        runs.push([near, far]);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(runs)
}

/// One run with the sender on the room's node and the members on that or another one.
async fn one(
    cluster: &Cluster,
    worker: &mut Worker,
    sessions: &mut [Session],
    (owner, members): (usize, usize),
    order: &FanOut,
) -> anyhow::Result<Run> {
    let mut connect = plan(cluster.node(members)?.address, 128, 120);
    connect.source = worker.source;
    connect.sessions = sessions.to_vec();
    if let Some(sender) = connect.sessions.first_mut() {
        sender.address = Some(cluster.node(owner)?.address);
    }
    all_live(&[worker.connect(connect).await?], sessions.len())?;
    let before = [cluster.metric(FAN_OUT).await?, cluster.metric(SENT).await?];
    let sent = worker.fan_out(order.clone()).await?;
    let after = [cluster.metric(FAN_OUT).await?, cluster.metric(SENT).await?];
    worker.drop_all().await?;
    // So far everybody is: the next run begins there.
    let head = sent.messages + WARM_UP as u64;
    sessions.iter_mut().flat_map(|session| &mut session.cursors).for_each(|(_, cursor)| *cursor += head);
    Ok(Run { sent, envelopes: [after[0] - before[0], after[1] - before[1]] })
}
