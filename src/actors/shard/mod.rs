//! The shell of one shard: runs `core::shard`, starts its rooms and watches over them.

mod effects;
mod leave;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use rookery_core::{
    ids::{RoomId, Seq, ShardId},
    shard::{Epoch, Input, Shard, Stamp},
};
use tokio::sync::oneshot;

use super::{
    Router, clock,
    hub::inbox::Item,
    peers::{Change, Place},
    ports::RoomState,
    room::{NOTHING_TOLD, RoomMessage},
    router::RoomHandle,
};

/// Messages that may wait for a room whose shard is being claimed; one more is `unavailable`.
const WAITING: usize = 4_096;

/// How long a room that ended over its work waits to be asked for before it is woken all the same.
const OWED_AFTER: Duration = Duration::from_secs(1);

/// What a shard is told.
pub enum ShardMessage {
    /// Something for a room that may be asleep.
    Deliver {
        /// Which.
        room: RoomId,
        /// What.
        message: RoomMessage,
    },
    /// What became of a claim.
    Claimed(Input),
    /// A room that was asked to retire has nothing left to do.
    Idle(RoomId),
    /// A room could not wake, or may not commit any more.
    Gone {
        /// Which.
        room: RoomId,
        /// Another owner has taken over.
        fenced: bool,
    },
    /// Put rooms to sleep that have been idle since before this time (milliseconds).
    Sweep(u64),
    /// A room ended over its work and may have something to tell: wake it, if nobody has.
    Owed(RoomId),
    /// Another process has the shard, which was owned here under this epoch.
    Lost(Epoch),
    /// Let a quarantined room try again.
    Release(RoomId, oneshot::Sender<()>),
    /// Under which epoch is the shard owned here, if it is?
    Epoch(oneshot::Sender<Option<Epoch>>),
    /// The node that had the shard has let it go, for this one to take it.
    Offered,
    /// The shard should live on another node from now on: what is under way ends here, and it is given back.
    HandOver,
    /// It does not come to rest, and others go elsewhere from now on: what waits is sent there.
    SendBack,
    /// Giving the shard back is over, whichever way.
    Released,
    /// How is this room?
    Describe(RoomId, oneshot::Sender<RoomState>),
}

/// What the shell of one room that is awake needs besides its handle.
struct Awake {
    handle: RoomHandle,
    stamp: Stamp,
    /// The fingerprint of what the room does right now; read when it panics.
    doing: Arc<AtomicU64>,
    /// Up to which event it has told everything; read when it ends over its work.
    telling: Arc<AtomicU64>,
    /// Something was sent since it was asked to retire.
    disturbed: bool,
    retiring: bool,
}

/// How far a shard is on its way to another node. Meanwhile it takes nothing new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaving {
    /// It stays.
    No,
    /// Its rooms come to rest, since then.
    Resting(Instant),
    /// It is given back.
    GivenBack,
}

/// The actor.
pub struct ShardActor;

/// What changes.
pub struct ShardState {
    machine: Shard,
    router: Arc<Router>,
    awake: HashMap<RoomId, Awake>,
    ids: HashMap<ActorId, RoomId>,
    /// Up to which event rooms had told everything that ended over their work; the next activation goes on from there.
    told: HashMap<RoomId, Seq>,
    leaving: Leaving,
    /// What waits for rooms that are being claimed, or are on their way to another node.
    waiting: HashMap<RoomId, Vec<RoomMessage>>,
}

impl ractor::Message for ShardMessage {}

impl Actor for ShardActor {
    type Msg = ShardMessage;
    type State = ShardState;
    type Arguments = (ShardId, Arc<Router>);

    async fn pre_start(
        &self,
        _: ActorRef<ShardMessage>,
        (shard, router): (ShardId, Arc<Router>),
    ) -> Result<ShardState, ActorProcessingErr> {
        Ok(ShardState {
            machine: Shard::new(shard),
            router,
            awake: HashMap::new(),
            ids: HashMap::new(),
            told: HashMap::new(),
            leaving: Leaving::No,
            waiting: HashMap::new(),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<ShardMessage>,
        message: ShardMessage,
        state: &mut ShardState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ShardMessage::Deliver { room, message } => state.deliver(&myself, room, message).await,
            ShardMessage::Claimed(input) => {
                if let Input::Claimed { epoch } = input {
                    state.router.peers().holds(state.machine.id(), epoch);
                }
                state.step(&myself, input).await;
            }
            ShardMessage::Idle(room) => state.idle(&myself, room).await,
            ShardMessage::Gone { room, fenced } => state.gone(&myself, room, fenced).await,
            ShardMessage::Sweep(before) => state.sweep(before),
            ShardMessage::Owed(room) => state.pay(&myself, room).await,
            ShardMessage::Lost(epoch) => {
                if state.machine.epoch() == Some(epoch) {
                    state.lost(&myself).await;
                }
            }
            ShardMessage::Epoch(reply) => {
                let _ = reply.send(state.machine.epoch());
            }
            ShardMessage::Offered if state.leaving == Leaving::No => state.step(&myself, Input::Offered).await,
            ShardMessage::Offered => {}
            ShardMessage::HandOver => state.hand_over(&myself).await,
            ShardMessage::SendBack => state.go_on(&myself).await,
            ShardMessage::Released => state.released(&myself).await,
            ShardMessage::Release(room, reply) => {
                state.router.quarantined.remove(&room);
                state.step(&myself, Input::Release { room }).await;
                let _ = reply.send(());
            }
            ShardMessage::Describe(room, reply) => {
                let _ = reply.send(state.describe(room));
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<ShardMessage>,
        event: SupervisionEvent,
        state: &mut ShardState,
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(cell, error) = event
            && let Some(room) = state.ids.remove(&cell.get_id())
        {
            let awake = state.awake.remove(&room);
            let on = awake.as_ref().map_or(0, |awake| awake.doing.load(Ordering::Acquire));
            state.note_told(room, awake.as_ref());
            state.router.rooms.remove(&room);
            tracing::error!(%room, %error, "a room panicked and is restarted from the log");
            metrics::counter!("rookery_room_panics_total").increment(1);
            state.step(&myself, Input::Panicked { room, on }).await;
            state.owe(&myself, room);
            state.give_back(&myself).await;
        }
        Ok(())
    }
}

impl ShardState {
    async fn step(&mut self, myself: &ActorRef<ShardMessage>, input: Input) {
        let mut effects = Vec::new();
        self.machine.step(input, clock::now(), &mut effects);
        for effect in effects {
            self.carry_out(myself, effect).await;
        }
    }

    async fn deliver(&mut self, myself: &ActorRef<ShardMessage>, room: RoomId, message: RoomMessage) {
        let is_leaving = self.leaving != Leaving::No;
        if let Some(awake) = self.awake.get_mut(&room)
            && !is_leaving
        {
            awake.disturbed = true;
            awake.handle.queued.fetch_add(1, Ordering::AcqRel);
            let _ = awake.handle.actor.send_message(message);
            return;
        }
        let waiting = self.waiting.entry(room).or_default();
        if waiting.len() >= WAITING {
            return message.refuse(&self.router, room, &super::router::unavailable());
        }
        waiting.push(message);
        if !is_leaving {
            self.step(myself, Input::Wanted { room }).await;
        }
    }

    /// A room whose handle nobody can get any more, and that has nothing to do, ends.
    async fn idle(&mut self, myself: &ActorRef<ShardMessage>, room: RoomId) {
        let Some(awake) = self.awake.get_mut(&room) else { return };
        if awake.disturbed || awake.handle.queued.load(Ordering::Acquire) > 0 {
            awake.disturbed = false;
            awake.handle.queued.fetch_add(1, Ordering::AcqRel);
            let _ = awake.handle.actor.send_message(RoomMessage::Retire);
            return;
        }
        let Some(awake) = self.awake.remove(&room) else { return };
        awake.handle.actor.stop(None);
        self.ids.remove(&awake.handle.actor.get_id());
        self.router.shared.log.retire(room, awake.stamp);
        drop(awake);
        self.router.interest.forget_unused(room);
        self.step(myself, Input::Retired { room }).await;
        self.give_back(myself).await;
    }

    async fn gone(&mut self, myself: &ActorRef<ShardMessage>, room: RoomId, fenced: bool) {
        self.router.rooms.remove(&room);
        if let Some(awake) = self.awake.remove(&room) {
            self.ids.remove(&awake.handle.actor.get_id());
            self.note_told(room, Some(&awake));
            awake.handle.actor.stop(None);
            self.router.shared.log.retire(room, awake.stamp);
        }
        self.step(myself, Input::Retired { room }).await;
        if fenced {
            metrics::counter!("rookery_rooms_fenced_total").increment(1);
            let router = Arc::clone(&self.router);
            router.peers().lost(self.machine.id());
            self.step(myself, Input::Fenced).await;
            router.peers().let_go(self.machine.id());
        }
        self.owe(myself, room);
        self.give_back(myself).await;
        // What had come into its mailbox meanwhile is read by nobody.
        self.restarted(room);
    }

    /// Others have gone on with the shard while this node slept, or was taken for dead. Its rooms end, and what the store shows
    /// of them; whoever listens to them here is told how far they are by now.
    async fn lost(&mut self, myself: &ActorRef<ShardMessage>) {
        let (router, shard) = (Arc::clone(&self.router), self.machine.id());
        let rooms: Vec<RoomId> = self.awake.keys().copied().collect();
        tracing::warn!(shard = shard.0, rooms = rooms.len(), "others have gone on with a shard that was owned here");
        metrics::counter!("rookery_rooms_fenced_total").increment(rooms.len() as u64);
        router.peers().lost(shard);
        self.step(myself, Input::Fenced).await;
        router.peers().let_go(shard);
        self.give_back(myself).await;
        router.shared.runtime.clone().spawn(async move {
            // The store finds out by this that it has nothing to show of them.
            let log = Arc::clone(&router.shared.log);
            futures_util::future::join_all(rooms.into_iter().map(|room| log.confirm(room))).await;
            let change = Arc::new(Change::of(|other| other == shard, |_| false));
            router.started_hubs().for_each(|inbox| inbox.put(Item::Replaced(Arc::clone(&change))));
        });
    }

    /// Wakes a room that ended over its work, if nobody has. Where it does not live any more it is left alone: whoever listens
    /// to it is told by its new owner how far it is.
    async fn pay(&mut self, myself: &ActorRef<ShardMessage>, room: RoomId) {
        if !self.told.contains_key(&room) || self.awake.contains_key(&room) {
            return;
        }
        match self.router.peers().shard(room.shard()) {
            Place::Here if self.leaving == Leaving::No => self.step(myself, Input::Wanted { room }).await,
            Place::Here => {}
            Place::There(_) => drop(self.told.remove(&room)),
            Place::Nowhere => {}
        }
        self.owe(myself, room);
    }

    /// A room that ended over its work is woken even if nobody asks for it.
    fn owe(&self, myself: &ActorRef<ShardMessage>, room: RoomId) {
        let quarantined = self.machine.quarantined().any(|other| other == room);
        if self.told.contains_key(&room) && !quarantined {
            myself.send_after(OWED_AFTER, move || ShardMessage::Owed(room));
        }
    }

    fn note_told(&mut self, room: RoomId, awake: Option<&Awake>) {
        let told = awake.map_or(NOTHING_TOLD, |awake| awake.telling.load(Ordering::Acquire));
        if told != NOTHING_TOLD {
            self.told.insert(room, told);
        }
    }

    fn sweep(&mut self, before: u64) {
        for (room, awake) in &mut self.awake {
            if awake.retiring || awake.handle.used.load(Ordering::Relaxed) >= before {
                continue;
            }
            // From here on every message for the room comes through the shard.
            self.router.rooms.remove(room);
            awake.retiring = true;
            awake.disturbed = false;
            awake.handle.queued.fetch_add(1, Ordering::AcqRel);
            let _ = awake.handle.actor.send_message(RoomMessage::Retire);
        }
    }

    fn describe(&self, room: RoomId) -> RoomState {
        let awake = self.awake.get(&room);
        RoomState {
            awake: awake.is_some(),
            epoch: self.machine.epoch(),
            queue: awake.map_or(0, |awake| awake.handle.queued.load(Ordering::Relaxed)),
            interest: self.router.interest.count(room),
            quarantined: self.machine.quarantined().any(|other| other == room),
        }
    }
}
