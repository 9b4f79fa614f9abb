//! Marks: kept at or below what is verified, and counted in the log.

use futures_util::{StreamExt, TryStreamExt, stream};

use super::ClusterStore;
use crate::store::{Projection, StoreError, log::Marks, projection::CountedMarks};

/// Marks that are counted at one time.
const AT_ONCE: usize = 16;

impl ClusterStore {
    pub(super) async fn move_marks(&self, marks: Vec<Marks>) -> Result<Vec<Option<Marks>>, StoreError> {
        let counting: Vec<_> = marks.into_iter().map(|marks| self.count(marks)).collect();
        let counted = stream::iter(counting).buffered(AT_ONCE).try_collect().await?;
        Projection::mark(&*self.directory, counted).await
    }

    /// How many messages there were up to where somebody has read.
    async fn count(&self, marks: Marks) -> Result<CountedMarks, StoreError> {
        let shown = self.log.shown(marks.room);
        let head = match shown {
            Some((head, _)) => head,
            None => self.verified_head(marks.room).await?,
        };
        let marks = Marks { read: marks.read.min(head), delivered: marks.delivered.min(head), ..marks };
        let read_messages = match shown {
            Some((head, messages)) if head == marks.read => messages,
            _ if marks.read == 0 => 0,
            // A room that never woke has no messages, and nothing in the log yet.
            _ => self.log.event(marks.room, marks.read).await?.map_or(0, |event| event.messages),
        };
        Ok(CountedMarks { marks, read_messages })
    }
}
