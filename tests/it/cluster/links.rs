//! Links between real nodes: order, bounds, what is shed, what is lost, and what happens when a peer stops or comes back.

use std::time::{Duration, Instant};

use serde_json::json;

use super::node::{Files, pair};

#[tokio::test]
async fn envelopes_come_once_in_the_order_of_their_room() {
    let files = Files::make("birds", &["a", "b"]);
    let (mut one, mut other) = pair(&files).await;
    let both = json!({ "kind": "event", "count": 50_000, "bytes": 200, "patient": true });
    let (mut to_other, mut to_one) = (both.clone(), both);
    (to_other["to"], to_one["to"]) = ("b".into(), "a".into());
    one.begin(to_other).await;
    assert_eq!(other.send(to_one).await["taken"], 50_000);
    one.told(|line| line["taken"] == 50_000).await;
    for node in [&mut one, &mut other] {
        let state = node.until("all events", |state| state.number("events") == 50_000).await;
        assert_eq!((state.number("disorder"), state.number("twice")), (0, 0));
        assert_eq!(state.counted("rookery_link_envelopes_lost_total"), 0);
    }
}

/// Envelopes from one byte to nearly the largest: batches of every size, and single ones that fill the window.
#[tokio::test]
async fn large_envelopes_pass_too_and_what_is_too_large_is_refused_at_once() {
    let files = Files::make("birds", &["a", "b"]);
    let (mut one, mut other) = pair(&files).await;
    let mut expected = 0;
    for bytes in [1, 1_000, 40_000, 300_000, 1_000_000] {
        let sent = one.send(json!({ "to": "b", "kind": "event", "count": 70, "bytes": bytes, "patient": true })).await;
        assert_eq!(sent["taken"], 70, "{bytes} bytes");
        expected += 70 * bytes;
    }
    let state = other.until("all bytes", |state| state.number("bytes") == expected).await;
    assert_eq!((state.number("disorder"), state.number("twice")), (0, 0));
    let sent = one.send(json!({ "to": "b", "kind": "event", "count": 3, "bytes": 1_048_576 })).await;
    assert_eq!(sent["too_large"], 3);
}

#[tokio::test]
async fn there_is_no_link_to_who_is_not_there() {
    let files = Files::make("birds", &["a"]);
    let mut one = files.start("a", &[]).await;
    for nobody in ["b", "a"] {
        let sent = one.send(json!({ "to": nobody, "kind": "interest", "count": 3 })).await;
        assert_eq!(sent["no_link"], 3, "{nobody}");
    }
}

/// A flood faster than the link: what is of the moment goes, events go, and of each room the last head arrives, although
/// nothing is said in it afterwards. What remains comes in order.
#[tokio::test]
async fn what_a_full_link_sheds_is_made_good_by_the_heads() {
    let files = Files::make("birds", &["a", "b"]);
    let (mut one, mut other) = pair(&files).await;
    let sent = one.send(json!({ "to": "b", "kind": "event", "count": 60_000, "bytes": 4_000 })).await;
    let (taken, full) = (sent["taken"].as_u64().unwrap(), sent["full"].as_u64().unwrap());
    assert!(full > 0, "the flood was too slow to fill the link: {sent}");
    let heads = one.state().await.number("sent_heads");
    assert_eq!(heads, 60_000);
    let state = other.until("the last head of every room", |state| state.number("heads") == heads).await;
    assert_eq!((state.number("events"), state.number("disorder"), state.number("twice")), (taken, 0, 0));
}

/// A peer that takes nothing any more costs a bounded amount of memory, is found out within the time, and is told nothing
/// of what was meant for it before, when it goes on.
#[tokio::test]
async fn a_stopped_peer_costs_little_is_found_out_and_gets_nothing_stale() {
    let files = Files::make("birds", &["a", "b"]);
    let (mut one, mut other) = pair(&files).await;
    one.send(json!({ "to": "b", "kind": "event", "count": 20_000, "bytes": 400, "patient": true })).await;
    let before = other.until("what was sent", |state| state.number("events") == 20_000).await;
    let resident = one.resident();

    other.signal("-STOP");
    let stopped = Instant::now();
    one.begin(json!({ "to": "b", "kind": "event", "count": 80_000, "bytes": 400, "per_second": 20_000 })).await;
    one.down(&other.peer()).await;
    let found_out = stopped.elapsed();
    assert!((Duration::from_secs(1)..Duration::from_secs(4)).contains(&found_out), "{found_out:?}");
    let sent = one.told(|line| line["sent"].is_string()).await;
    assert!(sent["full"].as_u64().unwrap() > 0 && sent["no_link"].as_u64().unwrap() > 0, "{sent}");
    let grown = one.resident().saturating_sub(resident);
    assert!(grown < 32 * 1_024, "{grown} KiB");
    let lost = one.state().await.counted("rookery_link_envelopes_lost_total");
    assert!(lost > 0, "what waited is counted");

    other.signal("-CONT");
    other.down(&one.peer()).await;
    one.up(&other).await;
    other.up(&one).await;
    let after = other.state().await;
    assert_eq!(after.number("events"), before.number("events"), "nothing of the dead link was delivered");
    one.send(json!({ "to": "b", "kind": "event", "count": 1_000, "bytes": 10 })).await;
    let state = other.until("what was sent anew", |state| state.number("events") == 21_000).await;
    assert_eq!(state.number("disorder"), 0);
}

#[tokio::test]
async fn a_pause_that_is_shorter_than_the_patience_of_a_link_loses_nothing() {
    let files = Files::make("birds", &["a", "b"]);
    let (mut one, mut other) = pair(&files).await;
    one.begin(json!({ "to": "b", "kind": "event", "count": 10_000, "bytes": 100, "per_second": 5_000 })).await;
    other.until("the first events", |state| state.number("events") > 0).await;
    other.signal("-STOP");
    // The length of the pause is the point here: half of what a link puts up with.
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    other.signal("-CONT");
    one.told(|line| line["taken"] == 10_000).await;
    let state = other.until("all events", |state| state.number("events") == 10_000).await;
    assert_eq!((state.number("disorder"), state.number("twice")), (0, 0));
    assert_eq!(one.state().await.links(), ["b"]);
}

/// The node is killed and comes back under its name; at the other end nobody has noticed yet, since that one is paused.
#[tokio::test]
async fn a_node_comes_back_while_its_old_connection_is_half_open() {
    let files = Files::make("birds", &["a", "b"]);
    for turn in 0..5 {
        let (mut one, other) = pair(&files).await;
        let old = other.peer();
        one.signal("-STOP");
        other.kill().await;
        let mut other = files.start("b", &[&one]).await;
        one.signal("-CONT");
        one.down(&old).await;
        one.up(&other).await;
        other.up(&one).await;
        let sent = other.send(json!({ "to": "a", "kind": "event", "count": 100, "bytes": 10 })).await;
        assert_eq!(sent["taken"], 100, "turn {turn}");
        one.until("what the new life says", |state| state.number("events") == 100).await;
        let state = one.state().await;
        let links = state.0["links"].as_array().unwrap();
        assert_eq!(links.len(), 1, "turn {turn}");
        assert_eq!(links[0]["incarnation"], other.incarnation, "turn {turn}");
    }
}

#[tokio::test]
async fn three_nodes_have_three_links_whoever_starts_first() {
    let files = Files::make("birds", &["a", "b", "c"]);
    let mut c = files.start("c", &[]).await;
    let mut a = files.start("a", &[&c]).await;
    let mut b = files.start("b", &[&c]).await;
    a.up(&b).await;
    a.up(&c).await;
    b.up(&a).await;
    b.up(&c).await;
    c.up(&a).await;
    c.up(&b).await;
    for (from, to) in [("b", "c"), ("a", "c"), ("c", "a")] {
        let node = match from {
            "a" => &mut a,
            "b" => &mut b,
            _ => &mut c,
        };
        let sent = node.send(json!({ "to": to, "kind": "event", "count": 500, "bytes": 10 })).await;
        assert_eq!(sent["taken"], 500, "{from} to {to}");
    }
    c.until("from two nodes", |state| state.number("envelopes") == 1_000).await;
    a.until("from one node", |state| state.number("envelopes") == 500).await;
}
