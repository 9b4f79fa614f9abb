//! The rules of files: parts that make a whole, names that deceive nobody, and whose file may go where.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn described(id: MediaId) -> Attachment {
    Attachment { name: "a.txt".to_owned(), size: 7, ..Attached::named(id).into_print() }
}

proptest! {
    #[test]
    fn the_parts_of_a_file_are_the_whole_of_it(size in 0..=1_u64 << 40) {
        let lengths: Vec<u64> = (0..parts(size)).map(|number| part_length(size, number).unwrap()).collect();
        prop_assert_eq!(lengths.iter().sum::<u64>(), size);
        let (last, others) = lengths.split_last().unwrap();
        prop_assert!(others.iter().all(|length| *length == PART_BYTES));
        prop_assert!(*last <= PART_BYTES && (*last > 0 || size == 0));
        prop_assert_eq!(part_length(size, parts(size)), None);
        prop_assert_eq!(part_length(size, u64::MAX), None);
    }

    #[test]
    fn a_name_that_is_taken_shows_what_it_is(given in "\\PC{0,80}|.{0,80}") {
        if let Ok(taken) = name(&given) {
            prop_assert!(taken.len() <= NAME_BYTES && !taken.is_empty());
            prop_assert!(!taken.contains(['/', '\\']) && !taken.chars().any(text::is_hidden));
            prop_assert_eq!(name(&taken).unwrap(), taken);
        }
    }

    #[test]
    fn only_ones_own_file_that_is_ready_in_this_room_is_carried(
        room in 0..2_u128, user in 0..2_u128, ready in any::<bool>(), there in any::<bool>(),
    ) {
        let id = MediaId(Uuid::from_u128(9));
        let (here, me) = (RoomId(Uuid::from_u128(0)), UserId(Uuid::from_u128(0)));
        let found = there.then(|| Found {
            room: RoomId(Uuid::from_u128(room)),
            uploader: UserId(Uuid::from_u128(user)),
            described: ready.then(|| described(id)),
        });
        let carried = carried(&[attach(id, found, here, me)]);
        if there && ready && room == 0 && user == 0 {
            prop_assert_eq!(carried.unwrap(), vec![described(id)]);
        } else {
            prop_assert_eq!(carried.unwrap_err().field, Some("attachments"));
        }
    }
}

#[test]
fn names_that_deceive_are_refused() {
    let long = "x".repeat(300);
    for wrong in
        ["", " ", ".", "..", "../../x", "..\\x", "/etc/passwd", "C:\\x", "a\0.png", "a\u{202E}gnp.exe", "a\n", &long]
    {
        assert_eq!(name(wrong).unwrap_err().field, Some("name"), "{wrong:?}");
    }
    for good in ["CON", "photo.jpg.exe", "Grüße 👩‍👩‍👧.pdf", "a%00.png", ".profile"] {
        assert_eq!(name(good).unwrap(), good);
    }
}

#[test]
fn who_may_write_may_upload() {
    let member =
        Uploader { kind: RoomKind::Group, role: Role::Member, archived: false, muted_until: None, blocked: false };
    let code = |uploader| may_upload(uploader, Millis(100)).map_err(|refusal| refusal.code);
    assert_eq!(code(member), Ok(()));
    assert_eq!(code(Uploader { muted_until: Some(Millis(100)), ..member }), Ok(()));
    assert_eq!(code(Uploader { muted_until: Some(Millis(101)), ..member }), Err(Code::Muted));
    assert_eq!(code(Uploader { role: Role::Reader, ..member }), Err(Code::Forbidden));
    assert_eq!(code(Uploader { archived: true, ..member }), Err(Code::Archived));
    assert_eq!(code(Uploader { kind: RoomKind::Direct, blocked: true, ..member }), Err(Code::Blocked));
}

#[test]
fn voices_have_bounds() {
    assert!(voice(LONGEST_MS, &[LOUDEST; WAVEFORM]).is_ok());
    assert!(voice(LONGEST_MS + 1, &[]).is_err());
    assert!(voice(1, &[0; WAVEFORM + 1]).is_err());
    assert!(voice(1, &[LOUDEST + 1]).is_err());
}

#[test]
fn a_description_is_read_as_it_was_written_and_leaves_out_what_is_not_there() {
    let id = MediaId(Uuid::from_u128(1));
    let plain = described(id);
    let json = serde_json::to_string(&plain).unwrap();
    assert_eq!(json, format!(r#"{{"id":"{id}","kind":"file","name":"a.txt","type":"","size":7}}"#));
    assert_eq!(serde_json::from_str::<Attachment>(&json).unwrap(), plain);
}
