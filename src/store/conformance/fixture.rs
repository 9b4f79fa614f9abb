//! What the cases start from: an empty store, people, rooms, and a room that is awake.

use std::{
    collections::HashMap,
    ops::{Range as Numbers, RangeInclusive},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU16, Ordering},
    },
};

use parking_lot::Mutex;
use rookery_core::{
    event::{Content, Event, MemberChange, Role, RoomChange, RoomChangeKind, RoomKind, Visibility},
    ids::{ClientId, RoomId, SHARDS, Seq, ShardId, UserId},
    room::Snapshot,
    shard::{Epoch, Stamp},
    time::Millis,
};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::followed::Followed;
use crate::store::{
    Directory, MessageLog, Projection, Range, StoreError,
    cluster::ClusterStore,
    cql,
    log::{Append, Appended, Marks},
    memory::MemoryStore,
    record::{Created, NewRoom, NewUser, PlatformRole, RoomRecord, User},
    sql::{PostgresStore, SqliteSettings, SqliteStore, scratch::Scratch},
};

/// An empty store behind both traits.
pub(super) struct Stores {
    pub(super) log: Arc<dyn MessageLog>,
    pub(super) directory: Arc<dyn Directory>,
    /// Only for a directory that follows a log elsewhere.
    pub(super) projection: Option<Arc<dyn Projection>>,
    /// Whether listings hold the newest message: not those of a directory alone, when the log is elsewhere.
    pub(super) lists_messages: bool,
    /// Only for the store in a file.
    pub(super) sqlite: Option<(Arc<SqliteStore>, tempfile::TempDir)>,
    /// Where the store in PostgreSQL is; forgotten after it.
    _scratch: Option<Scratch>,
    clock: AtomicI64,
    /// The shards that rooms of this test are in: stores that share servers share no shards.
    shards: Numbers<u16>,
    /// Shards that were claimed for rooms to be awake, and the last wake in each; rooms may share one.
    claimed: Mutex<HashMap<ShardId, (Epoch, u64)>>,
}

pub(super) async fn sqlite() -> Stores {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(SqliteSettings::new(folder.path())).await.unwrap();
    Stores {
        log: Arc::clone(&store) as Arc<dyn MessageLog>,
        directory: Arc::clone(&store) as Arc<dyn Directory>,
        projection: None,
        lists_messages: true,
        sqlite: Some((store, folder)),
        _scratch: None,
        clock: AtomicI64::new(1_000),
        shards: 0..SHARDS,
        claimed: Mutex::default(),
    }
}

pub(super) async fn memory() -> Stores {
    let store = Arc::new(MemoryStore::new());
    Stores {
        log: Arc::clone(&store) as _,
        directory: store,
        projection: None,
        lists_messages: true,
        sqlite: None,
        _scratch: None,
        clock: AtomicI64::new(1_000),
        shards: 0..SHARDS,
        claimed: Mutex::default(),
    }
}

/// A log in memory, and a directory in PostgreSQL that follows it.
pub(super) async fn postgres() -> Stores {
    let scratch = Scratch::new().await;
    let store = Arc::new(PostgresStore::open(scratch.settings()).await.unwrap());
    Stores {
        log: Arc::new(Followed::new(Arc::clone(&store))),
        directory: Arc::clone(&store) as Arc<dyn Directory>,
        projection: Some(store),
        lists_messages: false,
        sqlite: None,
        _scratch: Some(scratch),
        clock: AtomicI64::new(1_000),
        shards: 0..SHARDS,
        claimed: Mutex::default(),
    }
}

/// Logs in CQL and a directory in PostgreSQL.
pub(super) async fn cluster() -> Stores {
    let scratch = Scratch::new().await;
    let store = cluster_store(&scratch, "one").await;
    let shards = own_shards();
    Stores {
        log: Arc::clone(&store) as Arc<dyn MessageLog>,
        directory: store,
        projection: None,
        lists_messages: true,
        sqlite: None,
        _scratch: Some(scratch),
        clock: AtomicI64::new(1_000),
        shards,
        claimed: Mutex::default(),
    }
}

/// A node's store over the servers of the tests.
pub(super) async fn cluster_store(scratch: &Scratch, node: &str) -> Arc<ClusterStore> {
    let directory = Arc::new(PostgresStore::open(scratch.settings()).await.unwrap());
    Arc::new(ClusterStore::open(&cql::scratch::settings(node).await, directory).await.unwrap())
}

/// Shards that no other test of this run has.
fn own_shards() -> Numbers<u16> {
    const EACH: u16 = 8;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = NEXT.fetch_add(EACH, Ordering::Relaxed);
    assert!(first + EACH <= SHARDS, "more tests than shards: give each fewer");
    first..first + EACH
}

impl Stores {
    /// The id of a room that is not there.
    pub(super) fn room_id(&self) -> RoomId {
        let mut ids = std::iter::repeat_with(|| RoomId(Uuid::now_v7()));
        ids.find(|id| self.shards.contains(&id.shard().0)).unwrap()
    }

    /// A time later than every one before.
    pub(super) fn now(&self) -> Millis {
        Millis(self.clock.fetch_add(1, Ordering::Relaxed))
    }

    /// Adds an account with this handle.
    pub(super) async fn person(&self, handle: &str) -> UserId {
        let new = self.account(handle);
        let id = new.user.id;
        self.directory.create_user(new).await.unwrap();
        id
    }

    /// An account that is not there yet.
    pub(super) fn account(&self, handle: &str) -> NewUser {
        NewUser {
            user: User {
                id: UserId(Uuid::now_v7()),
                handle: handle.to_owned(),
                display_name: format!("Name of {handle}"),
                about: None,
                email: None,
                role: PlatformRole::User,
                disabled: false,
                deleted: false,
                created_at: self.now(),
                last_seen: None,
            },
            skeleton: format!("skeleton of {handle}"),
            password_hash: format!("hash of {handle}"),
        }
    }

    /// A room that is not there yet: its `created` event, then a `joined` for each member, the first as owner.
    pub(super) fn new_room(&self, kind: RoomKind, visibility: Visibility, name: &str, members: &[UserId]) -> NewRoom {
        let id = self.room_id();
        let created = RoomChange {
            change: RoomChangeKind::Created,
            name: Some(name.to_owned()),
            visibility: Some(visibility),
            ..RoomChange::default()
        };
        let joined = members.iter().enumerate().map(|(at, user)| Content::Member {
            user: *user,
            change: MemberChange::Joined,
            role: Some(if at == 0 { Role::Owner } else { Role::Member }),
            until: None,
        });
        let contents = std::iter::once(Content::Room(created)).chain(joined);
        let events = contents.zip(1..).map(|(content, seq)| Event {
            room: id,
            seq,
            at: self.now(),
            sender: members[0],
            client_id: ClientId(Uuid::now_v7()),
            messages: 0,
            content,
        });
        let events = events.collect();
        let record = RoomRecord {
            id,
            kind,
            name: name.to_owned(),
            topic: String::new(),
            visibility,
            archived: false,
            deleted: false,
            created_at: self.now(),
            members: 0,
            pair: (kind == RoomKind::Direct).then(|| (members[0], members[1])),
        };
        NewRoom { record, events }
    }

    /// A room that is there.
    pub(super) async fn room(&self, kind: RoomKind, visibility: Visibility, name: &str, members: &[UserId]) -> RoomId {
        let room = self.new_room(kind, visibility, name, members);
        let id = room.record.id;
        assert_eq!(self.directory.create_room(room).await, Ok(Created::New));
        id
    }

    /// A private group.
    pub(super) async fn group(&self, members: &[UserId]) -> RoomId {
        self.room(RoomKind::Group, Visibility::Private, "Birds", members).await
    }

    /// A room that is awake in a shard claimed for it.
    pub(super) async fn awake(&self, room: RoomId) -> Awake<'_> {
        let claimed = self.claimed.lock().get(&room.shard()).copied();
        let (epoch, last) = match claimed {
            Some(claimed) => claimed,
            None => (self.log.claim(room.shard()).await.unwrap(), 0),
        };
        self.awake_under(room, epoch, last + 1).await
    }

    /// A room that is awake once more, under the next stamp of its epoch.
    pub(super) async fn awake_again(&self, room: &Awake<'_>) -> Awake<'_> {
        let epoch = room.stamp.epoch();
        let last =
            self.claimed.lock().get(&room.room.shard()).filter(|(of, _)| *of == epoch).map_or(0, |(_, last)| *last);
        self.awake_under(room.room, epoch, last + 1).await
    }

    /// A room that is awake under this stamp.
    pub(super) async fn awake_under(&self, room: RoomId, epoch: Epoch, generation: u64) -> Awake<'_> {
        let stamp = Stamp::new(epoch, generation);
        let snapshot = self.log.wake(room, stamp).await.unwrap().unwrap();
        self.claimed.lock().insert(room.shard(), (epoch, generation));
        Awake { stores: self, room, stamp, next: snapshot.head + 1, messages: snapshot.messages, snapshot }
    }

    /// Moves marks of one member.
    pub(super) async fn mark(&self, room: RoomId, user: UserId, read: Seq, delivered: Seq) -> Option<(Seq, Seq)> {
        let stand = self.log.mark(vec![Marks { room, user, read, delivered }]).await.unwrap();
        assert_eq!(stand.len(), 1);
        stand[0].map(|marks| (marks.read, marks.delivered))
    }
}

/// What a listing of this store holds of the newest message.
pub(super) fn newest<T>(stores: &Stores, message: T) -> Option<T> {
    stores.lists_messages.then_some(message)
}

/// A part of a list.
pub(super) fn part(limit: usize, after: Option<String>) -> Range {
    Range { after, limit }
}

/// The fate of appends, as a test sees it.
pub(super) struct Told(mpsc::Sender<(RangeInclusive<Seq>, Result<(), StoreError>)>);

impl Appended for Told {
    fn appended(&self, seqs: RangeInclusive<Seq>, fate: &Result<(), StoreError>) {
        self.0.try_send((seqs, fate.clone())).unwrap();
    }
}

/// What a room's appends are told.
pub(super) type Fates = mpsc::Receiver<(RangeInclusive<Seq>, Result<(), StoreError>)>;

/// Where fates are told, and where they come out.
pub(super) fn told() -> (Arc<dyn Appended>, Fates) {
    let (sender, fates) = mpsc::channel(4_096);
    (Arc::new(Told(sender)), fates)
}

/// The fates of so many appends, by number.
pub(super) async fn fates(told: &mut Fates, mut count: usize) -> Vec<(Seq, Result<(), StoreError>)> {
    let mut fates = Vec::new();
    while count > 0 {
        let (seqs, fate) = told.recv().await.unwrap();
        for seq in seqs {
            fates.push((seq, fate.clone()));
            count = count.checked_sub(1).expect("an append was told its fate twice");
        }
    }
    fates
}

/// A room that is awake: it numbers its events.
pub(super) struct Awake<'s> {
    pub(super) stores: &'s Stores,
    pub(super) room: RoomId,
    pub(super) stamp: Stamp,
    pub(super) next: Seq,
    pub(super) messages: u64,
    pub(super) snapshot: Snapshot,
}

impl Awake<'_> {
    /// The next event.
    pub(super) fn event(&mut self, sender: UserId, content: Content) -> Event {
        let seq = self.next;
        self.next += 1;
        self.messages += u64::from(matches!(content, Content::Message { .. }));
        Event {
            room: self.room,
            seq,
            at: self.stores.now(),
            sender,
            client_id: ClientId(Uuid::now_v7()),
            messages: self.messages,
            content,
        }
    }

    /// Gives an event to the store.
    pub(super) fn append(&self, event: Event, reply: &Arc<dyn Appended>) {
        self.stores.log.append(Append { stamp: self.stamp, event: Arc::new(event), reply: Arc::clone(reply) });
    }

    /// Writes an event and waits until it is durable.
    pub(super) async fn write(&mut self, sender: UserId, content: Content) -> Event {
        let event = self.event(sender, content);
        let (reply, mut told) = told();
        self.append(event.clone(), &reply);
        assert_eq!(fates(&mut told, 1).await, [(event.seq, Ok(()))]);
        event
    }

    /// Says something.
    pub(super) async fn say(&mut self, sender: UserId, body: &str) -> Seq {
        self.write(sender, message(body)).await.seq
    }

    /// Changes a membership.
    pub(super) async fn member(&mut self, by: UserId, user: UserId, change: MemberChange, role: Option<Role>) -> Seq {
        self.write(by, Content::Member { user, change, role, until: None }).await.seq
    }
}

/// A plain message.
pub(super) fn message(body: &str) -> Content {
    Content::Message { body: body.to_owned(), reply_to: None, mentions: Vec::new(), attachments: Vec::new() }
}
