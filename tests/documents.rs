//! The pages beside the code, as a test: links lead somewhere, codes and tests that are named exist, no machine shows.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut broken = Vec::new();
    for (name, text) in texts().into_iter().filter(|(name, _)| name.ends_with(".md")) {
        for link in links(&text).into_iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let here = root().join(&name);
            let target = if path.is_empty() { here } else { here.parent().unwrap().join(path) };
            let there = target.exists() && (anchor.is_empty() || anchors(&target).contains(anchor));
            if !there {
                broken.push(format!("{name}: `{link}` leads nowhere: mend the link or write what it promises"));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn errors_and_protocol_name_the_same_codes() {
    let protocol = fs::read_to_string(root().join("docs/protocol.md")).unwrap();
    let errors = fs::read_to_string(root().join("docs/errors.md")).unwrap();
    let (_, rest) = protocol.split_once("Codes of `nack`, `error` and problems:").unwrap();
    let (list, _) = rest.split_once(';').unwrap();
    let promised: BTreeSet<_> = in_backticks(list).into_iter().collect();
    let explained: BTreeSet<_> =
        errors.lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_owned).collect();
    assert!(promised.len() > 10, "the list of codes in docs/protocol.md was not understood: {promised:?}");
    assert_eq!(promised, explained, "each code of docs/protocol.md has its part in docs/errors.md, and no other");
}

#[test]
fn operations_names_every_metric() {
    let page = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let (_, rest) = page.split_once("\n## Metrics").unwrap();
    let rows = rest.split("\n## ").next().unwrap().lines().filter(|line| line.starts_with("| `"));
    let explained: BTreeSet<_> = rows.filter_map(|row| in_backticks(row).into_iter().next()).collect();
    let sources = texts().into_iter().filter(|(name, _)| name.starts_with("src/"));
    let counted: BTreeSet<_> = sources.flat_map(|(_, text)| metrics_of(&text)).collect();
    assert!(!counted.is_empty(), "no metric was found in src");
    assert_eq!(counted, explained, "each metric of src has its row in docs/operations.md, and no other");
}

#[test]
fn every_test_that_the_architecture_names_exists() {
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, rest) = architecture.split_once("## What holds the promises").unwrap();
    let part = rest.split("\n## ").next().unwrap();
    let named: BTreeSet<_> =
        part.lines().filter(|line| line.starts_with('|')).flat_map(|line| in_backticks(last_cell(line))).collect();
    let present: BTreeSet<_> =
        texts().iter().filter(|(name, _)| name.ends_with(".rs")).flat_map(|(_, text)| tests_of(text)).collect();
    let missing: Vec<_> = named.difference(&present).collect();
    assert!(!named.is_empty(), "ARCHITECTURE.md names no test under `What holds the promises`");
    assert!(missing.is_empty(), "ARCHITECTURE.md names tests that do not exist: {missing:?}");
}

#[test]
fn no_page_shows_the_machine_it_was_written_on() {
    let shown: Vec<_> = texts().iter().flat_map(|(name, text)| machine_paths(name, text)).collect();
    assert!(shown.is_empty(), "\n{}\n", shown.join("\n"));
}

#[test]
fn the_checks_bite() {
    assert_eq!(links("[a](b.md) `[c](d.md)` ![e](f.png)\n```\n[g](h.md)\n```\n[i](#j)"), ["b.md", "f.png", "#j"]);
    assert_eq!(slug("7 What *durable* means: `ack`"), "7-what-durable-means-ack");
    assert_eq!(in_backticks("`a`, b and `c_d`"), ["a", "c_d"]);
    assert_eq!(last_cell("| a | `b` | `c`, `d` |"), " `c`, `d` ");
    let tests =
        "#[test]\nfn a() {}\nfn b() {}\n#[tokio::test(flavor = \"multi_thread\")]\n#[ignore]\nasync fn c() {}\n";
    assert_eq!(tests_of(tests), ["a", "c"]);
    assert_eq!(metrics_of("counter!(\"rookery_a\").x(); gauge!(\n  \"rookery_b\", 1)"), ["rookery_a", "rookery_b"]);
    for start in machines() {
        let told = machine_paths("a.md", &format!("see {start}somebody/a for it"));
        assert_eq!(told.len(), 1, "{start} should be told: {told:?}");
        assert!(machine_paths("a.md", &format!("see https://example.org{start}a for it")).is_empty(), "{start}");
    }
}

/// What a link starts from is named in halves, so that this file is clean too.
fn machines() -> Vec<String> {
    ["ho|me/", "ro|ot/", "wo|rk/", "Us|ers/"].iter().map(|halves| format!("/{}", halves.replace('|', ""))).collect()
}

fn machine_paths(name: &str, text: &str) -> Vec<String> {
    let absolute = |line: &str, start: &str| {
        line.match_indices(start).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            !before.is_some_and(|letter| letter.is_alphanumeric() || "._-})$*~".contains(letter))
        })
    };
    let mut found = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        for start in machines().iter().filter(|start| absolute(line, start)) {
            found.push(format!(
                "{name}:{number}: `{start}…` is a path of one machine: write it relative or take an argument"
            ));
        }
    }
    found
}

/// Targets of links and pictures, those in code left out.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(text) {
        let plain: String = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
        for part in plain.split("](").skip(1) {
            let target = part.split([')', ' ']).next().unwrap_or_default();
            found.push(target.to_owned());
        }
    }
    found
}

/// The lines outside fenced blocks.
fn prose(text: &str) -> Vec<&str> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            lines.push(line);
        }
    }
    lines
}

fn anchors(page: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(page).unwrap_or_default();
    let heading = |line: &&str| line.starts_with('#');
    prose(&text).into_iter().filter(heading).map(|line| slug(line.trim_start_matches('#').trim())).collect()
}

/// The anchor that a heading gets where Markdown is shown.
fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn in_backticks(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn last_cell(row: &str) -> &str {
    row.trim_end().trim_end_matches('|').rsplit('|').next().unwrap_or_default()
}

/// The names that counters, gauges and histograms are given.
fn metrics_of(text: &str) -> Vec<String> {
    let named = |part: &str| part.trim_start().strip_prefix('"')?.split('"').next().map(str::to_owned);
    let calls = ["counter!(", "gauge!(", "histogram!("].into_iter().flat_map(|call| text.split(call).skip(1));
    calls.filter_map(named).filter(|name| name.starts_with("rookery_")).collect()
}

/// The functions that carry a test attribute.
fn tests_of(text: &str) -> Vec<String> {
    let mut marked = false;
    let mut names = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            marked = marked || line.starts_with("#[test]") || line.contains("::test");
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

/// Every text of the repository by its name, without what `.gitignore` leaves out.
fn texts() -> Vec<(String, String)> {
    let ignored = fs::read_to_string(root().join(".gitignore")).unwrap();
    let mut skipped: Vec<String> = ignored.lines().map(|line| line.trim_matches('/').to_owned()).collect();
    skipped.push(".git".to_owned());
    let mut found = Vec::new();
    gather(root(), &skipped, &mut found);
    let name = |path: &PathBuf| path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
    found.iter().filter_map(|path| Some((name(path), fs::read_to_string(path).ok()?))).collect()
}

fn gather(dir: &Path, skipped: &[String], found: &mut Vec<PathBuf>) {
    for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let ignored = skipped.contains(&name)
            || path.extension().is_some_and(|ending| skipped.contains(&format!("*.{}", ending.to_string_lossy())));
        if ignored {
            continue;
        }
        if path.is_dir() { gather(&path, skipped, found) } else { found.push(path) }
    }
}
