//! This node's part in its cluster: joining it, and leaving it without a loss.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rookery_core::ids::{SHARDS, ShardId};

use crate::{
    actors::{Router, ports::ClusterView},
    cluster::{Network, Settings, router::ClusterRouter},
    config::Config,
};

/// Rounds of gossip in which a new node hears who else is there, at most.
const ROUNDS: u32 = 10;
/// How long giving back all shards may take.
const GIVING_BACK: Duration = Duration::from_secs(8);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// The node in its cluster.
pub(super) struct Node {
    network: Arc<Network>,
    router: Arc<ClusterRouter>,
}

impl Node {
    /// Joins the cluster that the settings name; `None`: the node is alone.
    pub(super) async fn join(
        config: &Config,
        router: &Arc<Router>,
        public: SocketAddr,
    ) -> anyhow::Result<Option<Self>> {
        let Some(mut settings) = Settings::of(config)? else { return Ok(None) };
        settings.url.get_or_insert_with(|| format!("http://{public}"));
        let (seeds, interval) = (settings.seeds.len(), settings.gossip_interval);
        let cluster = ClusterRouter::new(Arc::clone(router));
        let network = Arc::new(Network::start(settings, Arc::clone(&cluster) as _).await?);
        cluster.join(Arc::clone(&network));
        let node = Self { network, router: cluster };
        if seeds > 0 {
            // A node that sees nobody yet would take itself for the owner of everything.
            let _ = tokio::time::timeout(interval * ROUNDS, node.sees_others()).await;
        }
        Ok(Some(node))
    }

    /// The nodes, as operators see them.
    pub(super) fn view(&self) -> Arc<dyn ClusterView> {
        Arc::clone(&self.router) as _
    }

    /// Waits until there is a link to every node that is alive, and to one at least.
    async fn sees_others(&self) {
        loop {
            let members = self.router.members();
            let others = members.others().count();
            if others > 0 && self.router.links().len() >= others {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Gives every shard away; other nodes claim them.
    pub(super) async fn hand_over(&self, router: &Arc<Router>) {
        self.network.set_draining(true).await;
        let given = async {
            while owns_something(router).await {
                tokio::time::sleep(LOOK).await;
            }
        };
        if tokio::time::timeout(GIVING_BACK, given).await.is_err() {
            tracing::warn!("some shards were not given back in time; they are claimed from this node");
        }
    }

    /// Waits until this process cannot be this node any more: another one has started under its name, or its links have ended.
    pub(super) async fn is_over(&self) -> &'static str {
        let mut members = self.network.members();
        let superseded = async {
            loop {
                if members.borrow_and_update().superseded_by.is_some() || members.changed().await.is_err() {
                    return "another process has started under the name of this node";
                }
            }
        };
        tokio::select! {
            why = superseded => why,
            _ = self.network.ended() => "the gossip of this node has ended",
        }
    }

    /// Leaves.
    pub(super) async fn leave(&self) {
        self.network.stop().await;
    }
}

async fn owns_something(router: &Arc<Router>) -> bool {
    for shard in (0..SHARDS).map(ShardId) {
        if router.epoch_of(shard).await.is_some() {
            return true;
        }
    }
    false
}
