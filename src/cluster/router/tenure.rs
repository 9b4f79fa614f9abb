//! Shards change hands one after the other: where each is meanwhile, and giving away what should live elsewhere.

use std::{sync::Weak, time::Duration};

use futures_util::{StreamExt, stream};
use rookery_core::{
    ids::{SHARDS, ShardId},
    placement::{self, Life},
    shard::Epoch,
};
use tokio::sync::watch;

use super::ClusterRouter;
use crate::{
    actors::{
        peers::{Place, Slot},
        shard::ShardMessage,
    },
    cluster::{Envelope, Peer},
};

/// Shards that come to rest at one time; the others go on meanwhile.
const AT_ONCE: usize = 8;
/// How long a shard may take to come to rest and be given back. Then its next owner takes it all the same: what is under way
/// here is asked for again there.
const RESTING: Duration = Duration::from_secs(3);
/// How long the next owner of a shard is waited for, before more are given away: what the store can do at one time is
/// bounded too.
const TAKEN: Duration = Duration::from_millis(500);

/// Gives away what should live elsewhere, for as long as the router is there: this keeps it from ending no longer than a turn.
pub(super) async fn give_away(router: Weak<ClusterRouter>, mut placed: watch::Receiver<()>) {
    while placed.changed().await.is_ok() {
        let Some(router) = router.upgrade() else { return };
        router.give_all_away().await;
    }
}

impl ClusterRouter {
    /// Gives away what this node holds and should not.
    async fn give_all_away(&self) {
        loop {
            let surplus = self.surplus();
            if surplus.is_empty() {
                return;
            }
            stream::iter(&surplus).for_each_concurrent(AT_ONCE, |shard| self.give_one_away(*shard)).await;
        }
    }

    /// The shards that this node holds and should not.
    fn surplus(&self) -> Vec<ShardId> {
        (0..SHARDS).map(ShardId).filter(|shard| self.is_surplus(*shard)).collect()
    }

    fn is_surplus(&self, shard: ShardId) -> bool {
        self.view.read().shard(shard) == Place::Here && !self.should_own(shard)
    }

    async fn give_one_away(&self, shard: ShardId) {
        if !self.is_surplus(shard) {
            return;
        }
        self.router.to_shard_if_there(shard, || ShardMessage::HandOver);
        if !self.is_so_within(RESTING, || !self.is_surplus(shard)).await {
            self.let_go_here(shard);
            self.router.to_shard_if_there(shard, || ShardMessage::SendBack);
        } else {
            self.is_so_within(TAKEN, || self.tenures.lock().holder(shard).is_some()).await;
        }
    }

    /// Looks again whenever the view was replaced. Not while that is going on: `wait_for` would look under a lock that whoever
    /// replaces the view waits for.
    async fn is_so_within(&self, time: Duration, is_so: impl Fn() -> bool) -> bool {
        let mut placed = self.placed.subscribe();
        let becomes_so = async {
            while !is_so() {
                if placed.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(time, becomes_so).await.is_ok()
    }

    /// Whether a shard should live here, whoever has it now.
    pub(super) fn should_own(&self, shard: ShardId) -> bool {
        self.view.read().owner(shard).is_some_and(|owner| *owner.0 == *self.own_name())
    }

    /// Whether what comes for a room of this shard is for this node: what it should own it asks of its holder.
    pub(super) fn takes(&self, shard: ShardId) -> bool {
        self.view.read().shard(shard) == Place::Here || self.should_own(shard)
    }

    /// This life, as it is told of tenures.
    pub(super) fn own_life(&self) -> Option<Life> {
        self.network.get().map(|network| life(network.me()))
    }

    pub(super) fn holds_here(&self, shard: ShardId, epoch: Epoch) {
        let Some(me) = self.own_life() else { return };
        self.learn(|tenures| tenures.held(shard, me, epoch), [shard]);
        self.say(&Envelope::Holding { shards: vec![(shard.0, epoch)] });
    }

    /// Whether this life says that it holds a shard.
    pub(super) fn holds(&self, shard: ShardId) -> bool {
        self.own_life().is_some_and(|me| self.tenures.lock().holder(shard) == Some(&me))
    }

    pub(super) fn let_go_here(&self, shard: ShardId) {
        let Some(me) = self.own_life() else { return };
        self.learn(|tenures| tenures.let_go(shard, &me), [shard]);
        self.say(&Envelope::LetGo { shard: shard.0 });
    }

    fn say(&self, envelope: &Envelope) {
        let Some(network) = self.network.get() else { return };
        let peers = self.slots.linked(|peer| self.is_linked(peer));
        let nodes: Vec<_> = peers.into_iter().filter_map(|slot| self.node_of(slot)).collect();
        // Who is not told goes the wrong way, and is told then.
        network.send_all(nodes.iter(), envelope, |_, _| {});
    }

    /// A link is new: the other end is told what this node holds.
    pub(super) fn say_all(&self, to: Slot) {
        let Some(me) = self.own_life() else { return };
        let tenures = self.tenures.lock();
        let shards = tenures.of(&me).map(|(shard, epoch)| (shard.0, epoch)).collect();
        // Posted under the lock, so that it stands before whatever changes afterwards.
        self.post(to, Envelope::Holding { shards });
    }

    pub(super) fn is_let_go(&self, by: &Peer, shard: u16) {
        let shard = ShardId(shard);
        self.learn(|tenures| tenures.let_go(shard, &life(by)), [shard]);
        if self.should_own(shard) && self.tenures.lock().holder(shard).is_none() {
            self.router.to_shard(shard, ShardMessage::Offered);
        }
    }

    /// Takes in what was said; if it is news, some shards live elsewhere from now on.
    pub(super) fn learn(
        &self,
        news: impl FnOnce(&mut placement::Tenures) -> bool,
        shards: impl IntoIterator<Item = ShardId>,
    ) {
        let mut tenures = self.tenures.lock();
        if news(&mut tenures) {
            let (members, mut view) = (self.members(), self.view.read().as_ref().clone());
            for shard in shards {
                let place = self.place_of_shard(shard, view.owner(shard), &members, &tenures);
                view.set(shard, place);
            }
            self.replace(view);
        }
    }
}

/// A life, as the core names it.
pub(super) fn life(peer: &Peer) -> Life {
    Life { node: placement::NodeId::from(peer.node.as_str()), incarnation: peer.incarnation }
}
