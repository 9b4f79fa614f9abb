//! How fast the store alone is: producers that append and wait, with nothing around them. The limit for the whole server.

use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rookery_core::{
    event::{Content, Event, MemberChange, Role, RoomKind, Visibility},
    ids::{ClientId, RoomId, Seq, ShardId, UserId},
    shard::{Epoch, Stamp},
    time::Millis,
};
use tokio::{sync::oneshot, task::JoinSet};
use uuid::Uuid;

use super::{SqliteSettings, SqliteStore};
use crate::store::{
    Directory, MessageLog, StoreError,
    log::{Append, Appended},
    record::{NewRoom, RoomRecord},
};

/// What was measured.
#[derive(Clone, Debug)]
pub struct GroupCommit {
    /// Durable events.
    pub events: u64,
    /// Seconds that it took.
    pub seconds: f64,
    /// How long each event took to be durable, in microseconds; ascending.
    pub waits_micros: Vec<u64>,
}

/// How the store is loaded.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Producers; each appends again as soon as its last event is durable.
    pub producers: usize,
    /// Rooms that they share.
    pub rooms: usize,
    /// Bytes of each body.
    pub body_bytes: usize,
    /// For how long.
    pub time: Duration,
}

/// A room that producers share; it numbers their events.
struct Room {
    id: RoomId,
    stamp: Stamp,
    /// The last number; held while an event is given to the store, so that the order is that of the numbers.
    last: Mutex<Seq>,
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

/// Lets producers append messages to a store in this folder, through the store's own door and without any server.
///
/// # Errors
/// What the store says.
pub async fn group_commit(folder: &Path, load: Load) -> Result<GroupCommit, StoreError> {
    let store = SqliteStore::open(SqliteSettings::new(folder)).await?;
    let user = UserId(Uuid::now_v7());
    let mut rooms = Vec::with_capacity(load.rooms);
    let mut epochs = BTreeMap::new();
    for _ in 0..load.rooms.min(load.producers).max(1) {
        rooms.push(Arc::new(room(&store, user, &mut epochs).await?));
    }
    let begun = Instant::now();
    let end = begun + load.time;
    let mut running = JoinSet::new();
    for (_, room) in (0..load.producers).zip(rooms.iter().cycle()) {
        // One sender per room, as the sends that this is compared with have it: each pair costs a page of the index.
        let sender = UserId(room.id.0);
        running.spawn(produce(Arc::clone(&store), Arc::clone(room), sender, (end, load.body_bytes)));
    }
    let mut waits_micros: Vec<u64> = Vec::new();
    while let Some(produced) = running.join_next().await {
        let produced = produced.map_err(|error| StoreError::Unavailable(error.to_string()))??;
        waits_micros.extend(produced.iter().map(|wait| u64::try_from(wait.as_micros()).unwrap_or(u64::MAX)));
    }
    let seconds = begun.elapsed().as_secs_f64();
    store.close().await;
    waits_micros.sort_unstable();
    Ok(GroupCommit { events: waits_micros.len() as u64, seconds, waits_micros })
}

async fn room(
    store: &SqliteStore,
    user: UserId,
    epochs: &mut BTreeMap<ShardId, (Epoch, u64)>,
) -> Result<Room, StoreError> {
    let id = RoomId(Uuid::now_v7());
    let record = RoomRecord {
        id,
        kind: RoomKind::Group,
        name: "reference".to_owned(),
        topic: String::new(),
        visibility: Visibility::Private,
        archived: false,
        deleted: false,
        created_at: Millis(0),
        members: 0,
        pair: None,
    };
    let joined = Content::Member { user, change: MemberChange::Joined, role: Some(Role::Owner), until: None };
    let (client_id, at) = (ClientId(Uuid::now_v7()), Millis(0));
    let first = Event { room: id, seq: 1, at, sender: user, client_id, messages: 0, content: joined };
    store.create_room(NewRoom { record, events: vec![first] }).await?;
    // Two rooms of one shard share its claim: a second one would fence the first room off.
    let (epoch, wakes) = match epochs.get(&id.shard()) {
        Some((epoch, wakes)) => (*epoch, wakes + 1),
        None => (store.claim(id.shard()).await?, 1),
    };
    epochs.insert(id.shard(), (epoch, wakes));
    let stamp = Stamp::new(epoch, wakes);
    store.wake(id, stamp).await?.ok_or(StoreError::NotFound)?;
    Ok(Room { id, stamp, last: Mutex::new(1) })
}

async fn produce(
    store: Arc<SqliteStore>,
    room: Arc<Room>,
    sender: UserId,
    (end, body_bytes): (Instant, usize),
) -> Result<Vec<Duration>, StoreError> {
    let mut waits = Vec::new();
    let body = "x".repeat(body_bytes);
    while Instant::now() < end {
        let (reply, fate) = oneshot::channel();
        let content =
            Content::Message { body: body.clone(), reply_to: None, mentions: Vec::new(), attachments: Vec::new() };
        let client_id = ClientId(Uuid::now_v7());
        let begun = Instant::now();
        {
            let mut last = room.last.lock();
            *last += 1;
            let (seq, messages) = (*last, *last - 1);
            let event = Event { room: room.id, seq, at: Millis(0), sender, client_id, messages, content };
            let reply = Arc::new(Waiting(Mutex::new(Some(reply))));
            store.append(Append { stamp: room.stamp, event: Arc::new(event), reply });
        }
        fate.await.map_err(|_| StoreError::Unavailable("no answer".to_owned()))??;
        waits.push(begun.elapsed());
    }
    Ok(waits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn every_producer_gets_somewhere() {
        let folder = tempfile::tempdir().unwrap();
        // So many rooms that some share a shard.
        let load = Load { producers: 200, rooms: 200, body_bytes: 128, time: Duration::from_secs(1) };
        let figures = group_commit(folder.path(), load).await.unwrap();
        assert!(figures.events >= 200 && figures.seconds >= 1.0, "{} events", figures.events);
        assert!(figures.waits_micros.is_sorted() && figures.waits_micros.last() > Some(&0));
    }
}
