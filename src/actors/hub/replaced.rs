//! Rooms and users that are looked after on another node from now on: all is told again, all is asked again.

use std::{collections::BTreeSet, rc::Rc};

use rookery_core::{
    ids::{RoomId, SessionId, UserId},
    session::Input,
};

use super::{Hub, Seat};
use crate::actors::{
    peers::Change,
    registry::{Registered, RegistryMessage},
};

impl Hub {
    pub(super) fn replaced(self: &Rc<Self>, change: &Change) {
        let (rooms, seats, watched) = {
            let state = self.state.borrow();
            let rooms: Vec<RoomId> = state.rooms.keys().copied().filter(|room| change.has_room(*room)).collect();
            let seats: Vec<Rc<Seat>> = state.sessions.values().cloned().collect();
            let watched: Vec<UserId> =
                state.watched_users.keys().copied().filter(|user| change.has_user(*user)).collect();
            (rooms, seats, watched)
        };
        // The room tells how far it is, so that what was lost on the way is read.
        for room in rooms {
            self.router.listen(room, self.index);
        }
        for seat in &seats {
            self.register_again(seat, change);
            let asked: BTreeSet<RoomId> = seat.machine.borrow().asked_rooms().collect();
            for room in asked.into_iter().filter(|room| change.has_room(*room)) {
                seat.step(self, Input::Moved { room });
            }
        }
        for user in watched {
            let session =
                self.state.borrow().watched_users.get(&user).and_then(|seats| Some(seats.first()?.peer.session));
            if let Some(session) = session {
                self.watch_presence(session, vec![user]);
            }
        }
    }

    fn register_again(&self, seat: &Seat, change: &Change) {
        let (user, device, session) = (seat.peer.user, seat.peer.device, seat.peer.session);
        if change.has_user(user) {
            let entry = Registered { user, device, session, hub: self.index };
            self.router.to_registry(user, RegistryMessage::Present(entry));
        }
    }

    /// This hub shows these users' presence to one of its sessions from now on.
    pub(super) fn watch_presence(&self, session: SessionId, users: Vec<UserId>) {
        let hub = self.index;
        for user in users {
            self.router.to_registry(user, RegistryMessage::Watch { hub, session, users: vec![user] });
        }
    }
}
