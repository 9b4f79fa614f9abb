//! The owner of busy rooms is cut off: in one direction, in both, from its peers only, from the stores only.

use std::{
    io::{BufRead as _, BufReader, Lines, Write as _},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

use super::{
    load::Load,
    network::{Network, skipped},
    nodes::Cluster,
};
use crate::support::door::Door;

const TEST: &str = "an_owner_that_is_cut_off_commits_nothing_after_another_has_taken_over";
/// Names what a process inside a namespace passes on; and what it says when it does.
const PASSES: &str = "ROOKERY_TEST_PASSES";
const READY: &str = "connections are passed on";
/// How long an owner stays cut off when nobody has to take over.
const WHILE_CUT: Duration = Duration::from_secs(5);
/// As for a node that was killed, on a machine that does more at once.
const WRITABLE_WITHIN: Duration = Duration::from_secs(15);

/// Between whom nothing passes, by their addresses.
type Cuts = Vec<(String, String)>;
/// A way to cut a node off.
type Way = fn(&Network, &str) -> Cuts;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_that_is_cut_off_commits_nothing_after_another_has_taken_over() {
    let of = |name: &str| std::env::var(name).expect("this test needs stores: `scripts/services up`");
    let (postgres, cql) = (of("ROOKERY_TEST_POSTGRES"), of("ROOKERY_TEST_CQL"));
    if cql.contains(',') {
        return skipped(TEST, "the stores' own addresses cannot be reached from other network namespaces");
    }
    let network = match Network::make(&["n1", "n2", "n3"]) {
        Ok(network) => network,
        Err(reason) => return skipped(TEST, &reason),
    };
    // A driver goes where the stores say that they are, which is on loopback: there they are in every namespace.
    let (_, server) = postgres.rsplit_once('@').expect("a url with a user");
    let (server, _) = server.split_once('/').expect("a url with a database");
    let host = network.stores();
    let doors = [server, &cql].map(|server| Door::at(&host, server.to_owned()));
    let doors = futures_util::future::join_all(doors).await;
    let passes = [server, &cql].into_iter().zip(&doors).map(|(server, door)| format!("{server}={}", door.address()));
    let passes = passes.collect::<Vec<_>>().join(",");
    let _passing: Vec<Passing> =
        ["n1", "n2", "n3"].map(|node| Passing::start(&network.space(node), &passes)).into_iter().collect();
    let cluster = Cluster::start_inside(network, postgres, cql, &["n1", "n2", "n3"]).await;
    let load = Load::on(&cluster).await;
    load.run.more_acks(50).await;
    let ways: [(&str, Way); 3] = [("one direction", out), ("peers", peers), ("all", all)];
    for (how, cuts) in ways {
        let owner = cluster.busiest(&load.run.rooms).await;
        let rooms = cluster.living_on(&owner, &load.run.rooms).await;
        let cuts = cuts(cluster.network(), &owner);
        cuts.iter().for_each(|(from, to)| cluster.network().cut(from, to));
        let at = cluster.other_than(&[&owner]);
        let took = futures_util::future::join_all(rooms.iter().map(|room| load.writable(room, at))).await;
        println!("{owner} was cut off ({how}) with {} rooms; writable again after {took:.2?}", rooms.len());
        assert!(took.iter().all(|time| *time < WRITABLE_WITHIN), "{how}: {took:?}");
        // Two sides that both reach the stores take shards from each other, and leave them for half a minute then: callers
        // on the side that has lost a room wait long for it.
        load.run.more_acks(if how == "peers" { 5 } else { 50 }).await;
        mended(&cluster, &load, &cuts, how).await;
    }
    let owner = cluster.busiest(&load.run.rooms).await;
    let cuts = stores(cluster.network(), &owner);
    cuts.iter().for_each(|(from, to)| cluster.network().cut(from, to));
    tokio::time::sleep(WHILE_CUT).await;
    mended(&cluster, &load, &cuts, "stores").await;
    println!("refused: {:?}", load.refusals());
    load.judge(&cluster).await;
}

/// A process inside a namespace that passes connections on. Ended when dropped.
struct Passing {
    child: Child,
    /// Kept open: a test runner that cannot say how long its test takes gives up.
    _told: Lines<BufReader<ChildStdout>>,
}

impl Passing {
    /// From and to: `host:port=host:port`, with commas.
    fn start(space: &str, passes: &str) -> Self {
        let program = std::env::current_exe().expect("the tests' own program");
        let mut command = Command::new("ip");
        command.args(["netns", "exec", space]).arg(program);
        command.args(["--ignored", "--exact", "cluster::survive::cut::passes_connections_on"]);
        command.env(PASSES, passes).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the tests' own program runs");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        assert!(
            lines.by_ref().any(|line| line.is_ok_and(|line| line.contains(READY))),
            "connections are passed on in {space}"
        );
        Self { child, _told: lines }
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
#[ignore = "not a test: started by another one, inside a network namespace"]
async fn passes_connections_on() {
    let Ok(passes) = std::env::var(PASSES) else { return };
    for pass in passes.split(',') {
        let (from, to) = pass.split_once('=').expect("from=to");
        let (listener, to) = (TcpListener::bind(from).await.expect("a free port"), to.to_owned());
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let to = to.clone();
                tokio::spawn(async move {
                    if let Ok(mut far) = TcpStream::connect(to).await {
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        });
    }
    let _ = writeln!(std::io::stdout(), "{READY}");
    // It is killed by whoever started it; if that could not be done, its input ends.
    let mut input = Vec::new();
    let _ = tokio::io::stdin().read_to_end(&mut input).await;
}

/// Everything passes again, and all is as before.
async fn mended(cluster: &Cluster, load: &Load, cuts: &Cuts, how: &str) {
    cuts.iter().for_each(|(from, to)| cluster.network().mend(from, to));
    let rooms = load.run.rooms.iter();
    let took = futures_util::future::join_all(rooms.map(|room| load.writable(room, cluster.servers()[0]))).await;
    println!("all passes again ({how}); writable after {took:.2?}");
    assert!(took.iter().all(|time| *time < WRITABLE_WITHIN), "{how}: {took:?}");
    cluster.whole().await;
    load.run.more_acks(50).await;
}

/// What the node says to its peers is lost; it hears them.
fn out(network: &Network, node: &str) -> Cuts {
    network.others(node).into_iter().map(|other| (network.address(node), other)).collect()
}

/// The node and its peers do not hear each other; clients and stores reach all of them.
fn peers(network: &Network, node: &str) -> Cuts {
    let own = network.address(node);
    network.others(node).into_iter().flat_map(|other| [(own.clone(), other.clone()), (other, own.clone())]).collect()
}

/// The node and the stores do not hear each other.
fn stores(network: &Network, node: &str) -> Cuts {
    let (own, stores) = (network.address(node), network.stores());
    vec![(own.clone(), stores.clone()), (stores, own)]
}

/// The node hears nobody, and nobody hears it.
fn all(network: &Network, node: &str) -> Cuts {
    vec![(network.address(node), "0.0.0.0/0".to_owned()), ("0.0.0.0/0".to_owned(), network.address(node))]
}
