//! Large rooms are written out in slices, so that between two of them other sockets are read and small rooms have their turn.

use std::rc::Rc;

use super::{
    Hub,
    inbox::{Batch, Inbox},
};

/// Followers that are served without a pause: about a fifth of a millisecond's worth of writes.
const SLICE: usize = 32;

impl Hub {
    /// Delivers batches of different rooms: small rooms at once, then the large ones in slices.
    pub(super) async fn deliver_all(self: &Rc<Self>, batches: Vec<Batch>, inbox: &Inbox) {
        let (large, small): (Vec<Batch>, Vec<Batch>) = batches.into_iter().partition(|batch| self.is_large(batch));
        for batch in &small {
            self.guard(|| self.deliver(batch));
        }
        for batch in &large {
            self.deliver_in_slices(batch, inbox).await;
        }
    }

    /// Whether a batch goes to so many that others would wait for it. One after which somebody has left the room is
    /// delivered in one go: nobody may slip in between.
    fn is_large(&self, batch: &Batch) -> bool {
        let state = self.state.borrow();
        let followers = state.rooms.get(&batch.room).map_or(0, |room| room.members.len());
        followers > SLICE && batch.removed.is_empty()
    }

    async fn deliver_in_slices(self: &Rc<Self>, batch: &Batch, inbox: &Inbox) {
        let events = (batch.frames.first, batch.frames.last);
        self.guard(|| self.answer_authors(batch, events.0, events.1));
        let mut from = 0;
        let mut any = true;
        while any {
            any = false;
            self.guard(|| any = self.deliver_to(batch, events, from..from + SLICE));
            from += SLICE;
            tokio::task::yield_now().await;
            for quick in inbox.take_batches(|other| other.room != batch.room && !self.is_large(other)) {
                self.guard(|| self.deliver(&quick));
            }
        }
        // Followers change places when one of them goes: whoever was passed over is served now, the others have it.
        self.guard(|| {
            self.deliver_to(batch, events, 0..usize::MAX);
        });
    }
}
