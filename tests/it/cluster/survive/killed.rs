//! The owner of busy rooms is killed with -9, again and again.

use std::time::Duration;

use super::{load::Load, nodes::Cluster};

/// What is asserted. The failure detector takes three seconds by default, and more on a machine that is too busy to gossip;
/// how long it took is printed.
const WRITABLE_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_of_busy_rooms_is_killed_and_another_goes_on() {
    let mut cluster = Cluster::start(&["n1", "n2", "n3"]).await;
    let load = Load::on(&cluster).await;
    load.run.more_acks(100).await;
    for _ in 0..3 {
        let owner = cluster.busiest(&load.run.rooms).await;
        let orphans = cluster.living_on(&owner, &load.run.rooms).await;
        cluster.kill(&owner);
        load.run.lead_to(cluster.urls());
        let at = cluster.other_than(&[]);
        let took = futures_util::future::join_all(orphans.iter().map(|room| load.writable(room, at))).await;
        println!("{owner} was killed with {} rooms; writable again after {took:.2?}", orphans.len());
        assert!(took.iter().all(|time| *time < WRITABLE_WITHIN), "{took:?}");
        load.run.more_acks(50).await;
        cluster.begin(&owner).await;
        load.run.lead_to(cluster.urls());
        cluster.whole().await;
        load.run.more_acks(50).await;
    }
    println!("refused: {:?}", load.refusals());
    load.judge(&cluster).await;
}
