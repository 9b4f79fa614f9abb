//! Which server the store takes, and what it says of others.

use std::{str::FromStr, time::Duration};

use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgConnectOptions};
use uuid::Uuid;

use super::scratch::{Scratch, server};
use crate::store::{
    Directory, StoreError,
    sql::{
        PostgresSettings, PostgresStore,
        postgres::open::{fault, migrations},
    },
};

async fn sentence(settings: PostgresSettings) -> String {
    match PostgresStore::open(settings).await.map(drop) {
        Err(StoreError::Unavailable(sentence)) => sentence,
        other => panic!("{other:?}"),
    }
}

async fn execute(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[test]
fn what_is_wrong_with_a_server_is_a_sentence() {
    assert_eq!(fault(140_000, "UTF8", false, false), None);
    assert_eq!(fault(180_001, "UTF8", false, false), None);
    for (fault, says) in [
        (fault(130_022, "UTF8", false, false), "PostgreSQL 13 is too old: 14"),
        (fault(150_001, "SQL_ASCII", false, false), "the encoding SQL_ASCII"),
        (fault(150_001, "UTF8", true, true), "a standby"),
        (fault(150_001, "UTF8", false, true), "read-only"),
    ] {
        let fault = fault.unwrap();
        assert!(fault.contains(says), "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_start_together_make_the_schema_once() {
    let scratch = Scratch::new().await;
    let nodes = (0..6).map(|_| PostgresStore::open(scratch.settings()));
    for node in futures_util::future::join_all(nodes).await {
        let node = node.unwrap();
        assert_eq!(node.counts().await.unwrap().users, 0);
        node.close().await;
    }
    let mut connection = PgConnection::connect(&scratch.url()).await.unwrap();
    let steps: i64 = sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations WHERE success")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(steps, migrations());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_another_version_is_refused() {
    let scratch = Scratch::new().await;
    PostgresStore::open(scratch.settings()).await.unwrap().close().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9999, 'of tomorrow', TRUE, '', 0)";
    execute(&scratch.url(), newer).await;
    let said = sentence(scratch.settings()).await;
    assert!(said.contains("newer version") && said.contains("9999"), "{said}");
    execute(&scratch.url(), "DELETE FROM _sqlx_migrations WHERE version = 9999").await;
    execute(&scratch.url(), "UPDATE _sqlx_migrations SET checksum = 'other'").await;
    let said = sentence(scratch.settings()).await;
    assert!(said.contains("is not the one that this version"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_used_is_said() {
    let scratch = Scratch::new().await;
    let read_only = format!("{}&options[default_transaction_read_only]=on", scratch.url());
    let said = sentence(PostgresSettings::new(read_only)).await;
    assert!(said.contains("read-only"), "{said}");

    let name = format!("ascii_{}", Uuid::now_v7().simple());
    let create = format!("CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
    execute(&server(), &create).await;
    let (address, _) = server().rsplit_once('/').map(|(address, name)| (address.to_owned(), name.to_owned())).unwrap();
    let said = sentence(PostgresSettings::new(format!("{address}/{name}"))).await;
    execute(&server(), &format!("DROP DATABASE {name}")).await;
    assert!(said.contains("SQL_ASCII"), "{said}");

    let said = sentence(PostgresSettings::new(format!("{address}/nowhere"))).await;
    assert!(said.contains("nowhere"), "{said}");
    let said = sentence(PostgresSettings::new("not an address")).await;
    assert!(said.contains("the address of PostgreSQL"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_in_no_sentence_and_no_debug_output() {
    const PASSWORD: &str = "the-nest-is-in-the-elm";
    let options = PgConnectOptions::from_str(&server()).unwrap();
    let (host, port) = (options.get_host(), options.get_port());
    let settings = PostgresSettings::new(format!("postgres://rookery:{PASSWORD}@{host}:{port}/rookery"));
    assert!(!format!("{settings:?}").contains(PASSWORD));
    let said = sentence(settings).await;
    assert!(said.contains("password authentication failed") && !said.contains(PASSWORD), "{said}");
    // Nobody listens on a port that was just given back.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = sentence(PostgresSettings::new(format!("postgres://rookery:{PASSWORD}@{gone}/rookery"))).await;
    assert!(said.contains(&gone.to_string()) && !said.contains(PASSWORD), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_answer_is_given_up() {
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://rookery@{}/rookery", deaf.local_addr().unwrap());
    let settings = PostgresSettings { deadline: Duration::from_millis(300), ..PostgresSettings::new(url) };
    let opening = tokio::time::timeout(Duration::from_secs(10), sentence(settings));
    let said = opening.await.unwrap();
    assert!(said.contains("too long"), "{said}");
}
