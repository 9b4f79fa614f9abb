//! Where somebody is who is connected to another node: asked of the registry as clients do, and as operators do.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;

use super::{all_live, plan};
use crate::bench::cluster::{self, Cluster, get, name};
use crate::bench::latency::{Latencies, Summary, now};
use crate::bench::options::{Common, Nodes};
use crate::bench::people::{self, Person};
use crate::bench::reference::Injected;
use crate::bench::report::Report;
use crate::bench::worker::crew::Worker;
use crate::client::frames::{Incoming, Outgoing};
use crate::client::socket::Socket;

/// Who asks is on the first node, who is asked for on this one.
const ELSEWHERE: usize = 1;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is measured.
#[derive(Args, Clone, Debug)]
pub(in crate::bench) struct Options {
    #[command(flatten)]
    pub(in crate::bench) common: Common,
    #[command(flatten)]
    nodes: Nodes,
    /// How many users are connected to the other node.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=5_000))]
    users: u64,
    /// How many look-ups, one after the other.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    lookups: u64,
    /// Milliseconds between two look-ups.
    #[arg(long, default_value_t = 2)]
    pause_millis: u64,
}

/// Runs the bench.
pub(in crate::bench) async fn run(options: Options, injected: Injected) -> anyhow::Result<()> {
    let (registry, operators) =
        cluster::with(&options.common, &options.nodes, injected, async |cluster| look_up(&options, cluster).await)
            .await?;
    let mut report = Report::new("lookup");
    report.count("users", "users on another node", options.users, "");
    report.count("lookups", "look-ups, one after the other", options.lookups, "");
    report.latency("registry", "watch of a user, until presence comes", registry);
    report.latency("admin", "connections of a user, asked by an operator", operators);
    report.print(&options.common)
}

async fn look_up(options: &Options, cluster: &mut Cluster) -> anyhow::Result<(Summary, Summary)> {
    let asker = cluster.node(0)?;
    let people = people::accounts(&asker.rest, options.users as usize + 1, &people::password()).await?;
    let (watcher, users) = people.split_first().context("nobody to ask")?;
    let mut worker = Worker::start(0, options.common.client_processor())?;
    let mut order = plan(cluster.node(ELSEWHERE)?.address, 64, 60);
    order.source = worker.source;
    order.sessions = people::sessions(users, &[], &[]);
    all_live(&[worker.connect(order).await?], users.len())?;

    let mut socket = Socket::open(asker.rest.base(), &watcher.token).await?;
    socket.send(&Outgoing::Hello { cursors: BTreeMap::new(), client: "rookery bench".to_owned() }).await?;
    let pause = Duration::from_millis(options.pause_millis);
    let (mut registry, mut operators) = (Latencies::new(), Latencies::new());
    // Once around without counting: connections to the stores are opened, statements are prepared.
    let warm_up = users.len().min(100);
    for number in 0..options.lookups as usize + warm_up {
        let user = &users[number % users.len()];
        let begun = now();
        watch(&mut socket, user).await?;
        if number >= warm_up {
            registry.record(begun, now());
        }
        tokio::time::sleep(pause).await;
    }
    for number in 0..options.lookups as usize {
        let user = &users[number % users.len()];
        let begun = now();
        let found = get(asker, &["users", &user.id, "sessions"]).await?;
        operators.record(begun, now());
        ensure!(found["items"][0]["node"] == name(ELSEWHERE).as_str(), "the user is found elsewhere: {found}");
        tokio::time::sleep(pause).await;
    }
    drop(worker);
    Ok((registry.summary(), operators.summary()))
}

/// Watches one user, and waits until it is told how they are, which must be: online.
async fn watch(socket: &mut Socket, user: &Person) -> anyhow::Result<()> {
    socket.send(&Outgoing::Watch { users: vec![user.id.clone()] }).await?;
    let told = async {
        loop {
            match socket.next().await? {
                Some(Incoming::Presence { user: about, status }) if about == user.id => return anyhow::Ok(status),
                Some(Incoming::Error { code, .. }) => anyhow::bail!("the watch is refused: {code}"),
                _ => {}
            }
        }
    };
    let status = tokio::time::timeout(PATIENCE, told).await.context("no presence comes")??;
    ensure!(status == "online", "who is connected to another node is {status}");
    Ok(())
}
