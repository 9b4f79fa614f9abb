//! Many clients, one server, a store that is slow, fails and forgets: whole runs out of one seed, and what must hold.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod chance;
mod check;
mod client;
mod hearing;
mod history;
mod hub;
mod members;
mod mutations;
mod rooms;
mod seats;
mod server;
mod store;
mod world;

use world::World;

/// Runs of the usual test.
const SEEDS: u64 = 300;

/// What is wrong with a run, and how to see it again.
fn complaint(seed: u64) -> Option<String> {
    let history = World::new(seed).run();
    let breaches = check::breaches(&history);
    if std::env::var_os("ROOKERY_SIM_SEED").is_some() && !breaches.is_empty() {
        history.records.iter().for_each(|record| eprintln!("{record:?}"));
    }
    let first: Vec<String> = breaches.iter().take(3).map(ToString::to_string).collect();
    (!first.is_empty()).then(|| {
        let replay = format!("ROOKERY_SIM_SEED={seed} cargo test -p rookery-core --test sim");
        format!("seed {seed}: {} breaches\n  {}\n  {replay}", breaches.len(), first.join("\n  "))
    })
}

/// The seeds of this run: one that is named, or the first so many.
fn seeds() -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().map(|value: String| value.parse::<u64>().expect("a number"));
    match number("ROOKERY_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("ROOKERY_SIM_RUNS").unwrap_or(SEEDS),
    }
}

fn hold(seeds: impl Iterator<Item = u64>) {
    let complaints: Vec<String> = seeds.filter_map(complaint).collect();
    assert!(complaints.is_empty(), "{} runs failed:\n{}", complaints.len(), complaints.join("\n"));
}

// Two halves, so that two threads share the work.
#[test]
fn every_promise_holds_whatever_goes_wrong() {
    hold(seeds().filter(|seed| seed % 2 == 0));
}

#[test]
fn every_promise_holds_whatever_else_goes_wrong() {
    hold(seeds().filter(|seed| seed % 2 == 1));
}

#[test]
fn the_same_seed_is_the_same_history() {
    let hashes: Vec<u64> = (0..12).map(|seed| World::new(seed).run().hash()).collect();
    let again: Vec<u64> = (0..12).map(|seed| World::new(seed).run().hash()).collect();
    assert_eq!(hashes, again);
    assert_eq!(hashes.iter().collect::<std::collections::BTreeSet<_>>().len(), hashes.len(), "seeds differ");
}

/// A run in which nothing happened would keep every promise.
#[test]
fn everything_that_can_go_wrong_does() {
    use history::Record;
    let runs: Vec<history::History> = (0..40).map(|seed| World::new(seed).run()).collect();
    let count = |of: fn(&Record) -> bool| runs.iter().map(|run| run.count(of)).sum::<usize>();
    let seen = [
        count(|record| matches!(record, Record::Acked { .. })),
        count(|record| matches!(record, Record::Nacked { code, .. } if code == "unavailable")),
        count(|record| matches!(record, Record::Nacked { code, .. } if code == "rate_limited")),
        count(|record| matches!(record, Record::Got { event, .. } if event["kind"] == "delete")),
        count(|record| matches!(record, Record::Got { event, .. } if event["change"] == "removed")),
        count(|record| matches!(record, Record::Stops { .. })),
        count(|record| matches!(record, Record::Synced { .. })),
        count(|record| matches!(record, Record::Paged { .. })),
        count(|record| matches!(record, Record::Restarted { .. })),
        count(|record| matches!(record, Record::Crashed)),
    ];
    assert!(seen.iter().all(|count| *count > 10), "{seen:?}");
}

/// A room that breaks one promise on purpose is found out, as what it is.
#[cfg(feature = "bugs")]
#[test]
fn bugs_are_found() {
    use check::Promise;
    use rookery_core::room::bugs::Bug;
    for (bug, promise) in [
        (Bug::AckBeforeCommit, Promise::DurableAck),
        (Bug::NoDedupe, Promise::NoPhantom),
        (Bug::SkipNumber, Promise::DenseOrder),
        (Bug::Overtakes, Promise::AsSaid),
    ] {
        let finds = |seed: &u64| {
            let mut world = World::new(*seed);
            world.bug = Some(bug);
            check::breaches(&world.run()).iter().any(|breach| breach.promise == promise)
        };
        let found = (0..100).filter(finds).count();
        assert!(found > 0, "{bug:?} went unnoticed in 100 runs");
    }
}
