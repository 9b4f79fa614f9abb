//! What one connection says keeps its order, whatever part of it reaches the room.

use proptest::prelude::*;

use super::*;

fn room() -> Room {
    let log = beginning(Visibility::Private);
    Room::wake(replay::State::after(RoomKind::Group, &log).snapshot(&log, RECENT), 100)
}

fn write(number: u32, who: u8, after: Option<u32>, intent: Intent) -> Write {
    Write {
        caller: Caller::Request(u64::from(number)),
        user: user(who),
        authority: Authority::Member,
        client_id: key(number),
        seen: 1_000,
        again: false,
        after: after.map(key),
        intent,
    }
}

fn post(number: u32, after: Option<u32>) -> Write {
    write(number, MEMBER, after, super::post("hi"))
}

fn step(room: &mut Room, input: Input) -> Vec<Effect> {
    let mut out = Vec::new();
    room.step(input, Millis(0), &mut out);
    out
}

/// Whether the room leaves it open what becomes of a write.
fn is_left_open(room: &mut Room, write: Write) -> bool {
    let out = step(room, Input::Write(write));
    matches!(out[..], [Effect::Undecided { .. }])
}

#[test]
fn what_comes_after_something_that_the_room_has_not_seen_is_left_open() {
    let mut room = room();
    assert!(is_left_open(&mut room, post(2, Some(1))));
    assert!(!is_left_open(&mut room, post(1, None)));
    assert!(!is_left_open(&mut room, post(2, Some(1))), "in flight is seen");
    let (first, last) = (room.head() + 1, room.head() + 2);
    step(&mut room, Input::Appended { seqs: first..=last });
    assert!(!is_left_open(&mut room, post(3, Some(2))), "so is what is durable");
    assert!(!is_left_open(&mut room, post(2, Some(9))), "what happened is acknowledged whatever came before it");
}

#[test]
fn what_was_refused_or_changed_nothing_was_seen_too() {
    let mut room = room();
    assert!(!is_left_open(&mut room, write(1, READER, None, super::post("hi"))));
    assert!(!is_left_open(&mut room, write(2, READER, Some(1), super::post("hi"))), "refused like the first");
    let is_in_already = Intent::Put { user: user(MEMBER), role: None, muted_until: None };
    assert!(!is_left_open(&mut room, write(3, OWNER, None, is_in_already)));
    assert!(!is_left_open(&mut room, write(4, OWNER, Some(3), super::post("hi"))));
    // What the store refused, and the answer to which is still on its way.
    let seq = room.head() + 1;
    step(&mut room, Input::AppendFailed { seqs: seq..=seq });
    assert!(!is_left_open(&mut room, write(5, OWNER, Some(4), super::post("hi"))));
}

#[test]
fn what_may_be_asked_again_instead_of_refused_is_not_passed() {
    let mut room = room();
    let asked_again = |number, after| Write { again: true, ..post(number, after) };
    step(&mut room, Input::Write(asked_again(1, None)));
    let seq = room.head() + 1;
    let refused = step(&mut room, Input::AppendFailed { seqs: seq..=seq });
    assert!(matches!(refused[..], [Effect::Nack { confirm: true, .. }]), "told only if it is confirmed: {refused:?}");
    assert!(is_left_open(&mut room, post(2, Some(1))));
    let by_the_room = Write { again: true, ..write(3, READER, None, super::post("hi")) };
    step(&mut room, Input::Write(by_the_room));
    assert!(is_left_open(&mut room, write(4, OWNER, Some(3), super::post("hi"))));
    assert!(!is_left_open(&mut room, write(5, READER, Some(3), super::post("hi"))), "what is refused overtakes nobody");
}

proptest! {
    /// A connection sends so many writes one after the other, each naming the one before it; some are lost, and what was
    /// lost or left open is sent again, with what is unanswered then.
    #[test]
    fn the_log_has_them_in_the_order_in_which_they_were_said(lost in proptest::collection::vec(0_u32..40, 0..60)) {
        let (mut room, mut logged) = (room(), Vec::new());
        let mut unanswered: Vec<u32> = (1..=20).collect();
        let mut losses = lost.into_iter();
        while !unanswered.is_empty() {
            let mut before = None;
            for number in unanswered.clone() {
                // Some of the attempts never reach the room.
                let after = before.replace(number);
                if losses.next().is_some_and(|lost| lost % 2 == 0) {
                    continue;
                }
                for effect in step(&mut room, Input::Write(post(number, after))) {
                    if let Effect::Append(event) = effect {
                        logged.push(number);
                        step(&mut room, Input::Appended { seqs: event.seq..=event.seq });
                        unanswered.retain(|other| *other != number);
                    }
                }
            }
        }
        prop_assert_eq!(logged, (1..=20).collect::<Vec<_>>());
    }
}
