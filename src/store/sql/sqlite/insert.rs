//! Writing rows of the log, many per statement.

use std::sync::LazyLock;

use rookery_core::{event::Event, shard::Stamp};
use sqlx::{Sqlite, SqliteConnection, query::Query, sqlite::SqliteArguments};

use super::row::signed;

const HEAD: &str = "INSERT INTO events (room, seq, stamp, kind, sender, client_id, at, target, messages, body) VALUES ";
const ROW: &str = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// Rows per statement, largest first; each has one text, prepared once.
static STATEMENTS: LazyLock<[(usize, String); 3]> = LazyLock::new(|| [64, 8, 1].map(|rows| (rows, statement(rows))));

fn statement(rows: usize) -> String {
    let mut sql = String::from(HEAD);
    for row in 0..rows {
        sql.push_str(if row == 0 { "" } else { ", " });
        sql.push_str(ROW);
    }
    sql
}

/// Writes these events.
pub(super) async fn insert<'e>(
    connection: &mut SqliteConnection,
    events: impl ExactSizeIterator<Item = (Stamp, &'e Event)>,
) -> Result<(), sqlx::Error> {
    let mut left = events.len();
    let mut events = events;
    let statements: &'static [(usize, String); 3] = &STATEMENTS;
    for (rows, sql) in statements {
        while left >= *rows {
            let mut query = sqlx::query(sql.as_str());
            for (stamp, event) in events.by_ref().take(*rows) {
                query = bind(query, stamp, event);
            }
            query.execute(&mut *connection).await?;
            left -= rows;
        }
    }
    Ok(())
}

fn bind<'q>(
    query: Query<'q, Sqlite, SqliteArguments>,
    stamp: Stamp,
    event: &Event,
) -> Query<'q, Sqlite, SqliteArguments> {
    query
        .bind(event.room.0)
        .bind(signed(event.seq))
        .bind(signed(stamp.0))
        .bind(event.content.kind().number())
        .bind(event.sender.0)
        .bind(event.client_id.0)
        .bind(event.at.0)
        .bind(event.content.target().map(signed))
        .bind(signed(event.messages))
        .bind(event.content.to_stored())
}
