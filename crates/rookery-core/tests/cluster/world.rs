//! The world of one run: time, chance, what is on its way, and how far that comes in bad weather.

use std::collections::BTreeMap;

use rookery_core::{
    event::Event,
    fence::{self, RoomInput, Row, ShardRow},
    ids::{ClientId, RoomId, Seq, ShardId, UserId},
    room,
    shard::Stamp,
    time::Millis,
};

use crate::{
    chance::Chance,
    check::History,
    client::Client,
    node::Node,
    quorum::{Found, Quorum, REPLICAS, Write},
};

pub(crate) const NODES: usize = 4;
pub(crate) const CLIENTS: usize = 6;
/// Milliseconds in which things go wrong, and until the end.
pub(crate) const STORMY: i64 = 10_000;
const WHOLE: i64 = 40_000;
/// Milliseconds after which an answer of the store is not waited for any more.
const DEADLINE: i64 = 250;

/// One life of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Life {
    pub(crate) node: usize,
    pub(crate) number: u32,
}

/// What a node waits for from the store, so that it knows what to do with the rows.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    Tail,
    /// The history below the head that a room is woken with, and what was found above it.
    Wake {
        above: Vec<Row>,
        head: Seq,
    },
    Look {
        ticket: u64,
        sender: UserId,
        client_id: ClientId,
        target: Option<Seq>,
    },
    Erase {
        target: Seq,
        delete: Seq,
        timestamp: i64,
    },
    Follow,
}

/// Something that reaches a node.
#[derive(Clone, Debug)]
pub(crate) enum ToNode {
    Fence(ShardId, fence::Input),
    Rows { room: RoomId, stamp: Stamp, from: Seq, through: Seq, purpose: Purpose, rows: Option<Vec<Row>> },
    Ask { client: usize, write: room::Write, room: RoomId },
    Retry(u64),
    Call { from: Life, call: u64, room: RoomId, write: room::Write },
    Answer { call: u64, answer: Answer },
    Show { room: RoomId, events: Vec<std::sync::Arc<Event>> },
    Sees { other: usize, alive: bool },
    Sleep,
    Rest,
}

/// What an owner says to a call.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Done(Seq),
    Unchanged,
    Refused,
    /// Nothing was taken.
    NotMine,
    /// The activation ended; what it had sent is unknown.
    Ended,
}

pub(crate) enum Happening {
    Node(Life, ToNode),
    Replica(usize, Write),
    /// One replica answers a read.
    ReadsPart {
        read: u64,
        replica: usize,
    },
    Swaps {
        to: Life,
        shard: ShardId,
        round: u64,
        from: u64,
        row: ShardRow,
        answered: bool,
    },
    Learns {
        to: Life,
        shard: ShardId,
        round: u64,
    },
    ReadsShard {
        to: Life,
        shard: ShardId,
        round: u64,
    },
    ReadsHead {
        to: Life,
        room: RoomId,
        stamp: Stamp,
    },
    Head(RoomId, Seq),
    Client(usize),
    Weather,
    Start(usize),
    Clears(usize),
    Rests,
}

struct Read {
    to: Life,
    message: ToNode,
    room: RoomId,
    from: Seq,
    through: Seq,
    found: BTreeMap<Seq, Found>,
    left: usize,
}

pub(crate) struct World {
    pub(crate) now: i64,
    pub(crate) chance: Chance,
    pub(crate) store: Quorum,
    pub(crate) nodes: Vec<Node>,
    pub(crate) clients: Vec<Client>,
    pub(crate) history: History,
    pub(crate) calls: u64,
    agenda: BTreeMap<(i64, u64), Happening>,
    tickets: u64,
    reads: BTreeMap<u64, Read>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut world = Self {
            now: 0,
            chance: Chance::new(seed),
            store: Quorum::default(),
            nodes: (0..NODES).map(Node::new).collect(),
            clients: (0..CLIENTS).map(Client::new).collect(),
            history: History::default(),
            calls: 0,
            agenda: BTreeMap::new(),
            tickets: 0,
            reads: BTreeMap::new(),
        };
        crate::client::begin(&mut world.store);
        world
    }

    pub(crate) fn run(mut self) -> (History, Quorum) {
        (0..NODES).for_each(|node| self.start(node));
        (0..CLIENTS).for_each(|client| self.later(1, 300, Happening::Client(client)));
        self.later(300, 800, Happening::Weather);
        self.later(50, 50, Happening::Rests);
        while let Some(((at, _), happening)) = self.agenda.pop_first() {
            if at > WHOLE {
                break;
            }
            self.now = at;
            self.happen(happening);
        }
        for client in &self.clients {
            self.history.unanswered.extend(client.unanswered());
        }
        (self.history, self.store)
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Node(life, message) => {
                let node = &self.nodes[life.node];
                if node.paused_until > self.now {
                    // What comes meanwhile waits in its sockets.
                    let at = node.paused_until;
                    self.plan(at, Happening::Node(life, message));
                } else if node.is_up && node.life == life.number {
                    self.handle(life.node, message);
                }
            }
            Happening::Replica(replica, write) => self.store.take(replica, write),
            Happening::ReadsPart { read, replica } => self.reads_part(read, replica),
            Happening::Swaps { to, shard, round, from, row, answered } => {
                let stands = self.store.shards.entry(shard).or_default();
                let swapped = if stands.epoch == from {
                    *stands = row;
                    fence::Swapped::Applied
                } else {
                    fence::Swapped::NotApplied(stands.clone())
                };
                if answered {
                    self.answer(to, ToNode::Fence(shard, fence::Input::Swapped { round, swapped }));
                }
            }
            Happening::Learns { to, shard, round } => {
                let row = Some(self.store.shards.entry(shard).or_default().clone());
                self.answer(to, ToNode::Fence(shard, fence::Input::ShardLearned { round, row }));
            }
            Happening::ReadsShard { to, shard, round } => {
                let row = Some(self.store.shards.entry(shard).or_default().clone());
                self.answer(to, ToNode::Fence(shard, fence::Input::ShardRead { round, row }));
            }
            Happening::ReadsHead { to, room, stamp } => {
                let head = self.store.heads.get(&room).copied().unwrap_or_default();
                self.answer(to, to_room(room, stamp, RoomInput::Head { head }));
            }
            Happening::Head(room, head) => {
                let stands = self.store.heads.entry(room).or_default();
                *stands = head.max(*stands);
            }
            Happening::Client(client) => self.client_acts(client),
            Happening::Weather => self.weather(),
            Happening::Start(node) => self.start(node),
            Happening::Clears(node) => {
                (self.nodes[node].cut_from_store, self.nodes[node].cut_from_peers) = (false, false);
                self.seen_by_all(node, true);
            }
            Happening::Rests => {
                for node in 0..NODES {
                    let what = if self.chance.hits(2_000) { ToNode::Sleep } else { ToNode::Rest };
                    self.plan(self.now, Happening::Node(self.life(node), what));
                }
                self.later(50, 300, Happening::Rests);
            }
        }
    }

    pub(crate) const fn millis(&self) -> Millis {
        Millis(self.now)
    }

    pub(crate) const fn is_stormy(&self) -> bool {
        self.now < STORMY
    }

    pub(crate) fn life(&self, node: usize) -> Life {
        Life { node, number: self.nodes[node].life }
    }

    pub(crate) fn plan(&mut self, at: i64, what: Happening) {
        self.tickets += 1;
        self.agenda.insert((at, self.tickets), what);
    }

    pub(crate) fn later(&mut self, least: i64, most: i64, what: Happening) {
        let at = self.now + self.chance.between(least, most);
        self.plan(at, what);
    }

    /// From a node to another, if they hear each other.
    pub(crate) fn send(&mut self, from: usize, to: Life, message: ToNode) {
        let is_cut = |node: &Node| node.cut_from_peers;
        let apart = from != to.node && (is_cut(&self.nodes[from]) || is_cut(&self.nodes[to.node]));
        let lost = from != to.node && self.is_stormy() && self.chance.hits(300);
        if !apart && !lost {
            self.later(0, 8, Happening::Node(to, message));
        }
    }

    /// An answer of the store comes, or the deadline of it.
    fn answer(&mut self, to: Life, message: ToNode) {
        self.later(0, 5, Happening::Node(to, message));
    }

    /// Whether a request to the store gets there, and whether its answer comes back.
    fn reaches(&mut self, node: usize) -> (bool, bool) {
        let storm = if self.is_stormy() { 400 } else { 0 };
        let there = !self.nodes[node].cut_from_store && !self.chance.hits(storm);
        (there, there && !self.chance.hits(storm))
    }

    /// Sends writes to every replica; `done` comes when each is on two, `late` if that takes too long or nobody hears of it.
    pub(crate) fn write(&mut self, to: Life, writes: Vec<Write>, done: ToNode, late: ToNode) {
        let (there, back) = self.reaches(to.node);
        let mut slowest = 0;
        for write in writes.into_iter().filter(|_| there) {
            let mut delays: Vec<i64> = (0..REPLICAS).map(|replica| self.arrive(replica, write.clone())).collect();
            delays.sort_unstable();
            slowest = delays[1].max(slowest);
        }
        if back && slowest < DEADLINE {
            self.plan(self.now + slowest + 1, Happening::Node(to, done));
        } else {
            self.plan(self.now + DEADLINE, Happening::Node(to, late));
        }
    }

    /// When a write comes to a replica: soon, late, or never.
    fn arrive(&mut self, replica: usize, write: Write) -> i64 {
        let (late, lost) = if self.is_stormy() { (700, 500) } else { (0, 0) };
        if self.chance.hits(lost) {
            return i64::MAX;
        }
        let delay = if self.chance.hits(late) { self.chance.between(100, 6_000) } else { self.chance.between(1, 15) };
        self.plan(self.now + delay, Happening::Replica(replica, write));
        delay
    }

    /// Reads rows from two replicas, at two times.
    pub(crate) fn read(&mut self, to: Life, room: RoomId, stamp: Stamp, range: (Seq, Seq), purpose: Purpose) {
        let (from, through) = range;
        let message = |rows| ToNode::Rows { room, stamp, from, through, purpose: purpose.clone(), rows };
        let (_, back) = self.reaches(to.node);
        if !back {
            return self.plan(self.now + DEADLINE, Happening::Node(to, message(None)));
        }
        self.tickets += 1;
        let (read, spared) = (self.tickets, self.chance.below(REPLICAS));
        let found = BTreeMap::new();
        self.reads.insert(read, Read { to, message: message(None), room, from, through, found, left: 2 });
        for replica in (0..REPLICAS).filter(|replica| *replica != spared) {
            self.later(1, 40, Happening::ReadsPart { read, replica });
        }
    }

    fn reads_part(&mut self, number: u64, replica: usize) {
        let Some(read) = self.reads.get_mut(&number) else { return };
        for seq in read.from..=read.through {
            read.found.entry(seq).or_default().join(self.store.read(replica, read.room, seq));
        }
        read.left -= 1;
        if read.left > 0 {
            return;
        }
        let Some(Read { to, mut message, found, .. }) = self.reads.remove(&number) else { return };
        if let ToNode::Rows { rows, .. } = &mut message {
            *rows = Some(found.values().filter_map(Found::row).collect());
        }
        self.answer(to, message);
    }

    /// A question about a shard's row goes to the store.
    pub(crate) fn ask_shard(&mut self, to: Life, shard: ShardId, question: Question) {
        let (there, back) = self.reaches(to.node);
        let (round, nothing) = match &question {
            Question::Learn { round } => (*round, fence::Input::ShardLearned { round: *round, row: None }),
            Question::Read { round } => (*round, fence::Input::ShardRead { round: *round, row: None }),
            Question::Swap { round, .. } => {
                (*round, fence::Input::Swapped { round: *round, swapped: fence::Swapped::Unknown })
            }
        };
        if !back {
            self.plan(self.now + DEADLINE, Happening::Node(to, ToNode::Fence(shard, nothing)));
        }
        match question {
            Question::Learn { .. } if back => self.later(1, 20, Happening::Learns { to, shard, round }),
            Question::Read { .. } if back => self.later(1, 20, Happening::ReadsShard { to, shard, round }),
            // It may be decided, and nobody hears of it; perhaps long after.
            Question::Swap { from, row, .. } if there => {
                let most = if back { 20 } else { 200 };
                self.later(1, most, Happening::Swaps { to, shard, round, from, row, answered: back });
            }
            _ => {}
        }
    }
}

pub(crate) enum Question {
    Learn { round: u64 },
    Read { round: u64 },
    Swap { round: u64, from: u64, row: ShardRow },
}

pub(crate) fn to_room(room: RoomId, stamp: Stamp, input: RoomInput) -> ToNode {
    ToNode::Fence(room.shard(), fence::Input::Room { room, stamp, input })
}
