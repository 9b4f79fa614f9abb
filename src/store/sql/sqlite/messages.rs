//! Messages in their present state: the row of the log, what was laid over it, and how people react.

use rookery_core::{
    event::Content,
    ids::{ClientId, RoomId, Seq, UserId},
    time::Millis,
};
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

use super::{
    SqliteStore,
    row::{self, rows, signed, unsigned},
};
use crate::store::{
    StoreError,
    log::Window,
    record::{Message, ReactionCount},
};

/// The columns of a message; `$1` is the viewer.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT e.room, e.seq, e.at, e.sender, e.client_id, e.body AS stored, o.body AS body, o.edited_at,
                coalesce(o.deleted, 0) AS deleted,
                (SELECT json_group_array(json_array(emoji, count, mine)) FROM
                    (SELECT emoji, count(*) AS count, max(user = $1) AS mine FROM reactions
                     WHERE room = e.room AND seq = e.seq GROUP BY emoji ORDER BY min(event))) AS reactions
            FROM events e LEFT JOIN overlays o ON o.room = e.room AND o.seq = e.seq ",
            $rest
        )
    };
}

pub(super) const DOWN: &str =
    select!("WHERE e.room = $2 AND e.kind = 0 AND e.seq < $3 AND e.seq >= $4 ORDER BY e.seq DESC LIMIT $5");
pub(super) const UP: &str =
    select!("WHERE e.room = $2 AND e.kind = 0 AND e.seq > $3 AND e.seq >= $4 ORDER BY e.seq LIMIT $5");
pub(super) const ONE: &str = select!("WHERE e.room = $2 AND e.kind = 0 AND e.seq = $3");
/// The messages at these places of the file; `$2` is a JSON list of them.
pub(super) const AT: &str = select!("WHERE e.pos IN (SELECT value FROM json_each($2)) AND e.kind = 0");

/// A message as it comes out of the file.
#[derive(FromRow)]
pub(super) struct MessageRow {
    room: Uuid,
    seq: i64,
    at: i64,
    sender: Uuid,
    client_id: Uuid,
    stored: Vec<u8>,
    body: Option<String>,
    edited_at: Option<i64>,
    deleted: bool,
    reactions: String,
}

/// How many react with an emoji, as SQLite's JSON says it.
#[derive(Deserialize)]
struct Count(String, u64, u8);

impl MessageRow {
    /// The message in it.
    pub(super) fn message(self) -> Result<Message, StoreError> {
        let (room, seq) = (RoomId(self.room), unsigned(self.seq));
        let unreadable = || StoreError::Corrupt(format!("message {seq} of room {room}"));
        let Content::Message { body, reply_to, mentions, attachments } = row::content(room, seq, &self.stored)? else {
            return Err(unreadable());
        };
        let counts: Vec<Count> = serde_json::from_str(&self.reactions).map_err(|_| unreadable())?;
        let reaction = |Count(emoji, count, mine)| ReactionCount { emoji, count, mine: mine != 0 };
        Ok(Message {
            room,
            seq,
            at: Millis(self.at),
            from: UserId(self.sender),
            client_id: ClientId(self.client_id),
            body: self.body.unwrap_or(body),
            edited_at: self.edited_at.map(Millis),
            deleted: self.deleted,
            reply_to,
            mentions,
            attachments,
            reactions: counts.into_iter().map(reaction).collect(),
        })
    }
}

/// A part of the history.
pub(super) async fn page(
    store: &SqliteStore,
    room: RoomId,
    window: Window,
    visible_from: Seq,
    limit: usize,
    viewer: UserId,
) -> Result<Vec<Message>, StoreError> {
    let part = |sql, seq, limit| part(store, sql, (room, viewer), seq, visible_from, limit);
    match window {
        Window::Newest => part(DOWN, Seq::MAX, limit).await,
        Window::Before(seq) => part(DOWN, seq, limit).await,
        Window::After(seq) => part(UP, seq, limit).await,
        Window::Around(seq) => {
            let mut around = part(DOWN, seq, limit / 2).await?;
            let left = limit - around.len();
            around.extend(part(UP, seq.saturating_sub(1), left).await?);
            Ok(around)
        }
    }
}

async fn part(
    store: &SqliteStore,
    sql: &'static str,
    (room, viewer): (RoomId, UserId),
    seq: Seq,
    visible_from: Seq,
    limit: usize,
) -> Result<Vec<Message>, StoreError> {
    let query = sqlx::query_as(sql).bind(viewer.0).bind(room.0).bind(signed(seq)).bind(signed(visible_from));
    let found: Vec<MessageRow> = query.bind(rows(limit)).fetch_all(&store.readers).await?;
    let mut page = found.into_iter().map(MessageRow::message).collect::<Result<Vec<_>, _>>()?;
    if sql == DOWN {
        page.reverse();
    }
    Ok(page)
}

/// One message.
pub(super) async fn one(
    store: &SqliteStore,
    room: RoomId,
    seq: Seq,
    viewer: UserId,
) -> Result<Option<Message>, StoreError> {
    let query = sqlx::query_as(ONE).bind(viewer.0).bind(room.0).bind(signed(seq));
    let found: Option<MessageRow> = query.fetch_optional(&store.readers).await?;
    found.map(MessageRow::message).transpose()
}

/// The messages at these places of the file, in any order.
pub(super) async fn at(store: &SqliteStore, places: &[i64], viewer: UserId) -> Result<Vec<Message>, StoreError> {
    let list = serde_json::Value::from(places).to_string();
    let query = sqlx::query_as(AT).bind(viewer.0).bind(list);
    let found: Vec<MessageRow> = query.fetch_all(&store.readers).await?;
    found.into_iter().map(MessageRow::message).collect()
}
