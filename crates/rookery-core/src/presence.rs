//! Whether somebody is there: decided from their connections.

use serde::{Deserialize, Serialize};

use crate::{ids::SessionId, time::Millis};

/// Milliseconds without a frame of a person's own after which they count as away.
pub const AWAY_AFTER: i64 = 300_000;

/// Whether somebody is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Does something on one device at least.
    Online,
    /// Connected, and did nothing for five minutes.
    Away,
    /// Not connected.
    #[default]
    Offline,
}

/// One user's connections.
#[derive(Clone, Debug, Default)]
pub struct Presence {
    /// When each connection last said something.
    sessions: Vec<(SessionId, Millis)>,
    shown: Status,
    last_seen: Option<Millis>,
}

impl Presence {
    /// A connection began, or said something. `Some`: what to show changed.
    pub fn active(&mut self, session: SessionId, now: Millis) -> Option<Status> {
        match self.sessions.iter_mut().find(|(other, _)| *other == session) {
            Some((_, last)) => *last = (*last).max(now),
            None => {
                // Most people have one connection.
                self.sessions.reserve_exact(1);
                self.sessions.push((session, now));
            }
        }
        self.last_seen = self.last_seen.max(Some(now));
        self.settle(now)
    }

    /// A connection ended. `Some`: what to show changed.
    pub fn ended(&mut self, session: SessionId, now: Millis) -> Option<Status> {
        let index = self.sessions.iter().position(|(other, _)| *other == session)?;
        self.sessions.swap_remove(index);
        self.last_seen = self.last_seen.max(Some(now));
        self.settle(now)
    }

    /// Time went by. `Some`: what to show changed.
    pub fn tick(&mut self, now: Millis) -> Option<Status> {
        self.settle(now)
    }

    /// What to show, and since when they are gone if they are.
    #[must_use]
    pub const fn shown(&self) -> (Status, Option<Millis>) {
        match self.shown {
            Status::Offline => (Status::Offline, self.last_seen),
            here => (here, None),
        }
    }

    /// Whether there is no connection left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    fn settle(&mut self, now: Millis) -> Option<Status> {
        let newest = self.sessions.iter().map(|(_, last)| last).max();
        let status = match newest {
            None => Status::Offline,
            Some(last) if now.since(*last) >= AWAY_AFTER => Status::Away,
            Some(_) => Status::Online,
        };
        let changed = status != self.shown;
        self.shown = status;
        changed.then_some(status)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn session(n: u8) -> SessionId {
        SessionId(Uuid::from_u128(u128::from(n)))
    }

    proptest! {
        /// Offline exactly when no connection is left, whatever the order; a change is told once.
        #[test]
        fn offline_exactly_when_nothing_is_connected(steps in proptest::collection::vec((0_u8..4, any::<bool>(), 0_i64..200_000), 1..100)) {
            let mut presence = Presence::default();
            let mut open = std::collections::BTreeSet::new();
            let (mut now, mut told) = (0, Status::Offline);
            for (n, begins, passed) in steps {
                now += passed;
                let change = if begins {
                    open.insert(n);
                    presence.active(session(n), Millis(now))
                } else {
                    open.remove(&n);
                    presence.ended(session(n), Millis(now))
                };
                if let Some(change) = change {
                    prop_assert_ne!(change, told);
                    told = change;
                }
                prop_assert_eq!(presence.shown().0 == Status::Offline, open.is_empty());
            }
        }
    }

    #[test]
    fn a_second_device_keeps_them_online() {
        let mut presence = Presence::default();
        assert_eq!(presence.active(session(1), Millis(0)), Some(Status::Online));
        assert_eq!(presence.active(session(2), Millis(AWAY_AFTER)), None);
        assert_eq!(presence.ended(session(2), Millis(AWAY_AFTER)), Some(Status::Away));
        assert_eq!(presence.ended(session(1), Millis(AWAY_AFTER + 1)), Some(Status::Offline));
        assert_eq!(presence.shown().1, Some(Millis(AWAY_AFTER + 1)));
    }
}
