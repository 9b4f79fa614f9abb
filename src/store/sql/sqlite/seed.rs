//! Fills a store with rooms and messages, to see how a large one starts.

use std::path::Path;

use rookery_core::{
    event::{Content, Event, MemberChange, Role, RoomChange, RoomChangeKind, RoomKind, Visibility},
    ids::{ClientId, RoomId, Seq, UserId},
    shard::Stamp,
    time::Millis,
};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{
    SqliteSettings, SqliteStore,
    directory::{begin, insert_user},
    failure::Failure,
    insert::insert,
};
use crate::store::{
    StoreError,
    record::{NewRoom, NewUser, PlatformRole, RoomRecord, User},
};

const USERS: usize = 1_000;
const MEMBERS: usize = 5;
/// Rows that go into one transaction.
const ROWS: usize = 10_000;

/// What was made.
#[derive(Clone, Debug)]
pub struct Seeded {
    /// Accounts; nobody knows a password for them.
    pub users: Vec<UserId>,
    /// Rooms.
    pub rooms: Vec<RoomId>,
    /// Messages in all of them together.
    pub messages: u64,
}

/// Adds so many rooms of five members each, and so many messages spread evenly over them, to the store of a folder. With an
/// `owner` every room is theirs.
///
/// # Errors
/// What the store says.
pub async fn seed(folder: &Path, owner: Option<UserId>, rooms: usize, messages: usize) -> Result<Seeded, StoreError> {
    let store = SqliteStore::open(SqliteSettings::new(folder)).await?;
    let seeded = fill(&store, owner, rooms.max(1), messages).await;
    store.close().await;
    seeded
}

async fn fill(store: &SqliteStore, owner: Option<UserId>, rooms: usize, messages: usize) -> Result<Seeded, StoreError> {
    let names: Vec<(UserId, String)> =
        (0..USERS).map(|n| (UserId(Uuid::now_v7()), format!("seed{}-{n}", Uuid::now_v7().simple()))).collect();
    let users: Vec<UserId> = names.iter().map(|(id, _)| *id).collect();
    store.write(move |connection| Box::pin(add_users(connection, names))).await?;
    let ids: Vec<RoomId> = (0..rooms).map(|_| RoomId(Uuid::now_v7())).collect();
    for (part, ids) in ids.chunks(ROWS / (MEMBERS + 1)).enumerate() {
        let begin = part * (ROWS / (MEMBERS + 1));
        let rooms: Vec<NewRoom> =
            ids.iter().enumerate().map(|(n, id)| new_room(*id, begin + n, owner, &users)).collect();
        store.write(move |connection| Box::pin(add_rooms(connection, rooms))).await?;
    }
    let mut waiting: Vec<Event> = Vec::with_capacity(ROWS);
    for (n, room) in ids.iter().enumerate() {
        let in_room = messages / rooms + usize::from(n < messages % rooms);
        for message in 0..in_room as u64 {
            waiting.push(said(*room, message, users[(n + message as usize % MEMBERS) % users.len()]));
            if waiting.len() == ROWS {
                let events = std::mem::replace(&mut waiting, Vec::with_capacity(ROWS));
                store.write(move |connection| Box::pin(add_events(connection, events))).await?;
            }
        }
    }
    store.write(move |connection| Box::pin(add_events(connection, waiting))).await?;
    Ok(Seeded { users, rooms: ids, messages: messages as u64 })
}

async fn add_users(connection: &mut SqliteConnection, names: Vec<(UserId, String)>) -> Result<(), Failure> {
    for (id, handle) in names {
        let user = User {
            id,
            handle: handle.clone(),
            display_name: "Seeded".to_owned(),
            about: None,
            email: None,
            role: PlatformRole::User,
            disabled: false,
            deleted: false,
            created_at: Millis(0),
            last_seen: None,
        };
        // No password has this as its hash.
        insert_user(connection, NewUser { user, skeleton: handle, password_hash: "!".to_owned() }).await?;
    }
    Ok(())
}

async fn add_rooms(connection: &mut SqliteConnection, rooms: Vec<NewRoom>) -> Result<(), Failure> {
    for room in rooms {
        begin(connection, room).await?;
    }
    Ok(())
}

async fn add_events(connection: &mut SqliteConnection, events: Vec<Event>) -> Result<(), Failure> {
    Ok(insert(connection, events.iter().map(|event| (Stamp::default(), event))).await?)
}

fn new_room(id: RoomId, number: usize, owner: Option<UserId>, users: &[UserId]) -> NewRoom {
    let name = format!("Room {number}");
    let record = RoomRecord {
        id,
        kind: RoomKind::Group,
        name: name.clone(),
        topic: String::new(),
        visibility: Visibility::Private,
        archived: false,
        deleted: false,
        created_at: Millis(0),
        members: 0,
        pair: None,
    };
    let member = |n: usize| owner.filter(|_| n == 0).unwrap_or(users[(number + n) % users.len()]);
    let created = RoomChange { change: RoomChangeKind::Created, name: Some(name), ..RoomChange::default() };
    let joined = |n: usize| {
        let role = if n == 0 { Role::Owner } else { Role::Member };
        Content::Member { user: member(n), change: MemberChange::Joined, role: Some(role), until: None }
    };
    let contents = std::iter::once(Content::Room(created)).chain((0..MEMBERS).map(joined));
    let events = contents.zip(1..).map(|(content, seq)| event(id, seq, 0, member(0), content));
    NewRoom { record, events: events.collect() }
}

/// A message after the events that a room begins with.
fn said(room: RoomId, number: u64, sender: UserId) -> Event {
    let body = format!("This is message {number} of a room that was made to be large.");
    let content = Content::Message { body, reply_to: None, mentions: Vec::new(), attachments: Vec::new() };
    event(room, MEMBERS as u64 + 2 + number, number + 1, sender, content)
}

fn event(room: RoomId, seq: Seq, messages: u64, sender: UserId, content: Content) -> Event {
    Event { room, seq, at: Millis(0), sender, client_id: ClientId(Uuid::now_v7()), messages, content }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Directory, MessageLog};

    #[tokio::test(flavor = "multi_thread")]
    async fn a_seeded_store_holds_what_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let seeded = seed(folder.path(), None, 7, 100).await.unwrap();
        let store = SqliteStore::open(SqliteSettings::new(folder.path())).await.unwrap();
        assert_eq!(store.counts().await.unwrap().rooms, 7);
        let mut heads = 0;
        for room in &seeded.rooms {
            let events = store.events(*room, 0, 1_000).await.unwrap();
            assert!(events.iter().zip(1..).all(|(event, seq)| event.seq == seq));
            heads += events.len();
            assert_eq!(store.room(*room).await.unwrap().unwrap().members, 5);
        }
        assert_eq!(heads, 100 + 7 * 6);
        let views = store.rooms_of(seeded.users[0]).await.unwrap();
        assert_eq!((views.len(), views[0].unread), (1, 15));
    }
}
