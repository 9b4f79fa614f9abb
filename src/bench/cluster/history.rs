//! Reads the logs back and holds them against the diaries: every ack exactly once, under its number, in order.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::diary::Diary;
use crate::client::error::ClientError;
use crate::client::frames::Event;
use crate::client::rest::Rest;

/// What is wrong with histories, and how much there was.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(in crate::bench) struct Judgement {
    pub(in crate::bench) acked: u64,
    /// Said and never answered; they may stand in the log or not.
    pub(in crate::bench) open: u64,
    /// Acknowledged, and not in the log; or numbers that are not there.
    pub(in crate::bench) lost: u64,
    /// In the log more than once.
    pub(in crate::bench) doubled: u64,
    /// In the log under another number than was acknowledged, or before what the same speaker said earlier.
    pub(in crate::bench) reordered: u64,
    /// In the log, and said by nobody.
    pub(in crate::bench) foreign: u64,
}

impl Judgement {
    /// Whether nothing is wrong.
    pub(in crate::bench) fn is_good(&self) -> bool {
        self.lost + self.doubled + self.reordered + self.foreign == 0
    }

    /// Judges a room by all that stands in its log and the diaries of all who spoke in it.
    pub(in crate::bench) fn judge(&mut self, events: &[Event], diaries: &[&Diary]) {
        let mut expected = 1;
        for event in events {
            match event.seq {
                seq if seq < expected => self.reordered += 1,
                seq => self.lost += seq - expected,
            }
            expected = expected.max(event.seq + 1);
        }
        let mut places: HashMap<&str, u64> = HashMap::new();
        for event in events.iter().filter(|event| event.kind == "message") {
            if let Some(client_id) = event.client_id.as_deref()
                && places.insert(client_id, event.seq).is_some()
            {
                self.doubled += 1;
            }
        }
        let mut known = HashSet::new();
        for diary in diaries {
            let mut last = 0;
            for said in &diary.said {
                known.insert(said.client_id.as_str());
                let place = places.get(said.client_id.as_str()).copied();
                match (said.acked, place) {
                    (Some(_), None) => self.lost += 1,
                    (Some((_, seq)), Some(place)) if seq != place => self.reordered += 1,
                    _ => {}
                }
                self.acked += u64::from(said.acked.is_some());
                self.open += u64::from(said.acked.is_none());
                if let Some(place) = place {
                    self.reordered += u64::from(place < last);
                    last = last.max(place);
                }
            }
        }
        self.foreign += places.keys().filter(|client_id| !known.contains(*client_id)).count() as u64;
    }
}

/// All events of a room.
pub(in crate::bench) async fn read(rest: &Rest, room: &str) -> Result<Vec<Event>, ClientError> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let after = events.last().map_or(0, |event| event.seq);
        let page = rest.events(room, after).await?;
        let is_last = page.items.is_empty() || page.next.is_none_or(|next| next.is_null());
        events.extend(page.items);
        if is_last {
            return Ok(events);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::diary::Said;
    use super::*;

    fn message(seq: u64, client_id: &str) -> Event {
        Event { seq, kind: "message".to_owned(), client_id: Some(client_id.to_owned()), ..Event::default() }
    }

    fn diary(said: &[(&str, Option<u64>)]) -> Diary {
        let said = said.iter().map(|(client_id, acked)| Said {
            client_id: (*client_id).to_owned(),
            first: 0,
            acked: acked.map(|seq| (0, seq)),
        });
        Diary { said: said.collect(), ..Diary::default() }
    }

    fn judged(events: &[Event], diary: &Diary) -> Judgement {
        let mut judgement = Judgement::default();
        judgement.judge(events, &[diary]);
        judgement
    }

    #[test]
    fn a_good_history_is_good() {
        let events = [Event { seq: 1, kind: "room".to_owned(), ..Event::default() }, message(2, "a"), message(3, "b")];
        let judgement = judged(&events, &diary(&[("a", Some(2)), ("b", None), ("c", None)]));
        assert!(judgement.is_good(), "{judgement:?}");
        assert_eq!((judgement.acked, judgement.open), (1, 2));
    }

    #[test]
    fn every_fault_is_seen() {
        let said = diary(&[("a", Some(1)), ("b", Some(2))]);
        let faults = |events: &[Event]| {
            let judgement = judged(events, &said);
            (judgement.lost, judgement.doubled, judgement.reordered, judgement.foreign)
        };
        assert_eq!(faults(&[message(1, "a")]), (1, 0, 0, 0), "an ack that is not there");
        assert_eq!(faults(&[message(1, "a"), message(3, "b")]), (1, 0, 1, 0), "a hole, and another number");
        assert_eq!(faults(&[message(1, "a"), message(2, "b"), message(3, "b")]), (0, 1, 1, 0), "twice");
        assert_eq!(faults(&[message(1, "b"), message(2, "a")]), (0, 0, 3, 0), "in another order");
        assert_eq!(faults(&[message(1, "a"), message(2, "b"), message(3, "x")]), (0, 0, 0, 1), "said by nobody");
    }
}
