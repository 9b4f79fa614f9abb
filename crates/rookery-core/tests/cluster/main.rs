//! Several nodes over one quorum store, in bad weather: real rooms, shards, fences and placements, whole runs out of one seed.
//!
//! Nodes die, stop for seconds and go on, are cut off from the store, from each other, or from both; writes come late or
//! never; claims are decided without an answer. Clients write to any node and try again with the same key. Checked: what
//! was acknowledged is kept and was never anything else (P1), what was refused never was and what was shown is so (P2), a
//! key is one event (P3), one order without holes everywhere (P4), nodes repair what they missed (P5), one activation
//! commits an event (P6), and that everything is answered in the end. Marks (P7) are kept by the directory, and who sees
//! what (P8) is decided by sessions: `tests/sim` has both. A run that fails names its seed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

#[allow(dead_code, reason = "the weather of one server is not the weather of several")]
#[path = "../sim/chance.rs"]
mod chance;
mod check;
mod client;
mod node;
mod owning;
mod quorum;
#[allow(dead_code, reason = "of the store of one server only what follows from a log is of use here")]
#[path = "../sim/store.rs"]
mod stored;
mod weather;
mod world;

use std::collections::BTreeMap;

use world::World;

/// Runs of the usual test.
const SEEDS: u64 = 40;

fn seeds() -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().map(|value: String| value.parse::<u64>().expect("a number"));
    match number("ROOKERY_CLUSTER_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("ROOKERY_CLUSTER_RUNS").unwrap_or(SEEDS),
    }
}

#[test]
fn every_promise_holds_over_several_nodes_whatever_goes_wrong() {
    let mut complaints = Vec::new();
    let mut all: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in seeds() {
        let (history, store) = World::new(seed).run();
        let (breaches, counts) = history.verdict(&store);
        counts.into_iter().for_each(|(what, times)| *all.entry(what).or_default() += times);
        if !breaches.is_empty() {
            let first: Vec<_> = breaches.iter().take(4).map(String::as_str).collect();
            let replay = format!("ROOKERY_CLUSTER_SEED={seed} cargo test -p rookery-core --test cluster");
            complaints.push(format!("seed {seed}: {} breaches\n  {}\n  {replay}", breaches.len(), first.join("\n  ")));
        }
    }
    println!("{all:#?}");
    assert!(complaints.is_empty(), "{} runs failed:\n{}", complaints.len(), complaints.join("\n"));
    // Runs in which nothing went wrong would keep every promise.
    let must_happen = [
        "acknowledged",
        "refused",
        "a repeat was answered",
        "superseded",
        "a tail was written again",
        "a hole was read from the log",
        "paused",
        "crashed",
        "cut off from the store",
        "cut off from its peers",
    ];
    let missing: Vec<_> = must_happen.iter().filter(|what| all.get(*what).is_none_or(|times| *times < 5)).collect();
    assert!(missing.is_empty() || seeds().end - seeds().start < SEEDS, "too rare: {missing:?}");
}

#[test]
fn the_same_seed_is_the_same_history() {
    let told = |seed| World::new(seed).run().0.told();
    assert_eq!(told(3), told(3));
    assert_ne!(told(3), told(4));
}

/// A fence without one of its rules is found out here too, by what people see of it.
#[cfg(feature = "bugs")]
#[test]
fn bugs_are_found() {
    use rookery_core::fence::Bug;
    for bug in [
        Bug::NoWakeVerify,
        Bug::KeepHoles,
        Bug::NoRewrite,
        Bug::NoCut,
        Bug::CutTooHigh,
        Bug::NoVerify,
        Bug::VerifyConcurrent,
        Bug::OutOfOrder,
        Bug::RefuseWhenTimedOut,
        Bug::NoEraseAtWake,
    ] {
        let finds = |seed: u64| {
            let mut world = World::new(seed);
            world.nodes.iter_mut().for_each(|node| node.bug = Some(bug));
            let (history, store) = world.run();
            history.verdict(&store).0.into_iter().next().map(|breach| format!("seed {seed}: {breach}"))
        };
        let found = (0..300).find_map(finds);
        println!("{bug:?}: {found:?}");
        assert!(found.is_some(), "{bug:?} went unnoticed in 300 runs");
    }
}
