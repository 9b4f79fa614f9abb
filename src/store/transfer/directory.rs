//! The directory: its tables from SQLite into PostgreSQL.

use super::{MoveError, Part, Progress};
use crate::store::{
    StoreError,
    sql::{
        PostgresStore, SqliteStore,
        transfer::{Digest, TABLES},
    },
};

pub(super) async fn inventory(source: &SqliteStore, progress: &dyn Progress) -> Result<Vec<Part>, StoreError> {
    let mut parts = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        progress.begin(&format!("reading {}", table.name), source.count_of(table.name).await?);
        let (mut digest, mut after) = (Digest::default(), None);
        loop {
            let rows = source.rows_of(table, after.as_ref()).await?;
            digest.add(&rows);
            progress.done(rows.len() as u64);
            after = rows.next(table);
            if after.is_none() {
                break;
            }
        }
        parts.push(Part { name: table.name, count: digest.rows(), sum: digest.sum() });
    }
    Ok(parts)
}

/// Rows go over in the order of their key, so what is there says where to go on.
pub(super) async fn copy(
    source: &SqliteStore,
    target: &PostgresStore,
    inventory: &[Part],
    progress: &dyn Progress,
) -> Result<(), MoveError> {
    for (table, part) in TABLES.iter().zip(inventory) {
        progress.begin(&format!("moving {}", table.name), part.count);
        let mut after = target.last_place(table).await?;
        loop {
            let rows = source.rows_of(table, after.as_ref()).await?;
            let (amount, next) = (rows.len() as u64, rows.next(table));
            target.put_rows(table, rows).await?;
            progress.done(amount);
            after = next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(())
}

pub(super) async fn compare(
    target: &PostgresStore,
    inventory: &[Part],
    progress: &dyn Progress,
) -> Result<(), MoveError> {
    for (table, part) in TABLES.iter().zip(inventory) {
        progress.begin(&format!("comparing {}", table.name), part.count);
        let (mut digest, mut after) = (Digest::default(), None);
        loop {
            let rows = target.rows_of(table, after.as_ref()).await?;
            digest.add(&rows);
            progress.done(rows.len() as u64);
            after = rows.next(table);
            if after.is_none() {
                break;
            }
        }
        if (digest.rows(), digest.sum()) != (part.count, part.sum) {
            return Err(MoveError::Differs(format!("the table {}", table.name)));
        }
    }
    Ok(())
}
