//! What the shell keeps of one room that is awake, or on the way.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use rookery_core::{
    event::Event,
    ids::{ClientId, Seq, UserId},
    shard::Stamp,
    time::Millis,
};

use super::{settle::Step, waking::Wake};
use crate::store::{
    StoreError,
    cql::{Shown, failure::unavailable, write::Key},
    log::Appended,
};

/// How long the oldest write of a room may be under way until new ones are refused: what is under way stays unknown, and
/// more of that helps nobody.
const STUCK: Duration = Duration::from_millis(1_500);

/// How far a room is.
pub(super) enum Phase {
    /// The fence finds out what is in the log.
    Waking(Wake),
    /// The events that the room began with are written.
    Beginning(Wake),
    /// Appends are taken.
    Open,
    /// No appends are taken any more; what is under way is waited for. Then another wake follows.
    Leaving {
        /// Its stamp.
        stamp: Stamp,
        /// It.
        next: Wake,
    },
}

/// An event whose fate nobody was told.
pub(super) struct Unsettled {
    pub(super) event: Arc<Event>,
    /// Nobody, where the store itself wrote it.
    pub(super) reply: Option<Arc<dyn Appended>>,
    pub(super) since: Instant,
}

/// The room.
pub(super) struct Room {
    pub(super) stamp: Stamp,
    pub(super) phase: Phase,
    /// Sent, and not committed yet.
    pub(super) unsettled: VecDeque<Unsettled>,
    /// Committed, with what follows from it still to be done; in order.
    pub(super) steps: VecDeque<Step>,
    pub(super) in_steps: usize,
    pub(super) working: bool,
    /// Where the writes are that are noted nowhere yet, by key and by number.
    pub(super) keys: HashMap<(UserId, ClientId), Seq>,
    pub(super) unnoted: VecDeque<Key>,
    /// The head that the fence wants published; and whether one is being published.
    pub(super) to_publish: Option<Seq>,
    pub(super) publishing: bool,
    /// Up to here everything that follows is done.
    pub(super) shown: Shown,
    /// When its last event was.
    pub(super) at: Millis,
    /// Up to here the projection is applied.
    pub(super) applied: Seq,
    /// Ends when the room does, and with it what is tried again and again for it.
    pub(super) alive: Arc<AtomicBool>,
}

impl Room {
    pub(super) fn new(stamp: Stamp, wake: Wake) -> Self {
        Self {
            stamp,
            applied: wake.applied,
            phase: Phase::Waking(wake),
            unsettled: VecDeque::new(),
            steps: VecDeque::new(),
            in_steps: 0,
            working: false,
            keys: HashMap::new(),
            unnoted: VecDeque::new(),
            to_publish: None,
            publishing: false,
            shown: Shown { head: 0, messages: 0 },
            at: Millis(0),
            alive: Arc::new(AtomicBool::new(true)),
        }
    }

    /// The last number that was given to the fence.
    pub(super) fn last(&self) -> Seq {
        self.shown.head + (self.in_steps + self.unsettled.len()) as Seq
    }

    /// Whether nothing is under way.
    pub(super) fn is_at_rest(&self) -> bool {
        self.unsettled.is_empty() && self.steps.is_empty() && !self.working
    }

    /// Whether one more event may be under way.
    pub(super) fn has_place(&self, bound: usize) -> Result<(), StoreError> {
        if self.unsettled.len() + self.in_steps >= bound {
            return Err(unavailable("too much of this room waits to be written"));
        }
        let oldest = self.steps.front().and_then(|step| step.events.first()).or(self.unsettled.front());
        match oldest {
            Some(oldest) if oldest.since.elapsed() > STUCK => Err(unavailable("the CQL servers do not answer")),
            _ => Ok(()),
        }
    }

    /// Forgets the keys that are noted now.
    pub(super) fn noted(&mut self, head: Seq) {
        while let Some((_, sender, client_id)) = self.unnoted.pop_front_if(|(seq, _, _)| *seq <= head) {
            self.keys.remove(&(sender, client_id));
        }
    }

    /// It is over: who waits is told that nobody knows.
    pub(super) fn end(mut self, waiting: &AtomicUsize) {
        self.alive.store(false, Ordering::Release);
        let steps = self.steps.drain(..).flat_map(|step| step.events);
        tell(steps.chain(self.unsettled.drain(..)), &Err(StoreError::Fenced), waiting);
        match self.phase {
            // Who asked may have gone.
            Phase::Waking(wake) | Phase::Beginning(wake) | Phase::Leaving { next: wake, .. } => {
                let _ = wake.reply.send(Err(StoreError::Fenced));
            }
            Phase::Open => {}
        }
    }
}

/// Tells what became of events, in order, those of one asker that follow each other at once.
pub(super) fn tell(events: impl IntoIterator<Item = Unsettled>, fate: &Result<(), StoreError>, waiting: &AtomicUsize) {
    let mut run: Option<(Arc<dyn Appended>, Seq, Seq)> = None;
    let close = |run: Option<(Arc<dyn Appended>, Seq, Seq)>| {
        if let Some((reply, first, last)) = run {
            waiting.fetch_sub(usize::try_from(last - first + 1).unwrap_or(0), Ordering::AcqRel);
            reply.appended(first..=last, fate);
        }
    };
    for Unsettled { event, reply, .. } in events {
        let Some(reply) = reply else { continue };
        match &mut run {
            Some((same, _, last))
                if *last + 1 == event.seq && std::ptr::addr_eq(Arc::as_ptr(same), Arc::as_ptr(&reply)) =>
            {
                *last = event.seq;
            }
            _ => close(run.replace((reply, event.seq, event.seq))),
        }
    }
    close(run);
}
