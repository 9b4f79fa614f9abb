//! The wire contract and the security cases: every row names its tests.

use std::collections::BTreeSet;

use super::{exist, quoted, rows, sentences, tests_in_browsers};

/// The first cells of the tables and the bold words that open a paragraph, in sections 1 and 2.
fn rows_of(page: &str) -> BTreeSet<String> {
    let (_, from) = page.split_once("\n## 1. ").expect("section 1");
    let (sections, _) = from.split_once("\n## 3. ").expect("section 3");
    let mut found: BTreeSet<String> = rows(sections).into_iter().map(|row| row[0].to_owned()).collect();
    let bold = sections.lines().filter_map(|line| line.strip_prefix("**")?.split_once("**"));
    // A whole sentence in bold is no heading.
    let heads = bold.map(|(words, _)| words).filter(|words| !words.contains('.') && words.len() < 40);
    found.extend(heads.map(|words| format!("**{words}**")));
    found
}

#[test]
fn every_row_of_the_contract_has_its_tests() {
    let list = rows(include_str!("contract.md"));
    let named: BTreeSet<String> = list.iter().map(|row| row[0].to_owned()).collect();
    let page = rows_of(include_str!("../../../docs/protocol.md"));
    assert!(page.len() > 70, "the page was not understood: {page:?}");
    assert_eq!(named, page, "contract.md has each row of sections 1 and 2 of docs/protocol.md, and no other");
    assert!(list.iter().all(|row| !quoted(row[1]).is_empty()), "each row has a test");
    exist(list.iter().flat_map(|row| quoted(row[1])));
}

#[test]
fn every_security_case_has_its_tests_or_a_reason() {
    let list = rows(include_str!("cases.md"));
    let numbers: Vec<u8> = list.iter().map(|row| row[0].parse().expect("a number")).collect();
    assert_eq!(numbers, (1..=78).collect::<Vec<_>>());
    let held = |row: &&Vec<&str>| !row[2].starts_with("none: ");
    assert!(list.iter().filter(held).all(|row| !quoted(row[2]).is_empty()), "each case has a test or a reason");
    let names = list.iter().filter(held).flat_map(|row| quoted(row[2]));
    exist(names.filter(|name| !name.starts_with("scripts/")));
    let in_browsers = tests_in_browsers();
    let missing: Vec<_> =
        list.iter().flat_map(|row| sentences(row[2])).filter(|name| !in_browsers.contains(*name)).collect();
    assert!(missing.is_empty(), "named and not in web/test: {missing:#?}");
    assert!(list.iter().flat_map(|row| sentences(row[2])).count() > 5, "some are held in the browser");
}

#[test]
fn rows_and_paragraphs_are_read_from_the_page() {
    let page = "\n## 1. A\n| route | answer |\n|---|---|\n| `GET /a` | x |\n**Errors** are.\n\n## 2.\n| code | x |\n|---|---|\n| 1008 | no |\n\n## 3. x\n";
    assert_eq!(rows_of(page), BTreeSet::from(["**Errors**", "1008", "`GET /a`"].map(str::to_owned)));
    assert_eq!(rows("| a | b |\n|---|---|\n| c | `d`, `e` and f |"), [["c", "`d`, `e` and f"]]);
    assert_eq!(quoted("`d`, `e` and f"), ["d", "e"]);
    assert_eq!(sentences("`d`; in the browser \"e f\" and \"g\""), ["e f", "g"]);
}
