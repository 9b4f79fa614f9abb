//! The owner of busy rooms is killed, again and again: how long its rooms take no messages, and whether anything is lost.

use std::time::Duration;

use anyhow::ensure;
use clap::Args;

use crate::bench::cluster::diary::Diary;
use crate::bench::cluster::history::Judgement;
use crate::bench::cluster::stage::{PATIENCE, Stage, describe};
use crate::bench::cluster::{self, Cluster, name};
use crate::bench::latency::{Latencies, now};
use crate::bench::options::{Common, Nodes};
use crate::bench::reference::Injected;
use crate::bench::report::Report;
use crate::bench::{people, progress};

/// An ack that comes so soon after the kill had left the node before it.
const ON_THE_WAY: u64 = 50_000_000;

/// What is measured.
#[derive(Args, Clone, Debug)]
pub(in crate::bench) struct Options {
    #[command(flatten)]
    pub(in crate::bench) common: Common,
    #[command(flatten)]
    nodes: Nodes,
    /// How many times a node is killed, one node after the other.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    kills: u64,
    /// How many rooms there are, over all nodes.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    rooms: u64,
    /// How many people speak in each, each on another node.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=9))]
    speakers: u64,
    /// Milliseconds between an ack and the next message of the same speaker.
    #[arg(long, default_value_t = 100)]
    pause_millis: u64,
    /// Milliseconds of peace before each kill, with all nodes there.
    #[arg(long, default_value_t = 1_000)]
    peace_millis: u64,
}

/// A kill: when, and whose rooms.
struct Kill {
    at: u64,
    rooms: Vec<usize>,
}

/// Runs the bench.
pub(in crate::bench) async fn run(options: Options, injected: Injected) -> anyhow::Result<()> {
    let (kills, diaries, judgement) =
        cluster::with(&options.common, &options.nodes, injected, async |cluster| kill_all(&options, cluster).await)
            .await?;
    let mut report = Report::new("kill");
    report.count("nodes", "nodes", options.nodes.nodes, "");
    report.count("kills", "kills", kills.len() as u64, "");
    let (mut rooms, mut slowest) = (Latencies::new(), Latencies::new());
    for (number, kill) in kills.iter().enumerate() {
        let back = kill.rooms.iter().map(|room| (*room, back(&diaries, *room, kill.at)));
        let mut last = kill.at;
        for (room, at) in back {
            match at {
                Some(at) => {
                    rooms.record(kill.at, at);
                    last = last.max(at);
                }
                None => report.trouble(format!("room {room} took no message after kill {}", number + 1)),
            }
        }
        slowest.record(kill.at, last);
    }
    report.count(
        "rooms_of_victims",
        "rooms of killed nodes",
        kills.iter().map(|kill| kill.rooms.len() as u64).sum(),
        "",
    );
    report.latency("room_back", "a room takes messages again, after", rooms.summary());
    report.latency("all_back", "the last room of a kill, after", slowest.summary());
    let refused = diaries.iter().map(|diary| diary.refused.len() as u64).sum();
    report.count("refused", "refused meanwhile, and sent again", refused, "");
    describe(&mut report, &diaries, &judgement);
    report.print(&options.common)
}

/// When a room first acknowledged something after a kill.
fn back(diaries: &[Diary], room: usize, killed: u64) -> Option<u64> {
    let said = diaries.iter().filter(|diary| diary.room == room).flat_map(|diary| &diary.said);
    said.filter_map(|said| said.acked).map(|(at, _)| at).filter(|at| *at > killed + ON_THE_WAY).min()
}

async fn kill_all(options: &Options, cluster: &mut Cluster) -> anyhow::Result<(Vec<Kill>, Vec<Diary>, Judgement)> {
    let (rooms, each) = (options.rooms as usize, options.speakers as usize);
    let rest = cluster.node(0)?.rest.clone();
    let people = people::accounts(&rest, rooms * each, &people::password()).await?;
    let groups = people::groups(rooms * each, 1, each);
    let places = people::rooms(&rest, &people, &groups).await?;
    let of = |group: &Vec<usize>| group.iter().map(|person| people[*person].clone()).collect();
    let rooms: Vec<_> = places.iter().cloned().zip(groups.iter().map(of)).collect();
    let stage = Stage::open(cluster, rooms, Duration::from_millis(options.pause_millis)).await?;
    let mut kills = Vec::new();
    let bar = progress::bar("kills", options.kills as usize);
    for number in 0..options.kills as usize {
        tokio::time::sleep(Duration::from_millis(options.peace_millis)).await;
        let victim = number % cluster.size();
        let mut of_victim = Vec::new();
        for (room, place) in places.iter().enumerate() {
            if cluster.owner(&place.id).await? == victim {
                of_victim.push(room);
            }
        }
        ensure!(!of_victim.is_empty(), "no room lives on {}: use more --rooms", name(victim));
        let at = now();
        cluster.kill(victim).await?;
        stage.scene.urls.send_replace(cluster.urls());
        // What does not come back is told by the diaries.
        stage.scene.all_acked(&of_victim, at + ON_THE_WAY, PATIENCE).await;
        kills.push(Kill { at, rooms: of_victim });
        cluster.start(&options.common, victim).await?;
        stage.scene.urls.send_replace(cluster.urls());
        cluster.see_each_other().await?;
        let all: Vec<usize> = (0..places.len()).collect();
        ensure!(stage.scene.all_acked(&all, now(), PATIENCE).await, "not every room takes messages again");
        bar.inc(1);
    }
    bar.finish_and_clear();
    let (diaries, judgement) = stage.close(cluster).await?;
    Ok((kills, diaries, judgement))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::cluster::diary::Said;

    #[test]
    fn an_ack_that_was_on_its_way_does_not_count_as_back() {
        let second = 1_000_000_000;
        let said = |at| Said { client_id: String::new(), first: 0, acked: Some((at, 1)) };
        let of =
            |room, times: &[u64]| Diary { room, said: times.iter().copied().map(said).collect(), ..Diary::default() };
        let diaries = [of(0, &[second, second + 1_000_000, 4 * second]), of(0, &[3 * second]), of(1, &[2 * second])];
        assert_eq!(back(&diaries, 0, second), Some(3 * second));
        assert_eq!(back(&diaries, 1, 2 * second), None);
    }
}
