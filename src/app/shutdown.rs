//! The way out: nothing new, finish what is under way, tell everybody to come back, then stop.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use super::cluster::Node;
use crate::{
    actors::{Router, hub::farewell},
    http::Readiness,
};

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
        node.hand_over().await;
    }
    farewell::send_away(router, "the node restarts").await;
}
