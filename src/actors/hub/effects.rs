//! Carrying out what a connection decides.

use std::{rc::Rc, time::Duration};

use rookery_core::{
    frame::{
        Refusal,
        server::{Nack, ServerFrame},
    },
    ids::{ClientId, MediaId, RoomId, Seq, UserId},
    room::{self, Caller},
    session::{Effect, Input},
};
use tokio::sync::oneshot;

use super::{Hub, Seat, framed, notes::remove};
use crate::actors::{
    clock,
    registry::RegistryMessage,
    room::{self as room_actor, Pulled, RoomMessage},
    router,
};
use crate::media::find;

/// How long a replay waits before it looks again whether there is room for more.
const WRITE_WAIT: Duration = Duration::from_millis(5);

impl Seat {
    pub(super) fn carry_out(self: &Rc<Self>, hub: &Rc<Hub>, effect: Effect) {
        match effect {
            Effect::Send(json) => self.outbox.control(&framed(&json), false),
            Effect::Load { client } => {
                *self.client.borrow_mut() = client;
                hub.load(self);
            }
            Effect::Listen { room, next, live } => hub.listen(self, room, next, live),
            Effect::Unlisten { room } => hub.unlisten(self, room),
            Effect::Pull { room, after, ticket } => {
                hub.prepare_pull(self, room, after, ticket);
                hub.pull(self, room, after, ticket);
            }
            // `pull` itself delivers when the machine says so.
            Effect::Deliver { .. } => {}
            Effect::Find { client_id, room, media } => hub.find(self, room, client_id, media),
            Effect::Write { room, write } => {
                let (caller, client_id, again) = (write.caller.clone(), write.client_id, write.again);
                match hub.router.to_room(room, RoomMessage::Input(room::Input::Write(write))) {
                    Ok(by) => self.machine.borrow_mut().taken(client_id, by),
                    Err(_) if again || !hub.router.is_reachable(room) => {
                        room_actor::undecided(&hub.router, &caller, client_id, None);
                    }
                    Err(refusal) => {
                        self.machine.borrow_mut().answered(client_id);
                        self.refuse(room, &caller, Some(client_id), &refusal);
                    }
                }
            }
            Effect::Mark { room, caller, read, delivered } => {
                let user = self.peer.user;
                let input = room::Input::Mark { caller: caller.clone(), user, read, delivered };
                match hub.router.to_room(room, RoomMessage::Input(input)) {
                    Ok(_) => {}
                    Err(_) if !hub.router.is_reachable(room) => room_actor::unmarked(&hub.router, room, &caller),
                    Err(refusal) => self.refuse(room, &caller, None, &refusal),
                }
            }
            Effect::Typing { room, on } => {
                let user = self.peer.user;
                // Only where it is followed: typing wakes no room, and may be lost.
                if self.place(room).is_some() {
                    let _ = hub.router.to_room(room, RoomMessage::Input(room::Input::Typing { user, on }));
                }
            }
            Effect::WatchUsers(users) => hub.watch_users(self, users),
            Effect::WatchRooms(rooms) => hub.watch_rooms(self, rooms),
            Effect::Active => {
                let (user, session) = (self.peer.user, self.peer.session);
                hub.router.to_registry(user, RegistryMessage::Active { user, session });
            }
            Effect::Ping => self.outbox.ping(),
            Effect::Close { code, reason } => self.outbox.close(code, reason),
        }
    }

    fn refuse(&self, room: RoomId, caller: &Caller, client_id: Option<ClientId>, refusal: &Refusal) {
        let id = match caller {
            Caller::Session { id, .. } => id.as_deref(),
            Caller::Request(_) => None,
        };
        self.send(&ServerFrame::Nack(Nack::of(refusal, id, Some(room), client_id)));
    }
}

impl Hub {
    fn load(self: &Rc<Self>, seat: &Rc<Seat>) {
        let (hub, seat) = (Rc::clone(self), Rc::clone(seat));
        actix_rt::spawn(async move {
            let rooms = hub.router.shared.directory.rooms_of(seat.peer.user).await;
            if let Err(error) = &rooms {
                tracing::warn!(%error, "a user's rooms could not be read");
            }
            seat.step(&hub, Input::Loaded(rooms.ok()));
        });
    }

    /// Looks for the files that a write attaches.
    fn find(self: &Rc<Self>, seat: &Rc<Seat>, room: RoomId, client_id: ClientId, media: Vec<MediaId>) {
        let (hub, seat) = (Rc::clone(self), Rc::clone(seat));
        actix_rt::spawn(async move {
            let directory = &*hub.router.shared.directory;
            let found = find(directory, (room, seat.peer.user), media, clock::now()).await;
            if let Err(error) = &found {
                tracing::warn!(%error, "the files of a message could not be looked for");
            }
            seat.step(&hub, Input::Found { client_id, found: found.ok() });
        });
    }

    /// Reads what a connection missed, and sends it if its machine still wants it.
    pub(super) fn pull(self: &Rc<Self>, seat: &Rc<Seat>, room: RoomId, after: Seq, ticket: u32) {
        let (hub, seat) = (Rc::clone(self), Rc::clone(seat));
        actix_rt::spawn(async move {
            hub.room_to_write(&seat).await;
            let answer = hub.ask_for(seat.peer.user, room, after).await;
            let head = answer.as_ref().map(|pulled| pulled.head).map_err(Clone::clone);
            // Since then the client may have lagged, asked anew, or left the room.
            let waits = hub.with_subscription(&seat, room, |subscription| subscription.waits_for(ticket));
            if waits != Some(true) || !seat.is_pulling(&hub, room, (after, ticket), head) {
                return;
            }
            if let Ok(pulled) = answer {
                hub.apply(&seat, room, &pulled, ticket);
            }
        });
    }

    /// Waits until a good part of what waits for a connection is written: what it missed is never the reason why it lags.
    async fn room_to_write(&self, seat: &Seat) {
        while seat.outbox.waiting() > self.limits().outbox_bytes / 4 && !seat.outbox.is_dead() {
            actix_rt::time::sleep(WRITE_WAIT).await;
        }
    }

    async fn ask_for(self: &Rc<Self>, user: UserId, room: RoomId, after: Seq) -> Result<Pulled, Refusal> {
        // A room that starts anew forgets the question: ask again.
        for _ in 0..10 {
            let (reply, answer) = oneshot::channel();
            self.router.to_room(room, RoomMessage::Pull { user, after, reply })?;
            if let Ok(answer) = answer.await {
                return answer;
            }
        }
        Err(router::unavailable())
    }

    pub(super) fn watch_users(self: &Hub, seat: &Rc<Seat>, users: Vec<UserId>) {
        let mut watched = seat.watched.borrow_mut();
        let before = watched.as_mut().map(|watched| std::mem::take(&mut watched.users)).unwrap_or_default();
        let mut gone = Vec::new();
        {
            let mut state = self.state.borrow_mut();
            for user in &users {
                state.watched_users.entry(*user).or_default().push(Rc::clone(seat));
            }
            for user in before {
                // Only one of two entries goes when a user is in both lists.
                if let Some(seats) = state.watched_users.get_mut(&user)
                    && let Some(index) = seats.iter().position(|other| Rc::ptr_eq(other, seat))
                    && users.contains(&user)
                {
                    seats.swap_remove(index);
                } else if remove(&mut state.watched_users, user, seat) {
                    gone.push(user);
                }
            }
        }
        let (hub, session) = (self.index, seat.peer.session);
        for user in gone {
            self.router.to_registry(user, RegistryMessage::Unwatch { hub, user });
        }
        if !users.is_empty() {
            watched.get_or_insert_default().users.clone_from(&users);
            self.watch_presence(session, users);
        }
    }
}

impl Seat {
    /// Tells the machine what was read; `true` when it wants that sent.
    fn is_pulling(
        self: &Rc<Self>,
        hub: &Rc<Hub>,
        room: RoomId,
        (after, ticket): (Seq, u32),
        answer: Result<Seq, Refusal>,
    ) -> bool {
        let mut effects = Vec::new();
        let input = Input::Pulled { room, ticket, after, answer };
        let mut machine = self.machine.borrow_mut();
        machine.step(input, &hub.limits(), crate::actors::clock::now(), &mut effects);
        self.due.set(machine.due());
        drop(machine);
        let deliver = effects.contains(&Effect::Deliver { room });
        for effect in effects {
            self.carry_out(hub, effect);
        }
        deliver
    }
}
