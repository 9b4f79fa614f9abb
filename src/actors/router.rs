//! The way to every actor, wherever it lives; on one node all of them live here.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use dashmap::DashMap;
use parking_lot::RwLock;
use ractor::{ActorCell, ActorRef, ActorRuntime};
use rookery_core::{
    frame::{Code, Refusal},
    ids::{RoomId, ShardId, UserId},
    limits::Limits,
    time::Millis,
};
use tokio::runtime::Handle;

use super::{
    budget::Budget,
    hub::inbox::{Inbox, Item, Note},
    registry::RegistryMessage,
    room::RoomMessage,
    shard::{ShardActor, ShardMessage},
};
use crate::store::{Directory, MessageLog};

/// Messages that may wait before a room; one more is `busy`.
const ROOM_QUEUE: usize = 8_192;
/// Milliseconds after which a client should try again when a room is busy.
const BUSY_RETRY_MS: u64 = 200;

/// A room that is awake.
#[derive(Clone)]
pub struct RoomHandle {
    /// Its actor.
    pub actor: ActorRef<RoomMessage>,
    /// Messages on their way to it.
    pub queued: Arc<AtomicUsize>,
    /// When it last had something to do, in milliseconds; for retiring.
    pub used: Arc<AtomicU64>,
}

/// What the parts of the node share.
pub struct Shared {
    /// This node's name.
    pub node: String,
    /// The log.
    pub log: Arc<dyn MessageLog>,
    /// The directory.
    pub directory: Arc<dyn Directory>,
    /// Where the actors run.
    pub runtime: Handle,
    /// The limits, as they are now.
    pub limits: RwLock<Limits>,
    /// Milliseconds without work after which a room goes to sleep.
    pub room_idle_ms: i64,
    /// The promise that is broken on purpose.
    #[cfg(feature = "bugs")]
    pub bug: Option<rookery_core::room::bugs::Bug>,
}

/// The way to every actor.
pub struct Router {
    /// What the parts of the node share.
    pub shared: Shared,
    /// What each user may write.
    pub budget: Budget,
    /// Durable writes since the start.
    pub commits: AtomicU64,
    /// Connections now.
    pub sessions: AtomicUsize,
    /// Commits per second over the last seconds, times 1,000.
    pub commit_rate: AtomicU64,
    pub(super) rooms: DashMap<RoomId, RoomHandle>,
    pub(super) quarantined: DashMap<RoomId, ()>,
    shards: DashMap<u16, ActorRef<ShardMessage>>,
    hubs: Vec<Arc<Inbox>>,
    registry: RwLock<Option<ActorRef<RegistryMessage>>>,
    supervisor: RwLock<Option<ActorCell>>,
}

impl Router {
    /// A node with so many hubs and no actors yet; the supervisor starts them.
    #[must_use]
    pub fn new(shared: Shared, hubs: usize) -> Arc<Self> {
        Arc::new(Self {
            shared,
            budget: Budget::default(),
            commits: AtomicU64::new(0),
            sessions: AtomicUsize::new(0),
            commit_rate: AtomicU64::new(0),
            rooms: DashMap::new(),
            quarantined: DashMap::new(),
            shards: DashMap::new(),
            hubs: (0..hubs).map(|_| Arc::new(Inbox::default())).collect(),
            registry: RwLock::new(None),
            supervisor: RwLock::new(None),
        })
    }

    pub(super) fn attach(&self, supervisor: ActorCell, registry: ActorRef<RegistryMessage>) {
        *self.supervisor.write() = Some(supervisor);
        *self.registry.write() = Some(registry);
    }

    /// The limits, as they are now.
    pub fn limits(&self) -> Limits {
        *self.shared.limits.read()
    }

    /// Takes one write from a user's budget.
    ///
    /// # Errors
    /// Milliseconds until there is one again.
    pub fn admit(&self, user: UserId, now: Millis) -> Result<(), u64> {
        self.budget.take(user, &self.shared.limits.read(), now)
    }

    /// The inboxes of the hubs.
    pub fn hubs(&self) -> &[Arc<Inbox>] {
        &self.hubs
    }

    /// The inboxes of the hubs that have started.
    pub fn started_hubs(&self) -> impl Iterator<Item = &Arc<Inbox>> {
        self.hubs.iter().filter(|inbox| inbox.is_served())
    }

    /// How many rooms are awake.
    pub fn awake(&self) -> usize {
        self.rooms.len()
    }

    /// Sends a message to a room, waking it if it sleeps.
    ///
    /// # Errors
    /// `busy` when too much waits before it: nothing was taken.
    pub fn to_room(self: &Arc<Self>, room: RoomId, message: RoomMessage) -> Result<(), Refusal> {
        if self.shared.log.queue_length() >= self.shared.log.queue_bound() {
            return Err(Refusal::new(Code::Busy, "the store has too much to do").after(BUSY_RETRY_MS));
        }
        let mut message = message;
        if let Some(handle) = self.rooms.get(&room) {
            if handle.queued.fetch_add(1, Ordering::AcqRel) >= ROOM_QUEUE {
                handle.queued.fetch_sub(1, Ordering::AcqRel);
                return Err(Refusal::new(Code::Busy, "too much waits for this room").after(BUSY_RETRY_MS));
            }
            match handle.actor.send_message(message) {
                Ok(()) => return Ok(()),
                Err(ractor::MessagingErr::SendErr(back)) => message = back,
                Err(_) => return Err(unavailable()),
            }
        }
        self.to_shard(room.shard(), ShardMessage::Deliver { room, message });
        Ok(())
    }

    /// Sends a message to a shard, starting its actor if it has none.
    pub fn to_shard(self: &Arc<Self>, shard: ShardId, message: ShardMessage) {
        let actor = self.shards.get(&shard.0).map(|actor| actor.clone());
        let actor = actor.or_else(|| self.start_shard(shard));
        let Some(actor) = actor else { return };
        if actor.send_message(message).is_err() {
            self.shards.remove(&shard.0);
            tracing::warn!(shard = shard.0, "a message for a shard that just ended was dropped");
        }
    }

    fn start_shard(self: &Arc<Self>, shard: ShardId) -> Option<ActorRef<ShardMessage>> {
        let supervisor = self.supervisor.read().clone()?;
        let _runtime = self.shared.runtime.enter();
        let entry = self.shards.entry(shard.0);
        let actor = entry.or_try_insert_with(|| {
            ActorRuntime::spawn_linked_instant(None, ShardActor, (shard, Arc::clone(self)), supervisor)
                .map(|(actor, _)| actor)
        });
        actor.ok().map(|actor| actor.clone())
    }

    pub(super) fn forget_shard(&self, id: ractor::ActorId) {
        self.shards.retain(|_, actor| actor.get_id() != id);
    }

    /// Sends a message to the registry.
    pub fn to_registry(&self, message: RegistryMessage) {
        if let Some(registry) = &*self.registry.read() {
            // The registry lives as long as the node; what is sent while it restarts is soft state.
            let _ = registry.send_message(message);
        }
    }

    /// Sends something to all devices of a user.
    pub fn to_user(&self, user: UserId, note: Note) {
        self.to_registry(RegistryMessage::ToUser { user, note });
    }

    /// Puts an item into the inbox of one hub.
    pub fn to_hub(&self, hub: u16, item: Item) {
        if let Some(inbox) = self.hubs.get(usize::from(hub)) {
            inbox.put(item);
        }
    }

    /// Tells all devices of a user that a room is there, as they see it now.
    pub fn appeared(self: &Arc<Self>, room: RoomId, user: UserId) {
        let router = Arc::clone(self);
        self.shared.runtime.spawn(async move {
            match router.shared.directory.listing(room, user).await {
                Ok(Some(listing)) => {
                    if let Some(view) = listing.view {
                        router.to_user(user, Note::Appeared(view));
                    }
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%room, %error, "could not tell a user of a room"),
            }
        });
    }
}

/// The refusal when an actor cannot be reached.
pub fn unavailable() -> Refusal {
    Refusal::new(Code::Unavailable, "the room cannot be reached at the moment").after(1_000)
}
