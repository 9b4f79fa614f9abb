//! A link between two nodes: processor time per envelope at both ends, and what a stopped peer costs.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Args;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::bench::cluster::done;
use crate::bench::options::Common;
use crate::bench::process::{self, Cpu};
use crate::bench::progress;
use crate::bench::report::Report;
use crate::bench::server::Folder;
use crate::bench::{latency, own_program};

/// How long a node may take to do what it is told.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at the memory of a node.
const LOOK: Duration = Duration::from_millis(100);

/// What is measured.
#[derive(Args, Clone, Debug)]
pub(in crate::bench) struct Options {
    #[command(flatten)]
    pub(in crate::bench) common: Common,
    /// Envelopes as fast as they are taken.
    #[arg(long, default_value_t = 500_000)]
    envelopes: u64,
    /// Bytes of the frame in an envelope.
    #[arg(long, default_value_t = 300)]
    bytes: usize,
    /// Envelopes per second of the paced parts.
    #[arg(long, default_value_t = 20_000)]
    rate: u64,
    /// Seconds of the paced part with a peer that takes them.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Seconds of the part with a peer that is stopped.
    #[arg(long, default_value_t = 60)]
    stopped_seconds: u64,
}

/// Runs the bench.
pub(in crate::bench) async fn run(options: Options) -> anyhow::Result<()> {
    let common = &options.common;
    ensure!(common.url.is_none(), "this bench needs nodes of its own");
    let folder = Folder::make(common)?;
    credentials(&folder).await?;
    let mut sender = Node::start(&folder, "a", None, common.server_processor()).await?;
    let mut receiver = Node::start(&folder, "b", Some(&sender), common.client_processor()).await?;
    sender.told("up").await?;
    receiver.told("up").await?;
    let spinner = progress::spinner("sending");
    let mut report = Report::new("link");
    report.count("bytes", "bytes of the frame in an envelope", options.bytes as u64, "");

    let order = |count: u64, per_second: u64, patient: bool| {
        json!({
            "order": "send", "to": "b", "kind": "event", "count": count, "bytes": options.bytes,
            "per_second": per_second, "patient": patient,
        })
    };
    // Once for what is only made once: buffers, pages, branch predictions.
    carry(&mut sender, &mut receiver, order(options.envelopes / 10, 0, true)).await?;
    let fast = carry(&mut sender, &mut receiver, order(options.envelopes, 0, true)).await?;
    fast.report(&mut report, "fast", "as fast as they are taken");
    let paced = carry(&mut sender, &mut receiver, order(options.rate * options.seconds, options.rate, false)).await?;
    paced.report(&mut report, "paced", &format!("at {} a second", options.rate));

    spinner.set_message("sending to a stopped peer");
    let stopped =
        stop(&mut sender, &receiver, order(options.rate * options.stopped_seconds, options.rate, false)).await?;
    spinner.finish_and_clear();
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1_u32 << 20);
    report.number("stopped_found_out_seconds", "stopped peer: found out after", stopped.found_out.as_secs_f64(), "s");
    report.number("stopped_grown_mib", "stopped peer: memory that the sender grew by", mebibytes(stopped.grown), "MiB");
    report.count("stopped_taken", "stopped peer: envelopes taken before that", stopped.taken, "");
    report.print(common)
}

async fn credentials(folder: &Folder) -> anyhow::Result<()> {
    let authority = folder.path().join("authority").display().to_string();
    done(&["cluster", "init", "--out", &authority, "--name", "bench"]).await?;
    for node in ["a", "b"] {
        let out = folder.path().join(node).display().to_string();
        done(&["cluster", "node", "--ca", &authority, "--id", node, "--host", "127.0.0.1", "--out", &out]).await?;
    }
    Ok(())
}

/// What carrying envelopes took.
struct Carried {
    envelopes: u64,
    seconds: f64,
    sender_nanos: u64,
    receiver_nanos: u64,
}

impl Carried {
    fn report(&self, report: &mut Report, key: &str, how: &str) {
        let micros = |nanos: u64| latency::per(nanos as f64 / 1_000.0, self.envelopes as f64);
        let rate = latency::per(self.envelopes as f64, self.seconds);
        report.number(&format!("{key}_per_second"), &format!("{how}: envelopes"), rate, "/s");
        let (sender, receiver) = (micros(self.sender_nanos), micros(self.receiver_nanos));
        report.number(&format!("{key}_sender_us"), &format!("{how}: processor time of the sender"), sender, "µs");
        report.number(&format!("{key}_receiver_us"), &format!("{how}: processor time of the receiver"), receiver, "µs");
    }
}

/// Sends, and waits until everything is there.
async fn carry(sender: &mut Node, receiver: &mut Node, order: Value) -> anyhow::Result<Carried> {
    let envelopes = order["count"].as_u64().unwrap_or_default();
    let wanted = receiver.events().await? + envelopes;
    let (own, other, begun) = (Cpu::of(sender.pid)?, Cpu::of(receiver.pid)?, Instant::now());
    sender.order(&order).await?;
    let sent = sender.told("sent").await?;
    ensure!(sent["taken"] == envelopes, "not everything was taken: {sent}");
    let deadline = Instant::now() + PATIENCE;
    while receiver.events().await? < wanted {
        ensure!(Instant::now() < deadline, "not everything arrived");
        tokio::time::sleep(LOOK / 10).await;
    }
    Ok(Carried {
        envelopes,
        seconds: begun.elapsed().as_secs_f64(),
        sender_nanos: Cpu::of(sender.pid)?.since(&own),
        receiver_nanos: Cpu::of(receiver.pid)?.since(&other),
    })
}

/// What a stopped peer cost.
struct Stopped {
    found_out: Duration,
    grown: u64,
    taken: u64,
}

/// Stops the receiver, sends to it nevertheless, and watches the memory of the sender.
async fn stop(sender: &mut Node, receiver: &Node, order: Value) -> anyhow::Result<Stopped> {
    let before = process::resident(sender.pid)?;
    signal("-STOP", receiver.pid).await?;
    let begun = Instant::now();
    sender.order(&order).await?;
    let (mut found_out, mut grown) = (None, 0);
    let outcome = loop {
        grown = process::resident(sender.pid)?.saturating_sub(before).max(grown);
        let Some(line) = sender.line_within(LOOK).await? else { continue };
        if line["down"].is_string() {
            found_out = Some(begun.elapsed());
        }
        if line["sent"].is_string() {
            break line;
        }
    };
    signal("-CONT", receiver.pid).await?;
    let found_out = found_out.context("the stopped peer was not found out")?;
    Ok(Stopped { found_out, grown, taken: outcome["taken"].as_u64().unwrap_or_default() })
}

async fn signal(signal: &str, pid: u32) -> anyhow::Result<()> {
    let status = Command::new("kill").arg(signal).arg(pid.to_string()).status().await?;
    ensure!(status.success(), "the node cannot be sent {signal}");
    Ok(())
}

/// A node that only exchanges envelopes.
struct Node {
    pid: u32,
    address: String,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Node {
    async fn start(folder: &Folder, name: &str, seed: Option<&Node>, pin: Option<usize>) -> anyhow::Result<Node> {
        let file = |file: &str| folder.path().join(name).join(file).display().to_string();
        let mut command = own_program(&["cluster", "probe", "--set", "log.level=warn"], pin)?;
        let settings = [
            ("node", name.to_owned()),
            ("listen", "127.0.0.1:0".to_owned()),
            ("authority", file("authority.pem")),
            ("certificate", file("certificate.pem")),
            ("key", file("key.pem")),
            ("secret_file", file("secret")),
            ("seeds", seed.map_or_else(String::new, |seed| seed.address.clone())),
        ];
        for (key, value) in settings {
            command.arg("--set").arg(format!("cluster.{key}={value}"));
        }
        let log = std::fs::File::create(folder.path().join(format!("{name}.log")))?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::from(log)).kill_on_drop(true);
        let mut child = command.spawn().context("a node cannot be started")?;
        let pid = child.id().context("a node without a process")?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("a node without input and output")
        };
        let lines = BufReader::new(output).lines();
        let mut node = Node { pid, address: String::new(), input, lines, _child: child };
        let ready = node.told("ready").await?;
        node.address = ready["address"].as_str().context("a node without an address")?.to_owned();
        Ok(node)
    }

    async fn order(&mut self, order: &Value) -> anyhow::Result<()> {
        Ok(self.input.write_all(format!("{order}\n").as_bytes()).await?)
    }

    /// The next line that has this; others are of no interest.
    async fn told(&mut self, key: &str) -> anyhow::Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.line_within(left).await?.with_context(|| format!("a node does not say {key}"))?;
            if !line[key].is_null() {
                return Ok(line);
            }
        }
    }

    /// The next line, if there is one soon.
    async fn line_within(&mut self, time: Duration) -> anyhow::Result<Option<Value>> {
        match tokio::time::timeout(time, self.lines.next_line()).await {
            Err(_) => Ok(None),
            Ok(line) => Ok(Some(serde_json::from_str(&line?.context("a node has ended")?)?)),
        }
    }

    async fn events(&mut self) -> anyhow::Result<u64> {
        self.order(&json!({ "order": "state" })).await?;
        Ok(self.told("state").await?["events"].as_u64().unwrap_or_default())
    }
}
