//! Between the columns of tables and the words of the core.

use std::sync::Arc;

use rookery_core::{
    event::{Content, Event},
    fence::{BUCKET, Row},
    ids::{ClientId, RoomId, Seq, UserId},
    shard::Stamp,
    time::Millis,
};
use uuid::Uuid;

use super::failure::corrupt;
use crate::store::StoreError;

/// A number for a column; CQL knows only signed ones.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number from a column; ours are never negative.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// How many rows at most.
pub(super) fn rows(limit: usize) -> i32 {
    i32::try_from(limit).unwrap_or(i32::MAX)
}

/// The partition of a room's log that a row stands in.
pub(super) const fn bucket(seq: Seq) -> i64 {
    (seq / BUCKET).cast_signed()
}

/// The partition of a room's keys that a key stands in: sixteen, so that each stays small in a room of millions.
pub(super) fn slice(sender: UserId, client_id: ClientId) -> i16 {
    let both = sender.0.as_u128() ^ client_id.0.as_u128().rotate_left(64);
    let folded = (both >> 64) as u64 ^ both as u64;
    // The high bits of a product are the best mixed ones.
    (folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60) as i16
}

/// The columns of an event as they are read.
pub(super) type EventRow = (i64, i64, Uuid, Uuid, i64, i64, Vec<u8>);

/// The row of the log that these columns are.
pub(super) fn log_row(room: RoomId, columns: EventRow) -> Result<Row, StoreError> {
    let (seq, stamp, sender, client_id, at, messages, body) = columns;
    let seq = unsigned(seq);
    let content = Content::from_stored(&body).ok_or_else(|| corrupt(format!("event {seq} of room {room}")))?;
    let event = Event {
        room,
        seq,
        at: Millis(at),
        sender: UserId(sender),
        client_id: ClientId(client_id),
        messages: unsigned(messages),
        content,
    };
    Ok(Row { stamp: Stamp(unsigned(stamp)), event: Arc::new(event) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_spread_over_the_slices() {
        let sender = UserId(Uuid::from_u128(7));
        let mut counts = [0_u32; 16];
        for n in 0..16_000_u128 {
            // As some clients make them: a counter.
            let slice = slice(sender, ClientId(Uuid::from_u128(n << 16)));
            counts[usize::try_from(slice).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| (500..=1_500).contains(count)), "{counts:?}");
    }
}
