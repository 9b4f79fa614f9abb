//! Following one room without losing anything: the client's cursor and outbox as a machine without I/O.
//!
//! The rules are those of section 3 of `docs/protocol.md`. One send is under way at a time, so that lines arrive in
//! the order in which they were typed whatever happens in between.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::frames::{Ack, Event, Incoming, Nack, Outgoing, Retry};

const AGAIN: Duration = Duration::from_millis(500);

/// What the caller has to do, in this order.
#[derive(Debug)]
pub(crate) enum Step {
    /// Send this frame.
    Write(Outgoing),
    /// The next event of the room, each exactly once and in order.
    Show(Box<Event>),
    /// The first of the outbox is durable.
    Acked,
    /// A send was refused for good.
    Refused { body: String, nack: Nack },
    /// Try what was refused for now again after this long (`Follower::resend`).
    Wait(Duration),
    /// Too much was missed: page the log from the cursor (`Follower::paged`), then `Follower::caught_up`.
    Page,
    /// The server's log is shorter than what was already shown.
    Forgot,
    /// The room is live: everything that was missed has been shown.
    Live,
    /// The room is no longer ours.
    Gone,
    /// The server asks to come back later.
    Leave { after_ms: u64, reason: String },
    /// The server complains.
    Complaint { code: String, detail: String },
}

#[derive(Debug)]
struct Pending {
    client_id: String,
    body: String,
    seen: u64,
}

/// One room as a client sees it.
#[derive(Debug)]
pub(crate) struct Follower {
    room: String,
    cursor: u64,
    outbox: VecDeque<Pending>,
    under_way: bool,
    connected: bool,
    syncing: bool,
    /// The server could not read the room and sends nothing of it until it is asked to.
    unread: bool,
    acked: u64,
}

impl Follower {
    /// Follows `room`, of which everything up to `cursor` has been shown.
    pub(crate) fn new(room: &str, cursor: u64) -> Follower {
        Follower {
            room: room.to_owned(),
            cursor,
            outbox: VecDeque::new(),
            under_way: false,
            connected: false,
            syncing: false,
            unread: false,
            acked: 0,
        }
    }

    /// The highest number that was shown.
    pub(crate) fn cursor(&self) -> u64 {
        self.cursor
    }

    /// How many sends have no outcome yet.
    pub(crate) fn unsent(&self) -> usize {
        self.outbox.len()
    }

    /// Whether every send has its outcome and everything of ours that became durable has been shown.
    pub(crate) fn is_settled(&self) -> bool {
        self.outbox.is_empty() && self.cursor >= self.acked
    }

    /// The first frame of a connection.
    pub(crate) fn hello(&mut self) -> Outgoing {
        self.syncing = true;
        let cursors = BTreeMap::from([(self.room.clone(), self.cursor)]);
        Outgoing::Hello { cursors, client: concat!("rookery chat ", env!("CARGO_PKG_VERSION")).to_owned() }
    }

    /// The connection is gone; what was under way has an unknown outcome and stays in the outbox.
    pub(crate) fn lost(&mut self) {
        self.connected = false;
        self.under_way = false;
        self.syncing = false;
        self.unread = false;
    }

    /// Puts a message into the outbox, to be sent as soon as it is its turn.
    pub(crate) fn submit(&mut self, client_id: String, body: String, steps: &mut Vec<Step>) {
        self.outbox.push_back(Pending { client_id, body, seen: self.cursor });
        self.send_first(steps);
    }

    /// Sends the first of the outbox again, unchanged; and asks again for what could not be read.
    pub(crate) fn resend(&mut self, steps: &mut Vec<Step>) {
        self.read_again(steps);
        self.under_way = false;
        self.send_first(steps);
    }

    /// Takes an event that was read from the log by paging.
    pub(crate) fn paged(&mut self, event: Event, steps: &mut Vec<Step>) {
        if event.seq == self.cursor + 1 {
            self.cursor = event.seq;
            steps.push(Step::Show(Box::new(event)));
        }
    }

    /// Paging is done; the server goes on from here.
    pub(crate) fn caught_up(&mut self) -> Outgoing {
        self.syncing = true;
        Outgoing::Sync { room: self.room.clone(), after: self.cursor }
    }

    /// Takes a frame.
    pub(crate) fn receive(&mut self, frame: Incoming, steps: &mut Vec<Step>) {
        match frame {
            Incoming::Welcome(welcome) => {
                self.connected = true;
                if !welcome.rooms.iter().any(|room| room.room == self.room) {
                    steps.push(Step::Gone);
                }
                self.send_first(steps);
            }
            Incoming::Event(event) if event.room == self.room => self.event(*event, steps),
            Incoming::Ack(ack) => self.ack(&ack, steps),
            Incoming::Nack(nack) => self.nack(nack, steps),
            Incoming::Synced { room, seq } if room == self.room => {
                self.syncing = false;
                if seq > self.cursor { self.sync(steps) } else { steps.push(Step::Live) }
            }
            Incoming::Gap { room, from, to } if room == self.room => self.gap(from, to, steps),
            Incoming::Lagged { rooms } if rooms.contains_key(&self.room) => self.sync(steps),
            Incoming::Room { room, gone: true } if room == self.room => steps.push(Step::Gone),
            Incoming::Reconnect { after_ms, reason } => steps.push(Step::Leave { after_ms, reason }),
            Incoming::Error { code, detail } => {
                steps.push(Step::Complaint { code, detail: detail.unwrap_or_default() });
            }
            _ => {}
        }
    }

    /// Shows the next event, ignores what was shown, and asks again for what is missing.
    fn event(&mut self, event: Event, steps: &mut Vec<Step>) {
        if event.seq == self.cursor + 1 {
            self.cursor = event.seq;
            steps.push(Step::Show(Box::new(event)));
        } else if event.seq > self.cursor && !self.syncing {
            self.sync(steps);
        }
    }

    fn ack(&mut self, ack: &Ack, steps: &mut Vec<Step>) {
        if self.outbox.front().is_some_and(|first| first.client_id == ack.client_id) {
            self.outbox.pop_front();
            self.under_way = false;
            self.acked = self.acked.max(ack.seq);
            steps.push(Step::Acked);
            // The room answers, so it can be read.
            self.read_again(steps);
            self.send_first(steps);
        }
    }

    fn read_again(&mut self, steps: &mut Vec<Step>) {
        if std::mem::take(&mut self.unread) && self.connected {
            self.sync(steps);
        }
    }

    fn sync(&mut self, steps: &mut Vec<Step>) {
        let frame = self.caught_up();
        steps.push(Step::Write(frame));
    }

    fn gap(&mut self, from: u64, to: u64, steps: &mut Vec<Step>) {
        if from > to {
            // The server's log ends before our cursor: what follows is new, whatever its number.
            self.cursor = to;
            self.acked = self.acked.min(to);
            steps.push(Step::Forgot);
            self.sync(steps);
        } else {
            self.syncing = true;
            steps.push(Step::Page);
        }
    }

    fn nack(&mut self, nack: Nack, steps: &mut Vec<Step>) {
        let first = self.outbox.front().map(|first| first.client_id.clone());
        if nack.client_id.is_none() && nack.room.as_ref() == Some(&self.room) && nack.retry != Retry::No {
            // This answers nothing of ours: the room could not be read, and is not followed until it is synced.
            self.unread = true;
            steps.push(Step::Wait(nack.retry_after_ms.map_or(AGAIN, Duration::from_millis)));
            return;
        }
        if nack.client_id.is_none() || nack.client_id != first {
            let detail = nack.detail.unwrap_or_default();
            steps.push(Step::Complaint { code: nack.code, detail });
            return;
        }
        match nack.retry {
            Retry::No => {
                self.under_way = false;
                if let Some(Pending { body, .. }) = self.outbox.pop_front() {
                    steps.push(Step::Refused { body, nack });
                }
                self.read_again(steps);
                self.send_first(steps);
            }
            Retry::Same | Retry::Later => {
                steps.push(Step::Wait(nack.retry_after_ms.map_or(AGAIN, Duration::from_millis)));
            }
        }
    }

    fn send_first(&mut self, steps: &mut Vec<Step>) {
        if !self.connected || self.under_way {
            return;
        }
        if let Some(first) = self.outbox.front() {
            self.under_way = true;
            steps.push(Step::Write(Outgoing::Send {
                room: self.room.clone(),
                client_id: first.client_id.clone(),
                body: first.body.clone(),
                seen: first.seen,
            }));
        }
    }
}

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;
