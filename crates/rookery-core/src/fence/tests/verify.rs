//! One read of the shard's row serves every room that had asked when it started, and nobody who asked later.

use super::*;

fn append_one(driven: &mut Driven, number: u128, generation: u64) -> Vec<Effect> {
    driven.at(number, generation, RoomInput::Append { event: said(1) });
    driven.at(number, generation, RoomInput::Inserted { seq: 1 })
}

fn committed(effects: &[Effect]) -> Vec<RoomId> {
    let of = |effect: &Effect| match effect {
        Effect::Room { room, effect: RoomEffect::Committed { .. }, .. } => Some(*room),
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

fn three_rooms() -> Driven {
    let mut driven = Driven::owning();
    for number in 1..=3 {
        driven.wake(number, u64::try_from(number).unwrap(), Vec::new());
    }
    driven
}

#[test]
fn a_read_speaks_of_what_had_succeeded_when_it_started_and_of_nothing_else() {
    let mut driven = three_rooms();
    assert_eq!(reads(&append_one(&mut driven, 1, 1)), 1);
    assert_eq!(reads(&append_one(&mut driven, 2, 2)), 0, "one at a time");
    assert_eq!(reads(&append_one(&mut driven, 3, 3)), 0);
    let first = driven.mine();
    assert_eq!(committed(&first), [room(1)]);
    assert_eq!(reads(&first), 1, "one for all that came meanwhile");
    assert_eq!(committed(&driven.mine()), [room(2), room(3)]);
}

#[test]
fn a_room_that_goes_on_meanwhile_waits_for_the_next_read_with_what_is_new() {
    let mut driven = Driven::awake(Vec::new());
    append_one(&mut driven, 1, 1);
    driven.room(RoomInput::Append { event: said(2) });
    driven.room(RoomInput::Inserted { seq: 2 });
    assert_eq!(told(&driven.mine()), [RoomEffect::Committed { seqs: 1..=1 }]);
    let next = told(&driven.mine());
    assert!(next.starts_with(&[RoomEffect::Committed { seqs: 2..=2 }]), "{next:?}");
}

#[test]
fn a_read_that_gets_no_answer_is_followed_by_another_and_its_answer_comes_too_late() {
    let mut driven = Driven::awake(Vec::new());
    append_one(&mut driven, 1, 1);
    let first = driven.read_round;
    let effects = driven.read(None);
    assert_eq!(reads(&effects), 1);
    let late = Input::ShardRead { round: first, row: Some(shard_row(&owner(1), 1)) };
    assert_eq!(driven.step(late), []);
    assert_eq!(committed(&driven.mine()), [room(1)]);
}

#[test]
fn who_is_superseded_drops_everything_and_says_nothing_final() {
    for theirs in [shard_row(&owner(2), 2), ShardRow { owner: None, epoch: 2 }, shard_row(&owner(1), 9)] {
        let mut driven = three_rooms();
        append_one(&mut driven, 1, 1);
        driven.at(2, 2, RoomInput::Append { event: said(1) });
        let effects = driven.read(Some(theirs.clone()));
        let unsettled = told(&effects);
        let dropped = |first| RoomEffect::Dropped { unsettled: first };
        assert_eq!(unsettled, [dropped(Some(1..=1)), dropped(Some(1..=1)), dropped(None)]);
        assert_eq!(effects.last(), Some(&Effect::Lost { found: theirs }));
        assert_eq!((driven.fence.epoch(), driven.fence.awake()), (None, 0));
        let after = told(&driven.room(RoomInput::Append { event: said(2) }));
        assert_eq!(after, [RoomEffect::Refused { seq: 2, why: Refusal::NotAwake }]);
    }
}

#[test]
fn a_question_is_answered_by_a_read_that_starts_after_it() {
    let mut driven = Driven::awake(Vec::new());
    append_one(&mut driven, 1, 1);
    assert_eq!(driven.room(RoomInput::Confirm { ticket: 5 }), []);
    assert!(!told(&driven.mine()).contains(&RoomEffect::Confirmed { ticket: 5 }));
    assert_eq!(told(&driven.mine()), [RoomEffect::Confirmed { ticket: 5 }]);
    driven.room(RoomInput::Confirm { ticket: 6 });
    let lost = told(&driven.read(Some(shard_row(&owner(2), 2))));
    assert_eq!(lost, [RoomEffect::Unconfirmed { ticket: 6 }, RoomEffect::Dropped { unsettled: None }]);
    assert_eq!(told(&driven.room(RoomInput::Confirm { ticket: 7 })), [RoomEffect::Unconfirmed { ticket: 7 }]);
}

#[test]
fn more_questions_than_may_wait_are_told_so() {
    let mut driven = Driven::awake(Vec::new());
    for ticket in 0..IN_FLIGHT as u64 {
        assert_eq!(told(&driven.room(RoomInput::Confirm { ticket })), []);
    }
    assert_eq!(told(&driven.room(RoomInput::Confirm { ticket: 99 })), [RoomEffect::Unconfirmed { ticket: 99 }]);
}

#[test]
fn an_activation_that_was_replaced_hears_nothing_any_more() {
    let mut driven = Driven::awake(Vec::new());
    driven.room(RoomInput::Append { event: said(1) });
    let effects = driven.step(Input::Wake { room: room(1), stamp: Stamp::new(1, 2) });
    assert_eq!(told(&effects)[0], RoomEffect::Dropped { unsettled: Some(1..=1) });
    assert_eq!(driven.room(RoomInput::Inserted { seq: 1 }), []);
    assert_eq!(driven.room(RoomInput::Head { head: 0 }), []);
    let same = driven.step(Input::Wake { room: room(1), stamp: Stamp::new(1, 2) });
    assert_eq!(told(&same), [RoomEffect::Dropped { unsettled: None }], "a stamp counts once");
}
