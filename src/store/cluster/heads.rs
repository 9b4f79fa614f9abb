//! How far a room is that readers may be shown.

use rookery_core::{
    event::Event,
    ids::{ClientId, RoomId, Seq, UserId},
    time::Millis,
};

use super::ClusterStore;
use crate::store::{Answer, Projection, StoreError};

/// Knows the verified heads of rooms that are awake elsewhere.
///
/// An older one is as true as the newest, only shorter; one that is not verified must never be given: what stands above may
/// be replaced.
pub trait Heads: Send + Sync {
    /// Whether a room should live on this node.
    fn is_here(&self, room: RoomId) -> bool;
    /// The last verified event of a room, as its owner has it.
    fn head(&self, room: RoomId) -> Answer<'_, Seq>;

    /// Where a write of a room that is not awake here went, as its owner says, who is certain of being that.
    fn outcome(&self, room: RoomId, sender: UserId, client_id: ClientId) -> Answer<'_, Option<(Seq, Millis)>>;
}

impl ClusterStore {
    /// Up to which event a room may be shown: as it is if it is awake where it should live and that is here, as its owner
    /// says, or as is known. A room that lives elsewhere now may be awake here still, and behind.
    pub(super) async fn verified_head(&self, room: RoomId) -> Result<Seq, StoreError> {
        let (shown, heads) = (self.log.shown(room).map(|(head, _)| head), self.heads.get());
        if let Some(head) = shown.filter(|_| heads.is_none_or(|heads| heads.is_here(room))) {
            return Ok(head);
        }
        if let Some(heads) = heads {
            match heads.head(room).await {
                Ok(head) => return Ok(head),
                Err(error) => tracing::debug!(%room, %error, "the owner of a room does not say how far it is"),
            }
        }
        let published = self.published_head(room).await?;
        Ok(shown.map_or(published, |head| head.max(published)))
    }

    /// As was last published; for a room that never woke, what it began with.
    pub(super) async fn published_head(&self, room: RoomId) -> Result<Seq, StoreError> {
        let head = self.log.stored_head(room).await?;
        if head > 0 {
            return Ok(head);
        }
        let Some(standing) = self.directory.standing(room).await? else { return Ok(0) };
        Ok(standing.beginning.last().map_or(standing.head, |last| last.seq))
    }

    /// What a room began with, if it may not be in the log yet.
    pub(super) async fn beginning(&self, room: RoomId) -> Result<Vec<Event>, StoreError> {
        Ok(self.directory.standing(room).await?.map(|standing| standing.beginning).unwrap_or_default())
    }
}
