//! Durable sends over several nodes, beside the driver alone writing the same rows to the same servers.

use super::{Options, describe, order};
use crate::bench::cluster::{self, Cluster};
use crate::bench::latency::{Latencies, per};
use crate::bench::people;
use crate::bench::progress;
use crate::bench::reference::{GroupCommitFigures, Injected, Rows, Way};
use crate::bench::report::Report;
use crate::bench::scenario::{all_live, plan};
use crate::bench::worker::crew::Worker;
use crate::bench::worker::order::Sent;

/// What came of one turn.
struct Turn {
    sent: Sent,
    driver: Option<GroupCommitFigures>,
}

impl Turn {
    fn acks(&self) -> f64 {
        per(self.sent.messages as f64, self.sent.seconds)
    }

    fn rows(&self) -> Option<f64> {
        self.driver.as_ref().map(|driver| per(driver.events as f64, driver.seconds))
    }
}

/// Runs the bench.
pub(super) async fn run(options: &Options, injected: Injected) -> anyhow::Result<()> {
    let mut turns = cluster::with(&options.common, &options.nodes, injected, async |cluster| {
        take(options, injected, cluster).await
    })
    .await?;
    let mut report = Report::new("send");
    report.count("nodes", "nodes", options.nodes.nodes, "");
    turns.iter().for_each(|turn| report.troubles("sending", &turn.sent.troubles));
    turns.sort_by(|one, other| one.acks().total_cmp(&other.acks()));
    let Some(middle) = turns.get(turns.len() / 2) else { anyhow::bail!("no turn was taken") };
    describe(&mut report, options, &middle.sent);
    let mut drivers: Vec<f64> = turns.iter().filter_map(Turn::rows).collect();
    let mut ratios: Vec<f64> = turns.iter().filter_map(|turn| Some(per(turn.acks(), turn.rows()?))).collect();
    drivers.sort_by(f64::total_cmp);
    ratios.sort_by(f64::total_cmp);
    if let (Some(rows), Some(ratio)) = (drivers.get(drivers.len() / 2), ratios.get(ratios.len() / 2)) {
        report.number("driver_per_second", "the driver alone, the same rows", *rows, "rows/s");
        if let Some(driver) = &middle.driver {
            let mut latencies = Latencies::new();
            driver.waits_micros.iter().for_each(|wait| latencies.record(0, wait * 1_000));
            report.latency("driver", "… wait of a producer", latencies.summary());
        }
        report.number("ratio_to_driver", "acks / rows of the driver, of the same turn", *ratio, "");
        report.number("ratio_lowest", "… lowest", ratios.first().copied().unwrap_or_default(), "");
        report.number("ratio_highest", "… highest", ratios.last().copied().unwrap_or_default(), "");
    }
    report.print(&options.common)
}

async fn take(options: &Options, injected: Injected, cluster: &mut Cluster) -> anyhow::Result<Vec<Turn>> {
    let rooms = options.rooms as usize;
    let rest = &cluster.node(0)?.rest;
    let people = people::accounts(rest, rooms, &people::password()).await?;
    let groups = people::groups(rooms, 1, 1);
    let places = people::rooms(rest, &people, &groups).await?;
    let mut room_of = vec![String::new(); rooms];
    for (group, place) in groups.iter().zip(&places) {
        room_of[group[0]].clone_from(&place.id);
    }
    let mut worker = Worker::start(0, options.common.client_processor())?;
    let mut plan = plan(cluster.node(0)?.address, 128, 120);
    plan.source = worker.source;
    plan.sessions = people::sessions(&people, &groups, &places);
    // One sender after the other on each node, wherever its room lives.
    let addresses: Vec<_> = cluster.running().map(|(_, server)| server.address).collect();
    for (session, address) in plan.sessions.iter_mut().zip(addresses.iter().cycle()) {
        session.address = Some(*address);
    }
    all_live(&[worker.connect(plan).await?], rooms)?;
    let request = Rows {
        place: cluster.place().clone(),
        way: Way::Driver,
        producers: options.in_flight as usize,
        rooms,
        body_bytes: options.body_bytes as usize,
        seconds: options.seconds,
    };
    let bar = progress::bar("turns", options.runs as usize);
    let mut turns = Vec::new();
    for _ in 0..options.runs {
        let sent = worker.send(order(options, room_of.clone(), cluster.pids())).await?;
        let request = request.clone();
        let driver = match options.no_reference {
            true => None,
            false => Some(tokio::task::spawn_blocking(move || (injected.rows)(&request)).await??),
        };
        turns.push(Turn { sent, driver });
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(turns)
}
