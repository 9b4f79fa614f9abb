//! The books of a worker process: what each of its sockets has heard.

use std::sync::Arc;

use tokio::sync::{Notify, Semaphore};

use super::heard::{self, Heard, Stamp, client_id};
use super::order::Troubles;
use crate::bench::frame;
use crate::bench::latency::{Latencies, now};

/// One socket's place in the books.
#[derive(Default)]
pub(super) struct Seat {
    /// Rooms and the highest number of each that was heard.
    cursors: Vec<(u128, u64)>,
    /// How many more `welcome` and `synced` it needs to be live.
    awaiting: usize,
    events: u64,
}

impl Seat {
    pub(super) fn new(cursors: Vec<(u128, u64)>) -> Seat {
        Seat { awaiting: 1 + cursors.len(), cursors, events: 0 }
    }

    /// A seat of a bare socket, which is live from the start.
    pub(super) fn bare() -> Seat {
        Seat::default()
    }

    /// Takes the number of an event; whether it is the next one, as far as anybody can tell.
    fn follows(&mut self, room: u128, seq: u64) -> bool {
        match self.cursors.iter_mut().find(|(known, _)| *known == room) {
            Some((_, cursor)) => {
                let next = *cursor + 1 == seq;
                *cursor = seq.max(*cursor);
                next
            }
            None => {
                self.cursors.push((room, seq));
                true
            }
        }
    }
}

/// A message that is on its way to everybody.
pub(super) struct Spread {
    /// Deliveries and the ack that are still to come, per message.
    pub(super) missing: Vec<u32>,
    /// What a message that is sent now has to wait for.
    pub(super) expected: u32,
    /// The first message that counts; those before it warm up.
    pub(super) counted_from: u64,
    pub(super) deliveries: u64,
    pub(super) done: Arc<Semaphore>,
}

/// Sends whose acks are awaited.
pub(super) struct Burst {
    pub(super) run: u64,
    pub(super) body_bytes: usize,
    /// The room of each seat.
    pub(super) rooms: Vec<String>,
    /// When each message was due.
    pub(super) due: Vec<u64>,
    /// Acks after this time and before the other count.
    pub(super) counted: (u64, u64),
    /// Whether an ack is followed by the next send at once, and until when.
    pub(super) again_until: Option<u64>,
    pub(super) acks: u64,
    pub(super) outstanding: usize,
    pub(super) idle: Arc<Notify>,
}

impl Burst {
    /// Appends the next send of a seat.
    pub(super) fn next(&mut self, seat: usize, due: u64, out: &mut Vec<u8>) {
        let index = self.due.len() as u64;
        self.due.push(due);
        self.outstanding += 1;
        let text = send_frame(&self.rooms[seat], self.run, Stamp { due, index }, self.body_bytes);
        frame::from_client(frame::TEXT, text.as_bytes(), out);
    }
}

/// What a worker is doing at the moment.
pub(super) enum Phase {
    Quiet,
    Spread(Spread),
    Burst(Burst),
}

/// All the books.
pub(super) struct Ledger {
    pub(super) scratch: Vec<u8>,
    pub(super) seats: Vec<Seat>,
    pub(super) phase: Phase,
    pub(super) latencies: Latencies,
    pub(super) troubles: Troubles,
    pub(super) frame_bytes: usize,
    pub(super) reads: u64,
    /// Seats that are live, and when the order to become so came.
    pub(super) live: usize,
    pub(super) ordered_at: u64,
    pub(super) changed: Arc<Notify>,
    /// Every member gets the same bytes: what was read last is not read again.
    last: (Vec<u8>, Heard),
}

impl Ledger {
    pub(super) fn new() -> Ledger {
        Ledger {
            scratch: vec![0; 64 * 1024],
            seats: Vec::new(),
            phase: Phase::Quiet,
            latencies: Latencies::new(),
            troubles: Troubles::default(),
            frame_bytes: 0,
            reads: 0,
            live: 0,
            ordered_at: 0,
            changed: Arc::new(Notify::new()),
            last: (Vec::new(), Heard::Other),
        }
    }

    /// Takes the whole frames at the start of `bytes`; how many bytes they were. What is to be answered goes to `out`.
    pub(super) fn take(&mut self, seat: usize, bytes: &[u8], out: &mut Vec<u8>) -> Result<usize, String> {
        let mut taken = 0;
        let at = now();
        while let Some(frame) = frame::first(&bytes[taken..])? {
            match frame.opcode {
                frame::TEXT => self.text(seat, frame.payload, frame.taken, at, out)?,
                frame::PING => frame::from_client(frame::PONG, frame.payload, out),
                frame::CLOSE => {
                    let code = frame.payload.get(..2).map_or(1005, |code| u16::from_be_bytes([code[0], code[1]]));
                    return Err(format!("closed by the server with {code}"));
                }
                _ => {}
            }
            taken += frame.taken;
        }
        Ok(taken)
    }

    fn text(&mut self, seat: usize, payload: &[u8], bytes: usize, at: u64, out: &mut Vec<u8>) -> Result<(), String> {
        let heard = if payload == self.last.0.as_slice() {
            self.last.1
        } else {
            let heard = heard::read(payload)?;
            self.last.0.clear();
            self.last.0.extend_from_slice(payload);
            self.last.1 = heard;
            heard
        };
        match heard {
            Heard::Event { room, seq, stamp } => {
                self.frame_bytes = bytes;
                self.event(seat, room, seq, stamp, at);
            }
            Heard::Ack { index } => self.ack(seat, index, at, out),
            Heard::Welcome => self.nearer(seat, at),
            Heard::Synced { room, seq } => {
                if self.seats[seat].cursors.iter().any(|(known, cursor)| *known == room && *cursor != seq) {
                    self.troubles.holes += 1;
                    self.troubles.note(|| format!("synced at {seq}, but other events came"));
                }
                self.nearer(seat, at);
            }
            Heard::Nack => self.trouble(|troubles| &mut troubles.nacks, payload),
            Heard::Gap => self.trouble(|troubles| &mut troubles.gaps, payload),
            Heard::Lagged => self.trouble(|troubles| &mut troubles.lagged, payload),
            Heard::Error => self.troubles.note(|| String::from_utf8_lossy(payload).into_owned()),
            Heard::Reconnect | Heard::Other => {}
        }
        Ok(())
    }

    fn trouble(&mut self, counter: impl FnOnce(&mut Troubles) -> &mut u64, payload: &[u8]) {
        *counter(&mut self.troubles) += 1;
        self.troubles.note(|| String::from_utf8_lossy(payload).chars().take(300).collect());
        self.changed.notify_waiters();
    }

    /// A seat is lost.
    pub(super) fn closed(&mut self, why: &str) {
        self.troubles.closed += 1;
        self.troubles.note(|| why.to_owned());
        self.changed.notify_waiters();
    }

    fn nearer(&mut self, seat: usize, at: u64) {
        let seat = &mut self.seats[seat];
        if seat.awaiting > 0 {
            seat.awaiting -= 1;
            if seat.awaiting == 0 {
                self.live += 1;
                self.latencies.record(self.ordered_at, at);
                self.changed.notify_waiters();
            }
        }
    }

    fn event(&mut self, seat: usize, room: u128, seq: u64, stamp: Option<Stamp>, at: u64) {
        let place = &mut self.seats[seat];
        place.events += 1;
        if !place.follows(room, seq) {
            self.troubles.holes += 1;
            self.troubles.note(|| format!("seat {seat} heard {seq} out of order"));
        }
        if let (Phase::Spread(spread), Some(stamp)) = (&mut self.phase, stamp) {
            if stamp.index >= spread.counted_from {
                spread.deliveries += 1;
                self.latencies.record(stamp.due, at);
            }
            spread.arrived(stamp.index);
        }
    }

    fn ack(&mut self, seat: usize, index: u64, at: u64, out: &mut Vec<u8>) {
        match &mut self.phase {
            Phase::Spread(spread) => spread.arrived(index),
            Phase::Burst(burst) => {
                let Some(due) = burst.due.get(index as usize).copied() else { return };
                burst.outstanding -= 1;
                if at >= burst.counted.0 && at < burst.counted.1 {
                    burst.acks += 1;
                    self.latencies.record(due, at);
                }
                if burst.again_until.is_some_and(|until| at < until) {
                    burst.next(seat, at, out);
                } else if burst.outstanding == 0 {
                    burst.idle.notify_waiters();
                }
            }
            Phase::Quiet => {}
        }
    }

    /// How many seats heard another number of events than `missed`, and how many events there were.
    pub(super) fn account(&self, missed: u64) -> (usize, u64) {
        let wrong = self.seats.iter().filter(|seat| seat.events != missed).count();
        (wrong, self.seats.iter().map(|seat| seat.events).sum())
    }
}

impl Spread {
    fn arrived(&mut self, index: u64) {
        if let Some(missing) = self.missing.get_mut(index as usize) {
            *missing = missing.saturating_sub(1);
            if *missing == 0 {
                self.done.add_permits(1);
            }
        }
    }
}

/// A `send` frame.
pub(super) fn send_frame(room: &str, run: u64, stamp: Stamp, body_bytes: usize) -> String {
    let id = client_id(run, stamp.index);
    format!(r#"{{"type":"send","room":"{room}","client_id":"{id}","body":"{}"}}"#, stamp.body(body_bytes))
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
