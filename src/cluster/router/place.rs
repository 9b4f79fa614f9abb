//! What lives where: the placement over the nodes that are alive, and what follows when it changes.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use rookery_core::{
    fence::Owner,
    ids::{SHARDS, ShardId},
    placement::{self, Life, Placement, REGISTRY_SHARDS, RegistryShard, Tenures},
};
use tokio::sync::watch;

use super::ClusterRouter;
use crate::{
    actors::{
        hub::inbox::Item,
        peers::{Change, Place},
        registry::RegistryMessage,
        shard::ShardMessage,
    },
    cluster::{Member, Members, Peer},
};

/// How often open questions are looked through.
const SWEEP: Duration = Duration::from_secs(1);
/// How long it is kept who listens to the rooms of a shard that lives elsewhere.
const DEPARTED: Duration = Duration::from_secs(60);

/// Where every shard and every part of the registry lives, as this node sees it now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct View {
    /// Who should own each shard.
    owners: Arc<[Option<placement::NodeId>]>,
    /// Where each is: with who holds it, else with who should.
    shards: Vec<Place>,
    parts: Arc<[Place]>,
}

impl View {
    pub(super) fn owner(&self, shard: ShardId) -> Option<&placement::NodeId> {
        self.owners.get(usize::from(shard.0))?.as_ref()
    }

    pub(super) fn is_whole(&self) -> bool {
        !self.shards.is_empty() && !self.shards.contains(&Place::Nowhere)
    }

    pub(super) fn shard(&self, shard: ShardId) -> Place {
        self.shards.get(usize::from(shard.0)).copied().unwrap_or(Place::Nowhere)
    }

    pub(super) fn set(&mut self, shard: ShardId, place: Place) {
        if let Some(known) = self.shards.get_mut(usize::from(shard.0)) {
            *known = place;
        }
    }

    pub(super) fn part(&self, part: RegistryShard) -> Place {
        self.parts.get(usize::from(part.0)).copied().unwrap_or(Place::Nowhere)
    }
}

/// Follows who is there, for as long as the node lives; takes this node's part once it knows.
pub(super) async fn follow(router: Arc<ClusterRouter>, mut members: watch::Receiver<Arc<Members>>) {
    let mut sweep = tokio::time::interval(SWEEP);
    let settled = router.settled();
    tokio::pin!(settled);
    let mut is_settled = false;
    loop {
        let now = Arc::clone(&members.borrow_and_update());
        router.place(&now);
        loop {
            tokio::select! {
                changed = members.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return,
                },
                () = &mut settled, if !is_settled => is_settled = true,
                _ = sweep.tick() => {
                    router.calls.sweep();
                    router.forget_departed();
                }
            }
        }
    }
}

/// The placement over these nodes.
pub(super) fn placement_of(members: &Members) -> Placement {
    let mut placement = Placement::new();
    for member in members.all() {
        placement.set(&placement::NodeId::from(member.peer.node.as_str()), !member.takes_part());
    }
    placement
}

/// Who should own a shard: where an operator moved it, else where it is placed.
pub(super) fn owner(placement: &Placement, members: &Members, shard: ShardId) -> Option<placement::NodeId> {
    match members.keeper(shard) {
        Some(keeper) => Some(placement::NodeId::from(keeper.peer.node.as_str())),
        None => placement.owner(shard).cloned(),
    }
}

impl ClusterRouter {
    /// Waits until this node knows who else is there, and says that it takes its part.
    async fn settled(&self) {
        let (Some(outlook), Some(network)) = (self.outlook.get(), self.network.get()) else { return };
        let wait = outlook.lock().settles_in(crate::clock::now());
        tokio::time::sleep(Duration::from_millis(wait.unsigned_abs())).await;
        network.set_settled().await;
    }

    /// Works out anew where everything lives, and tells those whom it concerns.
    pub(super) fn place(&self, members: &Members) {
        let placement = placement_of(members);
        if let Some(outlook) = self.outlook.get() {
            let owner = |member: &Member| Owner { node: member.peer.node.as_str().into(), incarnation: member.owner };
            let alive: Vec<Owner> = members.all().map(owner).collect();
            outlook.lock().sees_all(&alive, crate::clock::now());
        }
        let alive = |peer: &Peer| members.get(&peer.node).is_some_and(|member| member.peer == *peer);
        for slot in self.slots.forget(|peer| !alive(peer) && !self.is_linked(peer)) {
            self.router.interest.node_gone(slot);
            self.router.to_registry_here(RegistryMessage::NodeGone(slot));
        }
        let place = |part| self.place_of(placement.registry(RegistryShard(part)), members);
        let owners: Arc<[_]> = (0..SHARDS).map(|shard| owner(&placement, members, ShardId(shard))).collect();
        let mut tenures = self.tenures.lock();
        tenures.keep(|life| members.all().any(|member| super::tenure::life(&member.peer) == *life));
        let shards = (0..SHARDS).map(ShardId).zip(owners.iter());
        let view = View {
            shards: shards
                .map(|(shard, owner)| self.place_of_shard(shard, owner.as_ref(), members, &tenures))
                .collect(),
            owners,
            parts: (0..REGISTRY_SHARDS).map(place).collect(),
        };
        self.replace(view);
    }

    /// With who holds it and is alive, else with who should own it.
    pub(super) fn place_of_shard(
        &self,
        shard: ShardId,
        owner: Option<&placement::NodeId>,
        members: &Members,
        tenures: &Tenures,
    ) -> Place {
        let held = tenures.holder(shard).map_or(Place::Nowhere, |life| self.place_of_life(life, members));
        if held == Place::Nowhere { self.place_of(owner, members) } else { held }
    }

    fn place_of_life(&self, life: &Life, members: &Members) -> Place {
        let member = life.node.0.parse().ok().and_then(|node| members.get(&node));
        match member.filter(|member| member.peer.incarnation == life.incarnation) {
            Some(_) => self.place_of(Some(&life.node), members),
            None => Place::Nowhere,
        }
    }

    fn place_of(&self, owner: Option<&placement::NodeId>, members: &Members) -> Place {
        let Some(owner) = owner else { return Place::Nowhere };
        if *owner.0 == *self.own_name() {
            return Place::Here;
        }
        let peer = owner.0.parse().ok().and_then(|node| members.get(&node)).map(|member| &member.peer);
        peer.and_then(|peer| self.slots.of(peer)).map_or(Place::Nowhere, Place::There)
    }

    /// Takes a new view, and has everything told again that lives elsewhere from now on.
    pub(super) fn replace(&self, view: View) {
        let before = std::mem::replace(&mut *self.view.write(), Arc::new(view.clone()));
        let change =
            Change::of(|shard| before.shard(shard) != view.shard(shard), |part| before.part(part) != view.part(part));
        self.placed.send_replace(());
        if change.is_empty() {
            return;
        }
        self.remember(&before, &view);
        let left = |shard| before.shard(shard) == Place::Here && view.shard(shard) != Place::Here;
        // Who holds it still lets it go: somebody else has it by now.
        for shard in (0..SHARDS).map(ShardId).filter(|shard| left(*shard)) {
            self.router.to_shard_if_there(shard, || ShardMessage::HandOver);
        }
        let now = Instant::now();
        self.departed.lock().extend((0..SHARDS).map(ShardId).filter(|shard| left(*shard)).map(|shard| (shard, now)));
        let gained = |shard| before.shard(shard) != Place::Here && view.shard(shard) == Place::Here;
        for (room, nodes) in self.router.interest.nodes_of(|room| gained(room.shard())) {
            nodes.into_iter().for_each(|node| self.interest(node, room, true));
        }
        self.tell(change);
    }

    /// What lives on this node is told to it again: the link before this one may have lost it.
    pub(super) fn tell_again(&self, slot: crate::actors::peers::Slot) {
        let view = Arc::clone(&self.view.read());
        let there = Place::There(slot);
        self.tell(Change::of(|shard| view.shard(shard) == there, |part| view.part(part) == there));
    }

    /// Forgets who listens to rooms that have lived elsewhere for a while. Not at once: others may see sooner than this node
    /// that a shard has come back, and tell it only once.
    fn forget_departed(&self) {
        let view = Arc::clone(&self.view.read());
        let mut gone = BTreeSet::new();
        self.departed.lock().retain(|shard, since| {
            let is_back = view.shard(*shard) == Place::Here;
            let is_old = since.elapsed() >= DEPARTED;
            if is_old && !is_back {
                gone.insert(*shard);
            }
            !is_back && !is_old
        });
        if !gone.is_empty() {
            self.router.interest.nodes_gone_from(|room| gone.contains(&room.shard()));
        }
    }

    fn tell(&self, change: Change) {
        let change = Arc::new(change);
        self.router.started_hubs().for_each(|inbox| inbox.put(Item::Replaced(Arc::clone(&change))));
    }
}
