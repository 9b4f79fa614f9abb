//! What waits for a peer: bounded in number and in bytes, and with an order in which it is shed.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::cluster::wire::{Class, Id};

/// Envelopes that may wait.
pub const ENVELOPES: usize = 16_384;
/// Bytes of envelopes that may wait.
pub const BYTES: usize = 16 << 20;
/// Rooms whose heads may be owed. Beyond that the link ends, and what its new beginning tells is cheaper.
const OWED: usize = 65_536;

/// One encoded envelope.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) bytes: Bytes,
    pub(super) key: u64,
}

/// The sending end of the queue before a peer.
pub struct Queue {
    sender: mpsc::Sender<Waiting>,
    envelopes: AtomicUsize,
    bytes: AtomicUsize,
    /// How far rooms are whose events were shed: told as soon as there is place, since the room may be silent afterwards.
    owed: Mutex<BTreeMap<Id, u64>>,
    owes: AtomicBool,
    shed: [AtomicU64; 3],
}

/// The queue takes nothing: too much waits, or the link is at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// Too much waits.
    Full,
    /// Nobody takes from it any more.
    Ended,
}

/// How much of the queue a class may fill: `n` eighths.
const fn share(class: Class) -> usize {
    match class {
        Class::Ephemeral => 4,
        Class::Event => 7,
        Class::Control => 8,
    }
}

impl Queue {
    pub(super) fn new() -> (Self, mpsc::Receiver<Waiting>) {
        let (sender, receiver) = mpsc::channel(ENVELOPES);
        let queue = Self {
            sender,
            envelopes: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            owed: Mutex::default(),
            owes: AtomicBool::new(false),
            shed: Default::default(),
        };
        (queue, receiver)
    }

    /// Whether there is place for one more of this class. Asked before encoding, which is the expensive part.
    pub(super) fn has_place(&self, class: Class) -> bool {
        let share = share(class);
        self.envelopes.load(Ordering::Acquire) < ENVELOPES / 8 * share
            && self.bytes.load(Ordering::Acquire) < BYTES / 8 * share
    }

    /// Puts an envelope in; counts it as shed when there is no place.
    pub(super) fn put(&self, class: Class, key: u64, bytes: Bytes) -> Result<(), Closed> {
        if !self.has_place(class) {
            return Err(self.refuse(class));
        }
        let length = bytes.len();
        self.envelopes.fetch_add(1, Ordering::AcqRel);
        self.bytes.fetch_add(length, Ordering::AcqRel);
        match self.sender.try_send(Waiting { bytes, key }) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.left(1, length);
                match error {
                    mpsc::error::TrySendError::Full(_) => Err(self.refuse(class)),
                    mpsc::error::TrySendError::Closed(_) => Err(Closed::Ended),
                }
            }
        }
    }

    /// Counts an envelope that was not even encoded.
    pub(super) fn refuse(&self, class: Class) -> Closed {
        self.shed[class as usize].fetch_add(1, Ordering::Relaxed);
        Closed::Full
    }

    /// Envelopes have gone to the peer, or are lost.
    pub(super) fn left(&self, envelopes: usize, bytes: usize) {
        self.envelopes.fetch_sub(envelopes, Ordering::AcqRel);
        self.bytes.fetch_sub(bytes, Ordering::AcqRel);
    }

    /// Events of a room were shed that lead to this head. `false`: too many rooms are owed.
    pub(super) fn owe(&self, room: Id, head: u64) -> bool {
        let mut owed = self.owed.lock();
        let owed_to = owed.entry(room).or_default();
        *owed_to = (*owed_to).max(head);
        self.owes.store(true, Ordering::Release);
        owed.len() <= OWED
    }

    /// Takes some of what is owed, if there is place for it again.
    pub(super) fn pay(&self, most: usize) -> Vec<(Id, u64)> {
        if !self.owes.load(Ordering::Acquire) || !self.has_place(Class::Ephemeral) {
            return Vec::new();
        }
        let mut owed = self.owed.lock();
        let mut paid = Vec::with_capacity(most.min(owed.len()));
        while paid.len() < most
            && let Some(entry) = owed.pop_first()
        {
            paid.push(entry);
        }
        self.owes.store(!owed.is_empty(), Ordering::Release);
        paid
    }

    /// Envelopes that wait.
    #[must_use]
    pub fn envelopes(&self) -> usize {
        self.envelopes.load(Ordering::Acquire)
    }

    /// Bytes that wait.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Acquire)
    }

    /// Envelopes of a class that were shed.
    #[must_use]
    pub fn shed(&self, class: Class) -> u64 {
        self.shed[class as usize].load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(queue: &Queue, class: Class, bytes: usize) -> Result<(), Closed> {
        queue.put(class, 0, vec![0; bytes].into())
    }

    fn fill(queue: &Queue, class: Class, bytes: usize) -> usize {
        (0..).take_while(|_| put(queue, class, bytes).is_ok()).count()
    }

    #[test]
    fn what_is_of_the_moment_goes_first_then_events_then_the_rest() {
        let (queue, _receiver) = Queue::new();
        assert_eq!(fill(&queue, Class::Ephemeral, 1), ENVELOPES / 2);
        assert_eq!(fill(&queue, Class::Event, 1), ENVELOPES / 8 * 3);
        assert_eq!(put(&queue, Class::Ephemeral, 1), Err(Closed::Full));
        assert_eq!(fill(&queue, Class::Control, 1), ENVELOPES / 8);
        assert_eq!(put(&queue, Class::Control, 1), Err(Closed::Full));
        assert_eq!([queue.shed(Class::Ephemeral), queue.shed(Class::Event), queue.shed(Class::Control)], [2, 1, 2]);
    }

    #[test]
    fn bytes_are_bounded_too_and_come_free_again() {
        let (queue, mut receiver) = Queue::new();
        let taken = fill(&queue, Class::Control, 64 << 10);
        assert_eq!(taken, BYTES / (64 << 10));
        let waiting = receiver.try_recv().unwrap();
        queue.left(1, waiting.bytes.len());
        assert_eq!(put(&queue, Class::Control, 64 << 10), Ok(()));
        assert_eq!(put(&queue, Class::Control, 1), Err(Closed::Full));
    }

    #[test]
    fn what_is_owed_is_the_furthest_head_of_each_room_and_paid_once_there_is_place() {
        let (queue, mut receiver) = Queue::new();
        let (one, other) = (Id([1; 16]), Id([2; 16]));
        fill(&queue, Class::Event, 1);
        assert!(queue.owe(one, 7) && queue.owe(other, 3) && queue.owe(one, 5));
        assert_eq!(queue.pay(256), [], "as long as there is no place");
        while let Ok(waiting) = receiver.try_recv() {
            queue.left(1, waiting.bytes.len());
        }
        assert_eq!(queue.pay(1), [(one, 7)]);
        assert_eq!(queue.pay(256), [(other, 3)]);
        assert_eq!(queue.pay(256), []);
    }

    #[test]
    fn a_queue_that_nobody_takes_from_takes_nothing() {
        let (queue, receiver) = Queue::new();
        drop(receiver);
        assert_eq!(put(&queue, Class::Control, 1), Err(Closed::Ended));
        assert_eq!((queue.envelopes(), queue.bytes()), (0, 0));
    }
}
