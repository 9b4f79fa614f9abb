//! The file: who may open it, what a full disk does, which schema it has.

use std::{path::Path, sync::Arc};

use rookery_core::{
    event::{Content, Event, MemberChange, RoomKind, Visibility},
    ids::{ClientId, RoomId, Seq, UserId},
    shard::Stamp,
    time::Millis,
};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::store::{
    Directory, MessageLog, StoreError,
    log::{Append, Appended},
    record::{Created, NewRoom, RoomRecord},
    sql::sqlite::{SqliteSettings, SqliteStore, migrate, open::options},
};

async fn open(folder: &Path) -> Result<Arc<SqliteStore>, StoreError> {
    SqliteStore::open(SqliteSettings::new(folder)).await
}

fn sentence(error: Option<StoreError>) -> String {
    let Some(StoreError::Unavailable(sentence)) = error else { panic!("{error:?}") };
    sentence
}

/// A fate that a test waits for.
struct Told(mpsc::Sender<Result<(), StoreError>>);

impl Appended for Told {
    fn appended(&self, _seqs: std::ops::RangeInclusive<Seq>, fate: &Result<(), StoreError>) {
        self.0.try_send(fate.clone()).unwrap();
    }
}

fn event(room: RoomId, user: UserId, seq: Seq, content: Content) -> Event {
    let messages = seq.saturating_sub(1);
    Event { room, seq, at: Millis(1), sender: user, client_id: ClientId(Uuid::now_v7()), messages, content }
}

async fn room(store: &SqliteStore, user: UserId) -> (RoomId, Stamp) {
    let id = RoomId(Uuid::now_v7());
    let joined = Content::Member { user, change: MemberChange::Joined, role: None, until: None };
    let record = RoomRecord {
        id,
        kind: RoomKind::Group,
        name: "Birds".to_owned(),
        topic: String::new(),
        visibility: Visibility::Private,
        archived: false,
        deleted: false,
        created_at: Millis(1),
        members: 0,
        pair: None,
    };
    let new = NewRoom { record, events: vec![event(id, user, 1, joined)] };
    assert_eq!(store.create_room(new).await, Ok(Created::New));
    let stamp = Stamp::new(store.claim(id.shard()).await.unwrap(), 1);
    store.wake(id, stamp).await.unwrap().unwrap();
    (id, stamp)
}

async fn write(store: &SqliteStore, stamp: Stamp, event: Event) -> Result<(), StoreError> {
    let (reply, mut fate) = mpsc::channel(1);
    store.append(Append { stamp, event: Arc::new(event), reply: Arc::new(Told(reply)) });
    fate.recv().await.unwrap()
}

async fn say(store: &SqliteStore, stamp: Stamp, room: RoomId, seq: Seq, body: &str) -> Result<(), StoreError> {
    let content =
        Content::Message { body: body.to_owned(), reply_to: None, mentions: Vec::new(), attachments: Vec::new() };
    write(store, stamp, event(room, UserId(Uuid::from_u128(1)), seq, content)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_folder_has_one_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    for refused in [open(folder.path()).await.err(), migrate(folder.path()).await.err()] {
        let sentence = sentence(refused);
        assert!(sentence.contains("another process uses the folder"), "{sentence}");
    }
    store.close().await;
    let again = open(folder.path()).await.unwrap();
    again.close().await;
    assert_eq!(
        again.claim(rookery_core::ids::ShardId(1)).await.map_err(|error| sentence(Some(error)).is_empty()),
        Err(false)
    );
    migrate(folder.path()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let user = UserId(Uuid::from_u128(1));
    let store = open(folder.path()).await.unwrap();
    let (id, stamp) = room(&store, user).await;
    say(&store, stamp, id, 2, "hello").await.unwrap();
    store.close().await;
    let refused = say(&store, stamp, id, 3, "closed").await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");

    let store = open(folder.path()).await.unwrap();
    assert_eq!(store.head(id).await, Ok(2));
    assert_eq!(store.wake(id, stamp).await, Err(StoreError::Fenced), "another process, another owner");
    assert_eq!(say(&store, stamp, id, 3, "too late").await, Err(StoreError::Fenced));
    let epoch = store.claim(id.shard()).await.unwrap();
    assert_eq!(epoch, stamp.epoch() + 1);
    let snapshot = store.wake(id, Stamp::new(epoch, 1)).await.unwrap().unwrap();
    assert_eq!((snapshot.head, snapshot.messages), (2, 1));
    say(&store, Stamp::new(epoch, 1), id, 3, "hello again").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(migrate(folder.path()).await.unwrap() >= 1);
    let mut connection = options(&SqliteSettings::new(folder.path())).connect().await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9999, 'of tomorrow', 1, x'00', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    let sentence = sentence(open(folder.path()).await.err());
    assert!(sentence.contains("newer version") && sentence.contains("9999"), "{sentence}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_used_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    let said = sentence(open(&file).await.err());
    assert!(said.contains("cannot be made"), "{said}");
    let damaged = folder.path().join("damaged");
    std::fs::create_dir(&damaged).unwrap();
    std::fs::write(damaged.join("rookery.db"), "this is no database at all, but long enough".repeat(50)).unwrap();
    let said = sentence(open(&damaged).await.err());
    assert!(said.contains("cannot be opened"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_a_definite_failure() {
    let folder = tempfile::tempdir().unwrap();
    let user = UserId(Uuid::from_u128(1));
    let store = open(folder.path()).await.unwrap();
    let (id, stamp) = room(&store, user).await;
    say(&store, stamp, id, 2, "while there is room").await.unwrap();
    // SQLite says "full" the same way for its own limit as for the disk's.
    limit_pages(&store, "PRAGMA max_page_count = 1").await;
    let mut refused = None;
    for seq in 3..200 {
        if let Err(error) = say(&store, stamp, id, seq, &"x".repeat(4_000)).await {
            refused = Some((seq, error));
            break;
        }
    }
    let (seq, error) = refused.unwrap();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert_eq!(store.head(id).await, Ok(seq - 1));
    let later = say(&store, stamp, id, seq + 1, "queued behind it").await;
    assert!(cfg!(feature = "bugs") || matches!(later, Err(StoreError::Unavailable(_))), "{later:?}");
    let new_room = |record: RoomRecord| NewRoom { record, events: Vec::new() };
    let mut record = store.room(id).await.unwrap().unwrap();
    record.id = RoomId(Uuid::now_v7());
    record.topic = "x".repeat(100_000);
    let other = record.id;
    let refused = store.create_room(new_room(record)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(store.room(other).await, Ok(None));

    limit_pages(&store, "PRAGMA max_page_count = 1000000").await;
    let head = store.head(id).await.unwrap();
    say(&store, stamp, id, head + 1, "there is room again").await.unwrap();
}

async fn limit_pages(store: &SqliteStore, sql: &'static str) {
    let limit = store.write(move |connection| {
        Box::pin(async move {
            sqlx::query(sql).execute(connection).await?;
            Ok(())
        })
    });
    limit.await.unwrap();
}

fn stands_somewhere(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|file| {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_words_leave_the_disk_of_a_running_store() {
    const SECRET: &str = "the nest is in the elm";
    let folder = tempfile::tempdir().unwrap();
    let user = UserId(Uuid::from_u128(1));
    let store = open(folder.path()).await.unwrap();
    let (id, stamp) = room(&store, user).await;
    say(&store, stamp, id, 2, SECRET).await.unwrap();
    assert!(stands_somewhere(folder.path(), SECRET));
    write(&store, stamp, event(id, user, 3, Content::Delete { target: 2, attachments: false })).await.unwrap();
    // The writer cleans up when it has rested; how long that takes does not matter here.
    let gone = async {
        let mut looks = tokio::time::interval(std::time::Duration::from_millis(50));
        while stands_somewhere(folder.path(), SECRET) {
            looks.tick().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), gone).await.unwrap();
    assert_eq!(store.head(id).await, Ok(3));
    say(&store, stamp, id, 4, "and goes on").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_owner_fences_off_all_that_waits() {
    let folder = tempfile::tempdir().unwrap();
    let user = UserId(Uuid::from_u128(1));
    let store = open(folder.path()).await.unwrap();
    let (id, stamp) = room(&store, user).await;
    say(&store, stamp, id, 2, "ours").await.unwrap();
    // As if a lock had not held: another process takes the shard behind our back.
    let mut other = options(&SqliteSettings::new(folder.path())).connect().await.unwrap();
    let taken = sqlx::query("UPDATE shards SET owner = x'00', epoch = epoch + 1").execute(&mut other).await.unwrap();
    assert_eq!(taken.rows_affected(), 1);
    let (reply, mut fates) = mpsc::channel(1_000);
    let reply = Arc::new(Told(reply));
    for seq in 3..1_000 {
        let content = Content::Message {
            body: "not ours".to_owned(),
            reply_to: None,
            mentions: Vec::new(),
            attachments: Vec::new(),
        };
        let event = Arc::new(event(id, user, seq, content));
        store.append(Append { stamp, event, reply: Arc::clone(&reply) as Arc<dyn Appended> });
    }
    drop(reply);
    let mut told = 0;
    while let Some(fate) = fates.recv().await {
        assert_eq!(fate, Err(StoreError::Fenced));
        told += 1;
    }
    assert!(told > 0);
    assert_eq!(store.head(id).await, Ok(2));
    other.close().await.unwrap();
}
