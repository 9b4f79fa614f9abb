//! Starts the actors of a node, watches them, and gives them the time.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::Context as _;
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use rookery_core::ids::ShardId;

use super::{
    Router, clock,
    hub::inbox::Item,
    registry::{RegistryActor, RegistryMessage},
    shard::ShardMessage,
};

/// How often hubs look after their deadlines.
const HUB_TICK: Duration = Duration::from_secs(1);
/// Ticks between two looks of the registry at who is away.
const REGISTRY_EVERY: u64 = 5;
/// Ticks between two sweeps for rooms that have nothing to do.
const SWEEP_EVERY: u64 = 10;

/// The actor.
pub struct Supervisor;

/// What the supervisor keeps.
pub struct Watch {
    router: Arc<Router>,
    registry: ractor::ActorId,
    ticks: u64,
    commits: u64,
}

impl Supervisor {
    /// Starts the actors of a node; must run on the actors' runtime.
    ///
    /// # Errors
    /// When an actor does not start.
    pub async fn start(router: Arc<Router>) -> anyhow::Result<ActorRef<()>> {
        let (supervisor, _) = Actor::spawn(None, Self, router).await.context("the supervisor did not start")?;
        supervisor.send_interval(HUB_TICK, || ());
        Ok(supervisor)
    }
}

async fn start_registry(
    myself: &ActorRef<()>,
    router: &Arc<Router>,
) -> Result<ActorRef<RegistryMessage>, ActorProcessingErr> {
    let (registry, _) = Actor::spawn_linked(None, RegistryActor, Arc::clone(router), myself.get_cell()).await?;
    router.attach(myself.get_cell(), registry.clone());
    Ok(registry)
}

impl Actor for Supervisor {
    type Msg = ();
    type State = Watch;
    type Arguments = Arc<Router>;

    async fn pre_start(&self, myself: ActorRef<()>, router: Arc<Router>) -> Result<Watch, ActorProcessingErr> {
        let registry = start_registry(&myself, &router).await?.get_id();
        Ok(Watch { router, registry, ticks: 0, commits: 0 })
    }

    async fn handle(&self, _: ActorRef<()>, (): (), watch: &mut Watch) -> Result<(), ActorProcessingErr> {
        watch.ticks += 1;
        watch.measure();
        for inbox in watch.router.hubs() {
            inbox.put(Item::Tick);
        }
        if watch.ticks.is_multiple_of(REGISTRY_EVERY) {
            watch.router.to_registry_here(RegistryMessage::Tick);
        }
        if watch.ticks.is_multiple_of(SWEEP_EVERY) {
            watch.sweep();
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<()>,
        event: SupervisionEvent,
        watch: &mut Watch,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(cell, error) if cell.get_id() == watch.registry => {
                tracing::error!(%error, "the registry panicked and is restarted");
                watch.registry = start_registry(&myself, &watch.router).await?.get_id();
            }
            SupervisionEvent::ActorFailed(cell, error) => {
                tracing::error!(%error, "a shard panicked; the next message for it starts it anew");
                watch.router.forget_shard(cell.get_id());
            }
            _ => {}
        }
        Ok(())
    }
}

impl Watch {
    /// Commits per second, smoothed over about ten seconds.
    fn measure(&mut self) {
        let commits = self.router.commits.load(Ordering::Relaxed);
        let rate = commits.saturating_sub(self.commits) * 1_000;
        self.commits = commits;
        let before = self.router.commit_rate.load(Ordering::Relaxed);
        self.router.commit_rate.store(before - before / 10 + rate / 10, Ordering::Relaxed);
    }

    fn sweep(&self) {
        let now = clock::now();
        self.router.budget.sweep(&self.router.limits(), now);
        let before = u64::try_from(now.plus(-self.router.shared.room_idle_ms).0).unwrap_or(0);
        let idle = self.router.rooms.iter().filter(|room| room.used.load(Ordering::Relaxed) < before);
        let shards: std::collections::BTreeSet<ShardId> = idle.map(|room| room.key().shard()).collect();
        for shard in shards {
            self.router.to_shard(shard, ShardMessage::Sweep(before));
        }
    }
}
