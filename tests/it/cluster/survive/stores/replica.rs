//! One of three nodes of Cassandra is killed and comes back, and then another one dies: chats go on over the two that are left.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::services::Services;
use crate::cluster::survive::{
    load::Load,
    nodes::{Cluster, turn},
};

/// How much longer than usual a message may take, in any room and at any node, whatever replica is away. What is usual is
/// measured before: a machine that is busy with other things too may take seconds for everything.
const LONGER: Duration = Duration::from_secs(5);
/// How often it is measured what is usual.
const USUALLY: usize = 5;
/// What is told when a message takes longer.
const REMARKABLE: Duration = Duration::from_secs(1);
/// How long a replica stays dead: longer than the others need to find that out.
const DEAD: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_of_the_log_is_killed_and_comes_back_and_nothing_is_lost_or_stops() {
    let turn = turn().await;
    let begun = Instant::now();
    let services = Services::start(3).await;
    let (postgres, cql) = services.addresses().await;
    let cluster = Cluster::start_over(turn, postgres, cql, &["n1", "n2"]).await;
    let load = Load::on(&cluster).await;
    load.run.more_acks(100).await;
    let mut usual = Duration::ZERO;
    for _ in 0..USUALLY {
        usual = usual.max(slowest(&load, &cluster).await);
    }
    println!("three replicas and two nodes are there after {:.2?}; messages take up to {usual:.2?}", begun.elapsed());
    services.signal_cassandra(2, "-KILL");
    let killed = Instant::now();
    let mut longest = slowest(&load, &cluster).await;
    println!("a replica was killed; every room takes messages at every node after {longest:.2?}");
    while killed.elapsed() < DEAD {
        longest = longest.max(slowest(&load, &cluster).await);
    }
    assert!(longest < usual * 2 + LONGER, "{longest:?}, and {usual:?} before");
    longest = longest.max(while_it_starts(&services, &load, &cluster).await);
    println!("it is back after {:.2?}; no message took longer than {longest:.2?}", killed.elapsed());
    load.run.more_acks(100).await;
    // What the first has missed is there when the next one dies.
    services.signal_cassandra(3, "-KILL");
    let took = slowest(&load, &cluster).await;
    println!("another one was killed; every room takes messages at every node after {took:.2?}");
    assert!(took < usual * 2 + LONGER, "{took:?}, and {usual:?} before");
    load.run.more_acks(100).await;
    println!("refused: {:?}", load.refusals());
    load.judge(&cluster).await;
    println!("{:.2?} in all", begun.elapsed());
}

/// Starts what does not run; the slowest message meanwhile.
async fn while_it_starts(services: &Services, load: &Load, cluster: &Cluster) -> Duration {
    let coming_back = services.up();
    tokio::pin!(coming_back);
    let mut longest = Duration::ZERO;
    loop {
        tokio::select! {
            () = &mut coming_back => return longest,
            took = slowest(load, cluster) => longest = longest.max(took),
        }
    }
}

/// How long the slowest room takes for a message, over all nodes.
async fn slowest(load: &Load, cluster: &Cluster) -> Duration {
    let servers = cluster.servers();
    let all = servers.iter().flat_map(|server| load.run.rooms.iter().map(|room| load.writable(room, server)));
    let slowest = join_all(all).await.into_iter().max().expect("a room");
    if slowest > REMARKABLE {
        println!("a message took {slowest:.2?}");
    }
    slowest
}
