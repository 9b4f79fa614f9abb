//! Somebody who says each thing once and never again, so that what they are told of it is told of that one try.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::cluster::survive::{load::Load, nodes::Cluster};
use crate::support::{client_id, history::Entry, person::Person, socket::Socket};

/// What was said.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) room: String,
    pub(super) client_id: String,
    pub(super) at: Instant,
}

/// Somebody on one connection to one node.
pub(super) struct Speaker {
    pub(super) person: Person,
    socket: Socket,
    /// The number of the connection in the history.
    connection: u64,
    /// What they have seen of each room.
    heads: Vec<(String, u64)>,
}

impl Speaker {
    /// One at every node.
    pub(super) async fn on_each(cluster: &Cluster, load: &Load) -> Vec<Self> {
        let mut speakers = Vec::new();
        for (server, person) in cluster.servers().into_iter().zip(&load.run.people) {
            let person = person.at(server);
            let mut heads = Vec::new();
            for room in &load.run.rooms {
                heads.push((room.clone(), person.head(room).await));
            }
            speakers.push(Self::at(person, heads, load).await);
        }
        speakers
    }

    /// Somebody, who has seen so much; of other rooms they do not say what they have seen.
    pub(super) async fn at(person: Person, heads: Vec<(String, u64)>, load: &Load) -> Self {
        let socket = person.online().await;
        let connection = load.run.line.connections.fetch_add(1, Ordering::Relaxed) + 1;
        Self { person, socket, connection, heads }
    }

    fn invoked(&self, load: &Load, room: &str) -> (Said, Value) {
        let client_id = client_id();
        let body = format!("said once: {client_id}");
        load.run.line.history.record(Entry::Invoke {
            connection: self.connection,
            sender: self.person.id.clone(),
            room: room.to_owned(),
            client_id: client_id.clone(),
            body: body.clone(),
        });
        let seen = self.heads.iter().find(|(other, _)| other == room).map(|(_, head)| *head);
        let message = json!({"client_id": client_id, "body": body, "seen": seen});
        (Said { room: room.to_owned(), client_id, at: Instant::now() }, message)
    }

    /// Says something, and does not wait for the answer.
    pub(super) async fn say(&mut self, load: &Load, room: &str) -> Said {
        let (said, mut frame) = self.invoked(load, room);
        frame["type"] = json!("send");
        frame["room"] = json!(room);
        frame["id"] = json!(said.client_id);
        self.socket.send(frame).await;
        said
    }

    /// Waits for the answer; what comes before it and is none is let go.
    pub(super) async fn answer_to(&mut self, said: &Said) -> Value {
        self.socket.find("the answer to what was said", |frame| frame["id"] == said.client_id.as_str()).await
    }

    /// Says something over REST; the status and what came with it.
    pub(super) async fn post(&self, load: &Load, room: &str, within: Duration) -> (Said, u16, Value) {
        let (said, message) = self.invoked(load, room);
        let asking = self.person.rest.request("POST", &format!("/rooms/{room}/messages")).json(&message);
        let answer = asking.timeout(within).send().await.unwrap_or_else(|error| panic!("{said:?}: {error}"));
        let status = answer.status().as_u16();
        (said, status, answer.json().await.expect("JSON"))
    }

    /// It is noted that this was refused.
    pub(super) fn refused(&self, load: &Load, said: &Said, answer: &Value) {
        load.run
            .line
            .history
            .record(Entry::Nack { client_id: said.client_id.clone(), why: answer["code"].to_string() });
    }

    /// It is noted that this was acked; under which number.
    pub(super) fn acked(&self, load: &Load, said: &Said, answer: &Value) -> u64 {
        assert_eq!(answer["type"], "ack", "{said:?}: {answer}");
        let seq = answer["seq"].as_u64().expect("a seq");
        load.run.line.history.record(Entry::Ack { room: said.room.clone(), client_id: said.client_id.clone(), seq });
        seq
    }

    /// What the server says became of something.
    pub(super) async fn outcome(&self, said: &Said) -> Value {
        self.person.rest.get(&format!("/rooms/{}/outcomes/{}", said.room, said.client_id)).await.body(200)
    }
}
