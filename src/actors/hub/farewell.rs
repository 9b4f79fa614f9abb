//! Sending clients away from a node that goes or drains, and welcoming them again.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::sync::oneshot;

use super::inbox::Item;
use crate::actors::Router;

/// How long what is under way may take.
const SETTLE: Duration = Duration::from_secs(3);
/// How long telling everybody may take.
const FAREWELL: Duration = Duration::from_secs(5);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(5);

/// Lets what is under way finish, tells every client when to come back (elsewhere, if there are others), and closes. From
/// then on no connection begins here.
pub async fn send_away(router: &Arc<Router>, reason: &'static str) {
    let idle = async {
        while router.shared.log.queue_length() > 0 {
            tokio::time::sleep(LOOK).await;
        }
    };
    let _ = tokio::time::timeout(SETTLE, idle).await;
    router.is_closed.store(true, Ordering::Release);
    let mut waiting = Vec::new();
    for inbox in router.started_hubs() {
        let (done, told) = oneshot::channel();
        inbox.put(Item::Drain { reason, done });
        waiting.push(told);
    }
    let all = futures_util::future::join_all(waiting);
    if tokio::time::timeout(FAREWELL, all).await.is_err() {
        tracing::warn!("some clients did not take their farewell in time");
    }
}

/// Connections may begin here again.
pub fn welcome(router: &Router) {
    router.is_closed.store(false, Ordering::Release);
    router.started_hubs().for_each(|inbox| inbox.put(Item::Stay));
}
