//! Answers in any order, late, twice, never: what must hold between any inputs and effects of one owner.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Move {
    Append,
    /// Answers the n-th of what waits.
    Answer(usize),
    /// Says of the n-th of what waits that it did not come.
    Lose(usize),
    /// Gives an answer a second time, or one that nobody asked for.
    Insert(u64),
    Rest,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        3 => Just(Move::Append),
        6 => (0_usize..8).prop_map(Move::Answer),
        2 => (0_usize..8).prop_map(Move::Lose),
        1 => (0_u64..12).prop_map(Move::Insert),
        1 => Just(Move::Rest),
    ];
    proptest::collection::vec(one, 1..250)
}

/// What the store was asked and has not answered.
#[derive(Clone, Debug, PartialEq)]
enum Waits {
    Read(u64),
    Room(RoomEffect),
}

struct Watch {
    driven: Driven,
    waits: Vec<Waits>,
    sent: BTreeMap<Seq, Row>,
    succeeded: BTreeSet<Seq>,
    /// What had succeeded when the newest read came out.
    covered: BTreeSet<Seq>,
    head: Seq,
    next: Seq,
}

impl Watch {
    fn new() -> Self {
        let mut driven = Driven::owning();
        driven.wake(1, 1, Vec::new());
        let (sent, succeeded, covered) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        Self { driven, waits: Vec::new(), sent, succeeded, covered, head: 0, next: 1 }
    }

    fn take(&mut self, input: Input) {
        for effect in self.driven.step(input) {
            match effect {
                Effect::ReadShard { round } => {
                    self.waits.retain(|waits| !matches!(waits, Waits::Read(_)));
                    self.waits.push(Waits::Read(round));
                    self.covered = self.succeeded.clone();
                }
                Effect::Room { effect, .. } => self.told(effect),
                other => panic!("{other:?}"),
            }
        }
    }

    fn told(&mut self, effect: RoomEffect) {
        match &effect {
            RoomEffect::Insert { row } => {
                let first = self.sent.entry(row.seq()).or_insert_with(|| row.clone());
                assert_eq!(first, row, "sent again with something else in it");
                assert!(self.sent.len() as u64 - self.head <= IN_FLIGHT as u64, "more than may be");
                if !self.waits.contains(&Waits::Room(effect.clone())) {
                    self.waits.push(Waits::Room(effect));
                }
            }
            RoomEffect::Committed { seqs } => {
                assert_eq!(*seqs.start(), self.head + 1);
                assert!(
                    seqs.clone().all(|seq| self.covered.contains(&seq)),
                    "committed without a look after its success"
                );
                self.head = *seqs.end();
            }
            RoomEffect::Refused { seq, .. } => {
                assert!(!self.sent.contains_key(seq), "refused what was sent");
                self.next = self.next.min(*seq);
            }
            RoomEffect::PublishHead { head } => {
                assert!(*head <= self.head);
                self.waits.push(Waits::Room(effect));
            }
            other => panic!("{other:?}"),
        }
    }

    fn answer(&mut self, at: usize) {
        if self.waits.is_empty() {
            return;
        }
        let at = at % self.waits.len();
        match self.waits.remove(at) {
            Waits::Read(round) => {
                self.take(Input::ShardRead { round, row: Some(shard_row(&owner(1), 1)) });
            }
            Waits::Room(RoomEffect::Insert { row }) => self.inserted(row.seq()),
            Waits::Room(RoomEffect::PublishHead { head }) => self.room(RoomInput::HeadPublished { head }),
            Waits::Room(other) => panic!("{other:?}"),
        }
    }

    fn lose(&mut self, at: usize) {
        if self.waits.is_empty() {
            return;
        }
        let at = at % self.waits.len();
        match self.waits.remove(at) {
            Waits::Read(round) => self.take(Input::ShardRead { round, row: None }),
            Waits::Room(RoomEffect::Insert { row }) => {
                self.room(RoomInput::TimedOut { what: Request::Insert { seq: row.seq() } });
            }
            Waits::Room(_) => self.room(RoomInput::TimedOut { what: Request::PublishHead }),
        }
    }

    fn inserted(&mut self, seq: Seq) {
        if self.sent.contains_key(&seq) {
            self.succeeded.insert(seq);
        }
        self.room(RoomInput::Inserted { seq });
    }

    fn room(&mut self, input: RoomInput) {
        self.take(Input::Room { room: room(1), stamp: Stamp::new(1, 1), input });
    }

    fn make(&mut self, next: Move) {
        match next {
            Move::Append => {
                let seq = self.next;
                self.next += 1;
                self.room(RoomInput::Append { event: said(seq) });
            }
            Move::Answer(at) => self.answer(at),
            Move::Lose(at) => self.lose(at),
            Move::Insert(seq) => self.inserted(seq),
            Move::Rest => self.room(RoomInput::Rest),
        }
    }
}

proptest! {
    /// Commits are a prefix, each after a read that started after its success; what was sent is never refused, and goes out
    /// again the very same; no more is under way than may be. And if the store answers in the end, everything is committed.
    #[test]
    fn whatever_the_store_answers_and_when(moves in moves()) {
        let mut watch = Watch::new();
        moves.into_iter().for_each(|next| watch.make(next));
        while !watch.waits.is_empty() {
            watch.answer(0);
        }
        prop_assert_eq!(watch.head, watch.sent.len() as u64);
        prop_assert!(watch.driven.fence.is_at_rest());
    }
}
