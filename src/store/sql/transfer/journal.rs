//! Which move goes into a PostgreSQL, and whether it came to its end.

use super::super::PostgresStore;
use crate::store::StoreError;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS moves (source BYTEA PRIMARY KEY, finished BOOLEAN NOT NULL)";
const EMPTY: &str = "SELECT NOT EXISTS (SELECT 1 FROM users) AND NOT EXISTS (SELECT 1 FROM rooms)
    AND NOT EXISTS (SELECT 1 FROM audit)";
const BEGIN: &str = "INSERT INTO moves (source, finished) VALUES ($1, FALSE)";
const FINISH: &str = "UPDATE moves SET finished = TRUE WHERE source = $1";
/// New lines of the audit log come after those that were moved.
const GO_ON: &str = "SELECT setval(pg_get_serial_sequence('audit', 'pos'), max(pos)) FROM audit HAVING count(*) > 0";

impl PostgresStore {
    /// Whether somebody else's people are here.
    pub(in crate::store) async fn is_empty(&self) -> Result<bool, StoreError> {
        self.read(sqlx::query_scalar(EMPTY).fetch_one(&self.pool)).await
    }

    /// The move that goes into this database, and whether it is finished.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn moved(&self) -> Result<Option<(Vec<u8>, bool)>, StoreError> {
        let known: bool =
            self.read(sqlx::query_scalar("SELECT to_regclass('moves') IS NOT NULL").fetch_one(&self.pool)).await?;
        if !known {
            return Ok(None);
        }
        self.read(sqlx::query_as("SELECT source, finished FROM moves").fetch_optional(&self.pool)).await
    }

    /// Notes that a move has begun.
    pub(in crate::store) async fn begin_move(&self, source: [u8; 32]) -> Result<(), StoreError> {
        self.change(sqlx::query(TABLE)).await?;
        self.change(sqlx::query(BEGIN).bind(source.to_vec())).await?;
        Ok(())
    }

    /// Notes that it came to its end.
    pub(in crate::store) async fn finish_move(&self, source: [u8; 32]) -> Result<(), StoreError> {
        self.change(sqlx::query(GO_ON)).await?;
        self.change(sqlx::query(FINISH).bind(source.to_vec())).await?;
        Ok(())
    }
}
