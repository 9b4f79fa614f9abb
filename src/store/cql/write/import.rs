//! Writing logs that were kept elsewhere, while nobody owns anything here.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{StreamExt, TryStreamExt, stream};
use rookery_core::{
    event::Event,
    fence::Row,
    ids::{RoomId, Seq},
    shard::Stamp,
};
use uuid::Uuid;

use super::{
    super::{CqlLog, failure::unavailable, statements::first},
    Key, leaves_a_trace,
};
use crate::store::StoreError;

/// Who wrote what was brought: an activation of the epoch before the first, which nobody ever owns. So every owner to come
/// is newer: what it rewrites, erases or cuts off wins.
const BROUGHT: Stamp = Stamp::new(0, 1);
/// Messages at one time that something is laid over.
const TARGETS: usize = 32;

impl CqlLog {
    /// Whether no shard was ever claimed here.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn is_unowned(&self) -> Result<bool, StoreError> {
        let answer = self.store.session.query_unpaged("SELECT epoch FROM shards LIMIT 1", ()).await;
        Ok(first::<(i64,)>(answer.map_err(unavailable)?)?.is_none())
    }

    /// Whether no room was ever published here.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn is_empty(&self) -> Result<bool, StoreError> {
        let answer = self.store.session.query_unpaged("SELECT room FROM heads LIMIT 1", ()).await;
        Ok(first::<(Uuid,)>(answer.map_err(unavailable)?)?.is_none())
    }

    /// Writes the part of a room's log that follows on its published head, with all that follows from it, and publishes the
    /// end of it as the new head. May be done again, also after only some of it was done.
    ///
    /// The rows need no rewrite by later owners: they are at or below a head before anybody looks.
    ///
    /// # Errors
    /// `Unavailable`: the head stands where it stood.
    pub async fn bring(&self, room: RoomId, events: Vec<Event>) -> Result<(), StoreError> {
        let Some(head) = events.last().map(|event| event.seq) else { return Ok(()) };
        let rows: Vec<Row> = events.into_iter().map(|event| Row { stamp: BROUGHT, event: Arc::new(event) }).collect();
        self.store.rewrite(&rows).await?;
        // In the order of the log for each message; of different ones nothing depends on each other.
        let mut over: BTreeMap<Seq, Vec<&Event>> = BTreeMap::new();
        for event in rows.iter().map(|row| &*row.event).filter(|event| leaves_a_trace(event)) {
            if let Some(target) = event.content.target() {
                over.entry(target).or_default().push(event);
            }
        }
        let laying: Vec<_> = over.into_values().map(|events| self.lay_all(events)).collect();
        stream::iter(laying).buffer_unordered(TARGETS).try_collect::<()>().await?;
        let key = |row: &Row| -> Key { (row.seq(), row.event.sender, row.event.client_id) };
        self.store.publish(room, head, rows.iter().map(key).collect()).await
    }

    async fn lay_all(&self, events: Vec<&Event>) -> Result<(), StoreError> {
        for event in events {
            self.store.lay_over(event).await?;
        }
        Ok(())
    }
}
