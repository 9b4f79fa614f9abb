//! The nodes of one cluster, as processes over stores of their own, to be killed, paused, stopped and started again.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    super::{
        node::Files,
        stores::{Stores, operator},
    },
    network::Network,
};
use crate::support::{process::Server, rest::Rest};

/// One cluster at a time: several would slow each other until their deadlines lie.
static TURN: Semaphore = Semaphore::const_new(1);

/// How long a cluster may take for what it does by itself; far above what it needs, for slow machines.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for it, for a test that needs much of the machine before it starts its nodes.
pub(super) async fn turn() -> SemaphorePermit<'static> {
    TURN.acquire().await.expect("nobody closes it")
}

/// The cluster.
pub(super) struct Cluster {
    files: Files,
    /// Those that run.
    nodes: BTreeMap<String, Server>,
    pub(super) stores: Stores,
    /// Where the nodes are, if not where the test is.
    network: Option<Network>,
    _turn: SemaphorePermit<'static>,
}

impl Cluster {
    /// Nodes of these names that see each other, over the stores that the environment names.
    pub(super) async fn start(names: &[&str]) -> Self {
        Self::over(Stores::new(), None, names, turn().await).await
    }

    /// The same with files that somebody else has too.
    pub(super) async fn start_with(files: Files, names: &[&str]) -> Self {
        let turn = turn().await;
        Self::of(files, Stores::new(), None, names, turn).await
    }

    /// Nodes over stores on these servers, by whoever waited for the turn.
    pub(super) async fn start_over(
        turn: SemaphorePermit<'static>,
        postgres: String,
        cql: String,
        names: &[&str],
    ) -> Self {
        Self::over(Stores::on(postgres, cql), None, names, turn).await
    }

    /// Nodes that are each in a network namespace of its own, over stores on these servers.
    pub(super) async fn start_inside(network: Network, postgres: String, cql: String, names: &[&str]) -> Self {
        Self::over(Stores::on(postgres, cql), Some(network), names, turn().await).await
    }

    async fn over(stores: Stores, network: Option<Network>, names: &[&str], turn: SemaphorePermit<'static>) -> Self {
        Self::of(Files::make("birds", &[]), stores, network, names, turn).await
    }

    async fn of(
        files: Files,
        stores: Stores,
        network: Option<Network>,
        names: &[&str],
        turn: SemaphorePermit<'static>,
    ) -> Self {
        let mut cluster = Self { files, nodes: BTreeMap::new(), stores, network, _turn: turn };
        for name in names {
            cluster.begin(name).await;
        }
        cluster.whole().await;
        cluster
    }

    /// Starts a node, for the first time or again. Those that run tell it who is there.
    pub(super) async fn begin(&mut self, name: &str) {
        if !self.files.of(name).exists() {
            let host = self.network.as_ref().map_or_else(|| "127.0.0.1".to_owned(), |network| network.address(name));
            self.files.admit_at(name, name, &host);
        }
        let mut seeds = Vec::new();
        for (other, server) in &self.nodes {
            let node = operator(server).get(&format!("/nodes/{other}")).await.body(200);
            seeds.push(node["address"].as_str().expect("an address").to_owned());
        }
        let setup = self.stores.setup(&self.files, name);
        let setup = match &self.network {
            Some(network) => {
                let address = network.address(name);
                setup.inside(&network.space(name), &address).set("cluster.listen", format!("{address}:0"))
            }
            None => setup,
        };
        let setup = if seeds.is_empty() { setup } else { setup.set("cluster.seeds", seeds.join(",")) };
        self.nodes.insert(name.to_owned(), setup.start().await);
    }

    pub(super) fn network(&self) -> &Network {
        self.network.as_ref().expect("the nodes are in networks of their own")
    }

    /// Takes a node back that was taken out.
    pub(super) fn put(&mut self, name: &str, server: Server) {
        self.nodes.insert(name.to_owned(), server);
    }

    /// Takes a node out of those that take connections, and leaves its process alone.
    pub(super) fn take(&mut self, name: &str) -> Server {
        self.nodes.remove(name).expect("it runs")
    }

    /// kill -9.
    pub(super) fn kill(&mut self, name: &str) {
        let server = self.take(name);
        complaints(name, &server);
    }

    /// SIGTERM, and the wait for the end, which must be a good one.
    pub(super) async fn stop(&mut self, name: &str) {
        let mut server = self.take(name);
        server.terminate();
        let status = server.ended().await;
        complaints(name, &server);
        assert!(status.success(), "{name} ends well: {status}\n{}", server.log());
    }

    pub(super) fn node(&self, name: &str) -> &Server {
        &self.nodes[name]
    }

    pub(super) fn servers(&self) -> Vec<&Server> {
        self.nodes.values().collect()
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.nodes.keys().cloned().collect()
    }

    pub(super) fn urls(&self) -> Vec<String> {
        self.nodes.values().map(|server| server.url.clone()).collect()
    }

    /// Any node but those of these names.
    pub(super) fn other_than(&self, names: &[&str]) -> &Server {
        self.nodes.iter().find(|(name, _)| !names.contains(&name.as_str())).map(|(_, server)| server).expect("another")
    }

    /// An operator at any of the nodes.
    pub(super) fn admin(&self) -> Rest {
        operator(self.nodes.values().next().expect("a node"))
    }

    /// Waits until every node sees all that run and nobody else, with links among them.
    pub(super) async fn whole(&self) {
        let count = self.nodes.len();
        for (name, admin) in self.nodes.iter().map(|(name, server)| (name, operator(server))) {
            let what = format!("{name} to see {count} nodes that answer, with links to each other");
            until(&what, || async {
                let nodes = admin.get("/nodes").await.body(200)["items"].as_array().expect("items").clone();
                let is_whole = |node: &Value| {
                    node["answers"] == true && node["links"].as_array().is_some_and(|links| links.len() + 1 == count)
                };
                (nodes.len() == count && nodes.iter().all(is_whole)).then_some(())
            })
            .await;
        }
    }

    /// The shard of a room, and the node where it should live as this node sees it.
    pub(super) async fn place(&self, room: &str) -> (u64, String) {
        let shown = self.admin().get(&format!("/rooms/{room}")).await.body(200);
        let shard = shown["shard"].as_u64().expect("a shard");
        (shard, shown["owner"].as_str().expect("an owner").to_owned())
    }

    /// Those of these rooms that live on a node.
    pub(super) async fn living_on(&self, name: &str, rooms: &[String]) -> Vec<String> {
        let mut living = Vec::new();
        for room in rooms {
            if self.place(room).await.1 == name {
                living.push(room.clone());
            }
        }
        living
    }

    /// The node where the most of these rooms live.
    pub(super) async fn busiest(&self, rooms: &[String]) -> String {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for room in rooms {
            *counts.entry(self.place(room).await.1).or_default() += 1;
        }
        counts.into_iter().max_by_key(|(_, count)| *count).map(|(name, _)| name).expect("a room")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.nodes.iter().for_each(|(name, server)| complaints(name, server));
    }
}

/// What a node has warned of, but for what it refused, for whoever reads how a run failed.
fn complaints(name: &str, server: &Server) {
    let complains = |line: &&str| line.contains("\"WARN\"") || line.contains("\"ERROR\"");
    for line in server.log().lines().filter(complains).filter(|line| !line.contains("\"message\":\"request\"")) {
        println!("{name}: {line}");
    }
}

/// Asks again and again until the answer is there.
pub(super) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = ask().await {
            return value;
        }
        assert!(Instant::now() < end, "waited {PATIENCE:?} in vain for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
