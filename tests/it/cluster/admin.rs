//! What operators see of three nodes over real stores, and do to them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::node::Files;
use super::stores::{Stores, operator};
use crate::support::{
    eventually,
    person::Person,
    process::Server,
    rest::Rest,
    socket::{Socket, handshake},
};

async fn shard(admin: &Rest, number: u64) -> Value {
    admin.list("/shards?limit=200").await.into_iter().find(|shard| shard["shard"] == number).unwrap()
}

/// Waits until this node has claimed the shard, which it does when somebody writes to a room of it.
async fn held_by(admin: &Rest, number: u64, node: &str) -> Value {
    eventually("the shard to be where it should", || async {
        let shard = shard(admin, number).await;
        (shard["holder"] == node).then_some(shard)
    })
    .await
}

/// Three nodes that see each other.
pub(super) async fn three(stores: &Stores) -> [Server; 3] {
    let files = Files::make("birds", &["n1", "n2", "n3"]);
    let first = stores.setup(&files, "n1").start().await;
    let seed = operator(&first).get("/nodes/n1").await.body(200)["address"].as_str().unwrap().to_owned();
    let second = stores.setup(&files, "n2").set("cluster.seeds", &seed).start().await;
    let third = stores.setup(&files, "n3").set("cluster.seeds", &seed).start().await;
    let servers = [first, second, third];
    for admin in servers.iter().map(operator) {
        let nodes = eventually("three nodes that answer, with links to each other", || async {
            let nodes = admin.get("/nodes").await.body(200)["items"].as_array().unwrap().clone();
            let is_whole = |node: &Value| node["answers"] == true && node["links"].as_array().unwrap().len() == 2;
            (nodes.len() == 3 && nodes.iter().all(is_whole)).then_some(nodes)
        })
        .await;
        assert_eq!(nodes.iter().filter(|node| node["here"] == true).count(), 1);
        eventually("every node to take its part", || async {
            let shards = admin.list("/shards?limit=200").await;
            let owners: BTreeSet<&str> = shards.iter().filter_map(|shard| shard["owner"].as_str()).collect();
            (owners.len() == 3).then_some(())
        })
        .await;
    }
    servers
}

/// Waits until every node sees this of a shard.
async fn all_see(all: &[Rest; 3], number: u64, owner: &str, moved: bool) {
    for admin in all {
        eventually("every node to see where the shard should be", || async {
            let shard = shard(admin, number).await;
            (shard["owner"] == owner && shard["moved"] == moved).then_some(())
        })
        .await;
    }
}

/// The server of this name.
fn named<'a>(servers: &'a [Server; 3], node: &str) -> &'a Server {
    &servers[usize::from(node.as_bytes()[1] - b'1')]
}

/// Who drains has nothing any more, moved or not, says that it is not ready, and has sent its clients away with the time to
/// come back.
async fn drain(servers: &[Server; 3], all: &[Rest; 3], node: &str, person: &Person) {
    let mut socket = person.at(named(servers, node)).online().await;
    all[0].bare("POST", &format!("/nodes/{node}/drain")).await.body(204);
    for admin in all {
        eventually("nothing to be left to who drains", || async {
            let shards = admin.list("/shards?limit=200").await;
            shards.iter().all(|shard| shard["owner"] != node && shard["holder"] != node).then_some(())
        })
        .await;
    }
    let drained = named(servers, node);
    let ready = Rest::new(&drained.url).get("/readyz").await;
    assert_eq!(ready.status, 503, "{ready:?}");
    let reconnect = socket.next_of("reconnect").await;
    assert!(reconnect["after_ms"].is_u64(), "{reconnect}");
    assert_eq!(socket.close_code().await, Some(1_012));
    let refused = Socket::try_connect(handshake(&drained.url, &person.token), None).await;
    assert_eq!(refused.err().map(|(status, _)| status), Some(503));
}

/// Who is taken back is ready again, and takes clients.
async fn resume(servers: &[Server; 3], admin: &Rest, node: &str, person: &Person) {
    admin.bare("POST", &format!("/nodes/{node}/resume")).await.body(204);
    let server = named(servers, node);
    eventually("the node to be ready again", || async {
        (Rest::new(&server.url).get("/readyz").await.status == 200).then_some(())
    })
    .await;
    eventually("clients to be taken again", || async {
        Socket::try_connect(handshake(&server.url, &person.token), None).await.ok()
    })
    .await;
}

#[tokio::test]
async fn operators_see_three_nodes_and_move_drain_and_resume() {
    let stores = Stores::new();
    let servers = three(&stores).await;
    let (first, all) = (&servers[0], servers.each_ref().map(operator));
    let admin = &all[0];
    assert_eq!(admin.get("/overview").await.body(200)["nodes"].as_array().unwrap().len(), 3);

    let [anna, bert] = first.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    anna.post(&room, "one").await;
    let shown = admin.get(&format!("/rooms/{room}")).await.body(200);
    let number = shown["shard"].as_u64().unwrap();
    let owner = shown["owner"].as_str().unwrap().to_owned();
    let before = held_by(&all[1], number, &owner).await;
    assert_eq!((&before["epoch"], &before["owner"]), (&shown["epoch"], &shown["owner"]), "on another node: {before}");
    assert!(before["why"].as_str().unwrap().starts_with(&format!("{owner} scores highest of 3 nodes")), "{before}");
    let to = ["n1", "n2", "n3"].into_iter().find(|name| *name != owner).unwrap();

    // A dry run says what would happen and does nothing.
    let path = format!("/shards/{number}/move");
    let said = all[2].post(&path, json!({"to": to, "dry_run": true})).await.body(200);
    assert_eq!((&said["to"], &said["changes"], &said["before"]), (&json!(to), &json!(true), &before));
    assert_eq!(shard(admin, number).await, before);

    // A move, ordered from a node that need not have to do with it, is seen by all and costs no message.
    all[2].post(&path, json!({"to": to})).await.body(200);
    all_see(&all, number, to, true).await;
    anna.post(&room, "two").await;
    let after = held_by(admin, number, to).await;
    assert!(after["epoch"].as_u64() > before["epoch"].as_u64(), "{before} {after}");
    assert!(after["why"].as_str().unwrap().starts_with(&format!("an operator moved it to {to}; ")), "{after}");

    drain(&servers, &all, to, &anna).await;
    anna.post(&room, "three").await;
    all[1].post(&path, json!({"to": to})).await.refused(409, "conflict");

    // Taken back, it has what was moved to it; a move without a node undoes that.
    resume(&servers, &all[1], to, &anna).await;
    all_see(&all, number, to, true).await;
    all[1].post(&path, json!({})).await.body(200);
    all_see(&all, number, &owner, false).await;
    anna.post(&room, "four").await;
    assert_eq!(anna.bodies(&room).await, ["one", "two", "three", "four"]);

    let digest = admin.get(&format!("/rooms/{room}/digest")).await.body(200);
    let seen = digest["nodes"].as_array().unwrap();
    assert_eq!(seen.iter().map(|seen| seen["node"].as_str().unwrap()).collect::<Vec<_>>(), ["n1", "n2", "n3"]);
    for seen in seen {
        assert_eq!((&seen["head"], &seen["digest"]), (&digest["head"], &digest["digest"]), "{digest}");
    }
    let actions: Vec<Value> = admin.list("/audit").await.into_iter().map(|line| line["action"].clone()).collect();
    for action in ["shard.move", "node.drain", "node.resume"] {
        assert!(actions.contains(&json!(action)), "{action} is in {actions:?}");
    }
}
