//! Nobody can tell on which node they are: devices, senders, resumes, presence, typing and revoked logins over two nodes.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::nodes::{Cluster, until};
use crate::support::{client_id, person::Person, socket::Socket};

/// Messages of each of two senders at once.
const EACH: usize = 60;

/// A login that was revoked on one node is of no use on another after this.
const REVOKED_WITHIN: Duration = Duration::from_secs(5);

/// Somebody's two ends: the same login on one node and on the other.
fn both(cluster: &Cluster, person: &Person) -> [Person; 2] {
    ["n1", "n2"].map(|name| person.at(cluster.node(name)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_senders_on_two_nodes_are_heard_in_one_order_everywhere() {
    let cluster = Cluster::start(&["n1", "n2"]).await;
    let [anna, bert, carl] = cluster.node("n1").people(["anna", "bert", "carl"]).await;
    let room = anna.group("tea", &[&bert, &carl]).await;
    let head = anna.head(&room).await;
    // Carl has two devices, on two nodes.
    let [here, there] = both(&cluster, &carl);
    let (mut phone, mut desk) = (here.online().await, there.online().await);
    let mut sockets = [both(&cluster, &anna)[0].online().await, both(&cluster, &bert)[1].online().await];
    for index in 0..EACH {
        for socket in &mut sockets {
            let frame = json!({"type": "send", "room": room, "client_id": client_id(), "body": index.to_string()});
            socket.send(frame).await;
        }
        if index % 8 == 7 {
            for socket in &mut sockets {
                for _ in 0..8 {
                    socket.next_of("ack").await;
                }
            }
        }
    }
    let wanted: Vec<u64> = (head + 1..=head + 2 * EACH as u64).collect();
    let mut heard = Vec::new();
    for socket in [&mut phone, &mut desk] {
        let mut events = Vec::new();
        for seq in &wanted {
            events.push(next_event(socket, &room, *seq).await);
        }
        heard.push(events);
    }
    assert_eq!(heard[0], heard[1], "both devices hear the same");
    for name in ["n1", "n2"] {
        let log = carl.at(cluster.node(name)).log_after(&room, Some(head)).await;
        assert_eq!(log.len(), wanted.len(), "{name}");
        for (event, heard) in log.iter().zip(&heard[0]) {
            assert_eq!(
                (&event["seq"], &event["from"], &event["body"]),
                (&heard["seq"], &heard["from"], &heard["body"])
            );
        }
    }
    marks_of_one_device_are_seen_on_the_other(&mut phone, &mut desk, &carl, &room, head + 2 * EACH as u64).await;
    every_node_has_the_same_digest(&cluster, &room, head + 2 * EACH as u64).await;
}

/// The next event of the room, which must be this one.
async fn next_event(socket: &mut Socket, room: &str, seq: u64) -> Value {
    let event = socket.find("the next event", |frame| frame["type"] == "event" && frame["room"] == room).await;
    assert_eq!(event["seq"], seq, "in order and without a hole: {event}");
    event
}

async fn marks_of_one_device_are_seen_on_the_other(
    phone: &mut Socket,
    desk: &mut Socket,
    carl: &Person,
    room: &str,
    seq: u64,
) {
    phone.send(json!({"type": "mark", "room": room, "read": seq})).await;
    desk.find("the read mark of the other device", |frame| {
        frame["type"] == "marks" && frame["user"] == carl.id.as_str() && frame["read"] == seq
    })
    .await;
}

pub(super) async fn every_node_has_the_same_digest(cluster: &Cluster, room: &str, head: u64) {
    let admin = cluster.admin();
    until("the digests of all nodes to agree", || async {
        let digest = admin.get(&format!("/rooms/{room}/digest")).await.body(200);
        let nodes = digest["nodes"].as_array().expect("nodes").clone();
        let same = |node: &Value| node["digest"] == digest["digest"] && node["head"] == head;
        (nodes.len() == 2 && nodes.iter().all(same)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resume_presence_typing_and_revoked_logins_work_from_node_to_node() {
    let cluster = Cluster::start(&["n1", "n2"]).await;
    let [anna, bert] = cluster.node("n1").people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    resume_on_another_node(&cluster, &anna, &bert, &room).await;
    presence_and_typing(&cluster, &anna, &bert, &room).await;
    revoked(&cluster, &anna).await;
}

async fn resume_on_another_node(cluster: &Cluster, anna: &Person, bert: &Person, room: &str) {
    let [here, there] = both(cluster, bert);
    let cursor = anna.head(room).await;
    let (mut socket, _) = here.resume(json!({room: cursor})).await;
    let first = anna.post(room, "before").await;
    next_event(&mut socket, room, first).await;
    socket.leave().await;
    let missed: Vec<u64> = [anna.post(room, "one").await, both(cluster, anna)[1].post(room, "two").await].into();
    assert_eq!(missed, [first + 1, first + 2]);
    let (mut socket, _) = there.resume(json!({room: first})).await;
    for seq in missed {
        next_event(&mut socket, room, seq).await;
    }
    let synced = socket.next_of("synced").await;
    assert_eq!((&synced["room"], &synced["seq"]), (&json!(room), &json!(first + 2)));
    let live = anna.post(room, "live").await;
    next_event(&mut socket, room, live).await;
    socket.leave().await;
}

async fn presence_and_typing(cluster: &Cluster, anna: &Person, bert: &Person, room: &str) {
    let mut watching = both(cluster, bert)[1].online().await;
    watching.send(json!({"type": "watch", "users": [anna.id], "rooms": [room]})).await;
    let shown = |status: &'static str| {
        let id = anna.id.clone();
        move |frame: &Value| frame["type"] == "presence" && frame["user"] == id.as_str() && frame["status"] == status
    };
    watching.find("anna to be offline", shown("offline")).await;
    let mut socket = both(cluster, anna)[0].online().await;
    watching.find("anna to be online", shown("online")).await;
    socket.send(json!({"type": "typing", "room": room, "on": true})).await;
    let typing = watching.next_of("typing").await;
    assert_eq!((&typing["room"], &typing["user"], &typing["on"]), (&json!(room), &json!(anna.id), &json!(true)));
    socket.leave().await;
    watching.find("anna to be offline again", shown("offline")).await;
    watching.leave().await;
}

/// Whoever logs another device out does it on one node; its sockets on both are closed.
async fn revoked(cluster: &Cluster, anna: &Person) {
    let stolen = cluster.node("n2").login("anna").await;
    let [here, there] = both(cluster, &stolen);
    let (mut one, mut other) = (here.online().await, there.online().await);
    let mut own = both(cluster, anna)[1].online().await;
    let since = Instant::now();
    anna.rest.delete(&format!("/logins/{}", stolen.device)).await.body(204);
    for socket in [&mut one, &mut other] {
        assert_eq!(socket.close_code().await, Some(4003));
    }
    println!("the sockets of a revoked login were closed after {:.2?}", since.elapsed());
    assert!(since.elapsed() < REVOKED_WITHIN, "{:?}", since.elapsed());
    own.arrived().await;
    // A node believes for some seconds what the store has said about a login; the one that was asked knows better.
    here.rest.get("/me").await.refused(401, "unauthenticated");
    let refused = async || there.rest.get("/me").await.status == 401;
    while !refused().await {
        assert!(since.elapsed() < REVOKED_WITHIN, "{:?}", since.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
