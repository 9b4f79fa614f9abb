//! How one connection follows one room: nothing twice, nothing left out, whatever arrives when.

use crate::ids::Seq;

/// The number of a question that was not asked yet.
const NOT_ASKED: u32 = 0;

/// Where a connection is in a room's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The next event that the client lacks.
    next: Seq,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Events go out as they come.
    Live,
    /// What was missed is being read under this number; events that come are left to that.
    Pulling(u32),
    /// The client read too slowly, or was told of a gap: nothing until it asks.
    Stopped,
}

/// What to do with events that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Send all of them.
    Deliver,
    /// Send those from this one on; the client has the others.
    DeliverFrom(Seq),
    /// The client has them, or will get them another way.
    Skip,
    /// Some before them did not come: read the log after this one.
    Hole {
        /// The last that the client has.
        after: Seq,
    },
}

/// What to do after a part of the log was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The room is live.
    Live,
    /// More came in the meantime: read the log after this one.
    Again {
        /// The last that the client has.
        after: Seq,
    },
}

impl Subscription {
    /// Follows a room from `next` on.
    #[must_use]
    pub const fn new(next: Seq, live: bool) -> Self {
        Self { next, state: if live { State::Live } else { State::Pulling(NOT_ASKED) } }
    }

    /// The next event that the client lacks.
    #[must_use]
    pub const fn next(&self) -> Seq {
        self.next
    }

    /// Whether events go out as they come.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        matches!(self.state, State::Live)
    }

    /// The events `first..=last` came from the room.
    pub const fn offer(&mut self, first: Seq, last: Seq) -> Offer {
        if !self.is_live() || last < self.next {
            return Offer::Skip;
        }
        if first > self.next {
            self.state = State::Pulling(NOT_ASKED);
            return Offer::Hole { after: self.next - 1 };
        }
        let from = self.next;
        self.next = last + 1;
        if first == from { Offer::Deliver } else { Offer::DeliverFrom(from) }
    }

    /// It became known that the room's head is at least this. `Some`: events are missing after that one.
    pub const fn head_is(&mut self, head: Seq) -> Option<Seq> {
        if self.is_live() && head >= self.next {
            self.state = State::Pulling(NOT_ASKED);
            return Some(self.next - 1);
        }
        None
    }

    /// Whether the answer to this question is still what is waited for.
    #[must_use]
    pub const fn waits_for(&self, ticket: u32) -> bool {
        matches!(self.state, State::Pulling(waiting) if waiting == ticket)
    }

    /// Events up to `last` were read from the log and sent; the hub has seen events up to `seen`. Only to be told what
    /// [`Subscription::waits_for`] says is waited for.
    pub const fn pulled(&mut self, last: Seq, seen: Seq) -> Progress {
        if last >= self.next {
            self.next = last + 1;
        }
        if seen >= self.next {
            return Progress::Again { after: self.next - 1 };
        }
        self.state = State::Live;
        Progress::Live
    }

    /// Nothing goes out until the client asks.
    pub const fn stop(&mut self) {
        self.state = State::Stopped;
    }

    /// What is after this one is asked for under this number.
    pub const fn restart(&mut self, after: Seq, ticket: u32) {
        self.next = after + 1;
        self.state = State::Pulling(ticket);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Batches of a log of 60 events arrive in order, some are lost; whatever was lost is read later; the client gets
        /// 1..=60, each once, in order.
        #[test]
        fn everything_once_and_in_order(sizes in proptest::collection::vec((1_u64..6, any::<bool>()), 1..60), delays in proptest::collection::vec(0_usize..3, 60)) {
            let (mut log, mut got, mut seen) = (0, Vec::new(), 0);
            let mut subscription = Subscription::new(1, true);
            let mut reading: Option<(Seq, usize)> = None;
            let mut delays = delays.into_iter().cycle();
            for (size, lost) in sizes {
                let (first, last) = (log + 1, log + size);
                log = last;
                if !lost {
                    seen = last;
                    match subscription.offer(first, last) {
                        Offer::Deliver => got.extend(first..=last),
                        Offer::DeliverFrom(from) => got.extend(from..=last),
                        Offer::Skip => {}
                        Offer::Hole { after } => reading = Some((after, delays.next().unwrap())),
                    }
                }
                reading = match reading {
                    Some((after, 0)) => {
                        got.extend(after + 1..=log);
                        match subscription.pulled(log, seen) {
                            Progress::Live => None,
                            Progress::Again { after } => Some((after, 0)),
                        }
                    }
                    Some((after, wait)) => Some((after, wait - 1)),
                    None => None,
                };
            }
            if let Some((after, _)) = reading {
                got.extend(after + 1..=log);
                let _ = subscription.pulled(log, seen);
            }
            if let Some(after) = subscription.head_is(log) {
                got.extend(after + 1..=log);
            }
            prop_assert_eq!(got, (1..=log).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_overlap_is_sent_once() {
        let mut subscription = Subscription::new(5, true);
        assert_eq!(subscription.offer(3, 6), Offer::DeliverFrom(5));
        assert_eq!(subscription.offer(3, 6), Offer::Skip);
        assert_eq!(subscription.offer(7, 7), Offer::Deliver);
    }

    #[test]
    fn who_was_stopped_gets_nothing_until_it_asks() {
        let mut subscription = Subscription::new(1, true);
        subscription.stop();
        assert_eq!(subscription.offer(1, 1), Offer::Skip);
        assert_eq!(subscription.head_is(9), None);
        assert!(!subscription.waits_for(6));
        subscription.restart(0, 7);
        assert!(subscription.waits_for(7) && !subscription.waits_for(6));
        assert_eq!(subscription.pulled(9, 9), Progress::Live);
        assert_eq!(subscription.offer(10, 10), Offer::Deliver);
    }
}
