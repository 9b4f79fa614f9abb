//! The logs of rooms, as a cluster has them.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use rookery_core::{
    event::Event,
    fence::ShardRow,
    ids::{ClientId, RoomId, Seq, ShardId, UserId},
    room::{Known, Looked, Snapshot, Target},
    shard::{Epoch, Stamp},
    time::Millis,
};

use super::ClusterStore;
use crate::store::{
    Answer, StoreError,
    cql::APPENDS,
    log::{Append, Marks, MessageLog, Window},
    record::{Message, Reaction},
};

/// How long a write waits for what it is about to be looked up. Nothing of it was written by then: a node that has not noticed
/// yet that the log is away can still say so in time.
const LOOK: Duration = Duration::from_millis(1_500);

impl MessageLog for ClusterStore {
    fn append(&self, append: Append) {
        self.log.append(append);
    }

    fn queue_length(&self) -> usize {
        self.log.waiting()
    }

    fn queue_bound(&self) -> usize {
        APPENDS
    }

    fn holder(&self, shard: ShardId) -> Answer<'_, ShardRow> {
        Box::pin(self.log.holder(shard))
    }

    fn claim(&self, shard: ShardId) -> Answer<'_, Epoch> {
        Box::pin(self.log.claim(shard))
    }

    fn wake(&self, room: RoomId, stamp: Stamp) -> Answer<'_, Option<Snapshot>> {
        Box::pin(self.snapshot(room, stamp))
    }

    fn release(&self, shard: ShardId) -> Answer<'_, ()> {
        Box::pin(self.log.release(shard))
    }

    fn retire(&self, room: RoomId, stamp: Stamp) {
        self.log.retire(room, stamp);
    }

    fn look(&self, room: RoomId, sender: UserId, client_id: ClientId, target: Option<Seq>) -> Answer<'_, Looked> {
        Box::pin(async move {
            // Somebody waits for this who could be told at once that nothing is taken now.
            self.log.must_answer()?;
            let looked = tokio::time::timeout(LOOK, self.look_up(room, (sender, client_id), target)).await;
            looked.unwrap_or_else(|_| Err(StoreError::Unavailable("the log does not answer in time".to_owned())))
        })
    }

    fn events(&self, room: RoomId, after: Seq, limit: usize) -> Answer<'_, Vec<Event>> {
        Box::pin(async move {
            let head = self.verified_head(room).await?;
            let found = match self.log.events(room, after, head, limit).await {
                // A room that never woke has nothing in the log. If it does just now, what it began with is in the log.
                Err(StoreError::Corrupt(_)) => match self.beginning(room).await? {
                    beginning if beginning.is_empty() => self.log.events(room, after, head, limit).await?,
                    beginning => {
                        let shown = beginning.into_iter().filter(|event| event.seq > after);
                        return Ok(shown.take(limit).collect());
                    }
                },
                found => found?,
            };
            Ok(found.into_iter().map(Arc::unwrap_or_clone).collect())
        })
    }

    fn messages(
        &self,
        room: RoomId,
        window: Window,
        visible_from: Seq,
        limit: usize,
        viewer: UserId,
    ) -> Answer<'_, Vec<Message>> {
        Box::pin(async move {
            let head = self.verified_head(room).await?;
            self.log.messages(room, window, (visible_from, head), limit, viewer).await
        })
    }

    fn message(&self, room: RoomId, seq: Seq, viewer: UserId) -> Answer<'_, Option<Message>> {
        Box::pin(async move {
            let head = self.verified_head(room).await?;
            self.log.message(room, seq, head, viewer).await
        })
    }

    fn reactions(&self, room: RoomId, seq: Seq) -> Answer<'_, Vec<Reaction>> {
        Box::pin(self.log.reactions(room, seq))
    }

    fn head(&self, room: RoomId) -> Answer<'_, Seq> {
        Box::pin(self.verified_head(room))
    }

    fn published(&self, room: RoomId) -> Answer<'_, Seq> {
        Box::pin(self.published_head(room))
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn confirm(&self, room: RoomId) -> BoxFuture<'_, bool> {
        Box::pin(self.log.confirm(room))
    }

    fn outcome(&self, room: RoomId, sender: UserId, client_id: ClientId) -> Answer<'_, Option<(Seq, Millis)>> {
        Box::pin(async move {
            let head = self.verified_head(room).await?;
            if let Some(event) = self.find(room, (sender, client_id), head).await? {
                return Ok(Some((event.seq, event.at)));
            }
            // "It is not there" is true only if said by the room's owner, who is one still: another may have written it since.
            match (self.log.shown(room), self.heads.get()) {
                (Some(_), _) if self.log.confirm(room).await => Ok(None),
                (Some(_), _) => Err(StoreError::Unavailable("whether this node owns the room is not known".to_owned())),
                (None, Some(heads)) => heads.outcome(room, sender, client_id).await,
                (None, None) => Ok(None),
            }
        })
    }

    fn mark(&self, marks: Vec<Marks>) -> Answer<'_, Vec<Option<Marks>>> {
        Box::pin(self.move_marks(marks))
    }
}

impl ClusterStore {
    async fn look_up(&self, room: RoomId, key: (UserId, ClientId), target: Option<Seq>) -> Result<Looked, StoreError> {
        let head = self.verified_head(room).await?;
        let known = self.find(room, key, head).await?;
        let known = known.map(|event| Known { seq: event.seq, at: event.at, content: event.content.clone() });
        let target = match target {
            Some(target) => self.log.message(room, target, head, key.0).await?,
            None => None,
        };
        let target = target.map(|message| {
            let attachments = !message.attachments.is_empty();
            Target { author: message.from, deleted: message.deleted, attachments }
        });
        Ok(Looked { known, target })
    }

    /// The write with this key at or below a verified head.
    async fn find(&self, room: RoomId, key: (UserId, ClientId), head: Seq) -> Result<Option<Arc<Event>>, StoreError> {
        match self.log.find(room, key, head).await {
            // As for events.
            Err(StoreError::Corrupt(_)) => match self.beginning(room).await? {
                beginning if beginning.is_empty() => self.log.find(room, key, head).await,
                beginning => {
                    let is = |event: &Event| (event.sender, event.client_id) == key;
                    Ok(beginning.into_iter().find(is).map(Arc::new))
                }
            },
            found => found,
        }
    }
}
