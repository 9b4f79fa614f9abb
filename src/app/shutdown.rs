//! The way out: nothing new, finish what is under way, tell everybody to come back, then stop.

use std::{sync::Arc, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

use super::cluster::Node;
use crate::{
    actors::{Router, hub::inbox::Item},
    http::Readiness,
};

/// How long what is under way may take.
const SETTLE: Duration = Duration::from_secs(3);
/// How long telling everybody may take.
const FAREWELL: Duration = Duration::from_secs(5);

/// Waits until somebody wants the server to stop, or it cannot be its node any more.
pub(super) async fn wait_for_end(node: Option<&Node>) {
    let over = async {
        match node {
            Some(node) => node.is_over().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = wait_for_signal() => {}
        why = over => tracing::error!("{why}: this process stops"),
    }
}

async fn wait_for_signal() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => tracing::info!("asked to stop"),
        _ = tokio::signal::ctrl_c() => tracing::info!("interrupted"),
    }
}

/// Lets what is under way finish, and sends every client away with the time to come back.
pub(super) async fn drain(router: &Arc<Router>, readiness: &Readiness, node: Option<&Node>) {
    readiness.drain();
    if let Some(node) = node {
        node.hand_over(router).await;
    }
    let idle = async {
        while router.shared.log.queue_length() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let _ = tokio::time::timeout(SETTLE, idle).await;
    let mut waiting = Vec::new();
    for inbox in router.started_hubs() {
        let (done, told) = oneshot::channel();
        inbox.put(Item::Drain { done });
        waiting.push(told);
    }
    let all = futures_util::future::join_all(waiting);
    if tokio::time::timeout(FAREWELL, all).await.is_err() {
        tracing::warn!("some clients did not take their farewell in time");
    }
}
