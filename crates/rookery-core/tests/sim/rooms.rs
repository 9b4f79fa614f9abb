//! What a room asks for, carried out in virtual time; and the store's work for rooms.

use std::sync::Arc;

use rookery_core::{
    event::Event,
    frame::{
        Code, Refusal, codec,
        server::{Nack, ServerFrame},
    },
    ids::{ClientId, RoomId, Seq, UserId},
    limits::REPLAY_PER_ROOM,
    room::{self, Caller, Input, Room},
    shard::{self, Stamp},
};

use crate::{
    history::Record,
    hub::{Asker, Item, PullAnswer},
    server::{Mail, Shell},
    store::Fate,
    world::{Happening, Inside, Lane, World},
};

/// An ack on its way to a session.
#[derive(Clone)]
pub(crate) struct Acked {
    pub(crate) hub: usize,
    pub(crate) session: rookery_core::ids::SessionId,
    pub(crate) client_id: ClientId,
    pub(crate) seq: Seq,
    pub(crate) text: bytes::Bytes,
}

impl World {
    pub(crate) fn room_step(&mut self, room: RoomId, stamp: Stamp, input: Input) {
        let (now, mut out) = (self.millis(), Vec::new());
        let shell = self.server().rooms.get_mut(&room).unwrap();
        shell.machine.as_mut().unwrap().step(input, now, &mut out);
        let panics = self.chance.hits(self.faults.room_panics);
        let done = if panics { self.chance.below(out.len() + 1) } else { out.len() };
        let mut acks = Vec::new();
        for effect in out.drain(..done) {
            self.carry_out(room, stamp, effect, &mut acks);
        }
        if panics {
            self.server().rooms.remove(&room);
            self.shard_step(room.shard(), shard::Input::Panicked { room, on: self.now.unsigned_abs() });
            self.owe(room);
        } else {
            self.send_acks(room, acks);
            self.note_told(room);
        }
    }

    fn note_told(&mut self, room: RoomId) {
        let machine = self.server().rooms.get(&room).and_then(|shell| shell.machine.as_ref());
        if let Some(head) = machine.map(Room::head) {
            self.server().told.insert(room, head);
        }
    }

    pub(crate) fn carry_out(&mut self, room: RoomId, stamp: Stamp, effect: room::Effect, acks: &mut Vec<Acked>) {
        let most = self.faults.store_millis;
        match effect {
            room::Effect::Append(event) => self.append(room, stamp, event),
            room::Effect::Look { ticket, sender, client_id, target } => {
                self.inside_later(0, most, Inside::Look { room, stamp, ticket, sender, client_id, target });
            }
            room::Effect::Ack { caller, client_id, seq, at, repeat } => match caller {
                Caller::Session { hub, session, id } => {
                    let frame = ServerFrame::Ack { id: id.as_deref(), client_id, room, seq, at, repeat };
                    acks.push(Acked { hub: hub.into(), session, client_id, seq, text: codec::encode(&frame) });
                }
                Caller::Request(number) => self.answer_request(number, client_id, Ok(seq)),
            },
            room::Effect::Unchanged { .. } => {}
            room::Effect::Nack { caller, client_id, refusal, .. } => self.refuse(room, caller, client_id, &refusal),
            room::Effect::Undecided { caller, client_id } => self.undecided(&caller, client_id),
            room::Effect::FanOut(events) => self.fan_out(room, &events, acks),
            room::Effect::Appeared { user } => self.inside_later(0, most, Inside::Appeared(room, user)),
            room::Effect::Vanished { user } => self.tell_hubs(|| Item::Vanished { user, room }),
            room::Effect::StoreMarks { caller, user, read, delivered } => {
                let caller = Some(caller);
                self.inside_later(0, most, Inside::Mark { room, stamp, caller, user, read, delivered });
            }
            room::Effect::OwnRead { user, seq } => {
                let mark = Inside::Mark { room, stamp, caller: None, user, read: seq, delivered: seq };
                self.inside_later(0, 500, mark);
            }
            room::Effect::MarksStand { .. } | room::Effect::ShowTyping { .. } | room::Effect::Ended => {}
            room::Effect::ShowMarks { user, read, delivered, to_all } => {
                let frame = ServerFrame::Marks { room, user, read: Some(read), delivered: Some(delivered) };
                let text = codec::encode(&frame);
                self.tell_hubs(|| Item::Marks { room, only: (!to_all).then_some(user), text: text.clone() });
            }
        }
    }

    fn append(&mut self, room: RoomId, stamp: Stamp, event: Arc<Event>) {
        let (seq, most) = (event.seq, self.faults.store_millis);
        let stored = self.store.rooms.get_mut(&room).unwrap();
        if stamp < stored.newest {
            return;
        }
        if stored.append(event) {
            self.follow(Lane::Store(room), 0, most, Happening::Commit(room));
        } else {
            self.mail(room, stamp, 0, most, Mail::Input(Input::AppendFailed { seqs: seq..=seq }));
        }
    }

    pub(crate) fn commit(&mut self, room: RoomId) {
        let fails = self.chance.hits(self.faults.append_fails);
        let stored = self.store.rooms.get_mut(&room).unwrap();
        let (fate, stamp) = (stored.commit(fails, &mut self.chance), stored.newest);
        if stored.has_more() {
            self.follow(Lane::Store(room), 0, self.faults.store_millis, Happening::Commit(room));
        }
        let inputs = match fate {
            None => return,
            Some(Fate::Stored { first, last }) => vec![Input::Appended { seqs: first..=last }],
            Some(Fate::Refused(seqs)) => refused(seqs),
            Some(Fate::Doubled(key, seqs)) => {
                self.history.records.push(Record::Doubled { room: room.to_string(), key: key.to_string() });
                refused(seqs)
            }
        };
        if self.server.is_some() {
            for input in inputs {
                self.answer_from_store(room, stamp, input);
            }
        }
    }

    /// A room that has nothing to do and to which nothing is on its way goes to sleep.
    pub(crate) fn sleep_room(&mut self) {
        let idle = |shell: &Shell| shell.coming == 0 && shell.machine.as_ref().is_some_and(Room::is_idle);
        let rooms = self.server.iter().flat_map(|server| &server.rooms);
        let rooms: Vec<RoomId> = rooms.filter(|(_, shell)| idle(shell)).map(|(room, _)| *room).collect();
        if let Some(room) = self.chance.pick(&rooms).copied() {
            self.server().rooms.remove(&room);
            self.shard_step(room.shard(), shard::Input::Retired { room });
        }
        if self.faults.sleep_every > 0 {
            self.later(1, self.faults.sleep_every * 2, Happening::SleepRoom);
        }
    }

    pub(crate) fn pull_from(&mut self, room: RoomId, user: UserId, after: Seq, asker: Asker) {
        let machine = self.server().rooms[&room].machine.as_ref().unwrap();
        let head = machine.head();
        let mut answer = PullAnswer { room, after, asker, result: Err(Refusal::new(Code::NotFound, "no such room")) };
        let Some(visible_from) = machine.visible_from(user) else {
            return self.inside_later(0, 5, Inside::Pulled(answer));
        };
        let after = after.max(visible_from.saturating_sub(1));
        let most = usize::try_from(REPLAY_PER_ROOM).unwrap();
        let kept = machine
            .events_after(after)
            .map(|events| events.take(most).map(|logged| (logged.event.seq, logged.text.clone())).collect::<Vec<_>>());
        if let Some(events) = kept {
            answer.result = Ok((events, head));
            return self.inside_later(0, 5, Inside::Pulled(answer));
        }
        self.inside_later(0, self.faults.store_millis, Inside::ReadLog { room, after, head, answer });
    }

    pub(crate) fn refuse_mail(&mut self, room: RoomId, mail: Mail, refusal: &Refusal) {
        match mail {
            Mail::Input(Input::Write(write)) if write.again => self.undecided(&write.caller, write.client_id),
            Mail::Input(Input::Write(write)) => self.refuse(room, write.caller, Some(write.client_id), refusal),
            Mail::Input(Input::Mark { caller, .. }) => self.refuse(room, caller, None, refusal),
            Mail::Pull { after, asker, .. } => {
                let answer = PullAnswer { room, after, asker, result: Err(refusal.clone()) };
                self.inside_later(0, 5, Inside::Pulled(answer));
            }
            Mail::Input(_) => {}
        }
    }

    fn undecided(&mut self, caller: &Caller, client_id: ClientId) {
        if let Caller::Session { hub, session, .. } = caller {
            let item = Item::Undecided { session: *session, client_id };
            self.inside_later(100, 300, Inside::ForHub((*hub).into(), item));
        }
    }

    fn refuse(&mut self, room: RoomId, caller: Caller, client_id: Option<ClientId>, refusal: &Refusal) {
        match caller {
            Caller::Session { hub, session, id } => {
                let frame = ServerFrame::Nack(Nack::of(refusal, id.as_deref(), Some(room), client_id));
                let text = codec::encode(&frame);
                let item = match client_id {
                    Some(client_id) => Item::Refusal { session, client_id, text },
                    None => Item::Answer { session, client_id, text },
                };
                self.tell_hub(hub.into(), item);
            }
            Caller::Request(number) => {
                if let Some(client_id) = client_id {
                    self.answer_request(number, client_id, Err(refusal.code));
                }
            }
        }
    }

    fn answer_request(&mut self, number: u64, client_id: ClientId, answer: Result<Seq, Code>) {
        if let Some((client, room)) = self.server().requests.remove(&number) {
            let (user, room, key) = (self.clients[client].user.to_string(), room.to_string(), client_id.to_string());
            self.history.records.push(match answer {
                Ok(seq) => Record::Acked { user, room, key, seq },
                Err(code) => Record::Nacked { user, room, key, code: code.as_str().to_owned() },
            });
        }
    }
}

fn refused(seqs: Vec<Seq>) -> Vec<Input> {
    seqs.into_iter().map(|seq| Input::AppendFailed { seqs: seq..=seq }).collect()
}

pub(crate) fn unavailable() -> Refusal {
    Refusal::new(Code::Unavailable, "the store cannot be reached").after(300)
}
