//! What the log offers to the store of a cluster.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rookery_core::{
    event::Event,
    fence::ShardRow,
    ids::{ClientId, RoomId, Seq, ShardId, UserId},
    shard::{Epoch, Stamp},
};
use tokio::sync::{mpsc, oneshot};

use super::{
    APPENDS, CqlLog,
    failure::unavailable,
    shard::{self, Command, Woken},
};
use crate::store::{
    StoreError,
    log::{Append, Window},
    record::{Message, Reaction},
};

/// How long somebody waits for a shard. What they wait for may still happen.
const CLAIM: Duration = Duration::from_secs(5);
const WAKE: Duration = Duration::from_secs(15);
const QUESTION: Duration = Duration::from_secs(3);
/// How long rooms have to come to rest when the process ends.
const CLOSE: Duration = Duration::from_secs(5);

impl CqlLog {
    /// Takes an event for writing; see `MessageLog::append`.
    pub fn append(&self, append: Append) {
        let (seq, shard) = (append.event.seq, append.event.room.shard());
        let refuse = |append: Append, error| append.reply.appended(seq..=seq, &Err(error));
        if self.store.waiting.fetch_add(1, Ordering::AcqRel) >= APPENDS {
            self.store.waiting.fetch_sub(1, Ordering::AcqRel);
            return refuse(append, unavailable("too much waits to be written"));
        }
        let task = self.shards.get(&shard).map(|task| task.clone());
        let refused = match task {
            Some(task) => task.try_send(Command::Append(append)),
            None => Err(mpsc::error::TrySendError::Closed(Command::Append(append))),
        };
        match refused {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(Command::Append(append))) => {
                self.store.waiting.fetch_sub(1, Ordering::AcqRel);
                refuse(append, unavailable("too much waits to be written in the shard of the room"));
            }
            Err(mpsc::error::TrySendError::Closed(Command::Append(append))) => {
                self.store.waiting.fetch_sub(1, Ordering::AcqRel);
                refuse(append, StoreError::Fenced);
            }
            Err(_) => {}
        }
    }

    /// Refuses at once what would only wait for servers that do not answer.
    ///
    /// # Errors
    /// `Unavailable`.
    pub fn must_answer(&self) -> Result<(), StoreError> {
        self.store.must_answer()
    }

    /// Appends that have not been told their fate.
    pub fn waiting(&self) -> usize {
        self.store.waiting.load(Ordering::Acquire)
    }

    /// Who has claimed a shard and not given it back, and under which epoch.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn holder(&self, shard: ShardId) -> Result<ShardRow, StoreError> {
        self.store.must_answer()?;
        let row = Arc::clone(&self.store).look(shard).await;
        row.ok_or_else(|| unavailable("the row of a shard could not be read"))
    }

    /// Makes this process the owner of a shard.
    ///
    /// # Errors
    /// `Fenced`: another process has claimed it meanwhile; `Unavailable`: it could not be decided.
    pub async fn claim(&self, shard: ShardId) -> Result<Epoch, StoreError> {
        self.store.must_answer()?;
        self.ask(shard, CLAIM, Command::Claim).await
    }

    /// Gives a shard back. What is still under way in it is lost sight of, so let its rooms come to rest before.
    ///
    /// # Errors
    /// `Unavailable`: not known whether the store has noted it; in any case nothing more is committed here.
    pub async fn release(&self, shard: ShardId) -> Result<(), StoreError> {
        self.ask(shard, CLAIM, Command::Release).await
    }

    /// Wakes a room under a stamp: finds its log, does again what may not have come to follow from it after `applied`, and
    /// writes what it began with if that is not there.
    ///
    /// # Errors
    /// `Fenced`: the stamp is not the newest, or the shard is not this process'.
    pub async fn wake(
        &self,
        room: RoomId,
        stamp: Stamp,
        applied: Seq,
        beginning: Vec<Event>,
    ) -> Result<Woken, StoreError> {
        self.store.must_answer()?;
        let command = |reply| Command::Wake { room, stamp, applied, beginning, reply };
        self.ask(room.shard(), WAKE, command).await
    }

    /// A room has nothing left to do: its head is published and it is forgotten.
    pub fn retire(&self, room: RoomId, stamp: Stamp) {
        if let Some(task) = self.shards.get(&room.shard()).map(|task| task.clone()) {
            // Where too much waits the room stays in memory until its shard goes.
            let _ = task.try_send(Command::Retire(room, stamp));
        }
    }

    /// How far a room is that is awake here, with its messages up to there.
    pub fn shown(&self, room: RoomId) -> Option<(Seq, u64)> {
        self.store.awake.get(&room).map(|shown| (shown.head, shown.messages))
    }

    /// Whether a room is this process' at a moment after the question; `false` also when that is not known.
    pub async fn confirm(&self, room: RoomId) -> bool {
        let Some(task) = self.shards.get(&room.shard()).map(|task| task.clone()) else { return false };
        let (reply, answer) = oneshot::channel();
        let asked = task.send(Command::Confirm(room, reply)).await;
        asked.is_ok() && matches!(tokio::time::timeout(QUESTION, answer).await, Ok(Ok(true)))
    }

    /// The head that was published last; 0 for none.
    ///
    /// # Errors
    /// `Unavailable`, as of everything below.
    pub async fn stored_head(&self, room: RoomId) -> Result<Seq, StoreError> {
        self.store.stored_head(room).await
    }

    /// The events after `after` up to `head`, which is verified; at most `limit`.
    ///
    /// # Errors
    /// `Corrupt` if the log has a hole.
    pub async fn events(
        &self,
        room: RoomId,
        after: Seq,
        head: Seq,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        self.store.committed(room, after, head, limit).await
    }

    /// One event.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn event(&self, room: RoomId, seq: Seq) -> Result<Option<Arc<Event>>, StoreError> {
        Ok(self.store.row(room, seq).await?.map(|row| row.event))
    }

    /// The write with this key at or below `head`, which is verified.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn find(
        &self,
        room: RoomId,
        (sender, client_id): (UserId, ClientId),
        head: Seq,
    ) -> Result<Option<Arc<Event>>, StoreError> {
        let row = match self.shards.get(&room.shard()).map(|task| task.clone()) {
            Some(task) if self.store.awake.contains_key(&room) => {
                let (reply, answer) = oneshot::channel();
                let asked = task.send(Command::Find(room, (sender, client_id), reply)).await;
                let answer = tokio::time::timeout(QUESTION, answer).await;
                match (asked, answer) {
                    (Ok(()), Ok(Ok(Some(seq)))) if seq <= head => self.store.row(room, seq).await?,
                    // All that is not noted is in memory.
                    (Ok(()), Ok(Ok(None))) => self.store.find_noted(room, sender, client_id, head).await?,
                    (Ok(()), Ok(Ok(Some(_)))) => None,
                    _ => self.store.find(room, sender, client_id, head).await?,
                }
            }
            _ => self.store.find(room, sender, client_id, head).await?,
        };
        Ok(row.map(|row| row.event))
    }

    /// A part of the history up to `head`, which is verified.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn messages(
        &self,
        room: RoomId,
        window: Window,
        visible: (Seq, Seq),
        limit: usize,
        viewer: UserId,
    ) -> Result<Vec<Message>, StoreError> {
        self.store.page(room, window, visible, limit, viewer).await
    }

    /// One message, if it is at or below `head`, which is verified.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn message(
        &self,
        room: RoomId,
        seq: Seq,
        head: Seq,
        viewer: UserId,
    ) -> Result<Option<Message>, StoreError> {
        self.store.one(room, seq, head, viewer).await
    }

    /// The reactions to one message, oldest first, at most 1,000.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn reactions(&self, room: RoomId, seq: Seq) -> Result<Vec<Reaction>, StoreError> {
        self.store.reactions_to(room, seq).await
    }

    /// Publishes what is not and ends. Shards stay claimed: whoever comes next claims them from this process.
    pub async fn close(&self) {
        let tasks: Vec<_> = self.shards.iter().map(|task| task.clone()).collect();
        self.shards.clear();
        let closing = tasks.into_iter().map(|task| async move {
            let (reply, closed) = oneshot::channel();
            if task.send(Command::Close(reply)).await.is_ok() {
                // One that has ended is closed too.
                let _ = closed.await;
            }
        });
        if tokio::time::timeout(CLOSE, futures_util::future::join_all(closing)).await.is_err() {
            tracing::warn!("not everything came to rest before the CQL store was closed; the next owner finds it");
        }
    }

    async fn ask<T>(
        &self,
        shard: ShardId,
        patience: Duration,
        command: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Command,
    ) -> Result<T, StoreError> {
        let start = || shard::start(shard, Arc::clone(&self.store), &self.runtime);
        let task = self.shards.entry(shard).or_insert_with(start).clone();
        let (reply, answer) = oneshot::channel();
        let closed = |_| unavailable("the CQL store is closed");
        task.send(command(reply)).await.map_err(closed)?;
        match tokio::time::timeout(patience, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(unavailable("the CQL store is closed")),
            Err(_) => Err(unavailable("the CQL servers do not answer")),
        }
    }
}
