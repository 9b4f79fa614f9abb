//! What operators see of the nodes and do to them: asked of each node by its link.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use rookery_core::{
    ids::{RoomId, SHARDS, ShardId},
    placement::{self, Placement},
    shard::Epoch,
};
use tokio::sync::oneshot;

use super::{
    ClusterRouter,
    place::{owner, placement_of},
};
use crate::{
    actors::{
        alone::digest_here,
        digest,
        peers::Slot,
        ports::{ClusterView, Digest, LinkView, NodeState, NotDone, ShardMove, ShardView},
    },
    cluster::{
        LinkState, Members, Network, NodeId,
        wire::call::{Ask, Link, Told},
    },
};

/// Who has claimed which shard, and under which epoch.
type Holders = BTreeMap<ShardId, (String, Epoch)>;

impl ClusterRouter {
    /// Asks a node and waits; `None`: it does not answer.
    pub(super) async fn ask(&self, to: Slot, ask: Ask) -> Option<Told> {
        let (reply, told) = oneshot::channel();
        // Who asked may have gone.
        let taken = self.call(to, ask, move |told| drop(reply.send(told)));
        if taken { told.await.ok() } else { None }
    }

    /// Asks every other node; those that answer, by name.
    async fn ask_all(&self, ask: Ask) -> Vec<(String, Told)> {
        let slots = self.slots.linked(|peer| self.is_linked(peer));
        let asked = slots.into_iter().map(|slot| {
            let ask = ask.clone();
            async move { Some((self.node_of(slot)?.to_string(), self.ask(slot, ask).await?)) }
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// Answers what operators ask by way of another node.
    pub(super) async fn answer_operator(&self, ask: Ask) -> Told {
        match ask {
            Ask::Shards => {
                Told::Shards(self.router.owned().await.into_iter().map(|(shard, epoch)| (shard.0, epoch)).collect())
            }
            Ask::Links => Told::Links(self.links().iter().map(wire_link).collect()),
            Ask::Drain { on } => self.drain_here(on).await,
            Ask::Keep { shard, order } => self.keep_here(ShardId(shard), order).await,
            Ask::Digest { room } => {
                let room = room.into();
                let Ok((head, hash)) = digest::digest(&*self.router.shared.log, room).await else {
                    return Told::Unknown;
                };
                Told::Digest { epoch: self.router.epoch_of(room.shard()).await, head, hash }
            }
            _ => Told::NotHere,
        }
    }

    async fn keep_here(&self, shard: ShardId, order: Option<u64>) -> Told {
        let Some(network) = self.network.get().filter(|_| shard.0 < SHARDS) else { return Told::NotHere };
        // One order after the other: each says anew all that is kept.
        let mut kept = self.kept.lock().await;
        match order {
            Some(order) => kept.insert(shard, order),
            None => kept.remove(&shard),
        };
        network.set_kept(&kept).await;
        Told::Done
    }

    /// Has a node do something, this one or another.
    async fn order(&self, network: &Network, node: &NodeId, ask: Ask) -> Result<(), NotDone> {
        if *node == network.me().node {
            self.answer_operator(ask).await;
            return Ok(());
        }
        let peer = network.linked(node).ok_or(NotDone::Silent)?;
        let slot = self.slots.of(&peer).ok_or(NotDone::Silent)?;
        match self.ask(slot, ask).await {
            Some(Told::Done) => Ok(()),
            _ => Err(NotDone::Silent),
        }
    }

    /// Who has claimed which shard: of two that say so, the one with the later epoch.
    async fn holders(&self) -> Holders {
        let own = self.router.owned().await.into_iter().map(|(shard, epoch)| (shard, self.own_name(), epoch));
        let mut all: Vec<(ShardId, String, Epoch)> = own.collect();
        for (node, told) in self.ask_all(Ask::Shards).await {
            if let Told::Shards(shards) = told {
                all.extend(shards.into_iter().map(|(shard, epoch)| (ShardId(shard), node.clone(), epoch)));
            }
        }
        let mut holders = Holders::new();
        for (shard, node, epoch) in all {
            if holders.get(&shard).is_none_or(|(_, other)| *other < epoch) {
                holders.insert(shard, (node, epoch));
            }
        }
        holders
    }

    async fn moved(&self, shard: ShardId, to: Option<String>, dry_run: bool) -> Result<ShardMove, NotDone> {
        let network = self.network.get().ok_or(NotDone::Silent)?;
        let members = self.members();
        let placement = placement_of(&members);
        let before = view(shard, &placement, &members, &self.holders().await);
        let to = match to {
            Some(to) => {
                let node: NodeId = to.parse().map_err(|_| NotDone::NoSuchNode)?;
                let member = members.get(&node).ok_or(NotDone::NoSuchNode)?;
                if member.draining {
                    return Err(NotDone::Draining);
                }
                Some(node)
            }
            None => None,
        };
        let target = to.as_ref().map(ToString::to_string);
        let target = target.or_else(|| placement.owner(shard).map(ToString::to_string)).ok_or(NotDone::Draining)?;
        if !dry_run {
            if let Some(node) = &to {
                self.order(network, node, Ask::Keep { shard: shard.0, order: Some(members.next_order(shard)) }).await?;
            }
            // Who kept it by an earlier order need not any more. Against a new order an old one does not count.
            let others = members.all().filter(|member| member.kept.contains_key(&shard));
            for other in others.filter(|member| Some(&member.peer.node) != to.as_ref()) {
                let done = self.order(network, &other.peer.node, Ask::Keep { shard: shard.0, order: None }).await;
                if to.is_none() {
                    done?;
                }
            }
        }
        Ok(ShardMove { before, to: target })
    }
}

fn view(shard: ShardId, placement: &Placement, members: &Members, holders: &Holders) -> ShardView {
    let holder = holders.get(&shard).cloned();
    let name = holder.as_ref().map(|(node, _)| placement::NodeId::from(node.as_str()));
    let why = placement.why(shard, name.as_ref());
    let owner = owner(placement, members, shard).map(|owner| owner.to_string());
    let keeper = members.keeper(shard);
    let why = match keeper {
        Some(keeper) => format!("an operator moved it to {}; by itself: {why}", keeper.peer.node),
        None => why.to_string(),
    };
    ShardView { shard, holder, owner, moved: keeper.is_some(), why }
}

fn wire_link(link: &LinkState) -> Link {
    Link {
        to: link.peer.node.to_string(),
        waiting: link.waiting as u64,
        waiting_bytes: link.waiting_bytes as u64,
        shed: link.shed.iter().sum(),
    }
}

fn link_view(from: &str, link: Link) -> LinkView {
    let Link { to, waiting, waiting_bytes, shed } = link;
    LinkView { from: from.to_owned(), to, waiting, waiting_bytes, shed }
}

impl ClusterView for ClusterRouter {
    fn nodes(&self) -> Vec<NodeState> {
        let own = self.own_name();
        let state = |member: &crate::cluster::Member| NodeState {
            node: member.peer.node.to_string(),
            incarnation: Some(member.peer.incarnation),
            here: member.peer.node.as_str() == own,
            url: member.url.clone(),
            version: member.version.clone(),
            address: Some(member.address.to_string()),
            draining: member.draining,
            since: Some(member.since),
        };
        self.members().all().map(state).collect()
    }

    fn links(&self) -> BoxFuture<'_, Vec<LinkView>> {
        async {
            let own = self.own_name();
            let mut all: Vec<LinkView> = self.links().iter().map(wire_link).map(|link| link_view(&own, link)).collect();
            for (node, told) in self.ask_all(Ask::Links).await {
                if let Told::Links(links) = told {
                    all.extend(links.into_iter().map(|link| link_view(&node, link)));
                }
            }
            all.sort_by(|one, other| (&one.from, &one.to).cmp(&(&other.from, &other.to)));
            all
        }
        .boxed()
    }

    fn shards(&self) -> BoxFuture<'_, Vec<ShardView>> {
        async {
            let members: Arc<Members> = self.members();
            let (placement, holders) = (placement_of(&members), self.holders().await);
            (0..SHARDS).map(ShardId).map(|shard| view(shard, &placement, &members, &holders)).collect()
        }
        .boxed()
    }

    fn owner(&self, shard: ShardId) -> Option<String> {
        self.view.read().owner(shard).map(ToString::to_string)
    }

    fn drain(&self, node: String, on: bool) -> BoxFuture<'_, Result<(), NotDone>> {
        async move {
            let network = self.network.get().ok_or(NotDone::Silent)?;
            let node: NodeId = node.parse().map_err(|_| NotDone::NoSuchNode)?;
            let members = self.members();
            members.get(&node).ok_or(NotDone::NoSuchNode)?;
            let rest: BTreeSet<&NodeId> = members
                .all()
                .filter(|member| !member.draining && member.peer.node != node)
                .map(|member| &member.peer.node)
                .collect();
            if on && rest.is_empty() {
                // Nobody would have the rooms.
                return Err(NotDone::Alone);
            }
            self.order(network, &node, Ask::Drain { on }).await
        }
        .boxed()
    }

    fn is_draining(&self) -> bool {
        let members = self.members();
        self.network.get().and_then(|network| members.get(&network.me().node)).is_some_and(|member| member.draining)
    }

    fn move_shard(
        &self,
        shard: ShardId,
        to: Option<String>,
        dry_run: bool,
    ) -> BoxFuture<'_, Result<ShardMove, NotDone>> {
        self.moved(shard, to, dry_run).boxed()
    }

    fn digests(&self, room: RoomId) -> BoxFuture<'_, Vec<Digest>> {
        async move {
            let (own, others) = futures_util::future::join(
                digest_here(&self.router, room),
                self.ask_all(Ask::Digest { room: room.into() }),
            )
            .await;
            let mut all: Vec<Digest> = own.into_iter().collect();
            for (node, told) in others {
                if let Told::Digest { epoch, head, hash } = told {
                    all.push(Digest { node, epoch, head, digest: digest::hex(&hash) });
                }
            }
            all.sort_by(|one, other| one.node.cmp(&other.node));
            all
        }
        .boxed()
    }
}
