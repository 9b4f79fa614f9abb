//! The bounded queue before the writer: taking never waits, being full is said at once.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use parking_lot::Mutex;
use rookery_core::{
    ids::{RoomId, ShardId},
    shard::{Epoch, Stamp},
};
use tokio::{sync::Notify, sync::oneshot, time::Instant};

use super::{
    marks::{MarkGroup, Reply},
    work::Work,
};
use crate::store::{
    StoreError,
    log::{Append, Marks},
};

/// Appends that may wait, and other commands that may wait.
pub(in crate::store::sql::sqlite) const BOUND: usize = 65_536;
/// Other commands that go into one transaction.
const WORKS: usize = 128;

/// What the writer is asked to do.
pub(in crate::store::sql::sqlite) enum Command {
    /// Write an event.
    Append(Append),
    /// Move marks.
    Mark(Vec<Marks>, Reply),
    /// Do something else in a transaction.
    Work(Box<dyn Work>),
    /// Own a shard.
    Claim(ShardId, oneshot::Sender<Result<Epoch, StoreError>>),
    /// Fence a room; `false`: there is none such.
    Wake(RoomId, Stamp, oneshot::Sender<Result<bool, StoreError>>),
}

/// What the writer does next, as one piece.
pub(in crate::store::sql::sqlite) enum Portion {
    /// One transaction.
    Batch(Vec<Append>, Vec<Box<dyn Work>>),
    /// One claim.
    Claim(ShardId, oneshot::Sender<Result<Epoch, StoreError>>),
    /// One wake.
    Wake(RoomId, Stamp, oneshot::Sender<Result<bool, StoreError>>),
}

#[derive(Default)]
struct Waiting {
    commands: VecDeque<Command>,
    appends: usize,
    /// The writer waits until there are so many appends.
    target: usize,
    closed: bool,
}

/// The queue.
#[derive(Default)]
pub(in crate::store::sql::sqlite) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Notify,
    /// Words were taken out of the tables and still stand in the write-ahead log.
    dirty: AtomicBool,
}

impl Queue {
    /// Takes a command, or gives it back when there are too many or the store is closed.
    pub(in crate::store::sql::sqlite) fn push(&self, command: Command) -> Result<(), Command> {
        let mut waiting = self.waiting.lock();
        let is_append = matches!(command, Command::Append(_));
        let others = waiting.commands.len() - waiting.appends;
        if waiting.closed || (is_append && waiting.appends >= BOUND) || (!is_append && others >= BOUND) {
            return Err(command);
        }
        waiting.appends += usize::from(is_append);
        waiting.commands.push_back(command);
        let enough = waiting.commands.len() == 1 || (is_append && waiting.appends == waiting.target);
        drop(waiting);
        if enough {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Appends that wait.
    pub(in crate::store::sql::sqlite) fn appends(&self) -> usize {
        self.waiting.lock().appends
    }

    /// Something is being erased in the writer's transaction; the writer cleans up when it has time.
    pub(in crate::store::sql::sqlite) fn owe_cleaning(&self) {
        self.dirty.store(true, Ordering::Relaxed);
    }

    pub(in crate::store::sql::sqlite) fn owes_cleaning(&self) -> bool {
        self.dirty.load(Ordering::Relaxed)
    }

    pub(in crate::store::sql::sqlite) fn cleaned(&self) {
        self.dirty.store(false, Ordering::Relaxed);
    }

    /// Takes nothing more; what waits is still done.
    pub(in crate::store::sql::sqlite) fn close(&self) {
        self.waiting.lock().closed = true;
        self.arrived.notify_one();
    }

    /// What is next, at most `limit` appends; `None` once closed and empty. Waits at most `linger` until there are as many
    /// appends as are expected.
    pub(in crate::store::sql::sqlite) async fn next(
        &self,
        limit: usize,
        linger: Duration,
        expected: usize,
    ) -> Option<Portion> {
        loop {
            {
                let waiting = self.waiting.lock();
                if !waiting.commands.is_empty() {
                    break;
                }
                if waiting.closed {
                    return None;
                }
            }
            self.arrived.notified().await;
        }
        if expected > 1 {
            self.gather(expected.min(limit), linger).await;
        }
        self.take(limit)
    }

    /// Those who were answered together are about to ask again together: let them, rather than pay an fsync for the first
    /// of them, and be in two minds from then on.
    async fn gather(&self, expected: usize, linger: Duration) {
        let until = Instant::now() + linger;
        loop {
            {
                let mut waiting = self.waiting.lock();
                waiting.target = expected;
                if waiting.appends >= expected || waiting.closed {
                    return;
                }
            }
            if tokio::time::timeout_at(until, self.arrived.notified()).await.is_err() {
                return;
            }
        }
    }

    fn take(&self, limit: usize) -> Option<Portion> {
        let mut waiting = self.waiting.lock();
        let (mut appends, mut works): (Vec<_>, Vec<Box<dyn Work>>) = (Vec::new(), Vec::new());
        let mut marks = MarkGroup::default();
        while appends.len() < limit && works.len() < WORKS {
            match waiting.commands.pop_front() {
                Some(Command::Append(append)) => appends.push(append),
                Some(Command::Work(work)) => works.push(work),
                Some(Command::Mark(some, reply)) => marks.add(some, reply),
                Some(single) if appends.is_empty() && works.is_empty() && marks.is_empty() => {
                    return match single {
                        Command::Claim(shard, reply) => Some(Portion::Claim(shard, reply)),
                        Command::Wake(room, stamp, reply) => Some(Portion::Wake(room, stamp, reply)),
                        Command::Append(_) | Command::Mark(..) | Command::Work(_) => None,
                    };
                }
                // Claims and wakes come after what was queued before them is settled.
                Some(single) => {
                    waiting.commands.push_front(single);
                    break;
                }
                None => break,
            }
        }
        waiting.appends -= appends.len();
        if !marks.is_empty() {
            works.push(Box::new(marks));
        }
        Some(Portion::Batch(appends, works))
    }
}
