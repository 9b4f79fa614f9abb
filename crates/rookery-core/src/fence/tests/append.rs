//! Waking, appending, erasing and the published head, step by step.

use super::*;

fn deletes(seq: Seq, target: Seq) -> Arc<Event> {
    event(seq, Content::Delete { target, attachments: false })
}

#[test]
fn a_tail_is_written_again_and_cut_and_only_then_looked_at() {
    let mut driven = Driven::owning();
    driven.step(Input::Wake { room: room(1), stamp: Stamp::new(1, 1) });
    let asked = told(&driven.room(RoomInput::Head { head: 2 }));
    assert_eq!(asked, [RoomEffect::ReadTail { after: 2, through: 6 }]);
    // What was not asked for is passed over; the log ends before the hole at 5.
    let rows = vec![row(0, 6), row(0, 2), row(0, 3), row(0, 4)];
    let settle = told(&driven.room(RoomInput::Tail { rows }));
    let again = vec![row(1, 3), row(1, 4)];
    assert_eq!(settle[0], RoomEffect::Rewrite { rows: again.clone() });
    let timestamp = cut_timestamp(Stamp::new(1, 1));
    assert_eq!(settle[1], RoomEffect::Cut { after: 4, buckets: 0..=1, timestamp });
    assert!(again[0].timestamp() > timestamp);
    assert_eq!(driven.room(RoomInput::CutDone), []);
    let early = told(&driven.room(RoomInput::Append { event: said(5) }));
    assert_eq!(early, [RoomEffect::Refused { seq: 5, why: Refusal::NotAwake }]);
    assert_eq!(reads(&driven.room(RoomInput::Rewritten)), 1);
    assert_eq!(driven.fence.head(room(1)), None);
    let woken = told(&driven.mine());
    assert_eq!(woken[0], RoomEffect::Woken { head: 4, rows: again });
    assert_eq!(driven.fence.head(room(1)), Some(4));
}

#[test]
fn a_long_tail_is_read_window_by_window() {
    let mut driven = Driven::owning();
    driven.step(Input::Wake { room: room(1), stamp: Stamp::new(1, 1) });
    driven.room(RoomInput::Head { head: 0 });
    let next = told(&driven.room(RoomInput::Tail { rows: (1..=4).map(|seq| row(0, seq)).collect() }));
    assert_eq!(next, [RoomEffect::ReadTail { after: 4, through: 8 }]);
    let settle = told(&driven.room(RoomInput::Tail { rows: vec![row(0, 5)] }));
    assert!(matches!(&settle[0], RoomEffect::Rewrite { rows } if rows.len() == 5), "{settle:?}");
}

#[test]
fn what_does_not_come_is_asked_for_again_the_very_same() {
    let mut driven = Driven::owning();
    let stamp = Stamp::new(1, 1);
    let first = told(&driven.step(Input::Wake { room: room(1), stamp }));
    let again = |driven: &mut Driven, what| told(&driven.room(RoomInput::TimedOut { what }));
    assert_eq!(again(&mut driven, Request::ReadHead), first);
    let first = told(&driven.room(RoomInput::Head { head: 0 }));
    assert_eq!(again(&mut driven, Request::ReadTail), first);
    let first = told(&driven.room(RoomInput::Tail { rows: vec![row(0, 1)] }));
    let both = [again(&mut driven, Request::Rewrite), again(&mut driven, Request::Cut)].concat();
    assert_eq!(both, first);
    driven.room(RoomInput::Rewritten);
    assert_eq!(again(&mut driven, Request::Rewrite), [], "that one came");
    driven.room(RoomInput::CutDone);
    driven.mine();
    let first = told(&driven.room(RoomInput::Append { event: said(2) }));
    assert_eq!(again(&mut driven, Request::Insert { seq: 2 }), first);
    driven.room(RoomInput::Inserted { seq: 2 });
    assert_eq!(again(&mut driven, Request::Insert { seq: 2 }), []);
}

#[test]
fn commits_are_a_prefix_whatever_succeeds_first() {
    let mut driven = Driven::awake(Vec::new());
    for seq in 1..=3 {
        driven.room(RoomInput::Append { event: said(seq) });
    }
    assert_eq!(driven.room(RoomInput::Inserted { seq: 2 }), [], "nothing to look at while 1 is missing");
    driven.room(RoomInput::Inserted { seq: 1 });
    let effects = told(&driven.mine());
    assert_eq!(effects[0], RoomEffect::Committed { seqs: 1..=2 });
}

#[test]
fn what_was_not_sent_is_refused_and_its_number_is_free() {
    let mut driven = Driven::awake(Vec::new());
    let refused = |seq, why| [RoomEffect::Refused { seq, why }];
    let append = |driven: &mut Driven, seq| told(&driven.room(RoomInput::Append { event: said(seq) }));
    assert_eq!(append(&mut driven, 2), refused(2, Refusal::OutOfOrder));
    for seq in 1..=IN_FLIGHT as u64 {
        assert!(matches!(append(&mut driven, seq)[..], [RoomEffect::Insert { .. }]));
    }
    assert_eq!(append(&mut driven, 5), refused(5, Refusal::Full));
    assert_eq!(append(&mut driven, 6), refused(6, Refusal::OutOfOrder));
    driven.room(RoomInput::Inserted { seq: 1 });
    driven.mine();
    assert!(matches!(append(&mut driven, 5)[..], [RoomEffect::Insert { .. }]));
}

#[test]
fn who_has_waited_long_enough_is_told_what_is_unknown() {
    let mut driven = Driven::awake(vec![row(0, 1)]);
    driven.room(RoomInput::Append { event: said(2) });
    driven.room(RoomInput::Append { event: said(3) });
    driven.room(RoomInput::Inserted { seq: 2 });
    assert_eq!(told(&driven.room(RoomInput::Abandon)), [RoomEffect::Dropped { unsettled: Some(2..=3) }]);
    assert_eq!(driven.fence.awake(), 0);
}

#[test]
fn only_a_room_at_rest_falls_asleep() {
    let mut driven = Driven::awake(Vec::new());
    driven.room(RoomInput::Append { event: said(1) });
    assert_eq!(driven.room(RoomInput::Sleep), []);
    assert!(!driven.fence.is_at_rest());
    driven.room(RoomInput::Inserted { seq: 1 });
    driven.mine();
    assert_eq!(told(&driven.room(RoomInput::Sleep)), [RoomEffect::Asleep]);
    assert_eq!(driven.fence.awake(), 0);
}

#[test]
fn the_head_is_published_now_and_then_and_when_there_is_a_pause() {
    let mut driven = Driven::awake(Vec::new());
    let commit = |driven: &mut Driven, seq| {
        driven.room(RoomInput::Append { event: said(seq) });
        driven.room(RoomInput::Inserted { seq });
        told(&driven.mine())
    };
    assert_eq!(commit(&mut driven, 1), [RoomEffect::Committed { seqs: 1..=1 }]);
    assert_eq!(told(&driven.room(RoomInput::Rest)), [RoomEffect::PublishHead { head: 1 }]);
    assert_eq!(commit(&mut driven, 2), [RoomEffect::Committed { seqs: 2..=2 }], "one at a time");
    driven.room(RoomInput::HeadPublished { head: 1 });
    assert_eq!(commit(&mut driven, 3)[1], RoomEffect::PublishHead { head: 3 });
    let again = told(&driven.room(RoomInput::TimedOut { what: Request::PublishHead }));
    assert_eq!(again, [RoomEffect::PublishHead { head: 3 }]);
    driven.room(RoomInput::HeadPublished { head: 3 });
    assert_eq!(told(&driven.room(RoomInput::Rest)), []);
}

#[test]
fn the_head_waits_for_words_to_be_gone_for_good() {
    let mut driven = Driven::awake(vec![row(0, 1)]);
    driven.room(RoomInput::Append { event: deletes(2, 1) });
    driven.room(RoomInput::Inserted { seq: 2 });
    let timestamp = erase_timestamp(Stamp::new(1, 1));
    let erase = RoomEffect::Erase { target: 1, delete: 2, timestamp };
    assert_eq!(told(&driven.mine()), [RoomEffect::Committed { seqs: 2..=2 }, erase.clone()]);
    assert_eq!(told(&driven.room(RoomInput::Rest)), [RoomEffect::PublishHead { head: 1 }]);
    driven.room(RoomInput::HeadPublished { head: 1 });
    let again = told(&driven.room(RoomInput::TimedOut { what: Request::Erase { delete: 2 } }));
    assert_eq!(again, [erase]);
    assert_eq!(reads(&driven.room(RoomInput::Erased { delete: 2 })), 1);
    assert_eq!(told(&driven.room(RoomInput::Rest)), [], "somebody else may have read the words before");
    driven.mine();
    assert_eq!(told(&driven.room(RoomInput::Rest)), [RoomEffect::PublishHead { head: 2 }]);
}

#[test]
fn a_delete_in_the_tail_is_carried_out_again() {
    let mut driven = Driven::owning();
    driven.step(Input::Wake { room: room(1), stamp: Stamp::new(1, 1) });
    driven.room(RoomInput::Head { head: 0 });
    let rows = vec![row(0, 1), Row { stamp: Stamp(0), event: deletes(2, 1) }];
    driven.room(RoomInput::Tail { rows });
    driven.room(RoomInput::Rewritten);
    driven.room(RoomInput::CutDone);
    let woken = told(&driven.mine());
    let timestamp = erase_timestamp(Stamp::new(1, 1));
    assert_eq!(woken[1], RoomEffect::Erase { target: 1, delete: 2, timestamp });
}
