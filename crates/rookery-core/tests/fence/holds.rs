//! Everything that can happen, gone through to the end, and no promise broken.

use crate::{
    faults::MOST,
    search::{Outcome, Until, search},
    settings::{Again, PLAIN, Settings},
};

/// What has to happen in a search with several owners and messages for it to have shown something.
const MUST_HAPPEN: [&str; 4] = [
    "all messages are acknowledged",
    "an owner adopts what nobody had acknowledged",
    "somebody acknowledges while a newer claim is decided and not known",
    "a later owner acknowledges after an earlier one",
];

fn goes_through(name: &str, settings: &Settings) {
    let Outcome { states, is_whole, broken, reached } = search(settings, Until::Whole);
    println!("{name}: {states} states");
    for (what, times) in &reached {
        println!("    {times:>9} times {what}");
    }
    for promise in broken.keys() {
        // There is a shorter way than the one that was found first.
        let nearest = search(settings, Until::Broken(*promise, MOST)).broken.remove(promise);
        println!("{promise:?} is broken:\n  {}", nearest.unwrap_or_default().join("\n  "));
    }
    assert!(is_whole, "{name}: {:?}", broken.keys());
    let of_several = if settings.claims == 1 { 1 } else { 2 + usize::from(settings.messages).min(2) };
    for what in &MUST_HAPPEN[..of_several] {
        assert!(reached.contains_key(*what), "{name}: never did it happen that {what}");
    }
}

const TWO: Settings = Settings { claims: 2, ..PLAIN };

#[test]
fn two_owners_whatever_happens() {
    goes_through("two claims, every step apart", &TWO);
}

#[test]
fn two_owners_and_arrivals_as_steps_of_their_own() {
    let settings = Settings { arrivals: true, messages: 1, ..TWO };
    goes_through("two claims, one message, every arrival a step", &settings);
}

#[test]
fn two_owners_and_three_messages_under_way() {
    let settings = Settings { messages: 3, in_flight: 3, ..TWO };
    goes_through("two claims, three messages, three in flight", &settings);
}

/// The hardest case for three: what is acknowledged at the earliest must be kept longest.
#[test]
fn three_owners_who_verify_at_once() {
    goes_through("three claims, verified at once", &Settings { instant: true, ..PLAIN });
}

#[test]
fn two_owners_whose_answers_get_lost() {
    let settings = Settings { losses: true, unanswered: true, messages: 2, in_flight: 1, ..TWO };
    goes_through("two claims, lost answers, unanswered claims, one in flight", &settings);
}

#[test]
fn two_owners_who_start_from_the_published_head() {
    goes_through("two claims, from the published head", &Settings { heads: true, ..TWO });
}

#[test]
fn a_room_that_is_woken_again_in_the_same_epoch() {
    let settings = Settings { instant: true, again: Again::NextStamp, ..TWO };
    goes_through("two claims, the next stamp", &settings);
}

#[test]
fn a_room_that_goes_on_while_its_owner_claims_the_next_epoch() {
    let settings = Settings { instant: true, unanswered: true, messages: 1, again: Again::NextEpoch, ..TWO };
    goes_through("two claims, the next epoch of the same owner", &settings);
}

#[test]
fn words_that_are_taken_back_stay_gone() {
    let settings = Settings { deletes: true, heads: true, ..TWO };
    goes_through("two claims, a delete", &settings);
    let settings = Settings { claims: 1, instant: true, again: Again::NextStamp, ..settings };
    goes_through("one claim, a delete, the next stamp", &settings);
}

#[test]
fn what_a_verified_owner_does_not_find_never_appears() {
    goes_through("two claims, each message sent once", &Settings { once: true, ..TWO });
}

#[test]
fn a_question_is_answered_by_who_was_the_owner_when_it_came() {
    goes_through("two claims, a question", &Settings { questions: true, ..TWO });
}

/// Minutes to hours each. When they were last gone through they had these states:
///
/// | search | states |
/// |---|---|
/// | a delete, three claims, verified at once | 4,896,187 |
/// | three claims, from the published head, verified at once | 1,779,230 |
/// | two claims, lost answers, unanswered claims | 89,305 |
/// | three claims, each message sent once, verified at once | 1,052,272 |
/// | two claims, the next epoch, unanswered claims | 3,154,938 |
/// | two claims, the next stamp, every step apart | 1,546,369 |
/// | two claims, the next epoch, every step apart | 2,479,038 |
/// | three claims, every step apart | 5,144,747 |
/// | three claims, three messages, verified at once | 24,439,640 |
/// | a delete, two claims, the next stamp | 2,504,373 |
/// | a delete, three claims, every step apart | 15,060,596 |
/// | three claims, the next stamp, verified at once | not to the end: nothing wrong in half an hour |
/// | four claims, verified at once | not gone through yet |
#[test]
fn larger_searches() {
    let Some(wanted) = std::env::var_os("ROOKERY_FENCE_FULL") else {
        println!("left out: ROOKERY_FENCE_FULL=1, or a word of a name, goes through the larger searches");
        return;
    };
    let wanted = wanted.to_string_lossy().into_owned();
    let instant = Settings { instant: true, ..PLAIN };
    let searches = [
        ("a delete, three claims, verified at once", Settings { deletes: true, heads: true, ..instant }),
        ("three claims, from the published head, verified at once", Settings { heads: true, ..instant }),
        ("two claims, lost answers, unanswered claims", Settings { losses: true, unanswered: true, ..TWO }),
        ("three claims, each message sent once, verified at once", Settings { once: true, ..instant }),
        (
            "two claims, the next epoch, unanswered claims",
            Settings { claims: 2, unanswered: true, again: Again::NextEpoch, ..instant },
        ),
        ("two claims, the next stamp, every step apart", Settings { again: Again::NextStamp, ..TWO }),
        ("two claims, the next epoch, every step apart", Settings { again: Again::NextEpoch, ..TWO }),
        ("three claims, every step apart", PLAIN),
        ("three claims, three messages, verified at once", Settings { messages: 3, ..instant }),
        ("three claims, the next stamp, verified at once", Settings { again: Again::NextStamp, ..instant }),
        (
            "a delete, two claims, the next stamp",
            Settings { claims: 2, again: Again::NextStamp, deletes: true, heads: true, ..instant },
        ),
        ("a delete, three claims, every step apart", Settings { deletes: true, heads: true, ..PLAIN }),
        ("four claims, verified at once", Settings { claims: 4, ..instant }),
    ];
    for (name, settings) in searches.iter().filter(|(name, _)| wanted == "1" || name.contains(&wanted)) {
        goes_through(name, settings);
    }
}
