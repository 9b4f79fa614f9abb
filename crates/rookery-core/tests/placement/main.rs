//! Nodes come, drain, go and die, up to 300 of them, and each sees it at another time: what moves, and what that costs.
//!
//! `cargo test -p rookery-core --test placement -- --nocapture` prints the table; a run that fails names its seed, and
//! `ROOKERY_PLACEMENT_SEED` replays it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod cluster;
mod ownership;
mod tally;

use cluster::Cluster;
use rookery_core::ids::SHARDS;
use tally::Tally;

/// Milliseconds after which a cluster that has not come to rest never will.
const NEVER: u64 = 60_000;

/// The seeds of this run: one that is named, or the first so many.
fn seeds(count: u64) -> std::ops::Range<u64> {
    match std::env::var("ROOKERY_PLACEMENT_SEED") {
        Ok(seed) => {
            let seed = seed.parse().expect("a number");
            seed..seed + 1
        }
        Err(_) => 0..count,
    }
}

/// A change, and what it may cost.
struct Change {
    name: &'static str,
    happens: fn(&mut Cluster, usize),
    /// Claims: so many for a hundred shards that had to move, so many times a node's share, and so many times all shards.
    claims: usize,
    shares: usize,
    all: usize,
    /// Milliseconds that ninety-nine in a hundred shards may have nobody.
    without_owner: u64,
    /// Milliseconds until everything is where it should be.
    settled: u64,
    /// Shards that may be taken from a node that is alive.
    alive: u64,
}

/// What has what should go to others: one shard at a time, and nobody has it only between two writes of its row.
const MOVES: Change = Change {
    name: "",
    happens: |_, _| {},
    claims: 110,
    shares: 0,
    all: 0,
    without_owner: 100,
    settled: 5_000,
    alive: 0,
};

/// A death is noticed in up to four seconds, and then it takes a claim per shard.
const DIES: Change = Change { claims: 100, without_owner: 5_000, ..MOVES };

const CHANGES: [Change; 10] = [
    Change {
        name: "all start at once",
        happens: |cluster, nodes| (0..nodes).for_each(|_| cluster.start(None)),
        claims: 150,
        without_owner: 4_000,
        settled: 6_000,
        ..MOVES
    },
    Change { name: "one comes", happens: |cluster, _| cluster.start(None), ..MOVES },
    Change {
        name: "it drains and goes",
        happens: |cluster, nodes| {
            cluster.drain(nodes);
            cluster.pass_until_empty(nodes);
            cluster.leave(nodes);
        },
        ..MOVES
    },
    Change { name: "one dies", happens: |cluster, _| cluster.kill(0), ..DIES },
    Change { name: "it comes back", happens: |cluster, _| cluster.start(Some(0)), ..MOVES },
    Change {
        // Nothing had to move; it takes up what it had, and nobody else does anything.
        name: "one dies, back in a second",
        happens: |cluster, _| {
            cluster.kill(1);
            cluster.pass(1_000);
            cluster.start(Some(1));
        },
        claims: 0,
        shares: 2,
        without_owner: 2_000,
        settled: 2_500,
        ..DIES
    },
    Change {
        name: "a tenth dies at once",
        happens: |cluster, nodes| (0..nodes.div_ceil(10)).for_each(|node| cluster.kill(node)),
        ..DIES
    },
    Change {
        name: "all of these come back",
        happens: |cluster, nodes| (0..nodes.div_ceil(10)).for_each(|node| cluster.start(Some(node))),
        ..MOVES
    },
    Change {
        // There and back: a node's share twice, for each node.
        name: "three restart, one by one",
        happens: |cluster, _| {
            for node in 0..3 {
                cluster.drain(node);
                cluster.pass_until_empty(node);
                cluster.leave(node);
                cluster.pass(1_000);
                cluster.start(Some(node));
                assert!(cluster.settle(NEVER));
            }
        },
        claims: 0,
        shares: 7,
        settled: 20_000,
        ..MOVES
    },
    Change {
        // Each half takes what the other had, once; and gives it back when they hear of each other again.
        name: "halves do not hear each other",
        happens: |cluster, _| {
            cluster.split();
            cluster.pass(20_000);
            cluster.join();
        },
        claims: 0,
        shares: 1,
        all: 2,
        without_owner: 100,
        settled: 25_000,
        alive: SHARDS as u64,
    },
];

/// What a change came to.
struct Report {
    nodes: usize,
    name: &'static str,
    /// Shards that had to move, by the placements before and after.
    due: usize,
    took: u64,
    tally: Tally,
    most: usize,
}

const HEAD: &str = "nodes | change                        |  due | claims | handed |  swaps | races | alive |  asked | \
                    nobody/ms: p50 |    p99 |   most | settled | most on a node (mean)";

impl Report {
    fn line(&self) -> String {
        let Self { nodes, name, due, took, tally, most } = self;
        let Tally { swaps, lost_races, claims, fenced_alive, handed_over, asked, .. } = tally;
        let mean = f64::from(SHARDS) / *nodes as f64;
        let (p50, p99, longest) = (tally.percentile(50), tally.percentile(99), tally.percentile(100));
        format!(
            "{nodes:>5} | {name:<29} | {due:>4} | {claims:>6} | {handed_over:>6} | {swaps:>6} | {lost_races:>5} | \
             {fenced_alive:>5} | {asked:>6} | {p50:>14} | {p99:>6} | {longest:>6} | {took:>7} | {most:>4} ({mean:.0})",
        )
    }

    /// What it cost more than it may.
    fn excess(&self, change: &Change) -> Option<&'static str> {
        let Self { nodes, due, took, tally, most, .. } = self;
        let share = usize::from(SHARDS) / nodes + 12;
        let claims = due * change.claims / 100 + share * change.shares + usize::from(SHARDS) * change.all + 12;
        let even = match nodes {
            ..10 => 1.2,
            10..100 => 1.6,
            _ => 3.6,
        };
        let checks = [
            (tally.claims as usize <= claims, "claims"),
            (tally.percentile(99) <= change.without_owner, "time without an owner"),
            (*took <= change.settled, "time until it was settled"),
            (tally.fenced_alive <= change.alive, "shards taken from the living"),
            (*most as f64 * *nodes as f64 / f64::from(SHARDS) < even, "shards on one node"),
            (tally.swaps <= 2 * (tally.claims + tally.handed_over) + 12, "compare-and-sets"),
        ];
        checks.into_iter().find(|(holds, _)| !holds).map(|(_, what)| what)
    }
}

/// Lets a change happen to a cluster that is settled.
fn happen(cluster: &mut Cluster, change: &Change, nodes: usize, seed: u64) -> Report {
    let before = cluster.placement();
    cluster.tally = Tally::default();
    let start = cluster.now();
    (change.happens)(cluster, nodes);
    assert!(cluster.settle(NEVER), "seed {seed}: not settled after: {}", change.name);
    let (took, after) = (cluster.now() - start, cluster.placement());
    // Whatever is still on its way must not undo it.
    cluster.pass(12_000);
    assert!(cluster.is_settled(&after), "seed {seed}: not settled for good after: {}", change.name);
    let held = cluster.held_by_each();
    let most = held.iter().copied().max().unwrap_or_default();
    let due = before.moves(&after).count();
    Report { nodes: held.len(), name: change.name, due, took, tally: cluster.tally.clone(), most }
}

fn run(nodes: usize, seed: u64) {
    let mut cluster = Cluster::new(seed);
    let mut lines = vec![HEAD.to_owned()];
    let mut excesses = Vec::new();
    for change in &CHANGES {
        let report = happen(&mut cluster, change, nodes, seed);
        lines.push(report.line());
        excesses.extend(report.excess(change).map(|what| format!("{}: {what}", change.name)));
    }
    let table = lines.join("\n");
    println!("seed {seed}\n{table}");
    assert!(excesses.is_empty(), "seed {seed}: too much:\n{}\n{table}", excesses.join("\n"));
}

#[test]
fn three_nodes() {
    seeds(5).for_each(|seed| run(3, seed));
}

#[test]
fn thirty_nodes() {
    seeds(5).for_each(|seed| run(30, seed));
}

#[test]
fn three_hundred_nodes() {
    seeds(1).for_each(|seed| run(300, seed));
}
