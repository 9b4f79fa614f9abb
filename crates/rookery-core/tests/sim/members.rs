//! Who saw what of a room when: read out of its log, as the contract says it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    check::{seq_of, text},
    history::Final,
};

/// Who is in a room when, read out of its log.
#[derive(Clone)]
pub(crate) struct Members {
    open: bool,
    direct: bool,
    /// From which event on somebody sees the room, for those who are in it.
    pub(crate) since: BTreeMap<String, u64>,
    /// The events that somebody may see or have seen: from, to.
    intervals: BTreeMap<String, Vec<(u64, u64)>>,
}

impl Members {
    pub(crate) fn new(kind: &str) -> Self {
        Self { open: false, direct: kind == "direct", since: BTreeMap::new(), intervals: BTreeMap::new() }
    }

    pub(crate) fn of(last: &Final) -> Self {
        let mut members = Self::new(&last.kind);
        last.log.iter().for_each(|event| members.apply(event));
        members
    }

    pub(crate) fn is_in(&self, user: &str) -> bool {
        self.since.contains_key(user)
    }

    pub(crate) fn apply(&mut self, event: &Value) {
        let seq = seq_of(event);
        match (event["kind"].as_str(), event["change"].as_str()) {
            (Some("room"), _) if event["visibility"].is_string() => self.open = event["visibility"] == "public",
            (Some("member"), Some("joined")) => {
                let from = if self.open || self.direct { 1 } else { seq };
                self.since.insert(text(event, "user").to_owned(), from);
            }
            (Some("member"), Some("left" | "removed" | "banned")) => {
                let user = text(event, "user");
                if let Some(from) = self.since.remove(user) {
                    self.intervals.entry(user.to_owned()).or_default().push((from, seq));
                }
            }
            _ => {}
        }
    }

    /// Whether who is shown `by` must have been shown this event before: it belongs to the same stay in the room.
    pub(crate) fn needs(&self, user: &str, seq: u64, by: u64) -> bool {
        let stays = self.intervals.get(user).into_iter().flatten().copied();
        let stays = stays.chain(self.since.get(user).map(|from| (*from, u64::MAX)));
        stays.filter(|(from, to)| (*from..=*to).contains(&by)).take(1).any(|(from, _)| seq >= from)
    }

    /// Whether this event is, or once was, for this user.
    pub(crate) fn sees(&self, user: &str, seq: u64) -> bool {
        let was = self.intervals.get(user).into_iter().flatten().any(|(from, to)| (*from..=*to).contains(&seq));
        was || self.since.get(user).is_some_and(|from| seq >= *from)
    }
}
