//! The connections of one worker thread, as the server's hubs hold them: who follows which room, and what goes out.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use bytes::Bytes;
use rookery_core::{
    event::{Content, MemberChange},
    frame::{
        Refusal, codec,
        server::{RoomNotice, RoomView, ServerFrame},
    },
    ids::{ClientId, RoomId, Seq, SessionId, UserId},
    limits::Limits,
    room::Logged,
    session::{Input, Offer, Progress, Session, Subscription},
};

use crate::{
    history::Record,
    rooms::Acked,
    world::{Inside, Lane, World},
};

#[derive(Default)]
pub(crate) struct Hub {
    pub(crate) seats: BTreeMap<SessionId, Seat>,
    /// The rooms that somebody here follows, each with the last event that came here or is known to be there.
    pub(crate) rooms: BTreeMap<RoomId, Seq>,
}

/// One connection.
pub(crate) struct Seat {
    pub(crate) connection: u32,
    pub(crate) user: UserId,
    pub(crate) machine: Session,
    pub(crate) follows: BTreeMap<RoomId, Subscription>,
    /// What waits to be written; with its room, if it is an event.
    pub(crate) outbox: Vec<(Option<RoomId>, String)>,
}

/// Events of one room, consecutive.
#[derive(Clone)]
pub(crate) struct Batch {
    room: RoomId,
    events: Arc<Vec<(Seq, Bytes)>>,
    acks: Vec<Acked>,
    removed: Arc<Vec<(Seq, UserId)>>,
}

/// One thing for a hub.
pub(crate) enum Item {
    Batch(Batch),
    Answer { session: SessionId, client_id: Option<ClientId>, text: Bytes },
    Refusal { session: SessionId, client_id: ClientId, text: Bytes },
    Head { room: RoomId, head: Seq },
    Marks { room: RoomId, only: Option<UserId>, text: Bytes },
    Appeared { user: UserId, view: RoomView },
    Vanished { user: UserId, room: RoomId },
    Restarted(RoomId),
    Undecided { session: SessionId, client_id: ClientId },
}

/// Who wants to read a part of a log.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asker {
    Seat { hub: usize, session: SessionId, ticket: u32 },
    Client { client: usize, connection: u32 },
}

pub(crate) struct PullAnswer {
    pub(crate) room: RoomId,
    pub(crate) after: Seq,
    pub(crate) asker: Asker,
    pub(crate) result: Result<(Vec<(Seq, Bytes)>, Seq), Refusal>,
}

impl Seat {
    pub(crate) fn new(connection: u32, user: UserId, machine: Session) -> Self {
        Self { connection, user, machine, follows: BTreeMap::new(), outbox: Vec::new() }
    }
}

impl World {
    pub(crate) fn tell_hub(&mut self, hub: usize, item: Item) {
        if let Item::Batch(batch) = &item
            && self.chance.hits(self.faults.batch_lost)
        {
            // Too much waited: events are dropped but for the head that they lead to, acks never.
            let (room, acks) = (batch.room, batch.acks.clone());
            let head = batch.events.last().unwrap().0;
            self.send_acks(room, acks);
            return self.inside_follow(Lane::ToHub(hub), 3, Inside::ForHub(hub, Item::Head { room, head }));
        }
        self.inside_follow(Lane::ToHub(hub), 3, Inside::ForHub(hub, item));
    }

    pub(crate) fn tell_hubs(&mut self, item: impl Fn() -> Item) {
        (0..crate::server::HUBS).for_each(|hub| self.tell_hub(hub, item()));
    }

    pub(crate) fn restarted(&mut self, room: RoomId) {
        self.history.records.push(Record::Restarted { room: room.to_string() });
        self.tell_hubs(|| Item::Restarted(room));
    }

    pub(crate) fn send_acks(&mut self, _room: RoomId, acks: Vec<Acked>) {
        for Acked { hub, session, client_id, text, .. } in acks {
            self.tell_hub(hub, Item::Answer { session, client_id: Some(client_id), text });
        }
    }

    pub(crate) fn fan_out(&mut self, room: RoomId, events: &[Logged], acks: &mut Vec<Acked>) {
        let removed = events.iter().filter_map(|logged| match logged.event.content {
            Content::Member {
                user, change: MemberChange::Left | MemberChange::Removed | MemberChange::Banned, ..
            } => Some((logged.event.seq, user)),
            _ => None,
        });
        let removed = Arc::new(removed.collect());
        let events = Arc::new(events.iter().map(|logged| (logged.event.seq, logged.text.clone())).collect());
        let listening = self.listeners(room);
        for hub in 0..crate::server::HUBS {
            let own: Vec<Acked> = acks.extract_if(.., |ack| ack.hub == hub).collect();
            if listening.contains(&hub) || !own.is_empty() {
                let (events, removed) = (Arc::clone(&events), Arc::clone(&removed));
                self.tell_hub(hub, Item::Batch(Batch { room, events, acks: own, removed }));
            }
        }
    }

    pub(crate) fn inside_hub(&mut self, inside: Inside) {
        match inside {
            Inside::ForHub(hub, item) => self.handle(hub, item),
            Inside::Load(hub, session, user) => {
                let fails = self.chance.hits(self.faults.read_fails);
                let rooms = (!fails).then(|| self.store.rooms_of(user));
                self.inside_later(0, self.faults.store_millis, Inside::Loaded(hub, session, rooms));
            }
            Inside::Found(hub, session, client_id, found) => {
                self.seat_step(hub, session, Input::Found { client_id, found });
            }
            Inside::Loaded(hub, session, rooms) => self.seat_step(hub, session, Input::Loaded(rooms)),
            Inside::Appeared(room, user) => {
                if let Some(view) = self.store.rooms[&room].view(room, user) {
                    let (most, hubs) = (self.faults.store_millis, 0..crate::server::HUBS);
                    for hub in hubs {
                        let item = Item::Appeared { user, view: view.clone() };
                        self.inside_later(0, most, Inside::ForHub(hub, item));
                    }
                }
            }
            Inside::TellHead(room, hub) => {
                let head = self.store.rooms[&room].head();
                self.tell_hub(hub, Item::Head { room, head });
            }
            Inside::Pulled(answer) => self.pulled(answer),
            Inside::Pong(hub, session) => self.seat_step(hub, session, Input::Pong),
            Inside::Flush(hub, session) => self.flush(hub, session),
            _ => unreachable!("handled where rooms are"),
        }
    }

    fn handle(&mut self, hub: usize, item: Item) {
        match item {
            Item::Batch(batch) => self.deliver(hub, &batch),
            Item::Answer { session, client_id, text } => {
                if let Some(seat) = self.seat(hub, session) {
                    if let Some(client_id) = client_id {
                        seat.machine.answered(client_id);
                    }
                    self.push(hub, session, None, &text);
                }
            }
            Item::Refusal { session, client_id, text } => {
                if self.seat(hub, session).is_some_and(|seat| seat.machine.refused(client_id, 0)) {
                    self.push(hub, session, None, &text);
                }
            }
            Item::Head { room, head } => self.head_is(hub, room, head),
            Item::Marks { room, only, text } => {
                let live = |seat: &Seat| seat.follows.get(&room).is_some_and(Subscription::is_live);
                let wants = |seat: &Seat| only.map_or_else(|| live(seat), |user| seat.user == user);
                for session in self.sessions(hub, wants) {
                    self.push(hub, session, None, &text);
                }
            }
            Item::Appeared { user, view } => {
                for session in self.sessions(hub, |seat| seat.user == user) {
                    let follows = self.seat(hub, session).is_some_and(|seat| seat.follows.contains_key(&view.room));
                    self.seat_step(hub, session, Input::Appeared { view: view.clone(), follows });
                }
            }
            Item::Vanished { user, room } => {
                for session in self.sessions(hub, |seat| seat.user == user) {
                    self.seat_step(hub, session, Input::Vanished { room });
                    if self.seat(hub, session).is_some_and(|seat| seat.machine.is_live()) {
                        let frame = ServerFrame::Room(RoomNotice::Gone { room, gone: true });
                        self.push(hub, session, None, &codec::encode(&frame));
                    }
                }
            }
            Item::Undecided { session, client_id } => {
                self.seat_step(hub, session, Input::Undecided { client_id, by: Some(0) })
            }
            Item::Restarted(room) => {
                for session in self.sessions(hub, |_| true) {
                    self.seat_step(hub, session, Input::Restarted { room, by: 0 });
                }
            }
        }
    }

    pub(crate) fn seat(&mut self, hub: usize, session: SessionId) -> Option<&mut Seat> {
        self.server.as_mut()?.hubs[hub].seats.get_mut(&session)
    }

    pub(crate) fn sessions(&mut self, hub: usize, which: impl Fn(&Seat) -> bool) -> Vec<SessionId> {
        let seats = &self.server().hubs[hub].seats;
        seats.iter().filter(|(_, seat)| which(seat)).map(|(session, _)| *session).collect()
    }

    pub(crate) fn seat_step(&mut self, hub: usize, session: SessionId, input: Input) {
        let (now, mut out) = (self.millis(), Vec::new());
        if let Some(seat) = self.seat(hub, session) {
            seat.machine.step(input, &Limits::default(), now, &mut out);
        }
        out.into_iter().for_each(|effect| self.carry_out_seat(hub, session, effect));
    }

    fn deliver(&mut self, hub: usize, batch: &Batch) {
        let (mut first, last) = (batch.events[0].0, batch.events.last().unwrap().0);
        // Who is taken out gets the event that says so, and none after it.
        for (seq, user) in batch.removed.iter() {
            self.deliver_part(hub, batch, first, *seq);
            for session in self.sessions(hub, |seat| seat.user == *user) {
                self.seat_step(hub, session, Input::Vanished { room: batch.room });
            }
            first = seq + 1;
        }
        if first <= last {
            self.deliver_part(hub, batch, first, last);
        }
    }

    fn deliver_part(&mut self, hub: usize, batch: &Batch, first: Seq, last: Seq) {
        let room = batch.room;
        if let Some(known) = self.server().hubs[hub].rooms.get_mut(&room) {
            *known = last.max(*known);
        }
        let part: Vec<_> = batch.events.iter().filter(|(seq, _)| (first..=last).contains(seq)).collect();
        for session in self.sessions(hub, |_| true) {
            let Some(seat) = self.seat(hub, session) else { continue };
            let offer = seat.follows.get_mut(&room).map_or(Offer::Skip, |follows| follows.offer(first, last));
            let mut from = match offer {
                Offer::Deliver => first,
                Offer::DeliverFrom(from) => from,
                Offer::Skip | Offer::Hole { .. } => last + 1,
            };
            for (seq, text) in &part {
                for ack in batch.acks.iter().filter(|ack| ack.session == session && ack.seq == *seq) {
                    self.seat(hub, session).unwrap().machine.answered(ack.client_id);
                    self.push(hub, session, None, &ack.text);
                }
                if *seq >= from && !self.push(hub, session, Some(room), text) {
                    from = last + 1;
                }
            }
            if let Offer::Hole { after } = offer {
                self.seat_step(hub, session, Input::Hole { room, after });
            }
        }
    }

    /// Puts a frame into the outbox. `false`: the reader is too slow, and its events were dropped.
    pub(crate) fn push(&mut self, hub: usize, session: SessionId, event_of: Option<RoomId>, text: &Bytes) -> bool {
        let lags = event_of.is_some() && self.chance.hits(self.faults.reader_lags);
        let text = String::from_utf8(text.to_vec()).unwrap();
        let Some(seat) = self.seat(hub, session) else { return false };
        if seat.outbox.is_empty() {
            self.inside_later(0, 10, Inside::Flush(hub, session));
        }
        let seat = self.seat(hub, session).unwrap();
        seat.outbox.push((event_of, text));
        if lags {
            let mut dropped: Vec<RoomId> = seat.outbox.iter().filter_map(|(room, _)| *room).collect();
            dropped.sort();
            dropped.dedup();
            seat.outbox.retain(|(room, _)| room.is_none());
            self.lag(hub, session, &dropped);
        }
        !lags
    }

    fn lag(&mut self, hub: usize, session: SessionId, rooms: &[RoomId]) {
        let last = |room| self.server.as_ref().and_then(|server| server.hubs[hub].rooms.get(room)).copied();
        let heads = rooms.iter().map(|room| (*room, last(room).unwrap_or(0))).collect();
        let seat = self.seat(hub, session).unwrap();
        for room in rooms {
            if let Some(follows) = seat.follows.get_mut(room) {
                follows.stop();
            }
        }
        self.push(hub, session, None, &codec::encode(&ServerFrame::Lagged { rooms: heads }));
    }

    pub(crate) fn listen(&mut self, hub: usize, session: SessionId, room: RoomId, next: Seq, live: bool) {
        if let Entry::Vacant(unknown) = self.server().hubs[hub].rooms.entry(room) {
            unknown.insert(0);
            self.inside_later(0, self.faults.store_millis, Inside::TellHead(room, hub));
        }
        let mut follows = Subscription::new(next, live);
        let missing = follows.head_is(self.server().hubs[hub].rooms[&room]);
        if let Some(seat) = self.seat(hub, session) {
            seat.follows.insert(room, follows);
        }
        if let Some(after) = missing {
            self.seat_step(hub, session, Input::Hole { room, after });
        }
    }

    pub(crate) fn unlisten(&mut self, hub: usize, session: SessionId, room: RoomId) {
        if let Some(seat) = self.seat(hub, session) {
            seat.follows.remove(&room);
        }
        self.forget_if_unfollowed(hub, room);
    }

    pub(crate) fn forget_if_unfollowed(&mut self, hub: usize, room: RoomId) {
        if self.sessions(hub, |seat| seat.follows.contains_key(&room)).is_empty() {
            self.server().hubs[hub].rooms.remove(&room);
        }
    }

    fn head_is(&mut self, hub: usize, room: RoomId, head: Seq) {
        let Some(known) = self.server().hubs[hub].rooms.get_mut(&room) else { return };
        *known = head.max(*known);
        for session in self.sessions(hub, |seat| seat.follows.contains_key(&room)) {
            let follows = self.seat(hub, session).and_then(|seat| seat.follows.get_mut(&room));
            if let Some(after) = follows.and_then(|follows| follows.head_is(head)) {
                self.seat_step(hub, session, Input::Hole { room, after });
            }
        }
    }

    pub(crate) fn restart_at(&mut self, hub: usize, session: SessionId, room: RoomId, after: Seq, ticket: u32) {
        if self.seat(hub, session).is_some_and(|seat| !seat.follows.contains_key(&room)) {
            self.listen(hub, session, room, after + 1, false);
        }
        if let Some(follows) = self.seat(hub, session).and_then(|seat| seat.follows.get_mut(&room)) {
            follows.restart(after, ticket);
        }
    }

    /// Sends what was read, and finds out whether that was all.
    pub(crate) fn apply(&mut self, asker: Asker, room: RoomId, events: &[(Seq, Bytes)], head: Seq) {
        let Asker::Seat { hub, session, .. } = asker else { return };
        for (_, text) in events {
            if !self.push(hub, session, Some(room), text) {
                return;
            }
        }
        let last = events.last().map_or(head, |(seq, _)| *seq);
        let seen = self.server().hubs[hub].rooms.get(&room).copied().unwrap_or(0).max(head);
        let Some(follows) = self.seat(hub, session).and_then(|seat| seat.follows.get_mut(&room)) else { return };
        match follows.pulled(last, seen) {
            Progress::Live => {
                let seq = follows.next() - 1;
                self.seat_step(hub, session, Input::CaughtUp { room, seq });
            }
            Progress::Again { after } => {
                let user = self.seat(hub, session).unwrap().user;
                self.post(room, crate::server::Mail::Pull { user, after, asker });
            }
        }
    }
}
