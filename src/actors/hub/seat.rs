//! One connection as its hub holds it: the machine, the outbox, and the rooms it follows.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use bytes::{Bytes, BytesMut};
use rookery_core::{
    frame::{codec, server::ServerFrame, websocket},
    ids::{RoomId, UserId},
    session::{Input, Peer, Session},
    time::Millis,
};

use super::Hub;
use crate::actors::{
    clock,
    ports::{Connected, Outbox},
};

/// A connection.
pub struct Seat {
    /// Who is connected.
    pub peer: Peer,
    /// Where its frames go.
    pub outbox: Rc<dyn Outbox>,
    /// Since when.
    pub since: Millis,
    pub(super) machine: RefCell<Session>,
    /// The rooms it follows, each with its place among the hub's members of the room.
    pub(super) rooms: RefCell<Vec<(RoomId, u32)>>,
    /// What it watches; most connections watch nothing.
    pub(super) watched: RefCell<Option<Box<Watched>>>,
    pub(super) client: RefCell<Option<Box<str>>>,
    pub(super) due: Cell<Millis>,
}

/// Whose presence and whose typing a connection shows.
#[derive(Default)]
pub(super) struct Watched {
    pub(super) users: Vec<UserId>,
    pub(super) rooms: Vec<RoomId>,
}

impl Seat {
    /// A connection right after its handshake.
    #[must_use]
    pub fn new(peer: Peer, outbox: Rc<dyn Outbox>, hub: &Hub) -> Rc<Self> {
        let now = clock::now();
        let machine = Session::new(peer, &hub.limits(), now);
        let due = Cell::new(machine.due());
        Rc::new(Self {
            peer,
            outbox,
            since: now,
            machine: RefCell::new(machine),
            rooms: RefCell::default(),
            watched: RefCell::default(),
            client: RefCell::default(),
            due,
        })
    }

    /// Gives the machine one input and carries out what it decides.
    pub fn step(self: &Rc<Self>, hub: &Rc<Hub>, input: Input) {
        let mut effects = Vec::new();
        {
            let mut machine = self.machine.borrow_mut();
            machine.step(input, &hub.limits(), clock::now(), &mut effects);
            self.due.set(machine.due());
        }
        for effect in effects {
            self.carry_out(hub, effect);
        }
    }

    /// Sends a frame that belongs to no room's log.
    pub fn send(&self, frame: &ServerFrame<'_>) {
        self.outbox.control(&framed(&codec::encode(frame)), false);
    }

    pub(super) fn place(&self, room: RoomId) -> Option<usize> {
        let rooms = self.rooms.borrow();
        rooms.iter().find(|(other, _)| *other == room).and_then(|(_, place)| usize::try_from(*place).ok())
    }

    pub(super) fn describe(&self, node: &str) -> Connected {
        Connected {
            session: self.peer.session,
            user: self.peer.user,
            device: self.peer.device,
            node: node.to_owned(),
            since: self.since,
            client: self.client.borrow().as_deref().map(ToOwned::to_owned),
        }
    }
}

/// JSON as a whole WebSocket text frame.
#[must_use]
pub fn framed(json: &Bytes) -> Bytes {
    let mut bytes = BytesMut::with_capacity(json.len() + 10);
    websocket::append(&mut bytes, websocket::TEXT, json);
    bytes.freeze()
}
