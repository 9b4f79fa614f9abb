//! The hot path: the same bytes to every follower of a room, acks in their place between the events.

use std::{collections::BTreeMap, ops::Range, rc::Rc, sync::LazyLock};

use rookery_core::{
    frame::server::ServerFrame,
    ids::{RoomId, Seq, UserId},
    session::{Input, Offer},
};

use super::{
    Hub, HubRoom, Member, Seat,
    inbox::{Ack, Batch, Frames},
};
use crate::actors::ports::Pushed;

/// Looked up once: this is counted for every event.
static DELIVERIES: LazyLock<metrics::Counter> = LazyLock::new(|| metrics::counter!("rookery_deliveries_total"));

/// What has to be done once no room is borrowed any more.
enum After {
    Hole { seat: Rc<Seat>, after: Seq },
    Lagged { seat: Rc<Seat>, rooms: Vec<RoomId> },
}

impl Hub {
    pub(super) fn deliver(self: &Rc<Self>, batch: &Batch) {
        // Who is taken out of the room gets the event that says so, and none after it.
        let mut first = batch.frames.first;
        for (seq, user) in batch.removed.iter() {
            self.deliver_part(batch, first, *seq);
            self.remove(batch.room, *user);
            first = seq + 1;
        }
        if first <= batch.frames.last {
            self.deliver_part(batch, first, batch.frames.last);
        }
    }

    fn deliver_part(self: &Rc<Self>, batch: &Batch, first: Seq, last: Seq) {
        self.answer_authors(batch, first, last);
        self.deliver_to(batch, (first, last), 0..usize::MAX);
    }

    /// Who wrote some of the events gets them first, each behind its ack.
    pub(super) fn answer_authors(self: &Rc<Self>, batch: &Batch, first: Seq, last: Seq) {
        let mut after = Vec::new();
        {
            let mut state = self.state.borrow_mut();
            let state = &mut *state;
            let mut room = state.rooms.get_mut(&batch.room);
            for acks in batch.acks.chunk_by(|one, other| one.session == other.session) {
                let acks = acks.iter().filter(|ack| (first..=last).contains(&ack.seq));
                if let Some(seat) = acks.clone().next().and_then(|ack| state.sessions.get(&ack.session)) {
                    personal(seat, batch.room, room.as_deref_mut(), &batch.frames, (first, last), acks, &mut after);
                }
            }
        }
        self.see_to(batch.room, after);
    }

    /// Gives the events to some of the room's followers, by their places; `false` when there is none at these places.
    pub(super) fn deliver_to(self: &Rc<Self>, batch: &Batch, events: (Seq, Seq), places: Range<usize>) -> bool {
        let mut after = Vec::new();
        let any = {
            let mut state = self.state.borrow_mut();
            let Some(room) = state.rooms.get_mut(&batch.room) else { return false };
            room.last = room.last.max(events.1);
            let places = places.start.min(room.members.len())..places.end.min(room.members.len());
            let members = &mut room.members[places];
            shared(batch.room, members, &batch.frames, events, &mut after);
            !members.is_empty()
        };
        self.see_to(batch.room, after);
        any
    }

    fn see_to(self: &Rc<Self>, room: RoomId, after: Vec<After>) {
        for next in after {
            match next {
                After::Hole { seat, after } => {
                    metrics::counter!("rookery_hub_holes_total").increment(1);
                    seat.step(self, Input::Hole { room, after });
                }
                After::Lagged { seat, rooms } => self.lag(&seat, &rooms),
            }
        }
    }

    fn remove(self: &Rc<Self>, room: RoomId, user: UserId) {
        let seats = self.state.borrow().users.get(&user).cloned().unwrap_or_default();
        for seat in seats {
            seat.step(self, Input::Vanished { room });
        }
    }

    /// A connection read too slowly: these rooms are not live for it any more, and it is told how far they are.
    pub(super) fn lag(&self, seat: &Rc<Seat>, rooms: &[RoomId]) {
        let mut heads = BTreeMap::new();
        for room in rooms {
            self.with_subscription(seat, *room, rookery_core::session::Subscription::stop);
            let last = self.state.borrow().rooms.get(room).map_or(0, |room| room.last);
            heads.insert(*room, last);
        }
        metrics::counter!("rookery_sessions_lagged_total").increment(1);
        seat.send(&ServerFrame::Lagged { rooms: heads });
    }
}

/// Everybody who has just what came before: one pass, the same bytes.
fn shared(id: RoomId, members: &mut [Member], frames: &Frames, (first, last): (Seq, Seq), after: &mut Vec<After>) {
    let all = frames.between(first, last);
    let mut delivered = 0;
    for member in members {
        let rest;
        let (bytes, count) = match member.subscription.offer(first, last) {
            Offer::Deliver => (&all, last - first + 1),
            Offer::DeliverFrom(from) => {
                rest = frames.between(from, last);
                (&rest, last - from + 1)
            }
            Offer::Skip => continue,
            Offer::Hole { after: seq } => {
                after.push(After::Hole { seat: Rc::clone(&member.seat), after: seq });
                continue;
            }
        };
        delivered += count;
        let rooms = lagged(member.outbox.event(id, bytes, false));
        if !rooms.is_empty() {
            after.push(After::Lagged { seat: Rc::clone(&member.seat), rooms });
        }
    }
    DELIVERIES.increment(delivered);
}

/// Who wrote some of these events gets each ack right before its event.
fn personal<'a>(
    seat: &Rc<Seat>,
    id: RoomId,
    room: Option<&mut HubRoom>,
    frames: &Frames,
    (first, last): (Seq, Seq),
    acks: impl Iterator<Item = &'a Ack>,
    after: &mut Vec<After>,
) {
    let place = seat.place(id);
    let member = room.zip(place).and_then(|(room, place)| room.members.get_mut(place));
    let offer = member.map_or(Offer::Skip, |member| member.subscription.offer(first, last));
    let mut next = match offer {
        Offer::Deliver => first,
        Offer::DeliverFrom(from) => from,
        Offer::Skip => last + 1,
        Offer::Hole { after: seq } => {
            after.push(After::Hole { seat: Rc::clone(seat), after: seq });
            last + 1
        }
    };
    DELIVERIES.increment((last + 1).saturating_sub(next));
    let mut dropped = Vec::new();
    for ack in acks {
        seat.machine.borrow_mut().answered(ack.client_id);
        if next < ack.seq && next <= last {
            dropped.extend(lagged(seat.outbox.event(id, &frames.between(next, ack.seq - 1), true)));
            next = ack.seq;
        }
        seat.outbox.control(&ack.frame, true);
    }
    if next <= last {
        dropped.extend(lagged(seat.outbox.event(id, &frames.between(next, last), true)));
    }
    seat.outbox.flush();
    if !dropped.is_empty() {
        after.push(After::Lagged { seat: Rc::clone(seat), rooms: dropped });
    }
}

pub(super) fn lagged(pushed: Pushed) -> Vec<RoomId> {
    match pushed {
        Pushed::Taken => Vec::new(),
        Pushed::Lagged(rooms) => rooms,
    }
}
