//! Connections at the server's end: how they come, what their machines ask for, how they go.

use rookery_core::{
    frame::codec,
    ids::{DeviceId, Seq, SessionId},
    limits::Limits,
    media::Attached,
    room::{self},
    session::{Effect, Input, Peer, Session},
};
use uuid::Uuid;

use crate::{
    hub::{Asker, PullAnswer, Seat},
    server::{HUBS, Mail},
    world::{Happening, Inside, Lane, World},
};

/// Where a connection is held, and under which name.
fn place(connection: u32) -> (usize, SessionId) {
    (connection as usize % HUBS, SessionId(Uuid::from_u128(u128::from(connection))))
}

impl World {
    /// A connection reaches the server, if there is one.
    pub(crate) fn knock(&mut self, connection: u32) {
        let client = self.connections[&connection];
        if self.server.is_none() {
            return self.later(0, 20, Happening::ClientLeft(connection));
        }
        let (hub, session) = place(connection);
        let (user, device) = (self.clients[client].user, DeviceId(Uuid::from_u128(client as u128)));
        let peer = Peer { session, hub: u16::try_from(hub).unwrap(), user, device };
        let machine = Session::new(peer, &Limits::default(), self.millis());
        self.server().hubs[hub].seats.insert(session, Seat::new(connection, user, machine));
    }

    pub(crate) fn frame_to_server(&mut self, connection: u32, text: &str) {
        let (hub, session) = place(connection);
        if self.seat(hub, session).is_none() {
            return;
        }
        let admitted = if self.chance.hits(self.faults.hasty) { Err(100) } else { Ok(()) };
        match codec::decode(text.as_bytes(), &Limits::default()) {
            Ok(frame) => self.seat_step(hub, session, Input::Frame { frame, admitted }),
            Err(bad) => panic!("a client said something that is no frame: {bad:?} {text}"),
        }
    }

    /// The server notices that a connection is gone.
    pub(crate) fn server_left(&mut self, connection: u32) {
        let (hub, session) = place(connection);
        let Some(seat) = self.seat(hub, session) else { return };
        let rooms: Vec<_> = seat.follows.keys().copied().collect();
        self.server().hubs[hub].seats.remove(&session);
        rooms.into_iter().for_each(|room| self.forget_if_unfollowed(hub, room));
    }

    pub(crate) fn carry_out_seat(&mut self, hub: usize, session: SessionId, effect: Effect) {
        let Some(seat) = self.seat(hub, session) else { return };
        let (connection, user) = (seat.connection, seat.user);
        match effect {
            Effect::Send(text) => {
                self.push(hub, session, None, &text);
            }
            Effect::Load { .. } => {
                self.inside_later(0, self.faults.store_millis, Inside::Load(hub, session, user));
            }
            Effect::Listen { room, next, live } => self.listen(hub, session, room, next, live),
            Effect::Unlisten { room } => self.unlisten(hub, session, room),
            Effect::Pull { room, after, ticket } => {
                self.restart_at(hub, session, room, after, ticket);
                self.post(room, Mail::Pull { user, after, asker: Asker::Seat { hub, session, ticket } });
            }
            Effect::Write { room, write } => self.post(room, Mail::Input(room::Input::Write(write))),
            Effect::Mark { room, caller, read, delivered } => {
                self.post(room, Mail::Input(room::Input::Mark { caller, user, read, delivered }));
            }
            // Who answers pings: the client, as long as it has this connection.
            Effect::Ping => {
                let client = self.connections[&connection];
                if self.clients[client].connection == Some(connection) {
                    self.inside_later(1, 100, Inside::Pong(hub, session));
                }
            }
            Effect::Close { .. } => {
                self.flush(hub, session);
                self.server_left(connection);
                self.follow(Lane::ToClient(connection), 1, 20, Happening::ClientLeft(connection));
            }
            // Files are looked for while the client goes on.
            Effect::Find { client_id, media, .. } => {
                let fails = self.chance.hits(self.faults.read_fails);
                let described = |id| Attached { id, described: Some(Attached::named(id).into_print()) };
                let found = (!fails).then(|| media.into_iter().map(described).collect());
                self.inside_later(0, self.faults.store_millis, Inside::Found(hub, session, client_id, found));
            }
            Effect::Deliver { .. } | Effect::Typing { .. } => {}
            Effect::WatchUsers(_) | Effect::WatchRooms(_) | Effect::Active => {}
        }
    }

    pub(crate) fn flush(&mut self, hub: usize, session: SessionId) {
        let Some(seat) = self.seat(hub, session) else { return };
        let (connection, frames) = (seat.connection, std::mem::take(&mut seat.outbox));
        for (_, text) in frames {
            self.follow(Lane::ToClient(connection), 0, 5, Happening::FrameToClient(connection, text));
        }
    }

    pub(crate) fn pulled(&mut self, answer: PullAnswer) {
        let PullAnswer { room, after, asker, result } = answer;
        match asker {
            Asker::Client { client, connection } => self.paged(client, connection, room, after, result),
            Asker::Seat { hub, session, ticket } => {
                let head = result.as_ref().map(|(_, head): &(_, Seq)| *head).map_err(Clone::clone);
                let (now, mut out) = (self.millis(), Vec::new());
                let Some(seat) = self.seat(hub, session) else { return };
                if !seat.follows.get(&room).is_some_and(|follows| follows.waits_for(ticket)) {
                    return;
                }
                seat.machine.step(
                    Input::Pulled { room, ticket, after, answer: head },
                    &Limits::default(),
                    now,
                    &mut out,
                );
                let wanted = out.contains(&Effect::Deliver { room });
                out.into_iter().for_each(|effect| self.carry_out_seat(hub, session, effect));
                if let (true, Ok((events, head))) = (wanted, result) {
                    self.apply(asker, room, &events, head);
                }
            }
        }
    }

    pub(crate) fn tick(&mut self) {
        let now = self.millis();
        let hubs = self.server.as_ref().map_or(0, |_| HUBS);
        for hub in 0..hubs {
            for session in self.sessions(hub, |seat| seat.machine.due() <= now) {
                self.seat_step(hub, session, Input::Tick);
            }
        }
    }
}
