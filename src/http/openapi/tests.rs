//! The documents in `docs/` are those that the types make, and the contract in words has the same routes and frames.

use std::collections::BTreeSet;

use rookery_core::frame::client::KINDS;
use serde_json::Value;

use super::{asyncapi, document};
use crate::http::access;

/// The contract in words.
const PROTOCOL: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/protocol.md"));

/// Compares with the file, or writes it when `UPDATE_DOCS` is set.
fn is_in_docs(name: &str, made: &Value) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    let made = format!("{}\n", serde_json::to_string_pretty(made).unwrap());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == made, "docs/{name} is not what the types make; run the tests once with UPDATE_DOCS=1");
}

#[test]
fn the_openapi_document_is_up_to_date() {
    is_in_docs("openapi.json", &document::document());
}

#[test]
fn the_asyncapi_document_is_up_to_date() {
    is_in_docs("asyncapi.json", &asyncapi::document());
}

/// References that lead nowhere.
fn dangling<'a>(root: &Value, value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => {
            if let Some(target) = map.get("$ref").and_then(Value::as_str)
                && root.pointer(target.trim_start_matches('#')).is_none()
            {
                found.push(target);
            }
            map.values().for_each(|value| dangling(root, value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| dangling(root, value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    for document in [document::document(), asyncapi::document()] {
        let mut found = Vec::new();
        dangling(&document, &document, &mut found);
        assert!(found.is_empty(), "{found:?}");
    }
}

type Routes = BTreeSet<(String, String)>;

/// The routes of a section of the contract: every `METHOD /path` in the first column of its tables.
fn of_contract(section: &str, prefix: &str) -> Routes {
    let start = PROTOCOL.find(section).unwrap();
    let end = PROTOCOL[start + 3..].find("\n## ").map_or(PROTOCOL.len(), |end| start + 3 + end);
    let rows = PROTOCOL[start..end].lines().filter(|line| line.starts_with("| `"));
    rows.filter_map(|line| line.split(" | ").next()).flat_map(|cell| of_cell(cell, prefix)).collect()
}

/// In a cell a path may stand with several methods (`GET/PUT`, `PUT`/`DELETE`, or methods alone after it).
fn of_cell(cell: &str, prefix: &str) -> Routes {
    let mut found = Routes::new();
    let mut waiting: Vec<String> = Vec::new();
    let mut last = String::new();
    let is_route = |quoted: &&str| quoted.starts_with(|c: char| c.is_ascii_uppercase());
    for quoted in cell.split('`').skip(1).step_by(2).filter(is_route) {
        let (methods, path) = quoted.split_once(' ').map_or((quoted, None), |(m, path)| (m, Some(path)));
        waiting.extend(methods.split('/').map(ToOwned::to_owned));
        match path {
            Some(path) => last = path.split('?').next().unwrap_or_default().to_owned(),
            // Methods alone before the first path wait for it; after it they share it.
            None if last.is_empty() => continue,
            None => {}
        }
        let prefix = if last == "/metrics" { "" } else { prefix };
        found.extend(waiting.drain(..).map(|method| (method, without_names(&format!("{prefix}{last}")))));
    }
    found
}

/// Paths with every `{name}` made the same.
fn without_names(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

fn of_table(table: &[access::Route], prefix: &str) -> Routes {
    let here = table.iter().filter(|route| route.path.starts_with(prefix) || route.path == "/metrics");
    here.map(|route| (route.method.to_string(), without_names(route.path))).collect()
}

#[test]
fn the_table_has_the_routes_of_the_contract_and_no_others() {
    let people = of_table(&access::public(), "/api/v1");
    assert!(people.len() > 40);
    assert_eq!(people, of_contract("## 1. REST", "/api/v1"));
    let operators = of_table(&access::operators(), "/admin/v1");
    assert!(operators.len() > 15);
    assert_eq!(operators, of_contract("## 4. Admin", "/admin/v1"));
}

#[test]
fn every_route_of_the_table_is_described() {
    let described: BTreeSet<_> = document::operations().iter().map(|o| (o.method.to_string(), o.path)).collect();
    let table = access::public().into_iter().chain(access::operators());
    let there: BTreeSet<_> = table.map(|route| (route.method.to_string(), route.path)).collect();
    assert_eq!(described, there);
}

#[test]
fn only_these_routes_are_open() {
    let open: Vec<_> = access::public()
        .iter()
        .chain(&access::operators())
        .filter(|route| route.access == access::Access::Open)
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    let expected = [
        "GET /",
        "GET /assets/{file}",
        "GET /healthz",
        "GET /readyz",
        "GET /docs",
        "GET /docs/{page}",
        "GET /docs/adr/{decision}",
        "POST /api/v1/accounts",
        "POST /api/v1/logins",
        "GET /",
        "GET /assets/{file}",
        "GET /healthz",
        "GET /readyz",
    ];
    assert_eq!(open, expected);
    assert!(
        access::operators().iter().all(|route| matches!(route.access, access::Access::Admin | access::Access::Open))
    );
    assert!(access::public().iter().all(|route| route.access != access::Access::Admin));
}

/// The words in the first column of the table under a heading of the contract.
fn words_under(heading: &str) -> BTreeSet<String> {
    let start = PROTOCOL.find(heading).unwrap() + heading.len();
    let end = PROTOCOL[start..].find("\n#").map_or(PROTOCOL.len(), |end| start + end);
    let rows =
        PROTOCOL[start..end].lines().take_while(|line| !line.starts_with("**")).filter(|line| line.starts_with("| `"));
    rows.filter_map(|line| line.split('`').nth(1)).map(ToOwned::to_owned).collect()
}

#[test]
fn the_frames_are_those_of_the_contract() {
    let document = asyncapi::document();
    let messages = document["components"]["messages"].as_object().unwrap();
    let with = |prefix: &str| -> BTreeSet<String> {
        messages.keys().filter_map(|name| name.strip_prefix(prefix)).map(ToOwned::to_owned).collect()
    };
    assert_eq!(with("client_"), words_under("### Client to server"));
    assert_eq!(with("client_"), KINDS.iter().map(ToString::to_string).collect());
    assert_eq!(with("server_"), words_under("### Server to client"));
}
