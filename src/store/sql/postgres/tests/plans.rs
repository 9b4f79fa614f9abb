//! Every query that people wait for goes down an index; none walks a table.

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::scratch::Scratch;
use crate::store::sql::postgres::{
    PostgresStore,
    directory::{contacts, devices, listings, media, members, records, rooms, search, users},
    projection::{BEGINNING, FORGET, MARK, PUBLISH, STANDING},
};

/// So many rows that a walk is never the quickest way: everybody has a few rooms, contacts and logins.
const FILL: &str = "
    CREATE TEMPORARY TABLE numbered AS SELECT n, gen_random_uuid() AS id FROM generate_series(0, 9999) n;
    CREATE TEMPORARY TABLE pairs AS SELECT a.n, a.id AS one, b.id AS other
        FROM numbered a CROSS JOIN generate_series(1, 3) k JOIN numbered b ON b.n = (a.n * 7 + k) % 10000 AND b.n <> a.n;
    INSERT INTO users (id, handle, skeleton, display_name, folded_name, email, role, created_at, password_hash)
        SELECT id, 'handle' || n, 'handle' || n, 'Name', 'name' || n, n || '@example.com', 0, n, '!' FROM numbered;
    INSERT INTO devices (id, owner, name, token, created_at, last_used_at, expires_at)
        SELECT gen_random_uuid(), id, 'device', decode(md5(id::text), 'hex'), 1, 1, 1 FROM numbered;
    INSERT INTO rooms (id, kind, name, folded_name, topic, visibility, created_at, pair_low, pair_high, applied, head,
            messages, active_at)
        SELECT id, n % 3, 'Room', 'room' || n, '', n % 2, n, CASE WHEN n % 3 = 0 THEN id END,
            CASE WHEN n % 3 = 0 THEN id END, 1, 1, 0, n FROM numbered;
    INSERT INTO memberships (room, member, role, joined_at, visible_from, read, read_messages, delivered)
        SELECT one, other, 1, n, 1, 1, 0, 1 FROM pairs;
    INSERT INTO bans (room, member) SELECT one, other FROM pairs;
    INSERT INTO beginnings (room, seq, sender, client_id, at, messages, body)
        SELECT one, row_number() OVER (PARTITION BY one), other, other, 1, 0, '' FROM pairs;
    INSERT INTO contacts (owner, other, state, since) SELECT one, other, 2, 1 FROM pairs;
    INSERT INTO blocks (owner, other, at) SELECT one, other, 1 FROM pairs;
    INSERT INTO idempotency (owner, key, request, status, body, at) SELECT id, 'key', '', 200, '', 1 FROM numbered;
    INSERT INTO media (id, room, uploader, name, size, kept, state, created_at, used_at, attached)
        SELECT id, id, id, 'a', 1, 1, CASE WHEN n % 100 = 0 THEN 3 ELSE 1 END, n, n, n % 10 > 0 FROM numbered;
    INSERT INTO media_refs (media, room, seq) SELECT one, other, 1 FROM pairs;
    INSERT INTO audit (at, actor, action, subject, detail) SELECT 1, 'a', 'b', 'c', 'd' FROM numbered;
    ANALYZE users, devices, rooms, memberships, bans, beginnings, contacts, blocks, idempotency, audit, media, media_refs";

/// Somebody who asks for plans in a schema that is full.
async fn planner(scratch: &Scratch) -> PgConnection {
    PostgresStore::open(scratch.settings()).await.unwrap().close().await;
    let mut connection = PgConnection::connect(&scratch.url()).await.unwrap();
    sqlx::raw_sql(FILL).execute(&mut connection).await.unwrap();
    // A plan that is made for certain values says little about others.
    sqlx::query("SET plan_cache_mode = force_generic_plan").execute(&mut connection).await.unwrap();
    connection
}

/// What a query walks from end to end.
async fn walks(connection: &mut PgConnection, sql: &str) -> Vec<String> {
    let parameters = (1..20).rev().find(|n| sql.contains(&format!("${n}"))).unwrap_or(0);
    let nulls = vec!["NULL"; parameters].join(", ");
    let run = if nulls.is_empty() { String::new() } else { format!("({nulls})") };
    sqlx::raw_sql(AssertSqlSafe(format!("PREPARE planned AS {sql}"))).execute(&mut *connection).await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN (FORMAT JSON, COSTS OFF) EXECUTE planned{run}"));
    let plan: String = sqlx::raw_sql(explain).fetch_one(&mut *connection).await.unwrap().get_unchecked(0);
    sqlx::raw_sql("DEALLOCATE planned").execute(connection).await.unwrap();
    let plan: Value = serde_json::from_str(&plan).unwrap();
    let mut walked = Vec::new();
    let mut nodes = vec![&plan[0]["Plan"]];
    while let Some(node) = nodes.pop() {
        let kind = node["Node Type"].as_str().unwrap();
        let index = matches!(kind, "Index Scan" | "Index Only Scan" | "Bitmap Index Scan");
        if kind == "Seq Scan" || (index && node["Index Cond"].is_null()) {
            walked.push(node.to_string());
        }
        nodes.extend(node["Plans"].as_array().into_iter().flatten());
    }
    walked
}

#[tokio::test(flavor = "multi_thread")]
async fn no_query_on_the_way_of_people_walks_a_table_in_postgres() {
    let scratch = Scratch::new().await;
    let mut connection = planner(&scratch).await;
    for sql in [
        users::ONE,
        users::THESE,
        users::BY_HANDLE,
        users::BY_LOGIN,
        users::BY_ID,
        users::SEEN,
        devices::BY_TOKEN,
        devices::OF,
        devices::TOKEN_OF,
        media::ONE,
        media::FOR_VIEWER,
        media::THESE,
        media::KEPT,
        media::USE,
        media::EXPIRE,
        devices::USED,
        rooms::ONE,
        rooms::PAIR,
        listings::ONE,
        listings::LIST_ROOMS,
        listings::ROOMS_OF,
        members::ONE,
        members::FIRST,
        members::NEXT,
        contacts::ONE,
        contacts::ALL,
        contacts::IS_BLOCKED,
        contacts::BLOCKED,
        records::REMEMBERED,
        records::LOG,
        search::BEGIN,
        STANDING,
        BEGINNING,
        PUBLISH,
        FORGET,
        MARK,
    ] {
        let walked = walks(&mut connection, sql).await;
        assert!(walked.is_empty(), "{walked:#?}\nin {sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_through_a_table_of_postgres_would_be_seen() {
    let scratch = Scratch::new().await;
    let mut connection = planner(&scratch).await;
    let by_number = "SELECT id FROM rooms WHERE applied = $1";
    assert_eq!(walks(&mut connection, by_number).await.len(), 1);
    let in_order = "SELECT handle FROM users ORDER BY handle";
    assert_eq!(walks(&mut connection, in_order).await.len(), 1, "an index can be walked too");
}
