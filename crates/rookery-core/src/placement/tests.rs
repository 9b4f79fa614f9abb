//! Nothing moves that need not, everybody has about as much as everybody else, and everybody comes to the same end.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn node(number: usize) -> NodeId {
    NodeId::from(format!("node-{number}").as_str())
}

fn placement(numbers: impl IntoIterator<Item = usize>) -> Placement {
    let mut placement = Placement::new();
    numbers.into_iter().for_each(|number| placement.set(&node(number), false));
    placement
}

/// How many shards the fullest node has, against the mean.
fn fullest(placement: &Placement) -> f64 {
    let counts = placement.nodes().map(|node| placement.shards_of(node).count());
    let most = counts.max().unwrap_or_default();
    most as f64 * placement.nodes().count() as f64 / f64::from(SHARDS)
}

fn registry_fullest(placement: &Placement) -> f64 {
    let all: Vec<_> = (0..REGISTRY_SHARDS).filter_map(|part| placement.registry(RegistryShard(part))).collect();
    let counts = placement.nodes().map(|node| all.iter().filter(|owner| **owner == node).count());
    counts.max().unwrap_or_default() as f64 * placement.nodes().count() as f64 / f64::from(REGISTRY_SHARDS)
}

#[test]
fn nobody_has_much_more_than_the_others() {
    for (nodes, bound) in [(3, 1.15), (30, 1.6), (300, 3.6)] {
        let placement = placement(0..nodes);
        let (rooms, registry) = (fullest(&placement), registry_fullest(&placement));
        assert!(rooms < bound && registry < bound, "{nodes} nodes: {rooms:.2} and {registry:.2}");
    }
}

#[test]
fn names_that_resemble_each_other_make_no_difference() {
    for names in [["a", "b", "c"], ["10.0.0.1", "10.0.0.2", "10.0.0.3"], ["rookery-0", "rookery-1", "rookery-2"]] {
        let mut placement = Placement::new();
        names.iter().for_each(|name| placement.set(&NodeId::from(*name), false));
        assert!(fullest(&placement) < 1.15, "{names:?}: {}", fullest(&placement));
    }
}

/// Nodes of one cluster may be of two versions, so scores must not change; a golden value.
#[test]
fn scores_are_for_ever() {
    let placement = placement(0..5);
    let owners = [0_u16, 1, 17, 512, 1_023].map(|shard| placement.owner(ShardId(shard)).unwrap().to_string());
    assert_eq!(owners, GOLDEN);
    let user = UserId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));
    assert_eq!(RegistryShard::of(user), RegistryShard(GOLDEN_PART));
    assert_eq!(placement.registry(RegistryShard(0)), Some(&node(GOLDEN_REGISTRY)));
}

const GOLDEN: [&str; 5] = ["node-3", "node-3", "node-1", "node-0", "node-3"];
const GOLDEN_PART: u16 = 667;
const GOLDEN_REGISTRY: usize = 3;

#[test]
fn users_spread_evenly_over_the_registry() {
    let mut counts = vec![0_u32; usize::from(REGISTRY_SHARDS)];
    for number in 0..102_400_u128 {
        let user = UserId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number * 7_919));
        counts[usize::from(RegistryShard::of(user).0)] += 1;
    }
    assert!(counts.iter().all(|count| (50..=160).contains(count)), "{counts:?}");
}

#[test]
fn rooms_and_users_are_placed_independently() {
    let placement = placement(0..10);
    let both = |part| placement.owner(ShardId(part)) == placement.registry(RegistryShard(part));
    let same = (0..SHARDS).filter(|part| both(*part)).count();
    assert!((60..160).contains(&same), "{same} of {SHARDS} in one place, by chance {}", SHARDS / 10);
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Come(usize),
    Drain(usize),
    Go(usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let one = prop_oneof![
        3 => (0_usize..12).prop_map(Change::Come),
        1 => (0_usize..12).prop_map(Change::Drain),
        2 => (0_usize..12).prop_map(Change::Go),
    ];
    proptest::collection::vec(one, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A change moves shards to the node that comes, or from the one that goes or drains, and no other; and however nodes
    /// came and went, the end is the same as if only those had come that are there.
    #[test]
    fn only_what_must_moves_and_only_who_is_there_counts(changes in changes()) {
        let mut placement = Placement::new();
        for change in changes {
            let before = placement.clone();
            let (number, comes) = match change {
                Change::Come(number) => { placement.set(&node(number), false); (number, true) }
                Change::Drain(number) => { placement.set(&node(number), true); (number, false) }
                Change::Go(number) => { placement.remove(&node(number)); (number, false) }
            };
            for (shard, from, to) in before.moves(&placement) {
                let who = if comes { to } else { from };
                prop_assert_eq!(who, Some(&node(number)), "{:?} moved {:?} for {:?}", shard, (from, to), change);
            }
        }
        let mut fresh = Placement::new();
        let mut there: Vec<NodeId> = placement.nodes().cloned().collect();
        there.reverse();
        there.iter().for_each(|node| fresh.set(node, false));
        placement.draining().for_each(|node| fresh.set(node, true));
        prop_assert_eq!(&fresh, &placement);
    }

    /// When one node comes, it gets about its share.
    #[test]
    fn who_comes_gets_its_share(nodes in 2_usize..40, salt in 0_usize..1_000) {
        let numbers: Vec<usize> = (0..nodes).map(|number| number + salt * 1_000).collect();
        let mut placement = placement(numbers);
        let before = placement.clone();
        placement.set(&node(salt * 1_000 + 999), false);
        let moved = before.moves(&placement).count() as f64;
        let share = f64::from(SHARDS) / (nodes as f64 + 1.0);
        prop_assert!(moved > share - 5.0 * share.sqrt() && moved < share + 5.0 * share.sqrt(), "{} of {}", moved, share);
    }
}

#[test]
fn nobody_owns_anything_where_nobody_is() {
    let mut placement = placement(0..1);
    assert_eq!(placement.shards_of(&node(0)).count(), usize::from(SHARDS));
    placement.set(&node(0), true);
    assert_eq!(placement.owner(ShardId(0)), None);
    assert_eq!(placement.duty(ShardId(0), &node(0), &Holder::Me), Duty::GiveBack);
    placement.set(&node(0), false);
    assert_eq!(placement.duty(ShardId(0), &node(0), &Holder::Me), Duty::Nothing, "it stays after all");
}

#[test]
fn only_the_one_who_should_own_a_shard_does_something_about_it() {
    let placement = placement(0..3);
    let shard = ShardId(5);
    let owner = placement.owner(shard).unwrap().clone();
    let other = (0..3).map(node).find(|node| *node != owner).unwrap();
    let duty = |holder| placement.duty(shard, &owner, &holder);
    assert_eq!(duty(Holder::Nobody), Duty::Claim);
    assert_eq!(duty(Holder::Me), Duty::Nothing);
    assert_eq!(duty(Holder::Alive(other.clone())), Duty::AskFor(other.clone()));
    assert_eq!(duty(Holder::Dead(other.clone())), Duty::Claim);
    assert_eq!(duty(Holder::Unheard(other.clone())), Duty::Wait);
    assert_eq!(duty(Holder::TookOver(other.clone())), Duty::Wait);
    let not_mine = |holder| placement.duty(shard, &other, &holder);
    assert_eq!(not_mine(Holder::Me), Duty::HandOver(owner.clone()));
    for holder in [Holder::Nobody, Holder::Alive(owner.clone()), Holder::Dead(owner.clone()), Holder::Unheard(owner)] {
        assert_eq!(not_mine(holder.clone()), Duty::Nothing, "{holder:?}");
    }
}

#[test]
fn the_reason_is_said_in_words() {
    let mut placement = placement(0..3);
    let shard = ShardId(5);
    let owner = placement.owner(shard).unwrap().clone();
    let why = placement.why(shard, Some(&owner));
    let next = why.next.clone().unwrap();
    assert_eq!(why.to_string(), format!("{owner} scores highest of 3 nodes, then {next}"));
    placement.set(&owner, true);
    let why = placement.why(shard, Some(&owner));
    assert_eq!(why.owner, Some(next.clone()), "the next one follows");
    let told = why.to_string();
    assert!(told.starts_with(&format!("{next} scores highest of 2 nodes, then ")), "{told}");
    assert!(told.ends_with(&format!("; {owner} still has it; draining: {owner}")), "{told}");
    assert_eq!(Placement::new().why(shard, None).to_string(), "no node is there that may own it");
    let alone = super::tests::placement(0..1).why(shard, None).to_string();
    assert_eq!(alone, "node-0 is the only node that may own it; nobody has it, so it is claimed when it is needed");
}
