//! The task of one shard: drives `core::fence`, and carries its effects out.

mod answer;
mod command;
mod effects;
mod keys;
mod room;
mod settle;
mod turn;
mod waking;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Instant,
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use rookery_core::{
    fence::{Effect, Fence, Input},
    ids::{RoomId, ShardId},
    shard::Epoch,
};
use tokio::sync::{mpsc, oneshot};

pub(super) use self::command::Command;
pub use self::waking::Woken;
use self::{answer::Done, room::Room};
use super::Store;
use crate::store::StoreError;

/// Commands that may wait for one shard; one more is refused as `Unavailable`.
const COMMANDS: usize = 4_096;
/// Commands that are taken at once.
const TURN: usize = 256;

/// Where an answer goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// The task's state.
pub(super) struct Shard {
    id: ShardId,
    store: Arc<Store>,
    fence: Fence,
    rooms: HashMap<RoomId, Room>,
    /// What is asked of the store at this time. Bounded by what the fence and the rooms let be under way.
    work: FuturesUnordered<BoxFuture<'static, Done>>,
    /// Writes of events that were sent and have no answer.
    inserting: usize,
    /// Those that have succeeded and wait for others; and for how long.
    held: Vec<Input>,
    hold_until: Option<Instant>,
    /// What the fence wants and did not get yet.
    wanted: Vec<Effect>,
    /// Rooms in which something has happened.
    touched: HashSet<RoomId>,
    /// Rooms that want to sleep.
    retiring: HashSet<RoomId>,
    claims: Vec<Reply<Epoch>>,
    releases: Vec<Reply<()>>,
    questions: HashMap<u64, oneshot::Sender<bool>>,
    next_question: u64,
    /// When a room will have waited long enough for its head to be published.
    rest_at: Option<Instant>,
    closing: Vec<oneshot::Sender<()>>,
}

/// Starts the task of a shard.
pub(super) fn start(id: ShardId, store: Arc<Store>, runtime: &tokio::runtime::Handle) -> mpsc::Sender<Command> {
    let (sender, commands) = mpsc::channel(COMMANDS);
    let fence = Fence::new(store.owner.clone(), store.bounds);
    let shard = Shard {
        id,
        store,
        fence,
        rooms: HashMap::new(),
        work: FuturesUnordered::new(),
        inserting: 0,
        held: Vec::new(),
        hold_until: None,
        wanted: Vec::new(),
        touched: HashSet::new(),
        retiring: HashSet::new(),
        claims: Vec::new(),
        releases: Vec::new(),
        questions: HashMap::new(),
        next_question: 0,
        rest_at: None,
        closing: Vec::new(),
    };
    runtime.spawn(shard.run(commands));
    sender
}

impl Shard {
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut taken = Vec::with_capacity(TURN);
        loop {
            let (rest, held) = (wait_until(self.rest_at), wait_until(self.hold_until));
            tokio::select! {
                Some(done) = self.work.next(), if !self.work.is_empty() => {
                    self.done(done);
                    // Answers that are there already: together they are verified by one read.
                    while let Some(Some(done)) = futures_util::FutureExt::now_or_never(self.work.next()) {
                        self.done(done);
                    }
                }
                count = commands.recv_many(&mut taken, TURN) => {
                    if count == 0 {
                        // The store is gone, and nobody waits for anything any more.
                        return;
                    }
                    for command in taken.drain(..) {
                        self.take(command);
                    }
                }
                () = held => self.let_go(true),
                () = rest => self.rest(),
            }
            self.let_go(false);
            self.turn();
            if !self.closing.is_empty() && self.rooms.is_empty() {
                for closed in self.closing.drain(..) {
                    let _ = closed.send(());
                }
                return;
            }
        }
    }

    /// Gives the fence something.
    fn step(&mut self, input: Input) {
        self.fence.step(input, &mut self.wanted);
    }

    /// Asks the store for something; what becomes of it comes back as `Done`.
    fn ask(&mut self, work: impl Future<Output = Done> + Send + 'static) {
        self.work.push(Box::pin(work));
    }
}

async fn wait_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
