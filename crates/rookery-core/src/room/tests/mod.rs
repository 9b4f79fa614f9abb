//! The promises of a room, held against every order in which its world can answer.

mod interleaving;
mod marks;
mod members;
mod messages;
mod order;
mod refused;
mod repeats;
mod replay;
mod window;
mod world;

use uuid::Uuid;

use super::*;
use crate::{
    event::{Content, MemberChange, RoomChange, RoomChangeKind},
    ids::ClientId,
};

const OWNER: u8 = 0;
const ADMIN: u8 = 1;
const MEMBER: u8 = 2;
const OTHER: u8 = 3;
const READER: u8 = 4;
const STRANGER: u8 = 5;

fn user(n: u8) -> UserId {
    UserId(Uuid::from_u128(0xA000 + u128::from(n)))
}

fn key(n: u32) -> ClientId {
    ClientId(Uuid::from_u128(0xC000_0000 + u128::from(n)))
}

fn room_id() -> RoomId {
    RoomId(Uuid::from_u128(0xB000))
}

fn event(seq: Seq, sender: u8, content: Content) -> Event {
    // Keys of what was there before never meet those that a test hands out.
    let client_id = ClientId(Uuid::from_u128(0xF000_0000 + u128::from(seq)));
    Event { room: room_id(), seq, at: Millis(0), sender: user(sender), client_id, messages: 0, content }
}

fn joined(who: u8, role: Role) -> Content {
    Content::Member { user: user(who), change: MemberChange::Joined, role: Some(role), until: None }
}

fn created(visibility: Visibility) -> Content {
    Content::Room(RoomChange { change: RoomChangeKind::Created, visibility: Some(visibility), ..RoomChange::default() })
}

fn text(body: &str) -> Content {
    Content::Message { body: body.to_owned(), reply_to: None, mentions: Vec::new(), attachments: Vec::new() }
}

/// The log of a room in which everybody but the stranger is, and the first message of everybody who may write.
fn beginning(visibility: Visibility) -> Vec<Event> {
    let mut log = vec![event(1, OWNER, created(visibility)), event(2, OWNER, joined(OWNER, Role::Owner))];
    for (who, role) in [(ADMIN, Role::Admin), (MEMBER, Role::Member), (OTHER, Role::Member), (READER, Role::Reader)] {
        log.push(event(log.len() as Seq + 1, OWNER, joined(who, role)));
    }
    for who in [OWNER, ADMIN, MEMBER, OTHER] {
        log.push(event(log.len() as Seq + 1, who, text("hello")));
    }
    number_messages(&mut log);
    log
}

/// The first messages in `beginning`.
const OWNERS_MESSAGE: Seq = 7;
const MEMBERS_MESSAGE: Seq = 9;

fn number_messages(log: &mut [Event]) {
    let mut messages = 0;
    for event in log {
        messages += u64::from(matches!(event.content, Content::Message { .. }));
        event.messages = messages;
    }
}

fn post(body: &str) -> Intent {
    Intent::Post { body: body.to_owned(), reply_to: None, mentions: Vec::new(), attachments: Vec::new() }
}
