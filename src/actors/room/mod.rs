//! The shell of one room: runs `core::room` and carries out what it decides.

mod effects;
mod negative;
mod request;
#[cfg(test)]
mod tests;
mod waits;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use rookery_core::{
    frame::{Code, Refusal},
    ids::{RoomId, Seq, UserId},
    room::{Effect, Input, Intent, Room, Snapshot},
    shard::Stamp,
};
use tokio::sync::oneshot;

pub use negative::Negative;
pub use request::{ASK_AGAIN_AFTER, Ask, RoomAnswer, Wish, refuse_session, refuse_shut, undecided, unmarked};

use super::{Router, clock, hub::inbox::Item, interest::Listeners, shard::ShardMessage};
use crate::store::{StoreError, log::Appended};

/// Messages that may wait until a room is awake; one more is `busy`.
const STASH: usize = 4_096;
/// Milliseconds after which a client should try again when too much waits for a room.
const STASH_RETRY_MS: u64 = 500;

/// What a room is told.
pub enum RoomMessage {
    /// An input of the machine.
    Input(Input),
    /// A request that somebody waits for.
    Ask(Ask),
    /// Somebody wants the events after one.
    Pull {
        /// Who; they must be in the room.
        user: UserId,
        /// The last that they have.
        after: Seq,
        /// Where to.
        reply: oneshot::Sender<Result<Pulled, Refusal>>,
    },
    /// Somebody begins to listen, and wants to know how far the room is.
    TellHead(oneshot::Sender<Seq>),
    /// The store answered what the room is like.
    Woken(Result<Option<Snapshot>, StoreError>),
    /// Whether this was still the room's owner after a question that it answers with no.
    Confirmed {
        /// The answer.
        negative: Negative,
        /// Whether; also `false` if that is not known.
        is_owner: bool,
    },
    /// Another owner, or a newer activation, has taken over.
    Fenced,
    /// Write down lazily what may be written lazily.
    Flush,
    /// Go to sleep when nothing is left to do.
    Retire,
}

/// Events that somebody missed.
#[derive(Debug)]
pub struct Pulled {
    /// Each event's seq and JSON, ascending.
    pub events: Vec<(Seq, Bytes)>,
    /// How far the room is.
    pub head: Seq,
}

/// What stands for a room that was not awake yet.
pub const NOTHING_TOLD: u64 = u64::MAX;

/// What a room is started with.
pub struct RoomArguments {
    /// Which.
    pub room: RoomId,
    /// Under which stamp it writes.
    pub stamp: Stamp,
    /// The way to everybody else.
    pub router: Arc<Router>,
    /// Its shard.
    pub shard: ActorRef<ShardMessage>,
    /// Who listens.
    pub listeners: Arc<Listeners>,
    /// Where it notes what it does, for the case that it panics.
    pub doing: Arc<AtomicU64>,
    /// Where it notes up to which event it has told everything; [`NOTHING_TOLD`] until it is awake.
    pub telling: Arc<AtomicU64>,
    /// How far the activation before this one had come with that, if it ended over its work.
    pub told: Option<Seq>,
    /// Messages on their way to it.
    pub queued: Arc<AtomicUsize>,
    /// When it last had something to do.
    pub used: Arc<AtomicU64>,
}

/// The actor.
pub struct RoomActor;

/// What changes.
pub struct RoomState {
    context: RoomArguments,
    machine: Option<Room>,
    /// What came before the room was awake.
    stash: VecDeque<RoomMessage>,
    effects: Vec<Effect>,
    reply: Arc<dyn Appended>,
    asked: HashMap<u64, Ask>,
    waits: waits::Waits,
    next_ask: u64,
    /// Answers that wait until it is certain that they may be given.
    confirming: usize,
    /// Read marks that follow from sending; written lazily.
    own_reads: BTreeMap<UserId, Seq>,
    flush_planned: bool,
    retiring: bool,
}

/// Tells the room what became of its appends.
struct RoomReply(ActorRef<RoomMessage>, Arc<AtomicUsize>);

impl Appended for RoomReply {
    fn appended(&self, seqs: RangeInclusive<Seq>, fate: &Result<(), StoreError>) {
        let message = match fate {
            Ok(()) => RoomMessage::Input(Input::Appended { seqs }),
            Err(StoreError::Fenced) => {
                metrics::counter!("rookery_appends_fenced_total").increment(seqs.end() - seqs.start() + 1);
                RoomMessage::Fenced
            }
            Err(_) => RoomMessage::Input(Input::AppendFailed { seqs }),
        };
        self.1.fetch_add(1, Ordering::AcqRel);
        // A room that ended meanwhile has told its callers to ask again.
        let _ = self.0.send_message(message);
    }
}

impl ractor::Message for RoomMessage {}

impl Actor for RoomActor {
    type Msg = RoomMessage;
    type State = RoomState;
    type Arguments = RoomArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<RoomMessage>,
        context: RoomArguments,
    ) -> Result<RoomState, ActorProcessingErr> {
        let (log, room, stamp) = (Arc::clone(&context.router.shared.log), context.room, context.stamp);
        let (actor, queued) = (myself.clone(), Arc::clone(&context.queued));
        context.router.shared.runtime.spawn(async move {
            let found = log.wake(room, stamp).await;
            queued.fetch_add(1, Ordering::AcqRel);
            let _ = actor.send_message(RoomMessage::Woken(found));
        });
        let reply = Arc::new(RoomReply(myself, Arc::clone(&context.queued)));
        Ok(RoomState {
            context,
            machine: None,
            stash: VecDeque::new(),
            effects: Vec::new(),
            reply,
            asked: HashMap::new(),
            waits: waits::Waits::default(),
            next_ask: 0,
            confirming: 0,
            own_reads: BTreeMap::new(),
            flush_planned: false,
            retiring: false,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<RoomMessage>,
        message: RoomMessage,
        state: &mut RoomState,
    ) -> Result<(), ActorProcessingErr> {
        state.context.queued.fetch_sub(1, Ordering::AcqRel);
        match message {
            RoomMessage::Woken(found) => state.woken(&myself, found),
            other if state.machine.is_none() => state.keep(other),
            other => state.take(&myself, other),
        }
        state.report_idle();
        Ok(())
    }
}

impl RoomState {
    fn woken(&mut self, myself: &ActorRef<RoomMessage>, found: Result<Option<Snapshot>, StoreError>) {
        let error = match found {
            Ok(Some(snapshot)) => return self.begin(myself, snapshot),
            Ok(None) => {
                // The log was looked for: nothing was ever written there.
                let refusal = Refusal::new(Code::NotFound, "no such room");
                for message in std::mem::take(&mut self.stash) {
                    message.refuse_surely(&self.context.router, self.context.room, &refusal);
                }
                return self.gone(false);
            }
            Err(error) => error,
        };
        tracing::warn!(room = %self.context.room, %error, "a room could not be read");
        let fenced = matches!(error, StoreError::Fenced);
        for message in std::mem::take(&mut self.stash) {
            if fenced {
                message.send_back(&self.context.router, self.context.room);
            } else {
                message.refuse(&self.context.router, self.context.room, &super::router::unavailable());
            }
        }
        // When fenced off the shard must claim anew, else no room of it ever wakes again.
        self.gone(fenced);
    }

    fn begin(&mut self, myself: &ActorRef<RoomMessage>, snapshot: Snapshot) {
        let machine = Room::wake(snapshot, self.context.router.limits().members_per_room);
        #[cfg(feature = "bugs")]
        let machine = machine.with_bug(self.context.router.shared.bug);
        self.machine = Some(machine);
        self.tell_again(myself);
        for message in std::mem::take(&mut self.stash) {
            self.take(myself, message);
        }
    }

    /// Keeps what came before the room is awake, as far as there is place.
    fn keep(&mut self, message: RoomMessage) {
        if self.stash.len() < STASH {
            return self.stash.push_back(message);
        }
        let refusal = Refusal::new(Code::Busy, "too much waits for this room to wake").after(STASH_RETRY_MS);
        message.refuse(&self.context.router, self.context.room, &refusal);
    }

    fn take(&mut self, myself: &ActorRef<RoomMessage>, message: RoomMessage) {
        match message {
            RoomMessage::Input(input) => {
                if !matches!(input, Input::Typing { .. }) {
                    self.touch();
                }
                self.step(myself, input);
            }
            RoomMessage::Ask(ask) => {
                self.touch();
                self.next_ask += 1;
                let input = ask.input(self.next_ask);
                self.asked.insert(self.next_ask, ask);
                self.step(myself, input);
            }
            RoomMessage::Pull { user, after, reply } => self.pull(myself, user, after, reply),
            RoomMessage::TellHead(reply) => {
                let _ = reply.send(self.machine.as_ref().map_or(0, Room::head));
            }
            RoomMessage::Flush => self.flush(),
            RoomMessage::Retire => self.retiring = true,
            RoomMessage::Fenced => self.gone(true),
            RoomMessage::Confirmed { negative, is_owner } => self.confirmed(negative, is_owner),
            RoomMessage::Woken(_) => {}
        }
    }

    fn step(&mut self, myself: &ActorRef<RoomMessage>, input: Input) {
        let Some(machine) = &mut self.machine else { return };
        self.context.doing.store(fingerprint(&input), Ordering::Release);
        let mut effects = std::mem::take(&mut self.effects);
        machine.step(input, clock::now(), &mut effects);
        let head = machine.head();
        self.carry_out(myself, &mut effects);
        self.context.telling.store(head, Ordering::Release);
        effects.clear();
        self.effects = effects;
    }

    /// An activation that ended over its work may have left durable events that nobody was told of.
    fn tell_again(&mut self, myself: &ActorRef<RoomMessage>) {
        let Some(machine) = &self.machine else { return };
        let (room, head, mut effects) = (self.context.room, machine.head(), Vec::new());
        if let Some(told) = self.context.told {
            machine.tell_again(told, &mut effects);
            // What is too long ago to be in memory is read by those who lack it.
            self.to_listeners(|| Item::Head { room, head });
        }
        self.carry_out(myself, &mut effects);
        self.context.telling.store(head, Ordering::Release);
    }

    fn touch(&self) {
        self.context.used.store(u64::try_from(clock::now().0).unwrap_or(0), Ordering::Relaxed);
    }

    /// Ends without answering what is under way: nobody knows what became of it, so who asked asks again.
    fn gone(&mut self, fenced: bool) {
        self.machine = None;
        self.asked.clear();
        let room = self.context.room;
        let _ = self.context.shard.send_message(ShardMessage::Gone { room, fenced });
    }

    /// The events after `after`: from memory if they are still there, else from the log.
    fn pull(
        &mut self,
        myself: &ActorRef<RoomMessage>,
        user: UserId,
        after: Seq,
        reply: oneshot::Sender<Result<Pulled, Refusal>>,
    ) {
        let Some((visible_from, reply)) = self.readable_from(myself, user, reply) else { return };
        let Some(machine) = &self.machine else { return };
        let head = machine.head();
        if after > head {
            return self.say(myself, Negative::Beyond { after, reply }, true);
        }
        let after = after.max(visible_from.saturating_sub(1));
        let most = usize::try_from(rookery_core::limits::REPLAY_PER_ROOM).unwrap_or(500);
        if let Some(events) = machine.events_after(after) {
            let events = events.take(most).map(|logged| (logged.event.seq, logged.text.clone())).collect();
            let _ = reply.send(Ok(Pulled { events, head }));
            return;
        }
        let (log, room) = (Arc::clone(&self.context.router.shared.log), self.context.room);
        self.context.router.shared.runtime.spawn(async move {
            let answer = match log.events(room, after, most).await {
                // What became durable after the question is not yet shown to anybody: leave it to the live way.
                Ok(events) => {
                    let shown = events.iter().filter(|event| event.seq <= head);
                    let encoded = shown.map(|event| (event.seq, rookery_core::frame::codec::encode_event(event)));
                    Ok(Pulled { events: encoded.collect(), head })
                }
                Err(error) => {
                    tracing::warn!(%room, %error, "could not read missed events");
                    Err(super::router::unavailable())
                }
            };
            let _ = reply.send(answer);
        });
    }

    fn report_idle(&mut self) {
        let is_silent = self.asked.is_empty() && self.confirming == 0;
        let idle = self.retiring && is_silent && self.machine.as_ref().is_some_and(Room::is_idle);
        if idle {
            self.flush();
            self.retiring = false;
            let _ = self.context.shard.send_message(ShardMessage::Idle(self.context.room));
        }
    }
}

/// What a room was doing, as a number: the same wish has the same, however often it is asked.
fn fingerprint(input: &Input) -> u64 {
    let mut hasher = DefaultHasher::new();
    match input {
        Input::Write(write) => {
            (write.user, write.client_id).hash(&mut hasher);
            std::mem::discriminant::<Intent>(&write.intent).hash(&mut hasher);
        }
        other => std::mem::discriminant(other).hash(&mut hasher),
    }
    hasher.finish()
}
