//! The benches of a cluster, each in a tiny run over real nodes and stores: that they measure what they say, and end well.

use std::process::Command;

use serde_json::Value;

fn named(name: &str) -> String {
    std::env::var(name).expect("this test needs stores: `scripts/services up`, `export $(scripts/services env)`")
}

/// The figures of a run, in which nothing went wrong: a bench that saw a trouble fails.
fn figures(bench: &str, arguments: &[&str]) -> Value {
    let folder = tempfile::Builder::new().prefix("rookery-it-").tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_rookery"))
        .args(["bench", bench, "--json", "--cql", &named("ROOKERY_TEST_CQL"), "--data"])
        .arg(folder.path())
        .args(arguments)
        .env("ROOKERY_BENCH_POSTGRES", named("ROOKERY_TEST_POSTGRES"))
        .output()
        .unwrap();
    let (told, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{bench}: {told}\n{complaint}");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{bench} leaves nothing behind: {left:?}");
    let report: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(report["bench"], bench);
    report["figures"].clone()
}

fn number(figures: &Value, key: &str) -> f64 {
    figures[key].as_f64().unwrap_or_else(|| panic!("no {key} in {figures}"))
}

#[test]
fn the_log_is_measured_beside_the_driver() {
    let found = figures("log", &["--runs", "1", "--seconds", "1", "--producers", "32", "--rooms", "8"]);
    assert!(number(&found, "driver_per_second") > 0.0 && number(&found, "log_per_second") > 0.0, "{found}");
    assert!(number(&found, "ratio_to_driver") > 0.0, "{found}");
}

#[test]
fn sends_over_several_nodes_are_measured_beside_the_driver() {
    let small =
        ["--nodes", "2", "--runs", "1", "--seconds", "5", "--warm-up", "0", "--in-flight", "16", "--rooms", "8"];
    let found = figures("send", &small);
    assert!(number(&found, "acks_per_second") > 0.0 && number(&found, "ratio_to_driver") > 0.0, "{found}");
    assert_eq!(found["nodes"], 2);
}

#[test]
fn rooms_of_a_killed_node_take_messages_again_and_the_bench_says_after_how_long() {
    let found = figures("kill", &["--nodes", "2", "--kills", "1", "--rooms", "6", "--peace-millis", "100"]);
    assert!(number(&found, "room_back_max_ms") > 0.0 && number(&found, "rooms_of_victims") >= 1.0, "{found}");
    assert!(number(&found, "acked") > 6.0, "{found}");
    for fault in ["open", "lost", "doubled", "reordered", "heard_twice", "not_heard"] {
        assert_eq!(found[fault], 0, "{fault} in {found}");
    }
}

#[test]
fn a_drain_under_load_is_measured_room_by_room() {
    let small = ["--nodes", "2", "--rooms", "8", "--pause-millis", "50", "--seconds", "0.5"];
    let found = figures("drain", &small);
    assert!(number(&found, "pause_p99_ms") > 0.0 && number(&found, "drain_seconds") > 0.0, "{found}");
    assert_eq!((&found["refused"], &found["lost"], &found["doubled"]), (&0.into(), &0.into(), &0.into()), "{found}");
}

#[test]
fn crossing_a_node_takes_one_envelope_for_each_message_whatever_the_members() {
    let found = figures("across", &["--nodes", "3", "--members", "20", "--runs", "1", "--seconds", "1"]);
    assert_eq!(number(&found, "near_envelopes"), 0.0, "{found}");
    assert_eq!(number(&found, "far_envelopes"), 1.0, "{found}");
    assert!(number(&found, "far_cpu_micros") > 0.0 && found["added_cpu_micros"].is_number(), "{found}");
}

#[test]
fn users_on_another_node_are_looked_up_in_both_ways() {
    let found = figures("lookup", &["--nodes", "2", "--users", "10", "--lookups", "20"]);
    assert!(number(&found, "registry_p99_ms") > 0.0 && number(&found, "admin_p99_ms") > 0.0, "{found}");
}
