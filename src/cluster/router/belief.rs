//! Who is believed: what a room says only when its holder says it, and who holds a shard only as far as its row says so too.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use rookery_core::{
    fence::ShardRow,
    ids::{SHARDS, ShardId},
    placement::{Life, Tenures},
    shard::Epoch,
};

use super::{ClusterRouter, place::View, tenure::life};
use crate::{
    actors::peers::{Place, Slot},
    cluster::Peer,
};

/// How long the last holder of a shard is still listened to: what it had committed may come after its successor's word.
const LATELY: Duration = Duration::from_secs(10);
/// Between two looks at a row that could not be read, and how many there are.
const AGAIN: Duration = Duration::from_secs(1);
const LOOKS: usize = 60;
/// Liars that are kept in mind; of more the newest.
const LIARS: usize = 64;

/// What is being compared with the store.
#[derive(Default)]
pub(super) struct Doubts {
    /// Shards whose rows are being read; `true`: something was said meanwhile, so that they are read once more.
    reading: BTreeMap<ShardId, bool>,
    /// Who held a shard before its present holder, and since when it does not.
    lately: BTreeMap<ShardId, (Slot, Instant)>,
    /// Who has said that they hold a shard that by its row they never did.
    liars: Vec<Life>,
}

impl ClusterRouter {
    /// Keeps in mind who held what lives elsewhere from now on.
    pub(super) fn remember(&self, before: &View, now: &View) {
        let moved = |shard: &ShardId| before.shard(*shard) != now.shard(*shard);
        let mut doubts = self.doubts.lock();
        for shard in (0..SHARDS).map(ShardId).filter(moved) {
            if let Place::There(slot) = before.shard(shard) {
                doubts.lately.insert(shard, (slot, Instant::now()));
            }
        }
    }

    /// Whether a node is the one to say what the rooms of a shard say. Who is not may know better: the row is looked at.
    pub(super) fn may_speak_for(&self, from: Slot, shard: ShardId) -> bool {
        if self.view.read().shard(shard) == Place::There(from) {
            return true;
        }
        let lately = self.doubts.lock().lately.get(&shard).copied();
        if lately.is_some_and(|(slot, since)| slot == from && since.elapsed() < LATELY) {
            return true;
        }
        metrics::counter!("rookery_cluster_disbelieved_total", "what" => "room").increment(1);
        self.compare(BTreeSet::from([shard]));
        false
    }

    /// A node says that it holds these shards. It is believed until the row has been read; if it contradicts somebody else only
    /// when it is seen in the cluster and has not lied before. Not to believe it then would cost those who read here: a node
    /// that has slept while others went on with its rooms would go on telling what it knows of them.
    pub(super) fn is_told_of(&self, by: &Peer, shards: &[(u16, Epoch)]) {
        let sound =
            || shards.iter().filter(|(shard, _)| *shard < SHARDS).map(|(shard, epoch)| (ShardId(*shard), *epoch));
        let is_trusted = self.is_trusted(by);
        let by = life(by);
        let mut to_compare = BTreeSet::new();
        let news = |tenures: &mut Tenures| {
            let mut news = false;
            for (shard, epoch) in sound() {
                if !is_trusted && tenures.contradicts(shard, &by, epoch) {
                    to_compare.insert(shard);
                } else if tenures.held(shard, by.clone(), epoch) {
                    news = true;
                    to_compare.insert(shard);
                }
            }
            news
        };
        self.learn(news, sound().map(|(shard, _)| shard));
        self.compare(to_compare);
    }

    fn is_trusted(&self, peer: &Peer) -> bool {
        let is_member = self.members().get(&peer.node).is_some_and(|member| member.peer == *peer);
        is_member && !self.doubts.lock().liars.contains(&life(peer))
    }

    /// Reads the rows of these shards, unless that is under way.
    fn compare(&self, shards: BTreeSet<ShardId>) {
        let Some(router) = self.me.upgrade() else { return };
        let mut doubts = self.doubts.lock();
        for shard in shards {
            if let Some(again) = doubts.reading.get_mut(&shard) {
                *again = true;
                continue;
            }
            doubts.reading.insert(shard, false);
            self.router.shared.runtime.spawn(Arc::clone(&router).compare_one(shard));
        }
    }

    async fn compare_one(self: Arc<Self>, shard: ShardId) {
        for _ in 0..LOOKS {
            let seen = self.tenures.lock().told(shard).cloned();
            match self.router.shared.log.holder(shard).await {
                Ok(row) => self.decide(shard, seen.as_ref(), &row),
                Err(_) => {
                    tokio::time::sleep(AGAIN).await;
                    continue;
                }
            }
            let mut doubts = self.doubts.lock();
            if !doubts.reading.get_mut(&shard).is_some_and(std::mem::take) {
                doubts.reading.remove(&shard);
                return;
            }
        }
        self.doubts.lock().reading.remove(&shard);
    }

    fn decide(&self, shard: ShardId, seen: Option<&(Epoch, Life)>, row: &ShardRow) {
        let stands = self.holder_by(row, seen);
        self.learn(
            |tenures| {
                let news = tenures.decided(shard, seen, stands);
                // Of an epoch that is over somebody may speak who has not heard it yet.
                if news && let Some((epoch, who)) = seen.filter(|(epoch, _)| *epoch >= row.epoch) {
                    self.has_lied(shard, who, *epoch);
                }
                news
            },
            [shard],
        );
    }

    fn has_lied(&self, shard: ShardId, who: &Life, epoch: Epoch) {
        tracing::debug!(
            shard = shard.0,
            who = &*who.node.0,
            epoch,
            "a node says that it holds a shard that it does not"
        );
        metrics::counter!("rookery_cluster_disbelieved_total", "what" => "shard").increment(1);
        let mut doubts = self.doubts.lock();
        if doubts.liars.contains(who) {
            return;
        }
        tracing::warn!(who = &*who.node.0, "a node says that it holds shards that by their rows it never did");
        if doubts.liars.len() >= LIARS {
            doubts.liars.remove(0);
        }
        doubts.liars.push(who.clone());
    }

    /// Which life a row names. Of a node that was told of it need not be known yet here which life that is.
    fn holder_by(&self, row: &ShardRow, seen: Option<&(Epoch, Life)>) -> Option<(Epoch, Life)> {
        let owner = row.owner.as_ref()?;
        if let Some((_, seen)) = seen.filter(|(_, seen)| seen.node == owner.node) {
            return Some((row.epoch, seen.clone()));
        }
        let members = self.members();
        let member = members.all().find(|member| *member.peer.node.as_str() == *owner.node.0)?;
        (member.owner == owner.incarnation).then(|| (row.epoch, life(&member.peer)))
    }
}
