//! The store in memory, for tests: the same promises kept by plain maps under one lock, durable for as long as it lives.

mod contacts;
mod directory;
mod listings;
mod log;
mod media;
mod people;
mod project;
mod room;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use parking_lot::Mutex;
use rookery_core::{
    ids::{DeviceId, MediaId, RoomId, Seq, ShardId, UserId},
    shard::{Epoch, Stamp},
    time::Millis,
};
use serde::{Serialize, de::DeserializeOwned};

use self::{media::Held, people::Person, room::Room};
use super::{
    Answer, Page, Range, StoreError, cursor,
    record::{AuditEntry, ContactState, Device, Remembered},
};

/// The store.
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

/// Everything there is.
#[derive(Default)]
struct State {
    epochs: BTreeMap<ShardId, Epoch>,
    /// The newest wake of each room, and the number that its next append must have.
    fences: HashMap<RoomId, (Stamp, Seq)>,
    rooms: BTreeMap<RoomId, Room>,
    people: BTreeMap<UserId, Person>,
    devices: BTreeMap<DeviceId, (Device, [u8; 32])>,
    contacts: BTreeMap<(UserId, UserId), (ContactState, Millis)>,
    blocks: BTreeSet<(UserId, UserId)>,
    kept: BTreeMap<(UserId, String), (Remembered, Millis)>,
    audit: Vec<AuditEntry>,
    media: BTreeMap<MediaId, Held>,
    media_refs: BTreeSet<(MediaId, RoomId, Seq)>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Does something at once, alone.
    fn answer<T: Send + 'static>(&self, work: impl FnOnce(&mut State) -> Result<T, StoreError>) -> Answer<'_, T> {
        let result = work(&mut self.state.lock());
        Box::pin(std::future::ready(result))
    }
}

/// The part of a list that a range asks for; `items` in their order, each place larger than the one before.
fn page<T, P>(items: Vec<(P, T)>, range: &Range, list: &str) -> Result<Page<T>, StoreError>
where
    P: Ord + Serialize + DeserializeOwned,
{
    let after: Option<P> = cursor::decode(list, range.after.as_deref())?;
    let begin = after.map_or(0, |after| items.partition_point(|(place, _)| *place <= after));
    let more = items.len() - begin > range.limit;
    let mut last = None;
    let mut part = Vec::new();
    for (place, item) in items.into_iter().skip(begin).take(range.limit) {
        last = Some(place);
        part.push(item);
    }
    let next = last.filter(|_| more).map(|place| cursor::encode(list, &place));
    Ok(Page { items: part, next })
}
