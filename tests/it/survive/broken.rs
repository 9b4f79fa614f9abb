//! The checker catches a server that breaks its promises: the same load against builds that do.

use super::load::run;
use crate::support::checker::{Promise, check};

async fn caught(bug: &str, expected: Promise) {
    let outcome = run(Some(bug), 4, 120).await;
    let violations = check(&outcome.entries);
    let promises: Vec<Promise> = violations.iter().map(|violation| violation.promise).collect();
    assert!(promises.contains(&expected), "{bug} breaks {expected:?}; found: {promises:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_acks_before_it_commits_is_caught() {
    caught("ack-before-commit", Promise::Durable).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_forgets_its_dedupe_window_is_caught() {
    caught("no-dedupe", Promise::OnlyOnce).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_skips_a_number_is_caught() {
    caught("skip-number", Promise::NoHole).await;
}
