//! Deadlines of a connection: `hello` in time, pings answered, what could not be read asked for again.

use super::{Effect, Phase, Session, close};
use crate::{limits::Limits, time::Millis};

/// Pings that may stay unanswered.
const MISSED: u8 = 2;

impl Session {
    pub(super) fn tick(&mut self, limits: &Limits, now: Millis, out: &mut Vec<Effect>) {
        if let Phase::Silent { deadline } = self.phase
            && now >= deadline
        {
            return self.close(close::NO_HELLO, "no hello in time", out);
        }
        self.pull_again(now, out);
        self.forget_marks(now);
        if now < self.next_ping {
            return;
        }
        if self.unanswered >= MISSED {
            return self.close(close::NO_HEARTBEAT, "heartbeat missed", out);
        }
        self.unanswered += 1;
        self.next_ping = now.plus(i64::from(limits.heartbeat_seconds) * 1_000);
        out.push(Effect::Ping);
    }
}
