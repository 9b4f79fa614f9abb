//! The logs of the rooms: from SQLite into CQL, room by room, and what both come to.

use futures_util::{StreamExt, TryStreamExt, stream};
use rookery_core::ids::{RoomId, Seq};
use sha2::{Digest as _, Sha256};

use super::{
    MoveError, Part, Progress,
    sum::{EVENTS, LogSum},
};
use crate::store::{MessageLog, StoreError, cql::CqlLog, sql::SqliteStore};

/// What the events of all rooms are called in an inventory.
const NAME: &str = "events";
/// Rooms at one time.
const ROOMS: usize = 8;

pub(super) async fn inventory(source: &SqliteStore, progress: &dyn Progress) -> Result<Part, StoreError> {
    progress.begin("reading events", source.count_of(NAME).await?);
    let (mut all, mut count, mut after) = (Sha256::new(), 0, None);
    loop {
        let rooms = source.logs(after).await?;
        let Some((last, _)) = rooms.last() else { break };
        after = Some(*last);
        let summing: Vec<_> = rooms.iter().map(|(room, head)| of_source(source, *room, *head, progress)).collect();
        let sums: Vec<LogSum> = stream::iter(summing).buffered(ROOMS).try_collect().await?;
        for (sum, (room, head)) in sums.into_iter().zip(rooms) {
            count += head;
            all.update(room.0);
            all.update(sum.finish());
        }
    }
    Ok(Part { name: NAME, count, sum: all.finalize().into() })
}

/// A head is published only above what is there with all that follows from it, so it says where to go on.
pub(super) async fn copy(
    source: &SqliteStore,
    target: &CqlLog,
    inventory: &[Part],
    progress: &dyn Progress,
) -> Result<(), MoveError> {
    progress.begin("moving events", total(inventory));
    let mut after = None;
    loop {
        let rooms = source.logs(after).await?;
        let Some((last, _)) = rooms.last() else { return Ok(()) };
        after = Some(*last);
        let moving: Vec<_> =
            rooms.into_iter().map(|(room, head)| copy_room(source, target, room, head, progress)).collect();
        stream::iter(moving).buffer_unordered(ROOMS).try_collect::<()>().await?;
    }
}

async fn copy_room(
    source: &SqliteStore,
    target: &CqlLog,
    room: RoomId,
    head: Seq,
    progress: &dyn Progress,
) -> Result<(), StoreError> {
    let mut at = target.stored_head(room).await?.min(head);
    progress.done(at);
    while at < head {
        let events = source.events(room, at, EVENTS).await?;
        let Some(last) = events.last().map(|event| event.seq) else {
            return Err(StoreError::Corrupt(format!("the log of room {room} ends at {at} and not at {head}")));
        };
        let amount = events.len() as u64;
        target.bring(room, events).await?;
        progress.done(amount);
        at = last;
    }
    Ok(())
}

pub(super) async fn compare(
    source: &SqliteStore,
    target: &CqlLog,
    inventory: &[Part],
    progress: &dyn Progress,
) -> Result<(), MoveError> {
    progress.begin("comparing events", total(inventory));
    let mut after = None;
    loop {
        let rooms = source.logs(after).await?;
        let Some((last, _)) = rooms.last() else { return Ok(()) };
        after = Some(*last);
        let comparing: Vec<_> =
            rooms.into_iter().map(|(room, head)| compare_room(source, target, room, head, progress)).collect();
        stream::iter(comparing).buffer_unordered(ROOMS).try_collect::<()>().await?;
    }
}

async fn compare_room(
    source: &SqliteStore,
    target: &CqlLog,
    room: RoomId,
    head: Seq,
    progress: &dyn Progress,
) -> Result<(), MoveError> {
    let there = target.stored_head(room).await?;
    let differs = || MoveError::Differs(format!("the log of room {room}"));
    if there != head {
        return Err(differs());
    }
    let is = match of_target(target, room, head, progress).await {
        // A hole.
        Err(StoreError::Corrupt(_)) => return Err(differs()),
        is => is?,
    };
    let quiet = super::sum::Quiet;
    let was = of_source(source, room, head, &quiet).await?;
    if was.finish() == is.finish() { Ok(()) } else { Err(differs()) }
}

/// What a room's log and the present state of its messages come to in the embedded store.
async fn of_source(
    source: &SqliteStore,
    room: RoomId,
    head: Seq,
    progress: &dyn Progress,
) -> Result<LogSum, StoreError> {
    let mut sum = LogSum::default();
    let mut at = 0;
    while at < head {
        let events = source.events(room, at, EVENTS).await?;
        at = sum.events(&events, at, head)?;
        progress.done(events.len() as u64);
    }
    let mut after = Some(0);
    while let Some(from) = after {
        let messages = source.messages(room, LogSum::window(from), 1, EVENTS, LogSum::viewer()).await?;
        for message in &messages {
            let reactions = match &*message.reactions {
                [] => Vec::new(),
                _ => source.reactions(room, message.seq).await?,
            };
            sum.message(message, &reactions);
        }
        after = LogSum::next(&messages);
    }
    Ok(sum)
}

/// The same in the cluster's, read the way that nodes read.
async fn of_target(target: &CqlLog, room: RoomId, head: Seq, progress: &dyn Progress) -> Result<LogSum, StoreError> {
    let mut sum = LogSum::default();
    let mut at = 0;
    while at < head {
        let events = target.events(room, at, head, EVENTS).await?;
        let events: Vec<_> = events.iter().map(|event| (**event).clone()).collect();
        at = sum.events(&events, at, head)?;
        progress.done(events.len() as u64);
    }
    let mut after = Some(0);
    while let Some(from) = after {
        let messages = target.messages(room, LogSum::window(from), (1, head), EVENTS, LogSum::viewer()).await?;
        for message in &messages {
            let reactions = match &*message.reactions {
                [] => Vec::new(),
                _ => target.reactions(room, message.seq).await?,
            };
            sum.message(message, &reactions);
        }
        after = LogSum::next(&messages);
    }
    Ok(sum)
}

fn total(inventory: &[Part]) -> u64 {
    inventory.iter().find(|part| part.name == NAME).map_or(0, |part| part.count)
}
