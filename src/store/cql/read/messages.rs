//! Parts of the history: the messages among the events, up and down from any place.

use rookery_core::{
    event::Content,
    fence::Row,
    ids::{RoomId, Seq, UserId},
};

use super::super::Store;
use crate::store::{StoreError, log::Window, record::Message};

/// Rows that are read at once to find so many messages: most events are some.
const fn enough(limit: usize) -> usize {
    limit.saturating_add(16)
}

fn is_message(row: &Row) -> bool {
    matches!(row.event.content, Content::Message { .. })
}

impl Store {
    /// Messages in their present state, ascending, none above `head`, which is committed.
    pub(in crate::store::cql) async fn page(
        &self,
        room: RoomId,
        window: Window,
        (visible_from, head): (Seq, Seq),
        limit: usize,
        viewer: UserId,
    ) -> Result<Vec<Message>, StoreError> {
        let (from, end) = (visible_from.max(1), head.saturating_add(1));
        let rows = match window {
            Window::Newest => self.down(room, end, from, limit).await?,
            Window::Before(seq) => self.down(room, seq.min(end), from, limit).await?,
            Window::After(seq) => self.up(room, seq.max(from - 1), head, limit).await?,
            Window::Around(seq) => {
                let mut around = self.down(room, seq.min(end), from, limit / 2).await?;
                let left = limit - around.len();
                around.extend(self.up(room, seq.max(from).saturating_sub(1), head, left).await?);
                around
            }
        };
        self.present(room, rows, viewer).await
    }

    /// One message.
    pub(in crate::store::cql) async fn one(
        &self,
        room: RoomId,
        seq: Seq,
        head: Seq,
        viewer: UserId,
    ) -> Result<Option<Message>, StoreError> {
        if seq > head {
            return Ok(None);
        }
        let row = self.row(room, seq).await?.filter(is_message);
        Ok(self.present(room, row.into_iter().collect(), viewer).await?.pop())
    }

    async fn down(&self, room: RoomId, before: Seq, from: Seq, limit: usize) -> Result<Vec<Row>, StoreError> {
        let (mut found, mut before) = (Vec::new(), before);
        while found.len() < limit && before > from {
            let rows = self.rows_down(room, before, from, enough(limit)).await?;
            let Some(lowest) = rows.last().map(|row| (row.seq(), row.event.messages)) else { break };
            let none = !rows.iter().any(is_message);
            found.extend(rows.into_iter().filter(is_message).take(limit - found.len()));
            before = lowest.0;
            if none && before > from {
                if lowest.1 == 0 {
                    break;
                }
                // Long stretches of other events are jumped over: each knows how many messages there were before it.
                before = before.min(self.first_with(room, lowest.1, from, before - 1).await? + 1);
            }
        }
        found.reverse();
        Ok(found)
    }

    async fn up(&self, room: RoomId, after: Seq, head: Seq, limit: usize) -> Result<Vec<Row>, StoreError> {
        let (mut found, mut after) = (Vec::new(), after);
        while found.len() < limit && after < head {
            let rows = self.rows_up(room, after, head, enough(limit)).await?;
            let Some(highest) = rows.last().map(|row| (row.seq(), row.event.messages)) else { break };
            let none = !rows.iter().any(is_message);
            found.extend(rows.into_iter().filter(is_message).take(limit - found.len()));
            after = highest.0;
            if none {
                after = self.first_with(room, highest.1 + 1, highest.0 + 1, head).await? - 1;
            }
        }
        Ok(found)
    }

    /// The first event in `low..=high` up to which the log holds so many messages; `high + 1` if there is none.
    async fn first_with(&self, room: RoomId, messages: u64, low: Seq, high: Seq) -> Result<Seq, StoreError> {
        let (mut low, mut end) = (low, high + 1);
        while low < end {
            let middle = low + (end - low) / 2;
            let row = self.row(room, middle).await?;
            if row.is_some_and(|row| row.event.messages >= messages) {
                end = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }
}
