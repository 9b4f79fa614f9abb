//! A log in memory that a projection elsewhere follows, as a cluster's composite store does it with a log in CQL.

use std::{
    collections::HashMap,
    ops::RangeInclusive,
    sync::{Arc, mpsc::channel},
};

use parking_lot::Mutex;
use rookery_core::{
    event::Event,
    ids::{ClientId, RoomId, Seq, ShardId, UserId},
    room::{Looked, Snapshot},
    shard::{Epoch, Stamp},
    time::Millis,
};
use tokio::sync::mpsc;

use crate::store::{
    Answer, Directory, MessageLog, Projection, StoreError,
    log::{Append, Appended, Marks, Window},
    memory::MemoryStore,
    projection::{CountedMarks, PublishedHead, Run, is_followed},
    record::{Message, NewRoom, Reaction},
    sql::PostgresStore,
};

/// Appends that wait to be followed; more than any case writes at once.
const WAITING: usize = 10_000;

/// The log, and who follows it.
pub(super) struct Followed {
    log: Arc<MemoryStore>,
    directory: Arc<PostgresStore>,
    changed: Arc<Mutex<HashMap<RoomId, Seq>>>,
    written: mpsc::Sender<(Append, Result<(), StoreError>)>,
}

impl Followed {
    /// An empty log that this directory follows.
    pub(super) fn new(directory: Arc<PostgresStore>) -> Self {
        let (written, mut waiting) = mpsc::channel::<(Append, Result<(), StoreError>)>(WAITING);
        let changed: Arc<Mutex<HashMap<RoomId, Seq>>> = Arc::default();
        let (follower, known) = (Arc::clone(&directory), Arc::clone(&changed));
        tokio::spawn(async move {
            while let Some((append, mut fate)) = waiting.recv().await {
                if fate.is_ok() {
                    fate = follow(&*follower, &known, &append.event).await;
                }
                append.reply.appended(append.event.seq..=append.event.seq, &fate);
            }
        });
        Self { log: Arc::new(MemoryStore::new()), directory, changed, written }
    }

    /// A room that the log does not know yet begins there with what the directory kept.
    async fn begin(&self, room: RoomId) {
        if self.log.room(room).await.unwrap().is_some() {
            return;
        }
        let Some(standing) = self.directory.standing(room).await.unwrap() else { return };
        let record = self.directory.room(room).await.unwrap().unwrap();
        self.changed.lock().insert(room, standing.applied);
        self.log.create_room(NewRoom { record, events: standing.beginning }).await.unwrap();
    }
}

/// Applies what changes something, and publishes everything.
async fn follow(
    projection: &dyn Projection,
    changed: &Mutex<HashMap<RoomId, Seq>>,
    event: &Arc<Event>,
) -> Result<(), StoreError> {
    let (room, seq) = (event.room, event.seq);
    let before = changed.lock()[&room];
    let mut last_change = before;
    if is_followed(&event.content) {
        let run = Run { after: before, events: vec![Arc::clone(event)], upto: seq };
        assert_eq!(projection.apply(room, run).await?, seq);
        changed.lock().insert(room, seq);
        last_change = seq;
    }
    let head = PublishedHead { room, head: seq, messages: event.messages, active_at: event.at, last_change };
    projection.publish(vec![head]).await
}

/// Keeps the fate of an append of the log in memory, which is told at once.
struct Kept(Mutex<std::sync::mpsc::Sender<Result<(), StoreError>>>);

impl Appended for Kept {
    fn appended(&self, _seqs: RangeInclusive<Seq>, fate: &Result<(), StoreError>) {
        self.0.lock().send(fate.clone()).unwrap();
    }
}

impl MessageLog for Followed {
    fn append(&self, append: Append) {
        let (reply, fate) = channel();
        self.log.append(Append { reply: Arc::new(Kept(Mutex::new(reply))), ..append.clone() });
        let fate = fate.recv().unwrap();
        assert!(self.written.try_send((append, fate)).is_ok());
    }

    fn queue_length(&self) -> usize {
        WAITING - self.written.capacity()
    }

    fn queue_bound(&self) -> usize {
        WAITING
    }

    fn claim(&self, shard: ShardId) -> Answer<'_, Epoch> {
        self.log.claim(shard)
    }

    fn wake(&self, room: RoomId, stamp: Stamp) -> Answer<'_, Option<Snapshot>> {
        Box::pin(async move {
            self.begin(room).await;
            let Some(log) = self.log.wake(room, stamp).await? else { return Ok(None) };
            let standing = self.directory.standing(room).await?.unwrap();
            assert!(standing.applied >= self.changed.lock()[&room] && standing.head <= log.head);
            Ok(Some(Snapshot {
                kind: standing.kind,
                visibility: standing.visibility,
                archived: standing.archived,
                deleted: standing.deleted,
                members: standing.members,
                banned: standing.banned,
                blocking: standing.blocking,
                ..log
            }))
        })
    }

    fn look(&self, room: RoomId, sender: UserId, client_id: ClientId, target: Option<Seq>) -> Answer<'_, Looked> {
        self.log.look(room, sender, client_id, target)
    }

    fn events(&self, room: RoomId, after: Seq, limit: usize) -> Answer<'_, Vec<Event>> {
        Box::pin(async move {
            self.begin(room).await;
            self.log.events(room, after, limit).await
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
        self.log.messages(room, window, visible_from, limit, viewer)
    }

    fn message(&self, room: RoomId, seq: Seq, viewer: UserId) -> Answer<'_, Option<Message>> {
        self.log.message(room, seq, viewer)
    }

    fn reactions(&self, room: RoomId, seq: Seq) -> Answer<'_, Vec<Reaction>> {
        self.log.reactions(room, seq)
    }

    fn head(&self, room: RoomId) -> Answer<'_, Seq> {
        self.log.head(room)
    }

    fn outcome(&self, room: RoomId, sender: UserId, client_id: ClientId) -> Answer<'_, Option<(Seq, Millis)>> {
        self.log.outcome(room, sender, client_id)
    }

    fn mark(&self, marks: Vec<Marks>) -> Answer<'_, Vec<Option<Marks>>> {
        Box::pin(async move {
            let mut counted = Vec::new();
            for marks in marks {
                let head = self.log.head(marks.room).await?;
                let (read, delivered) = (marks.read.min(head), marks.delivered.min(head));
                let events = self.log.events(marks.room, read.saturating_sub(1), 1).await?;
                let read_messages = events.first().map_or(0, |event| event.messages);
                counted.push(CountedMarks { marks: Marks { read, delivered, ..marks }, read_messages });
            }
            Projection::mark(&*self.directory, counted).await
        })
    }
}
