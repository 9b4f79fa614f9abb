//! Batches that came in one go: joined by room, in the order in which they came.

use std::{collections::HashMap, sync::Arc};

use bytes::BytesMut;
use rookery_core::ids::RoomId;

use super::inbox::{Batch, Frames};

/// Bytes up to which the frames of one room are joined.
const JOINED: usize = 128 * 1_024;

/// Batches without anything else between them.
#[derive(Default)]
pub(super) struct Run {
    rooms: Vec<Vec<Batch>>,
    places: HashMap<RoomId, usize>,
}

impl Run {
    /// One more.
    pub(super) fn add(&mut self, batch: Batch) {
        let next = self.rooms.len();
        match self.places.get(&batch.room) {
            Some(place) => {
                if let Some(room) = self.rooms.get_mut(*place) {
                    room.push(batch);
                }
            }
            None => {
                self.places.insert(batch.room, next);
                self.rooms.push(vec![batch]);
            }
        }
    }

    /// What was added, joined; and begins anew.
    pub(super) fn end(&mut self) -> Vec<Batch> {
        let mut whole = Vec::new();
        self.places.clear();
        for room in self.rooms.drain(..) {
            let mut parts: Vec<Batch> = Vec::new();
            let mut bytes = 0;
            for batch in room {
                let follows = parts.last().is_none_or(|last| joins(last, &batch));
                if !follows || bytes + batch.frames.joined.len() > JOINED {
                    parts = finish(parts, &mut whole);
                    bytes = 0;
                }
                bytes += batch.frames.joined.len();
                parts.push(batch);
            }
            finish(parts, &mut whole);
        }
        whole
    }
}

/// Whether one batch goes on where another ends, and nobody leaves the room in between.
fn joins(last: &Batch, next: &Batch) -> bool {
    last.frames.last + 1 == next.frames.first && last.removed.is_empty() && next.removed.is_empty()
}

fn finish(mut parts: Vec<Batch>, whole: &mut Vec<Batch>) -> Vec<Batch> {
    if parts.len() <= 1 {
        whole.append(&mut parts);
        return parts;
    }
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return parts };
    let (room, removed) = (last.room, Arc::clone(&last.removed));
    let (first, last) = (first.frames.first, last.frames.last);
    let mut joined = BytesMut::with_capacity(parts.iter().map(|part| part.frames.joined.len()).sum());
    let (mut ends, mut acks) = (Vec::new(), Vec::new());
    for part in parts.drain(..) {
        ends.extend(part.frames.ends.iter().map(|end| joined.len() + end));
        joined.extend_from_slice(&part.frames.joined);
        acks.extend(part.acks);
    }
    // Acks of one session stand together, each in its place.
    acks.sort_by_key(|ack| (ack.session, ack.seq));
    whole.push(Batch { room, frames: Arc::new(Frames { first, last, joined: joined.freeze(), ends }), acks, removed });
    parts
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use uuid::Uuid;

    use super::*;

    fn batch(room: u128, first: u64, last: u64) -> Batch {
        let text: String = (first..=last).map(|seq| format!("<{seq}>")).collect();
        let mut ends = Vec::new();
        for seq in first..=last {
            ends.push(ends.last().copied().unwrap_or(0) + format!("<{seq}>").len());
        }
        let frames = Arc::new(Frames { first, last, joined: Bytes::from(text), ends });
        Batch { room: RoomId(Uuid::from_u128(room)), frames, acks: Vec::new(), removed: Arc::new([]) }
    }

    #[test]
    fn what_follows_is_joined_and_what_does_not_is_not() {
        let mut run = Run::default();
        for (room, first, last) in [(1, 1, 2), (2, 7, 7), (1, 3, 3), (1, 5, 6)] {
            run.add(batch(room, first, last));
        }
        let got: Vec<_> = run
            .end()
            .into_iter()
            .map(|batch| (batch.frames.first, batch.frames.last, batch.frames.joined.clone()))
            .collect();
        let text = |text: &'static str| Bytes::from_static(text.as_bytes());
        assert_eq!(got, [(1, 3, text("<1><2><3>")), (5, 6, text("<5><6>")), (7, 7, text("<7>"))]);
    }

    #[test]
    fn every_frame_of_a_joined_batch_can_be_had_alone() {
        let mut run = Run::default();
        run.add(batch(1, 8, 9));
        run.add(batch(1, 10, 11));
        let batch = run.end().pop().unwrap();
        for seq in 8..=11 {
            assert_eq!(batch.frames.one(seq), format!("<{seq}>").as_bytes());
        }
        assert_eq!(batch.frames.between(9, 10), "<9><10>");
    }
}
