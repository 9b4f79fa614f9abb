//! The server of one run: its shards and rooms, and what they ask for, carried out in virtual time.

use std::collections::{BTreeMap, BTreeSet};

use rookery_core::{
    frame::codec,
    ids::{RoomId, Seq, ShardId, UserId},
    limits::REPLAY_PER_ROOM,
    room::{Input, Room, Snapshot},
    shard::{self, Shard, Stamp},
};

use crate::{
    history::Record,
    hub::{Asker, Hub, Item, PullAnswer},
    rooms::unavailable,
    world::{Happening, Inside, Lane, World},
};

pub(crate) const HUBS: usize = 2;
const MOST_MEMBERS: usize = 100;

pub(crate) struct Server {
    shards: BTreeMap<ShardId, Shard>,
    pub(crate) rooms: BTreeMap<RoomId, Shell>,
    waiting: BTreeMap<RoomId, Vec<Mail>>,
    /// How far each room has told everything that it had to tell.
    pub(crate) told: BTreeMap<RoomId, Seq>,
    /// Rooms that ended over their work: they are woken even if nobody asks, since something may be untold.
    owed: BTreeSet<RoomId>,
    pub(crate) hubs: Vec<Hub>,
    /// Requests whose answer a client waits for: which client, and where.
    pub(crate) requests: BTreeMap<u64, (usize, RoomId)>,
}

/// One room that is awake, or about to be.
pub(crate) struct Shell {
    pub(crate) stamp: Stamp,
    pub(crate) machine: Option<Room>,
    stash: Vec<Mail>,
    /// Mail on its way here.
    pub(crate) coming: usize,
}

/// Something for a room.
pub(crate) enum Mail {
    Input(Input),
    Pull { user: UserId, after: Seq, asker: Asker },
}

impl Server {
    fn new() -> Self {
        Self {
            shards: BTreeMap::new(),
            rooms: BTreeMap::new(),
            waiting: BTreeMap::new(),
            told: BTreeMap::new(),
            owed: BTreeSet::new(),
            hubs: (0..HUBS).map(|_| Hub::default()).collect(),
            requests: BTreeMap::new(),
        }
    }
}

impl World {
    pub(crate) fn start(&mut self) {
        self.boots += 1;
        self.server = Some(Server::new());
    }

    pub(crate) fn crash(&mut self) {
        self.server = None;
        self.history.records.push(Record::Crashed);
        self.store.crash(&mut self.chance);
        for connection in self.clients.iter().filter_map(|client| client.connection).collect::<Vec<_>>() {
            self.later(0, 50, Happening::ClientLeft(connection));
        }
        self.later(20, 600, Happening::Start);
        if self.faults.crash_every > 0 {
            self.later(self.faults.crash_every / 2, self.faults.crash_every * 2, Happening::Crash);
        }
    }

    pub(crate) fn server(&mut self) -> &mut Server {
        self.server.as_mut().expect("only asked for inside the server")
    }

    pub(crate) fn inside(&mut self, inside: Inside) {
        match inside {
            Inside::Mail(room, stamp, mail) => self.arrived(room, stamp, mail),
            Inside::WakeUp(room, stamp) => self.wake_up(room, stamp),
            Inside::Woken(room, stamp, found) => self.woken(room, stamp, found),
            Inside::Owed(room) => self.pay(room),
            Inside::Claimed(shard, epoch) => {
                let input = epoch.map_or(shard::Input::ClaimFailed, |epoch| shard::Input::Claimed { epoch });
                self.shard_step(shard, input);
            }
            Inside::Look { room, stamp, ticket, sender, client_id, target } => {
                let fails = self.chance.hits(self.faults.read_fails);
                let found = (!fails).then(|| self.store.rooms[&room].look(sender, client_id, target));
                self.answer_from_store(room, stamp, Input::Looked { ticket, found });
            }
            Inside::Mark { room, stamp, caller, user, read, delivered } => {
                let fails = self.chance.hits(self.faults.read_fails);
                let stored = self.store.rooms.get_mut(&room).unwrap();
                let stand = if fails { None } else { stored.mark(user, read, delivered) };
                if let Some(caller) = caller {
                    self.answer_from_store(room, stamp, Input::Marked { caller, user, stand });
                }
            }
            Inside::ReadLog { room, after, head, answer } => {
                let fails = self.chance.hits(self.faults.read_fails);
                let events = self.store.rooms[&room].events(after, usize::try_from(REPLAY_PER_ROOM).unwrap());
                let shown = events.iter().filter(|event| event.seq <= head);
                let events = shown.map(|event| (event.seq, codec::encode_event(event))).collect();
                let result = if fails { Err(unavailable()) } else { Ok((events, head)) };
                self.inside_later(0, 5, Inside::Pulled(PullAnswer { result, ..answer }));
            }
            other => self.inside_hub(other),
        }
    }

    pub(crate) fn answer_from_store(&mut self, room: RoomId, stamp: Stamp, input: Input) {
        let most = self.faults.store_millis;
        self.mail(room, stamp, 0, most, Mail::Input(input));
    }

    pub(crate) fn mail(&mut self, room: RoomId, stamp: Stamp, least: i64, most: i64, mail: Mail) {
        if let Some(shell) = self.server().rooms.get_mut(&room).filter(|shell| shell.stamp == stamp) {
            shell.coming += 1;
            self.inside_later(least, most, Inside::Mail(room, stamp, mail));
        }
    }

    /// What sessions and requests have for a room; wakes it.
    pub(crate) fn post(&mut self, room: RoomId, mail: Mail) {
        let Some(shell) = self.server().rooms.get_mut(&room) else {
            self.server().waiting.entry(room).or_default().push(mail);
            return self.shard_step(room.shard(), shard::Input::Wanted { room });
        };
        shell.coming += 1;
        let stamp = shell.stamp;
        self.inside_follow(Lane::ToRoom(room), 5, Inside::Mail(room, stamp, mail));
    }

    pub(crate) fn shard_step(&mut self, id: ShardId, input: shard::Input) {
        let (now, mut out) = (self.millis(), Vec::new());
        self.server().shards.entry(id).or_insert_with(|| Shard::new(id)).step(input, now, &mut out);
        for effect in out {
            match effect {
                shard::Effect::Claim { shard } => {
                    let fails = self.chance.hits(self.faults.read_fails);
                    let epoch = (!fails).then(|| self.store.claim(shard));
                    self.inside_later(0, self.faults.store_millis, Inside::Claimed(shard, epoch));
                }
                shard::Effect::Wake { room, stamp } => self.wake(room, stamp),
                shard::Effect::Refuse { room } => {
                    if self.server().owed.contains(&room) {
                        self.owe(room);
                    }
                    for mail in self.server().waiting.remove(&room).unwrap_or_default() {
                        self.refuse_mail(room, mail, &unavailable());
                    }
                }
                shard::Effect::Restarted { room } => self.restarted(room),
                shard::Effect::Sleep { .. } | shard::Effect::RefuseShut { .. } | shard::Effect::Quarantined { .. } => {
                    panic!("one server owns every shard, and no two panics have the same cause")
                }
            }
        }
    }

    fn wake(&mut self, room: RoomId, stamp: Stamp) {
        let waiting = self.server().waiting.remove(&room).unwrap_or_default();
        self.server().rooms.insert(room, Shell { stamp, machine: None, stash: waiting, coming: 0 });
        self.inside_later(0, self.faults.store_millis, Inside::WakeUp(room, stamp));
    }

    fn wake_up(&mut self, room: RoomId, stamp: Stamp) {
        let fails = self.chance.hits(self.faults.read_fails);
        let stored = self.store.rooms.get_mut(&room).unwrap();
        let found = (!fails).then(|| stored.wake(room, stamp, &mut self.chance));
        self.inside_later(0, self.faults.store_millis, Inside::Woken(room, stamp, found));
    }

    fn woken(&mut self, room: RoomId, stamp: Stamp, found: Option<Snapshot>) {
        #[cfg(feature = "bugs")]
        let bug = self.bug;
        let Some(shell) = self.server().rooms.get_mut(&room).filter(|shell| shell.stamp == stamp) else { return };
        let stash = std::mem::take(&mut shell.stash);
        let Some(snapshot) = found else {
            self.server().rooms.remove(&room);
            stash.into_iter().for_each(|mail| self.refuse_mail(room, mail, &unavailable()));
            self.shard_step(room.shard(), shard::Input::Retired { room });
            if self.server().owed.contains(&room) {
                self.owe(room);
            }
            // What came after that is in a mailbox that nobody opens any more.
            return self.restarted(room);
        };
        let machine = Room::wake(snapshot, MOST_MEMBERS);
        #[cfg(feature = "bugs")]
        let machine = machine.with_bug(bug);
        shell.machine = Some(machine);
        self.tell_again(room, stamp);
        stash.into_iter().for_each(|mail| self.take(room, stamp, mail));
    }

    /// A room ended over its work; if nobody wakes it soon, we do.
    pub(crate) fn owe(&mut self, room: RoomId) {
        self.server().owed.insert(room);
        self.inside_later(1_000, 1_000, Inside::Owed(room));
    }

    fn pay(&mut self, room: RoomId) {
        if self.server().owed.contains(&room) && !self.server().rooms.contains_key(&room) {
            self.shard_step(room.shard(), shard::Input::Wanted { room });
        }
    }

    /// What became durable under an activation before this one may have been told to nobody.
    fn tell_again(&mut self, room: RoomId, stamp: Stamp) {
        let server = self.server();
        let machine = server.rooms[&room].machine.as_ref().unwrap();
        let (head, mut out) = (machine.head(), Vec::new());
        server.owed.remove(&room);
        if let Some(told) = server.told.insert(room, head) {
            machine.tell_again(told, &mut out);
        }
        for hub in self.listeners(room) {
            self.tell_hub(hub, Item::Head { room, head });
        }
        out.into_iter().for_each(|effect| self.carry_out(room, stamp, effect, &mut Vec::new()));
    }

    fn arrived(&mut self, room: RoomId, stamp: Stamp, mail: Mail) {
        let shell = self.server().rooms.get_mut(&room).filter(|shell| shell.stamp == stamp);
        let Some(shell) = shell else {
            // Its mailbox is gone. Who waits for a pull asks again; who waits for a write is told that the room restarted.
            if let Mail::Pull { .. } = mail {
                self.post(room, mail);
            }
            return;
        };
        shell.coming -= 1;
        if shell.machine.is_none() {
            return shell.stash.push(mail);
        }
        self.take(room, stamp, mail);
    }

    fn take(&mut self, room: RoomId, stamp: Stamp, mail: Mail) {
        let awake = self.server().rooms.get(&room).is_some_and(|shell| shell.stamp == stamp);
        if !awake {
            // It panicked over the mail before this one.
            if let Mail::Pull { .. } = mail {
                self.post(room, mail);
            }
            return;
        }
        match mail {
            Mail::Input(input) => self.room_step(room, stamp, input),
            Mail::Pull { user, after, asker } => self.pull_from(room, user, after, asker),
        }
    }

    pub(crate) fn listeners(&mut self, room: RoomId) -> Vec<usize> {
        let hubs = self.server().hubs.iter().enumerate();
        hubs.filter(|(_, hub)| hub.rooms.contains_key(&room)).map(|(hub, _)| hub).collect()
    }
}
