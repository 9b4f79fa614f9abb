//! What is found at the start, in sentences for people.

use std::sync::Arc;

use scylla::cluster::metadata::Strategy;
use uuid::Uuid;

use super::{
    super::{CqlLog, connect},
    scratch,
    world::Follower,
};
use crate::store::{StoreError, cql::CqlSettings};

async fn refusal(settings: &CqlSettings) -> String {
    match CqlLog::open(settings, Arc::new(Follower::default())).await.map(drop) {
        Ok(()) => panic!("it starts"),
        Err(StoreError::Unavailable(text) | StoreError::Corrupt(text)) => text,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_that_start_at_once_migrate_once() {
    let mut settings = scratch::settings("one").await;
    settings.keyspace = format!("test_{}", Uuid::now_v7().simple());
    let starts = (0..4).map(|_| CqlLog::open(&settings, Arc::new(Follower::default())));
    for started in futures_util::future::join_all(starts).await {
        started.unwrap();
    }
    let session = connect::connect(&settings).await.unwrap();
    session.use_keyspace(&settings.keyspace, false).await.unwrap();
    let steps = session.query_unpaged("SELECT version FROM schema_steps", &[]).await.unwrap();
    assert_eq!(super::super::statements::all::<(i32,)>(steps).unwrap(), [(1,)]);
    // A version that knows more was here.
    session.query_unpaged("INSERT INTO schema_steps (version, checksum) VALUES (9, 0x00)", &[]).await.unwrap();
    assert!(refusal(&settings).await.contains("written by a newer version of Rookery (schema 9, this one knows 1)"));
    session.query_unpaged("DELETE FROM schema_steps WHERE version = 9", &[]).await.unwrap();
    // The same number, another step.
    session.query_unpaged("UPDATE schema_steps SET checksum = 0x00 WHERE version = 1", &[]).await.unwrap();
    assert!(refusal(&settings).await.contains("step 1 of the CQL store's schema is not the one"));
    scratch::drop_keyspace(&session, &settings.keyspace).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_driver_knows_where_the_replicas_of_the_keyspace_are_and_of_no_other() {
    let settings = scratch::settings("one").await;
    let log = CqlLog::open(&settings, Arc::new(Follower::default())).await.unwrap();
    let known = log.store.session.get_cluster_state();
    let strategies: Vec<_> = known.keyspaces_iter().map(|(name, keyspace)| (name, keyspace.strategy.clone())).collect();
    let [(name, Strategy::NetworkTopologyStrategy { datacenter_repfactors })] = &strategies[..] else {
        panic!("{strategies:?}")
    };
    assert_eq!(*name, settings.keyspace);
    assert_eq!(datacenter_repfactors.values().sum::<usize>(), usize::from(settings.replication));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_cannot_be_used_is_refused_in_a_sentence() {
    let good = scratch::settings("one").await;
    let replicas = u8::try_from(good.nodes.len() + 1).unwrap();
    let keyspace = format!("test_{}", Uuid::now_v7().simple());
    let text = refusal(&CqlSettings { replication: replicas, keyspace: keyspace.clone(), ..good.clone() }).await;
    assert!(text.contains(&format!("wants {replicas} replicas in the data centre")), "{text}");
    let session = connect::connect(&good).await.unwrap();
    scratch::drop_keyspace(&session, &keyspace).await;
    let text = refusal(&CqlSettings { keyspace: "Not a name".to_owned(), ..good.clone() }).await;
    assert!(text.contains("cannot be the name of a keyspace"), "{text}");
    // A port that nobody has: bound, and closed again.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = refusal(&CqlSettings { nodes: vec![nobody.to_string()], ..good }).await;
    assert!(text.contains("none of the CQL servers can be reached"), "{text}");
}
