//! What the machine counts on: a store, or who drives the machine, that does one thing wrong, and what that breaks.

use crate::{
    search::{Until, search},
    settings::{Fault, PLAIN, Reader, Settings},
    watch::Promise,
};

/// States to look at before a fault counts as harmless.
pub(crate) const MOST: usize = 3_000_000;

/// Finds a run that breaks the promise.
pub(crate) fn breaks(name: &str, promise: Promise, settings: &Settings) {
    let outcome = search(settings, Until::Broken(promise, MOST));
    let way = outcome.broken.get(&promise);
    let shown = way.map(|way| way.join("\n  "));
    println!("{name}: {promise:?} in {:?} steps, {} states", way.map(Vec::len), outcome.states);
    println!("  {}", shown.unwrap_or_default());
    assert!(way.is_some(), "{name} goes unnoticed in {} states: {:?}", outcome.states, outcome.broken.keys());
}

fn fault(fault: Fault, promise: Promise) {
    breaks(&format!("{fault:?}"), promise, &Settings { fault, ..PLAIN });
}

#[test]
fn a_range_delete_that_is_collected_before_the_last_late_write() {
    fault(Fault::CutCollected, Promise::OnePlace);
}

#[test]
fn a_look_at_one_replica_of_the_shards_row() {
    fault(Fault::VerifyAtOne, Promise::Kept);
}

#[test]
fn a_tail_that_was_read_before_the_claim() {
    fault(Fault::TailBeforeClaim, Promise::Kept);
}

#[test]
fn a_tail_that_was_read_from_one_replica() {
    fault(Fault::TailAtOne, Promise::Kept);
}

#[test]
fn an_insert_that_one_replica_has() {
    fault(Fault::AppendAtOne, Promise::Kept);
}

#[test]
fn a_claim_that_one_replica_has_learnt() {
    fault(Fault::ClaimLearntAtOne, Promise::Kept);
}

#[test]
fn a_room_that_does_not_remember_what_it_was_woken_with() {
    fault(Fault::NoDedupe, Promise::OnePlace);
}

fn reader(reader: Reader) {
    breaks(&format!("{reader:?}"), Promise::ShownIsTrue, &Settings { reader, ..PLAIN });
}

#[test]
fn readers_who_do_not_ask_for_the_head() {
    reader(Reader::Unbounded);
}

#[test]
fn readers_who_do_not_ask_for_the_head_and_repair_what_they_read() {
    reader(Reader::UnboundedRepairing);
}

#[test]
fn readers_who_ask_one_replica() {
    reader(Reader::UpToHeadAtOne);
}
