//! The way between this node's actors and those of other nodes: places, envelopes out, envelopes in.

mod admin;
mod answer;
mod belief;
mod calls;
mod claims;
mod drain;
mod place;
mod receive;
mod send;
mod slots;
mod tenure;

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock, Weak},
    time::Instant,
};

use futures_util::{FutureExt, future::BoxFuture};
use parking_lot::{Mutex, RwLock};
use rookery_core::{
    ids::{ShardId, UserId},
    placement::{Outlook, Patience, RegistryShard, Tenures},
    shard::Epoch,
};
use tokio::sync::{Notify, watch};
use tokio_util::task::AbortOnDropHandle;

use self::{belief::Doubts, calls::Calls, place::View, slots::Slots};
use super::{Envelope, LinkState, Members, Network, NodeId, Peer};
use crate::actors::{
    Router,
    peers::{FanOut, NodeAcks, Peers, Place, Slot, ToPeer},
};

/// Rounds of gossip after which a node that has just come knows who else is there, and takes its part.
const SETTLING_IN: u32 = 4;

/// The other nodes, as the actors see them.
pub struct ClusterRouter {
    me: Weak<Self>,
    router: Arc<Router>,
    network: OnceLock<Arc<Network>>,
    slots: Slots,
    calls: Calls,
    view: RwLock<Arc<View>>,
    /// Who says that they hold which shard. Whoever works out a view has this lock for as long.
    tenures: Mutex<Tenures>,
    /// What others say that is being compared with the store.
    doubts: Mutex<Doubts>,
    /// The view was replaced.
    placed: watch::Sender<()>,
    /// What this process knows of the others, from when it joins.
    outlook: OnceLock<Mutex<Outlook>>,
    /// Shards that an operator moved to this node, each with the number of the order.
    kept: tokio::sync::Mutex<BTreeMap<ShardId, u64>>,
    /// Shards that have lived here and do not now, and when they went. Also those of which others say that they do already.
    departed: Mutex<BTreeMap<ShardId, Instant>>,
    follow: OnceLock<[AbortOnDropHandle<()>; 2]>,
    /// Told when others may have gone on with what is owned here.
    look_again: Notify,
    /// The way out that an operator ordered, while it is gone.
    leaving: tokio::sync::Mutex<Option<AbortOnDropHandle<()>>>,
}

impl ClusterRouter {
    /// For these actors; nobody else is known yet, and nothing lives anywhere.
    #[must_use]
    pub fn new(router: Arc<Router>) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            router,
            network: OnceLock::new(),
            slots: Slots::default(),
            calls: Calls::default(),
            view: RwLock::new(Arc::new(View::default())),
            tenures: Mutex::default(),
            doubts: Mutex::default(),
            placed: watch::channel(()).0,
            outlook: OnceLock::new(),
            kept: tokio::sync::Mutex::default(),
            departed: Mutex::default(),
            follow: OnceLock::new(),
            look_again: Notify::new(),
            leaving: tokio::sync::Mutex::default(),
        })
    }

    /// From now on this node is part of its cluster: follows who is there.
    pub fn join(self: &Arc<Self>, network: Arc<Network>) {
        let members = network.members();
        let settling_in = network.gossip_interval() * SETTLING_IN;
        let settling_in = i64::try_from(settling_in.as_millis()).unwrap_or(i64::MAX);
        let patience = Patience { settling_in, ..Patience::default() };
        // Once: a process is one node.
        let _ = self.outlook.set(Mutex::new(Outlook::new(network.owner(), patience, crate::clock::now())));
        let _ = self.network.set(network);
        self.router.join(Arc::clone(self) as _);
        let give_away = tokio::spawn(tenure::give_away(Weak::clone(&self.me), self.placed.subscribe()));
        let follow = async move |router| {
            tokio::join!(place::follow(Arc::clone(&router), members), claims::look_again(Arc::clone(&router)));
        };
        let follow = tokio::spawn(follow(Arc::clone(self)));
        let _ = self.follow.set([give_away, follow].map(AbortOnDropHandle::new));
    }

    /// The nodes that are alive, as this node sees it.
    pub fn members(&self) -> Arc<Members> {
        self.network.get().map(|network| Arc::clone(&network.members().borrow())).unwrap_or_default()
    }

    /// Whether every shard lives somewhere.
    pub fn is_whole(&self) -> bool {
        self.view.read().is_whole()
    }

    /// The links that are up.
    pub fn links(&self) -> Vec<LinkState> {
        self.network.get().map(|network| network.links()).unwrap_or_default()
    }

    fn node_of(&self, slot: Slot) -> Option<NodeId> {
        self.slots.peer(slot).map(|peer| peer.node)
    }

    /// Takes an envelope for a node; `false`: there is no link, or too much waits for it.
    fn post(&self, to: Slot, envelope: Envelope) -> bool {
        let (Some(network), Some(peer)) = (self.network.get(), self.slots.peer(to)) else { return false };
        // An envelope for a life that has ended is none for the next.
        network.linked(&peer.node).is_some_and(|linked| linked == peer) && network.send(&peer.node, envelope).is_ok()
    }

    fn incarnation(&self) -> u64 {
        self.network.get().map_or(0, |network| network.me().incarnation)
    }

    fn own_name(&self) -> String {
        self.router.shared.node.clone()
    }

    fn is_linked(&self, peer: &Peer) -> bool {
        self.network.get().and_then(|network| network.linked(&peer.node)).is_some_and(|linked| linked == *peer)
    }
}

impl Peers for ClusterRouter {
    fn shard(&self, shard: ShardId) -> Place {
        self.view.read().shard(shard)
    }

    fn should_be_here(&self, shard: ShardId) -> bool {
        self.should_own(shard)
    }

    fn holds(&self, shard: ShardId, epoch: Epoch) {
        self.holds_here(shard, epoch);
    }

    fn let_go(&self, shard: ShardId) {
        self.let_go_here(shard);
    }

    fn may_claim(&self, shard: ShardId) -> BoxFuture<'_, bool> {
        self.may_claim_in_time(shard).boxed()
    }

    fn lost(&self, shard: ShardId) {
        if let Some(outlook) = self.outlook.get() {
            outlook.lock().lost(shard, crate::clock::now());
        }
    }

    fn registry(&self, user: UserId) -> Place {
        self.view.read().part(RegistryShard::of(user))
    }

    fn count(&self) -> u32 {
        let members = self.network.get().map_or(1, |network| network.members().borrow().all().count());
        u32::try_from(members).unwrap_or(u32::MAX)
    }

    fn slots(&self) -> Vec<Slot> {
        self.slots.linked(|peer| self.is_linked(peer))
    }

    fn name(&self, slot: Slot) -> Option<String> {
        self.node_of(slot).map(|node| node.to_string())
    }

    fn send(&self, to: Slot, message: ToPeer) -> bool {
        self.send_to(to, message)
    }

    fn fan_out(&self, events: &FanOut, to: &[Slot], acks: Vec<(Slot, NodeAcks)>) {
        self.fan_out_to(events, to, acks);
    }
}
