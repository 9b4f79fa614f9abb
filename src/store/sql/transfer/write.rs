//! Writing rows into PostgreSQL, a page in one statement.

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{
    super::PostgresStore,
    read::{Rows, Value},
    table::{Sort, Table},
};
use crate::store::StoreError;

impl PostgresStore {
    /// Writes a page of rows; those that are there already stay as they are.
    pub(in crate::store) async fn put_rows(&self, table: &'static Table, rows: Rows) -> Result<(), StoreError> {
        if rows.len() == 0 {
            return Ok(());
        }
        let sql = statement(table);
        self.write(move |connection| {
            Box::pin(async move {
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for (at, column) in table.columns.iter().enumerate() {
                    let values = rows.0.iter().map(|row| &row[at]);
                    query = match column.sort {
                        Sort::Id => query.bind(values.map(id).collect::<Vec<_>>()),
                        Sort::Number => query.bind(values.map(number).collect::<Vec<_>>()),
                        Sort::Flag => query.bind(values.map(flag).collect::<Vec<_>>()),
                        Sort::Text => query.bind(values.map(text).collect::<Vec<_>>()),
                        Sort::Bytes => query.bind(values.map(bytes).collect::<Vec<_>>()),
                    };
                }
                query.execute(connection).await?;
                Ok(())
            })
        })
        .await
    }
}

fn statement(table: &Table) -> String {
    let names: Vec<&str> = table.columns.iter().map(|column| column.to).collect();
    let lists = table.columns.iter().zip(1..).map(|(column, number)| {
        let of = match column.sort {
            Sort::Id => "uuid",
            Sort::Number => "bigint",
            Sort::Flag => "bool",
            Sort::Text => "text",
            Sort::Bytes => "bytea",
        };
        format!("${number}::{of}[]")
    });
    // The audit log keeps its numbers.
    format!(
        "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT * FROM unnest({}) ON CONFLICT DO NOTHING",
        table.name,
        names.join(", "),
        lists.collect::<Vec<_>>().join(", ")
    )
}

fn id(value: &Value) -> Option<Uuid> {
    if let Value::Id(id) = value { *id } else { None }
}

fn number(value: &Value) -> Option<i64> {
    if let Value::Number(number) = value { *number } else { None }
}

fn flag(value: &Value) -> bool {
    matches!(value, Value::Flag(true))
}

fn text(value: &Value) -> Option<String> {
    if let Value::Text(text) = value { text.clone() } else { None }
}

fn bytes(value: &Value) -> Vec<u8> {
    if let Value::Bytes(bytes) = value { bytes.clone() } else { Vec::new() }
}
