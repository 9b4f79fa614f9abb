//! A connection breaks at the very moment of a commit: the store finds out what became of it.

use std::{
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{oneshot, watch},
};

use super::{
    outage::account,
    scratch::{Scratch, server},
};
use crate::store::{
    Directory, StoreError,
    sql::{PostgresSettings, PostgresStore},
};

/// What passes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Everything.
    Open,
    /// The next commit reaches the server, its answer nobody.
    CutAfter,
    /// The next commit reaches nobody; the server does not see its client go.
    CutBefore,
    /// The next commit reaches nobody, and then nothing passes any more.
    Close,
    /// Nothing, and connections break.
    Closed,
    /// Nothing, and nobody is told.
    Stalled,
}

/// What a commit looks like on the wire.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// Stands between the store and PostgreSQL, and breaks connections when told to.
struct Between {
    address: std::net::SocketAddr,
    mode: Arc<watch::Sender<Mode>>,
    cuts: Arc<AtomicU64>,
}

impl Between {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let between = Self {
            address: listener.local_addr().unwrap(),
            mode: Arc::new(watch::Sender::new(Mode::Open)),
            cuts: Arc::default(),
        };
        let (mode, cuts) = (Arc::clone(&between.mode), Arc::clone(&between.cuts));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *mode.borrow() != Mode::Closed {
                    tokio::spawn(pass(client, Arc::clone(&mode), Arc::clone(&cuts)));
                }
            }
        });
        between
    }

    /// The address of a schema, over this way.
    fn url(&self, scratch: &Scratch) -> String {
        let options = PgConnectOptions::from_str(&server()).unwrap();
        let direct = format!("{}:{}", options.get_host(), options.get_port());
        scratch.url().replace(&direct, &self.address.to_string())
    }
}

async fn pass(client: TcpStream, mode: Arc<watch::Sender<Mode>>, cuts: Arc<AtomicU64>) {
    let options = PgConnectOptions::from_str(&server()).unwrap();
    let upstream = TcpStream::connect((options.get_host(), options.get_port())).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = upstream.into_split();
    let (cut, is_cut) = oneshot::channel::<()>();
    let answers = tokio::spawn(async move {
        tokio::select! {
            _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
            _ = is_cut => {}
        }
        (from_server, to_client)
    });
    let mut bytes = vec![0; 65_536];
    while let Ok(count @ 1..) = from_client.read(&mut bytes).await {
        let part = &bytes[..count];
        let commits = part.windows(COMMIT.len()).any(|window| window == COMMIT);
        let now = *mode.subscribe().wait_for(|mode| *mode != Mode::Stalled).await.unwrap();
        if now == Mode::Closed {
            return;
        }
        if now == Mode::Open || !commits {
            to_server.write_all(part).await.unwrap();
            continue;
        }
        cuts.fetch_add(1, Ordering::SeqCst);
        mode.send_replace(if now == Mode::Close { Mode::Closed } else { Mode::Open });
        drop(cut);
        let (mut from_server, to_client) = answers.await.unwrap();
        if now == Mode::CutAfter {
            to_server.write_all(part).await.unwrap();
            // The answer, which nobody gets.
            assert!(from_server.read(&mut bytes).await.unwrap() > 0);
            return;
        }
        // As when a cable is pulled: the server has no idea that its client is gone.
        drop((from_client, to_client));
        let _ = from_server.read(&mut bytes).await;
        return;
    }
}

async fn store(scratch: &Scratch, between: &Between) -> PostgresStore {
    let settings = PostgresSettings {
        deadline: Duration::from_secs(2),
        connections: 5,
        ..PostgresSettings::new(between.url(scratch))
    };
    PostgresStore::open(settings).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_was_done() {
    let (scratch, between) = (Scratch::new().await, Between::new().await);
    let store = store(&scratch, &between).await;
    for round in 1..=5 {
        let new = account();
        let id = new.user.id;
        between.mode.send_replace(Mode::CutAfter);
        assert_eq!(store.create_user(new).await, Ok(()));
        assert_eq!(between.cuts.load(Ordering::SeqCst), round);
        assert!(store.user(id).await.unwrap().is_some());
    }
    assert_eq!(store.counts().await.unwrap().users, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_never_arrived_was_not_done_and_leaves_no_lock() {
    let (scratch, between) = (Scratch::new().await, Between::new().await);
    let store = store(&scratch, &between).await;
    for round in 1..=5 {
        let new = account();
        let id = new.user.id;
        between.mode.send_replace(Mode::CutBefore);
        let refused = store.create_user(new.clone()).await;
        let Err(StoreError::Unavailable(why)) = refused else { panic!("{refused:?}") };
        assert!(!why.contains("nobody knows"), "{why}");
        assert_eq!(between.cuts.load(Ordering::SeqCst), round);
        assert_eq!(store.user(id).await, Ok(None));
        // The lost transaction would hold the handle.
        assert_eq!(store.create_user(new).await, Ok(()));
    }
    assert_eq!(store.counts().await.unwrap().users, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_nobody_can_be_asked_about_is_said_to_be_unknown() {
    let (scratch, between) = (Scratch::new().await, Between::new().await);
    let store = store(&scratch, &between).await;
    store.create_user(account()).await.unwrap();
    between.mode.send_replace(Mode::Close);
    let answer = tokio::time::timeout(Duration::from_secs(20), store.create_user(account())).await.unwrap();
    let Err(StoreError::Unavailable(why)) = answer else { panic!("{answer:?}") };
    assert!(why.contains("nobody knows"), "{why}");
    // The server itself gives up on who said nothing for so long, and undoes it.
    let mut direct = PgConnection::connect(&scratch.url()).await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE users; COMMIT").execute(&mut direct).await.unwrap();
    let users: i64 = sqlx::query_scalar("SELECT count(*) FROM users").fetch_one(&mut direct).await.unwrap();
    assert_eq!(users, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_is_given_up_after_the_deadline() {
    let (scratch, between) = (Scratch::new().await, Between::new().await);
    let store = store(&scratch, &between).await;
    let (known, new) = (account(), account());
    let (id, refused) = (known.user.id, new.user.id);
    store.create_user(known).await.unwrap();
    between.mode.send_replace(Mode::Stalled);
    let begun = Instant::now();
    let (read, written) = futures_util::future::join(store.user(id), store.create_user(new)).await;
    for answer in [read.map(drop), written] {
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    between.mode.send_replace(Mode::Open);
    let back = async {
        let mut looks = tokio::time::interval(Duration::from_millis(50));
        while store.user(id).await.is_err() {
            looks.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), back).await.unwrap();
    assert_eq!(store.user(refused).await, Ok(None));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_old_transactions_is_forgotten() {
    let scratch = Scratch::new().await;
    let store = PostgresStore::open(scratch.settings()).await.unwrap();
    let old = "INSERT INTO commits (id, at) SELECT gen_random_uuid(), now() - interval '6 minutes' FROM generate_series(1, 9)";
    sqlx::query(old).execute(&store.pool).await.unwrap();
    for _ in 0..3 {
        store.create_user(account()).await.unwrap();
    }
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM commits").fetch_one(&store.pool).await.unwrap();
    assert_eq!(rows, 3, "those of the writes just now, and none of the old ones");
}
