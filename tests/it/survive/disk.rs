//! A disk that is full, and a disk whose fsync fails.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::preload::preload;
use crate::support::process::{Server, Setup, write};
use crate::support::rest::send;
use crate::support::socket::Socket;
use crate::support::{client_id, eventually, within};

/// A setup over a disk that can be made to fail.
struct Disk {
    setup: Setup,
    triggers: PathBuf,
}

impl Disk {
    fn new() -> Disk {
        let setup = Setup::new();
        let triggers = setup.beside("triggers");
        std::fs::create_dir(&triggers).expect("the triggers' folder");
        let text = |path: &PathBuf| path.display().to_string();
        let setup = preload(setup, "failing_disk", include_str!("failing_disk.c"));
        let setup = setup
            .clone()
            .environment("FAILING_DISK_TRIGGERS", &text(&triggers))
            .environment("FAILING_DISK_FOLDER", &text(&setup.data()));
        Disk { setup, triggers }
    }

    fn fails(&self, how: &str) {
        write(&self.triggers.join(how), "");
    }

    fn works_again(&self) {
        for how in ["no-space", "no-sync"] {
            let _ = std::fs::remove_file(self.triggers.join(how));
        }
    }
}

fn message(room: &str, body: &str) -> Value {
    json!({"type": "send", "room": room, "client_id": client_id(), "body": body})
}

async fn say_until_acked(socket: &mut Socket, frame: &Value) -> Value {
    within("an ack", async {
        loop {
            let answer = socket.ask(frame.clone()).await;
            if answer["type"] == "ack" {
                return answer;
            }
            assert_ne!(answer["retry"], "no", "{answer}");
            let wait = answer["retry_after_ms"].as_u64().unwrap_or(50);
            tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
        }
    })
    .await
}

#[tokio::test]
async fn while_the_disk_is_full_sends_are_refused_and_afterwards_they_work() {
    let disk = Disk::new();
    let server = disk.setup.clone().start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let (mut socket, mut reader) = (anna.online().await, bert.online().await);
    let before = socket.say(&room, "before").await["seq"].clone();
    disk.fails("no-space");
    let (given_up, tried_again) = (message(&room, "given up"), message(&room, "tried again"));
    for frame in [&given_up, &tried_again] {
        let nack = socket.refused(frame.clone(), "unavailable").await;
        assert_ne!(nack["retry"], "no", "{nack}");
    }
    let over_rest = json!({"client_id": client_id(), "body": "given up too"});
    let refused = anna.rest.post(&format!("/rooms/{room}/messages"), over_rest).await;
    assert!(!refused.header("retry-after").is_empty(), "{refused:?}");
    refused.refused(503, "unavailable");
    assert!(bert.bodies(&room).await.contains(&"before".to_owned()), "reading goes on");
    disk.works_again();
    let ack = say_until_acked(&mut socket, &tried_again).await;
    reader.event(&room, ack["seq"].as_u64().unwrap()).await;
    assert_eq!(ack["seq"].as_u64(), before.as_u64().map(|seq| seq + 1), "what was refused took no number");
    let server = server.kill_and_restart().await;
    assert_eq!(bert.at(&server).bodies(&room).await, ["before", "tried again"]);
}

#[tokio::test]
async fn a_full_disk_under_load_loses_nothing_that_was_acked() {
    let disk = Disk::new();
    let server = disk.setup.clone().start().await;
    let anna = server.person("anna").await;
    let room = anna.public_group("gardening").await;
    let mut socket = anna.online().await;
    let mut acked = Vec::new();
    for round in 0..6 {
        for index in 0..20 {
            socket.send(message(&room, &format!("{round}.{index}"))).await;
            if index == 10 {
                disk.fails("no-space");
            }
        }
        for _ in 0..20 {
            let answer = socket.find("an answer", |frame| frame["type"] == "ack" || frame["type"] == "nack").await;
            match answer["type"].as_str() {
                Some("ack") => acked.push((answer["seq"].clone(), answer["client_id"].clone())),
                _ => assert_eq!(answer["code"], "unavailable", "{answer}"),
            }
        }
        disk.works_again();
        say_until_acked(&mut socket, &message(&room, "space again")).await;
    }
    let server = server.kill_and_restart().await;
    let log = anna.at(&server).log(&room).await;
    for (index, event) in log.iter().enumerate() {
        assert_eq!(event["seq"], index as u64 + 1, "no hole");
    }
    for (seq, client_id) in &acked {
        assert_eq!(&log[seq.as_u64().unwrap() as usize - 1]["client_id"], client_id, "an acked event is kept");
    }
    let messages = log.iter().filter(|event| event["kind"] == "message").count();
    assert_eq!(messages, acked.len() + 6, "what was refused is not there");
}

/// What the socket said until its connection ended: all answers to sends.
async fn answers_until_the_end(socket: &mut Socket) -> Vec<Value> {
    let mut answers = Vec::new();
    while let Some(frame) = within("the end of the connection", socket.next_or_end()).await {
        if ["ack", "nack"].contains(&frame["type"].as_str().unwrap()) {
            answers.push(frame);
        }
    }
    answers
}

async fn with_a_failing_sync(disk: &Disk) -> (Server, String, Vec<Value>) {
    let mut server = disk.setup.clone().start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let mut socket = anna.online().await;
    let acked = vec![socket.say(&room, "one").await, socket.say(&room, "two").await];
    let _ = socket.arrived().await;
    disk.fails("no-sync");
    let unknown = message(&room, "unknown");
    socket.send(unknown.clone()).await;
    let answers = answers_until_the_end(&mut socket).await;
    assert!(answers.is_empty(), "neither ack nor nack: {answers:?}");
    let status = server.ended().await;
    assert!(status.code().is_some_and(|code| code != 0), "it ends by itself, and not as if all were well: {status:?}");
    disk.works_again();
    let server = server.kill_and_restart().await;
    let mut socket = anna.at(&server).online().await;
    let ack = socket.ask(unknown).await;
    assert_eq!(ack["type"], "ack", "sent again, it has an outcome: {ack}");
    assert_eq!(anna.at(&server).bodies(&room).await, ["one", "two", "unknown"]);
    (server, room, acked)
}

#[tokio::test]
async fn when_fsync_fails_the_process_ends_rather_than_guess() {
    let disk = Disk::new();
    let (server, room, acked) = with_a_failing_sync(&disk).await;
    let anna = server.login("anna").await;
    let log = anna.log(&room).await;
    for ack in acked {
        let event = log.iter().find(|event| event["seq"] == ack["seq"]).expect("an acked event is there");
        assert_eq!(event["client_id"], ack["client_id"]);
    }
}

#[tokio::test]
async fn a_server_that_cannot_write_at_its_start_says_so_and_ends() {
    let disk = Disk::new();
    let server = disk.setup.clone().start().await;
    server.person("anna").await;
    drop(server);
    // A data folder that is a file: nothing can be opened there.
    let blocked = disk.setup.beside("blocked");
    write(&blocked, "");
    let inside = blocked.join("data").display().to_string();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data", &inside];
    let (code, out, error) = crate::support::process::rookery(&arguments, "").await;
    assert_ne!(code, 0);
    assert!(!out.contains("ready"), "{out}");
    assert!(error.contains("blocked"), "it names the folder: {error}");
    let server = disk.setup.clone().start().await;
    eventually("anna to be known again", || async {
        let login = json!({"login": "anna", "password": crate::support::person::PASSWORD});
        (server.anonymous().post("/logins", login).await.status == 201).then_some(())
    })
    .await;
}

#[tokio::test]
async fn while_the_disk_is_full_parts_of_files_are_refused_and_leave_nothing() {
    // 73
    let disk = Disk::new();
    let server = disk.setup.clone().start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let wish = json!({"name": "a", "size": 100_000});
    let begun = anna.rest.post(&format!("/rooms/{room}/media"), wish).await.body(201);
    let path = format!("/media/{}", begun["id"].as_str().unwrap());
    let put = || {
        let request = anna.rest.request("PUT", &format!("{path}/parts/0"));
        send(request.header("content-type", "application/octet-stream").body(vec![7; 100_000]))
    };
    disk.fails("no-space");
    put().await.refused(507, "unavailable");
    assert_eq!(anna.rest.get(&path).await.body(200)["parts"], json!([]));
    let folder = disk.setup.data().join("media").join(begun["id"].as_str().unwrap()).join("parts");
    let left: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
    disk.works_again();
    put().await.body(204);
    assert_eq!(anna.rest.bare("POST", &format!("{path}/complete")).await.body(200)["state"], "ready");
}
