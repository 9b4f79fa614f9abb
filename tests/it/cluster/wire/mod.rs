//! The bytes between nodes: held by golden files, and bad ones are refused and never more than that.

pub(super) mod samples;

use std::collections::BTreeSet;

use proptest::prelude::*;
use rookery::cluster::{
    door::hello::{self, Hello, Words},
    wire::{
        Blob, Class, Envelope, LARGEST, Refused, TooLarge, VERSION,
        frame::{self, Batch, Frame},
    },
};

use self::samples::id;

const ENVELOPES: &str = include_str!("../../../golden/envelope-v1.txt");
const AROUND: &str = include_str!("../../../golden/link-v1.txt");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// The lines that the samples make, to be compared with the file's: a difference is a break of the protocol.
fn held(file: &str, lines: &[String]) {
    let golden: Vec<&str> = file.lines().filter(|line| !line.starts_with('#')).collect();
    let changed: Vec<String> = lines
        .iter()
        .filter(|line| !golden.contains(&line.as_str()))
        .map(|line| format!("  {line}"))
        .chain(golden.iter().filter(|line| !lines.iter().any(|made| made == *line)).map(|line| format!("- {line}")))
        .collect();
    assert!(
        changed.is_empty(),
        "nodes of the version before could not read this. New kinds go to the end of their enum and get new lines; what \
         changes otherwise needs a new version. Lines that are new, and (-) lines that are not made any more:\n{}",
        changed.join("\n")
    );
}

#[test]
fn the_bytes_of_every_envelope_are_as_they_were() {
    let lines: Vec<String> = samples::all()
        .into_iter()
        .map(|(name, envelope)| format!("{name} {}", hex(&envelope.encode().unwrap())))
        .collect();
    held(ENVELOPES, &lines);
}

#[test]
fn the_golden_bytes_are_read_as_what_they_were() {
    let samples = samples::all();
    for line in ENVELOPES.lines().filter(|line| !line.starts_with('#')) {
        let (name, bytes) = line.split_once(' ').unwrap();
        let (_, expected) = samples.iter().find(|(sample, _)| *sample == name).unwrap();
        assert_eq!(Envelope::decode(&unhex(bytes)).as_ref(), Ok(expected), "{name}");
    }
}

/// A kind that has no sample would have no golden bytes. What stands before the byte that says the kind is the same for all
/// samples of an enum.
#[test]
fn every_kind_has_its_golden_bytes() {
    let samples = samples::all();
    let bytes: Vec<_> = samples.iter().map(|(_, envelope)| envelope.encode().unwrap()).collect();
    let before = |name: &str, length: usize| {
        let at = samples.iter().position(|(sample, _)| *sample == name).unwrap();
        bytes[at][..length].to_vec()
    };
    let enums = [
        ("envelopes", vec![VERSION]),
        ("to a room", before("post", 18)),
        ("intents", before("post", 99)),
        ("registry", before("present", 2)),
        ("user notes", before("to-user", 19)),
        ("asks", before("ask-pulse", 8)),
        ("answers", before("told-done", 5)),
    ];
    for (what, prefix) in enums {
        let kinds: BTreeSet<u8> =
            bytes.iter().filter_map(|bytes| bytes.strip_prefix(&prefix[..])?.first().copied()).collect();
        let count = u8::try_from(kinds.len()).unwrap();
        assert!(count > 1, "{what}");
        assert_eq!(kinds, (0..count).collect(), "{what}");
        let next = [&prefix[..], &[count]].concat();
        assert_eq!(Envelope::decode(&next), Err(Refused::Unknown), "{what}: there is a kind without a sample");
    }
}

#[test]
fn the_bytes_around_envelopes_are_as_they_were() {
    let token = [0xab; 16];
    let mut batch = Batch::new(token, 64);
    batch.push(b"one");
    batch.push(b"");
    let hello = Words::Hello(Hello {
        cluster: "birds".to_owned(),
        node: "n1".to_owned(),
        incarnation: 1_795_575_346_256,
        relays: 2,
        token,
    });
    let lines = [
        format!("batch {}", hex(&batch.into_bytes())),
        format!("beat {}", hex(&frame::beat(token, 70_000))),
        format!("hello {}", hex(&hello::encode(&hello, 1, 1))),
        format!("hello-refused {}", hex(&hello::encode(&Words::Refused("no".to_owned()), 1, 1))),
    ];
    held(AROUND, &lines);
}

#[test]
fn a_batch_is_read_as_it_was_written_and_a_torn_one_to_where_it_is_torn() {
    let token = [7; 16];
    let mut batch = Batch::new(token, 0);
    for envelope in [&b"one"[..], b"", b"three"] {
        batch.push(envelope);
    }
    let bytes = batch.into_bytes();
    let read = |bytes: &[u8]| match frame::read(bytes) {
        Some(Frame::Batch { token: read, mut envelopes }) => {
            assert_eq!(read, token);
            let found: Vec<Vec<u8>> = envelopes.by_ref().map(<[u8]>::to_vec).collect();
            (found, envelopes.is_broken())
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(read(&bytes), (vec![b"one".to_vec(), vec![], b"three".to_vec()], false));
    assert_eq!(read(&bytes[..bytes.len() - 1]), (vec![b"one".to_vec(), vec![]], true));
    let mut lying = bytes.clone();
    lying[17..21].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(read(&lying), (vec![], true));
}

#[test]
fn another_version_another_kind_and_anything_behind_the_end_are_refused() {
    let bytes = Envelope::Head { room: id(1), head: 7 }.encode().unwrap();
    let with = |version: u8| [&[version], &bytes[1..]].concat();
    assert_eq!(Envelope::decode(&with(0)), Err(Refused::Version(0)));
    assert_eq!(Envelope::decode(&with(VERSION + 1)), Err(Refused::Version(VERSION + 1)));
    assert_eq!(Envelope::decode(&[]), Err(Refused::Empty));
    assert_eq!(Envelope::decode(&[VERSION, 200]), Err(Refused::Unknown));
    assert_eq!(Envelope::decode(&[&bytes[..], &[0]].concat()), Err(Refused::Malformed));
}

/// Without a limit the process would end here: eight hostile bytes say that a list of 2^60 follows.
#[test]
fn a_length_that_lies_allocates_nothing() {
    const LIE: [u8; 9] = [253, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
    for (_, envelope) in samples::all() {
        let bytes = envelope.encode().unwrap();
        for at in 1..bytes.len() {
            let _ = Envelope::decode(&[&bytes[..at], &LIE, &bytes[at..]].concat());
        }
    }
    let fan_out = samples::all().into_iter().find(|(name, _)| *name == "fan-out").unwrap().1.encode().unwrap();
    // Behind version, kind, room, first and last stands how long the frames are.
    let before = 1 + 1 + 16 + 1 + 1;
    assert_eq!(fan_out[before], 10);
    let hostile = [&fan_out[..before], &LIE, &fan_out[before + 1..]].concat();
    assert_eq!(Envelope::decode(&hostile), Err(Refused::Malformed));
}

#[test]
fn what_is_larger_than_an_envelope_may_be_is_not_encoded() {
    let typing = |bytes: usize| Envelope::Typing { room: id(1), user: id(2), frame: Blob(vec![b'x'; bytes].into()) };
    assert_eq!(typing(LARGEST).encode(), Err(TooLarge));
    let largest = typing(LARGEST - 60).encode().unwrap();
    assert!(largest.len() <= LARGEST && Envelope::decode(&largest).is_ok());
}

#[test]
fn what_is_of_the_moment_is_shed_first() {
    let class = |name: &str| samples::all().into_iter().find(|(sample, _)| *sample == name).unwrap().1.class();
    for name in ["typing", "typing-to-room", "passing", "presence", "active"] {
        assert_eq!(class(name), Class::Ephemeral, "{name}");
    }
    for name in ["fan-out", "head"] {
        assert_eq!(class(name), Class::Event, "{name}");
    }
    for name in [
        "post",
        "mark",
        "answer",
        "interest",
        "holding",
        "let-go",
        "present",
        "close-devices",
        "spread",
        "ask-hand-over",
        "ask-write",
        "told-done",
    ] {
        assert_eq!(class(name), Class::Control, "{name}");
    }
}

proptest! {
    #[test]
    fn any_bytes_from_a_peer_are_read_or_refused_without_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        kind in 0_u8..20,
    ) {
        let _ = Envelope::decode(&bytes);
        let _ = Envelope::decode(&[&[VERSION, kind], &bytes[..]].concat());
        if let Some(Frame::Batch { envelopes, .. }) = frame::read(&[&[1], &bytes[..]].concat()) {
            for envelope in envelopes {
                let _ = Envelope::decode(envelope);
            }
        }
    }

    /// A torn or changed envelope is another one or none; never a panic, and never one longer than what there is.
    #[test]
    fn a_changed_envelope_is_read_or_refused_without_panic(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let samples = samples::all();
        let bytes = which.get(&samples).1.encode().unwrap();
        let mut changed = bytes.to_vec();
        let at = at.index(changed.len());
        changed[at] = byte;
        let _ = Envelope::decode(&changed);
        prop_assert!(Envelope::decode(&bytes[..at]).is_err());
    }
}
