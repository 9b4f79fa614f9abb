//! Rooms over a store of which another process takes over in between.

use std::sync::Arc;

use parking_lot::RwLock;
use rookery_core::{
    event::{RoomKind, Visibility},
    ids::{ClientId, RoomId, UserId},
    limits::Limits,
    room::{Authority, Beginning, Intent, create},
    time::Millis,
};
use uuid::Uuid;

use crate::{
    actors::{
        Router,
        gateway::Actors,
        ports::{Gateway, Wanted, Written},
        router::Shared,
        supervisor::Supervisor,
    },
    store::{
        Directory, MessageLog,
        memory::MemoryStore,
        record::{NewRoom, RoomRecord},
    },
};

const ME: UserId = UserId(Uuid::from_u128(1));

async fn actors(store: &Arc<MemoryStore>) -> Actors {
    let shared = Shared {
        node: "here".to_owned(),
        log: Arc::clone(store) as _,
        directory: Arc::clone(store) as _,
        runtime: tokio::runtime::Handle::current(),
        limits: RwLock::new(Limits::default()),
        room_idle_ms: 60_000,
        #[cfg(feature = "bugs")]
        bug: None,
    };
    let router = Router::new(shared, 1);
    Supervisor::start(Arc::clone(&router)).await.unwrap();
    Actors(router)
}

async fn new_room(store: &MemoryStore, id: RoomId) {
    let (kind, visibility, at) = (RoomKind::Group, Visibility::Private, Millis(0));
    let (name, topic) = ("tea".to_owned(), String::new());
    let beginning = Beginning {
        room: id,
        kind,
        name: name.clone(),
        topic: topic.clone(),
        visibility,
        by: ME,
        members: Vec::new(),
        at,
    };
    let plan = create(&beginning, 10).unwrap();
    let (archived, deleted, members, pair) = (false, false, plan.members, None);
    let record = RoomRecord { id, kind, name, topic, visibility, archived, deleted, created_at: at, members, pair };
    store.create_room(NewRoom { record, events: plan.events }).await.unwrap();
}

fn post(room: RoomId) -> Wanted {
    let intent = Intent::Post {
        body: "is anybody there?".to_owned(),
        reply_to: None,
        mentions: Vec::new(),
        attachments: Vec::new(),
    };
    let client_id = ClientId(Uuid::now_v7());
    Wanted { room, user: ME, authority: Authority::Member, client_id, seen: 0, intent, request_id: String::new() }
}

/// Nobody waits in vain for a room of which another process has become the owner while it was woken here: what came for it is
/// asked again, wherever it lives by then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_a_room_that_is_taken_over_while_it_wakes_is_asked_again_and_not_refused() {
    let store = Arc::new(MemoryStore::new());
    let actors = actors(&store).await;
    let mut ids = std::iter::repeat_with(|| RoomId(Uuid::now_v7()));
    let first = ids.next().unwrap();
    let second = ids.find(|id| id.shard() == first.shard()).unwrap();
    for room in [first, second] {
        new_room(&store, room).await;
    }
    assert!(matches!(actors.write(post(first)).await.unwrap(), Written::Done { seq: 3, repeat: false, .. }));
    // From here on what was claimed before is void, and the shard does not know it.
    store.claim(first.shard()).await.unwrap();
    let written = actors.write(post(second)).await;
    assert!(matches!(written, Ok(Written::Done { seq: 3, .. })), "{written:?}");
}
