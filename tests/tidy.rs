//! The laws of the layout, as a test: sizes, openings, names, where a word may stand, and who may import whom.
//!
//! Each breach is told with what to do instead. A law changes only together with `ARCHITECTURE.md`.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::{
    fs,
    path::{Path, PathBuf},
};

const LINES: usize = 400;
const ENTRIES: usize = 15;

/// Folders that grow by one file per decision or per change of the schema.
const GROWING: &[&str] = &["docs/adr", "migrations"];

/// Names that would fit any file.
const VAGUE: &[&str] =
    &["util", "utils", "helper", "helpers", "common", "misc", "manager", "managers", "types", "impls", "stuff"];

/// The modules of `src` by height; a module imports only from below itself.
const HEIGHTS: &[(&str, u8)] = &[
    ("config", 1),
    ("clock", 1),
    ("telemetry", 2),
    ("store", 3),
    ("search", 3),
    ("media", 4),
    ("auth", 4),
    ("actors", 5),
    ("http", 6),
    ("cluster", 6),
    ("app", 7),
    ("cli", 8),
    ("main", 9),
    ("lib", 9),
];

/// What speaks to a server from outside, as any program could.
const OUTSIDE: &[&str] = &["client", "bench"];

/// A word, the only places where it may stand, what to do elsewhere.
const PLACED: &[(&str, &[&str], &str)] = &[
    ("actix_web", &["src/http"], "let src/http translate, and speak of core's frames and errors here"),
    ("sqlx", &["src/store/sql"], "ask through a trait of src/store"),
    ("scylla", &["src/store/cql"], "ask through a trait of src/store"),
    (
        "RactorClusterMessage",
        &["src/cluster/relay.rs"],
        "peers see relays and nothing else: send it through the Router",
    ),
    ("ractor", &["src/actors", "src/cluster", "src/app"], "return a value or an effect, and let an actor carry it"),
    ("env::var", &["src/config"], "make it a setting: src/config reads the environment once and hands it down"),
    ("unbounded_channel", &[], "give the queue a bound, and say what happens when it is full"),
    ("UnboundedSender", &[], "give the queue a bound, and say what happens when it is full"),
    ("mpsc::unbounded", &[], "give the queue a bound, and say what happens when it is full"),
    ("clippy::too_many_lines", &[], "split the function instead of excusing it"),
];

/// What the core must not know, and how it gets by without.
const NOT_IN_CORE: &[(&str, &str)] = &[
    ("tokio", "the core has no runtime: return an effect"),
    ("actix", "the core knows no framework: return an effect"),
    ("ractor", "the core knows no actors: return an effect"),
    ("async fn", "the core waits for nothing: the answer is the next input"),
    ("SystemTime", "the core has no clock: take `now` as an argument"),
    ("Instant", "the core has no clock: take `now` as an argument"),
    ("now_utc", "the core has no clock: take `now` as an argument"),
    ("rand::", "the core has no randomness: take what was drawn as an argument"),
    ("std::fs", "the core does no I/O: return an effect"),
    ("std::net", "the core does no I/O: return an effect"),
    ("std::thread", "the core has one thread, its caller's"),
    ("std::env", "the core has no surroundings: take limits as arguments"),
    ("rookery::", "the core is below everything else"),
];

#[test]
fn the_tree_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut breaches = Vec::new();
    for file in ["src", "crates", "tests"].iter().flat_map(|dir| files_under(&root.join(dir))) {
        if file.extension().is_some_and(|extension| extension == "rs") {
            let name = file.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            breaches.extend(of_file(&name, &fs::read_to_string(&file).unwrap()));
        }
    }
    for dir in
        ["src", "crates", "tests", "docs", "scripts", "docker"].iter().flat_map(|dir| folders_of(&root.join(dir)))
    {
        let name = dir.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        breaches.extend(of_folder(&name, fs::read_dir(&dir).unwrap().count()));
    }
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn the_laws_bite() {
    let long = format!("//! A long file.\n{}", "x\n".repeat(LINES));
    let cases: &[(&str, &str, &str)] = &[
        ("src/app.rs", &long, "split it"),
        ("src/app.rs", "fn a() {}\n", "open it with"),
        ("src/app.rs", "//! App\n", "open it with"),
        ("src/store/utils.rs", "//! A file.\n", "call it what it is"),
        ("src/helpers/mark.rs", "//! A file.\n", "call it what it is"),
        ("src/gizmo/mod.rs", "//! A file.\n", "give it a height"),
        ("src/actors/hub.rs", "//! A file.\nuse actix_web::web;\n", "let src/http translate"),
        ("src/http/rooms.rs", "//! A file.\nuse sqlx::query;\n", "through a trait"),
        ("src/store/sql/rooms.rs", "//! A file.\nuse scylla::client;\n", "through a trait"),
        ("src/store/sql/rooms.rs", "//! A file.\nuse ractor::Actor;\n", "let an actor carry it"),
        ("src/cluster/wire.rs", "//! A file.\n#[derive(RactorClusterMessage)]\n", "peers see relays"),
        ("src/auth/token.rs", "//! A file.\nfn a() { std::env::var_os(\"A\"); }\n", "make it a setting"),
        ("src/actors/hub.rs", "//! A file.\nuse tokio::sync::mpsc::unbounded_channel;\n", "give the queue a bound"),
        ("src/actors/hub.rs", "//! A file.\n#[expect(clippy::too_many_lines)]\n", "split the function"),
        ("src/actors/hub.rs", "//! A file.\nuse crate::http::error;\n", "actors may not import http"),
        (
            "src/actors/hub.rs",
            "//! A file.\nuse crate::{\n    store::{Log, http},\n    cluster::{wire},\n};\n",
            "import cluster",
        ),
        ("src/store/sql/mod.rs", "//! A file.\nuse super::super::actors::Room;\n", "store may not import actors"),
        ("src/http/ws/mod.rs", "//! A file.\nfn a() { crate::cluster::send() }\n", "http may not import cluster"),
        ("src/cluster/link.rs", "//! A file.\nuse crate::http::error;\n", "cluster may not import http"),
        ("src/config/mod.rs", "//! A file.\nuse crate::store;\n", "config may not import store"),
        ("src/actors/hub.rs", "//! A file.\nuse crate::bench::Plan;\n", "actors may not import bench"),
        ("src/bench/fanout.rs", "//! A file.\nuse crate::store::Log;\n", "bench may not import store"),
        ("src/client/chat/mod.rs", "//! A file.\nuse rookery_core::frame;\n", "by the wire contract alone"),
        ("crates/rookery-core/src/room/mod.rs", "//! A file.\nuse std::time::Instant;\n", "take `now`"),
        ("crates/rookery-core/src/room/mod.rs", "//! A file.\nuse tokio::task;\n", "no runtime"),
    ];
    for (name, text, words) in cases {
        let found = of_file(name, text).join("\n");
        assert!(found.contains(words), "{name} should be told {words:?}, and is told {found:?}");
    }
    assert!(of_folder("src/http", ENTRIES + 1).is_some_and(|said| said.contains("make a folder")));
}

#[test]
fn the_laws_leave_good_code_alone() {
    let cases: &[(&str, &str)] = &[
        (
            "src/http/rooms.rs",
            "//! A file.\nuse crate::actors::ports;\nuse actix_web::web;\nuse rookery_core::frame;\n",
        ),
        (
            "src/actors/hub.rs",
            "//! A file.\n// unlike crate::http, and no sqlx\nfn a() { b(\"crate::http\", r#\"sqlx \"q\" \"#, '\"') }\n",
        ),
        (
            "src/auth/mod.rs",
            "//! A file.\nuse crate::store::Directory;\n#[cfg(test)]\nmod tests {\n    use crate::http;\n    fn a() { std::env::var(\"A\") }\n}\n",
        ),
        ("src/store/sql/rooms.rs", "//! A file.\nuse super::super::Log;\nuse super::pool;\n"),
        ("src/bench/mod.rs", "//! A file.\nuse crate::client::Connection;\n"),
        ("src/cli/mod.rs", "//! A file.\nuse crate::{app, bench, chat};\n"),
        ("tests/it/http/rooms.rs", "//! A file.\nuse sqlx::query;\nfn a() { std::env::var(\"A\") }\n"),
        (
            "crates/rookery-core/src/time.rs",
            "//! A file.\nuse std::time::Duration;\nfn a<'a>(b: &'a str) -> &'a str { b }\n",
        ),
    ];
    for (name, text) in cases {
        assert_eq!(of_file(name, text), Vec::<String>::new(), "{name}");
    }
    assert_eq!(of_folder("src/http", ENTRIES), None);
    assert_eq!(of_folder("migrations/sqlite", ENTRIES * 2), None);
}

fn of_folder(name: &str, entries: usize) -> Option<String> {
    let grows = GROWING.iter().any(|folder| name.starts_with(folder));
    (entries > ENTRIES && !grows)
        .then(|| format!("{name}: {entries} entries, at most {ENTRIES}: make a folder of those that belong together"))
}

fn of_file(name: &str, text: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    let lines = text.lines().count();
    if lines > LINES {
        breaches.push(format!("{lines} lines, at most {LINES}: split it by the next smaller noun"));
    }
    let opening = text.lines().next().unwrap_or_default();
    if !opening.strip_prefix("//! ").is_some_and(|words| words.trim().contains(' ')) {
        breaches.push("open it with `//!` and a sentence that says what lives here".to_owned());
    }
    for part in name.split('/').map(|part| part.trim_end_matches(".rs")).filter(|part| VAGUE.contains(part)) {
        breaches.push(format!("`{part}` says nothing: call it what it is, not that it is useful"));
    }
    let whole = code_of(text);
    let code = if is_test(name) { "" } else { without_tests(&whole) };
    for (word, places, instead) in PLACED {
        let everywhere = places.is_empty() && stands_in(&whole, word);
        if everywhere || (stands_in(code, word) && !places.iter().any(|place| name.starts_with(place))) {
            breaches.push(format!("`{word}` may not stand here: {instead}"));
        }
    }
    if name.starts_with("crates/rookery-core/src") {
        let known = NOT_IN_CORE.iter().filter(|(word, _)| stands_in(code, word));
        breaches.extend(known.map(|(word, instead)| format!("`{word}` may not stand in the core: {instead}")));
    }
    breaches.extend(of_imports(name, code));
    breaches.into_iter().map(|breach| format!("{name}: {breach}")).collect()
}

fn of_imports(name: &str, code: &str) -> Vec<String> {
    let Some(inside) = name.strip_prefix("src/") else { return Vec::new() };
    let module = inside.split('/').next().unwrap().trim_end_matches(".rs");
    if OUTSIDE.contains(&module) {
        let mut breaches: Vec<_> = imports(inside, code)
            .into_iter()
            .filter(|other| height(other).is_some())
            .map(|other| format!("{module} may not import {other}: it speaks to a server as a stranger would"))
            .collect();
        if stands_in(code, "rookery_core") {
            breaches.push("`rookery_core` may not stand here: write the client by the wire contract alone".to_owned());
        }
        return breaches;
    }
    let Some(mine) = height(module) else {
        return vec![format!(
            "{module} is new in src: give it a height in tests/tidy.rs and a line in ARCHITECTURE.md"
        )];
    };
    let above = |other: &String| match height(other) {
        Some(theirs) => other != module && theirs >= mine,
        None => OUTSIDE.contains(&other.as_str()) && height("cli").is_some_and(|cli| mine < cli),
    };
    let told = |other: String| {
        format!(
            "{module} may not import {other}: imports point down; name the need in src/actors/ports.rs or in a trait"
        )
    };
    imports(inside, code).into_iter().filter(above).map(told).collect()
}

fn height(module: &str) -> Option<u8> {
    HEIGHTS.iter().find(|(name, _)| *name == module).map(|(_, height)| *height)
}

/// The modules of `src` that a file names, by `crate::` or by enough `super::`.
fn imports(inside: &str, code: &str) -> Vec<String> {
    let depth = inside.trim_end_matches(".rs").trim_end_matches("/mod").split('/').count();
    let climb = "super::".repeat(depth);
    let mut found = Vec::new();
    for start in ["crate::", climb.as_str()] {
        for (at, _) in code.match_indices(start).filter(|(at, _)| begins_word(code, *at)) {
            found.extend(first_names(&code[at + start.len()..]));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// `a` of `a::b`; `a` and `c` of `{a::{b}, c}`.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| text.chars().take_while(|letter| is_word(*letter)).collect::<String>();
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let mut names = Vec::new();
    let mut depth = 1;
    let mut fresh = true;
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => fresh = true,
            _ if fresh && is_word(letter) => {
                names.push(name(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn begins_word(code: &str, at: usize) -> bool {
    !code[..at].chars().next_back().is_some_and(is_word)
}

fn stands_in(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| begins_word(code, at))
}

fn is_test(name: &str) -> bool {
    name.starts_with("tests/") || name.contains("/tests/") || name.ends_with("tests.rs")
}

/// Up to the test module, which clippy keeps at the end of a file.
fn without_tests(code: &str) -> &str {
    let starts = code.match_indices("#[cfg(test)]").map(|(at, mark)| (at, code[at + mark.len()..].trim_start()));
    let module = |rest: &str| rest.starts_with("mod ") && rest.lines().next().is_some_and(|line| line.ends_with('{'));
    starts.into_iter().find(|(_, rest)| module(rest)).map_or(code, |(at, _)| &code[..at])
}

/// The text without what comments, strings and letters in quotes say.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let skipped = match letter {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => quoted(rest),
            'r' if begins_word(&code, code.len()) => raw(rest),
            '\'' => letter_in_quotes(rest),
            _ => 0,
        };
        if skipped == 0 {
            code.push(letter);
            rest = &rest[letter.len_utf8()..];
        } else {
            code.push(' ');
            rest = &rest[skipped..];
        }
    }
    code
}

fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

fn raw(text: &str) -> usize {
    let hashes = text[1..].chars().take_while(|letter| *letter == '#').count();
    if !text[1 + hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let body = 2 + hashes;
    text[body..].find(&end).map_or(text.len(), |at| body + at + end.len())
}

/// Nothing for a lifetime.
fn letter_in_quotes(text: &str) -> usize {
    let mut letters = text.char_indices().skip(1);
    let Some((at, first)) = letters.next() else { return 0 };
    if first == '\\' {
        return text[at + 2..].find('\'').map_or(0, |end| at + 3 + end);
    }
    letters.next().filter(|(_, second)| *second == '\'').map_or(0, |(end, _)| end + 1)
}

fn folders_of(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let inside = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    std::iter::once(dir.to_owned()).chain(inside.flat_map(|path| folders_of(&path))).collect()
}

fn files_under(dir: &Path) -> Vec<PathBuf> {
    let files = |folder: &PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    folders_of(dir).iter().flat_map(files).filter(|path| path.is_file()).collect()
}
