//! The client that knows the wire contract and nothing else, over connections that break.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use serde_json::Value;

use crate::support::door::Door;
use crate::support::eventually;
use crate::support::person::{PASSWORD, Person};
use crate::support::process::Server;

#[allow(dead_code, reason = "a program has a main, which a test has no use for")]
#[path = "../../../examples/minimal_client.rs"]
mod minimal_client;

/// Hands each line that the client shows to the test.
struct Shown(SyncSender<String>, Vec<u8>);

impl Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.extend_from_slice(bytes);
        while let Some(end) = self.1.iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&self.1[..end]).into_owned();
            self.1.drain(..=end);
            self.0.send(line).map_err(io::Error::other)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The client in a thread of its own, and what it has shown.
struct Stranger {
    typed: SyncSender<String>,
    shown: Receiver<String>,
    lines: Vec<(u64, String)>,
    thread: JoinHandle<Result<(), String>>,
}

impl Stranger {
    fn start(url: &str, handle: &str, room: &str) -> Stranger {
        let ((typed, read), (show, shown)) = (sync_channel(64), sync_channel(10_000));
        let (url, handle, room) = (url.to_owned(), handle.to_owned(), room.to_owned());
        let thread = thread::spawn(move || {
            let mut output = Shown(show, Vec::new());
            let ended = minimal_client::run(&url, (&handle, PASSWORD), &room, &read, &mut output);
            ended.map_err(|error| error.to_string())
        });
        Stranger { typed, shown, lines: Vec::new(), thread }
    }

    fn types(&self, line: &str) {
        self.typed.send(line.to_owned()).expect("the client runs");
    }

    /// Waits until the client has shown this event.
    async fn has_shown(&mut self, seq: u64) {
        eventually(&format!("event {seq} to be shown"), || {
            self.read();
            std::future::ready(self.lines.last().is_some_and(|(last, _)| *last >= seq).then_some(()))
        })
        .await;
    }

    fn read(&mut self) {
        for line in self.shown.try_iter() {
            let mut parts = line.splitn(3, ' ');
            let number = parts.next().and_then(|number| number.parse().ok());
            let number = number.unwrap_or_else(|| panic!("the client shows {line}"));
            self.lines.push((number, parts.nth(1).unwrap_or_default().to_owned()));
        }
    }
}

async fn post(person: &Person, room: &str, count: usize) -> u64 {
    let mut last = 0;
    for index in 0..count {
        last = person.post(room, &format!("{} says {index}", person.handle)).await;
    }
    last
}

#[tokio::test]
async fn a_client_written_after_the_page_alone_loses_nothing_over_broken_connections() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let begun = anna.head(&room).await;
    let door = Door::before(&server).await;
    let mut stranger = Stranger::start(&door.url, "bert", &room);
    stranger.types("hello");
    stranger.has_shown(begun + 1).await;
    for round in 0..4 {
        // Sent, and the connection gone before the answer; and sent while there is none.
        stranger.types(&format!("cut {round}"));
        door.cut();
        stranger.types(&format!("without a connection {round}"));
        // Once more than is pushed after a reconnect.
        let missed = if round == 2 { 520 } else { 5 };
        let last = post(&anna, &room, missed).await;
        stranger.has_shown(last).await;
    }
    let server = server.kill_and_restart().await;
    door.leads_to(&server);
    door.cut();
    let anna = anna.at(&server);
    stranger.types("after the restart");
    post(&anna, &room, 3).await;
    let typed = |log: &[Value]| log.iter().filter(|event| event["from"] == bert.id.as_str()).count();
    // All ten of them are stored, at whatever place the race gave them.
    eventually("everything typed to be in the log", async || (typed(&anna.log(&room).await) >= 10).then_some(())).await;
    let log = anna.log(&room).await;
    stranger.has_shown(log.len() as u64).await;
    let Stranger { typed: input, lines, thread, .. } = stranger;
    drop(input);
    let ended = tokio::task::spawn_blocking(|| thread.join().expect("no panic")).await.expect("joined");
    assert_eq!(ended, Ok(()));
    let expected: Vec<(u64, String)> = log
        .iter()
        .skip(usize::try_from(begun).unwrap())
        .map(|event| (event["seq"].as_u64().unwrap(), event["body"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(lines, expected, "every event once, in order");
    assert_eq!(typed(&log), 10, "nothing that was sent again is there twice");
}
