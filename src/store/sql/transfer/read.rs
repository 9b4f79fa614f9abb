//! Reading rows of either database in the order of their key, and what they come to.

use rookery_core::ids::{RoomId, Seq};
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Row, postgres::PgRow, sqlite::SqliteRow};
use uuid::Uuid;

use super::{
    super::{
        PostgresStore, SqliteStore,
        row::{signed, unsigned},
    },
    table::{Column, Sort, Table},
};
use crate::store::StoreError;

/// Rows that are read at once.
const PAGE: usize = 500;

/// What stands in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Id(Option<Uuid>),
    Number(Option<i64>),
    Flag(bool),
    Text(Option<String>),
    Bytes(Vec<u8>),
}

/// A place in a table: the key of the row that was read last.
#[derive(Clone, Debug)]
pub struct Place(pub(super) Vec<Value>);

/// Rows in the order of their key.
pub(in crate::store) struct Rows(pub(super) Vec<Vec<Value>>);

/// How many rows, and what all of them come to.
#[derive(Clone, Default)]
pub struct Digest {
    rows: u64,
    hash: Sha256,
}

impl Digest {
    /// Takes rows in.
    pub(in crate::store) fn add(&mut self, rows: &Rows) {
        self.rows += rows.len() as u64;
        rows.0.iter().flatten().for_each(|value| self.value(value));
    }

    /// How many rows.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// What they come to.
    #[must_use]
    pub fn sum(self) -> [u8; 32] {
        self.hash.finalize().into()
    }

    /// Its sort and its length first, so that nothing can stand for something else.
    fn value(&mut self, value: &Value) {
        match value {
            Value::Id(id) => self.bytes(1, id.as_ref().map(|id| &id.as_bytes()[..])),
            Value::Number(number) => self.bytes(2, number.map(i64::to_be_bytes).as_ref().map(|bytes| &bytes[..])),
            Value::Flag(flag) => self.bytes(3, Some(&[u8::from(*flag)])),
            Value::Text(text) => self.bytes(4, text.as_deref().map(str::as_bytes)),
            Value::Bytes(bytes) => self.bytes(5, Some(bytes)),
        }
    }

    fn bytes(&mut self, sort: u8, bytes: Option<&[u8]>) {
        self.hash.update([sort, u8::from(bytes.is_some())]);
        self.hash.update((bytes.map_or(0, <[u8]>::len) as u64).to_be_bytes());
        self.hash.update(bytes.unwrap_or_default());
    }
}

impl Rows {
    pub(in crate::store) fn len(&self) -> usize {
        self.0.len()
    }

    /// Where to go on; `None`: that was all.
    pub(in crate::store) fn next(&self, table: &Table) -> Option<Place> {
        let last = self.0.last().filter(|_| self.0.len() == PAGE)?;
        Some(Place(last[..table.key].to_vec()))
    }
}

/// The text of a question for a page, and with what sign a parameter begins.
fn question(table: &Table, name: fn(&Column) -> &'static str, after: bool) -> String {
    let names = |columns: &[Column]| columns.iter().map(name).collect::<Vec<_>>().join(", ");
    let (all, key) = (names(table.columns), names(&table.columns[..table.key]));
    let given: Vec<String> = (1..=table.key).map(|number| format!("${number}")).collect();
    let after = if after { format!("WHERE ({key}) > ({})", given.join(", ")) } else { String::new() };
    format!("SELECT {all} FROM {} {after} ORDER BY {key} LIMIT {PAGE}", table.name)
}

/// Binds a key to a question.
macro_rules! bind {
    ($query:expr, $after:expr) => {{
        let mut query = $query;
        for value in $after.into_iter().flat_map(|place: &Place| place.0.clone()) {
            query = match value {
                Value::Id(id) => query.bind(id),
                Value::Number(number) => query.bind(number),
                Value::Flag(flag) => query.bind(flag),
                Value::Text(text) => query.bind(text),
                Value::Bytes(bytes) => query.bind(bytes),
            };
        }
        query
    }};
}

/// Reads the columns of a row.
macro_rules! values {
    ($row:expr, $table:expr, $flag:expr) => {
        $table
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| {
                Ok(match column.sort {
                    Sort::Id => Value::Id($row.try_get(at)?),
                    Sort::Number => Value::Number($row.try_get(at)?),
                    Sort::Flag => Value::Flag($flag($row, at)?),
                    Sort::Text => Value::Text($row.try_get(at)?),
                    Sort::Bytes => Value::Bytes($row.try_get(at)?),
                })
            })
            .collect::<Result<Vec<Value>, sqlx::Error>>()
    };
}

impl SqliteStore {
    /// Rows of a table, after a place.
    pub(in crate::store) async fn rows_of(&self, table: &Table, after: Option<&Place>) -> Result<Rows, StoreError> {
        let sql = question(table, |column| column.from, after.is_some());
        let found = bind!(sqlx::query(AssertSqlSafe(sql)), after).fetch_all(&self.readers).await?;
        let flag = |row: &SqliteRow, at: usize| row.try_get::<i64, _>(at).map(|number| number != 0);
        Ok(Rows(found.iter().map(|row| values!(row, table, flag)).collect::<Result<_, _>>()?))
    }

    /// How many rows a table has.
    pub(in crate::store) async fn count_of(&self, table: &'static str) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM {table}");
        Ok(unsigned(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&self.readers).await?))
    }

    /// Rooms and their last events, after a room.
    pub(in crate::store) async fn logs(&self, after: Option<RoomId>) -> Result<Vec<(RoomId, Seq)>, StoreError> {
        let sql = "SELECT id, coalesce((SELECT max(seq) FROM events WHERE room = rooms.id), 0) FROM rooms
            WHERE id > $1 ORDER BY id LIMIT $2";
        let after = after.map_or(Uuid::nil(), |room| room.0);
        let query = sqlx::query_as(sql).bind(after).bind(signed(PAGE as u64));
        let found: Vec<(Uuid, i64)> = query.fetch_all(&self.readers).await?;
        Ok(found.into_iter().map(|(room, head)| (RoomId(room), unsigned(head))).collect())
    }
}

impl PostgresStore {
    /// Rows of a table, after a place.
    pub(in crate::store) async fn rows_of(&self, table: &Table, after: Option<&Place>) -> Result<Rows, StoreError> {
        let sql = question(table, |column| column.to, after.is_some());
        let found = self.read(bind!(sqlx::query(AssertSqlSafe(sql)), after).fetch_all(&self.pool)).await?;
        let flag = |row: &PgRow, at: usize| row.try_get::<bool, _>(at);
        Ok(Rows(found.iter().map(|row| values!(row, table, flag)).collect::<Result<_, _>>()?))
    }

    /// The last place of a table: since rows are moved in order, where a move was interrupted.
    pub(in crate::store) async fn last_place(&self, table: &Table) -> Result<Option<Place>, StoreError> {
        let key = &table.columns[..table.key];
        let names: Vec<&str> = key.iter().map(|column| column.to).collect();
        let order: Vec<String> = names.iter().map(|name| format!("{name} DESC")).collect();
        let sql = format!("SELECT {} FROM {} ORDER BY {} LIMIT 1", names.join(", "), table.name, order.join(", "));
        let found = self.read(sqlx::query(AssertSqlSafe(sql)).fetch_optional(&self.pool)).await?;
        let key = Table { name: table.name, key: table.key, columns: key };
        let flag = |row: &PgRow, at: usize| row.try_get::<bool, _>(at);
        let place = found.as_ref().map(|row| values!(row, key, flag)).transpose()?;
        Ok(place.map(Place))
    }
}
