//! What a client makes of the frames that it hears.

use std::collections::{BTreeMap, btree_map::Entry};

use rookery_core::ids::RoomId;
use serde_json::Value;

use crate::{
    client::Wish,
    history::Record,
    world::{Happening, World},
};

impl World {
    pub(crate) fn frame_to_client(&mut self, connection: u32, text: &str) {
        let index = self.connections[&connection];
        if self.clients[index].connection != Some(connection) {
            return;
        }
        let frame: Value = serde_json::from_str(text).unwrap();
        let room = frame["room"].as_str().map(|room| room.parse::<RoomId>().unwrap());
        match (frame["type"].as_str().unwrap(), room) {
            ("welcome", _) => self.welcomed(index, &frame),
            ("event", Some(room)) => self.got(index, connection, room, frame),
            ("ack", Some(room)) => {
                let (user, key) = (self.clients[index].user.to_string(), key_of(&frame));
                self.clients[index].outbox.remove(&key);
                let seq = frame["seq"].as_u64().unwrap();
                self.history.records.push(Record::Acked { user, room: room.to_string(), key, seq });
            }
            ("nack", Some(room)) => self.nacked(index, connection, room, &frame),
            ("synced", Some(room)) => {
                let seq = frame["seq"].as_u64().unwrap();
                self.history.records.push(Record::Synced { connection, room: room.to_string(), seq });
            }
            ("gap", Some(room)) => {
                self.stops(connection, room);
                self.later(1, 20, Happening::Wish(index, Wish::Page(room)));
            }
            ("lagged", _) => {
                for room in frame["rooms"].as_object().unwrap().keys() {
                    let room = room.parse().unwrap();
                    self.stops(connection, room);
                    self.later(1, 20, Happening::Wish(index, Wish::Sync(room)));
                }
            }
            ("room", Some(room)) if frame["gone"] == true => {
                self.stops(connection, room);
                self.clients[index].cursors.remove(&room);
            }
            ("room", Some(room)) => self.appeared(index, room, &frame),
            ("marks", Some(room)) => self.saw_marks(index, room, frame["user"].as_str().unwrap(), false, &frame),
            _ => {}
        }
    }

    fn welcomed(&mut self, index: usize, frame: &Value) {
        let mine: BTreeMap<RoomId, &Value> =
            frame["rooms"].as_array().unwrap().iter().map(|view| (room_of(view), view)).collect();
        self.clients[index].greeted = true;
        self.clients[index].cursors.retain(|room, _| mine.contains_key(room));
        let me = self.clients[index].user.to_string();
        for (room, view) in mine {
            let cursor = *self.clients[index].cursors.entry(room).or_insert(view["head"].as_u64().unwrap());
            match frame["resume"][room.to_string()].as_str() {
                Some("gap") => {}
                _ => self.begins(index, room, cursor),
            }
            self.saw_marks(index, room, &me, true, view);
        }
        for key in self.clients[index].outbox.keys().cloned().collect::<Vec<_>>() {
            self.send_again(index, &key);
        }
    }

    /// What is told of a room that is followed already was read a moment ago: its marks may be older than those shown since.
    fn appeared(&mut self, index: usize, room: RoomId, view: &Value) {
        if let Entry::Vacant(unknown) = self.clients[index].cursors.entry(room) {
            let head = *unknown.insert(view["head"].as_u64().unwrap());
            self.begins(index, room, head);
            let me = self.clients[index].user.to_string();
            self.saw_marks(index, room, &me, true, view);
        }
    }

    fn got(&mut self, index: usize, connection: u32, room: RoomId, event: Value) {
        let client = &mut self.clients[index];
        let seq = event["seq"].as_u64().unwrap();
        if let Some(cursor) = client.cursors.get_mut(&room) {
            *cursor = seq.max(*cursor);
        }
        if event["kind"] == "message" {
            client.known.push((room, seq));
        }
        let (user, room) = (client.user.to_string(), room.to_string());
        self.history.records.push(Record::Got { connection, user, room, event });
    }

    fn nacked(&mut self, index: usize, connection: u32, room: RoomId, frame: &Value) {
        let later = frame["retry"] == "later";
        if frame["client_id"].is_null() {
            // Reading a room, or marks in it, was refused. Marks are given up; a room is read again if that can help.
            if frame["id"] != "mark" {
                self.stops(connection, room);
                if later {
                    self.later(200, 400, Happening::Wish(index, Wish::Sync(room)));
                } else {
                    self.clients[index].cursors.remove(&room);
                }
            }
            return;
        }
        let (user, key) = (self.clients[index].user.to_string(), key_of(frame));
        let code = frame["code"].as_str().unwrap().to_owned();
        self.history.records.push(Record::Nacked { user, room: room.to_string(), key: key.clone(), code });
        if later {
            let wait = frame["retry_after_ms"].as_i64().unwrap_or(200);
            self.later(wait, wait + 200, Happening::Wish(index, Wish::Again(key)));
        } else {
            self.clients[index].outbox.remove(&key);
        }
    }

    fn saw_marks(&mut self, client: usize, room: RoomId, user: &str, welcome: bool, of: &Value) {
        let (read, delivered) = (of["read"].as_u64().unwrap_or(0), of["delivered"].as_u64().unwrap_or(0));
        let (room, user) = (room.to_string(), user.to_owned());
        let connection = self.clients[client].connection.unwrap_or(0);
        self.history.records.push(Record::Marks { client, connection, welcome, room, user, read, delivered });
    }
}

fn key_of(frame: &Value) -> String {
    frame["client_id"].as_str().unwrap().to_owned()
}

fn room_of(view: &Value) -> RoomId {
    view["room"].as_str().unwrap().parse().unwrap()
}
