//! Every statement, prepared once, with its deadline and whether it may be sent twice.

use std::time::Duration;

use scylla::{
    client::session::Session,
    deserialize::row::DeserializeRow,
    response::query_result::QueryResult,
    statement::{Consistency, prepared::PreparedStatement},
    value::{CqlValue, Row},
};

use super::{
    connect::CqlSettings,
    failure::{corrupt, unavailable},
};
use crate::store::StoreError;

/// How long a decision by compare-and-set may take.
const DECISION: Duration = Duration::from_secs(3);

/// Makes the struct of prepared statements from a table: how each is prepared, its name, its text.
macro_rules! statements {
    ($($sort:ident $name:ident: $text:expr;)+) => {
        /// The prepared statements.
        pub(super) struct Statements {
            $(pub(super) $name: PreparedStatement,)+
        }

        impl Statements {
            pub(super) async fn prepare(session: &Session, settings: &CqlSettings) -> Result<Self, StoreError> {
                let prepare = Prepare { session, settings };
                Ok(Self { $($name: prepare.$sort($text).await?,)+ })
            }
        }
    };
}

/// Rows of the log; in which order is for the caller to say.
macro_rules! rows {
    ($order:literal) => {
        concat!(
            "SELECT seq, stamp, sender, client_id, at, messages, body FROM events
            WHERE room = ? AND bucket = ? AND seq > ? AND seq <= ? ORDER BY seq ",
            $order,
            " LIMIT ?"
        )
    };
}

statements! {
    serial_read learn_shard: "SELECT owner, incarnation, epoch FROM shards WHERE part = ? AND shard = ?";
    verify read_shards: "SELECT shard, owner, incarnation, epoch FROM shards WHERE part = ? AND shard IN ?";
    decision first_claim: "INSERT INTO shards (part, shard, owner, incarnation, epoch) VALUES (?, ?, ?, ?, ?)
        IF NOT EXISTS";
    decision next_claim: "UPDATE shards SET owner = ?, incarnation = ?, epoch = ? WHERE part = ? AND shard = ?
        IF epoch = ?";

    write insert_event: "INSERT INTO events
        (room, bucket, seq, stamp, kind, sender, client_id, at, messages, target, body)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?";
    write cut_events: "DELETE FROM events USING TIMESTAMP ? WHERE room = ? AND bucket = ? AND seq > ?";
    write set_body: "UPDATE events USING TIMESTAMP ? SET body = ? WHERE room = ? AND bucket = ? AND seq = ?";
    read rows_up: rows!("ASC");
    read rows_down: rows!("DESC");

    read read_head: "SELECT head FROM heads WHERE room = ?";
    write write_head: "UPDATE heads USING TIMESTAMP ? SET head = ? WHERE room = ?";
    read read_written: "SELECT seq FROM written WHERE room = ? AND slice = ? AND sender = ? AND client_id = ?";
    write note_written: "INSERT INTO written (room, slice, sender, client_id, seq) VALUES (?, ?, ?, ?, ?)
        USING TIMESTAMP ?";

    read overlays: "SELECT seq, body, edited_at, deleted, reactions, counted FROM overlays
        WHERE room = ? AND bucket = ? AND seq >= ? AND seq <= ?";
    write edit: "UPDATE overlays USING TIMESTAMP ? SET body = ?, edited_at = ?
        WHERE room = ? AND bucket = ? AND seq = ?";
    write delete: "UPDATE overlays USING TIMESTAMP ? SET body = '', deleted = true, reactions = ''
        WHERE room = ? AND bucket = ? AND seq = ?";
    write count: "UPDATE overlays USING TIMESTAMP ? SET reactions = ?, counted = ?
        WHERE room = ? AND bucket = ? AND seq = ?";
    read edits: "SELECT edit FROM edits WHERE room = ? AND bucket = ? AND seq = ?";
    write note_edit: "INSERT INTO edits (room, bucket, seq, edit) VALUES (?, ?, ?, ?) USING TIMESTAMP ?";

    read reactions: "SELECT emoji, person, at FROM reactions WHERE room = ? AND bucket = ? AND seq = ?
        ORDER BY seq, event LIMIT 1000";
    write react: "INSERT INTO reactions (room, bucket, seq, event, person, emoji, at) VALUES (?, ?, ?, ?, ?, ?, ?)
        USING TIMESTAMP ?";
    write take_back: "DELETE FROM reactions USING TIMESTAMP ? WHERE room = ? AND bucket = ? AND seq = ? AND event = ?";
    write forget_reactions: "DELETE FROM reactions USING TIMESTAMP ? WHERE room = ? AND bucket = ? AND seq = ?";
    read reacted: "SELECT event, stands FROM reacted
        WHERE room = ? AND bucket = ? AND person = ? AND seq = ? AND emoji = ?";
    write note_reacted: "INSERT INTO reacted (room, bucket, person, seq, emoji, event, stands)
        VALUES (?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?";
    read reacted_by: "SELECT seq, emoji, stands FROM reacted
        WHERE room = ? AND bucket = ? AND person = ? AND seq >= ? AND seq <= ?";
}

/// Preparing, with what goes with each sort of statement.
struct Prepare<'s> {
    session: &'s Session,
    settings: &'s CqlSettings,
}

impl Prepare<'_> {
    async fn statement(&self, text: &str, deadline: Duration) -> Result<PreparedStatement, StoreError> {
        let mut prepared = self.session.prepare(text).await.map_err(unavailable)?;
        prepared.set_request_timeout(Some(deadline));
        Ok(prepared)
    }

    /// All timestamps are given, so that twice is once.
    async fn write(&self, text: &str) -> Result<PreparedStatement, StoreError> {
        let mut prepared = self.statement(text, self.settings.write_deadline).await?;
        prepared.set_is_idempotent(true);
        Ok(prepared)
    }

    async fn read(&self, text: &str) -> Result<PreparedStatement, StoreError> {
        let mut prepared = self.statement(text, self.settings.read_deadline).await?;
        prepared.set_is_idempotent(true);
        Ok(prepared)
    }

    /// On the way of every append.
    async fn verify(&self, text: &str) -> Result<PreparedStatement, StoreError> {
        let mut prepared = self.statement(text, self.settings.write_deadline).await?;
        prepared.set_is_idempotent(true);
        Ok(prepared)
    }

    async fn serial_read(&self, text: &str) -> Result<PreparedStatement, StoreError> {
        let mut prepared = self.statement(text, DECISION).await?;
        prepared.set_consistency(Consistency::Serial);
        Ok(prepared)
    }

    /// Never sent twice by the driver: the second one would be told about the first one's success as a failure.
    async fn decision(&self, text: &str) -> Result<PreparedStatement, StoreError> {
        self.statement(text, DECISION).await
    }
}

/// All rows of an answer.
pub(super) fn all<R>(result: QueryResult) -> Result<Vec<R>, StoreError>
where
    R: for<'frame> DeserializeRow<'frame, 'frame>,
{
    let result = result.into_rows_result().map_err(corrupt)?;
    let rows = result.rows::<R>().map_err(corrupt)?;
    rows.map(|row| row.map_err(corrupt)).collect()
}

/// The one row of an answer, if there is one.
pub(super) fn first<R>(result: QueryResult) -> Result<Option<R>, StoreError>
where
    R: for<'frame> DeserializeRow<'frame, 'frame>,
{
    Ok(all(result)?.into_iter().next())
}

/// Whether a decision was taken. The two servers answer with different columns; this one is always the first.
pub(super) fn applied(result: QueryResult) -> Result<bool, StoreError> {
    let row: Option<Row> = first(result)?;
    match row.as_ref().and_then(|row| row.columns.first()) {
        Some(Some(CqlValue::Boolean(applied))) => Ok(*applied),
        _ => Err(corrupt("an answer to a compare-and-set does not say whether it was applied")),
    }
}
