//! Nodes are stopped in an orderly way and start again, join and leave, while everybody goes on talking.

use std::collections::BTreeMap;

use rookery_core::ids::RoomId;
use rookery_core::placement::{NodeId, Placement};

use super::{
    load::Load,
    nodes::{Cluster, until},
};
use crate::support::{history::Entry, load::Outcome};

/// How many connections there were.
fn connections(outcome: &Outcome) -> u64 {
    let numbers = outcome.entries.iter().filter_map(|entry| match entry {
        Entry::Hears { connection, .. } => Some(*connection),
        _ => None,
    });
    numbers.max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_nodes_are_restarted_one_after_the_other_and_no_send_is_refused() {
    let mut cluster = Cluster::start(&["n1", "n2", "n3"]).await;
    let load = Load::on(&cluster).await;
    load.run.more_acks(50).await;
    for name in cluster.names() {
        cluster.stop(&name).await;
        load.run.lead_to(cluster.urls());
        load.run.more_acks(30).await;
        cluster.begin(&name).await;
        load.run.lead_to(cluster.urls());
        cluster.whole().await;
        load.run.more_acks(30).await;
    }
    assert_eq!(load.refused_by_nodes(), BTreeMap::new(), "a restart refuses nothing");
    let callers = load.run.people.len() as u64;
    let outcome = load.judge(&cluster).await;
    assert!(connections(&outcome) >= callers * 2, "everybody came back on another node");
}

/// The name of a node to whom some of these rooms would go if it joined.
fn attractive(rooms: &[String], names: &[String]) -> String {
    let mut candidates = (3..).map(|number| format!("n{number}"));
    let attracts = |candidate: &String| {
        let mut placement = Placement::new();
        for name in names.iter().chain([candidate]) {
            placement.set(&NodeId::from(name.as_str()), false);
        }
        let goes = |room: &&String| {
            let room: RoomId = room.parse().expect("an id");
            placement.owner(room.shard()).is_some_and(|owner| *owner.0 == **candidate)
        };
        let count = rooms.iter().filter(goes).count();
        count >= 2 && count < rooms.len()
    };
    candidates.find(attracts).expect("there are many names")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_move_to_a_node_that_joins_and_away_when_it_leaves_without_a_refused_send() {
    let mut cluster = Cluster::start(&["n1", "n2"]).await;
    let load = Load::on(&cluster).await;
    load.run.more_acks(50).await;
    let newcomer = attractive(&load.run.rooms, &cluster.names());
    for _ in 0..2 {
        cluster.begin(&newcomer).await;
        load.run.lead_to(cluster.urls());
        cluster.whole().await;
        until("rooms to be held by the newcomer", || async {
            (!load.held_by(&newcomer).await.is_empty()).then_some(())
        })
        .await;
        load.run.more_acks(50).await;
        cluster.stop(&newcomer).await;
        load.run.lead_to(cluster.urls());
        cluster.whole().await;
        assert_eq!(load.held_by(&newcomer).await, Vec::<String>::new(), "it has given all back");
        load.run.more_acks(50).await;
    }
    assert_eq!(load.refused_by_nodes(), BTreeMap::new(), "moving refuses nothing");
    load.judge(&cluster).await;
}
