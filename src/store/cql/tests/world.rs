//! What the tests start from: processes over one log, rooms that are awake in them, and a way into the tables beside them.

use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    sync::{Arc, atomic::AtomicU16, atomic::Ordering},
};

use parking_lot::Mutex;
use rookery_core::{
    event::{Content, Event},
    fence::Row,
    ids::{ClientId, RoomId, SHARDS, Seq, UserId},
    shard::{Epoch, Stamp},
    time::Millis,
};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{super::CqlLog, scratch};
use crate::store::{
    Answer, StoreError,
    cql::{CqlSettings, Follow, Woken},
    log::{Append, Appended, Window},
    projection::{PublishedHead, Run},
    record::Message,
};

/// Remembers what it was told, and applies what follows on what it has.
#[derive(Default)]
pub(super) struct Follower {
    pub(super) applied: Mutex<BTreeMap<RoomId, Seq>>,
    pub(super) runs: Mutex<Vec<Run>>,
    pub(super) heads: Mutex<BTreeMap<RoomId, PublishedHead>>,
}

impl Follow for Follower {
    fn apply(&self, room: RoomId, run: Run) -> Answer<'_, Seq> {
        let mut applied = self.applied.lock();
        let applied = applied.entry(room).or_default();
        if *applied >= run.after {
            *applied = run.upto.max(*applied);
            self.runs.lock().push(run);
        }
        let applied = *applied;
        Box::pin(std::future::ready(Ok(applied)))
    }

    fn committed(&self, head: PublishedHead) {
        self.heads.lock().insert(head.room, head);
    }
}

/// A process.
pub(super) struct Node {
    pub(super) log: CqlLog,
    pub(super) follower: Arc<Follower>,
}

impl Node {
    pub(super) async fn new(name: &str) -> Self {
        Self::with(&scratch::settings(name).await).await
    }

    pub(super) async fn with(settings: &CqlSettings) -> Self {
        let follower = Arc::new(Follower::default());
        let log = CqlLog::open(settings, Arc::clone(&follower) as _).await.unwrap();
        Self { log, follower }
    }

    /// Claims the shard of a room and wakes the room in it.
    pub(super) async fn take(&self, room: RoomId) -> Open<'_> {
        let epoch = self.log.claim(room.shard()).await.unwrap();
        self.wake(room, epoch, 1).await
    }

    pub(super) async fn wake(&self, room: RoomId, epoch: Epoch, generation: u64) -> Open<'_> {
        let stamp = Stamp::new(epoch, generation);
        let woken = self.log.wake(room, stamp, 0, Vec::new()).await.unwrap();
        let (reply, fates) = told();
        Open { node: self, room, stamp, woken, next: woken.head + 1, messages: woken.messages, reply, fates }
    }

    /// Writes a row past the fence, as an owner would whose write is on its way for long.
    pub(super) async fn write_late(&self, stamp: Stamp, event: &Event) {
        self.log.store.insert(&Row { stamp, event: Arc::new(event.clone()) }).await.unwrap();
    }

    /// The rows that stand there, whatever they are worth.
    pub(super) async fn rows(&self, room: RoomId, after: Seq) -> Vec<Row> {
        self.log.store.rows_up(room, after, after + 2_000, usize::MAX).await.unwrap()
    }
}

/// A room in a shard that no other test has.
pub(super) fn new_room() -> RoomId {
    // From the other end than the fixture of the suite.
    static NEXT: AtomicU16 = AtomicU16::new(1);
    let shard = SHARDS - NEXT.fetch_add(1, Ordering::Relaxed);
    room_in(shard)
}

/// A room in this shard.
pub(super) fn room_in(shard: u16) -> RoomId {
    std::iter::repeat_with(|| RoomId(Uuid::now_v7())).find(|id| id.shard().0 == shard).unwrap()
}

pub(super) fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

/// A plain message.
pub(super) fn message(body: &str) -> Content {
    Content::Message { body: body.to_owned(), reply_to: None, mentions: Vec::new(), attachments: Vec::new() }
}

/// What appends are told.
pub(super) type Fate = (RangeInclusive<Seq>, Result<(), StoreError>);

struct Told(mpsc::Sender<Fate>);

impl Appended for Told {
    fn appended(&self, seqs: RangeInclusive<Seq>, fate: &Result<(), StoreError>) {
        self.0.try_send((seqs, fate.clone())).unwrap();
    }
}

fn told() -> (Arc<dyn Appended>, mpsc::Receiver<Fate>) {
    let (sender, fates) = mpsc::channel(16_384);
    (Arc::new(Told(sender)), fates)
}

/// A room that is awake in a process.
pub(super) struct Open<'n> {
    pub(super) node: &'n Node,
    pub(super) room: RoomId,
    pub(super) stamp: Stamp,
    pub(super) woken: Woken,
    pub(super) next: Seq,
    messages: u64,
    reply: Arc<dyn Appended>,
    fates: mpsc::Receiver<Fate>,
}

impl Open<'_> {
    /// The next event.
    pub(super) fn event(&mut self, sender: UserId, content: Content) -> Event {
        let seq = self.next;
        self.next += 1;
        self.messages += u64::from(matches!(content, Content::Message { .. }));
        let client_id = ClientId(Uuid::now_v7());
        let at = Millis(i64::try_from(seq).unwrap());
        Event { room: self.room, seq, at, sender, client_id, messages: self.messages, content }
    }

    /// Gives an event to the log.
    pub(super) fn append(&self, event: Event) {
        let reply = Arc::clone(&self.reply);
        self.node.log.append(Append { stamp: self.stamp, event: Arc::new(event), reply });
    }

    /// Gives the next event to the log.
    pub(super) fn send(&mut self, content: Content) -> Event {
        let event = self.event(user(1), content);
        self.append(event.clone());
        event
    }

    /// Waits until an event and all before it are written.
    pub(super) async fn written(&mut self, seq: Seq) {
        loop {
            let (seqs, fate) = self.fates.recv().await.unwrap();
            assert_eq!(fate, Ok(()), "{seqs:?}");
            if *seqs.end() >= seq {
                return;
            }
        }
    }

    /// Writes an event.
    pub(super) async fn write(&mut self, content: Content) -> Event {
        let event = self.send(content);
        self.written(event.seq).await;
        event
    }

    /// Says something so often.
    pub(super) async fn say(&mut self, count: u64) {
        let last = self.next + count - 1;
        for n in 0..count {
            self.send(message(&n.to_string()));
            // As many as may be under way.
            if (n + 1).is_multiple_of(1_000) {
                self.written(self.next - 1).await;
            }
        }
        if !count.is_multiple_of(1_000) {
            self.written(last).await;
        }
    }

    /// The next fate that comes.
    pub(super) async fn fate(&mut self) -> Fate {
        self.fates.recv().await.unwrap()
    }

    /// Whether no fate has come.
    pub(super) fn nobody_was_told(&mut self) -> bool {
        self.fates.try_recv().is_err()
    }

    /// Messages as they are now.
    pub(super) async fn page(&self, window: Window, limit: usize) -> Vec<Message> {
        let head = self.node.log.shown(self.room).unwrap().0;
        self.node.log.messages(self.room, window, (1, head), limit, user(1)).await.unwrap()
    }
}
