//! Only `[applied] = true` makes an owner, and what was held is held without interruption.

use super::*;

#[test]
fn a_claim_learns_the_epoch_and_takes_the_next() {
    let mut driven = Driven::new();
    assert!(matches!(driven.step(Input::Claim)[..], [Effect::LearnShard { .. }]));
    let found = driven.learned(Some(shard_row(&owner(2), 7)));
    let [Effect::Swap { from: 7, to, .. }] = &found[..] else { panic!("{found:?}") };
    assert_eq!(*to, shard_row(&owner(1), 8));
    assert_eq!(driven.fence.epoch(), None, "asking is not owning");
    assert_eq!(driven.swapped(Swapped::Applied), [Effect::Claimed { epoch: 8 }]);
    assert_eq!(driven.fence.epoch(), Some(8));
}

#[test]
fn a_claim_without_an_answer_is_no_claim_even_if_the_row_names_us_afterwards() {
    let mut driven = Driven::new();
    driven.step(Input::Claim);
    driven.learned(Some(ShardRow::default()));
    assert!(matches!(driven.swapped(Swapped::Unknown)[..], [Effect::LearnShard { .. }]));
    let found = driven.learned(Some(shard_row(&owner(1), 1)));
    assert!(matches!(found[..], [Effect::Swap { from: 1, .. }]), "{found:?}");
    assert_eq!(driven.fence.epoch(), None);
    assert_eq!(driven.swapped(Swapped::Applied), [Effect::Claimed { epoch: 2 }]);
}

#[test]
fn the_answer_to_an_older_try_is_not_taken_for_that_to_the_newest() {
    let mut driven = Driven::new();
    driven.step(Input::Claim);
    driven.learned(Some(ShardRow::default()));
    let first = driven.claim_round;
    driven.swapped(Swapped::Unknown);
    driven.learned(Some(ShardRow::default()));
    assert_eq!(driven.step(Input::Swapped { round: first, swapped: Swapped::Applied }), []);
    assert_eq!(driven.fence.epoch(), None);
}

#[test]
fn who_comes_too_late_owns_nothing() {
    let mut driven = Driven::new();
    driven.step(Input::Claim);
    driven.learned(Some(ShardRow::default()));
    let theirs = shard_row(&owner(2), 1);
    let told = driven.swapped(Swapped::NotApplied(theirs.clone()));
    assert_eq!(told, [Effect::NotClaimed { found: Some(theirs) }]);
    assert_eq!(driven.fence.epoch(), None);
}

#[test]
fn a_try_that_was_decided_twice_over_is_followed_by_the_next_epoch() {
    let mut driven = Driven::new();
    driven.step(Input::Claim);
    driven.learned(Some(ShardRow::default()));
    let next = driven.swapped(Swapped::NotApplied(shard_row(&owner(1), 1)));
    assert!(matches!(next[..], [Effect::Swap { from: 1, .. }]));
}

#[test]
fn a_store_that_never_answers_ends_a_claim() {
    let mut driven = Driven::new();
    let mut effects = driven.step(Input::Claim);
    let mut asked = 0;
    while matches!(effects[..], [Effect::LearnShard { .. }]) {
        asked += 1;
        effects = driven.learned(None);
    }
    assert_eq!(effects, [Effect::NotClaimed { found: None }]);
    assert!((2..100).contains(&asked));
    assert!(matches!(driven.step(Input::Claim)[..], [Effect::LearnShard { .. }]), "and another may begin");
}

#[test]
fn the_next_epoch_of_the_same_owner_leaves_its_rooms_awake() {
    let mut driven = Driven::awake(Vec::new());
    assert!(matches!(driven.step(Input::Claim)[..], [Effect::Swap { from: 1, .. }]));
    assert_eq!(driven.swapped(Swapped::Applied), [Effect::Claimed { epoch: 2 }]);
    driven.room(RoomInput::Append { event: said(1) });
    driven.room(RoomInput::Inserted { seq: 1 });
    let effects = driven.read(Some(shard_row(&owner(1), 2)));
    assert_eq!(told(&effects), [RoomEffect::Committed { seqs: 1..=1 }]);
    let old = driven.step(Input::Wake { room: room(2), stamp: Stamp::new(1, 9) });
    assert_eq!(told(&old), [RoomEffect::Dropped { unsettled: None }], "new wakes are of the new epoch");
}

#[test]
fn an_owner_in_between_ends_what_was_awake() {
    for found_out_by_learning in [true, false] {
        let mut driven = Driven::awake(Vec::new());
        driven.room(RoomInput::Append { event: said(1) });
        driven.step(Input::Claim);
        let theirs = shard_row(&owner(2), 2);
        let effects = if found_out_by_learning {
            driven.swapped(Swapped::Unknown);
            driven.learned(Some(theirs))
        } else {
            driven.swapped(Swapped::NotApplied(theirs))
        };
        assert!(told(&effects).contains(&RoomEffect::Dropped { unsettled: Some(1..=1) }), "{effects:?}");
        assert_eq!(driven.fence.epoch(), None);
    }
}

#[test]
fn what_is_handed_back_is_nobodys_under_the_next_epoch() {
    let mut driven = Driven::awake(Vec::new());
    assert!(driven.fence.is_at_rest());
    let effects = driven.step(Input::Release);
    let [Effect::Room { effect: RoomEffect::Dropped { unsettled: None }, .. }, Effect::Swap { from: 1, to, .. }] =
        &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!(*to, ShardRow { owner: None, epoch: 2 });
    assert_eq!(driven.fence.epoch(), None, "from the moment that it is offered");
    assert_eq!(driven.swapped(Swapped::Unknown), [Effect::Released]);
    assert_eq!(driven.step(Input::Release), [Effect::Released]);
}

#[test]
fn a_release_while_a_claim_is_under_way_ends_the_claim() {
    let mut driven = Driven::new();
    driven.step(Input::Claim);
    driven.learned(Some(ShardRow::default()));
    assert_eq!(driven.step(Input::Release), [Effect::Released]);
    assert_eq!(driven.swapped(Swapped::Applied), []);
    assert_eq!(driven.fence.epoch(), None);
}
