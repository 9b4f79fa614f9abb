//! Nodes that see each other late and differently, one store that has the rows of the shards, and time in milliseconds.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, VecDeque},
};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rookery_core::{
    ids::{SHARDS, ShardId},
    placement::{NodeId, Outlook, Placement},
};

use crate::tally::Tally;

/// Milliseconds between two rounds of gossip.
const GOSSIP: u64 = 500;
/// Milliseconds in which a death is noticed, by each node for itself.
const DETECTION: std::ops::Range<u64> = 2_000..4_000;
/// Milliseconds from a node to another, and to the store for a read and for a compare-and-set.
pub(crate) const MESSAGE: std::ops::Range<u64> = 1..5;
pub(crate) const READ: std::ops::Range<u64> = 2..10;
pub(crate) const SWAP: std::ops::Range<u64> = 5..30;
/// Milliseconds until the rooms of a shard that is handed over have come to rest.
pub(crate) const REST: std::ops::Range<u64> = 20..200;
/// Milliseconds after which a node looks again at what it has not got.
const TICK: u64 = 1_000;
/// Milliseconds that a node waits for more news before it acts on some.
pub(crate) const MORE_NEWS: u64 = 200;
/// Shards that a node sees to at a time.
pub(crate) const AT_ONCE: usize = 32;

/// What a node knows of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    Unheard,
    Alive,
    Draining,
    Gone,
}

/// One life of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Life {
    pub(crate) node: usize,
    pub(crate) number: u32,
}

pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) is_up: bool,
    pub(crate) draining: bool,
    pub(crate) number: u32,
    /// What it knows of the others; the rules are those of the core.
    pub(crate) outlook: Outlook,
    /// The life of each other node that was seen last, and how.
    pub(crate) sights: Vec<(u32, Sight)>,
    pub(crate) placement: Placement,
    /// A look at everything is planned.
    pub(crate) looks: bool,
    /// Shards that it claimed and has not given back, as far as it knows.
    pub(crate) mine: BTreeSet<u16>,
    /// Shards that wait until one of those that are seen to is done; each once, so never more than there are.
    pub(crate) queue: VecDeque<u16>,
    pub(crate) busy: BTreeSet<u16>,
}

/// The row of a shard.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Row {
    pub(crate) holder: Option<Life>,
    pub(crate) epoch: u64,
    /// Since when nobody has it who can do anything.
    pub(crate) orphaned: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    Sees {
        who: Life,
        whom: Life,
        up: bool,
        draining: bool,
    },
    /// Hears again from somebody who had fallen silent.
    HearsAgain {
        who: Life,
        whom: Life,
    },
    Ticks {
        who: Life,
    },
    Looks {
        who: Life,
    },
    Reads {
        who: Life,
        shard: u16,
    },
    Swaps {
        who: Life,
        shard: u16,
        from: u64,
        keep: bool,
        tell: Option<usize>,
    },
    /// A holder says that somebody else should have the shard.
    Offers {
        from: Life,
        to: usize,
        shard: u16,
    },
    /// Somebody who should have the shard wants it.
    Asks {
        from: Life,
        to: usize,
        shard: u16,
    },
    Rests {
        who: Life,
        to: Option<usize>,
        shard: u16,
    },
    /// A holder has given the shard back, and says so to who wanted it.
    Free {
        from: Life,
        to: usize,
        shard: u16,
        epoch: u64,
    },
}

pub(crate) struct Cluster {
    pub(crate) now: u64,
    pub(crate) events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    pub(crate) count: u64,
    pub(crate) chance: ChaCha8Rng,
    pub(crate) nodes: Vec<Node>,
    pub(crate) rows: Vec<Row>,
    pub(crate) tally: Tally,
}

impl Cluster {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            now: 0,
            events: BinaryHeap::new(),
            count: 0,
            chance: ChaCha8Rng::seed_from_u64(seed),
            nodes: Vec::new(),
            rows: vec![Row::default(); usize::from(SHARDS)],
            tally: Tally::default(),
        }
    }

    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    pub(crate) fn plan(&mut self, delay: u64, event: Event) {
        self.count += 1;
        self.events.push(Reverse((self.now + delay, self.count, event)));
    }

    pub(crate) fn draw(&mut self, range: std::ops::Range<u64>) -> u64 {
        self.chance.random_range(range)
    }

    pub(crate) fn life(&self, node: usize) -> Life {
        Life { node, number: self.nodes[node].number }
    }

    pub(crate) fn is_up(&self, life: Life) -> bool {
        self.nodes[life.node].is_up && self.nodes[life.node].number == life.number
    }

    /// Milliseconds until gossip has brought something to one of so many nodes.
    pub(crate) fn gossip(&mut self) -> u64 {
        // Each round, whoever knows tells three others.
        let rounds = (self.nodes.len() as f64).log(4.0).ceil() as u64 + 1;
        self.draw(1..GOSSIP * rounds)
    }

    /// A node starts: a new one, or one that was there before.
    pub(crate) fn start(&mut self, node: Option<usize>) {
        let node = node.unwrap_or(self.nodes.len());
        let others = self.nodes.len().max(node + 1);
        if node == self.nodes.len() {
            let id = NodeId::from(format!("node-{node}").as_str());
            let outlook = self.outlook(&id, Life { node, number: 0 });
            self.nodes.push(Node {
                id,
                is_up: false,
                draining: false,
                number: 0,
                outlook,
                sights: Vec::new(),
                placement: Placement::new(),
                looks: false,
                mine: BTreeSet::new(),
                queue: VecDeque::new(),
                busy: BTreeSet::new(),
            });
        }
        let number = self.nodes[node].number + 1;
        let outlook = self.outlook(&self.nodes[node].id, Life { node, number });
        let own = &mut self.nodes[node];
        (own.is_up, own.draining, own.number, own.outlook) = (true, false, number, outlook);
        own.sights = vec![(0, Sight::Unheard); others];
        own.placement = Placement::new();
        own.placement.set(&own.id.clone(), false);
        own.queue.clear();
        own.busy.clear();
        own.mine.clear();
        own.looks = true;
        self.announce(node);
        let ups: Vec<usize> =
            (0..self.nodes.len()).filter(|other| *other != node && self.nodes[*other].is_up).collect();
        for other in ups {
            let delay = self.gossip();
            let (whom, draining) = (self.life(other), self.nodes[other].draining);
            self.plan(delay, Event::Sees { who: self.life(node), whom, up: true, draining });
        }
        let delay = self.draw(READ);
        self.plan(delay, Event::Looks { who: self.life(node) });
        let delay = self.settles_in(node) + self.draw(1..TICK);
        self.plan(delay, Event::Ticks { who: self.life(node) });
    }

    /// Everybody hears, each in time, how a node is now.
    fn announce(&mut self, node: usize) {
        let whom = self.life(node);
        let (up, draining) = (self.nodes[node].is_up, self.nodes[node].draining);
        for other in 0..self.nodes.len() {
            if other != node && self.nodes[other].is_up {
                let delay = self.gossip();
                self.plan(delay, Event::Sees { who: self.life(other), whom, up, draining });
            }
        }
    }

    /// A node is asked to give away what it has.
    pub(crate) fn drain(&mut self, node: usize) {
        let own = &mut self.nodes[node];
        own.draining = true;
        own.placement.set(&own.id.clone(), true);
        self.announce(node);
        self.look(node);
    }

    /// Goes on until a node that drains has nothing any more.
    pub(crate) fn pass_until_empty(&mut self, node: usize) {
        while self.held(node) > 0 {
            self.pass(20);
        }
    }

    /// A node that has given everything away goes.
    pub(crate) fn leave(&mut self, node: usize) {
        self.nodes[node].is_up = false;
        self.announce(node);
    }

    /// A node is gone from one moment to the next.
    pub(crate) fn kill(&mut self, node: usize) {
        let whom = self.life(node);
        self.nodes[node].is_up = false;
        for other in 0..self.nodes.len() {
            if other != node && self.nodes[other].is_up {
                let delay = self.draw(DETECTION);
                self.plan(delay, Event::Sees { who: self.life(other), whom, up: false, draining: false });
            }
        }
        let now = self.now;
        let held = self.rows.iter_mut().filter(|row| row.holder == Some(whom));
        held.for_each(|row| row.orphaned = now);
    }

    /// Two halves hear nothing of each other; both reach the store.
    pub(crate) fn split(&mut self) {
        for (who, whom) in self.across() {
            let delay = self.draw(DETECTION);
            self.plan(delay, Event::Sees { who, whom, up: false, draining: false });
        }
    }

    /// They hear of each other again.
    pub(crate) fn join(&mut self) {
        for (who, whom) in self.across() {
            let delay = self.gossip();
            self.plan(delay, Event::HearsAgain { who, whom });
        }
    }

    /// Who is on one side, and who on the other, both ways.
    fn across(&self) -> Vec<(Life, Life)> {
        let up: Vec<usize> = (0..self.nodes.len()).filter(|node| self.nodes[*node].is_up).collect();
        let pairs = up.iter().flat_map(|who| up.iter().map(move |whom| (*who, *whom)));
        let apart = pairs.filter(|(who, whom)| who % 2 != whom % 2);
        apart.map(|(who, whom)| (self.life(who), self.life(whom))).collect()
    }

    /// How many shards a node has.
    pub(crate) fn held(&self, node: usize) -> usize {
        self.rows.iter().filter(|row| row.holder == Some(self.life(node))).count()
    }

    pub(crate) fn held_by_each(&self) -> Vec<usize> {
        let up = (0..self.nodes.len()).filter(|node| self.nodes[*node].is_up);
        up.map(|node| self.held(node)).collect()
    }

    /// Where everything should be, for somebody who sees all as it is.
    pub(crate) fn placement(&self) -> Placement {
        let mut placement = Placement::new();
        for node in self.nodes.iter().filter(|node| node.is_up) {
            placement.set(&node.id, node.draining);
        }
        placement
    }

    /// Whether everything is where it should be by this placement.
    pub(crate) fn is_settled(&self, placement: &Placement) -> bool {
        (0..SHARDS).all(|shard| {
            let holder = self.rows[usize::from(shard)].holder.filter(|holder| self.is_up(*holder));
            placement.owner(ShardId(shard)) == holder.map(|holder| &self.nodes[holder.node].id)
        })
    }

    /// Goes on until everything is where it should be, at most so many milliseconds. Whether it came to that.
    pub(crate) fn settle(&mut self, most: u64) -> bool {
        let placement = self.placement();
        let end = self.now + most;
        while !self.is_settled(&placement) && self.now < end {
            self.pass(10);
        }
        self.is_settled(&placement)
    }

    /// Goes on for so many milliseconds.
    pub(crate) fn pass(&mut self, millis: u64) {
        let end = self.now + millis;
        while self.events.peek().is_some_and(|Reverse((at, ..))| *at <= end) {
            self.advance();
        }
        self.now = end;
    }

    fn advance(&mut self) {
        let Some(Reverse((at, _, event))) = self.events.pop() else { return };
        self.now = at;
        match event {
            Event::Sees { who, whom, up, draining } if self.is_up(who) => self.sees(who.node, whom, up, draining),
            Event::HearsAgain { who, whom } if self.is_up(who) => {
                if let Some((_, sight)) = self.nodes[who.node].sights.get_mut(whom.node) {
                    *sight = Sight::Unheard;
                }
                self.sees(who.node, whom, true, self.nodes[whom.node].draining);
            }
            Event::Looks { who } if self.is_up(who) => {
                self.nodes[who.node].looks = false;
                self.look(who.node);
            }
            Event::Ticks { who } if self.is_up(who) => {
                self.look(who.node);
                self.plan(TICK, Event::Ticks { who });
            }
            Event::Reads { who, shard } if self.is_up(who) => self.reads(who, shard),
            Event::Swaps { who, shard, from, keep, tell } => self.swaps(who, shard, from, keep, tell),
            Event::Offers { from, to, shard } => self.told(from, to, shard),
            Event::Asks { from, to, shard } => self.asked(from, to, shard),
            Event::Free { from, to, shard, epoch } => self.free(from, to, shard, epoch),
            Event::Rests { who, to, shard } if self.is_up(who) => {
                let (delay, from) = (self.draw(SWAP), self.rows[usize::from(shard)].epoch);
                self.plan(delay, Event::Swaps { who, shard, from, keep: false, tell: to });
            }
            _ => {}
        }
    }
}
