//! Two lives of one node at once, and two nodes that claim the same shards.

use std::time::Duration;

use serde_json::json;

use super::{load::Load, nodes::Cluster};
use crate::support::eventually;

const WRITABLE_WITHIN: Duration = Duration::from_secs(10);

/// The old process sleeps, so that its connections stay open and silent, as those of a machine that has vanished.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_comes_back_under_its_name_while_its_old_connections_hang() {
    let mut cluster = Cluster::start(&["n1", "n2", "n3"]).await;
    let load = Load::on(&cluster).await;
    load.run.more_acks(50).await;
    let name = cluster.busiest(&load.run.rooms).await;
    let rooms = cluster.living_on(&name, &load.run.rooms).await;
    let mut old = cluster.take(&name);
    old.signal("-STOP");
    cluster.begin(&name).await;
    load.run.lead_to(cluster.urls());
    let at = cluster.node(&name);
    let took = futures_util::future::join_all(rooms.iter().map(|room| load.writable(room, at))).await;
    println!("{name} came back; its {} rooms took messages after {took:.2?}", rooms.len());
    assert!(took.iter().all(|time| *time < WRITABLE_WITHIN), "{took:?}");
    cluster.whole().await;
    load.run.more_acks(50).await;
    old.signal("-CONT");
    let status = old.ended().await;
    assert!(old.log().contains("under the name of this node"), "{status}: it says why it ends");
    cluster.whole().await;
    load.run.more_acks(50).await;
    load.judge(&cluster).await;
}

/// Two operators move the same shards to two nodes, again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_that_claim_the_same_shards_at_once_take_turns() {
    let cluster = Cluster::start(&["n1", "n2"]).await;
    let load = Load::on(&cluster).await;
    let admins = ["n1", "n2"].map(|name| (name, super::super::stores::operator(cluster.node(name))));
    let mut shards = Vec::new();
    for room in &load.run.rooms {
        shards.push(cluster.place(room).await.0);
    }
    for _ in 0..6 {
        for shard in &shards {
            let order = async |(name, admin): &(&str, crate::support::rest::Rest)| {
                admin.post(&format!("/shards/{shard}/move"), json!({"to": name})).await.body(200);
            };
            futures_util::future::join(order(&admins[0]), order(&admins[1])).await;
        }
        load.run.more_acks(20).await;
    }
    for shard in &shards {
        eventually("both nodes to agree where the shard lives", || async {
            let mut owners = Vec::new();
            for (_, admin) in &admins {
                let all = admin.list("/shards?limit=200").await;
                owners
                    .push(all.into_iter().find(|shown| shown["shard"] == *shard).expect("the shard")["owner"].clone());
            }
            (owners[0] == owners[1]).then_some(())
        })
        .await;
    }
    load.run.more_acks(20).await;
    println!("refused: {:?}", load.refusals());
    load.judge(&cluster).await;
}
