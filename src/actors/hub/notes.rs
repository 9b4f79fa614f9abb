//! What belongs to no room's log: marks, typing, presence, rooms that appear and go, draining.

use std::{rc::Rc, time::Duration};

use bytes::Bytes;
use rookery_core::{
    frame::server::{RoomNotice, ServerFrame},
    ids::{ClientId, RoomId, SessionId, UserId},
    room::Caller,
    session::{Input, close},
};
use tokio::sync::oneshot;

use super::{Hub, Seat, inbox::Note};
use crate::actors::{peers::Slot, ports::Connected, room::undecided};

/// Milliseconds over which the clients of a node that goes are told to come back, so that they do not come at once.
const SPREAD_MS: u64 = 3_000;
/// The earliest that they are told to come back, in milliseconds.
const EARLIEST_MS: u64 = 500;
/// How long a node that goes waits for its last frames to be written.
const LAST_WRITES: Duration = Duration::from_secs(3);

impl Hub {
    pub(super) fn pass(&self, room: RoomId, frame: &Bytes) {
        let state = self.state.borrow();
        let Some(room) = state.rooms.get(&room) else { return };
        for member in room.members.iter().filter(|member| member.subscription.is_live()) {
            member.seat.outbox.control(frame, false);
        }
    }

    pub(super) fn typing(&self, room: RoomId, user: UserId, frame: &Bytes) {
        let state = self.state.borrow();
        for seat in state.watched_rooms.get(&room).into_iter().flatten() {
            if seat.peer.user != user && seat.place(room).is_some() {
                seat.outbox.control(frame, false);
            }
        }
    }

    pub(super) fn presence(&self, user: UserId, only: Option<SessionId>, frame: &Bytes) {
        let state = self.state.borrow();
        for seat in state.watched_users.get(&user).into_iter().flatten() {
            if only.is_none_or(|only| seat.peer.session == only) {
                seat.outbox.control(frame, false);
            }
        }
    }

    pub(super) fn note(self: &Rc<Self>, user: UserId, note: &Note) {
        let seats = self.state.borrow().users.get(&user).cloned().unwrap_or_default();
        for seat in &seats {
            let is_live = seat.machine.borrow().is_live();
            match note {
                Note::Appeared(view) => {
                    let follows = seat.place(view.room).is_some();
                    seat.step(self, Input::Appeared { view: view.clone(), follows });
                }
                // Who is not welcomed yet must know too: what it reads just now may be wrong.
                Note::Vanished(room) if !is_live => seat.step(self, Input::Vanished { room: *room }),
                Note::Vanished(room) => {
                    seat.step(self, Input::Vanished { room: *room });
                    seat.send(&ServerFrame::Room(RoomNotice::Gone { room: *room, gone: true }));
                }
                Note::Frame(frame) if is_live => seat.outbox.control(frame, false),
                Note::Frame(_) => {}
            }
        }
    }

    /// Tells a client that its write is refused, or asks again where that is not certain yet.
    pub(super) fn refusal(&self, session: SessionId, client_id: ClientId, by: Slot, frame: &Bytes) {
        let Some(seat) = self.seat(session) else { return };
        if seat.machine.borrow_mut().refused(client_id, by) {
            seat.outbox.control(frame, false);
        } else {
            let caller = Caller::Session { hub: self.index, session, id: None };
            undecided(&self.router, &caller, client_id, None);
        }
    }

    pub(super) fn restarted(self: &Rc<Self>, room: RoomId, by: Slot) {
        let seats: Vec<Rc<Seat>> = self.state.borrow().sessions.values().cloned().collect();
        for seat in seats {
            seat.step(self, Input::Restarted { room, by });
        }
    }

    pub(super) fn list(&self, user: Option<UserId>) -> Vec<Connected> {
        let (state, node) = (self.state.borrow(), &self.router.shared.node);
        match user {
            Some(user) => state.users.get(&user).into_iter().flatten().map(|seat| seat.describe(node)).collect(),
            None => state.sessions.values().map(|seat| seat.describe(node)).collect(),
        }
    }

    /// The node goes: everybody is told when to come back, and closed once that is written.
    pub(super) fn drain(self: &Rc<Self>, reason: &'static str, done: oneshot::Sender<()>) {
        self.draining.set(true);
        let seats: Vec<Rc<Seat>> = self.state.borrow().sessions.values().cloned().collect();
        let count = u64::try_from(seats.len().max(1)).unwrap_or(u64::MAX);
        for (index, seat) in (0_u64..).zip(&seats) {
            let after_ms = EARLIEST_MS + index * SPREAD_MS / count;
            seat.send(&ServerFrame::Reconnect { after_ms, reason });
            seat.step(self, Input::Close { code: close::RESTART, reason });
        }
        actix_rt::spawn(async move {
            let written = async {
                while !seats.iter().all(|seat| seat.outbox.is_empty() || seat.outbox.is_dead()) {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            let _ = tokio::time::timeout(LAST_WRITES, written).await;
            let _ = done.send(());
        });
    }

    pub(super) fn watch_rooms(&self, seat: &Rc<Seat>, rooms: Vec<RoomId>) {
        let mut watched = seat.watched.borrow_mut();
        let before = watched.as_mut().map(|watched| std::mem::take(&mut watched.rooms)).unwrap_or_default();
        let mut state = self.state.borrow_mut();
        for room in before {
            remove(&mut state.watched_rooms, room, seat);
        }
        for room in &rooms {
            state.watched_rooms.entry(*room).or_default().push(Rc::clone(seat));
        }
        if !rooms.is_empty() {
            watched.get_or_insert_default().rooms = rooms;
        }
    }
}

/// Takes a connection out of a list; `true` when the list is empty now.
pub(super) fn remove<K: std::hash::Hash + Eq>(
    lists: &mut std::collections::HashMap<K, Vec<Rc<Seat>>>,
    key: K,
    seat: &Rc<Seat>,
) -> bool {
    let Some(seats) = lists.get_mut(&key) else { return false };
    seats.retain(|other| !Rc::ptr_eq(other, seat));
    let empty = seats.is_empty();
    if empty {
        lists.remove(&key);
    }
    empty
}
