//! What the store refuses is told at once, whatever becomes of what was sent before it.

use super::{world::*, *};

/// A room, and what it does with inputs one by one.
struct Alone {
    room: Room,
    out: Vec<Effect>,
}

impl Alone {
    fn new() -> Self {
        Self { room: World::group().room, out: Vec::new() }
    }

    fn step(&mut self, input: Input) -> Vec<Effect> {
        self.room.step(input, Millis(1_000), &mut self.out);
        std::mem::take(&mut self.out)
    }

    fn write(&mut self, n: u32, who: u8, intent: Intent) -> Vec<Effect> {
        let seen = self.room.head();
        let (caller, authority) = (Caller::Request(u64::from(n)), Authority::Member);
        self.step(Input::Write(Write {
            caller,
            user: user(who),
            authority,
            client_id: key(n),
            seen,
            again: false,
            after: None,
            intent,
        }))
    }

    /// Writes a message and answers which number it got; none if it was refused.
    fn post(&mut self, n: u32) -> Option<Seq> {
        match &self.write(n, MEMBER, post("hi"))[..] {
            [Effect::Append(event)] => Some(event.seq),
            _ => None,
        }
    }

    fn fails(&mut self, seqs: std::ops::RangeInclusive<Seq>) -> Vec<u64> {
        nacked(&self.step(Input::AppendFailed { seqs }))
    }
}

fn nacked(effects: &[Effect]) -> Vec<u64> {
    let nacked = effects.iter().filter_map(|effect| match effect {
        Effect::Nack { caller: Caller::Request(number), .. } => Some(*number),
        _ => None,
    });
    nacked.collect()
}

#[test]
fn newer_refusals_do_not_wait_for_an_older_write_without_a_fate() {
    let mut alone = Alone::new();
    let first = alone.room.head() + 1;
    assert_eq!([1, 2, 3].map(|n| alone.post(n)), [Some(first), Some(first + 1), Some(first + 2)]);
    assert_eq!(alone.fails(first + 1..=first + 2), [2, 3], "told at once");
    // The number of the first may be in the log and stays its own; those of the others are free.
    assert_eq!(alone.post(4), Some(first + 1));
    assert_eq!(alone.fails(first + 1..=first + 1), [4]);
    let told = alone.step(Input::Appended { seqs: first..=first });
    assert!(told.iter().any(|effect| matches!(effect, Effect::Ack { seq, .. } if *seq == first)), "{told:?}");
    assert_eq!(alone.post(5), Some(first + 1));
    assert!(!alone.room.is_idle());
}

#[test]
fn a_number_is_not_given_again_before_all_behind_it_is_settled() {
    let mut alone = Alone::new();
    let first = alone.room.head() + 1;
    (1..=3).for_each(|n| assert!(alone.post(n).is_some()));
    assert_eq!(alone.fails(first + 1..=first + 1), [0_u64; 0], "what is behind it has no fate yet");
    let refused = alone.write(4, MEMBER, post("hi"));
    assert!(matches!(&refused[..], [Effect::Nack { refusal, .. }] if refusal.code == Code::Unavailable), "{refused:?}");
    assert_eq!(alone.fails(first + 2..=first + 2), [2, 3]);
    assert_eq!(alone.post(5), Some(first + 1));
}

#[test]
fn what_a_refused_write_had_changed_is_as_before_and_what_is_under_way_stays_changed() {
    let mut alone = Alone::new();
    let first = alone.room.head() + 1;
    let put = |who| Intent::Put { user: user(who), role: Some(Role::Admin), muted_until: None };
    assert_eq!(alone.write(1, OWNER, put(MEMBER)).len(), 1);
    assert_eq!(alone.write(2, OWNER, put(OTHER)).len(), 1);
    assert_eq!(alone.fails(first + 1..=first + 1), [2]);
    // One may do by now what only an admin may; the other may not.
    let archive = |on| Intent::Change(RoomChange { archived: Some(on), ..RoomChange::default() });
    assert_eq!(nacked(&alone.write(3, OTHER, archive(true))), [3]);
    assert!(matches!(&alone.write(4, MEMBER, archive(true))[..], [Effect::Append(event)] if event.seq == first + 1));
}

#[test]
fn what_is_refused_by_how_the_room_is_needs_its_owner_and_that_there_is_no_place_does_not() {
    let confirm = |effects: &[Effect]| match effects {
        [Effect::Nack { confirm, refusal, .. }] => (*confirm, refusal.code),
        other => panic!("{other:?}"),
    };
    let mut alone = Alone::new();
    assert_eq!(confirm(&alone.write(1, STRANGER, post("hi"))), (true, Code::NotFound));
    assert_eq!(confirm(&alone.write(2, READER, post("hi"))), (true, Code::Forbidden));
    let remove = Intent::Remove { user: user(STRANGER), ban: false };
    let unchanged = alone.write(3, OWNER, remove);
    assert!(matches!(&unchanged[..], [Effect::Unchanged { confirm: true, .. } | Effect::Nack { confirm: true, .. }]));
    let first = alone.room.head() + 1;
    assert_eq!(alone.post(4), Some(first));
    assert_eq!(confirm(&alone.step(Input::AppendFailed { seqs: first..=first })), (false, Code::Unavailable));
    // Asked for before, it may have happened elsewhere.
    let write = Write {
        caller: Caller::Request(5),
        user: user(MEMBER),
        authority: Authority::Member,
        client_id: key(5),
        seen: alone.room.head(),
        again: true,
        after: None,
        intent: post("hi"),
    };
    assert!(matches!(alone.step(Input::Write(write))[..], [Effect::Append(_)]));
    assert_eq!(confirm(&alone.step(Input::AppendFailed { seqs: first..=first })), (true, Code::Unavailable));
}
