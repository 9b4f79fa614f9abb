//! kill -9 under load, again and again: nothing that was acked is lost, nothing is doubled, everybody catches up.

use super::load::run;
use crate::support::checker::check;
use crate::support::history::Entry;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twelve_kills_under_load_break_no_promise() {
    let outcome = run(None, 12, 150).await;
    let violations = check(&outcome.entries);
    assert!(
        violations.is_empty(),
        "{} violations, among them {:#?}",
        violations.len(),
        &violations[..violations.len().min(5)]
    );
    assert!(outcome.acks >= 13 * 150, "{} acks", outcome.acks);
    let connections = outcome.entries.iter().filter_map(|entry| match entry {
        Entry::Hears { connection, .. } => Some(connection),
        _ => None,
    });
    let connections = connections.max().copied().unwrap_or(0);
    assert!(connections > 6 * 12, "{connections} connections: each caller came back after each kill");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_in_quick_succession_break_no_promise_either() {
    let outcome = run(None, 6, 5).await;
    let violations = check(&outcome.entries);
    assert!(violations.is_empty(), "{violations:#?}");
}
