//! The present state of messages: the row of the log, what was laid over it, and how people react.

use std::collections::{HashMap, HashSet};

use futures_util::future::try_join_all;
use rookery_core::{
    event::Content,
    fence::Row,
    ids::{RoomId, Seq, UserId},
    time::Millis,
};

use super::super::{
    Store,
    failure::corrupt,
    row::{bucket, signed, unsigned},
    statements::all,
};
use crate::store::{
    StoreError,
    record::{Message, Reaction, ReactionCount},
};

/// What differs from the first row of a message; what was never written is `None`.
type OverlayRow = (i64, Option<String>, Option<i64>, Option<bool>, Option<String>, Option<i64>);

/// The same.
#[derive(Clone, Debug, Default)]
pub(in crate::store::cql) struct Overlay {
    body: Option<String>,
    edited_at: Option<Millis>,
    pub(in crate::store::cql) deleted: bool,
    /// Each emoji and how many, in the order in which they came.
    pub(in crate::store::cql) reactions: Vec<(String, u64)>,
    /// The event that the counts stand for.
    pub(in crate::store::cql) counted: Seq,
}

impl Overlay {
    fn read(room: RoomId, row: OverlayRow) -> Result<(Seq, Self), StoreError> {
        let (seq, body, edited_at, deleted, reactions, counted) = row;
        let (seq, deleted) = (unsigned(seq), deleted.unwrap_or(false));
        let reactions = match reactions.as_deref() {
            None | Some("") => Vec::new(),
            Some(text) => serde_json::from_str(text)
                .map_err(|_| corrupt(format!("the reactions to message {seq} of room {room}")))?,
        };
        let overlay = Self {
            body: body.filter(|_| !deleted),
            edited_at: edited_at.filter(|_| !deleted).map(Millis),
            deleted,
            reactions,
            counted: counted.map_or(0, unsigned),
        };
        Ok((seq, overlay))
    }
}

impl Store {
    /// What lies over the messages from `first` to `last`, which are of one partition.
    pub(in crate::store::cql) async fn overlays(
        &self,
        room: RoomId,
        first: Seq,
        last: Seq,
    ) -> Result<HashMap<Seq, Overlay>, StoreError> {
        let values = (room.0, bucket(first), signed(first), signed(last));
        let found: Vec<OverlayRow> = all(self.run(&self.statements.overlays, values).await?)?;
        found.into_iter().map(|row| Overlay::read(room, row)).collect()
    }

    /// The reactions to one message, oldest first.
    pub(in crate::store::cql) async fn reactions_to(
        &self,
        room: RoomId,
        seq: Seq,
    ) -> Result<Vec<Reaction>, StoreError> {
        let values = (room.0, bucket(seq), signed(seq));
        let found: Vec<(String, uuid::Uuid, i64)> = all(self.run(&self.statements.reactions, values).await?)?;
        let reaction = |(emoji, user, at)| Reaction { emoji, user: UserId(user), at: Millis(at) };
        Ok(found.into_iter().map(reaction).collect())
    }

    /// Rows that are messages, in ascending order, as they are now.
    pub(super) async fn present(
        &self,
        room: RoomId,
        rows: Vec<Row>,
        viewer: UserId,
    ) -> Result<Vec<Message>, StoreError> {
        let parts = rows.chunk_by(|one, other| bucket(one.seq()) == bucket(other.seq()));
        let parts = try_join_all(parts.map(|part| self.present_part(room, part, viewer))).await?;
        Ok(parts.into_iter().flatten().collect())
    }

    async fn present_part(&self, room: RoomId, rows: &[Row], viewer: UserId) -> Result<Vec<Message>, StoreError> {
        let (Some(first), Some(last)) = (rows.first().map(Row::seq), rows.last().map(Row::seq)) else {
            return Ok(Vec::new());
        };
        let mut overlays = self.overlays(room, first, last).await?;
        let mut mine = HashSet::new();
        if overlays.values().any(|overlay| !overlay.reactions.is_empty()) {
            let values = (room.0, bucket(first), viewer.0, signed(first), signed(last));
            let found: Vec<(i64, String, bool)> = all(self.run(&self.statements.reacted_by, values).await?)?;
            let standing = found.into_iter().filter(|(_, _, stands)| *stands);
            mine = standing.map(|(seq, emoji, _)| (unsigned(seq), emoji)).collect();
        }
        let message = |row: &Row| message(row, overlays.remove(&row.seq()).unwrap_or_default(), &mine);
        Ok(rows.iter().filter_map(message).collect())
    }
}

fn message(row: &Row, overlay: Overlay, mine: &HashSet<(Seq, String)>) -> Option<Message> {
    let event = &row.event;
    let Content::Message { body, reply_to, mentions, attachments } = &event.content else { return None };
    let is_mine = |emoji: &String| mine.contains(&(event.seq, emoji.clone()));
    let count = |(emoji, count)| ReactionCount { mine: is_mine(&emoji), emoji, count };
    let (body, mentions, attachments) = match (overlay.deleted, overlay.body) {
        (true, _) => (String::new(), Vec::new(), Vec::new()),
        (false, Some(edited)) => (edited, mentions.clone(), attachments.clone()),
        (false, None) => (body.clone(), mentions.clone(), attachments.clone()),
    };
    Some(Message {
        room: event.room,
        seq: event.seq,
        at: event.at,
        from: event.sender,
        client_id: event.client_id,
        body,
        edited_at: overlay.edited_at,
        deleted: overlay.deleted,
        reply_to: *reply_to,
        mentions,
        attachments,
        reactions: overlay.reactions.into_iter().map(count).collect(),
    })
}
