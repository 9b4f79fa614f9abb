//! What waits for a reader that is slower than its rooms: bounded, and dropped in one piece when it is too much.

use std::{collections::VecDeque, io::IoSlice};

use bytes::{Buf, Bytes};
use rookery_core::ids::RoomId;

/// Frames that go into one write.
const SLICES: usize = 32;

struct Entry {
    bytes: Bytes,
    /// The room whose events these are; everything else is never dropped.
    room: Option<RoomId>,
}

/// The queue of one connection; exists only while something waits.
#[derive(Default)]
pub(super) struct Outgoing {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// The first entry is written in part: dropping it would tear a frame.
    torn: bool,
}

impl Outgoing {
    /// Puts bytes behind what waits.
    pub(super) fn push(&mut self, bytes: Bytes, room: Option<RoomId>) {
        self.bytes += bytes.len();
        self.entries.push_back(Entry { bytes, room });
    }

    /// Bytes that wait.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Writes that wait.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The first entries, for one write.
    pub(super) fn slices<'a>(&'a self, into: &mut Vec<IoSlice<'a>>) {
        into.extend(self.entries.iter().take(SLICES).map(|entry| IoSlice::new(&entry.bytes)));
    }

    /// So many bytes are written.
    pub(super) fn written(&mut self, mut count: usize) {
        self.bytes -= count;
        while let Some(entry) = self.entries.front_mut() {
            if count < entry.bytes.len() {
                entry.bytes.advance(count);
                self.torn |= count > 0;
                return;
            }
            count -= entry.bytes.len();
            self.entries.pop_front();
            self.torn = false;
        }
    }

    /// The first entry is what is left of a frame whose beginning is written.
    pub(super) const fn tear(&mut self) {
        self.torn = true;
    }

    /// Drops every event that waits; answers whose they were.
    pub(super) fn drop_events(&mut self) -> Vec<RoomId> {
        let mut rooms = Vec::new();
        let mut first = true;
        let torn = self.torn;
        self.entries.retain(|entry| {
            let keep = entry.room.is_none() || (first && torn);
            first = false;
            if !keep {
                rooms.extend(entry.room);
            }
            keep
        });
        self.bytes = self.entries.iter().map(|entry| entry.bytes.len()).sum();
        rooms.sort_unstable();
        rooms.dedup();
        rooms
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_frame_that_is_half_written_is_never_dropped() {
        let room = RoomId(Uuid::from_u128(1));
        let mut queue = Outgoing::default();
        queue.push(Bytes::from_static(b"first"), Some(room));
        queue.push(Bytes::from_static(b"second"), Some(room));
        queue.push(Bytes::from_static(b"ack"), None);
        queue.written(2);
        assert_eq!(queue.drop_events(), [room]);
        let mut slices = Vec::new();
        queue.slices(&mut slices);
        assert_eq!(slices.concat_bytes(), b"rstack");
        assert_eq!(queue.bytes(), 6);
    }

    trait ConcatBytes {
        fn concat_bytes(&self) -> Vec<u8>;
    }

    impl ConcatBytes for Vec<IoSlice<'_>> {
        fn concat_bytes(&self) -> Vec<u8> {
            self.iter().flat_map(|slice| slice.to_vec()).collect()
        }
    }
}
