//! A place of its own in the PostgreSQL of the tests, gone when it is dropped.

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

use crate::store::sql::PostgresSettings;

/// An empty schema.
pub(in crate::store) struct Scratch {
    server: String,
    schema: String,
}

impl Scratch {
    /// A new one, in the database of `ROOKERY_TEST_POSTGRES`.
    pub(in crate::store) async fn new() -> Self {
        let scratch = Self { server: server(), schema: format!("test_{}", Uuid::now_v7().simple()) };
        let sql = format!("CREATE SCHEMA {}", scratch.schema);
        let mut connection = PgConnection::connect(&scratch.server).await.unwrap();
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        scratch
    }

    /// The address of the schema.
    pub(in crate::store) fn url(&self) -> String {
        format!("{}?options[search_path]={}", self.server, self.schema)
    }

    /// Settings for a store in it; few connections, as tests run beside each other.
    pub(in crate::store) fn settings(&self) -> PostgresSettings {
        PostgresSettings { connections: 5, ..PostgresSettings::new(self.url()) }
    }
}

/// The server of the tests.
pub(in crate::store) fn server() -> String {
    std::env::var("ROOKERY_TEST_POSTGRES").expect(
        "this test needs PostgreSQL: `scripts/services up`, then `export $(scripts/services env)`, then the tests again",
    )
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let (server, sql) = (self.server.clone(), format!("DROP SCHEMA {} CASCADE", self.schema));
        // The runtime of the test may be the one that drops this, and may not be made to wait.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let mut connection = PgConnection::connect(&server).await?;
                sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await?;
                connection.close().await
            })
        });
        let dropped = dropped.join();
        if !std::thread::panicking() {
            dropped.unwrap().unwrap();
        }
    }
}
