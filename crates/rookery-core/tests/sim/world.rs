//! The world of one run: time, chance, the network, and who lives in it.

use std::collections::BTreeMap;

use rookery_core::{
    event::{Content, Event, MemberChange, Role, RoomChange, RoomChangeKind, RoomKind, Visibility},
    frame::{codec, server::RoomView},
    ids::{ClientId, RoomId, Seq, SessionId, ShardId, UserId},
    media::Attached,
    room::{self, Snapshot},
    shard::Stamp,
    time::Millis,
};
use uuid::Uuid;

use crate::{
    chance::{Chance, Faults},
    client::{Client, Wish},
    history::{Final, History, Position},
    hub::{Item, PullAnswer},
    server::{Mail, Server},
    store::{Store, Stored},
};

pub(crate) const USERS: u8 = 5;
/// Milliseconds in which things go wrong.
const STORMY: i64 = 8_000;
/// Milliseconds until the end, in which nothing does.
const WHOLE: i64 = 60_000;

/// Something that will happen.
pub(crate) enum Happening {
    Wish(usize, Wish),
    /// A client's new connection reaches the server.
    Knock(u32),
    FrameToServer(u32, String),
    FrameToClient(u32, String),
    /// One end of a connection notices that the other is gone.
    ClientLeft(u32),
    ServerLeft(u32),
    Crash,
    Start,
    LoseConnection,
    SleepRoom,
    Heal,
    Tick,
    /// Something inside the server, as long as it is the same server.
    Inside(u32, Inside),
    /// The store does some of its work.
    Commit(RoomId),
}

pub(crate) enum Inside {
    Mail(RoomId, Stamp, Mail),
    Woken(RoomId, Stamp, Option<Snapshot>),
    WakeUp(RoomId, Stamp),
    Claimed(ShardId, Option<u64>),
    Owed(RoomId),
    Look { room: RoomId, stamp: Stamp, ticket: u64, sender: UserId, client_id: ClientId, target: Option<Seq> },
    Mark { room: RoomId, stamp: Stamp, caller: Option<room::Caller>, user: UserId, read: Seq, delivered: Seq },
    ForHub(usize, Item),
    Load(usize, SessionId, UserId),
    Loaded(usize, SessionId, Option<Vec<RoomView>>),
    Found(usize, SessionId, ClientId, Option<Vec<Attached>>),
    Appeared(RoomId, UserId),
    TellHead(RoomId, usize),
    Pulled(PullAnswer),
    ReadLog { room: RoomId, after: Seq, head: Seq, answer: PullAnswer },
    Pong(usize, SessionId),
    Flush(usize, SessionId),
}

/// What goes one after the other, however long each takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lane {
    ToServer(u32),
    ToClient(u32),
    ToRoom(RoomId),
    ToHub(usize),
    Store(RoomId),
}

pub(crate) struct World {
    pub(crate) now: i64,
    pub(crate) chance: Chance,
    pub(crate) faults: Faults,
    pub(crate) store: Store,
    pub(crate) server: Option<Server>,
    pub(crate) boots: u32,
    pub(crate) clients: Vec<Client>,
    /// Which client, of which it is the newest connection or not.
    pub(crate) connections: BTreeMap<u32, usize>,
    pub(crate) history: History,
    agenda: BTreeMap<(i64, u64), Happening>,
    tickets: u64,
    lanes: BTreeMap<Lane, i64>,
    #[cfg(feature = "bugs")]
    pub(crate) bug: Option<room::bugs::Bug>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let faults = Faults::some(&mut chance);
        let clients = (0..USERS).flat_map(|user| (0..1 + usize::from(user % 2)).map(move |_| user));
        let clients = clients.enumerate().map(|(index, user)| Client::new(index, user)).collect();
        Self {
            now: 0,
            chance,
            faults,
            store: Store { rooms: rooms(), ..Store::default() },
            server: None,
            boots: 0,
            clients,
            connections: BTreeMap::new(),
            history: History::default(),
            agenda: BTreeMap::new(),
            tickets: 0,
            lanes: BTreeMap::new(),
            #[cfg(feature = "bugs")]
            bug: None,
        }
    }

    /// Lives through the whole run.
    pub(crate) fn run(mut self) -> History {
        self.later(0, 0, Happening::Start);
        self.later(STORMY, STORMY, Happening::Heal);
        self.later(500, 500, Happening::Tick);
        for (every, what) in [
            (self.faults.crash_every, Happening::Crash),
            (self.faults.drop_every, Happening::LoseConnection),
            (self.faults.sleep_every, Happening::SleepRoom),
        ] {
            if every > 0 {
                self.later(every / 2, every * 2, what);
            }
        }
        for client in 0..self.clients.len() {
            self.later(1, 500, Happening::Wish(client, Wish::Connect));
            self.later(200, 600, Happening::Wish(client, Wish::Act));
        }
        while let Some(((at, _), happening)) = self.agenda.pop_first() {
            if at > WHOLE {
                break;
            }
            self.now = at;
            self.happen(happening);
        }
        self.close()
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Wish(client, wish) => self.wish(client, wish),
            Happening::Knock(connection) => self.knock(connection),
            Happening::FrameToServer(connection, text) => self.frame_to_server(connection, &text),
            Happening::FrameToClient(connection, text) => self.frame_to_client(connection, &text),
            Happening::ClientLeft(connection) => self.client_left(connection),
            Happening::ServerLeft(connection) => self.server_left(connection),
            Happening::Crash if self.is_stormy() => self.crash(),
            Happening::Crash => {}
            Happening::Start => self.start(),
            Happening::LoseConnection => self.lose_connection(),
            Happening::SleepRoom => self.sleep_room(),
            Happening::Heal => self.faults = Faults::healed(),
            Happening::Tick => {
                self.tick();
                self.later(2_000, 2_000, Happening::Tick);
            }
            Happening::Inside(boot, inside) if boot == self.boots && self.server.is_some() => self.inside(inside),
            Happening::Inside(..) => {}
            Happening::Commit(room) => self.commit(room),
        }
    }

    pub(crate) const fn millis(&self) -> Millis {
        Millis(self.now)
    }

    pub(crate) const fn is_stormy(&self) -> bool {
        self.now < STORMY
    }

    /// Plans something for after `least..=most` milliseconds.
    pub(crate) fn later(&mut self, least: i64, most: i64, what: Happening) {
        let at = self.now + self.chance.between(least, most);
        self.plan(at, what);
    }

    /// The same, behind everything on this lane.
    pub(crate) fn follow(&mut self, lane: Lane, least: i64, most: i64, what: Happening) {
        let at = self.now + self.chance.between(least, most);
        let at = at.max(self.lanes.get(&lane).copied().unwrap_or(0));
        self.lanes.insert(lane, at);
        self.plan(at, what);
    }

    pub(crate) fn inside_later(&mut self, least: i64, most: i64, what: Inside) {
        let boot = self.boots;
        self.later(least, most, Happening::Inside(boot, what));
    }

    pub(crate) fn inside_follow(&mut self, lane: Lane, most: i64, what: Inside) {
        let boot = self.boots;
        self.follow(lane, 0, most, Happening::Inside(boot, what));
    }

    fn plan(&mut self, at: i64, what: Happening) {
        self.tickets += 1;
        self.agenda.insert((at, self.tickets), what);
    }

    fn lose_connection(&mut self) {
        let open: Vec<u32> = self.clients.iter().filter_map(|client| client.connection).collect();
        if let Some(connection) = self.chance.pick(&open).copied() {
            self.client_left(connection);
            self.later(0, 3_000, Happening::ServerLeft(connection));
        }
        if self.faults.drop_every > 0 {
            self.later(1, self.faults.drop_every * 2 / self.clients.len() as i64, Happening::LoseConnection);
        }
    }

    fn close(mut self) -> History {
        for (room, stored) in &self.store.rooms {
            let log = stored.events(0, usize::MAX);
            let marks = stored.marks.iter().map(|(user, marks)| (user.to_string(), *marks)).collect();
            let kind = serde_json::to_value(stored.kind).unwrap().as_str().unwrap().to_owned();
            let log = log.iter().map(|event| serde_json::from_slice(&codec::encode_event(event)).unwrap()).collect();
            self.history.rooms.insert(room.to_string(), Final { kind, log, marks });
        }
        for client in &self.clients {
            for (room, cursor) in client.following() {
                let (user, room) = (client.user.to_string(), room.to_string());
                self.history.positions.push(Position { user, room, cursor });
            }
            self.history.unanswered.extend(client.unanswered());
        }
        self.history
    }
}

pub(crate) fn user(n: u8) -> UserId {
    UserId(Uuid::from_u128(0xA000 + u128::from(n)))
}

pub(crate) fn room(n: u8) -> RoomId {
    RoomId(Uuid::from_u128(0xB000 + u128::from(n)))
}

/// A private group, a public group, a channel, and a direct room; the last user is in none of the private ones.
fn rooms() -> BTreeMap<RoomId, Stored> {
    let plans = [
        (RoomKind::Group, Visibility::Private, vec![0, 1, 2, 3]),
        (RoomKind::Group, Visibility::Public, vec![1, 2, 3, 4]),
        (RoomKind::Channel, Visibility::Private, vec![2, 3, 0]),
        (RoomKind::Direct, Visibility::Private, vec![0, 1]),
    ];
    (0..)
        .zip(plans)
        .map(|(n, (kind, visibility, people))| (room(n), begin(room(n), kind, visibility, &people)))
        .collect()
}

fn begin(room: RoomId, kind: RoomKind, visibility: Visibility, people: &[u8]) -> Stored {
    let change = RoomChange { change: RoomChangeKind::Created, visibility: Some(visibility), ..RoomChange::default() };
    let mut contents = vec![Content::Room(change)];
    for (place, who) in people.iter().enumerate() {
        let role = match (kind, place) {
            (RoomKind::Direct, _) => Role::Member,
            (_, 0) => Role::Owner,
            (_, 1) => Role::Admin,
            (RoomKind::Channel, _) => Role::Reader,
            _ => Role::Member,
        };
        let change = MemberChange::Joined;
        contents.push(Content::Member { user: user(*who), change, role: Some(role), until: None });
    }
    let events = (1..).zip(contents).map(|(seq, content)| Event {
        room,
        seq,
        at: Millis(0),
        sender: user(people[0]),
        client_id: ClientId(Uuid::from_u128(0xE000_0000 + u128::from(seq))),
        messages: 0,
        content,
    });
    Stored::new(kind, events.collect())
}
