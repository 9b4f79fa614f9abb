//! Who follows which room, and what was missed.

use std::rc::Rc;

use bytes::BytesMut;
use rookery_core::{
    frame::websocket,
    ids::{RoomId, Seq},
    session::{Input, Progress, Subscription},
};

use super::{Hub, HubRoom, Member, Seat};
use crate::actors::room::Pulled;

impl Hub {
    /// From `next` on a room's events go to a connection.
    pub(super) fn listen(self: &Rc<Self>, seat: &Rc<Seat>, room: RoomId, next: Seq, live: bool) {
        let mut subscription = Subscription::new(next, live);
        let missing = {
            let mut state = self.state.borrow_mut();
            let entry = state.rooms.entry(room).or_insert_with(|| self.begin(room));
            let missing = subscription.head_is(entry.last);
            match seat.place(room) {
                Some(place) => {
                    if let Some(member) = entry.members.get_mut(place) {
                        member.subscription = subscription;
                    }
                }
                None => {
                    let place = u32::try_from(entry.members.len()).unwrap_or(u32::MAX);
                    let outbox = Rc::clone(&seat.outbox);
                    entry.members.push(Member { outbox, subscription, seat: Rc::clone(seat) });
                    let mut rooms = seat.rooms.borrow_mut();
                    rooms.reserve_exact(1);
                    rooms.push((room, place));
                }
            }
            missing
        };
        if let Some(after) = missing {
            seat.step(self, Input::Hole { room, after });
        }
    }

    /// The first follower of a room here: from now on the room is heard, and how far it is is asked.
    fn begin(&self, room: RoomId) -> HubRoom {
        self.router.listen(room, self.index);
        HubRoom::default()
    }

    /// A room's events go to a connection no more.
    pub(super) fn unlisten(&self, seat: &Rc<Seat>, room: RoomId) {
        let Some(place) = seat.place(room) else { return };
        seat.rooms.borrow_mut().retain(|(other, _)| *other != room);
        let mut state = self.state.borrow_mut();
        let Some(entry) = state.rooms.get_mut(&room) else { return };
        if place >= entry.members.len() {
            return;
        }
        entry.members.swap_remove(place);
        if let Some(moved) = entry.members.get(place) {
            let mut rooms = moved.seat.rooms.borrow_mut();
            if let Some((_, at)) = rooms.iter_mut().find(|(other, _)| *other == room) {
                *at = u32::try_from(place).unwrap_or(u32::MAX);
            }
        }
        if entry.members.is_empty() {
            state.rooms.remove(&room);
            self.router.unlisten(room, self.index);
        }
    }

    /// It became known how far a room is: whoever lacks something reads it.
    pub(super) fn head_is(self: &Rc<Self>, room: RoomId, head: Seq) {
        let mut missing = Vec::new();
        {
            let mut state = self.state.borrow_mut();
            let Some(entry) = state.rooms.get_mut(&room) else { return };
            entry.last = entry.last.max(head);
            for member in &mut entry.members {
                if let Some(after) = member.subscription.head_is(head) {
                    missing.push((Rc::clone(&member.seat), after));
                }
            }
        }
        metrics::counter!("rookery_hub_holes_total").increment(missing.len() as u64);
        for (seat, after) in missing {
            seat.step(self, Input::Hole { room, after });
        }
    }

    /// A connection asks for a room's events after one: nothing live goes to it before these.
    pub(super) fn prepare_pull(self: &Rc<Self>, seat: &Rc<Seat>, room: RoomId, after: Seq, ticket: u32) {
        if seat.place(room).is_none() {
            self.listen(seat, room, after + 1, false);
        }
        self.with_subscription(seat, room, |subscription| subscription.restart(after, ticket));
    }

    /// Sends what was read, and finds out whether that was all.
    pub(super) fn apply(self: &Rc<Self>, seat: &Rc<Seat>, room: RoomId, pulled: &Pulled, ticket: u32) {
        let (mut frames, mut sent) = (BytesMut::new(), pulled.head);
        let most = self.limits().outbox_bytes / 2;
        for (seq, text) in &pulled.events {
            // A part of it at a time, so that what was missed waits in no greater heap than what is live.
            if !frames.is_empty() && frames.len() + text.len() > most {
                break;
            }
            websocket::append(&mut frames, websocket::TEXT, text);
            sent = *seq;
        }
        let lagged = match frames.is_empty() {
            true => Vec::new(),
            false => super::deliver::lagged(seat.outbox.event(room, &frames.freeze(), false)),
        };
        if !lagged.is_empty() {
            return self.lag(seat, &lagged);
        }
        let seen = self.state.borrow().rooms.get(&room).map_or(0, |room| room.last).max(pulled.head);
        let progress =
            self.with_subscription(seat, room, |subscription| (subscription.pulled(sent, seen), subscription.next()));
        match progress {
            Some((Progress::Live, next)) => seat.step(self, Input::CaughtUp { room, seq: next - 1 }),
            Some((Progress::Again { after }, _)) => self.pull(seat, room, after, ticket),
            None => {}
        }
    }

    pub(super) fn with_subscription<T>(
        &self,
        seat: &Rc<Seat>,
        room: RoomId,
        change: impl FnOnce(&mut Subscription) -> T,
    ) -> Option<T> {
        let place = seat.place(room)?;
        let mut state = self.state.borrow_mut();
        let member = state.rooms.get_mut(&room)?.members.get_mut(place)?;
        Some(change(&mut member.subscription))
    }
}
