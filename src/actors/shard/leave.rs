//! A shard on its way to another node: it takes nothing new, lets its rooms come to rest, and is given back.

use std::{sync::Arc, time::Instant};

use ractor::ActorRef;
use rookery_core::{ids::RoomId, shard::Input};

use super::{Leaving, ShardMessage, ShardState};
use crate::actors::peers::Place;

impl ShardState {
    /// The shard should live elsewhere: its rooms finish what is under way, and then it is given back. Whoever claims it
    /// before that fences us off, and what was under way is asked for again there.
    pub(super) async fn hand_over(&mut self, myself: &ActorRef<ShardMessage>) {
        if self.leaving != Leaving::No || self.machine.epoch().is_none() {
            return;
        }
        self.leaving = Leaving::Resting(Instant::now());
        self.sweep(u64::MAX);
        self.give_back(myself).await;
    }

    pub(super) async fn give_back(&mut self, myself: &ActorRef<ShardMessage>) {
        let Leaving::Resting(since) = self.leaving else { return };
        if !self.awake.is_empty() {
            return;
        }
        if self.machine.epoch().is_none() || self.router.peers().should_be_here(self.machine.id()) {
            return self.stay(myself).await;
        }
        self.step(myself, Input::GivenBack).await;
        self.leaving = Leaving::GivenBack;
        let (router, shard, myself) = (Arc::clone(&self.router), self.machine.id(), myself.clone());
        self.router.shared.runtime.spawn(async move {
            match router.shared.log.release(shard).await {
                Ok(()) => {
                    metrics::counter!("rookery_shard_hand_overs_total").increment(1);
                    metrics::histogram!("rookery_shard_hand_over_seconds").record(since.elapsed().as_secs_f64());
                    tracing::info!(shard = shard.0, "given back");
                }
                Err(error) => {
                    tracing::warn!(shard = shard.0, %error, "a shard was not given back; it is claimed from us")
                }
            }
            let _ = myself.send_message(ShardMessage::Released);
        });
    }

    /// Everybody is told before what waited here is sent back, so that it finds the way.
    pub(super) async fn released(&mut self, myself: &ActorRef<ShardMessage>) {
        self.router.peers().let_go(self.machine.id());
        self.leaving = Leaving::No;
        self.go_on(myself).await;
    }

    async fn stay(&mut self, myself: &ActorRef<ShardMessage>) {
        if matches!(self.leaving, Leaving::Resting(_)) {
            self.leaving = Leaving::No;
            self.go_on(myself).await;
        }
    }

    /// What waited has its turn: here, or where the shard lives by now.
    pub(super) async fn go_on(&mut self, myself: &ActorRef<ShardMessage>) {
        let (shard, peers) = (self.machine.id(), self.router.peers());
        let is_here = peers.should_be_here(shard) || peers.shard(shard) == Place::Here;
        let rooms: Vec<RoomId> = self.waiting.keys().copied().collect();
        for room in rooms {
            let messages = self.waiting.remove(&room).unwrap_or_default();
            for message in messages {
                match is_here {
                    true => self.deliver(myself, room, message).await,
                    false => message.send_back(&self.router, room),
                }
            }
        }
    }
}
