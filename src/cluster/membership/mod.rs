//! Who is in the cluster and alive: gossip by chitchat, and what each node says of itself.

mod gossip;
mod seal;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use chitchat::{
    ChitchatConfig, ChitchatHandle, ChitchatId, FailureDetectorConfig, NodeState, ProtocolVersion, spawn_chitchat,
};
use futures_util::StreamExt;
use rookery_core::{
    ids::{SHARDS, ShardId},
    time::Millis,
};
use tokio::{net::UdpSocket, sync::watch, time::sleep};
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::{
    credentials::Secret,
    identity::{NodeId, Peer},
};

const ADDRESS: &str = "address";
const URL: &str = "url";
const VERSION: &str = "version";
const DRAINING: &str = "draining";
const KEPT: &str = "kept";
const LOAD: &str = "load";
const LEFT: &str = "left";
const OWNER: &str = "owner";
const SETTLED: &str = "settled";

/// How many times the usual interval a node may be silent before it counts as dead.
const PATIENCE: f64 = 8.0;
/// How long the dead are remembered, so that news of them from others does not make them appear again.
const REMEMBERED: Duration = Duration::from_secs(3_600);

/// A node that is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which life of which node.
    pub peer: Peer,
    /// Where its links are dialled.
    pub address: SocketAddr,
    /// Where people reach it, if it says so.
    pub url: Option<String>,
    /// What it runs, if it says so; only for people.
    pub version: Option<String>,
    /// Under which incarnation it owns shards.
    pub owner: Uuid,
    /// It has been there for long enough to know who else is: it takes its part.
    pub settled: bool,
    /// It gives its shards away.
    pub draining: bool,
    /// Shards that an operator moved to it, each with the number of the order.
    pub kept: BTreeMap<ShardId, u64>,
    /// How much it has to do, as it says; only for people and for choices that may be wrong.
    pub load: u32,
    /// Since when it is seen here.
    pub since: Millis,
}

impl Member {
    /// Whether it may have shards, and a part of the registry.
    #[must_use]
    pub fn takes_part(&self) -> bool {
        self.settled && !self.draining
    }
}

/// The nodes that are alive, as this node sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    me: Option<Peer>,
    all: BTreeMap<NodeId, Member>,
    /// A later life of this very node that others have seen: two processes run under one name, and this is the older.
    pub superseded_by: Option<Peer>,
}

impl Members {
    /// All of them, this node too, by name.
    pub fn all(&self) -> impl Iterator<Item = &Member> {
        self.all.values()
    }

    /// All but this node.
    pub fn others(&self) -> impl Iterator<Item = &Member> {
        self.all.values().filter(|member| Some(&member.peer.node) != self.me.as_ref().map(|me| &me.node))
    }

    /// The node that keeps a shard by the latest order, if it takes part.
    #[must_use]
    pub fn keeper(&self, shard: ShardId) -> Option<&Member> {
        let order = |member: &&Member| (member.kept.get(&shard).copied(), member.peer.node.clone());
        self.all().filter(|member| member.kept.contains_key(&shard)).max_by_key(order).filter(|it| it.takes_part())
    }

    /// The number of the next order about a shard.
    #[must_use]
    pub fn next_order(&self, shard: ShardId) -> u64 {
        self.all().filter_map(|member| member.kept.get(&shard)).max().map_or(1, |order| order.saturating_add(1))
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, node: &NodeId) -> Option<&Member> {
        self.all.get(node)
    }
}

/// What a node says of itself when it starts.
pub(super) struct Announcement {
    pub(super) me: Peer,
    pub(super) owner: Uuid,
    pub(super) address: SocketAddr,
    pub(super) url: Option<String>,
}

/// The node's part in the gossip. Ends when dropped.
pub(super) struct Membership {
    chitchat: ChitchatHandle,
    members: watch::Receiver<Arc<Members>>,
    interval: Duration,
    _follow: AbortOnDropHandle<()>,
}

impl Membership {
    /// Begins to gossip by a socket that is bound already.
    pub(super) async fn join(
        announcement: Announcement,
        socket: UdpSocket,
        secret: &Secret,
        seeds: Vec<String>,
        interval: Duration,
    ) -> anyhow::Result<Self> {
        let Announcement { me, owner, address, url } = announcement;
        let id = ChitchatId::new(me.node.as_str(), me.incarnation, address);
        let config = ChitchatConfig {
            chitchat_id: id.clone(),
            cluster_id: secret.cluster().to_owned(),
            gossip_interval: interval,
            listen_addr: socket.local_addr()?,
            seed_nodes: seeds,
            failure_detector_config: FailureDetectorConfig {
                phi_threshold: PATIENCE,
                sampling_window_size: 100,
                max_interval: interval * 10,
                initial_interval: interval,
                dead_node_grace_period: REMEMBERED,
            },
            marked_for_deletion_grace_period: REMEMBERED,
            catchup_callback: None,
            extra_liveness_predicate: None,
            protocol_version: ProtocolVersion::V1,
        };
        let first = [
            (ADDRESS, address.to_string()),
            (OWNER, owner.to_string()),
            (DRAINING, "0".to_owned()),
            (VERSION, env!("CARGO_PKG_VERSION").to_owned()),
        ];
        let mut said: Vec<(String, String)> = first.map(|(key, value)| (key.to_owned(), value)).into();
        said.extend(url.map(|url| (URL.to_owned(), url)));
        let chitchat = spawn_chitchat(config, said, &gossip::Sealed::new(socket, secret.clone())).await?;
        let stream = chitchat.with_chitchat(|chitchat| chitchat.live_nodes_watch_stream()).await;
        let (sender, members) = watch::channel(Arc::new(Members { me: Some(me.clone()), ..Members::default() }));
        let follow = AbortOnDropHandle::new(tokio::spawn(follow(me, stream, sender)));
        Ok(Self { chitchat, members, interval, _follow: follow })
    }

    /// Who is alive, now and after every change.
    pub(super) fn members(&self) -> watch::Receiver<Arc<Members>> {
        self.members.clone()
    }

    /// Says whether this node gives its shards away.
    pub(super) async fn set_draining(&self, draining: bool) {
        self.say(DRAINING, if draining { "1" } else { "0" }).await;
    }

    /// Says that this node takes its part from now on.
    pub(super) async fn set_settled(&self) {
        self.say(SETTLED, "1").await;
    }

    /// Says how much this node has to do.
    pub(super) async fn set_load(&self, load: u32) {
        self.say(LOAD, &load.to_string()).await;
    }

    /// Says which shards this node has because an operator moved them to it.
    pub(super) async fn set_kept(&self, kept: &BTreeMap<ShardId, u64>) {
        let said: Vec<String> = kept.iter().map(|(shard, order)| format!("{}@{order}", shard.0)).collect();
        self.say(KEPT, &said.join(",")).await;
    }

    async fn say(&self, key: &str, value: &str) {
        self.chitchat.with_chitchat(|chitchat| chitchat.self_node_state().set(key, value)).await;
    }

    /// Returns when gossip has ended, which it does only when the node leaves, or by a fault.
    pub(super) async fn ended(&self) -> anyhow::Result<()> {
        self.chitchat.termination_watcher().await
    }

    /// Says goodbye, so that nobody has to find out, and ends.
    pub(super) async fn leave(&self) {
        self.say(LEFT, "1").await;
        let others: Vec<SocketAddr> = self.members.borrow().others().map(|member| member.address).collect();
        for other in others {
            // Who does not hear it finds out.
            let _ = self.chitchat.gossip(other);
        }
        sleep(self.interval).await;
        // It has ended by itself if this fails.
        let _ = self.chitchat.initiate_shutdown();
    }
}

async fn follow(
    me: Peer,
    mut live: impl futures_util::Stream<Item = BTreeMap<ChitchatId, NodeState>> + Unpin,
    sender: watch::Sender<Arc<Members>>,
) {
    while let Some(live) = live.next().await {
        let before = Arc::clone(&sender.borrow());
        let now = members_of(&me, &live, &before);
        metrics::gauge!("rookery_members").set(f64::from(u32::try_from(now.all.len()).unwrap_or(u32::MAX)));
        if now == *before {
            continue;
        }
        for member in
            now.all().filter(|member| before.get(&member.peer.node).map(|was| &was.peer) != Some(&member.peer))
        {
            tracing::info!(member = %member.peer, "a node is there");
        }
        for member in before.all().filter(|member| now.get(&member.peer.node).is_none()) {
            tracing::info!(member = %member.peer, "a node is gone");
        }
        if let Some(other) = now.superseded_by.as_ref().filter(|_| before.superseded_by.is_none()) {
            tracing::error!(%other, "another process runs under this node's name");
        }
        if sender.send(Arc::new(now)).is_err() {
            return;
        }
    }
}

fn members_of(me: &Peer, live: &BTreeMap<ChitchatId, NodeState>, before: &Members) -> Members {
    let mut now = Members { me: Some(me.clone()), ..Members::default() };
    for (id, state) in live {
        let Some(member) = member_of(id, state, before) else { continue };
        if member.peer.node == me.node && member.peer.incarnation > me.incarnation {
            now.superseded_by = Some(member.peer.clone());
        }
        // Of a node that has just come back, the life before it is not yet found to be over.
        let known =
            now.all.get(&member.peer.node).is_some_and(|other| other.peer.incarnation > member.peer.incarnation);
        if !known {
            now.all.insert(member.peer.node.clone(), member);
        }
    }
    now
}

fn member_of(id: &ChitchatId, state: &NodeState, before: &Members) -> Option<Member> {
    let peer = Peer { node: id.node_id.parse().ok()?, incarnation: id.generation_id };
    let address = state.get(ADDRESS)?.parse().ok()?;
    if state.get(LEFT).is_some() {
        return None;
    }
    let seen = before.get(&peer.node).filter(|member| member.peer == peer);
    Some(Member {
        address,
        url: state.get(URL).map(str::to_owned),
        version: state.get(VERSION).map(str::to_owned),
        owner: state.get(OWNER)?.parse().ok()?,
        settled: state.get(SETTLED) == Some("1"),
        draining: state.get(DRAINING) == Some("1"),
        kept: state.get(KEPT).map(kept_of).unwrap_or_default(),
        load: state.get(LOAD).and_then(|load| load.parse().ok()).unwrap_or(0),
        since: seen.map_or_else(crate::actors::clock::now, |member| member.since),
        peer,
    })
}

/// What a node says that it keeps; what is not understood of it is passed over.
fn kept_of(said: &str) -> BTreeMap<ShardId, u64> {
    let one = |part: &str| {
        let (shard, order) = part.split_once('@')?;
        let shard = shard.parse().ok().filter(|shard| *shard < SHARDS)?;
        Some((ShardId(shard), order.parse().ok()?))
    };
    said.split(',').filter_map(one).collect()
}
