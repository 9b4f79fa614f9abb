//! A cluster of a bench's own: nodes as processes, over given stores, in a place that is forgotten at the end.

pub(super) mod diary;
pub(super) mod history;
pub(super) mod speaker;
pub(super) mod stage;

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use reqwest::Method;
use serde_json::Value;

use super::options::{Common, Nodes};
use super::own_program;
use super::reference::{Injected, Place};
use super::server::{Folder, OUT_OF_THE_WAY, Server};

/// How long the nodes may take to see what they should.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at them.
const LOOK: Duration = Duration::from_millis(50);

/// The nodes, `n1` and so on; one that was killed is missing until it is started again.
pub(super) struct Cluster {
    nodes: Vec<Option<Server>>,
    place: Place,
    injected: Injected,
    folder: Folder,
}

/// The name of a node by its position.
pub(super) fn name(node: usize) -> String {
    format!("n{}", node + 1)
}

/// Runs a bench over a cluster of its own, of which nothing is left afterwards, however it went.
pub(super) async fn with<T, B>(common: &Common, nodes: &Nodes, injected: Injected, bench: B) -> anyhow::Result<T>
where
    B: AsyncFnOnce(&mut Cluster) -> anyhow::Result<T>,
{
    let mut cluster = Cluster::new(common, nodes, injected).await?;
    let outcome = match cluster.start_all(common).await {
        Ok(()) => bench(&mut cluster).await,
        Err(error) => Err(error),
    };
    let ended = cluster.end().await;
    let outcome = outcome?;
    ended.map(|()| outcome)
}

impl Cluster {
    async fn new(common: &Common, options: &Nodes, injected: Injected) -> anyhow::Result<Cluster> {
        ensure!(common.url.is_none(), "this bench needs nodes of its own");
        ensure!(options.stores.postgres.is_some(), "this bench needs --postgres URL");
        ensure!(!options.stores.cql.is_empty(), "this bench needs --cql HOST:PORT");
        let count = options.nodes as usize;
        let folder = Folder::make(common)?;
        let authority = folder.path().join("authority").display().to_string();
        done(&["cluster", "init", "--out", &authority, "--name", "bench"]).await?;
        for node in (0..count).map(name) {
            let out = folder.path().join(&node).display().to_string();
            done(&["cluster", "node", "--ca", &authority, "--id", &node, "--host", "127.0.0.1", "--out", &out]).await?;
        }
        let place = options.stores.place();
        let made = place.clone();
        tokio::task::spawn_blocking(move || (injected.make)(&made)).await?.context("no place in the stores")?;
        Ok(Cluster { nodes: (0..count).map(|_| None).collect(), place, injected, folder })
    }

    async fn start_all(&mut self, common: &Common) -> anyhow::Result<()> {
        for node in 0..self.nodes.len() {
            self.start(common, node).await?;
        }
        self.see_each_other().await
    }

    /// Starts a node that does not run.
    pub(super) async fn start(&mut self, common: &Common, node: usize) -> anyhow::Result<()> {
        let settings = self.settings(node).await?;
        let server = Server::in_folder(common, Folder::make(common)?, &settings).await;
        self.nodes[node] = Some(server.with_context(|| format!("node {}", name(node)))?);
        Ok(())
    }

    async fn settings(&self, node: usize) -> anyhow::Result<Vec<String>> {
        let file = |file: &str| self.folder.path().join(name(node)).join(file).display().to_string();
        let Place { postgres, cql, name: place, replication } = &self.place;
        let postgres = postgres.as_deref().unwrap_or_default();
        let more = if postgres.contains('?') { '&' } else { '?' };
        let mut settings = vec![
            "store.kind=cluster".to_owned(),
            format!("store.postgres={postgres}{more}options[search_path]={place}"),
            format!("store.cql={}", cql.join(",")),
            format!("store.keyspace={place}"),
            format!("store.replication={replication}"),
            format!("cluster.node={}", name(node)),
            "cluster.listen=127.0.0.1:0".to_owned(),
            format!("cluster.authority={}", file("authority.pem")),
            format!("cluster.certificate={}", file("certificate.pem")),
            format!("cluster.key={}", file("key.pem")),
            format!("cluster.secret_file={}", file("secret")),
        ];
        settings.extend(OUT_OF_THE_WAY.iter().map(|(key, value)| format!("{key}={value}")));
        if let Some((other, server)) = self.running().next() {
            let told: Value = get(server, &["nodes", &name(other)]).await?;
            let address = told["address"].as_str().context("a node without an address")?;
            settings.push(format!("cluster.seeds={address}"));
        }
        Ok(settings)
    }

    /// The nodes that run, by their positions.
    pub(super) fn running(&self) -> impl Iterator<Item = (usize, &Server)> {
        self.nodes.iter().enumerate().filter_map(|(node, server)| Some((node, server.as_ref()?)))
    }

    /// How many nodes there are when all run.
    pub(super) fn size(&self) -> usize {
        self.nodes.len()
    }

    /// Where its stores are.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// A node that runs.
    pub(super) fn node(&self, node: usize) -> anyhow::Result<&Server> {
        self.nodes.get(node).and_then(Option::as_ref).with_context(|| format!("{} does not run", name(node)))
    }

    /// The processes.
    pub(super) fn pids(&self) -> Vec<u32> {
        self.running().filter_map(|(_, server)| server.pid).collect()
    }

    /// The nodes' addresses for clients, by position; empty for one that does not run.
    pub(super) fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.as_ref().map_or("", |node| node.rest.base()).to_owned()).collect()
    }

    /// Kills a node.
    pub(super) async fn kill(&mut self, node: usize) -> anyhow::Result<()> {
        let server = self.nodes.get_mut(node).and_then(Option::take);
        server.with_context(|| format!("{} does not run", name(node)))?.kill().await
    }

    /// Waits until all nodes that run answer and have links to each other.
    pub(super) async fn see_each_other(&self) -> anyhow::Result<()> {
        let wanted = self.running().count();
        self.until("the nodes do not see each other", async |server| {
            let told = get(server, &["nodes"]).await?;
            let nodes = told["items"].as_array().map_or(&[][..], Vec::as_slice);
            let links = |node: &Value| node["links"].as_array().map_or(0, Vec::len);
            let is_whole = |node: &Value| node["answers"] == true && links(node) + 1 == wanted;
            Ok(nodes.len() == wanted && nodes.iter().all(is_whole))
        })
        .await
    }

    /// Waits until every node says so.
    pub(super) async fn until(
        &self,
        complaint: &str,
        is_so: impl AsyncFn(&Server) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        for (_, server) in self.running() {
            while !is_so(server).await? {
                ensure!(Instant::now() < deadline, "{complaint}");
                tokio::time::sleep(LOOK).await;
            }
        }
        Ok(())
    }

    /// The position of the node that should own a room.
    pub(super) async fn owner(&self, room: &str) -> anyhow::Result<usize> {
        let (_, server) = self.running().next().context("no node runs")?;
        let told = get(server, &["rooms", room]).await?;
        let owner = told["owner"].as_str().with_context(|| format!("nobody owns the room: {told}"))?;
        (0..self.nodes.len()).find(|node| name(*node) == owner).with_context(|| format!("{owner} is unknown"))
    }

    /// How many shards a node has claimed, as another one sees it.
    pub(super) async fn shards_of(&self, node: usize) -> anyhow::Result<usize> {
        let other = self.running().find(|(other, _)| *other != node);
        let (_, other) = other.context("no other node runs")?;
        let (mut count, mut after) = (0, None::<String>);
        loop {
            let mut query = vec![("limit", "200")];
            query.extend(after.as_deref().map(|after| ("after", after)));
            let page: Value = other.admin()?.ask(Method::GET, &["admin", "v1", "shards"], &query, None).await?;
            let held = |shard: &&Value| shard["holder"] == name(node).as_str();
            count += page["items"].as_array().map_or(0, |shards| shards.iter().filter(held).count());
            match page["next"].as_str() {
                Some(next) => after = Some(next.to_owned()),
                None => return Ok(count),
            }
        }
    }

    /// What a metric adds up to over all nodes that run.
    pub(super) async fn metric(&self, metric: &str) -> anyhow::Result<f64> {
        let mut sum = 0.0;
        for (_, server) in self.running() {
            sum += server.metric(metric).await?;
        }
        Ok(sum)
    }

    async fn end(mut self) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        for server in self.nodes.drain(..).flatten() {
            outcome = outcome.and(server.stop().await);
        }
        let (place, injected) = (self.place, self.injected);
        let forgotten = tokio::task::spawn_blocking(move || (injected.forget)(&place)).await?;
        outcome.and(forgotten.context("the place in the stores is not forgotten"))
    }
}

/// What a node's admin endpoint says.
pub(super) async fn get(server: &Server, route: &[&str]) -> anyhow::Result<Value> {
    let route: Vec<&str> = ["admin", "v1"].iter().chain(route).copied().collect();
    Ok(server.admin()?.ask(Method::GET, &route, &[], None).await?)
}

/// Runs this program to its end.
pub(super) async fn done(arguments: &[&str]) -> anyhow::Result<()> {
    let output = own_program(arguments, None)?.output().await?;
    ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
