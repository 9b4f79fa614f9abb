//! The way to every actor, wherever it lives.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use dashmap::DashMap;
use parking_lot::RwLock;
use ractor::{ActorCell, ActorRef, ActorRuntime};
use rookery_core::{
    frame::{Code, Refusal},
    ids::{RoomId, ShardId, UserId},
    limits::Limits,
    shard::Epoch,
    time::Millis,
};
use tokio::runtime::Handle;

use super::{
    budget::Budget,
    hub::inbox::{Inbox, Item, Note},
    interest::{HUBS, Interest},
    peers::{Alone, HERE, Peers, Place, Slot, ToPeer, hub_of, slot_of},
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
    /// Clients are sent away, and none may come: also to hubs that start only now.
    pub is_closed: AtomicBool,
    /// Which hubs listen to which rooms.
    pub interest: Interest,
    pub(super) rooms: DashMap<RoomId, RoomHandle>,
    pub(super) quarantined: DashMap<RoomId, ()>,
    pub(super) shards: DashMap<u16, ActorRef<ShardMessage>>,
    peers: OnceLock<Arc<dyn Peers>>,
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
            is_closed: AtomicBool::new(false),
            interest: Interest::default(),
            rooms: DashMap::new(),
            quarantined: DashMap::new(),
            shards: DashMap::new(),
            peers: OnceLock::new(),
            hubs: (0..hubs.min(usize::from(HUBS))).map(|_| Arc::new(Inbox::default())).collect(),
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

    /// Takes one write from this node's share of a user's budget.
    ///
    /// # Errors
    /// Milliseconds until there is one again.
    pub fn admit(&self, user: UserId, now: Millis) -> Result<(), u64> {
        self.budget.take(user, &self.shared.limits.read(), self.peers().count(), now)
    }

    /// Into how many parts the budgets of a user are divided, of which this node has one.
    pub fn shares(&self, user: UserId) -> u32 {
        self.budget.shares(user, self.peers().count())
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

    /// How many messages wait before rooms.
    pub fn waiting(&self) -> usize {
        self.rooms.iter().map(|room| room.queued.load(Ordering::Relaxed)).sum()
    }

    /// From now on there are other nodes. The first that are named stay.
    pub fn join(&self, peers: Arc<dyn Peers>) {
        let _ = self.peers.set(peers);
    }

    /// The other nodes.
    pub fn peers(&self) -> &dyn Peers {
        self.peers.get().map_or(&Alone, |peers| &**peers)
    }

    /// Sends a message to a room, wherever it lives; answers on which node that is.
    ///
    /// # Errors
    /// `busy` when too much waits before it, `unavailable` when it cannot be reached: nothing was taken.
    pub fn to_room(self: &Arc<Self>, room: RoomId, message: RoomMessage) -> Result<Slot, Refusal> {
        match self.peers().shard(room.shard()) {
            Place::Here => self.to_room_here(room, message).map(|()| HERE),
            Place::There(slot) if self.peers().send(slot, ToPeer::Room { room, message }) => Ok(slot),
            Place::There(_) | Place::Nowhere => Err(unavailable()),
        }
    }

    /// Whether a room's node is there. When it is not, another one soon is.
    pub fn is_reachable(&self, room: RoomId) -> bool {
        match self.peers().shard(room.shard()) {
            Place::Here => true,
            Place::There(slot) => self.peers().slots().contains(&slot),
            Place::Nowhere => false,
        }
    }

    /// Sends a message to a room that lives here, waking it if it sleeps.
    ///
    /// # Errors
    /// `busy` when too much waits before it: nothing was taken.
    pub fn to_room_here(self: &Arc<Self>, room: RoomId, message: RoomMessage) -> Result<(), Refusal> {
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

    /// Sends a message to a shard that has an actor here.
    pub fn to_shard_if_there(&self, shard: ShardId, message: impl FnOnce() -> ShardMessage) {
        if let Some(actor) = self.shards.get(&shard.0) {
            let _ = actor.send_message(message());
        }
    }

    /// The epoch under which this node owns a shard, if it does.
    pub async fn epoch_of(&self, shard: ShardId) -> Option<Epoch> {
        let actor = self.shards.get(&shard.0).map(|actor| actor.clone())?;
        let (reply, answer) = tokio::sync::oneshot::channel();
        actor.send_message(ShardMessage::Epoch(reply)).ok()?;
        answer.await.ok().flatten()
    }

    /// The shards that this node owns, with their epochs.
    pub async fn owned(&self) -> Vec<(ShardId, Epoch)> {
        let shards: Vec<ShardId> = self.shards.iter().map(|actor| ShardId(*actor.key())).collect();
        let owned = shards.into_iter().map(|shard| async move { Some((shard, self.epoch_of(shard).await?)) });
        let mut owned: Vec<_> = futures_util::future::join_all(owned).await.into_iter().flatten().collect();
        owned.sort_unstable();
        owned
    }

    /// How many shards have an actor here.
    pub fn shards_held(&self) -> usize {
        self.shards.len()
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

    /// A hub begins to listen to a room, and is told how far the room is: what was shown before did not reach it.
    pub fn listen(self: &Arc<Self>, room: RoomId, hub: u16) {
        self.interest.listen(room, hub);
        match self.peers().shard(room.shard()) {
            Place::Here => self.tell_head(room, hub),
            // If it is not taken there is no link, and all is told again when there is one.
            Place::There(slot) => drop(self.peers().send(slot, ToPeer::Interest { room, on: true })),
            Place::Nowhere => {}
        }
    }

    /// A hub does not listen to a room any more.
    pub fn unlisten(&self, room: RoomId, hub: u16) {
        if self.interest.unlisten(room, hub)
            && let Place::There(slot) = self.peers().shard(room.shard())
        {
            self.peers().send(slot, ToPeer::Interest { room, on: false });
        }
    }

    fn tell_head(self: &Arc<Self>, room: RoomId, hub: u16) {
        let router = Arc::clone(self);
        self.shared.runtime.spawn(async move {
            match router.shared.log.head(room).await {
                Ok(head) => router.to_hub(hub, Item::Head { room, head }),
                Err(error) => tracing::warn!(%room, %error, "could not read the head of a room"),
            }
        });
    }

    /// Sends a message about a user to where it is known on which nodes they are.
    pub fn to_registry(&self, user: UserId, message: RegistryMessage) {
        match self.peers().registry(user) {
            Place::Here => self.to_registry_here(message),
            // Soft state: it is told again to whoever should know it when a link or a node is lost.
            Place::There(slot) => drop(self.peers().send(slot, ToPeer::Registry(message))),
            Place::Nowhere => {}
        }
    }

    /// Sends a message to this node's part of the registry.
    pub fn to_registry_here(&self, message: RegistryMessage) {
        if let Some(registry) = &*self.registry.read() {
            // The registry lives as long as the node; what is sent while it restarts is soft state.
            let _ = registry.send_message(message);
        }
    }

    /// Sends something to all devices of a user.
    pub fn to_user(&self, user: UserId, note: Note) {
        self.to_registry(user, RegistryMessage::ToUser { user, note });
    }

    /// Puts an item into the inbox of one hub, wherever it is.
    pub fn to_hub(&self, address: u16, item: Item) {
        match slot_of(address) {
            HERE => {
                if let Some(inbox) = self.hubs.get(usize::from(address)) {
                    inbox.put(item);
                }
            }
            // What is lost with a link is asked for again with the next one.
            slot => drop(self.peers().send(slot, ToPeer::Hub { hub: hub_of(address), item })),
        }
    }

    /// Puts an item into the inboxes of the hubs of this node that are named by their bits.
    pub fn to_hubs_here(&self, mask: u64, item: impl Fn() -> Item) {
        for (hub, inbox) in self.hubs.iter().enumerate() {
            if mask & 1 << hub != 0 {
                inbox.put(item());
            }
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
