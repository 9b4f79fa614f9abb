//! A model of the store: three replicas, each a set of writes, of which the one with the largest timestamp is seen.
//!
//! A write arrives at any replica at any later time, or never. That is also read repair and hinted hand-off, and what is
//! left of a writer that died. Arrival is chosen when somebody looks, which leaves nothing out and keeps the states few.

use std::ops::RangeInclusive;

use crate::settings::PLACES;

/// Writes that can matter at one time.
const WRITES: usize = 28;
/// A row's words are gone.
pub(crate) const WORDLESS: u8 = 0x80;
/// Two replicas of three.
pub(crate) const QUORUM: u32 = 2;
/// Every two of three replicas.
pub(crate) const PAIRS: [u8; 3] = [3, 5, 6];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    #[default]
    Row,
    Cut,
    Erase,
}

/// A write that was sent, and the replicas where it has arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Write {
    pub(crate) kind: Kind,
    pub(crate) from: u8,
    pub(crate) to: u8,
    pub(crate) timestamp: u8,
    pub(crate) value: u8,
    pub(crate) arrived: u8,
}

/// What a read finds at one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Cell {
    pub(crate) timestamp: u8,
    /// 0: nothing.
    pub(crate) message: u8,
    pub(crate) words_timestamp: u8,
    pub(crate) wordless: bool,
}

pub(crate) type View = [Cell; PLACES];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Store {
    writes: [Write; WRITES],
    count: usize,
    smaller_wins: bool,
    /// What is shadowed on a replica counts as arrived there: it changes nothing. Not when deletes can be collected.
    keep_shadowed: bool,
    arrivals: bool,
}

impl Write {
    pub(crate) const fn row(seq: u8, timestamp: u8, value: u8) -> Self {
        Self { kind: Kind::Row, from: seq, to: seq, timestamp, value, arrived: 0 }
    }

    fn is_same(&self, other: &Self) -> bool {
        Self { arrived: 0, ..*self } == Self { arrived: 0, ..*other }
    }

    fn touches(&self, window: &RangeInclusive<u8>) -> bool {
        self.from <= *window.end() && self.to >= *window.start()
    }
}

/// The order in which writes of one cell win: by timestamp, then deletes, then by value.
pub(crate) fn strength(timestamp: u8, kind: Kind, value: u8, smaller_wins: bool) -> u16 {
    let low = match kind {
        Kind::Cut => 255,
        _ if smaller_wins => 200 - u16::from(value & !WORDLESS),
        _ => u16::from(value & !WORDLESS),
    };
    u16::from(timestamp) << 8 | low
}

impl Store {
    pub(crate) fn new(smaller_wins: bool, keep_shadowed: bool, arrivals: bool) -> Self {
        Self { writes: [Write::default(); WRITES], count: 0, smaller_wins, keep_shadowed, arrivals }
    }

    pub(crate) fn writes(&self) -> &[Write] {
        &self.writes[..self.count]
    }

    pub(crate) fn strength(&self, write: &Write) -> u16 {
        strength(write.timestamp, write.kind, write.value, self.smaller_wins)
    }

    /// Sends a write. `false`: there is another one with this timestamp and another value.
    pub(crate) fn send(&mut self, write: Write) -> bool {
        if self.find(&write).is_some() {
            return true;
        }
        let rows = |other: &&Write| other.kind == Kind::Row && write.kind == Kind::Row;
        let clash = |other: &Write| other.from == write.from && other.timestamp == write.timestamp;
        let is_lawful = !self.writes().iter().filter(rows).any(clash);
        assert!(self.count < WRITES, "the model has no room for one more write");
        self.writes[self.count] = write;
        self.count += 1;
        is_lawful
    }

    fn find(&self, write: &Write) -> Option<usize> {
        self.writes().iter().position(|other| other.is_same(write))
    }

    /// What these replicas have together.
    pub(crate) fn view(&self, replicas: u8) -> View {
        let mut view = View::default();
        for (place, cell) in view.iter_mut().enumerate() {
            *cell = self.cell(place as u8 + 1, replicas);
        }
        view
    }

    fn cell(&self, seq: u8, replicas: u8) -> Cell {
        let here = |write: &&Write| write.arrived & replicas != 0 && (write.from..=write.to).contains(&seq);
        let strongest = |kind: Kind| {
            let of_kind = self.writes().iter().filter(here).filter(move |write| write.kind == kind);
            of_kind.max_by_key(|write| self.strength(write))
        };
        let cut = strongest(Kind::Cut).map_or(0, |write| write.timestamp);
        let row = strongest(Kind::Row).filter(|row| row.timestamp > cut);
        let erased = strongest(Kind::Erase).map_or(0, |write| write.timestamp);
        let erased = if erased > cut { erased } else { 0 };
        let (timestamp, value) = row.map_or((cut, 0), |row| (row.timestamp, row.value));
        Cell {
            timestamp,
            message: value & !WORDLESS,
            words_timestamp: erased.max(if value == 0 { 0 } else { timestamp }),
            // Of two with one timestamp the one that is worse for us wins.
            wordless: value & WORDLESS != 0 || erased > timestamp,
        }
    }

    /// Joins what a second replica answered to what the first did.
    pub(crate) fn join(&self, first: &mut View, second: &View) {
        for (cell, other) in first.iter_mut().zip(second) {
            let strength = |cell: &Cell| match cell.message {
                0 => strength(cell.timestamp, Kind::Cut, 0, false),
                message => strength(cell.timestamp, Kind::Row, message, self.smaller_wins),
            };
            let words = if other.words_timestamp > cell.words_timestamp { *other } else { *cell };
            if strength(other) > strength(cell) {
                *cell = *other;
            }
            if cell.message == 0 || words.words_timestamp > cell.timestamp {
                (cell.words_timestamp, cell.wordless) = (words.words_timestamp, words.wordless);
            }
        }
    }

    /// Every way in which writes to these numbers that are on none of `absent` arrive at `to` now.
    pub(crate) fn arriving(&self, absent: u8, to: u8, window: &RangeInclusive<u8>) -> Vec<Self> {
        let mut all = vec![*self];
        if self.arrivals {
            return all;
        }
        for at in 0..self.count {
            if self.writes[at].touches(window) && self.writes[at].arrived & absent == 0 {
                for known in 0..all.len() {
                    let mut more = all[known];
                    more.writes[at].arrived |= to;
                    all.push(more);
                }
            }
        }
        all
    }

    /// Every way in which all of these writes get to as many replicas as are needed.
    pub(crate) fn acknowledging(&self, wanted: &[Write], needed: u32) -> Vec<Self> {
        let mut all = vec![*self];
        for write in wanted {
            // What was shadowed everywhere has arrived as well as anything can.
            let Some(at) = self.find(write) else { continue };
            let mut next = Vec::new();
            for store in &all {
                for arrived in grown(store.writes[at].arrived, needed, self.arrivals) {
                    let mut more = *store;
                    more.writes[at].arrived = arrived;
                    next.push(more);
                }
            }
            all = next;
        }
        all
    }

    /// Every write that has arrived somewhere more, if arrivals are steps of their own.
    pub(crate) fn delivering(&self) -> Vec<(usize, u8, Self)> {
        let mut all = Vec::new();
        for at in (0..self.count).filter(|_| self.arrivals) {
            for replica in 0..3 {
                let mut more = *self;
                more.writes[at].arrived |= 1 << replica;
                if more != *self {
                    all.push((at, replica, more));
                }
            }
        }
        all
    }

    /// Every range delete that is on a quorum, collected together with what it has hidden.
    pub(crate) fn collecting(&self) -> Vec<Self> {
        let on_quorum = |cut: &&Write| cut.kind == Kind::Cut && cut.arrived.count_ones() >= QUORUM;
        let collect = |cut: &Write| {
            let hidden = |write: &Write| {
                let below = write.timestamp <= cut.timestamp && write.arrived != 0;
                write.kind != Kind::Cut && below && (cut.from..=cut.to).contains(&write.from)
            };
            let mut left = *self;
            left.keep(|write| *write != *cut && !hidden(write));
            left
        };
        self.writes().iter().filter(on_quorum).map(collect).collect()
    }

    fn keep(&mut self, wanted: impl Fn(&Write) -> bool) {
        let kept: Vec<Write> = self.writes().iter().copied().filter(|write| wanted(write)).collect();
        self.writes = [Write::default(); WRITES];
        self.writes[..kept.len()].copy_from_slice(&kept);
        self.count = kept.len();
    }

    /// Copies a row to the replicas that a reader asked.
    pub(crate) fn repair(&mut self, seq: u8, cell: Cell, replicas: u8) {
        if let Some(at) = self.find(&Write::row(seq, cell.timestamp, cell.message)) {
            self.writes[at].arrived |= replicas;
        }
    }

    /// Forgets what can make no difference any more, and puts the rest in order.
    pub(crate) fn normalise(&mut self) {
        if !self.keep_shadowed {
            let before = *self;
            for (at, write) in before.writes().iter().enumerate() {
                let stronger = before.writes().iter().filter(|other| before.hides(other, write));
                let hidden = stronger.fold(0, |replicas, other| replicas | other.arrived);
                if !self.arrivals {
                    self.writes[at].arrived |= hidden;
                }
                if hidden == 7 {
                    self.writes[at].arrived = u8::MAX;
                }
            }
            self.keep(|write| write.arrived != u8::MAX);
        }
        let count = self.count;
        self.writes[..count].sort_unstable();
    }

    fn hides(&self, other: &Write, write: &Write) -> bool {
        let covers = other.from <= write.from && other.to >= write.to;
        let kind = match (other.kind, write.kind) {
            (Kind::Cut, _) | (Kind::Row, Kind::Row) | (Kind::Erase, Kind::Erase) => true,
            (Kind::Row, Kind::Erase) => true,
            (Kind::Row | Kind::Erase, _) => false,
        };
        covers && kind && self.strength(other) > self.strength(write)
    }
}

/// The sets of replicas with enough of them that come from `arrived` by no more arrivals than needed.
fn grown(arrived: u8, needed: u32, as_they_are: bool) -> Vec<u8> {
    if arrived.count_ones() >= needed {
        return vec![arrived];
    }
    if as_they_are {
        return Vec::new();
    }
    (1..8_u8).filter(|all| all & arrived == arrived && all.count_ones() == needed).collect()
}
