//! The accept loop: bounded, never stuck behind one client, and awake when descriptors run out.

use std::{collections::VecDeque, fs::File, io, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::{net::TcpListener, task::AbortHandle, time::sleep};

use super::Door;
use crate::cluster::link::refused;

/// Handshakes at the same time. One more takes the place of the oldest: a node needs milliseconds, so that what is oldest
/// among so many is somebody who says nothing.
const HANDSHAKES: usize = 128;
/// Pause when nothing can be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts peers, for ever.
pub(in crate::cluster) async fn accept(listener: TcpListener, door: Arc<Door>) {
    let mut handshakes: VecDeque<AbortHandle> = VecDeque::new();
    let mut spare = Spare::new();
    let mut told = false;
    loop {
        let socket = match listener.accept().await {
            Ok((socket, _)) => socket,
            Err(error) if is_passing(&error) => continue,
            Err(error) => {
                if !told {
                    tracing::warn!(%error, "nodes cannot be accepted");
                }
                told = true;
                spare.turn_one_away(&listener);
                sleep(PAUSE).await;
                continue;
            }
        };
        told = false;
        handshakes.retain(|handshake| !handshake.is_finished());
        while handshakes.len() >= HANDSHAKES
            && let Some(oldest) = handshakes.pop_front()
        {
            oldest.abort();
            refused("crowd");
        }
        let door = Arc::clone(&door);
        let handshake = tokio::spawn(async move {
            if let Err(error) = door.receive(socket).await {
                refused(error.word());
                tracing::debug!(%error, "somebody at the cluster's door was turned away");
            }
        });
        handshakes.push_back(handshake.abort_handle());
    }
}

/// The client went away before it was accepted.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

/// A descriptor that is held back, so that with none left one client at a time can still be turned away instead of
/// being left to wait.
struct Spare(Option<File>);

impl Spare {
    fn new() -> Self {
        Self(File::open("/dev/null").ok())
    }

    fn turn_one_away(&mut self, listener: &TcpListener) {
        if self.0.take().is_some() {
            drop(listener.accept().now_or_never());
            refused("descriptors");
        }
        *self = Self::new();
    }
}
