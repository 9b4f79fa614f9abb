//! What a node does as an owner: claims, wakes, appends, commits, and ends.

use std::sync::Arc;

use rookery_core::{
    event::{Content, Event, RoomKind},
    fence::{self, Effect, Request, RoomEffect, RoomInput, Row},
    ids::{RoomId, Seq, ShardId},
    room::{self, Caller, Room},
    shard::{self, Shard, Stamp},
};

use crate::{
    node::Shell,
    quorum::Write,
    stored::Stored,
    world::{Answer, Happening, Purpose, Question, ToNode, World, to_room},
};

impl World {
    pub(crate) fn shard_step(&mut self, node: usize, id: ShardId, input: shard::Input) {
        let (now, mut out) = (self.millis(), Vec::new());
        self.nodes[node].shards.entry(id).or_insert_with(|| Shard::new(id)).step(input, now, &mut out);
        for effect in out {
            match effect {
                shard::Effect::Claim { shard } => self.fence_step(node, shard, fence::Input::Claim),
                shard::Effect::Wake { room, stamp } => {
                    let stash = self.nodes[node].waiting.remove(&room).unwrap_or_default();
                    self.nodes[node].rooms.insert(room, Shell { stamp, machine: None, stash });
                    self.fence_step(node, id, fence::Input::Wake { room, stamp });
                }
                shard::Effect::Sleep { room } => self.end(node, room),
                shard::Effect::Refuse { room } => {
                    for (call, _) in self.nodes[node].waiting.remove(&room).unwrap_or_default() {
                        self.answer_call(node, call, Answer::NotMine);
                    }
                }
                shard::Effect::Restarted { .. }
                | shard::Effect::Quarantined { .. }
                | shard::Effect::RefuseShut { .. } => panic!("no room panics here"),
            }
        }
    }

    pub(crate) fn fence_step(&mut self, node: usize, shard: ShardId, input: fence::Input) {
        let mut out = Vec::new();
        self.nodes[node].fence(shard).step(input, &mut out);
        let life = self.life(node);
        for effect in out {
            match effect {
                Effect::LearnShard { round } => self.ask_shard(life, shard, Question::Learn { round }),
                Effect::ReadShard { round } => self.ask_shard(life, shard, Question::Read { round }),
                Effect::Swap { round, from, to } => {
                    self.ask_shard(life, shard, Question::Swap { round, from, row: to });
                }
                Effect::Claimed { epoch } => {
                    self.history.count("claimed");
                    self.shard_step(node, shard, shard::Input::Claimed { epoch });
                }
                Effect::NotClaimed { found: Some(_) } => self.shard_step(node, shard, shard::Input::Outrun),
                Effect::NotClaimed { found: None } => self.shard_step(node, shard, shard::Input::ClaimFailed),
                Effect::Lost { .. } => {
                    self.history.count("superseded");
                    self.shard_step(node, shard, shard::Input::Fenced);
                }
                Effect::Released => {}
                Effect::Room { room, stamp, effect } => self.of_fence(node, room, stamp, effect),
            }
        }
    }

    fn of_fence(&mut self, node: usize, room: RoomId, stamp: Stamp, effect: RoomEffect) {
        let life = self.life(node);
        let done = |input| to_room(room, stamp, input);
        let late = |what| to_room(room, stamp, RoomInput::TimedOut { what });
        match effect {
            RoomEffect::ReadHead => self.later(1, 20, Happening::ReadsHead { to: life, room, stamp }),
            RoomEffect::ReadTail { after, through } => {
                self.read(life, room, stamp, (after + 1, through), Purpose::Tail)
            }
            RoomEffect::Rewrite { rows } => {
                self.history.count("a tail was written again");
                let writes = rows.into_iter().map(|row| Write::Row(room, row)).collect();
                self.write(life, writes, done(RoomInput::Rewritten), late(Request::Rewrite));
            }
            RoomEffect::Cut { after, buckets, timestamp } => {
                let last = (buckets.end() + 1) * 32 - 1;
                let writes = vec![Write::Cut { room, after, last, timestamp }];
                self.write(life, writes, done(RoomInput::CutDone), late(Request::Cut));
            }
            RoomEffect::Insert { row } => {
                let seq = row.seq();
                let late = late(Request::Insert { seq });
                self.write(life, vec![Write::Row(room, row)], done(RoomInput::Inserted { seq }), late);
            }
            RoomEffect::Erase { target, delete, timestamp } => {
                let purpose = Purpose::Erase { target, delete, timestamp };
                self.read(life, room, stamp, (target, delete), purpose);
            }
            RoomEffect::PublishHead { head } => {
                self.later(1, 400, Happening::Head(room, head));
                self.later(1, 20, Happening::Node(life, done(RoomInput::HeadPublished { head })));
            }
            RoomEffect::Woken { head, rows } => self.read_history(node, room, stamp, head, rows),
            RoomEffect::Committed { seqs } => {
                self.history.committed(room, seqs.clone(), stamp);
                self.room_step(node, room, stamp, room::Input::Appended { seqs });
            }
            RoomEffect::Refused { seq, .. } => {
                self.room_step(node, room, stamp, room::Input::AppendFailed { seqs: seq..=seq });
            }
            RoomEffect::Confirmed { ticket } => {
                if self.nodes[node].refusals.remove(&ticket) {
                    self.answer_call(node, ticket, Answer::Refused);
                }
            }
            RoomEffect::Unconfirmed { ticket } => {
                self.nodes[node].refusals.remove(&ticket);
                self.answer_call(node, ticket, Answer::Ended);
            }
            RoomEffect::Dropped { .. } | RoomEffect::Asleep => {
                if self.nodes[node].rooms.get(&room).is_some_and(|shell| shell.stamp == stamp) {
                    self.end(node, room);
                    self.shard_step(node, room.shard(), shard::Input::Retired { room });
                }
            }
        }
    }

    /// A room ends; who waits for it hears that nothing is known.
    fn end(&mut self, node: usize, room: RoomId) {
        self.nodes[node].rooms.remove(&room);
        let calls = self.nodes[node].calls.iter().filter(|(_, (_, of))| *of == room);
        let calls: Vec<u64> = calls.map(|(call, _)| *call).collect();
        for call in calls {
            self.answer_call(node, call, Answer::Ended);
        }
    }

    fn read_history(&mut self, node: usize, room: RoomId, stamp: Stamp, head: Seq, above: Vec<Row>) {
        let below = head - above.len() as Seq;
        let purpose = Purpose::Wake { above, head };
        self.read(self.life(node), room, stamp, (1, below), purpose);
    }

    pub(crate) fn rows_missing(
        &mut self,
        node: usize,
        room: RoomId,
        stamp: Stamp,
        range: (Seq, Seq),
        purpose: Purpose,
    ) {
        match purpose {
            Purpose::Tail => self.fence_step(
                node,
                room.shard(),
                fence::Input::Room { room, stamp, input: RoomInput::TimedOut { what: Request::ReadTail } },
            ),
            Purpose::Look { ticket, .. } => {
                self.room_step(node, room, stamp, room::Input::Looked { ticket, found: None });
            }
            Purpose::Follow => self.follow_failed(node, room),
            Purpose::Erase { delete, .. } => {
                let input = RoomInput::TimedOut { what: Request::Erase { delete } };
                self.fence_step(node, room.shard(), fence::Input::Room { room, stamp, input });
            }
            Purpose::Wake { .. } => self.read(self.life(node), room, stamp, range, purpose),
        }
    }

    pub(crate) fn rows_read(
        &mut self,
        node: usize,
        room: RoomId,
        stamp: Stamp,
        range: (Seq, Seq),
        purpose: Purpose,
        rows: Vec<Row>,
    ) {
        match purpose {
            Purpose::Tail => {
                let input = RoomInput::Tail { rows };
                self.fence_step(node, room.shard(), fence::Input::Room { room, stamp, input });
            }
            Purpose::Look { ticket, sender, client_id, target } => {
                let events = rows.iter().map(|row| Event::clone(&row.event)).collect();
                let found = Some(Stored::new(RoomKind::Group, events).look(sender, client_id, target));
                self.room_step(node, room, stamp, room::Input::Looked { ticket, found });
            }
            Purpose::Follow => self.followed(node, room, range, &rows),
            Purpose::Erase { target, delete, timestamp } => {
                let said_there = |row: &&Row| match row.event.content {
                    Content::Message { .. } => row.seq() == target,
                    Content::Edit { target: of, .. } => of == target,
                    _ => false,
                };
                let seqs = rows.iter().filter(said_there).map(Row::seq);
                let writes = seqs.map(|seq| Write::Erase { room, seq, timestamp }).collect();
                let done = to_room(room, stamp, RoomInput::Erased { delete });
                let late = to_room(room, stamp, RoomInput::TimedOut { what: Request::Erase { delete } });
                self.write(self.life(node), writes, done, late);
            }
            Purpose::Wake { above, head } => {
                let events: Vec<Event> = rows.iter().chain(&above).map(|row| Event::clone(&row.event)).collect();
                self.woken(node, room, stamp, head, events);
            }
        }
    }

    fn woken(&mut self, node: usize, room: RoomId, stamp: Stamp, head: Seq, events: Vec<Event>) {
        if events.len() as Seq != head {
            self.history.breach(format!("{room}: woken with {} events up to {head}", events.len()));
        }
        if self.nodes[node].rooms.get(&room).is_none_or(|shell| shell.stamp != stamp) {
            return;
        }
        self.history.count("woken");
        let shown: Vec<Arc<Event>> = events.iter().rev().take(20).rev().cloned().map(Arc::new).collect();
        let snapshot = Stored::new(RoomKind::Group, events).wake(room, stamp, &mut self.chance);
        let Some(shell) = self.nodes[node].rooms.get_mut(&room) else { return };
        shell.machine = Some(Room::wake(snapshot, 100));
        let stash = std::mem::take(&mut shell.stash);
        self.fan_out(node, room, shown);
        for (_, write) in stash {
            self.room_step(node, room, stamp, room::Input::Write(write));
        }
    }

    pub(crate) fn fan_out(&mut self, node: usize, room: RoomId, events: Vec<Arc<Event>>) {
        for other in 0..self.nodes.len() {
            let to = self.life(other);
            self.send(node, to, ToNode::Show { room, events: events.clone() });
        }
    }

    pub(crate) fn room_step(&mut self, node: usize, room: RoomId, stamp: Stamp, input: room::Input) {
        let (now, mut out) = (self.millis(), Vec::new());
        let Some(machine) = self.nodes[node].machine(room, stamp) else { return };
        machine.step(input, now, &mut out);
        let head = machine.head();
        let shard = room.shard();
        for effect in out {
            match effect {
                room::Effect::Append(event) => {
                    let input = RoomInput::Append { event };
                    self.fence_step(node, shard, fence::Input::Room { room, stamp, input });
                }
                room::Effect::Look { ticket, sender, client_id, target } => {
                    let purpose = Purpose::Look { ticket, sender, client_id, target };
                    self.read(self.life(node), room, stamp, (1, head), purpose);
                }
                room::Effect::Ack { caller: Caller::Request(call), seq, repeat, .. } => {
                    if repeat {
                        self.history.count("a repeat was answered");
                    }
                    self.answer_call(node, call, Answer::Done(seq));
                }
                room::Effect::Undecided { caller: Caller::Request(call), .. } => {
                    self.history.count("undecided");
                    self.answer_call(node, call, Answer::Ended);
                }
                room::Effect::Unchanged { caller: Caller::Request(call), .. } => {
                    self.answer_call(node, call, Answer::Unchanged);
                }
                room::Effect::Nack { caller: Caller::Request(call), confirm: false, .. } => {
                    self.history.count("refused at once");
                    self.answer_call(node, call, Answer::Refused);
                }
                room::Effect::Nack { caller: Caller::Request(call), .. } => {
                    self.nodes[node].refusals.insert(call);
                    let input = RoomInput::Confirm { ticket: call };
                    self.fence_step(node, shard, fence::Input::Room { room, stamp, input });
                }
                room::Effect::FanOut(events) => {
                    let events = events.into_iter().map(|logged| logged.event).collect();
                    self.fan_out(node, room, events);
                }
                _ => {}
            }
        }
    }

    /// Rooms that have nothing to do may go to sleep.
    pub(crate) fn let_sleep(&mut self, node: usize) {
        let idle = |shell: &Shell| shell.machine.as_ref().is_some_and(Room::is_idle);
        let rooms = self.nodes[node].rooms.iter().filter(|(_, shell)| idle(shell));
        let rooms: Vec<(RoomId, Stamp)> = rooms.map(|(room, shell)| (*room, shell.stamp)).collect();
        for (room, stamp) in rooms {
            let input = RoomInput::Sleep;
            self.fence_step(node, room.shard(), fence::Input::Room { room, stamp, input });
        }
    }

    /// Heads are published, and told to everybody who looks at the rooms.
    pub(crate) fn rest(&mut self, node: usize) {
        let rooms = self.nodes[node].rooms.iter();
        let rooms: Vec<(RoomId, Stamp)> = rooms.map(|(room, shell)| (*room, shell.stamp)).collect();
        for (room, stamp) in rooms {
            let input = RoomInput::Rest;
            self.fence_step(node, room.shard(), fence::Input::Room { room, stamp, input });
            let Some(machine) = self.nodes[node].machine(room, stamp) else { continue };
            let newest = machine.events_after(machine.head().saturating_sub(1)).into_iter().flatten();
            let newest: Vec<Arc<Event>> = newest.map(|logged| Arc::clone(&logged.event)).collect();
            self.fan_out(node, room, newest);
        }
    }
}
