//! A large room whose batches come faster than they can be written out rests between two of them, so that more of them
//! share one write: a write costs the same whatever is in it.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use rookery_core::ids::RoomId;

use super::{
    Hub,
    inbox::{Batch, Inbox, Item},
    run::Run,
};

/// The longest rest: what it may add to the delay of a message in a room that is busy.
const LONGEST: Duration = Duration::from_millis(4);
/// The shortest; clocks of runtimes count whole milliseconds.
const SHORTEST: Duration = Duration::from_millis(1);

impl Hub {
    /// Whether batches of a room are held back at the moment.
    pub(super) fn rests(&self, room: RoomId) -> bool {
        self.state.borrow().resting.contains_key(&room)
    }

    /// Keeps the batches of rooms that rest; answers the others.
    pub(super) fn hold(&self, batches: Vec<Batch>) -> Vec<Batch> {
        let resting = &mut self.state.borrow_mut().resting;
        if resting.is_empty() {
            return batches;
        }
        let mut others = Vec::with_capacity(batches.len());
        for batch in batches {
            match resting.get_mut(&batch.room) {
                Some(held) => held.push(batch),
                None => others.push(batch),
            }
        }
        others
    }

    /// A batch was written out, which took since `begun`. If the next one waits already, the room rests for half of that.
    pub(super) fn rest(self: &Rc<Self>, room: RoomId, begun: Instant, inbox: &Inbox) {
        let pause = (begun.elapsed() / 2).min(LONGEST);
        if pause < SHORTEST || self.is_draining() || !inbox.has_batch(room) {
            return;
        }
        self.state.borrow_mut().resting.insert(room, Vec::new());
        let hub = Rc::clone(self);
        actix_rt::spawn(async move {
            actix_rt::time::sleep(pause).await;
            hub.router.to_hub(hub.index, Item::Rested(room));
        });
    }

    /// What was held back of a room, joined; it rests no more.
    pub(super) fn rested(&self, room: RoomId) -> Vec<Batch> {
        let held = self.state.borrow_mut().resting.remove(&room).unwrap_or_default();
        joined(held)
    }

    /// What was held back of every room, joined; none rests any more.
    pub(super) fn all_rested(&self) -> Vec<Batch> {
        let resting = std::mem::take(&mut self.state.borrow_mut().resting);
        joined(resting.into_values().flatten().collect())
    }
}

fn joined(held: Vec<Batch>) -> Vec<Batch> {
    let mut run = Run::default();
    held.into_iter().for_each(|batch| run.add(batch));
    run.end()
}
