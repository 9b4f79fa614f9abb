//! What follows the logs elsewhere, as they are committed.

use rookery_core::ids::{RoomId, Seq};

use crate::store::{
    Answer,
    projection::{PublishedHead, Run},
};

/// Follows the logs of the rooms that are awake here.
pub trait Follow: Send + Sync {
    /// Applies what members and room events change, before anybody is told of them; as `Projection::apply`.
    fn apply(&self, room: RoomId, run: Run) -> Answer<'_, Seq>;

    /// A room is so far. Must not wait.
    fn committed(&self, head: PublishedHead);
}
