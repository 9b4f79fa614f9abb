//! Before a shard is claimed: whether who holds it is there, and whether it hands it over.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rookery_core::{
    fence::Owner,
    ids::ShardId,
    placement::{self, Duty},
};

use super::ClusterRouter;
use crate::{
    actors::{peers::Place, shard::ShardMessage},
    cluster::wire::call::{Ask, Told},
};

/// How long a claim waits for somebody of whom it is not known whether they are dead. Then what waits for it is refused.
const UNSURE: Duration = Duration::from_secs(2);
/// How long it waits in all: longer than a holder that is alive may take to hand over.
const WAITING: Duration = Duration::from_secs(5);
/// How long a holder is waited for that is asked once.
const ANSWER: Duration = Duration::from_secs(1);
/// Between two looks whether this node still has what it owns, if nothing gives cause for one.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// Looks again and again whether this node still has what it owns, for as long as it lives: others may have taken it for dead.
/// Who writes finds that out by writing, but who only reads would be shown old logs for ever.
pub(super) async fn look_again(router: Arc<ClusterRouter>) {
    loop {
        // A link that is new may be one that was lost, and with it more than that.
        let _ = tokio::time::timeout(LOOK_AGAIN, router.look_again.notified()).await;
        router.look_whether_owner().await;
    }
}

impl ClusterRouter {
    async fn look_whether_owner(&self) {
        let Some(outlook) = self.outlook.get() else { return };
        let me = outlook.lock().me().clone();
        let owned = self.router.owned().await;
        // Together: those of one partition are one read.
        let looks = owned
            .into_iter()
            .map(|(shard, epoch)| async move { (shard, epoch, self.router.shared.log.holder(shard).await) });
        for (shard, epoch, holder) in futures_util::future::join_all(looks).await {
            // A store that does not answer says nothing about it.
            if holder.is_ok_and(|row| row.owner.as_ref() != Some(&me)) {
                self.router.to_shard_if_there(shard, || ShardMessage::Lost(epoch));
            }
        }
    }

    /// Waits until this node may claim a shard. A holder that is alive is asked for it first: it lets what is under way
    /// finish, which a claim would make unknown.
    pub(super) async fn may_claim_in_time(&self, shard: ShardId) -> bool {
        let begun = Instant::now();
        loop {
            // A store that does not answer says so once more when it is asked for the claim.
            let Ok(row) = self.router.shared.log.holder(shard).await.map(|row| row.owner) else { return true };
            let patience = match self.duty(shard, row.as_ref()) {
                Duty::Claim => return true,
                // The row has this process' name, and yet it does not hold the shard: that is a claim without an answer.
                Duty::Nothing => return self.view.read().shard(shard) == Place::Here,
                Duty::HandOver(_) | Duty::GiveBack => return false,
                Duty::AskFor(node) if self.asked_for(&node, shard).await => return true,
                Duty::AskFor(_) => WAITING,
                Duty::Wait => UNSURE,
            };
            if begun.elapsed() >= patience {
                tracing::warn!(shard = shard.0, holder = ?row.map(|row| row.node), "not claimed: its holder may be alive");
                return false;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn duty(&self, shard: ShardId, row: Option<&Owner>) -> Duty {
        let view = self.view.read().clone();
        let Some(outlook) = self.outlook.get() else { return Duty::Claim };
        outlook.lock().duty(shard, view.owner(shard), row, crate::clock::now())
    }

    /// Asks a node to hand a shard over; `true`: it has nothing of it any more, or has waited for its rooms in vain.
    async fn asked_for(&self, node: &placement::NodeId, shard: ShardId) -> bool {
        let slot = node.0.parse().ok().and_then(|node| self.network.get()?.linked(&node));
        let Some(slot) = slot.and_then(|peer| self.slots.of(&peer)) else { return false };
        let told = tokio::time::timeout(ANSWER, self.ask(slot, Ask::HandOver { shard: shard.0 })).await;
        matches!(told, Ok(Some(Told::Done)))
    }

    /// Another node should have a shard and asks for it: lets its rooms come to rest and gives it back, if this node sees it
    /// so too. No longer than who asked may wait: a peer that asks again and again leaves nothing behind that goes on for ever.
    pub(super) async fn hand_over(&self, shard: ShardId) -> Told {
        if self.should_own(shard) {
            return Told::NotHere;
        }
        self.router.to_shard_if_there(shard, || ShardMessage::HandOver);
        let given = async {
            while self.holds(shard) && self.router.epoch_of(shard).await.is_some() {
                tokio::time::sleep(LOOK / 10).await;
            }
        };
        if tokio::time::timeout(WAITING, given).await.is_ok() { Told::Done } else { Told::NotHere }
    }
}
