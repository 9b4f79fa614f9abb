//! Lists of rooms: the directory's, with the newest messages from the logs.

use futures_util::{StreamExt, TryStreamExt, stream};
use rookery_core::ids::UserId;

use super::ClusterStore;
use crate::store::{Page, StoreError, log::Window, record::RoomListing};

/// Rooms whose newest message is read at one time.
const AT_ONCE: usize = 16;

impl ClusterStore {
    /// The heads that this node knows are in the directory before it is asked for a list.
    pub(super) async fn publish_first(&self) {
        if let Err(error) = self.follower.flush().await {
            // The list says why, if it cannot be had either.
            tracing::debug!(%error, "the newest heads of rooms could not be published before a list");
        }
    }

    /// Adds the newest message that the member may see.
    pub(super) async fn with_message(&self, mut listing: RoomListing, user: UserId) -> Result<RoomListing, StoreError> {
        let Some(view) = &listing.view else { return Ok(listing) };
        // Not above the head that the list shows.
        let visible = (view.visible_from, listing.head);
        let newest = self.log.messages(listing.record.id, Window::Newest, visible, 1, user).await?;
        listing.last_message = newest.into_iter().next();
        Ok(listing)
    }

    pub(super) async fn with_messages(
        &self,
        page: Page<RoomListing>,
        user: UserId,
    ) -> Result<Page<RoomListing>, StoreError> {
        let filling: Vec<_> = page.items.into_iter().map(|listing| self.with_message(listing, user)).collect();
        let items = stream::iter(filling).buffered(AT_ONCE).try_collect().await?;
        Ok(Page { items, next: page.next })
    }
}
