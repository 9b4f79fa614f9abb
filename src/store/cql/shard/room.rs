//! What the shell keeps of one room that is awake, or on the way.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use rookery_core::{event::Event, ids::Seq, shard::Stamp, time::Millis};

use super::{keys::Keys, settle::Step, waking::Wake};
use crate::store::{
    StoreError,
    cql::{
        Shown,
        failure::unavailable,
        write::{Columns, is_full, together},
    },
    log::Appended,
};

/// How long the oldest write of a room may be under way until new ones are refused: what is under way stays unknown, and
/// more of that helps nobody.
const STUCK: Duration = Duration::from_millis(1_500);
/// Writes of one room that may be under way at one time.
const WRITES: usize = 8;

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
    /// Rows that wait for the write before them, and how many writes are under way.
    pub(super) rows: VecDeque<Columns>,
    pub(super) writing: usize,
    /// Sent, and not committed yet.
    pub(super) unsettled: VecDeque<Unsettled>,
    /// Committed, with what follows from it still to be done; in order.
    pub(super) steps: VecDeque<Step>,
    pub(super) in_steps: usize,
    pub(super) working: bool,
    /// Where the writes are that are noted nowhere yet.
    pub(super) keys: Keys,
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
            rows: VecDeque::new(),
            writing: 0,
            unsettled: VecDeque::new(),
            steps: VecDeque::new(),
            in_steps: 0,
            working: false,
            keys: Keys::default(),
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

    /// The rows of the next write, if there is to be one now: those that come while one is under way go together in the
    /// next. None of them could be committed before that one is anyway, and one write of many costs the servers little more
    /// than one of one.
    pub(super) fn next_write(&mut self) -> Option<Vec<Columns>> {
        let now = if self.writing == 0 { !self.rows.is_empty() } else { self.writing < WRITES && is_full(&self.rows) };
        now.then(|| {
            self.writing += 1;
            together(&mut self.rows)
        })
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

    /// When its head should be published, if it is not and nobody is about to.
    pub(super) fn rests_at(&self) -> Option<Instant> {
        self.keys.due().filter(|_| !self.publishing)
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

#[cfg(test)]
mod tests {
    use rookery_core::{
        event::Content,
        fence::Row,
        ids::{ClientId, RoomId, ShardId, UserId},
    };
    use tokio::sync::oneshot;
    use uuid::Uuid;

    use super::*;
    use crate::store::cql::write::columns;

    fn room() -> Room {
        let wake = Wake { applied: 0, beginning: VecDeque::new(), reply: oneshot::channel().0 };
        Room::new(Stamp::new(1, 1), wake)
    }

    fn say(room: &mut Room, seqs: std::ops::RangeInclusive<Seq>) {
        for seq in seqs {
            let content = Content::Message {
                body: "x".to_owned(),
                reply_to: None,
                mentions: Vec::new(),
                attachments: Vec::new(),
            };
            let (sender, client_id) = (UserId(Uuid::nil()), ClientId(Uuid::from_u128(u128::from(seq))));
            let of = RoomId(Uuid::from_u128(u128::from(ShardId(1).0)));
            let event = Event { room: of, seq, at: Millis(0), sender, client_id, messages: seq, content };
            room.rows.push_back(columns(&Row { stamp: room.stamp, event: Arc::new(event) }));
        }
    }

    fn next(room: &mut Room) -> Option<Vec<i64>> {
        room.next_write().map(|rows| rows.iter().map(|row| row.2).collect())
    }

    #[test]
    fn rows_that_come_while_a_write_is_under_way_go_together_in_the_next() {
        let mut room = room();
        assert_eq!(next(&mut room), None);
        say(&mut room, 1..=1);
        assert_eq!(next(&mut room), Some(vec![1]), "who is alone does not wait");
        say(&mut room, 2..=4);
        assert_eq!(next(&mut room), None, "as long as one is under way");
        room.writing -= 1;
        assert_eq!(next(&mut room), Some(vec![2, 3, 4]));
        room.writing -= 1;
        assert_eq!(next(&mut room), None);
    }

    #[test]
    fn a_full_write_does_not_wait_and_there_is_a_bound() {
        let mut room = room();
        say(&mut room, 1..=1_000);
        let sizes: Vec<usize> = std::iter::from_fn(|| next(&mut room)).map(|rows| rows.len()).collect();
        assert_eq!(sizes, [64; WRITES]);
        assert_eq!(room.rows.len(), 1_000 - 64 * WRITES);
    }
}
