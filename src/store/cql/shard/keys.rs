//! Where the writes of a room are that are noted in no table yet, and when they should be.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use rookery_core::ids::{ClientId, Seq, UserId};

use crate::store::cql::write::Key;

/// After this long without an event, a room's keys are noted and its head is published.
const QUIET: Duration = Duration::from_secs(4);
/// At the latest after this long. A room that is busy publishes after every so many events anyway; keys that go together cost
/// a sixteenth of what each costs alone, and alone they cost the servers as much as the log itself.
const LATEST: Duration = Duration::from_secs(30);

/// The keys that are noted nowhere.
#[derive(Default)]
pub(super) struct Keys {
    by_key: HashMap<(UserId, ClientId), Seq>,
    in_order: VecDeque<Key>,
    /// When the first of them came, and the last.
    span: Option<(Instant, Instant)>,
}

impl Keys {
    pub(super) fn is_empty(&self) -> bool {
        self.in_order.is_empty()
    }

    /// Where the write with this key is, if it is one of them.
    pub(super) fn find(&self, key: (UserId, ClientId)) -> Option<Seq> {
        self.by_key.get(&key).copied()
    }

    /// One more, of the event that follows.
    pub(super) fn push(&mut self, (seq, sender, client_id): Key, now: Instant) {
        self.by_key.insert((sender, client_id), seq);
        self.in_order.push_back((seq, sender, client_id));
        self.span = Some((self.span.map_or(now, |(first, _)| first), now));
    }

    /// The last one was not taken.
    pub(super) fn take_back(&mut self) {
        if let Some((_, sender, client_id)) = self.in_order.pop_back() {
            self.by_key.remove(&(sender, client_id));
        }
    }

    /// Those up to a head.
    pub(super) fn upto(&self, head: Seq) -> Vec<Key> {
        self.in_order.iter().take_while(|(seq, _, _)| *seq <= head).copied().collect()
    }

    /// Those up to a head are noted now.
    pub(super) fn noted(&mut self, head: Seq, now: Instant) {
        while let Some((_, sender, client_id)) = self.in_order.pop_front_if(|(seq, _, _)| *seq <= head) {
            self.by_key.remove(&(sender, client_id));
        }
        // When the first of the others came is not known any more: it was after those were asked for, and before now.
        self.span = self.span.filter(|_| !self.in_order.is_empty()).map(|(_, last)| (now, last));
    }

    /// When they should be noted at the latest.
    pub(super) fn due(&self) -> Option<Instant> {
        self.span.filter(|_| !self.is_empty()).map(|(first, last)| (last + QUIET).min(first + LATEST))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn key(seq: Seq) -> Key {
        (seq, UserId(Uuid::nil()), ClientId(Uuid::from_u128(u128::from(seq))))
    }

    fn keys(seqs: impl IntoIterator<Item = Seq>, now: Instant) -> Keys {
        let mut keys = Keys::default();
        seqs.into_iter().for_each(|seq| keys.push(key(seq), now));
        keys
    }

    #[test]
    fn what_is_noted_is_forgotten_and_the_rest_is_found() {
        let now = Instant::now();
        let mut keys = keys(1..=9, now);
        assert_eq!(keys.upto(7), (1..=7).map(key).collect::<Vec<_>>());
        keys.noted(7, now);
        let (_, sender, client_id) = key(7);
        assert_eq!(keys.find((sender, client_id)), None);
        let (_, sender, client_id) = key(9);
        assert_eq!(keys.find((sender, client_id)), Some(9));
        keys.take_back();
        assert_eq!(keys.find((sender, client_id)), None, "its number goes to another event");
        assert_eq!(keys.upto(100), [key(8)]);
    }

    #[test]
    fn a_room_that_is_quiet_is_noted_soon_and_one_that_is_not_together_with_what_follows() {
        let start = Instant::now();
        let mut keys = keys([1], start);
        assert_eq!(keys.due(), Some(start + QUIET));
        for second in 1..=60 {
            keys.push(key(second + 1), start + Duration::from_secs(second));
        }
        assert_eq!(keys.due(), Some(start + LATEST), "not put off for ever");
        let now = start + LATEST;
        keys.noted(31, now);
        assert_eq!(keys.due(), Some(now + LATEST));
        keys.noted(61, now);
        assert_eq!(keys.due(), None, "nothing is left");
    }
}
