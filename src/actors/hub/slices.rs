//! Large rooms are written out in slices, so that between two of them other sockets are read and small rooms have their turn.

use std::{rc::Rc, time::Instant};

use rookery_core::ids::RoomId;

use super::{
    Hub,
    inbox::{Batch, Inbox},
};

/// Followers that are served without a pause: about a fifth of a millisecond's worth of writes.
const SLICE: usize = 32;

impl Hub {
    /// Delivers batches of different rooms: small rooms at once, then the large ones in slices.
    pub(super) async fn deliver_all(self: &Rc<Self>, batches: Vec<Batch>, inbox: &Inbox) {
        let batches = self.hold(batches).into_iter();
        let (large, small): (Vec<Batch>, Vec<Batch>) = batches.partition(|batch| self.is_large(batch));
        for batch in &small {
            self.guard(|| self.deliver(batch));
        }
        for batch in &large {
            self.deliver_in_slices(batch, inbox).await;
        }
    }

    /// Whether a batch goes to so many that others would wait for it.
    fn is_large(&self, batch: &Batch) -> bool {
        let state = self.state.borrow();
        let followers = state.rooms.get(&batch.room).map_or(0, |room| room.members.len());
        followers > SLICE
    }

    async fn deliver_in_slices(self: &Rc<Self>, batch: &Batch, inbox: &Inbox) {
        if !batch.removed.is_empty() {
            // Somebody leaves the room behind one of the events: nobody may slip in between.
            return self.guard(|| self.deliver(batch));
        }
        let (begun, events) = (Instant::now(), (batch.frames.first, batch.frames.last));
        self.guard(|| self.answer_authors(batch, events.0, events.1));
        let mut from = 0;
        let mut any = true;
        while any {
            any = false;
            self.guard(|| any = self.deliver_to(batch, events, from..from + SLICE));
            from += SLICE;
            tokio::task::yield_now().await;
            for quick in inbox.take_batches(|other| self.may_pass(other, batch.room)) {
                self.guard(|| self.deliver(&quick));
            }
        }
        // Followers change places when one of them goes: whoever was passed over is served now, the others have it.
        self.guard(|| {
            self.deliver_to(batch, events, 0..usize::MAX);
        });
        self.rest(batch.room, begun, inbox);
    }

    /// Whether a batch may go out while a large room is being written to.
    fn may_pass(&self, batch: &Batch, large: RoomId) -> bool {
        batch.room != large && !self.is_large(batch) && !self.rests(batch.room)
    }
}
