//! Who is there, by gossip between real nodes: coming, leaving, dying, pausing, and strangers on the same port.

use std::time::{Duration, Instant};

use rookery::cluster::credentials::Secret;
use serde_json::json;
use tokio::net::UdpSocket;

use super::node::{Files, overwrite, pair};

#[tokio::test]
async fn nodes_come_and_leave_and_say_what_they_do() {
    let files = Files::make("birds", &["a", "b", "c"]);
    let (mut a, mut b) = pair(&files).await;
    let mut c = files.start("c", &[&b]).await;
    for node in [&mut a, &mut b, &mut c] {
        node.until("three members", |state| state.members() == ["a", "b", "c"]).await;
    }
    c.order(json!({ "order": "drain", "on": true })).await;
    a.until("that c drains", |state| state.member("c").is_some_and(|member| member["draining"] == true)).await;
    c.order(json!({ "order": "drain", "on": false })).await;
    a.until("that c does not drain", |state| state.member("c").is_some_and(|member| member["draining"] == false)).await;

    let (peer, leaving) = (c.peer(), Instant::now());
    c.leave().await;
    a.until("that c left", |state| state.members() == ["a", "b"]).await;
    assert!(
        leaving.elapsed() < Duration::from_secs(3),
        "a node that leaves need not be found out: {:?}",
        leaving.elapsed()
    );
    a.down(&peer).await;
}

#[tokio::test]
async fn a_killed_node_is_found_out_and_its_next_life_is_another() {
    let files = Files::make("birds", &["a", "b"]);
    let (mut a, mut b) = pair(&files).await;
    b.until("both", |state| state.members() == ["a", "b"]).await;
    a.until("both", |state| state.members() == ["a", "b"]).await;
    let old = b.peer();
    b.kill().await;
    a.down(&old).await;
    a.until("that b is gone", |state| state.members() == ["a"]).await;
    let b = files.start("b", &[&a]).await;
    assert!(b.incarnation > old.incarnation);
    let state = a.until("b again", |state| state.members() == ["a", "b"]).await;
    assert_eq!(state.member("b").unwrap()["incarnation"], b.incarnation);
    a.up(&b).await;
}

#[tokio::test]
async fn a_node_that_restarts_at_once_has_one_life_in_the_view_of_others() {
    let files = Files::make("birds", &["a", "b"]);
    let (mut a, b) = pair(&files).await;
    b.kill().await;
    let b = files.start("b", &[&a]).await;
    let state = a
        .until("the new life", |state| state.member("b").is_some_and(|member| member["incarnation"] == b.incarnation))
        .await;
    assert_eq!(state.members(), ["a", "b"]);
}

#[tokio::test]
async fn two_processes_under_one_name_are_told_of_each_other() {
    let files = Files::make("birds", &["a", "b"]);
    let (a, mut b) = pair(&files).await;
    let twin = files.start("b", &[&a]).await;
    assert!(twin.incarnation > b.incarnation);
    b.until("that it is superseded", |state| state.0["superseded"] == true).await;
}

/// The same certificates, but a secret of another cluster with the same name: their gossip cannot even be read.
#[tokio::test]
async fn a_node_with_another_secret_is_not_there() {
    let files = Files::make("birds", &["a", "b", "c"]);
    overwrite(&files.of("c").join("secret"), Secret::generate("birds").unwrap().reveal().as_bytes());
    let (mut a, mut b) = pair(&files).await;
    let mut c = files.start("c", &[&a, &b]).await;
    let foreign = "rookery_gossip_refused_total{reason=\"foreign\"}";
    a.until("datagrams of c", |state| state.counted(foreign) > 5).await;
    for (node, members) in [(&mut a, vec!["a", "b"]), (&mut b, vec!["a", "b"]), (&mut c, vec!["c"])] {
        assert_eq!(node.state().await.members(), members);
    }
}

/// Datagrams of strangers, ones that are cut off or repeated: counted, and the members stay.
#[tokio::test]
async fn garbage_on_the_gossip_port_harms_nobody() {
    let files = Files::make("birds", &["a", "b"]);
    let (mut a, mut b) = pair(&files).await;
    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut sent = 0;
    for length in (0..1_500).step_by(7).chain([9_000, 40_000, 65_507]) {
        let garbage: Vec<u8> = (0..length).map(|n| u8::try_from((n * 31 + length) % 256).unwrap()).collect();
        stranger.send_to(&garbage, a.address).await.unwrap();
        sent += 1;
    }
    let foreign = "rookery_gossip_refused_total{reason=\"foreign\"}";
    // The kernel may drop some of a burst.
    a.until("that most were counted", |state| state.counted(foreign) > sent / 2).await;
    for node in [&mut a, &mut b] {
        node.until("both", |state| state.members() == ["a", "b"] && state.links().len() == 1).await;
    }
}
