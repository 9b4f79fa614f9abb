//! A peer that speaks for rooms and shards that are not its own: nobody believes it, and nobody notices it.

use bytes::Bytes;
use rookery::cluster::{
    Envelope, NodeId,
    wire::{
        FanOut,
        id::{Blob, Id},
    },
};
use rookery_core::ids::{RoomId, SHARDS};
use serde_json::{Value, json};

use super::{
    super::{
        rogue::{NAME, Rogue, beating, den},
        stores::{claimed, counted, operator},
    },
    nodes::{Cluster, until},
    together::every_node_has_the_same_digest,
};
use crate::support::{client_id, person::Person};

/// Messages between the lies.
const MESSAGES: u64 = 12;
/// Lies about the room before each.
const ABOUT_A_ROOM: u64 = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_speaks_for_rooms_and_shards_that_are_not_its_own_is_not_believed() {
    let mut den = den().await;
    let cluster = Cluster::start_with(den.files.clone(), &["a", "b"]).await;
    let mut rogues = Vec::new();
    for name in ["a", "b"] {
        let admin = operator(cluster.node(name));
        let shown = admin.get(&format!("/nodes/{name}")).await.body(200);
        let address = shown["address"].as_str().expect("an address").parse().expect("an address");
        let id: NodeId = name.parse().expect("a name");
        let rogue = den.connect_to(NAME, address, &id).await;
        let beats = beating(&rogue);
        until("a link to the rogue", || async {
            let links = admin.get(&format!("/nodes/{name}")).await.body(200)["links"].clone();
            links.as_array().expect("links").iter().any(|link| link["to"] == NAME).then_some(())
        })
        .await;
        rogues.push((rogue, beats));
    }

    let [anna, bert] = cluster.node("a").people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    anna.post(&room, "before").await;
    let (shard, owner) = cluster.place(&room).await;
    let session = cluster.stores.session().await;
    let held = claimed(&session, shard).await.expect("an owner");
    let other = if owner == "a" { "b" } else { "a" };
    let mut ears = [bert.at(cluster.node(&owner)).online().await, bert.at(cluster.node(other)).online().await];
    let head = anna.head(&room).await;
    for seq in head + 1..=head + MESSAGES {
        for (rogue, _) in &rogues {
            lie(rogue, &room, shard, held.1, seq, &anna);
        }
        for name in ["a", "b"] {
            until("a node to have heard the lies", || async {
                (disbelieved(&cluster, name).await.0 >= ABOUT_A_ROOM * (seq - head)).then_some(())
            })
            .await;
        }
        let writer = anna.at(cluster.node(if seq % 2 == 0 { "a" } else { "b" }));
        assert_eq!(writer.post(&room, &format!("text {seq}")).await, seq);
        for ear in &mut ears {
            let event = ear.find("an event", |frame| frame["type"] == "event" && frame["room"] == *room).await;
            assert_eq!((&event["seq"], &event["body"]), (&json!(seq), &json!(format!("text {seq}"))));
        }
    }
    every_node_has_the_same_digest(&cluster, &room, head + MESSAGES).await;
    assert_eq!(claimed(&session, shard).await, Some(held), "the shard has not changed hands");
    for name in ["a", "b"] {
        let log = bert.at(cluster.node(name)).log_after(&room, Some(head)).await;
        let wanted: Vec<Value> = (head + 1..=head + MESSAGES).map(|seq| json!(format!("text {seq}"))).collect();
        assert_eq!(log.iter().map(|event| event["body"].clone()).collect::<Vec<_>>(), wanted, "{name}");
        let (_, shards) = disbelieved(&cluster, name).await;
        assert!(shards > 0, "{name} has heard {shards} lies about shards");
    }
}

/// Everything that a node could say of a room and a shard that it does not hold.
fn lie(rogue: &Rogue, room: &str, shard: u64, epoch: u64, seq: u64, victim: &Person) {
    let id = Id::from(room.parse::<RoomId>().expect("an id"));
    let shard = u16::try_from(shard).expect("a small number");
    let all = |epoch: u64| (0..SHARDS + 9).map(|shard| (shard, epoch)).collect::<Vec<_>>();
    let frame = frame(&json!({
        "type": "event", "room": room, "seq": seq, "kind": "message", "at": "2026-01-01T00:00:00.000Z",
        "from": victim.id, "body": "a lie", "client_id": client_id(),
    }));
    let ends = vec![u32::try_from(frame.len()).expect("a short frame")];
    let events =
        FanOut { room: id, first: seq, last: seq, joined: Blob(frame.clone()), ends, removed: vec![], acks: vec![] };
    let said = [
        Envelope::Holding { shards: vec![(shard, 0), (shard, epoch.saturating_sub(1)), (shard, epoch)] },
        Envelope::Holding { shards: all(1) },
        Envelope::Holding { shards: all(u64::MAX) },
        Envelope::FanOut(events),
        Envelope::Head { room: id, head: seq + 1_000_000 },
        Envelope::Passing { room: id, frame: Blob(frame) },
        Envelope::Restarted { room: id },
        Envelope::LetGo { shard },
    ];
    for envelope in said {
        rogue.cast(rogue.batch(&[&envelope.encode().expect("an envelope")]));
    }
}

/// A WebSocket frame of text, as nodes hand them to each other.
fn frame(value: &Value) -> Bytes {
    let text = value.to_string();
    let length = u16::try_from(text.len()).expect("a short text").to_be_bytes();
    assert!(text.len() > 125, "a longer one has its length in two bytes");
    Bytes::from([&[0x81, 126, length[0], length[1]], text.as_bytes()].concat())
}

/// How often a node did not believe what was said of rooms, and of shards.
async fn disbelieved(cluster: &Cluster, name: &str) -> (u64, u64) {
    let server = cluster.node(name);
    let rooms = counted(server, "rookery_cluster_disbelieved_total{what=\"room\"}").await;
    (rooms, counted(server, "rookery_cluster_disbelieved_total{what=\"shard\"}").await)
}
