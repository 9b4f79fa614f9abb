//! What people are told by whichever node they ask: what became of a write, and how much they may write.

use std::time::Duration;

use serde_json::json;

use super::{
    admin::three,
    stores::{Stores, operator},
};
use crate::support::{client_id, eventually, person::Person, process::Server, socket::Socket};

/// What every node says of a write.
async fn outcomes(servers: &[Server; 3], person: &Person, room: &str, id: &str) -> Vec<String> {
    let mut said = Vec::new();
    for server in servers {
        let answer = person.at(server).rest.get(&format!("/rooms/{room}/outcomes/{id}")).await.body(200);
        said.push(answer["state"].as_str().unwrap().to_owned());
    }
    said
}

/// Writes as fast as may be, until that is too fast; how many writes were taken.
async fn burst(socket: &mut Socket, room: &str) -> usize {
    for taken in 0.. {
        let frame = json!({"type": "send", "room": room, "client_id": client_id(), "body": "hi"});
        let answer = socket.ask(frame).await;
        if answer["type"] == "nack" {
            assert_eq!(answer["code"], "rate_limited", "{answer}");
            return taken;
        }
    }
    0
}

#[tokio::test]
async fn every_node_says_what_became_of_a_write_and_gives_its_share() {
    let stores = Stores::new();
    let servers = three(&stores).await;
    let anna = servers[0].person("anna").await;
    let room = anna.group("tea", &[]).await;
    let id = client_id();
    let message = json!({"client_id": id, "body": "one"});
    anna.rest.post(&format!("/rooms/{room}/messages"), message).await.body(201);
    assert_eq!(outcomes(&servers, &anna, &room, &id).await, ["committed"; 3]);
    assert_eq!(outcomes(&servers, &anna, &room, &client_id()).await, ["absent"; 3]);

    for admin in servers.each_ref().map(operator) {
        let limits = json!({"limits.sends_per_second": 1, "limits.send_burst": 30});
        admin.patch("/config", limits).await.body(200);
    }
    // Hubs hear of it with their next tick; budgets at once.
    let mut alone = anna.at(&servers[1]).online().await;
    let taken = burst(&mut alone, &room).await;
    assert!((30..45).contains(&taken), "connected on one node: {taken}");

    let mut count = 0;
    eventually("somebody on two nodes to have a half on each", || {
        count += 1;
        let (servers, handle) = (&servers, format!("bert{count}"));
        async move {
            let bert = servers[0].person(&handle).await;
            let room = bert.group("tea", &[]).await;
            let mut one = bert.at(&servers[0]).online().await;
            let _other = bert.at(&servers[1]).online().await;
            tokio::time::timeout(Duration::from_secs(10), burst(&mut one, &room)).await.ok().filter(|taken| *taken < 25)
        }
    })
    .await;
}
