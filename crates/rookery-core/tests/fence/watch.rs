//! Who looks on: what was told to anybody, and which promise that breaks.

use crate::settings::PLACES;

/// A promise that a state can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Promise {
    /// An acknowledged event is there, unchanged, for every next owner and every reader below the head.
    Kept,
    /// A number has one acknowledged value.
    OneValue,
    /// A message has one number.
    OnePlace,
    /// No owner's log has a hole.
    NoHole,
    /// Nobody acknowledges what reached a quorum only after another owner had learnt of its claim.
    OneOwner,
    /// A row has one value per timestamp.
    OneWrite,
    /// What was refused never appears.
    RefusedIsRefused,
    /// A reader is shown the log and nothing else.
    ShownIsTrue,
    /// The words of a deleted message are gone for good once the head has passed the delete.
    Erased,
}

impl Promise {
    pub(crate) const ALL: [Self; 9] = [
        Self::Kept,
        Self::OneValue,
        Self::OnePlace,
        Self::NoHole,
        Self::OneOwner,
        Self::OneWrite,
        Self::RefusedIsRefused,
        Self::ShownIsTrue,
        Self::Erased,
    ];

    pub(crate) const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// What was told, by number; 0 is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Watch {
    pub(crate) committed: [u8; PLACES],
    pub(crate) shown: [u8; PLACES],
    /// The head that was published.
    pub(crate) published: u8,
    /// Messages that were ever sent, that were refused, and that a verified owner did not find: one bit each.
    pub(crate) used: u8,
    pub(crate) refused: u8,
    pub(crate) absent: u8,
    /// The small stamp under which a message was first sent.
    pub(crate) sent_under: [u8; 4],
    /// Second wakes and reads of history there have been; bounded by the search.
    pub(crate) agains: u8,
    pub(crate) reads: u8,
    /// The one question of this search was asked.
    pub(crate) asked: bool,
    pub(crate) broken: u16,
}

impl Watch {
    pub(crate) fn break_promise(&mut self, promise: Promise) {
        self.broken |= promise.bit();
    }

    /// A message is acknowledged, shown or published under this number.
    pub(crate) fn commit(&mut self, seq: u8, message: u8, late: bool) {
        let place = usize::from(seq) - 1;
        if message == 0 {
            return self.break_promise(Promise::NoHole);
        }
        if late {
            self.break_promise(Promise::OneOwner);
        }
        if (self.refused | self.absent) >> message & 1 == 1 {
            self.break_promise(Promise::RefusedIsRefused);
        }
        if self.shown[place] != 0 && self.shown[place] != message {
            self.break_promise(Promise::ShownIsTrue);
        }
        if self.committed[place] != 0 && self.committed[place] != message {
            return self.break_promise(Promise::OneValue);
        }
        let elsewhere = |(at, other): (usize, &u8)| at != place && *other == message;
        if self.committed.iter().enumerate().any(elsewhere) {
            self.break_promise(Promise::OnePlace);
        }
        self.committed[place] = message;
    }

    /// Where a message stands; 0 for nowhere.
    pub(crate) fn place_of(&self, message: u8) -> u8 {
        self.committed.iter().position(|other| *other == message).map_or(0, |place| place as u8 + 1)
    }
}
