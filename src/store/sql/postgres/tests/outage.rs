//! PostgreSQL goes away and comes back under the store; and whom it believes over TLS.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rookery_core::{ids::UserId, time::Millis};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{own_server::OwnServer, scratch::Scratch};
use crate::store::{
    Directory, StoreError,
    record::{NewUser, PlatformRole, User},
    sql::{PostgresSettings, PostgresStore},
};

/// Short, so that an outage is noticed soon.
const DEADLINE: Duration = Duration::from_secs(2);

fn settings(url: String) -> PostgresSettings {
    PostgresSettings { deadline: DEADLINE, ..PostgresSettings::new(url) }
}

/// An account that is not there yet.
pub(super) fn account() -> NewUser {
    let id = UserId(Uuid::now_v7());
    let handle = format!("h{}", id.0.simple());
    NewUser {
        user: User {
            id,
            handle: handle.clone(),
            display_name: "Name".to_owned(),
            about: None,
            email: None,
            role: PlatformRole::User,
            disabled: false,
            deleted: false,
            created_at: Millis(1),
            last_seen: None,
        },
        skeleton: handle,
        password_hash: "!".to_owned(),
    }
}

/// Waits until a call works again.
async fn back(store: &PostgresStore) {
    let works = async {
        let mut looks = tokio::time::interval(Duration::from_millis(50));
        while store.counts().await.is_err() {
            looks.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), works).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_is_unavailable_and_then_there_again() {
    let mut server = OwnServer::new();
    server.start().await;
    let store = PostgresStore::open(settings(server.url())).await.unwrap();
    let new = account();
    let id = new.user.id;
    store.create_user(new).await.unwrap();
    let mut kept = 1;
    for signal in ["INT", "QUIT", "KILL"] {
        // Several connections are open, and each of them breaks.
        let ask = || store.user(id);
        let asked = futures_util::future::join_all((0..8).map(|_| ask())).await;
        assert!(asked.iter().all(|user| matches!(user, Ok(Some(_)))), "{asked:?}");
        server.stop(signal);
        let begun = Instant::now();
        let (reads, writes) = futures_util::future::join(
            futures_util::future::join_all((0..20).map(|_| store.user(id))),
            futures_util::future::join_all((0..20).map(|_| store.create_user(account()))),
        )
        .await;
        // Killed, its processes may answer for another moment.
        let last = signal == "KILL";
        let read = |read: &Result<_, _>| matches!(read, Err(StoreError::Unavailable(_))) || (last && read.is_ok());
        assert!(reads.iter().all(read), "{signal}: {reads:?}");
        let write = |write: &Result<_, _>| matches!(write, Err(StoreError::Unavailable(_))) || (last && write.is_ok());
        assert!(writes.iter().all(write), "{signal}: {writes:?}");
        kept += writes.iter().filter(|write| write.is_ok()).count() as u64;
        assert!(begun.elapsed() < 2 * DEADLINE, "{signal}: {:?}", begun.elapsed());
        server.start().await;
        back(&store).await;
        assert_eq!(store.user(id).await.unwrap().map(|user| user.id), Some(id));
    }
    assert_eq!(store.counts().await.unwrap().users, kept, "what was refused was not done");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_under_way_in_a_restart_was_done_or_not_as_it_was_said() {
    let mut server = OwnServer::new();
    server.start().await;
    let store = Arc::new(PostgresStore::open(settings(server.url())).await.unwrap());
    let (done, enough) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let mut writers = JoinSet::new();
    for _ in 0..8 {
        let (store, done, enough) = (Arc::clone(&store), Arc::clone(&done), Arc::clone(&enough));
        writers.spawn(async move {
            let mut told = Vec::new();
            while !enough.load(Ordering::Relaxed) {
                let new = account();
                let id = new.user.id;
                let answer = store.create_user(new).await;
                done.fetch_add(u64::from(answer.is_ok()), Ordering::Relaxed);
                told.push((id, answer));
            }
            told
        });
    }
    for signal in ["INT", "QUIT", "INT", "KILL"] {
        let before = done.load(Ordering::Relaxed);
        let busy = async {
            let mut looks = tokio::time::interval(Duration::from_millis(5));
            while done.load(Ordering::Relaxed) < before + 50 {
                looks.tick().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), busy).await.unwrap();
        server.stop(signal);
        server.start().await;
    }
    back(&store).await;
    enough.store(true, Ordering::Relaxed);
    let (mut kept, mut refused) = (0, 0);
    for (id, answer) in writers.join_all().await.into_iter().flatten() {
        let there = store.user(id).await.unwrap().is_some();
        match answer {
            Ok(()) => {
                assert!(there, "{id} was confirmed and is not there");
                kept += 1;
            }
            // Only when PostgreSQL was away for longer than the store asks.
            Err(StoreError::Unavailable(why)) if why.contains("nobody knows") => {}
            Err(StoreError::Unavailable(why)) => {
                assert!(!there, "{id} was refused and is there: {why}");
                refused += 1;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(kept > 100 && refused > 0, "{kept} kept, {refused} refused");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_only_the_right_server_is_believed() {
    let authority = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let stranger = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let mut server = OwnServer::new();
    server.start().await;
    let sentence = async |url: String| match PostgresStore::open(settings(url)).await.map(drop) {
        Err(StoreError::Unavailable(sentence)) => sentence,
        other => panic!("{other:?}"),
    };
    let said = sentence(format!("{}?sslmode=require", server.url())).await;
    assert!(said.contains("TLS"), "{said}");
    server.stop("INT");

    let certificate = server.file("server.crt", &authority.cert.pem());
    let key = server.file("server.key", &authority.signing_key.serialize_pem());
    for (name, value) in
        [("ssl", "on"), ("ssl_cert_file", certificate.to_str().unwrap()), ("ssl_key_file", key.to_str().unwrap())]
    {
        server.set(name, value);
    }
    server.start().await;
    let trusting =
        |file: &std::path::Path| format!("{}?sslmode=verify-full&sslrootcert={}", server.url(), file.display());
    let right = server.file("right.pem", &authority.cert.pem());
    let store = PostgresStore::open(settings(trusting(&right))).await.unwrap();
    let encrypted: bool = store
        .read(sqlx::query_scalar("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetch_one(&store.pool))
        .await
        .unwrap();
    assert!(encrypted);
    store.close().await;
    let wrong = server.file("wrong.pem", &stranger.cert.pem());
    let said = sentence(trusting(&wrong)).await;
    assert!(said.contains("certificate"), "{said}");
}

/// As a node that is stopped: its connection stays, and with it what its transaction has locked.
#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_in_the_midst_of_a_transaction_keeps_others_waiting_for_two_seconds_at_most() {
    const CHANGE: &str = "UPDATE users SET about = 'changed' WHERE id = $1";
    let scratch = Scratch::new().await;
    let hangs = PostgresStore::open(scratch.settings()).await.unwrap();
    let other = PostgresStore::open(scratch.settings()).await.unwrap();
    let new = account();
    let id = new.user.id.0;
    hangs.create_user(new).await.unwrap();
    let mut transaction = hangs.pool.begin().await.unwrap();
    sqlx::query(CHANGE).bind(id).execute(&mut *transaction).await.unwrap();
    let begun = Instant::now();
    let changed = other.change(sqlx::query(CHANGE).bind(id)).await.unwrap();
    assert_eq!(changed, 1);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    transaction.commit().await.unwrap_err();
    hangs.close().await;
    other.close().await;
}
