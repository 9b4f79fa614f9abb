//! How fast the log alone is, and how fast the driver alone writes the same rows: the limit for the whole server.

use std::{
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rookery_core::{
    event::{Content, Event},
    fence::Row,
    ids::{ClientId, RoomId, Seq, UserId},
    shard::Stamp,
    time::Millis,
};
use scylla::statement::unprepared::Statement;
use tokio::{sync::oneshot, task::JoinSet};
use uuid::Uuid;

use super::{CqlLog, CqlSettings, Follow, check, connect::connect, failure::unavailable};
use crate::store::{
    Answer, StoreError,
    log::{Append, Appended},
    projection::{PublishedHead, Run},
};

/// A keyspace is dropped when every server knows it.
const SCHEMA: Duration = Duration::from_secs(30);

/// How long one row is tried to be written.
const PATIENCE: Duration = Duration::from_secs(20);

/// How the store is loaded.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Producers; each writes again as soon as its last event is durable.
    pub producers: usize,
    /// Rooms that they share.
    pub rooms: usize,
    /// Bytes of each body.
    pub body_bytes: usize,
    /// For how long.
    pub time: Duration,
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Rate {
    /// Durable events.
    pub events: u64,
    /// Seconds that it took.
    pub seconds: f64,
    /// How long each event took to be durable, in microseconds; ascending.
    pub waits_micros: Vec<u64>,
}

/// Writes through the log: fenced, verified, its keys noted; without any server, and followed by nobody.
///
/// # Errors
/// What the store says.
pub async fn log_alone(settings: &CqlSettings, load: Load) -> Result<Rate, StoreError> {
    let log = Arc::new(CqlLog::open(settings, Arc::new(Nobody)).await?);
    let mut rooms = Vec::with_capacity(load.rooms);
    for _ in 0..load.rooms.max(1) {
        rooms.push(Arc::new(OpenRoom::new(&log).await?));
    }
    let writing = Arc::clone(&log);
    let rate = produce(load, move |producer| {
        let (log, room) = (Arc::clone(&writing), Arc::clone(&rooms[producer % rooms.len()]));
        async move { room.say(&log, load.body_bytes).await }
    });
    let rate = rate.await?;
    log.close().await;
    Ok(rate)
}

/// Writes the same rows with the driver, and nothing else.
///
/// # Errors
/// What the store says.
pub async fn driver_alone(settings: &CqlSettings, load: Load) -> Result<Rate, StoreError> {
    let log = Arc::new(CqlLog::open(settings, Arc::new(Nobody)).await?);
    let rooms: Vec<_> = (0..load.rooms.max(1)).map(|_| Arc::new((new_room(), AtomicU64::new(0)))).collect();
    produce(load, move |producer| {
        let (log, room) = (Arc::clone(&log), Arc::clone(&rooms[producer % rooms.len()]));
        async move {
            let seq = room.1.fetch_add(1, Ordering::Relaxed) + 1;
            let row = Row { stamp: Stamp::new(1, 1), event: Arc::new(message(room.0, seq, load.body_bytes)) };
            let begun = Instant::now();
            // As the log does: what took too long is sent again, the very same.
            while let Err(error) = log.store.insert(&row).await {
                if begun.elapsed() > PATIENCE {
                    return Err(error);
                }
                tokio::time::sleep(log.store.health.pause()).await;
            }
            Ok(())
        }
    })
    .await
}

/// Forgets the keyspace.
///
/// # Errors
/// What the store says.
pub async fn forget(settings: &CqlSettings) -> Result<(), StoreError> {
    check::keyspace_name(&settings.keyspace)?;
    let session = connect(settings).await?;
    let mut statement = Statement::new(format!("DROP KEYSPACE IF EXISTS {}", settings.keyspace));
    statement.set_request_timeout(Some(SCHEMA));
    session.query_unpaged(statement, &[]).await.map_err(unavailable)?;
    Ok(())
}

async fn produce<F, W>(load: Load, write: F) -> Result<Rate, StoreError>
where
    F: Fn(usize) -> W + Clone + Send + 'static,
    W: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    let begun = Instant::now();
    let end = begun + load.time;
    let mut running: JoinSet<Result<Vec<u64>, StoreError>> = JoinSet::new();
    for producer in 0..load.producers {
        let write = write.clone();
        running.spawn(async move {
            let mut waits = Vec::new();
            while Instant::now() < end {
                let begun = Instant::now();
                write(producer).await?;
                waits.push(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
            }
            Ok(waits)
        });
    }
    let mut waits_micros = Vec::new();
    while let Some(produced) = running.join_next().await {
        waits_micros.append(&mut produced.map_err(unavailable)??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    waits_micros.sort_unstable();
    Ok(Rate { events: waits_micros.len() as u64, seconds, waits_micros })
}

fn new_room() -> RoomId {
    RoomId(Uuid::now_v7())
}

fn message(room: RoomId, seq: Seq, body_bytes: usize) -> Event {
    let content = Content::Message {
        body: "x".repeat(body_bytes),
        reply_to: None,
        mentions: Vec::new(),
        attachments: Vec::new(),
    };
    let client_id = ClientId(Uuid::now_v7());
    Event { room, seq, at: Millis(0), sender: UserId(room.0), client_id, messages: seq, content }
}

/// A room that is awake and that producers share.
struct OpenRoom {
    id: RoomId,
    stamp: Stamp,
    /// The last number; held while an event is given to the log, so that the order is that of the numbers.
    last: Mutex<Seq>,
}

impl OpenRoom {
    async fn new(log: &CqlLog) -> Result<Self, StoreError> {
        // A shard for each: a second claim of one would fence the first room off.
        let id = std::iter::repeat_with(new_room).find(|id| !log.shards.contains_key(&id.shard()));
        let id = id.ok_or(StoreError::NotFound)?;
        let stamp = Stamp::new(log.claim(id.shard()).await?, 1);
        log.wake(id, stamp, 0, Vec::new()).await?;
        Ok(Self { id, stamp, last: Mutex::new(0) })
    }

    async fn say(&self, log: &CqlLog, body_bytes: usize) -> Result<(), StoreError> {
        let (reply, fate) = oneshot::channel();
        {
            let mut last = self.last.lock();
            *last += 1;
            let event = Arc::new(message(self.id, *last, body_bytes));
            log.append(Append { stamp: self.stamp, event, reply: Arc::new(Waiting(Mutex::new(Some(reply)))) });
        }
        fate.await.map_err(unavailable)?
    }
}

/// One producer that waits.
struct Waiting(Mutex<Option<oneshot::Sender<Result<(), StoreError>>>>);

impl Appended for Waiting {
    fn appended(&self, _seqs: RangeInclusive<Seq>, fate: &Result<(), StoreError>) {
        if let Some(waiting) = self.0.lock().take() {
            // A producer that went away needs no answer.
            let _ = waiting.send(fate.clone());
        }
    }
}

/// Follows nothing.
struct Nobody;

impl Follow for Nobody {
    fn apply(&self, _room: RoomId, run: Run) -> Answer<'_, Seq> {
        Box::pin(std::future::ready(Ok(run.upto)))
    }

    fn committed(&self, _head: PublishedHead) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::cql::scratch;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_producer_gets_somewhere() {
        // A keyspace of its own: it takes whichever shards it wants.
        let mut settings = scratch::settings("reference").await;
        settings.keyspace = format!("test_{}", Uuid::now_v7().simple());
        let load = Load { producers: 256, rooms: 64, body_bytes: 128, time: Duration::from_secs(1) };
        let driver = driver_alone(&settings, load).await.unwrap();
        let log = log_alone(&settings, load).await.unwrap();
        for rate in [&driver, &log] {
            assert!(rate.events >= 256 && rate.seconds >= 1.0, "{} events", rate.events);
            assert!(rate.waits_micros.is_sorted() && rate.waits_micros.last() > Some(&0));
        }
        let per_second = |rate: &Rate| rate.events as f64 / rate.seconds;
        forget(&settings).await.unwrap();
        println!("driver {:.0}/s, log {:.0}/s", per_second(&driver), per_second(&log));
    }
}
