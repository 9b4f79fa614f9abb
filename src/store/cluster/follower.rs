//! What the directory is told of the logs: changes at once, heads in batches.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use parking_lot::Mutex;
use rookery_core::ids::{RoomId, Seq};
use tokio::sync::Notify;

use crate::store::{
    Answer, Projection, StoreError,
    cql::Follow,
    projection::{PublishedHead, Run},
    sql::PostgresStore,
};

/// How long a head waits for others.
const LINGER: Duration = Duration::from_millis(200);
/// How long to wait after PostgreSQL did not take them.
const AGAIN: Duration = Duration::from_secs(1);
/// Heads in one statement.
const BATCH: usize = 1_000;

/// Follows the logs of the rooms that are awake here.
pub(super) struct Follower {
    directory: Arc<PostgresStore>,
    /// The newest head of each room that has moved since they were last published: one per room, however fast it goes.
    heads: Mutex<HashMap<RoomId, PublishedHead>>,
    moved: Arc<Notify>,
    /// One at a time, so that who waits for a flush waits for all that was noted before.
    flushing: tokio::sync::Mutex<()>,
}

impl Follower {
    pub(super) fn start(directory: Arc<PostgresStore>) -> Arc<Self> {
        let moved = Arc::new(Notify::new());
        let follower = Arc::new(Self {
            directory,
            heads: Mutex::default(),
            moved: Arc::clone(&moved),
            flushing: tokio::sync::Mutex::default(),
        });
        tokio::spawn(publish(Arc::downgrade(&follower), moved));
        follower
    }

    /// Publishes what is not.
    pub(super) async fn flush(&self) -> Result<(), StoreError> {
        let _turn = self.flushing.lock().await;
        let heads: Vec<PublishedHead> = self.heads.lock().drain().map(|(_, head)| head).collect();
        for (at, batch) in heads.chunks(BATCH).enumerate() {
            if let Err(error) = self.directory.publish(batch.to_vec()).await {
                heads[at * BATCH..].iter().for_each(|head| self.note(*head));
                return Err(error);
            }
        }
        Ok(())
    }

    fn note(&self, head: PublishedHead) {
        let mut heads = self.heads.lock();
        let newest = heads.entry(head.room).or_insert(head);
        if head.head > newest.head {
            *newest = head;
        }
    }
}

impl Follow for Follower {
    fn apply(&self, room: RoomId, run: Run) -> Answer<'_, Seq> {
        self.directory.apply(room, run)
    }

    fn committed(&self, head: PublishedHead) {
        self.note(head);
        self.moved.notify_one();
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.moved.notify_one();
    }
}

/// Publishes heads for as long as somebody moves them.
async fn publish(follower: Weak<Follower>, moved: Arc<Notify>) {
    loop {
        moved.notified().await;
        tokio::time::sleep(LINGER).await;
        let Some(follower) = follower.upgrade() else { return };
        if let Err(error) = follower.flush().await {
            tracing::warn!(%error, "the newest heads of rooms could not be published; they will be");
            tokio::time::sleep(AGAIN).await;
            moved.notify_one();
        }
    }
}
