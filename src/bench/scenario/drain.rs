//! A node with many rooms gives them away under load: how long each takes no messages, and whether anything is refused.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use serde_json::Value;

use crate::bench::cluster::diary::{Diary, Said};
use crate::bench::cluster::history::Judgement;
use crate::bench::cluster::stage::{PATIENCE, Stage, describe};
use crate::bench::cluster::{self, Cluster, name};
use crate::bench::latency::{Latencies, now};
use crate::bench::options::{Common, Nodes};
use crate::bench::people::{self, Person, Place};
use crate::bench::progress;
use crate::bench::reference::Injected;
use crate::bench::report::Report;

/// The node that drains. Not the one that is asked about everything.
const DRAINED: usize = 1;
/// Rooms of one person until one of them lives where it should.
const TRIES: usize = 100;
const AT_ONCE: usize = 16;
/// Between two looks at the node that drains.
const LOOK: Duration = Duration::from_millis(100);
/// What still belongs to the drain after the last shard is gone.
const AFTER: Duration = Duration::from_secs(2);

/// What is measured.
#[derive(Args, Clone, Debug)]
pub(in crate::bench) struct Options {
    #[command(flatten)]
    pub(in crate::bench) common: Common,
    #[command(flatten)]
    nodes: Nodes,
    /// How many rooms the node has that drains; in each somebody speaks.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=5_000))]
    rooms: u64,
    /// Milliseconds between an ack and the next message of the same speaker.
    #[arg(long, default_value_t = 500)]
    pause_millis: u64,
    /// Seconds under load before the drain.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
}

/// What happened.
struct Drained {
    began: u64,
    ended: u64,
    diaries: Vec<Diary>,
    judgement: Judgement,
}

/// Runs the bench.
pub(in crate::bench) async fn run(options: Options, injected: Injected) -> anyhow::Result<()> {
    let drained =
        cluster::with(&options.common, &options.nodes, injected, async |cluster| drain(&options, cluster).await)
            .await?;
    let Drained { began, ended, diaries, judgement } = &drained;
    let mut report = Report::new("drain");
    report.count("nodes", "nodes", options.nodes.nodes, "");
    report.count("rooms", "rooms of the node that drains", options.rooms, "");
    report.number("drain_seconds", "until the node had no shards", (ended - began) as f64 / 1e9, "s");
    let (mut before, mut pauses) = (Latencies::new(), Latencies::new());
    for diary in diaries {
        let quiet = diary.said.iter().filter(|said| said.acked.is_some_and(|(at, _)| at < *began));
        quiet.for_each(|said| before.record(said.first, said.acked.map_or(0, |(at, _)| at)));
        let last = ended + AFTER.as_nanos() as u64;
        if let Some((from, to)) = longest(&diary.said, *began, last) {
            pauses.record(from, to);
        }
    }
    report.latency("before", "ack of a message before the drain", before.summary());
    report.latency("pause", "longest wait in each room during the drain", pauses.summary());
    let mut codes: BTreeMap<&str, u64> = BTreeMap::new();
    diaries.iter().flat_map(|diary| &diary.refused).for_each(|(_, code)| *codes.entry(code).or_default() += 1);
    report.count("refused", "refused sends", codes.values().sum(), "");
    if !codes.is_empty() {
        report.trouble(format!("sends were refused: {codes:?}"));
    }
    describe(&mut report, diaries, judgement);
    report.print(&options.common)
}

/// The message that waited longest of those that waited at some time between two: from when to when.
fn longest(said: &[Said], began: u64, ended: u64) -> Option<(u64, u64)> {
    let waits = said.iter().filter_map(|said| Some((said.first, said.acked?.0)));
    waits.filter(|(first, acked)| *acked > began && *first < ended).max_by_key(|(first, acked)| acked - first)
}

async fn drain(options: &Options, cluster: &mut Cluster) -> anyhow::Result<Drained> {
    ensure!(cluster.size() > DRAINED, "a node cannot drain alone");
    let rest = cluster.node(0)?.rest.clone();
    let people = people::accounts(&rest, options.rooms as usize, &people::password()).await?;
    let rooms = rooms_there(cluster, &people).await?;
    let stage = Stage::open(cluster, rooms, Duration::from_millis(options.pause_millis)).await?;
    let spinner = progress::spinner("draining under load");
    tokio::time::sleep(Duration::from_secs_f64(options.seconds)).await;
    let began = now();
    let drained = name(DRAINED);
    let route = ["admin", "v1", "nodes", &drained, "drain"];
    let _: Value = cluster.node(0)?.admin()?.ask(Method::POST, &route, &[], None).await.context("the drain")?;
    let deadline = Instant::now() + PATIENCE;
    while cluster.shards_of(DRAINED).await? > 0 {
        ensure!(Instant::now() < deadline, "the node does not get rid of its shards");
        tokio::time::sleep(LOOK).await;
    }
    let ended = now();
    tokio::time::sleep(AFTER).await;
    spinner.finish_and_clear();
    let (diaries, judgement) = stage.close(cluster).await?;
    Ok(Drained { began, ended, diaries, judgement })
}

/// A room for each person that lives on the node that is to drain.
async fn rooms_there(cluster: &Cluster, people: &[Person]) -> anyhow::Result<Vec<(Place, Vec<Person>)>> {
    let bar = progress::bar("rooms", people.len());
    let rest = &cluster.node(0)?.rest;
    let rooms = stream::iter(people)
        .map(|person| {
            let (rest, bar) = (rest.with_token(&person.token), &bar);
            async move {
                for _ in 0..TRIES {
                    let made = rest.create_group("drained", false, &[]).await?;
                    if cluster.owner(&made.id).await? == DRAINED {
                        bar.inc(1);
                        let place = Place { id: made.id, head: made.head };
                        return anyhow::Ok((place, vec![person.clone()]));
                    }
                }
                anyhow::bail!("no room comes to live on {}", name(DRAINED))
            }
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    bar.finish_and_clear();
    Ok(rooms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_wait_is_one_that_reaches_into_the_drain() {
        let said = |first, acked| Said { client_id: String::new(), first, acked: Some((acked, 1)) };
        let all = [said(0, 90), said(95, 130), said(140, 150), said(160, 400)];
        assert_eq!(longest(&all, 100, 155), Some((95, 130)));
        assert_eq!(longest(&all, 100, 200), Some((160, 400)));
        assert_eq!(longest(&all, 500, 600), None);
    }
}
