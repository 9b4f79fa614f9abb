//! Which tests hold what: every row of the wire contract and every security case names its tests, and they exist.

mod contract;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The names of all tests of the repository.
fn tests() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = BTreeSet::new();
    for folder in ["tests", "src", "crates"] {
        gather(&root.join(folder), &mut names);
    }
    names
}

fn gather(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            gather(&path, names);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            names.extend(tests_of(&fs::read_to_string(&path).expect("a text")));
        }
    }
}

/// The functions that carry a test attribute, or stand in a block of property tests.
fn tests_of(text: &str) -> Vec<String> {
    let mut marked = false;
    let mut names = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            marked = marked || line.contains("test]") || line.contains("::test(");
        } else if let Some((_, rest)) = line.split_once("fn ") {
            if marked {
                names.push(rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect());
            }
            marked = false;
        } else if !line.starts_with("//") {
            marked = false;
        }
    }
    names
}

/// The cells of the rows of every table, without its head.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines: Vec<&str> = text.lines().collect();
    let is_rule = |line: &&str| line.starts_with("|---");
    let body = |at: &usize| lines[*at].starts_with("| ") && !lines.get(at + 1).is_some_and(is_rule);
    (0..lines.len()).filter(body).map(|at| lines[at].trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// What stands in backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// What stands in quotes: the sentences that tests of the web client are called by.
fn sentences(cell: &str) -> Vec<&str> {
    cell.split('"').skip(1).step_by(2).collect()
}

/// What the tests of the web client are called.
fn tests_in_browsers() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/test");
    let texts =
        fs::read_dir(&folder).expect("a folder").filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok());
    let names = |text: String| -> Vec<String> {
        let named = text.lines().filter_map(|line| line.strip_prefix("test(\"")?.split_once('"'));
        named.map(|(name, _)| name.to_owned()).collect()
    };
    texts.flat_map(names).collect()
}

/// Every name must be a test's.
fn exist<'a>(names: impl IntoIterator<Item = &'a str>) {
    let tests = tests();
    let missing: Vec<_> = names.into_iter().filter(|name| !tests.contains(*name)).collect();
    assert!(missing.is_empty(), "named and not there: {missing:#?}");
}

#[test]
fn tests_are_found_by_their_attribute() {
    let text =
        "#[test]\nfn a() {}\nfn b() {}\n#[tokio::test]\n// why\nasync fn c() {}\n#[test]\n#[ignore]\nfn d() {}\n";
    assert_eq!(tests_of(text), ["a", "c", "d"]);
}
