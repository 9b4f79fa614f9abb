//! What was told to anybody in a run, and whether the log that is left says the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    sync::Arc,
};

use rookery_core::{
    event::{Content, Event},
    ids::{ClientId, RoomId, Seq},
    shard::Stamp,
};

use crate::{
    client::{ROOMS, room},
    node::Follow,
    quorum::Quorum,
};

#[derive(Default)]
pub(crate) struct History {
    acked: BTreeMap<(RoomId, ClientId), Seq>,
    refused: BTreeSet<(RoomId, ClientId)>,
    shown: BTreeMap<(RoomId, Seq), ClientId>,
    committed: BTreeMap<(RoomId, Seq), Stamp>,
    pub(crate) unanswered: Vec<String>,
    pub(crate) breaches: Vec<String>,
    pub(crate) counts: BTreeMap<&'static str, u64>,
}

impl History {
    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub(crate) fn breach(&mut self, how: String) {
        self.breaches.push(how);
    }

    /// Everything that was acknowledged, committed and shown, in words.
    pub(crate) fn told(&self) -> String {
        format!("{:?} {:?} {:?} {:?}", self.acked, self.committed, self.shown, self.counts)
    }

    /// P1, P3: a key has one number, whoever says it and however often.
    pub(crate) fn acked(&mut self, room: RoomId, key: ClientId, seq: Seq) {
        self.count("acknowledged");
        let known = *self.acked.entry((room, key)).or_insert(seq);
        if known != seq {
            self.breach(format!("P3 {room}: {key} is {known} and {seq}"));
        }
    }

    pub(crate) fn refused(&mut self, room: RoomId, key: ClientId) {
        self.refused.insert((room, key));
    }

    /// P4: a number has one value, on every node.
    pub(crate) fn shown(&mut self, room: RoomId, event: &Event) {
        let known = *self.shown.entry((room, event.seq)).or_insert(event.client_id);
        if known != event.client_id {
            self.breach(format!("P4 {room}: {} is {known} and {}", event.seq, event.client_id));
        }
    }

    /// P6: an event is committed by one activation.
    pub(crate) fn committed(&mut self, room: RoomId, seqs: RangeInclusive<Seq>, stamp: Stamp) {
        for seq in seqs {
            let known = *self.committed.entry((room, seq)).or_insert(stamp);
            if known != stamp {
                self.breach(format!("P6 {room}: {seq} committed by {known:?} and {stamp:?}"));
            }
        }
    }

    /// P5: what a node has of a room has no hole, whatever was lost on the way.
    pub(crate) fn end_of_following(&mut self, node: usize, follows: BTreeMap<RoomId, Follow>) {
        for (room, follow) in follows {
            if follow.log.keys().copied().ne(1..=follow.have) {
                self.breach(format!("P5 {room}: node {node} has a hole below {}", follow.have));
            }
        }
    }

    /// Every promise that the log which is left shows to be broken.
    pub(crate) fn verdict(mut self, store: &Quorum) -> (Vec<String>, BTreeMap<&'static str, u64>) {
        for room in (0..ROOMS).map(room) {
            let told = self.shown.keys().chain(self.committed.keys()).filter(|(of, _)| *of == room);
            let head = told.map(|(_, seq)| *seq).max().unwrap_or_default();
            let logs = [(0, 1), (0, 2), (1, 2)].map(|(one, other)| {
                (1..=head).map(|seq| store.read_two(one, other, room, seq).map(|row| row.event)).collect::<Vec<_>>()
            });
            for log in &logs {
                self.judge(room, log);
            }
            if logs.iter().any(|log| log != &logs[0]) {
                self.breach(format!("P4 {room}: two replicas say something else than two others"));
            }
        }
        let acks: Vec<_> = self.acked.iter().map(|((room, key), seq)| (*room, *key, *seq)).collect();
        for (room, key, seq) in acks {
            let there = store.read_two(0, 1, room, seq).map(|row| row.event.client_id);
            if there != Some(key) {
                self.breach(format!("P1 {room}: {key} acknowledged as {seq}, where there is {there:?}"));
            }
        }
        for clash in &store.clashes {
            self.breaches.push(format!("one timestamp, two values: {clash}"));
        }
        let unanswered = std::mem::take(&mut self.unanswered);
        self.breaches.extend(unanswered.into_iter().map(|what| format!("never answered: {what}")));
        (self.breaches, self.counts)
    }

    fn judge(&mut self, room: RoomId, log: &[Option<Arc<Event>>]) {
        let mut keys = BTreeSet::new();
        let mut deleted = BTreeSet::new();
        for (seq, event) in (1..).zip(log) {
            let Some(event) = event else {
                self.breach(format!("P4 {room}: nothing stands at {seq}"));
                continue;
            };
            if !keys.insert((event.sender, event.client_id)) {
                self.breach(format!("P3 {room}: {} is there twice", event.client_id));
            }
            if self.refused.contains(&(room, event.client_id)) {
                self.breach(format!("P2 {room}: {} was refused and stands at {seq}", event.client_id));
            }
            if self.shown.get(&(room, seq)).is_some_and(|shown| *shown != event.client_id) {
                self.breach(format!("P2 {room}: something else was shown at {seq}"));
            }
            if let Content::Delete { target, .. } = event.content {
                deleted.insert(target);
            }
        }
        for event in log.iter().flatten() {
            let said_in = match event.content {
                Content::Message { .. } => event.seq,
                Content::Edit { target, .. } => target,
                _ => 0,
            };
            if deleted.contains(&said_in) && event.content != event.content.erased() {
                self.breach(format!("{room}: {said_in} was taken back, and {} still has words", event.seq));
            }
        }
    }
}
