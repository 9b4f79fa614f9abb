//! Carrying out what a shard decides: claims, waking rooms, telling hubs.

use std::sync::{Arc, atomic::AtomicU64};

use ractor::{ActorRef, ActorRuntime};
use rookery_core::{
    ids::{RoomId, ShardId},
    shard::{Effect, Input, Stamp},
};

use super::{Awake, ShardMessage, ShardState};
use crate::actors::{
    hub::inbox::Item,
    peers::{HERE, Place, ToPeer},
    room::{NOTHING_TOLD, RoomActor, RoomArguments, refuse_shut},
    router,
};
use crate::store::StoreError;

impl ShardState {
    pub(super) async fn carry_out(&mut self, myself: &ActorRef<ShardMessage>, effect: Effect) {
        match effect {
            Effect::Claim { shard } => self.claim(myself, shard),
            Effect::Wake { room, stamp } => self.wake(myself, room, stamp).await,
            Effect::Sleep { room } => {
                self.router.rooms.remove(&room);
                if let Some(awake) = self.awake.remove(&room) {
                    self.ids.remove(&awake.handle.actor.get_id());
                    awake.handle.actor.stop(None);
                }
                self.restarted(room);
            }
            Effect::Refuse { room } => self.refuse(room),
            Effect::RefuseShut { room, stamp } => self.refuse_shut(room, stamp),
            Effect::Restarted { room } => self.restarted(room),
            Effect::Quarantined { room } => {
                tracing::error!(%room, "the room panics on the same input again and again: it is shut until an operator releases it");
                self.router.quarantined.insert(room, ());
                self.restarted(room);
            }
        }
    }

    /// What waits for a room that lives elsewhere by now is asked for there.
    fn refuse(&mut self, room: RoomId) {
        let lives_here = self.router.peers().shard(room.shard()) == Place::Here;
        for message in self.waiting.remove(&room).unwrap_or_default() {
            if lives_here {
                message.refuse(&self.router, room, &router::unavailable());
            } else {
                message.send_back(&self.router, room);
            }
        }
    }

    /// A room that is shut has nothing under way once it was woken under a newer stamp; nobody starts it.
    fn refuse_shut(&mut self, room: RoomId, stamp: Stamp) {
        let Some(waiting) = self.waiting.remove(&room) else { return };
        let router = Arc::clone(&self.router);
        self.router.shared.runtime.spawn(async move {
            let settled = router.shared.log.wake(room, stamp).await;
            for message in waiting {
                match &settled {
                    Ok(_) => refuse_shut(&router, room, message, &router::unavailable()).await,
                    Err(_) => message.refuse(&router, room, &router::unavailable()),
                }
            }
        });
    }

    fn claim(&self, myself: &ActorRef<ShardMessage>, shard: ShardId) {
        let (router, myself) = (Arc::clone(&self.router), myself.clone());
        self.router.shared.runtime.spawn(async move {
            let claimed = match router.peers().may_claim(shard).await {
                true => Some(router.shared.log.claim(shard).await),
                false => None,
            };
            let (input, result) = match claimed {
                Some(Ok(epoch)) => (Input::Claimed { epoch }, "claimed"),
                Some(Err(StoreError::Fenced)) => (Input::Outrun, "outrun"),
                Some(Err(error)) => {
                    tracing::warn!(shard = shard.0, %error, "a claim failed");
                    (Input::ClaimFailed, "failed")
                }
                None => (Input::ClaimFailed, "withheld"),
            };
            metrics::counter!("rookery_shard_claims_total", "result" => result).increment(1);
            let _ = myself.send_message(ShardMessage::Claimed(input));
        });
    }

    async fn wake(&mut self, myself: &ActorRef<ShardMessage>, room: RoomId, stamp: Stamp) {
        let doing = Arc::new(AtomicU64::new(0));
        let told = self.told.remove(&room);
        let telling = Arc::new(AtomicU64::new(told.unwrap_or(NOTHING_TOLD)));
        let queued = Arc::default();
        let used = Arc::new(AtomicU64::new(u64::try_from(crate::actors::clock::now().0).unwrap_or(0)));
        let arguments = RoomArguments {
            room,
            stamp,
            router: Arc::clone(&self.router),
            shard: myself.clone(),
            listeners: self.router.interest.of(room),
            doing: Arc::clone(&doing),
            telling: Arc::clone(&telling),
            told,
            queued: Arc::clone(&queued),
            used: Arc::clone(&used),
        };
        let spawned = ActorRuntime::spawn_linked(None, RoomActor, arguments, myself.get_cell()).await;
        let actor = match spawned {
            Ok((actor, _)) => actor,
            Err(error) => {
                tracing::error!(%room, %error, "a room could not be started");
                for message in self.waiting.remove(&room).unwrap_or_default() {
                    message.refuse(&self.router, room, &router::unavailable());
                }
                self.machine.step(Input::Retired { room }, crate::actors::clock::now(), &mut Vec::new());
                return;
            }
        };
        let handle = router::RoomHandle { actor, queued, used };
        self.ids.insert(handle.actor.get_id(), room);
        self.router.rooms.insert(room, handle.clone());
        self.awake
            .insert(room, Awake { handle: handle.clone(), stamp, doing, telling, disturbed: false, retiring: false });
        for message in self.waiting.remove(&room).unwrap_or_default() {
            handle.queued.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
            let _ = handle.actor.send_message(message);
        }
    }

    /// Whoever waits for an answer of this room asks again.
    pub(super) fn restarted(&self, room: RoomId) {
        for inbox in self.router.hubs() {
            inbox.put(Item::Restarted { room, by: HERE });
        }
        let peers = self.router.peers();
        for slot in peers.slots() {
            peers.send(slot, ToPeer::Hubs(Item::Restarted { room, by: HERE }));
        }
    }
}
