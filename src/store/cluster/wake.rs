//! Waking a room: what the directory knows of it, then its log, then both as they stand together.

use std::sync::Arc;

use rookery_core::{
    ids::{RoomId, Seq},
    room::{RECENT, Snapshot},
    shard::Stamp,
};

use super::ClusterStore;
use crate::store::{Projection, StoreError, projection::Standing};

impl ClusterStore {
    pub(super) async fn snapshot(&self, room: RoomId, stamp: Stamp) -> Result<Option<Snapshot>, StoreError> {
        let Some(mut standing) = self.directory.standing(room).await? else { return Ok(None) };
        let (applied, beginning) = (standing.applied, std::mem::take(&mut standing.beginning));
        let woken = self.log.wake(room, stamp, applied, beginning).await?;
        if woken.applied != applied {
            // The log knew more than the directory did, or what was under way has changed it since.
            standing = self.directory.standing(room).await?.ok_or(StoreError::NotFound)?;
        }
        let recent = woken.head.saturating_sub(RECENT as Seq);
        let recent = self.log.events(room, recent, woken.head, RECENT).await?;
        let Standing { kind, visibility, archived, deleted, members, banned, blocking, .. } = standing;
        Ok(Some(Snapshot {
            room,
            kind,
            visibility,
            archived,
            deleted,
            members,
            banned,
            blocking,
            head: woken.head,
            messages: woken.messages,
            recent: recent.into_iter().map(Arc::unwrap_or_clone).collect(),
        }))
    }
}
