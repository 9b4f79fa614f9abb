//! Stamps only grow, a room is woken once, and one that panics on the same thing is shut.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn room(n: u8) -> RoomId {
    RoomId(Uuid::from_u128(u128::from(n)))
}

fn step(shard: &mut Shard, input: Input) -> Vec<Effect> {
    let mut out = Vec::new();
    shard.step(input, Millis(0), &mut out);
    out
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Want(u8),
    Retire(u8),
    Panic(u8, u64),
    Fence,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => (0_u8..4).prop_map(Move::Want),
        2 => (0_u8..4).prop_map(Move::Retire),
        1 => (0_u8..4, 0_u64..2).prop_map(|(room, on)| Move::Panic(room, on)),
        1 => Just(Move::Fence),
    ];
    proptest::collection::vec(one, 1..200)
}

proptest! {
    /// Whatever happens, each wake of any room has a larger stamp than all before, and nobody wakes a room that is awake.
    #[test]
    fn stamps_only_grow(moves in moves()) {
        let mut shard = Shard::new(ShardId(7));
        let (mut last, mut epoch) = (Stamp(0), 0);
        let mut awake = BTreeSet::new();
        for next in moves {
            let mut effects = match next {
                Move::Want(n) => step(&mut shard, Input::Wanted { room: room(n) }),
                Move::Retire(n) => { awake.remove(&room(n)); step(&mut shard, Input::Retired { room: room(n) }) }
                Move::Panic(n, on) if awake.remove(&room(n)) => step(&mut shard, Input::Panicked { room: room(n), on }),
                Move::Panic(..) => Vec::new(),
                Move::Fence => step(&mut shard, Input::Fenced),
            };
            while let Some(effect) = effects.pop() {
                match effect {
                    Effect::Claim { .. } => { epoch += 1; effects.extend(step(&mut shard, Input::Claimed { epoch })); }
                    Effect::Wake { room, stamp } => {
                        prop_assert!(stamp > last);
                        prop_assert!(awake.insert(room), "woken twice");
                        prop_assert_eq!(stamp.epoch(), epoch);
                        last = stamp;
                    }
                    Effect::Sleep { room } => { awake.remove(&room); }
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn the_same_panic_three_times_shuts_the_room() {
    let mut shard = Shard::new(ShardId(0));
    step(&mut shard, Input::Wanted { room: room(1) });
    step(&mut shard, Input::Claimed { epoch: 1 });
    for _ in 1..QUARANTINE_AFTER {
        assert_eq!(step(&mut shard, Input::Panicked { room: room(1), on: 5 }), [Effect::Restarted { room: room(1) }]);
        step(&mut shard, Input::Wanted { room: room(1) });
    }
    assert_eq!(step(&mut shard, Input::Panicked { room: room(1), on: 5 }), [Effect::Quarantined { room: room(1) }]);
    let refused = step(&mut shard, Input::Wanted { room: room(1) });
    assert!(matches!(refused[..], [Effect::RefuseShut { .. }]), "{refused:?}");
    step(&mut shard, Input::Release { room: room(1) });
    assert!(matches!(step(&mut shard, Input::Wanted { room: room(1) })[..], [Effect::Wake { .. }]));
}

#[test]
fn different_panics_do_not_add_up() {
    let mut shard = Shard::new(ShardId(0));
    step(&mut shard, Input::Claimed { epoch: 1 });
    for on in 0..10 {
        step(&mut shard, Input::Wanted { room: room(1) });
        assert_eq!(step(&mut shard, Input::Panicked { room: room(1), on }), [Effect::Restarted { room: room(1) }]);
    }
}

#[test]
fn without_a_claim_nothing_wakes() {
    let mut shard = Shard::new(ShardId(3));
    assert_eq!(step(&mut shard, Input::Wanted { room: room(1) }), [Effect::Claim { shard: ShardId(3) }]);
    assert_eq!(step(&mut shard, Input::Wanted { room: room(2) }), []);
    assert_eq!(step(&mut shard, Input::ClaimFailed).len(), 2);
}

#[test]
fn what_is_offered_is_claimed_before_anybody_wants_it_and_only_once() {
    let mut shard = Shard::new(ShardId(3));
    assert_eq!(step(&mut shard, Input::Offered), [Effect::Claim { shard: ShardId(3) }]);
    assert_eq!(step(&mut shard, Input::Offered), []);
    assert_eq!(step(&mut shard, Input::Wanted { room: room(1) }), [], "it waits for the claim");
    assert!(matches!(step(&mut shard, Input::Claimed { epoch: 4 })[..], [Effect::Wake { .. }]));
    assert_eq!(step(&mut shard, Input::Offered), []);
}

#[test]
fn who_is_outrun_claims_once_more_and_then_refuses() {
    let claim = [Effect::Claim { shard: ShardId(3) }];
    let mut shard = Shard::new(ShardId(3));
    assert_eq!(step(&mut shard, Input::Wanted { room: room(1) }), claim);
    assert_eq!(step(&mut shard, Input::Outrun), claim);
    assert_eq!(step(&mut shard, Input::Wanted { room: room(2) }), [], "a claim is under way");
    let refused = [room(1), room(2)].map(|room| Effect::Refuse { room });
    assert_eq!(step(&mut shard, Input::Outrun), refused);
    assert_eq!(step(&mut shard, Input::Wanted { room: room(1) }), claim);
    assert_eq!(step(&mut shard, Input::Outrun), claim, "each claim has its second try");
    assert!(matches!(step(&mut shard, Input::Claimed { epoch: 4 })[..], [Effect::Wake { .. }]));
}
