//! Pages tried out on the real binary: the README's conversation in a shell with curl, settings, commands.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A process that does not outlive the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_conversation_of_the_readme_happens() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, url) = server(folder.path());
    let said = shell(&script(&url), folder.path());

    let lines: Vec<_> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let (history, before) = lines.split_last().expect("the conversation prints something");
    let (question, answer) = ("Is anybody up there?", "I am, third branch from the top.");
    assert!(before.iter().any(|line| line.contains(question)), "birch does not see what alder wrote:\n{said}");
    assert!(history.starts_with("{\"items\":["), "the last line should be alder's view of the room:\n{said}");
    let asked = history.find(question).expect("alder's own message is in the room");
    let answered = history.find(answer).expect("alder sees what birch wrote");
    assert!(asked < answered, "the question comes before the answer:\n{said}");
    assert!(!said.contains("\"code\":"), "something was refused:\n{said}");
}

#[test]
fn operations_names_every_setting_with_its_default() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md")).unwrap();
    let (_, rest) = page.split_once("\n## Settings").unwrap();
    let rows = rest.split("\n## ").next().unwrap().lines().filter(|line| line.starts_with("| `"));
    let mut explained = BTreeMap::new();
    for row in rows {
        let cells: Vec<_> = row.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect();
        let (key, variable, default) = (&cells[1], &cells[2], &cells[3]);
        assert_eq!(*variable, format!("ROOKERY_{}", key.replace('.', "__").to_uppercase()), "of {key}");
        explained.insert(key.clone(), default.clone());
    }
    assert_eq!(explained, settings(), "each setting has its row in docs/operations.md with its default, and no other");
}

#[test]
fn the_commands_of_performance_are_understood() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/performance.md")).unwrap();
    let commands: Vec<_> =
        page.split('`').skip(1).step_by(2).filter_map(|code| code.strip_prefix("rookery ")).collect();
    let understood = |arguments: &str| {
        // Asked for help last, the command is read to its end and not carried out.
        let words = arguments.split_whitespace().chain(["--help"]);
        Command::new(env!("CARGO_BIN_EXE_rookery")).args(words).output().unwrap().status.success()
    };
    assert!(!understood("bench idle --no-such-flag 1"), "a command that makes no sense is refused");
    let refused: Vec<_> = commands.iter().filter(|command| command.contains("--") && !understood(command)).collect();
    assert!(commands.len() > 5 && refused.is_empty(), "not understood: {refused:?}, of {commands:?}");
}

/// What the binary says its settings are when nothing is set.
fn settings() -> BTreeMap<String, String> {
    let empty = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_rookery"))
        .args(["config", "print", "--json"])
        .env_clear()
        .current_dir(empty.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let items = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let shown = |value: &serde_json::Value| match value {
        serde_json::Value::Null => "none".to_owned(),
        serde_json::Value::Array(entries) if entries.is_empty() => "none".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    items.map(|item| (item["key"].as_str().unwrap().to_owned(), shown(&item["value"]))).collect()
}

/// The block of the README that is marked for this test, pointed at this server and this binary.
fn script(url: &str) -> String {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, rest) = readme.split_once("<!-- The next block is run by tests/readme.rs. -->").unwrap();
    let (_, block) = rest.split_once("```sh\n").unwrap();
    let (script, _) = block.split_once("```").unwrap();
    let (here, binary) = ("http://127.0.0.1:8080", "./target/release/rookery");
    assert!(script.contains(here) && script.contains(binary), "the README no longer names the server or the binary");
    script.replace(here, url).replace(binary, env!("CARGO_BIN_EXE_rookery"))
}

fn server(folder: &Path) -> (Process, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rookery"))
        .args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data"])
        .arg(folder.join("data"))
        .env("ROOKERY_LOG__LEVEL", "warn")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let ready = BufReader::new(child.stdout.take().unwrap());
    let server = Process(child);
    let (found, url) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let url = |line: String| line.strip_prefix("url").map(|url| url.trim().to_owned());
        let _ = found.send(ready.lines().map_while(Result::ok).find_map(url));
    });
    let url = url.recv_timeout(PATIENCE).expect("the server says in time that it is ready");
    (server, url.expect("the server says where it is reached"))
}

fn shell(script: &str, folder: &Path) -> String {
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(script)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    let mut shell = Process(child);
    let (done, all) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let mut said = String::new();
        let _ = output.read_to_string(&mut said);
        let _ = done.send(said);
    });
    let said = all.recv_timeout(PATIENCE).expect("the conversation ends in time");
    assert!(shell.0.wait().unwrap().success(), "the shell failed:\n{said}");
    said
}
