//! Dialling: of two nodes the one whose name sorts last keeps a connection to the other, as long as that one lives.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{sync::watch, time::sleep};
use tokio_util::task::AbortOnDropHandle;

use super::Door;
use crate::cluster::{
    identity::Peer,
    link::refused,
    membership::{Member, Members},
};

/// The first pause after a failure; doubled each time.
const SHORTEST: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(5);

/// Keeps a connection to each live node that this one is to dial.
pub(in crate::cluster) async fn keep_dialling(door: Arc<Door>, mut members: watch::Receiver<Arc<Members>>) {
    let mut dialling: HashMap<Peer, AbortOnDropHandle<()>> = HashMap::new();
    loop {
        let now = Arc::clone(&members.borrow_and_update());
        let wanted: HashMap<Peer, &Member> = now
            .others()
            .filter(|member| member.peer.node < door.me.node)
            .map(|member| (member.peer.clone(), member))
            .collect();
        dialling.retain(|peer, _| wanted.contains_key(peer));
        for (peer, member) in wanted {
            let door = &door;
            dialling.entry(peer).or_insert_with(|| {
                AbortOnDropHandle::new(tokio::spawn(keep_connected(Arc::clone(door), member.clone())))
            });
        }
        if members.changed().await.is_err() {
            return;
        }
    }
}

async fn keep_connected(door: Arc<Door>, member: Member) {
    let mut pause = SHORTEST;
    loop {
        // A node that gossip lost sight of for a moment may still be connected: a second connection would end the first.
        let connected = door.links.connections_to(&member.peer.node).into_iter().find(|is| is.peer == member.peer);
        let connected = match connected {
            Some(connection) => Ok(connection),
            None => door.dial(&member.peer.node, member.address).await,
        };
        match connected {
            Ok(connection) => {
                connection.gone.cancelled().await;
                if connection.is_heard() {
                    pause = SHORTEST;
                }
            }
            Err(error) => {
                refused(error.word());
                tracing::warn!(peer = %member.peer, %error, "a node cannot be reached");
            }
        }
        // Spread, so that nodes that lost each other at the same time do not all come back at the same time.
        sleep(pause.mul_f64(rand::random_range(0.75..1.25))).await;
        pause = (pause * 2).min(LONGEST);
    }
}
