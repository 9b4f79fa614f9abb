//! The store: three replicas to which every write comes at its own time or never, and the rows of the shards.

use std::collections::BTreeMap;

use rookery_core::{
    event::Event,
    fence::{Row, ShardRow},
    ids::{RoomId, Seq, ShardId},
};

pub(crate) const REPLICAS: usize = 3;

/// A write, as a replica takes it.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    Row(RoomId, Row),
    Cut { room: RoomId, after: Seq, last: Seq, timestamp: i64 },
    Erase { room: RoomId, seq: Seq, timestamp: i64 },
}

#[derive(Clone, Debug, Default)]
struct Replica {
    rows: BTreeMap<(RoomId, Seq), Row>,
    cuts: BTreeMap<RoomId, Vec<(Seq, Seq, i64)>>,
    erased: BTreeMap<(RoomId, Seq), i64>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Quorum {
    replicas: [Replica; REPLICAS],
    pub(crate) shards: BTreeMap<ShardId, ShardRow>,
    pub(crate) heads: BTreeMap<RoomId, Seq>,
    /// Two values were written with one timestamp.
    pub(crate) clashes: Vec<String>,
}

/// What a read finds at one number; parts of it come from different replicas.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    row: Option<Row>,
    cut: i64,
    erased: i64,
}

impl Found {
    pub(crate) fn join(&mut self, other: Self) {
        let newer = other.row.filter(|row| self.row.as_ref().is_none_or(|own| row.timestamp() > own.timestamp()));
        if newer.is_some() {
            self.row = newer;
        }
        self.cut = self.cut.max(other.cut);
        self.erased = self.erased.max(other.erased);
    }

    /// The row, if no delete hides it, without its words if they were taken out.
    pub(crate) fn row(&self) -> Option<Row> {
        let row = self.row.as_ref().filter(|row| row.timestamp() > self.cut)?;
        let is_erased = self.erased > row.timestamp().max(self.cut);
        let content = if is_erased { row.event.content.erased() } else { row.event.content.clone() };
        Some(Row { stamp: row.stamp, event: Event { content, ..Event::clone(&row.event) }.into() })
    }
}

impl Quorum {
    pub(crate) fn take(&mut self, replica: usize, write: Write) {
        let at = &mut self.replicas[replica];
        match write {
            Write::Row(room, row) => {
                let key = (room, row.seq());
                match at.rows.get(&key) {
                    Some(old) if old.timestamp() > row.timestamp() => {}
                    Some(old) if old.timestamp() == row.timestamp() && old.event != row.event => {
                        self.clashes.push(format!("{room}: {:?} and {:?}", old.event, row.event));
                    }
                    _ => {
                        at.rows.insert(key, row);
                    }
                }
            }
            Write::Cut { room, after, last, timestamp } => {
                at.cuts.entry(room).or_default().push((after, last, timestamp));
            }
            Write::Erase { room, seq, timestamp } => {
                let erased = at.erased.entry((room, seq)).or_default();
                *erased = timestamp.max(*erased);
            }
        }
    }

    pub(crate) fn read(&self, replica: usize, room: RoomId, seq: Seq) -> Found {
        let at = &self.replicas[replica];
        let cuts =
            at.cuts.get(&room).into_iter().flatten().filter(|(after, last, _)| (after + 1..=*last).contains(&seq));
        Found {
            row: at.rows.get(&(room, seq)).cloned(),
            cut: cuts.map(|(_, _, timestamp)| *timestamp).max().unwrap_or_default(),
            erased: at.erased.get(&(room, seq)).copied().unwrap_or_default(),
        }
    }

    /// What two replicas have together, now.
    pub(crate) fn read_two(&self, one: usize, other: usize, room: RoomId, seq: Seq) -> Option<Row> {
        let mut found = self.read(one, room, seq);
        found.join(self.read(other, room, seq));
        found.row()
    }
}
