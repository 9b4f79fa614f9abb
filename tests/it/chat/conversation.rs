//! Two people who talk with `rookery chat`, as processes with pipes, while the server comes and goes.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::support::door::Door;
use crate::support::person::PASSWORD;
use crate::support::process::Server;
use crate::support::within;

/// A terminal: what is typed goes in, lines come out.
struct Terminal {
    child: Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    seen: Vec<String>,
}

impl Terminal {
    fn open(url: &str, arguments: &[&str]) -> Terminal {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rookery"))
            .args(["chat", "--url", url])
            .args(arguments)
            .env("ROOKERY_PASSWORD", PASSWORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .expect("rookery chat runs");
        let lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        Terminal { input: child.stdin.take(), child, lines, seen: Vec::new() }
    }

    async fn types(&mut self, line: &str) {
        let input = self.input.as_mut().expect("the input is open");
        input.write_all(format!("{line}\n").as_bytes()).await.expect("typed");
    }

    /// Waits for a line that contains the text.
    async fn shows(&mut self, text: &str) {
        let search = async {
            while let Some(line) = self.lines.next_line().await.expect("UTF-8") {
                let found = line.contains(text);
                self.seen.push(line);
                if found {
                    return true;
                }
            }
            false
        };
        assert!(within(text, search).await, "{text:?} is shown; seen: {:?}", self.seen);
    }

    /// Ends the input and waits for the end.
    async fn finishes(mut self) -> (i32, Vec<String>) {
        drop(self.input.take());
        let mut seen = std::mem::take(&mut self.seen);
        within("the rest of the lines", async {
            while let Ok(Some(line)) = self.lines.next_line().await {
                seen.push(line);
            }
        })
        .await;
        let status = within("the end of rookery chat", self.child.wait()).await.expect("its status");
        (status.code().unwrap_or(-1), seen)
    }
}

fn times(lines: &[String], text: &str) -> usize {
    lines.iter().filter(|line| line.contains(text)).count()
}

#[tokio::test]
async fn two_people_see_each_others_lines() {
    let server = Server::start().await;
    let mut anna = Terminal::open(&server.url, &["--register", "--login", "anna", "--create", "garden", "--public"]);
    anna.types("first of all").await;
    anna.shows("first of all").await;
    let mut bert = Terminal::open(&server.url, &["--register", "--login", "bert", "--room", "garden"]);
    bert.shows("first of all").await;
    bert.types("good morning anna").await;
    anna.shows("good morning anna").await;
    anna.types("good morning bert").await;
    bert.shows("good morning bert").await;
    let (code, lines) = anna.finishes().await;
    assert_eq!((code, times(&lines, "good morning bert")), (0, 1), "{lines:?}");
    let (code, lines) = bert.finishes().await;
    assert_eq!((code, times(&lines, "good morning bert")), (0, 1), "{lines:?}");
}

#[tokio::test]
async fn a_conversation_survives_kill_and_restart_of_the_server() {
    let server = Server::start().await;
    let door = Door::before(&server).await;
    let mut anna = Terminal::open(&door.url, &["--register", "--login", "anna", "--create", "garden", "--public"]);
    anna.types("before").await;
    anna.shows("before").await;
    let mut bert = Terminal::open(&door.url, &["--register", "--login", "bert", "--room", "garden"]);
    bert.shows("before").await;
    let server = server.kill_and_restart().await;
    anna.types("typed while it was away").await;
    door.leads_to(&server);
    bert.shows("typed while it was away").await;
    bert.types("welcome back").await;
    anna.shows("welcome back").await;
    for terminal in [anna, bert] {
        let (code, lines) = terminal.finishes().await;
        assert_eq!(code, 0, "{lines:?}");
        for text in ["before", "typed while it was away", "welcome back"] {
            assert_eq!(times(&lines, text), 1, "{text}: {lines:?}");
        }
    }
}

#[tokio::test]
async fn a_line_that_is_piped_in_is_stored_before_the_program_ends() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    server.person("bert").await;
    let mut bert = Terminal::open(&server.url, &["--login", "bert", "--direct", "anna"]);
    bert.types("just one line").await;
    let (code, lines) = bert.finishes().await;
    assert_eq!(code, 0, "{lines:?}");
    let rooms = anna.rest.list("/rooms").await;
    assert_eq!(rooms[0]["last_message"]["body"], "just one line");
}

#[tokio::test]
async fn a_wrong_password_is_told_and_ends_the_program() {
    let server = Server::start().await;
    let anna = Terminal::open(&server.url, &["--login", "nobody", "--room", "garden"]);
    let (code, _) = anna.finishes().await;
    assert_eq!(code, 1);
}
