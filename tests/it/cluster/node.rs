//! Nodes for the tests: the files of a cluster, made by the command, and bare nodes as processes that obey orders.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    sync::Arc,
    time::Duration,
};

use rookery::cluster::{NodeId, Peer, credentials::Secret, door::tls::Tls};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::support::{eventually, within};

/// What a peer is told when it is turned away comes within this.
pub(super) const REFUSED_WITHIN: Duration = Duration::from_secs(5);

pub(super) fn rookery(arguments: &[&str]) -> Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_rookery")).args(arguments).output().unwrap()
}

fn done(arguments: &[&str]) {
    let output = rookery(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A cluster's authority, and what its nodes need. Gone with the last who has them.
#[derive(Clone)]
pub(super) struct Files {
    folder: Arc<TempDir>,
}

impl Files {
    /// The files of a cluster that has these nodes.
    pub(super) fn make(cluster: &str, nodes: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("rookery-it-").tempdir().unwrap();
        let files = Self { folder: Arc::new(folder) };
        done(&["cluster", "init", "--out", &files.path("authority"), "--name", cluster]);
        for node in nodes {
            files.admit(node, node);
        }
        files
    }

    /// A node's files, in a folder of this name.
    pub(super) fn admit(&self, node: &str, folder: &str) {
        self.admit_at(node, folder, "127.0.0.1");
    }

    /// As `admit`, for a node that is reached at this address.
    pub(super) fn admit_at(&self, node: &str, folder: &str, host: &str) {
        let (authority, out) = (self.path("authority"), self.path(folder));
        done(&["cluster", "node", "--ca", &authority, "--id", node, "--host", host, "--out", &out]);
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    pub(super) fn of(&self, folder: &str) -> PathBuf {
        self.folder.path().join(folder)
    }

    pub(super) fn secret(&self) -> Secret {
        fs::read_to_string(self.of("authority").join("secret")).unwrap().parse().unwrap()
    }

    /// The ends of TLS that a node has, or somebody who has got hold of its files.
    pub(super) fn tls(&self, node: &str) -> Tls {
        tls(&self.of(node), node, self.secret().cluster())
    }

    /// Starts a node that knows these others.
    pub(super) async fn start(&self, node: &str, seeds: &[&Node]) -> Node {
        self.start_with(node, node, seeds, &[]).await
    }

    /// Starts a node with the files of a folder, and settings of its own.
    pub(super) async fn start_with(&self, node: &str, folder: &str, seeds: &[&Node], settings: &[&str]) -> Node {
        let seeds: Vec<String> = seeds.iter().map(|seed| seed.address.to_string()).collect();
        Node::start(&self.of(folder), node, &seeds, settings, &self.of(&format!("{node}.log"))).await
    }
}

/// The ends of TLS from the files in a folder.
pub(super) fn tls(folder: &Path, node: &str, cluster: &str) -> Tls {
    let node: NodeId = node.parse().unwrap();
    let path = |name: &str| folder.join(name);
    Tls::load(&path("authority.pem"), &path("certificate.pem"), &path("key.pem"), &node, cluster).unwrap()
}

/// A bare node: it only exchanges envelopes. Killed when dropped.
pub(super) struct Node {
    pub(super) name: String,
    pub(super) address: SocketAddr,
    pub(super) incarnation: u64,
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    /// What was told while something else was waited for.
    told: Vec<Value>,
}

impl Node {
    async fn start(folder: &Path, node: &str, seeds: &[String], settings: &[&str], log: &Path) -> Self {
        let file = |name: &str| folder.join(name).display().to_string();
        let mut all = vec![
            format!("cluster.node={node}"),
            "cluster.listen=127.0.0.1:0".to_owned(),
            format!("cluster.certificate={}", file("certificate.pem")),
            format!("cluster.key={}", file("key.pem")),
            format!("cluster.authority={}", file("authority.pem")),
            format!("cluster.secret_file={}", file("secret")),
            "cluster.gossip_millis=200".to_owned(),
            "log.level=info,rookery=debug".to_owned(),
        ];
        if !seeds.is_empty() {
            all.push(format!("cluster.seeds={}", seeds.join(",")));
        }
        all.extend(settings.iter().map(|setting| (*setting).to_owned()));
        let mut command = Command::new(env!("CARGO_BIN_EXE_rookery"));
        command.args(["cluster", "probe"]).args(all.iter().flat_map(|setting| ["--set", setting]));
        let log = OpenOptions::new().create(true).append(true).open(log).unwrap();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let lines = BufReader::new(output).lines();
        let address = "127.0.0.1:0".parse().unwrap();
        let mut node = Self { name: node.to_owned(), address, incarnation: 0, child, input, lines, told: Vec::new() };
        let ready = node.told(|line| line["ready"].is_string()).await;
        node.address = ready["address"].as_str().unwrap().parse().unwrap();
        node.incarnation = ready["incarnation"].as_u64().unwrap();
        node
    }

    pub(super) fn id(&self) -> NodeId {
        self.name.parse().unwrap()
    }

    pub(super) fn peer(&self) -> Peer {
        Peer { node: self.id(), incarnation: self.incarnation }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    pub(super) fn signal(&self, signal: &str) {
        let status = std::process::Command::new("kill").args([signal, &self.pid().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Ends it at once.
    pub(super) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Tells it to leave, and waits until it has.
    pub(super) async fn leave(mut self) {
        self.order(json!({ "order": "stop" })).await;
        let status = within("the node to leave", self.child.wait()).await.unwrap();
        assert!(status.success(), "{status}");
    }

    pub(super) async fn order(&mut self, order: Value) {
        self.input.write_all(format!("{order}\n").as_bytes()).await.unwrap();
    }

    /// The first thing it tells that is meant; what else it tells is kept.
    pub(super) async fn told(&mut self, meant: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.told.iter().position(&meant) {
            return self.told.remove(at);
        }
        let name = self.name.clone();
        within(&format!("word of node {name}"), async {
            loop {
                let line = self.lines.next_line().await.unwrap().expect("the node has ended");
                let line: Value = serde_json::from_str(&line).unwrap();
                if meant(&line) {
                    return line;
                }
                self.told.push(line);
            }
        })
        .await
    }

    /// Waits until its link to this life of a node is up.
    pub(super) async fn up(&mut self, other: &Node) {
        let (name, incarnation) = (other.name.clone(), other.incarnation);
        self.told(|line| line["up"] == name.as_str() && line["incarnation"] == incarnation).await;
    }

    /// Waits until its link to this life of a node is down.
    pub(super) async fn down(&mut self, peer: &Peer) {
        self.told(|line| line["down"] == peer.node.as_str() && line["incarnation"] == peer.incarnation).await;
    }

    /// Sends envelopes and waits for what became of them.
    pub(super) async fn send(&mut self, sending: Value) -> Value {
        self.begin(sending).await;
        self.told(|line| line["sent"].is_string()).await
    }

    /// Begins to send envelopes.
    pub(super) async fn begin(&mut self, mut sending: Value) {
        sending["order"] = "send".into();
        self.order(sending).await;
    }

    pub(super) async fn state(&mut self) -> State {
        self.order(json!({ "order": "state" })).await;
        State(self.told(|line| line["state"].is_string()).await)
    }

    /// Waits until its state is like this.
    pub(super) async fn until(&mut self, what: &str, like: impl Fn(&State) -> bool) -> State {
        let node = tokio::sync::Mutex::new(self);
        eventually(what, async || {
            let state = node.lock().await.state().await;
            like(&state).then_some(state)
        })
        .await
    }

    /// Kibibytes in memory.
    pub(super) fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

/// What a node tells of itself.
pub(super) struct State(pub(super) Value);

impl State {
    pub(super) fn number(&self, key: &str) -> u64 {
        self.0[key].as_u64().unwrap()
    }

    /// Names of the nodes that it counts as alive.
    pub(super) fn members(&self) -> Vec<&str> {
        self.0["members"].as_array().unwrap().iter().map(|member| member["node"].as_str().unwrap()).collect()
    }

    pub(super) fn member(&self, name: &str) -> Option<&Value> {
        self.0["members"].as_array().unwrap().iter().find(|member| member["node"] == name)
    }

    /// Names of the nodes that it has links to.
    pub(super) fn links(&self) -> Vec<&str> {
        self.0["links"].as_array().unwrap().iter().map(|link| link["node"].as_str().unwrap()).collect()
    }

    /// What a counter stands at, with the label it begins with: `rookery_link_refused_total{reason="stale"}`.
    pub(super) fn counted(&self, name: &str) -> u64 {
        let metrics = self.0["metrics"].as_str().unwrap();
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0, |number| number.parse().unwrap())
    }

    /// How many things of peers were not taken, for this reason.
    pub(super) fn refused(&self, reason: &str) -> u64 {
        self.counted(&format!("rookery_link_refused_total{{reason=\"{reason}\"}}"))
    }
}

/// Writes bytes to a file, for tests that damage one.
pub(super) fn overwrite(path: &Path, bytes: &[u8]) {
    OpenOptions::new().write(true).truncate(true).open(path).unwrap().write_all(bytes).unwrap();
}

/// Two nodes of a cluster whose link is up at both ends. The second dials.
pub(super) async fn pair(files: &Files) -> (Node, Node) {
    let mut one = files.start("a", &[]).await;
    let mut other = files.start("b", &[&one]).await;
    one.up(&other).await;
    other.up(&one).await;
    (one, other)
}
