//! Every query that people wait for goes down an index; none walks a table.

use sqlx::{AssertSqlSafe, Row};

use crate::store::sql::sqlite::{
    SqliteSettings, SqliteStore,
    directory::{
        BEGIN, BY_TOKEN, EXPIRE, FOR_VIEWER, KEPT, LIST_ROOMS, MEDIA, MEMBERS, ROOMS_OF, THESE_MEDIA, TOKEN_OF,
    },
    log::{
        EVENTS, HEAD, LOOK_TARGET, LOOK_WRITE, OUTCOME, REACTIONS, SNAPSHOT_BANS, SNAPSHOT_BLOCKING, SNAPSHOT_MEMBERS,
        SNAPSHOT_RECENT, SNAPSHOT_ROOM,
    },
    messages::{AT, DOWN, ONE, UP},
    writer::MARK,
};

/// The steps of a query, as SQLite plans them.
async fn plan(store: &SqliteStore, sql: &str) -> Vec<String> {
    let query = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")));
    let rows = query.fetch_all(&store.readers).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>("detail")).collect()
}

/// What a plan may walk from end to end: lists that were given, and the few rows that a query within it found.
const SHORT: [&str; 6] = ["SCAN json_each", "SCAN CONSTANT ROW", "SCAN next", "SCAN f", "SCAN h", "SCAN (subquery"];

#[tokio::test(flavor = "multi_thread")]
async fn no_query_on_the_way_of_people_walks_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(SqliteSettings::new(folder.path())).await.unwrap();
    for sql in [
        ROOMS_OF,
        LIST_ROOMS,
        DOWN,
        UP,
        ONE,
        AT,
        EVENTS,
        LOOK_WRITE,
        LOOK_TARGET,
        OUTCOME,
        HEAD,
        REACTIONS,
        MARK,
        BY_TOKEN,
        TOKEN_OF,
        MEDIA,
        FOR_VIEWER,
        THESE_MEDIA,
        KEPT,
        EXPIRE,
        BEGIN,
        MEMBERS,
        SNAPSHOT_ROOM,
        SNAPSHOT_MEMBERS,
        SNAPSHOT_BANS,
        SNAPSHOT_BLOCKING,
        SNAPSHOT_RECENT,
    ] {
        let steps = plan(&store, sql).await;
        assert!(!steps.is_empty());
        for step in &steps {
            let walks = step.starts_with("SCAN") && !SHORT.iter().any(|short| step.starts_with(short));
            assert!(!walks, "{step}\nin {steps:#?}\nof {sql}");
        }
    }
    // The lists of a room come out of the index in their order.
    for sql in [EVENTS, DOWN, UP, MEMBERS, HEAD, SNAPSHOT_RECENT] {
        let steps = plan(&store, sql).await;
        let sorts = steps.iter().filter(|step| step.starts_with("USE TEMP B-TREE")).count();
        // The few reactions to one message are sorted; the messages are not.
        assert!(sorts <= usize::from(sql.contains("reactions")), "{steps:#?}\nof {sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_through_a_table_would_be_seen() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(SqliteSettings::new(folder.path())).await.unwrap();
    let steps = plan(&store, "SELECT seq FROM events WHERE at = $1").await;
    assert!(steps.iter().any(|step| step.starts_with("SCAN events")), "{steps:?}");
}
