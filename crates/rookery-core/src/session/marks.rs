//! Marks that a client has moved: kept for a while, to be said again to whoever owns the room then.

use super::{Effect, Session, nack};
use crate::{
    frame::{Code, Refusal, client},
    ids::{RoomId, Seq},
    limits::CREDITS,
    time::Millis,
};

/// Milliseconds for which marks are said again by ourselves.
const SAID_AGAIN_MS: i64 = 10_000;
/// Milliseconds within which a mark is not said twice, however many say that they have not taken it.
const JUST_SAID_MS: i64 = 100;
/// Milliseconds after which marks are forgotten that nobody has asked for again.
const FORGOTTEN_MS: i64 = SAID_AGAIN_MS + 2_000;
/// Milliseconds after which a client should try again.
const RETRY_MS: u64 = 1_000;

/// A mark that was said, and may have been forgotten where it came.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) room: RoomId,
    id: Option<Box<str>>,
    read: Option<Seq>,
    delivered: Option<Seq>,
    first: Millis,
    latest: Millis,
}

impl Mark {
    /// Whether the other says nothing that this one does not.
    fn covers(&self, other: &Self) -> bool {
        // What was read was delivered.
        let delivered = |mark: &Self| mark.delivered.max(mark.read);
        self.room == other.room && self.read >= other.read && delivered(self) >= delivered(other)
    }
}

impl Session {
    /// The client moves marks. One that says more takes the place of one before it.
    pub(super) fn mark(&mut self, mark: client::Mark, now: Millis, out: &mut Vec<Effect>) {
        let client::Mark { room, read, delivered, id, .. } = mark;
        let mark = Mark { room, id, read, delivered, first: now, latest: now };
        self.marks.retain(|kept| !mark.covers(kept));
        self.forget_marks(now);
        if self.marks.len() >= CREDITS {
            self.marks.remove(0);
        }
        out.push(self.said(&mark));
        self.marks.push(mark);
    }

    fn said(&self, mark: &Mark) -> Effect {
        let caller = self.caller(mark.id.clone());
        Effect::Mark { room: mark.room, caller, read: mark.read, delivered: mark.delivered }
    }

    /// The room lives elsewhere from now on, or started anew, and marks may have been lost with that. Who has them already
    /// takes no harm.
    pub(super) fn mark_again(&mut self, room: RoomId, now: Millis, out: &mut Vec<Effect>) {
        for index in 0..self.marks.len() {
            let mark = &mut self.marks[index];
            if mark.room == room && now.since(mark.first) < SAID_AGAIN_MS {
                mark.latest = now;
                out.push(self.said(&self.marks[index]));
            }
        }
    }

    /// Nobody was there to take marks of this room: says them again, but not for ever.
    pub(super) fn unmarked(&mut self, room: RoomId, now: Millis, out: &mut Vec<Effect>) {
        let is_late = |mark: &mut Mark| mark.room == room && now.since(mark.first) >= SAID_AGAIN_MS;
        for mark in self.marks.extract_if(.., is_late) {
            let refusal = Refusal::new(Code::Unavailable, "the room cannot be reached at the moment").after(RETRY_MS);
            nack(&refusal, mark.id.as_deref(), Some(room), None, out);
        }
        let just_said = |mark: &Mark| mark.room == room && now.since(mark.latest) < JUST_SAID_MS;
        if !self.marks.iter().any(just_said) {
            self.mark_again(room, now, out);
        }
        self.forget_marks(now);
    }

    /// An idle connection holds no memory for what it once said.
    pub(super) fn forget_marks(&mut self, now: Millis) {
        self.marks.retain(|mark| now.since(mark.first) < FORGOTTEN_MS);
        if self.marks.is_empty() {
            self.marks = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::session::{
        Input,
        tests::{live, room, say, sent, step, view},
    };

    fn mark(read: Seq) -> Value {
        json!({"type": "mark", "room": room(1), "read": read, "id": format!("m{read}")})
    }

    /// The read marks that effects tell rooms.
    fn reads(effects: &[Effect]) -> Vec<Seq> {
        let read = |effect: &Effect| match effect {
            Effect::Mark { read, .. } => *read,
            _ => None,
        };
        effects.iter().filter_map(read).collect()
    }

    const UNMARKED: fn() -> Input = || Input::Unmarked { room: room(1) };

    #[test]
    fn marks_that_nobody_takes_are_said_again_for_a_while_and_then_refused() {
        let (mut session, _) = live(vec![view(1, 9)], json!({}));
        assert_eq!(reads(&say(&mut session, mark(3), 0)), [3]);
        assert_eq!(reads(&step(&mut session, UNMARKED(), 200)), [3]);
        assert_eq!(reads(&step(&mut session, Input::Unmarked { room: room(2) }, 400)), [0; 0]);
        assert_eq!(reads(&step(&mut session, UNMARKED(), 9_999)), [3]);
        let refused = sent(&step(&mut session, UNMARKED(), 10_000));
        let told = ["type", "code", "retry", "id"].map(|name| refused[0][name].as_str().unwrap());
        assert_eq!((refused.len(), told), (1, ["nack", "unavailable", "later", "m3"]));
        assert!(step(&mut session, UNMARKED(), 10_200).is_empty(), "it is refused once");
    }

    #[test]
    fn a_mark_that_may_have_been_lost_with_its_room_is_said_to_the_next_owner() {
        let (mut session, _) = live(vec![view(1, 9), view(2, 9)], json!({}));
        say(&mut session, mark(3), 0);
        assert_eq!(session.asked_rooms().collect::<Vec<_>>(), [room(1)]);
        assert_eq!(reads(&step(&mut session, Input::Moved { room: room(1) }, 3_000)), [3]);
        assert_eq!(reads(&step(&mut session, Input::Restarted { room: room(1), by: 0 }, 3_100)), [3]);
        assert_eq!(reads(&step(&mut session, Input::Restarted { room: room(2), by: 0 }, 3_100)), [0; 0]);
        assert_eq!(reads(&step(&mut session, Input::Moved { room: room(1) }, 10_000)), [0; 0], "not for ever");
        step(&mut session, Input::Tick, FORGOTTEN_MS);
        assert_eq!(session.marks.capacity(), 0);
    }

    #[test]
    fn many_who_take_no_mark_have_it_said_once_and_only_the_last_one_is_said() {
        let (mut session, _) = live(vec![view(1, 9)], json!({}));
        (1..=9).for_each(|read| drop(say(&mut session, mark(read), 0)));
        let again: Vec<Seq> = (0..9).flat_map(|_| reads(&step(&mut session, UNMARKED(), 200))).collect();
        assert_eq!(again, [9]);
        // It says less of one thing and more of the other: both are kept.
        let delivered = json!({"type": "mark", "room": room(1), "read": 2, "delivered": 20});
        say(&mut session, delivered, 250);
        assert_eq!(reads(&step(&mut session, UNMARKED(), 400)), [9, 2]);
    }

    #[test]
    fn what_is_kept_of_marks_is_bounded() {
        let (mut session, _) = live(Vec::new(), json!({}));
        for number in 0..200 {
            say(&mut session, json!({"type": "mark", "room": room(number), "read": 1}), 0);
        }
        assert_eq!(session.marks.len(), CREDITS);
    }
}
