//! A schema of its own in a database, for measurements: made, and forgotten.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::store::StoreError;

/// Makes it.
///
/// # Errors
/// What the server says.
pub async fn make(url: &str, name: &str) -> Result<(), StoreError> {
    run(url, name, "CREATE SCHEMA").await
}

/// Forgets it, with all that is in it.
///
/// # Errors
/// What the server says.
pub async fn forget(url: &str, name: &str) -> Result<(), StoreError> {
    run(url, name, "DROP SCHEMA IF EXISTS").await
}

async fn run(url: &str, name: &str, what: &str) -> Result<(), StoreError> {
    let is_word = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !is_word || name.is_empty() {
        return Err(StoreError::Unavailable(format!("\"{name}\" cannot be the name of a schema")));
    }
    let how = if what.starts_with("DROP") { " CASCADE" } else { "" };
    let mut connection = PgConnection::connect(url).await?;
    sqlx::query(AssertSqlSafe(format!("{what} {name}{how}"))).execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::store::sql::{PostgresSettings, PostgresStore};

    #[tokio::test]
    async fn a_place_is_made_used_and_gone_again() {
        let server = super::super::tests::scratch::server();
        let name = format!("test_{}", Uuid::now_v7().simple());
        make(&server, &name).await.unwrap();
        let settings = PostgresSettings::new(format!("{server}?options[search_path]={name}"));
        PostgresStore::open(settings).await.unwrap().close().await;
        forget(&server, &name).await.unwrap();
        make(&server, &name).await.unwrap();
        forget(&server, &name).await.unwrap();
        assert!(make(&server, "a; DROP TABLE rooms").await.is_err());
    }
}
