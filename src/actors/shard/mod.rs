//! The shell of one shard: runs `core::shard`, starts its rooms and watches over them.

mod effects;

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
    peers::Place,
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
    /// Let a quarantined room try again.
    Release(RoomId, oneshot::Sender<()>),
    /// Under which epoch is the shard owned here, if it is?
    Epoch(oneshot::Sender<Option<Epoch>>),
    /// The shard should live on another node from now on: what is under way ends here, and it is given back.
    HandOver,
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
    /// Since when it should live elsewhere; it is given back as soon as no room is awake.
    leaving: Option<Instant>,
    /// What waits for rooms that are being claimed.
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
            leaving: None,
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
                state.step(&myself, input).await;
                if state.router.peers().shard(state.machine.id()) != Place::Here {
                    state.hand_over(&myself).await;
                }
            }
            ShardMessage::Idle(room) => state.idle(&myself, room).await,
            ShardMessage::Gone { room, fenced } => state.gone(&myself, room, fenced).await,
            ShardMessage::Sweep(before) => state.sweep(before),
            ShardMessage::Owed(room) => {
                if state.told.contains_key(&room) && !state.awake.contains_key(&room) {
                    state.step(&myself, Input::Wanted { room }).await;
                    state.owe(&myself, room);
                }
            }
            ShardMessage::Epoch(reply) => {
                let _ = reply.send(state.machine.epoch());
            }
            ShardMessage::HandOver => state.hand_over(&myself).await,
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
        if let Some(awake) = self.awake.get_mut(&room) {
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
        self.step(myself, Input::Wanted { room }).await;
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

    /// The shard should live elsewhere: its rooms finish what is under way, and then it is given back. Whoever claims it
    /// before that fences us off, and what was under way is asked for again there.
    async fn hand_over(&mut self, myself: &ActorRef<ShardMessage>) {
        self.leaving.get_or_insert_with(Instant::now);
        self.sweep(u64::MAX);
        self.give_back(myself).await;
    }

    async fn give_back(&mut self, myself: &ActorRef<ShardMessage>) {
        if !self.awake.is_empty() {
            return;
        }
        let Some(since) = self.leaving.take() else { return };
        let shard = self.machine.id();
        if self.machine.epoch().is_none() || self.router.peers().shard(shard) == Place::Here {
            return;
        }
        self.step(myself, Input::GivenBack).await;
        let router = Arc::clone(&self.router);
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
        });
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
            self.router.peers().lost(self.machine.id());
            self.step(myself, Input::Fenced).await;
        }
        self.owe(myself, room);
        self.give_back(myself).await;
        // What had come into its mailbox meanwhile is read by nobody.
        self.restarted(room);
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
