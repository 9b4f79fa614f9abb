//! One node: what it has in its memory, and how it takes what reaches it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rookery_core::{
    event::Event,
    fence::{self, Bounds, Fence, Owner},
    ids::{RoomId, Seq, ShardId},
    placement::{NodeId, Placement},
    room::{self, Caller, Room},
    shard::{self, Shard, Stamp},
};
use uuid::Uuid;

use crate::world::{Answer, Happening, Life, Purpose, ToNode, World};

/// Milliseconds after which a call that was not answered is made again, and after which nobody asks any more.
const AGAIN: i64 = 400;
const GIVEN_UP: i64 = 1_800;

/// One room that is awake, or about to be.
pub(crate) struct Shell {
    pub(crate) stamp: Stamp,
    pub(crate) machine: Option<Room>,
    pub(crate) stash: Vec<(u64, room::Write)>,
}

/// What a client wants from this node.
pub(crate) struct Ask {
    client: usize,
    room: RoomId,
    write: room::Write,
    since: i64,
    /// Somebody was called already.
    again: bool,
    /// Calls that may have been taken by somebody who has not said what became of them.
    open: BTreeSet<u64>,
}

/// What a node has of a room that its people look at.
#[derive(Default)]
pub(crate) struct Follow {
    pub(crate) have: Seq,
    reading: bool,
    pub(crate) log: BTreeMap<Seq, Arc<Event>>,
}

pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) index: usize,
    pub(crate) life: u32,
    pub(crate) is_up: bool,
    pub(crate) paused_until: i64,
    pub(crate) cut_from_store: bool,
    pub(crate) cut_from_peers: bool,
    pub(crate) placement: Placement,
    pub(crate) fences: BTreeMap<ShardId, Fence>,
    pub(crate) shards: BTreeMap<ShardId, Shard>,
    pub(crate) rooms: BTreeMap<RoomId, Shell>,
    pub(crate) waiting: BTreeMap<RoomId, Vec<(u64, room::Write)>>,
    /// Calls that it has taken and not answered: of whom, and for which room.
    pub(crate) calls: BTreeMap<u64, (Life, RoomId)>,
    /// Refusals that wait until it is certain that they are this node's to give.
    pub(crate) refusals: BTreeSet<u64>,
    pub(crate) follows: BTreeMap<RoomId, Follow>,
    pub(crate) asks: BTreeMap<u64, Ask>,
    pub(crate) asked: BTreeMap<u64, u64>,
    #[cfg(feature = "bugs")]
    pub(crate) bug: Option<fence::Bug>,
}

impl Node {
    pub(crate) fn new(index: usize) -> Self {
        let id = NodeId::from(format!("node-{index}").as_str());
        let mut placement = Placement::new();
        placement.set(&id, false);
        Self {
            id,
            index,
            life: 0,
            is_up: false,
            paused_until: 0,
            cut_from_store: false,
            cut_from_peers: false,
            placement,
            fences: BTreeMap::new(),
            shards: BTreeMap::new(),
            rooms: BTreeMap::new(),
            waiting: BTreeMap::new(),
            calls: BTreeMap::new(),
            refusals: BTreeSet::new(),
            follows: BTreeMap::new(),
            asks: BTreeMap::new(),
            asked: BTreeMap::new(),
            #[cfg(feature = "bugs")]
            bug: None,
        }
    }

    /// This process, as the owner of shards.
    pub(crate) fn owner(&self) -> Owner {
        let number = u128::from(self.life) << 8 | self.index as u128;
        Owner { node: self.id.clone(), incarnation: Uuid::from_u128(number) }
    }

    pub(crate) fn fence(&mut self, shard: ShardId) -> &mut Fence {
        let owner = self.owner();
        let bounds = Bounds { in_flight: 16, bucket: 32, head_every: 8 };
        #[cfg(feature = "bugs")]
        let bug = self.bug;
        self.fences.entry(shard).or_insert_with(|| {
            let fence = Fence::new(owner, bounds);
            #[cfg(feature = "bugs")]
            let fence = match bug {
                Some(bug) => fence.without(bug),
                None => fence,
            };
            fence
        })
    }

    /// A room that is awake under this stamp.
    pub(crate) fn machine(&mut self, room: RoomId, stamp: Stamp) -> Option<&mut Room> {
        self.rooms.get_mut(&room).filter(|shell| shell.stamp == stamp)?.machine.as_mut()
    }
}

impl World {
    pub(crate) fn handle(&mut self, node: usize, message: ToNode) {
        match message {
            ToNode::Fence(shard, input) => self.fence_step(node, shard, input),
            ToNode::Rows { room, stamp, from, through, purpose, rows } => match rows {
                Some(rows) => self.rows_read(node, room, stamp, (from, through), purpose, rows),
                None => self.rows_missing(node, room, stamp, (from, through), purpose),
            },
            ToNode::Ask { client, write, room } => {
                self.calls += 1;
                let (ask, since, open, again) = (self.calls, self.now, BTreeSet::new(), false);
                self.nodes[node].asks.insert(ask, Ask { client, room, write, since, again, open });
                self.forward(node, ask);
            }
            ToNode::Retry(ask) => self.retry(node, ask),
            ToNode::Call { from, call, room, write } => self.called(node, from, call, room, write),
            ToNode::Answer { call, answer } => self.answered(node, call, answer),
            ToNode::Show { room, events } => self.show(node, room, &events),
            ToNode::Sees { other, alive } => {
                let id = self.nodes[other].id.clone();
                match alive {
                    true => self.nodes[node].placement.set(&id, false),
                    false => self.nodes[node].placement.remove(&id),
                }
            }
            ToNode::Sleep => self.let_sleep(node),
            ToNode::Rest => self.rest(node),
        }
    }

    /// Passes what somebody wants to whom this node takes for the owner.
    fn forward(&mut self, node: usize, ask: u64) {
        self.calls += 1;
        let call = self.calls;
        let from = self.life(node);
        let own = &mut self.nodes[node];
        let Some(wanted) = own.asks.get_mut(&ask) else { return };
        wanted.open.insert(call);
        let again = std::mem::replace(&mut wanted.again, true);
        let write = room::Write { caller: Caller::Request(call), again, ..wanted.write.clone() };
        let room = wanted.room;
        own.asked.insert(call, ask);
        let owner = own.placement.owner(room.shard()).cloned();
        let to = self.nodes.iter().position(|other| Some(&other.id) == owner.as_ref());
        if let Some(to) = to {
            let to = self.life(to);
            self.send(node, to, ToNode::Call { from, call, room, write });
        }
        self.later(AGAIN, AGAIN, Happening::Node(from, ToNode::Retry(ask)));
    }

    fn retry(&mut self, node: usize, ask: u64) {
        let Some(wanted) = self.nodes[node].asks.get(&ask) else { return };
        if self.now > wanted.since + GIVEN_UP {
            // Nothing is known; the client asks again with the same key.
            self.nodes[node].asks.remove(&ask);
        } else {
            self.forward(node, ask);
        }
    }

    fn called(&mut self, node: usize, from: Life, call: u64, room: RoomId, write: room::Write) {
        let own = &mut self.nodes[node];
        if own.placement.owner(room.shard()) != Some(&own.id) {
            return self.send(node, from, ToNode::Answer { call, answer: Answer::NotMine });
        }
        own.calls.insert(call, (from, room));
        match own.rooms.get_mut(&room) {
            Some(shell) if shell.machine.is_some() => {
                let stamp = shell.stamp;
                self.room_step(node, room, stamp, room::Input::Write(write));
            }
            Some(shell) => shell.stash.push((call, write)),
            None => {
                own.waiting.entry(room).or_default().push((call, write));
                self.shard_step(node, room.shard(), shard::Input::Wanted { room });
            }
        }
    }

    /// Tells who called what became of it.
    pub(crate) fn answer_call(&mut self, node: usize, call: u64, answer: Answer) {
        if let Some((from, _)) = self.nodes[node].calls.remove(&call) {
            self.send(node, from, ToNode::Answer { call, answer });
        }
    }

    fn answered(&mut self, node: usize, call: u64, answer: Answer) {
        let own = &mut self.nodes[node];
        let Some(ask) = own.asked.remove(&call) else { return };
        let Some(wanted) = own.asks.get_mut(&ask) else { return };
        wanted.open.remove(&call);
        let (client, room, key) = (wanted.client, wanted.room, wanted.write.client_id);
        match answer {
            Answer::Done(_) | Answer::Unchanged => {
                own.asks.remove(&ask);
                self.client_hears(client, room, key, answer);
            }
            Answer::Refused => {
                let is_certain = wanted.open.is_empty();
                own.asks.remove(&ask);
                // With another call of it somewhere nobody can say that it did not and will not happen.
                if is_certain {
                    self.client_hears(client, room, key, answer);
                }
            }
            Answer::NotMine | Answer::Ended => {
                let life = self.life(node);
                self.later(30, 120, Happening::Node(life, ToNode::Retry(ask)));
            }
        }
    }

    /// Takes what was fanned out, or reads what is missing before it.
    fn show(&mut self, node: usize, room: RoomId, events: &[Arc<Event>]) {
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return };
        let follow = self.nodes[node].follows.entry(room).or_default();
        if first.seq > follow.have + 1 {
            if !std::mem::replace(&mut follow.reading, true) {
                let range = (follow.have + 1, last.seq);
                let life = self.life(node);
                self.history.count("a hole was read from the log");
                self.read(life, room, Stamp(0), range, Purpose::Follow);
            }
            return;
        }
        self.follow(node, room, events);
    }

    fn follow(&mut self, node: usize, room: RoomId, events: &[Arc<Event>]) {
        let follow = self.nodes[node].follows.entry(room).or_default();
        for event in events {
            if event.seq == follow.have + 1 {
                follow.have += 1;
                follow.log.insert(event.seq, Arc::clone(event));
                self.history.shown(room, event);
            }
        }
    }

    pub(crate) fn followed(&mut self, node: usize, room: RoomId, range: (Seq, Seq), rows: &[fence::Row]) {
        self.nodes[node].follows.entry(room).or_default().reading = false;
        let expected = range.1 + 1 - range.0;
        if rows.len() as u64 != expected {
            let (from, through) = range;
            self.history.breach(format!("{room}: {from} to {through} were shown, and {} of them found", rows.len()));
        }
        let events: Vec<_> = rows.iter().map(|row| Arc::clone(&row.event)).collect();
        self.follow(node, room, &events);
    }

    pub(crate) fn follow_failed(&mut self, node: usize, room: RoomId) {
        self.nodes[node].follows.entry(room).or_default().reading = false;
    }
}
