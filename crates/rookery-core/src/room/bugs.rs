//! A room that breaks one promise on purpose, so that the tests can show that they would notice.

#![allow(clippy::panic, reason = "panicking is what this is for")]

use std::{
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Caller, Effect, Intent, Room, Write};
use crate::{
    event::Event,
    ids::{ClientId, Seq},
};

/// Which promise to break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Acknowledges before anything is durable.
    AckBeforeCommit,
    /// Forgets which writes it has seen.
    NoDedupe,
    /// Leaves a number out now and then.
    SkipNumber,
    /// Takes a write though it has not seen the one before it.
    Overtakes,
    /// Panics on the bodies `panic once` and `panic always`.
    RoomPanics,
}

impl FromStr for Bug {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "ack-before-commit" => Ok(Self::AckBeforeCommit),
            "no-dedupe" => Ok(Self::NoDedupe),
            "skip-number" => Ok(Self::SkipNumber),
            "overtakes" => Ok(Self::Overtakes),
            "room-panics" => Ok(Self::RoomPanics),
            other => Err(format!("no such bug: {other}")),
        }
    }
}

impl Room {
    /// The same room with a bug.
    #[must_use]
    pub fn with_bug(mut self, bug: Option<Bug>) -> Self {
        self.bug = bug;
        self
    }
}

pub(super) fn panic_if_told(bug: Option<Bug>, write: &Write) {
    static PANICKED: AtomicBool = AtomicBool::new(false);
    if bug != Some(Bug::RoomPanics) {
        return;
    }
    if let Intent::Post { body, .. } = &write.intent {
        let once = body == "panic once" && !PANICKED.swap(true, Ordering::SeqCst);
        assert!(!once && body != "panic always", "told to panic");
    }
}

pub(super) fn overtake(bug: Option<Bug>, write: &mut Write) {
    if bug == Some(Bug::Overtakes) {
        write.after = None;
    }
}

/// Gives a write that was seen before another key, each time a new one, so that it happens again.
#[expect(clippy::result_large_err, reason = "not an error: the write itself, changed or not")]
pub(super) fn forget(bug: Option<Bug>, mut write: Write, last: Seq) -> Result<Write, Write> {
    if bug != Some(Bug::NoDedupe) {
        return Err(write);
    }
    write.client_id =
        ClientId(uuid::Uuid::from_u128(write.client_id.0.as_u128().rotate_left(8) ^ u128::from(last + 1)));
    Ok(write)
}

pub(super) const fn skip(bug: Option<Bug>, last: &mut Seq, head: &mut Seq) {
    if matches!(bug, Some(Bug::SkipNumber)) && *last % 20 == 19 {
        *last += 1;
        if *head + 1 == *last {
            *head += 1;
        }
    }
}

pub(super) fn ack_early(bug: Option<Bug>, event: &Arc<Event>, caller: &Caller, out: &mut Vec<Effect>) {
    if bug == Some(Bug::AckBeforeCommit) {
        let (client_id, seq, at) = (event.client_id, event.seq, event.at);
        out.push(Effect::Ack { caller: caller.clone(), client_id, seq, at, repeat: false });
    }
}
