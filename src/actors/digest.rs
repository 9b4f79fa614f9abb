//! A room's log in 32 bytes: equal on every node and after every restart.

use rookery_core::{
    event::Event,
    ids::{RoomId, Seq},
};
use sha2::{Digest as _, Sha256};

use crate::store::{MessageLog, StoreError};

/// Events that are read at once.
const STEP: usize = 500;

/// How far the log of a room is, and the rolling hash up to there.
///
/// # Errors
/// The store does not answer.
pub async fn digest(log: &dyn MessageLog, room: RoomId) -> Result<(Seq, [u8; 32]), StoreError> {
    let head = log.head(room).await?;
    let (mut hash, mut after) = (Sha256::new(), 0);
    while after < head {
        let events = log.events(room, after, STEP).await?;
        let Some(last) = events.last().map(|event| event.seq) else { break };
        events.iter().filter(|event| event.seq <= head).for_each(|event| roll(&mut hash, event));
        after = last;
    }
    Ok((head, hash.finalize().into()))
}

/// As people see a hash.
#[must_use]
pub fn hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn roll(hash: &mut Sha256, event: &Event) {
    let content = event.content.to_stored();
    hash.update(event.seq.to_be_bytes());
    hash.update(event.sender.0.as_bytes());
    hash.update(event.client_id.0.as_bytes());
    hash.update((content.len() as u64).to_be_bytes());
    hash.update(content);
}
