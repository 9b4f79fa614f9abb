//! The owner of busy rooms is stopped for longer than the failure detector waits, and goes on later.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    load::Load,
    nodes::{Cluster, until},
};
use crate::support::{client_id, history::Entry, person::Person, socket::Socket};

/// As for a node that was killed.
const WRITABLE_WITHIN: Duration = Duration::from_secs(10);

/// Says something on a connection, without waiting for the answer.
async fn murmur(load: &Load, person: &Person, socket: &mut Socket, room: &str) -> String {
    let id = client_id();
    let body = format!("said to a node that sleeps: {id}");
    load.run.line.history.record(Entry::Invoke {
        connection: 0,
        sender: person.id.clone(),
        room: room.to_owned(),
        client_id: id.clone(),
        body: body.clone(),
    });
    socket.send(json!({"type": "send", "room": room, "client_id": id, "body": body})).await;
    id
}

/// Waits for the answer to each: an ack, or that it was not taken for now, and then it never appears.
async fn answered(load: &Load, socket: &mut Socket, ids: &[String]) {
    for id in ids {
        let answers = |frame: &Value| {
            ["ack", "nack"].contains(&frame["type"].as_str().unwrap_or_default()) && frame["client_id"] == id.as_str()
        };
        let answer = socket.find("the answer to what was said to a node that slept", answers).await;
        if answer["type"] == "nack" {
            assert_eq!((&answer["code"], &answer["retry"]), (&json!("unavailable"), &json!("later")), "{answer}");
            load.run.line.history.record(Entry::Nack { client_id: id.clone(), why: answer.to_string() });
            continue;
        }
        let (room, seq) = (answer["room"].as_str().expect("a room").to_owned(), answer["seq"].as_u64().expect("a seq"));
        load.run.line.history.record(Entry::Ack { room, client_id: id.clone(), seq });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_that_was_stopped_for_long_commits_nothing_more_and_its_clients_are_answered() {
    let mut cluster = Cluster::start(&["n1", "n2", "n3"]).await;
    let load = Load::on(&cluster).await;
    load.run.more_acks(100).await;
    let owner = cluster.busiest(&load.run.rooms).await;
    let orphans = cluster.living_on(&owner, &load.run.rooms).await;
    let person = load.run.people[0].at(cluster.node(&owner));
    let mut socket = person.online().await;
    let asleep = cluster.take(&owner);
    asleep.signal("-STOP");
    // The callers are not told: who is on that node notices by itself, and some of them try it again and again.
    let at = cluster.other_than(&[]);
    let took = futures_util::future::join_all(orphans.iter().map(|room| load.writable(room, at))).await;
    println!("{owner} was stopped with {} rooms; writable again after {took:.2?}", orphans.len());
    assert!(took.iter().all(|time| *time < WRITABLE_WITHIN), "{took:?}");
    cluster.whole().await;
    load.run.more_acks(50).await;
    let mut said = Vec::new();
    for room in &load.run.rooms {
        said.push(murmur(&load, &person, &mut socket, room).await);
    }
    asleep.signal("-CONT");
    answered(&load, &mut socket, &said).await;
    cluster.put(&owner, asleep);
    cluster.whole().await;
    for room in &load.run.rooms {
        let took = load.writable(room, cluster.node(&owner)).await;
        println!("after it went on, a message by {owner} took {took:.2?}");
    }
    // It has its rooms again, and they go on.
    until("the node that slept to have its rooms again", || async {
        let living = cluster.living_on(&owner, &load.run.rooms).await;
        (living.len() == orphans.len()).then_some(())
    })
    .await;
    load.run.more_acks(100).await;
    println!("refused: {:?}", load.refusals());
    load.judge(&cluster).await;
}
