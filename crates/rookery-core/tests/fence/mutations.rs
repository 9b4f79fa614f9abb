//! Every rule of the machine left out, one at a time, and the promise that breaks without it.
//!
//! Of the 34 ways to get the protocol wrong that are known, 22 are rules of the machine and stand here (two of them are one
//! rule, seen by a client that tries again and by one that does not), 10 are promises of the store or duties of its users
//! and stand in `faults`, and 2 are about a marker row instead of the range delete, which this machine does not have. The
//! rest of what stands here belongs to what this machine has and the 34 do not cover: a read that several share, epochs of
//! one owner with somebody else's between them, and words that are taken out.

use rookery_core::fence::Bug;

use crate::{
    faults::breaks,
    settings::{Again, PLAIN, Settings},
    watch::Promise,
};

const INSTANT: Settings = Settings { instant: true, ..PLAIN };

fn mutation(bug: Bug, promise: Promise, settings: Settings) {
    breaks(&format!("{bug:?}"), promise, &Settings { bug: Some(bug), ..settings });
}

#[test]
fn at_the_wake() {
    mutation(Bug::NoWakeVerify, Promise::Kept, PLAIN);
    mutation(Bug::NoWakeVerify, Promise::OneOwner, PLAIN);
    mutation(Bug::LateWakeVerify, Promise::OnePlace, INSTANT);
    mutation(Bug::KeepHoles, Promise::NoHole, PLAIN);
    mutation(Bug::KeepHoles, Promise::OnePlace, PLAIN);
}

#[test]
fn in_the_rewrite() {
    mutation(Bug::NoRewrite, Promise::Kept, PLAIN);
    mutation(Bug::RewriteKeepsTimestamps, Promise::Kept, PLAIN);
    mutation(Bug::RewriteLastRow, Promise::Kept, Settings { messages: 3, ..PLAIN });
    mutation(Bug::RewriteNotAwaited, Promise::Kept, PLAIN);
}

#[test]
fn in_the_cut() {
    mutation(Bug::NoCut, Promise::OnePlace, PLAIN);
    mutation(Bug::CutNotAwaited, Promise::OnePlace, PLAIN);
    mutation(Bug::CutOneBucket, Promise::OnePlace, Settings { messages: 3, ..PLAIN });
    mutation(Bug::CutTooHigh, Promise::Kept, PLAIN);
}

#[test]
fn in_the_look_at_the_shards_row() {
    mutation(Bug::NoVerify, Promise::Kept, PLAIN);
    mutation(Bug::VerifyBefore, Promise::Kept, PLAIN);
    mutation(Bug::VerifyConcurrent, Promise::Kept, PLAIN);
    mutation(Bug::VerifyJoined, Promise::Kept, PLAIN);
    mutation(Bug::VerifyJoined, Promise::OneOwner, Settings { questions: true, messages: 1, ..PLAIN });
    mutation(Bug::CompareNode, Promise::Kept, PLAIN);
    mutation(Bug::OutOfOrder, Promise::Kept, PLAIN);
}

#[test]
fn in_the_claim() {
    let unanswered = Settings { unanswered: true, ..PLAIN };
    mutation(Bug::BelieveUnknown, Promise::Kept, Settings { smaller_wins: true, ..unanswered });
    let two = Settings { claims: 2, instant: true, ..unanswered };
    mutation(Bug::BelieveUnknownByEpoch, Promise::OnePlace, two);
    mutation(Bug::BelieveUnknownByEpoch, Promise::OneWrite, two);
    mutation(Bug::IgnoreInterruption, Promise::Kept, Settings { again: Again::NextEpoch, ..two });
    mutation(Bug::StampTwice, Promise::OneWrite, Settings { again: Again::SameStamp, ..PLAIN });
    mutation(Bug::StampTwice, Promise::OnePlace, Settings { again: Again::SameStamp, ..PLAIN });
}

#[test]
fn in_what_is_said_of_what_was_sent() {
    let losses = Settings { losses: true, ..PLAIN };
    mutation(Bug::RefuseWhenTimedOut, Promise::OneWrite, Settings { smaller_wins: true, ..losses });
    mutation(Bug::RefuseWhenTimedOut, Promise::RefusedIsRefused, Settings { once: true, ..losses });
    mutation(Bug::RefuseWhenLost, Promise::RefusedIsRefused, Settings { once: true, ..PLAIN });
}

#[test]
fn in_taking_words_out() {
    let deletes = Settings { claims: 2, deletes: true, heads: true, ..PLAIN };
    mutation(Bug::NoEraseAtWake, Promise::Erased, deletes);
    mutation(Bug::HeadPassesErasure, Promise::Erased, deletes);
    mutation(Bug::HeadPassesUnverifiedErasure, Promise::Erased, deletes);
    mutation(Bug::EraseTooLow, Promise::Erased, deletes);
}
