//! `rookery front`: who gets new connections, that bytes and ends go through, and how many connections there may be.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{
    door::Door,
    eventually,
    person::Person,
    process::Server,
    socket::{Socket, handshake},
    within,
};

/// How long a node that hangs still gets new connections.
const UNNOTICED: Duration = Duration::from_millis(1_500);
/// How long a connection waits for a node to be ready, at least and at most.
const WAITS: std::ops::Range<Duration> = Duration::from_millis(4_900)..Duration::from_secs(8);

/// The process. Killed when dropped.
struct Front {
    child: Child,
    url: String,
}

impl Front {
    async fn start(nodes: &[&Server], more: &[&str]) -> Self {
        let urls: Vec<&str> = nodes.iter().map(|node| &*node.url).collect();
        Self::before(&urls, more).await
    }

    async fn before(urls: &[&str], more: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rookery"));
        command.args(["front", "--listen", "127.0.0.1:0"]).args(more);
        command.args(urls.iter().flat_map(|url| ["--node", *url]));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = std::io::BufReader::new(child.stdout.take().unwrap());
        let lines = std::io::BufRead::lines(lines).map_while(Result::ok);
        let url = lines.into_iter().find_map(|line| Some(line.strip_prefix("url ")?.trim().to_owned())).unwrap();
        let front = Self { child, url };
        eventually("a node that is ready", || async { front.answers().await.then_some(()) }).await;
        front
    }

    fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// Whether a new connection gets an answer.
    async fn answers(&self) -> bool {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(1)).build().unwrap();
        client.get(format!("{}/readyz", self.url)).send().await.is_ok_and(|answer| answer.status() == 200)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // An error means that it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn new_connections_go_to_nodes_that_are_ready() {
    let (mut one, other) = tokio::join!(Server::start(), Server::start());
    let front = Front::start(&[&one, &other], &[]).await;

    // One that hangs takes connections and says nothing; after a moment it gets none any more.
    other.signal("-STOP");
    let paused = Instant::now();
    while paused.elapsed() < UNNOTICED {
        front.answers().await;
    }
    for _ in 0..8 {
        assert!(front.answers().await, "every new connection goes to the node that is ready");
    }

    // It goes on and is asked again; now it is the only one.
    other.signal("-CONT");
    one.kill();
    eventually("the one that goes on to be noticed", || async { front.answers().await.then_some(()) }).await;
    for _ in 0..8 {
        assert!(front.answers().await, "every new connection goes to the node that is left");
    }
}

#[tokio::test]
async fn people_talk_through_it_and_an_end_is_passed_on() {
    let server = Server::start().await;
    let mut front = Front::start(&[&server], &[]).await;
    let anna = Person::register(&front.url, "anna").await;
    let bert = Person::register(&front.url, "bert").await;
    let room = anna.group("tea", &[&bert]).await;
    let mut listening = bert.online().await;
    let ack = anna.online().await.say(&room, "good morning").await;
    let heard = listening.event(&room, ack["seq"].as_u64().unwrap()).await;
    assert_eq!(heard["body"], "good morning", "{heard}");

    // Who has said all that it will say still gets the answer, and then the server's end.
    let mut stream = TcpStream::connect(front.address()).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: front\r\nConnection: close\r\n\r\n").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    within("the answer and its end", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok\n"), "{answer}");

    let asked = Command::new("kill").args(["-TERM", &front.child.id().to_string()]).status().unwrap();
    assert!(asked.success());
    let status = eventually("the end", || {
        let ended = front.child.try_wait().unwrap();
        async move { ended }
    })
    .await;
    assert!(status.success(), "{status}");
    assert_eq!(listening.close_code().await, None, "its connections end with it");
}

#[tokio::test]
async fn one_connection_more_than_allowed_is_closed_at_once() {
    let server = Server::start().await;
    let front = Front::start(&[&server], &["--connections", "2"]).await;
    let connect = async || TcpStream::connect(front.address()).await.unwrap();
    // The one that asked whether it is ready may not have ended yet.
    let mut held = Vec::new();
    while held.len() < 2 {
        let mut stream = connect().await;
        if is_held(&mut stream).await {
            held.push(stream);
        }
    }
    assert!(!is_held(&mut connect().await).await, "there is no place for a third");
    held.pop();
    eventually("a place after one has left", || async { is_held(&mut connect().await).await.then_some(()) }).await;
}

#[tokio::test]
async fn a_connection_waits_a_moment_for_a_node_to_be_ready_and_is_refused_cleanly_if_none_is() {
    let mut server = Server::start().await;
    let door = Door::before(&server).await;
    let front = Front::before(&[&door.url], &[]).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = || client.get(format!("{}/readyz", front.url)).send();

    server.kill();
    // Until that is noticed a connection ends like the one to the node.
    let (refusal, took) = eventually("a refusal", || async {
        let asked = Instant::now();
        let answer = ask().await.ok()?;
        (answer.status() == 503).then(|| (answer, asked.elapsed()))
    })
    .await;
    assert!(WAITS.contains(&took), "refused after {took:?}");
    assert_eq!(refusal.headers()["retry-after"], "1");
    assert_eq!(refusal.text().await.unwrap(), "no node is ready yet\n");
    let refused = Socket::try_connect(handshake(&front.url, "nobody"), None).await.err().unwrap();
    assert_eq!(refused.0, 503, "{refused:?}");

    // Who comes a moment too early is served when a node is there.
    let server = server.kill_and_restart().await;
    let mut stream = TcpStream::connect(front.address()).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: front\r\nConnection: close\r\n\r\n").await.unwrap();
    door.leads_to(&server);
    let mut answer = String::new();
    within("the answer", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok\n"), "{answer}");
}

/// Whether somebody answers on this connection, which stays open for more.
async fn is_held(stream: &mut TcpStream) -> bool {
    let mut start = [0; 12];
    let asked = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: front\r\n\r\n").await;
    asked.is_ok() && within("an answer or an end", stream.read_exact(&mut start)).await.is_ok()
}
