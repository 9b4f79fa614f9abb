//! Names that must be refused, and that reading a name twice changes nothing.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn reading_a_handle_twice_changes_nothing(text in "\\PC{0,40}") {
        if let Ok(once) = handle(&text) {
            prop_assert_eq!(handle(&once.folded).unwrap(), once);
        }
    }

    #[test]
    fn reading_a_name_twice_changes_nothing(text in "\\PC{0,70}") {
        if let Ok(once) = name("name", &text) {
            prop_assert_eq!(name("name", &once).unwrap(), once);
        }
    }

    #[test]
    fn case_and_width_make_no_second_handle(text in "[a-z]{2,20}") {
        if let Ok(small) = handle(&text) {
            prop_assert_eq!(&handle(&text.to_uppercase()).unwrap(), &small);
            let wide: String = text.chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap()).collect();
            prop_assert_eq!(&handle(&wide).unwrap(), &small);
        }
    }
}

#[test]
fn hostile_handles_are_refused() {
    for text in [
        "",
        "a",
        "аdmin",
        "admin",
        "ADMIN",
        "adm\u{200B}in",
        "x\u{202E}y",
        "\u{2066}xy",
        " xy",
        "xy ",
        "x y",
        "a/b",
        "..",
        "-x",
        "@here",
        "\u{FEFF}xy",
        "xy\0",
        "\u{E0041}xy",
        "\u{301}ab",
        "pаypal",
        "here",
        "system",
    ] {
        assert!(handle(text).is_err(), "{text:?}");
    }
    assert!(handle(&"x".repeat(33)).is_err());
}

#[test]
fn what_looks_alike_has_one_skeleton() {
    assert_eq!(handle("paypal").unwrap().skeleton, handle("paypa1").unwrap().skeleton);
}

#[test]
fn ordinary_handles_of_many_scripts_are_taken() {
    for text in ["alder", "birch_2", "q.w-e", "жуковка", "東京都", "σοφία", "zoë"] {
        assert!(handle(text).is_ok(), "{text} {:?}", handle(text));
    }
}

#[test]
fn hidden_characters_are_refused_in_names() {
    for text in
        ["", "  ", "a\u{202E}b", "a\u{2066}b", "\u{200B}", "a\nb", "a\u{7}", "\u{E0041}a", " a", "a ", "\u{3164}"]
    {
        assert!(name("name", text).is_err(), "{text:?}");
    }
    assert!(name("name", "Family 👩‍👩‍👧").is_ok());
    assert!(name("name", &"x".repeat(65)).is_err());
}

#[test]
fn a_reaction_is_one_emoji() {
    for text in ["👍", "👩‍👩‍👧", "❤️", "🇨🇭", "1️⃣"] {
        assert!(emoji(text).is_ok(), "{text}");
    }
    for text in ["", "a", "1", "👍👍", "ok", "<", "👍x"] {
        assert!(emoji(text).is_err(), "{text}");
    }
}
