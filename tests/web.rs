//! The committed bundle of the web client is what its sources make; this is found out without Node.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

/// What goes into the bundle; `web/scripts/sources.mjs` has the same list.
const SOURCES: &[&str] = &[
    "sdk/typescript/src",
    "web/admin.html",
    "web/index.html",
    "web/package-lock.json",
    "web/package.json",
    "web/scripts",
    "web/src",
    "web/tsconfig.json",
    "web/vite.config.ts",
];

#[test]
fn the_bundle_of_the_web_client_was_built_from_these_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let written = fs::read_to_string(root.join("web/dist/sources.sha256")).unwrap();
    assert_eq!(written.trim(), hash_of_sources(root), "the sources have changed: `scripts/web` builds the bundle anew");
}

#[test]
fn the_bundle_has_no_source_maps() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = files_under(&root.join("web/dist"));
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(Path::new(name).extension().is_none_or(|extension| extension != "map"), "{name}");
        let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
        assert!(!text.contains("sourceMappingURL"), "{name}");
    }
}

fn hash_of_sources(root: &Path) -> String {
    let mut files: Vec<String> = SOURCES
        .iter()
        .flat_map(|source| files_under(&root.join(source)))
        .map(|file| file.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/"))
        .collect();
    files.sort();
    let mut list = String::new();
    for file in files {
        writeln!(list, "{file} {}", hex(&fs::read(root.join(&file)).unwrap())).unwrap();
    }
    hex(list.as_bytes())
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn files_under(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let entries = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|entry| files_under(&entry)).collect()
}
