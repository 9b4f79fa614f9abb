//! The stores go away and come back: PostgreSQL is restarted, and Cassandra stops answering.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;

use super::{load::Load, nodes::Cluster};
use crate::support::{client_id, history::Entry, person::Person, socket::Socket};

/// How long the store is away: in every run, and in the long one.
const SHORT: Duration = Duration::from_secs(12);
const LONG: Duration = Duration::from_secs(60);
/// A new send is refused within this.
const REFUSED_WITHIN: Duration = Duration::from_secs(2);
/// Everything is as usual again within this.
const NORMAL_WITHIN: Duration = Duration::from_secs(10);
/// What a node may need more while the store is away; it has windows and queues, all bounded.
const MEMORY: u64 = 48 * 1024 * 1024;

/// PostgreSQL and Cassandra of this test alone. Ended when dropped.
struct Services {
    folder: TempDir,
}

impl Services {
    fn start() -> Self {
        let services = Self { folder: tempfile::Builder::new().prefix("rookery-it-").tempdir().expect("a folder") };
        services.run("up");
        services
    }

    fn run(&self, command: &str) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/services");
        let output = Command::new(script).arg(command).arg("--data").arg(self.folder.path()).output();
        let output = output.expect("scripts/services");
        assert!(output.status.success(), "services {command}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// Their addresses: of PostgreSQL and of Cassandra.
    fn addresses(&self) -> (String, String) {
        let told = self.run("env");
        let of =
            |name: &str| told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned);
        (of("ROOKERY_TEST_POSTGRES").expect("PostgreSQL"), of("ROOKERY_TEST_CQL").expect("Cassandra"))
    }

    fn signal(&self, process: &str, signal: &str) {
        let note = std::fs::read_to_string(self.folder.path().join(process)).expect("the process is noted");
        let id = note.split_whitespace().next().expect("an id");
        let status = Command::new("kill").args([signal, id]).status().expect("kill runs");
        assert!(status.success(), "{process} is there");
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/services");
        let arguments = ["down", "--delete", "--data"];
        // A test that fails says so by itself.
        let _ = Command::new(script).args(arguments).arg(self.folder.path()).output();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chats_go_on_while_postgres_restarts_and_after_the_logs_store_was_away() {
    stores_go_away(SHORT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes two minutes: the store is away for a whole one"]
async fn chats_go_on_after_the_logs_store_was_away_for_a_minute() {
    stores_go_away(LONG).await;
}

async fn stores_go_away(time: Duration) {
    let services = tokio::task::spawn_blocking(Services::start).await.expect("services");
    let (postgres, cql) = services.addresses();
    let cluster = Cluster::start_over(postgres, cql, &["n1", "n2"]).await;
    let load = Load::on(&cluster).await;
    load.run.more_acks(50).await;
    postgres_restarts(&services, &load).await;
    let memory: Vec<u64> = cluster.servers().iter().map(|server| server.memory()).collect();
    let person = load.run.people[0].at(cluster.servers()[1]);
    let mut socket = person.online().await;
    // Sends say what their client has seen, so that no room has to look into the store whether it has them.
    let mut heads = Vec::new();
    for room in &load.run.rooms {
        heads.push((room.clone(), person.head(room).await));
    }
    services.signal("cassandra/node1/pid", "-STOP");
    let unknown = new_sends_are_refused(&load, &person, &mut socket, &heads, time).await;
    for (server, before) in cluster.servers().iter().zip(memory) {
        let grown = server.memory().saturating_sub(before);
        println!("grown by {} KiB while the store was away", grown / 1024);
        assert!(grown < MEMORY, "{grown} bytes more");
    }
    services.signal("cassandra/node1/pid", "-CONT");
    let rooms = load.run.rooms.iter();
    let took = futures_util::future::join_all(rooms.map(|room| load.writable(room, cluster.servers()[0]))).await;
    println!("writable again {took:.2?} after the store came back");
    assert!(took.iter().all(|time| *time < NORMAL_WITHIN), "{took:?}");
    settled(&load, &person, &mut socket, unknown).await;
    load.run.more_acks(100).await;
    println!("refused: {:?}", load.refusals());
    load.judge(&cluster).await;
}

/// Members talk while there is no PostgreSQL; it knows what they said when it is back.
async fn postgres_restarts(services: &Services, load: &Load) {
    services.signal("postgres/pid", "-INT");
    let since = Instant::now();
    load.run.more_acks(100).await;
    println!("100 acks without PostgreSQL after {:.2?}", since.elapsed());
    services.run("up");
    load.run.more_acks(50).await;
}

/// Says something new every now and then, for so long: what is refused is refused in time. What gets no answer is unknown,
/// and returned; that it is settled afterwards is for the caller to see to.
async fn new_sends_are_refused(
    load: &Load,
    person: &Person,
    socket: &mut Socket,
    heads: &[(String, u64)],
    time: Duration,
) -> Vec<Value> {
    let since = Instant::now();
    let (mut refused, mut slowest, mut unknown) = (0, Duration::ZERO, Vec::new());
    while since.elapsed() < time {
        let (id, asked) = (client_id(), Instant::now());
        let (room, seen) = &heads[(refused + unknown.len()) % heads.len()];
        let body = format!("into the void: {id}");
        let frame = json!({"type": "send", "room": room, "client_id": id, "body": body, "seen": seen, "id": id});
        invoked(load, person, &frame);
        socket.send(frame.clone()).await;
        let answering = socket.find("an answer", |frame| frame["id"] == id.as_str());
        match timeout(REFUSED_WITHIN, answering).await {
            Ok(answer) => {
                assert_eq!(answer["type"], "nack", "nothing is acked that no store has: {answer}");
                assert_eq!(answer["code"], "unavailable", "{answer}");
                load.run.line.history.record(Entry::Nack { client_id: id, why: "unavailable".to_owned() });
                (refused, slowest) = (refused + 1, slowest.max(asked.elapsed()));
            }
            Err(_) => unknown.push(frame),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("{refused} sends were refused within {slowest:.2?}, {} got no answer", unknown.len());
    assert!(refused > 0, "nothing was refused, {} unknown", unknown.len());
    unknown
}

fn invoked(load: &Load, person: &Person, frame: &Value) {
    let text = |name: &str| frame[name].as_str().expect("text").to_owned();
    load.run.line.history.record(Entry::Invoke {
        connection: 0,
        sender: person.id.clone(),
        room: text("room"),
        client_id: text("client_id"),
        body: text("body"),
    });
}

/// What got no answer is asked again, and happens once.
async fn settled(load: &Load, person: &Person, socket: &mut Socket, unknown: Vec<Value>) {
    for frame in unknown {
        invoked(load, person, &frame);
        let id = frame["id"].clone();
        socket.send(frame).await;
        let answer =
            socket.find("the ack of what was unknown", |frame| frame["id"] == id && frame["type"] == "ack").await;
        let text = |name: &str| answer[name].as_str().expect("text").to_owned();
        let seq = answer["seq"].as_u64().expect("a seq");
        load.run.line.history.record(Entry::Ack { room: text("room"), client_id: text("client_id"), seq });
    }
}
