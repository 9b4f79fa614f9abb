//! This node's part in its cluster: joining it, and leaving it without a loss.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rookery_core::fence::Owner;

use crate::{
    actors::{Router, ports::ClusterView},
    cluster::{Member, Network, Settings, router::ClusterRouter},
    config::Config,
};

/// Rounds of gossip in which a new node finds its place, at most.
const ROUNDS: u32 = 10;
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
        owner: Owner,
        public: SocketAddr,
    ) -> anyhow::Result<Option<Self>> {
        let Some(mut settings) = Settings::of(config)? else { return Ok(None) };
        settings.url.get_or_insert_with(|| format!("http://{public}"));
        settings.owner = owner.incarnation;
        let interval = settings.gossip_interval;
        let cluster = ClusterRouter::new(Arc::clone(router));
        let network = Arc::new(Network::start(settings, Arc::clone(&cluster) as _).await?);
        cluster.join(Arc::clone(&network));
        let node = Self { network, router: cluster };
        let _ = tokio::time::timeout(interval * ROUNDS, node.is_in_its_place()).await;
        Ok(Some(node))
    }

    /// The nodes, as operators see them.
    pub(super) fn view(&self) -> Arc<dyn ClusterView> {
        Arc::clone(&self.router) as _
    }

    /// Waits until this node takes its part, has a link to every other node, and everything lives somewhere.
    async fn is_in_its_place(&self) {
        loop {
            let members = self.router.members();
            let takes_part = members.get(&self.network.me().node).is_some_and(Member::takes_part);
            if takes_part && self.router.links().len() >= members.others().count() && self.router.is_whole() {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Gives every shard away; other nodes claim them.
    pub(super) async fn hand_over(&self) {
        self.router.give_everything_away().await;
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
