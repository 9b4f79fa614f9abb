//! A client as the wire contract describes it: it knows JSON and nothing of the server's insides.

use std::collections::BTreeMap;

use bytes::Bytes;
use rookery_core::{
    event::Role,
    frame::Refusal,
    ids::{ClientId, RoomId, Seq, UserId},
    room::{self, Authority, Caller, Intent, Write},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    history::Record,
    hub::Asker,
    server::Mail,
    world::{self, Happening, Lane, USERS, World},
};

const ROOMS: u8 = 4;

/// Something that a client decides to do.
#[derive(Clone, Debug)]
pub(crate) enum Wish {
    Connect,
    Act,
    /// Send what was refused for the time being once more.
    Again(String),
    Page(RoomId),
    Sync(RoomId),
}

/// A device of a user.
pub(crate) struct Client {
    index: usize,
    pub(crate) user: UserId,
    pub(crate) connection: Option<u32>,
    pub(crate) greeted: bool,
    /// The newest event of each room that this client has.
    pub(crate) cursors: BTreeMap<RoomId, Seq>,
    /// Writes without an answer, by key.
    pub(crate) outbox: BTreeMap<String, (RoomId, Value)>,
    /// Messages that it could edit, take back, react to.
    pub(crate) known: Vec<(RoomId, Seq)>,
    connections: u32,
    keys: u32,
}

impl Client {
    pub(crate) fn new(index: usize, who: u8) -> Self {
        Self {
            index,
            user: world::user(who),
            connection: None,
            greeted: false,
            cursors: BTreeMap::new(),
            outbox: BTreeMap::new(),
            known: Vec::new(),
            connections: 0,
            keys: 0,
        }
    }

    pub(crate) fn following(&self) -> impl Iterator<Item = (RoomId, Seq)> + '_ {
        self.cursors.iter().filter(|_| self.greeted).map(|(room, cursor)| (*room, *cursor))
    }

    pub(crate) fn unanswered(&self) -> impl Iterator<Item = String> + '_ {
        self.outbox.keys().cloned()
    }

    fn next_key(&mut self) -> ClientId {
        self.keys += 1;
        ClientId(Uuid::from_u128(0xC000_0000_0000 + ((self.index as u128) << 32) + u128::from(self.keys)))
    }
}

impl World {
    pub(crate) fn wish(&mut self, index: usize, wish: Wish) {
        match wish {
            Wish::Connect => self.connect(index),
            Wish::Act => {
                if self.is_stormy() {
                    self.act(index);
                    self.later(20, 400, Happening::Wish(index, Wish::Act));
                }
            }
            Wish::Again(key) => self.send_again(index, &key),
            Wish::Page(room) => self.page(index, room),
            Wish::Sync(room) => {
                if let Some(after) = self.clients[index].cursors.get(&room).copied() {
                    self.asks(index, room, after);
                    self.say(index, &json!({"type": "sync", "room": room, "after": after}));
                }
            }
        }
    }

    fn connect(&mut self, index: usize) {
        let forgets = self.chance.hits(1_500);
        let back = self.chance.below(30) as Seq;
        let client = &mut self.clients[index];
        if client.connection.is_some() {
            return;
        }
        // Now and then a client has lost what it had seen last, or all of it.
        if forgets {
            client.cursors.values_mut().for_each(|cursor| *cursor = cursor.saturating_sub(back));
            if back.is_multiple_of(3) {
                client.cursors.clear();
            }
        }
        client.connections += 1;
        let connection = u32::try_from(index).unwrap() * 1_000 + client.connections;
        client.connection = Some(connection);
        let hello = json!({"type": "hello", "cursors": client.cursors});
        self.connections.insert(connection, index);
        self.follow(Lane::ToServer(connection), 1, 20, Happening::Knock(connection));
        self.say(index, &hello);
    }

    /// A client notices that its connection is gone.
    pub(crate) fn client_left(&mut self, connection: u32) {
        let index = self.connections[&connection];
        let client = &mut self.clients[index];
        if client.connection == Some(connection) {
            (client.connection, client.greeted) = (None, false);
            self.later(50, 800, Happening::Wish(index, Wish::Connect));
        }
    }

    pub(crate) fn say(&mut self, index: usize, frame: &Value) {
        if let Some(connection) = self.clients[index].connection {
            let frame = Happening::FrameToServer(connection, frame.to_string());
            self.follow(Lane::ToServer(connection), 1, 20, frame);
        }
    }

    fn act(&mut self, index: usize) {
        if !self.clients[index].greeted {
            return;
        }
        let room = world::room(u8::try_from(self.chance.below(usize::from(ROOMS))).unwrap());
        match self.chance.below(100) {
            0..55 => {
                for _ in 0..1 + self.chance.below(3) {
                    let body = format!("said at {} by {index}", self.now);
                    // Some messages carry a file.
                    let attachments: Vec<Uuid> =
                        (self.now % 5 == 0).then(|| Uuid::from_u128(0xE000)).into_iter().collect();
                    self.write(index, room, json!({"type": "send", "body": body, "attachments": attachments}));
                }
            }
            55..72 => self.touch(index),
            72..84 => {
                if let Some(cursor) = self.clients[index].cursors.get(&room).copied() {
                    let read = self.chance.below(usize::try_from(cursor).unwrap() + 1);
                    self.say(
                        index,
                        &json!({"type": "mark", "id": "mark", "room": room, "read": read, "delivered": cursor}),
                    );
                }
            }
            84..88 => self.wish(index, Wish::Sync(room)),
            88..90 => self.impatient(index),
            _ => self.change_members(index, room),
        }
    }

    /// Edits, takes back or reacts to something that it saw.
    fn touch(&mut self, index: usize) {
        let known = &self.clients[index].known;
        let Some((room, seq)) = self.chance.pick(known).copied() else { return };
        let body = format!("said otherwise at {}", self.now);
        let what = match self.chance.below(4) {
            0 => json!({"type": "edit", "seq": seq, "body": body}),
            1 => json!({"type": "delete", "seq": seq}),
            _ => json!({"type": "react", "seq": seq, "emoji": "👍", "remove": self.chance.hits(3_000)}),
        };
        self.write(index, room, what);
    }

    /// A write is put into the outbox and sent.
    fn write(&mut self, index: usize, room: RoomId, mut what: Value) {
        let client = &mut self.clients[index];
        let key = client.next_key().to_string();
        what["room"] = json!(room);
        what["client_id"] = json!(key);
        what["seen"] = json!(client.cursors.get(&room).copied().unwrap_or(0));
        client.outbox.insert(key.clone(), (room, what));
        self.send_again(index, &key);
    }

    pub(crate) fn send_again(&mut self, index: usize, key: &str) {
        let client = &self.clients[index];
        let Some((room, what)) = client.outbox.get(key).cloned() else { return };
        if client.greeted {
            let (user, room, key) = (client.user.to_string(), room.to_string(), key.to_owned());
            let connection = client.connection;
            self.history.records.push(Record::Asked { connection, user, room, key, what: what.clone() });
            self.say(index, &what);
        }
    }

    /// Sends something once more that is under way, from another device of the same user if there is one.
    fn impatient(&mut self, index: usize) {
        let keys: Vec<String> = self.clients[index].outbox.keys().cloned().collect();
        let Some(key) = self.chance.pick(&keys).cloned() else { return };
        let user = self.clients[index].user;
        let what = self.clients[index].outbox[&key].clone();
        for other in 0..self.clients.len() {
            if self.clients[other].user == user && self.clients[other].greeted {
                self.clients[other].outbox.insert(key.clone(), what.clone());
                self.send_again(other, &key);
            }
        }
    }

    /// Joins, leaves, adds, takes out, changes roles: asked for as REST does, once.
    fn change_members(&mut self, index: usize, room: RoomId) {
        let whom = match self.chance.below(3) {
            0 => self.clients[index].user,
            _ => world::user(u8::try_from(self.chance.below(usize::from(USERS))).unwrap()),
        };
        let roles = [None, None, Some(Role::Member), Some(Role::Admin), Some(Role::Owner)];
        let role = roles[self.chance.below(roles.len())];
        let intent = match self.chance.below(5) {
            0 | 1 => Intent::Remove { user: whom, ban: false },
            _ => Intent::Put { user: whom, role, muted_until: None },
        };
        if self.server.is_none() {
            return;
        }
        let client = &mut self.clients[index];
        let (user, client_id, seen) = (client.user, client.next_key(), client.cursors.get(&room).copied().unwrap_or(0));
        let number = u64::from(client.keys) + ((index as u64) << 32);
        self.server().requests.insert(number, (index, room));
        let what = json!({"type": "member", "user": whom});
        let (of, key) = (room.to_string(), client_id.to_string());
        self.history.records.push(Record::Asked { connection: None, user: user.to_string(), room: of, key, what });
        let (caller, authority) = (Caller::Request(number), Authority::Member);
        let write = Write { caller, user, authority, client_id, seen, again: false, after: None, intent };
        self.post(room, Mail::Input(room::Input::Write(write)));
    }

    fn page(&mut self, index: usize, room: RoomId) {
        let client = &self.clients[index];
        let (user, cursor) = (client.user, client.cursors.get(&room).copied());
        if let (Some(connection), Some(after), true) = (client.connection, cursor, self.server.is_some()) {
            self.post(room, Mail::Pull { user, after, asker: Asker::Client { client: index, connection } });
        }
    }

    /// A page of the log that the client asked for over REST.
    pub(crate) fn paged(
        &mut self,
        index: usize,
        connection: u32,
        room: RoomId,
        after: Seq,
        result: Result<(Vec<(Seq, Bytes)>, Seq), Refusal>,
    ) {
        let client = &mut self.clients[index];
        if client.connection != Some(connection) || client.cursors.get(&room) != Some(&after) {
            return;
        }
        let (events, head) = match result {
            Ok(found) => found,
            Err(refusal) if refusal.code.as_str() == "unavailable" => {
                return self.later(200, 400, Happening::Wish(index, Wish::Page(room)));
            }
            Err(_) => {
                client.cursors.remove(&room);
                return;
            }
        };
        let to = events.last().map_or(after.max(head), |(seq, _)| *seq);
        client.cursors.insert(room, to);
        let events = events.iter().map(|(_, text)| serde_json::from_slice(text).unwrap()).collect();
        let (user, of) = (client.user.to_string(), room.to_string());
        self.history.records.push(Record::Paged { user, room: of, after, to, events });
        let next = if to < head { Wish::Page(room) } else { Wish::Sync(room) };
        self.later(1, 20, Happening::Wish(index, next));
    }

    pub(crate) fn begins(&mut self, index: usize, room: RoomId, after: Seq) {
        let client = &self.clients[index];
        if let Some(connection) = client.connection {
            let (user, room) = (client.user.to_string(), room.to_string());
            self.history.records.push(Record::Begins { connection, user, room, after });
        }
    }

    pub(crate) fn asks(&mut self, index: usize, room: RoomId, after: Seq) {
        let client = &self.clients[index];
        if let Some(connection) = client.connection {
            let (user, room) = (client.user.to_string(), room.to_string());
            self.history.records.push(Record::Asks { connection, user, room, after });
        }
    }

    pub(crate) fn stops(&mut self, connection: u32, room: RoomId) {
        self.history.records.push(Record::Stops { connection, room: room.to_string() });
    }
}
