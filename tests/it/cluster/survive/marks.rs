//! Marks while a room has no owner: held and said again, as sends are.

use std::time::Duration;

use serde_json::json;

use super::nodes::Cluster;
use crate::support::{client_id, person::Person, socket::Socket};

/// Between two people who mark; together they mark in every moment between the death of an owner and the next one's claim.
const PAUSE: Duration = Duration::from_millis(300);
/// Who marks.
const MARKING: usize = 12;

/// Each of them marks once, so that no later mark of theirs can stand for one that was lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn marks_that_are_made_while_a_room_has_no_owner_are_held_and_not_refused() {
    let mut cluster = Cluster::start(&["n1", "n2", "n3"]).await;
    let anna = cluster.node("n1").person("anna").await;
    let mut people = Vec::new();
    for index in 0..MARKING {
        people.push(cluster.node("n1").person(&format!("reader{index}")).await);
    }
    let room = anna.group("tea", &people.iter().collect::<Vec<_>>()).await;
    let head = anna.post(&room, "mark this").await;
    let owner = cluster.place(&room).await.1;
    let at = cluster.other_than(&[&owner]);
    let mut writing = anna.at(at).online().await;
    let mut readers: Vec<(Person, Socket)> = Vec::new();
    for person in people {
        let person = person.at(at);
        let socket = person.online().await;
        readers.push((person, socket));
    }
    cluster.kill(&owner);
    // It is acked by the next owner.
    let id = client_id();
    writing.send(json!({"type": "send", "room": room, "client_id": id, "body": "is anybody there?", "id": id})).await;
    for (index, (_, socket)) in readers.iter_mut().enumerate() {
        socket.send(json!({"type": "mark", "room": room, "read": head, "id": format!("mark-{index}")})).await;
        tokio::time::sleep(PAUSE).await;
    }
    let answer = writing.find("the answer of the next owner", |frame| frame["id"] == id.as_str()).await;
    assert_eq!(answer["type"], "ack", "{answer}");
    for (person, socket) in &mut readers {
        socket
            .find("the mark of one's own", |frame| {
                frame["type"] == "marks" && frame["user"] == person.id.as_str() && frame["read"] == head
            })
            .await;
        let refused: Vec<_> = socket.arrived().await.into_iter().filter(|frame| frame["type"] == "nack").collect();
        assert!(refused.is_empty(), "{refused:?}");
    }
}
