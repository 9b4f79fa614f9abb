//! What nodes do about shards: by what they see, by what they are told, and by what the store decides.

use rookery_core::{
    fence::Owner,
    ids::{SHARDS, ShardId},
    placement::{Duty, Holder, NodeId, Outlook, Patience},
    time::Millis,
};
use uuid::Uuid;

use crate::cluster::{AT_ONCE, Cluster, Event, Life, MESSAGE, MORE_NEWS, READ, REST, Row, SWAP, Sight};

impl Cluster {
    /// What a node knows when it starts.
    pub(crate) fn outlook(&self, id: &NodeId, life: Life) -> Outlook {
        // News takes longer to hundreds of nodes than to a few, and nobody here is silent for another reason.
        let patience = Patience { asked: 10_000, ..Patience::default() };
        Outlook::new(owner(id, life), patience, self.millis())
    }

    const fn millis(&self) -> Millis {
        Millis(self.now.cast_signed())
    }

    /// A life of a node as the owner of shards.
    fn owner(&self, life: Life) -> Owner {
        owner(&self.nodes[life.node].id, life)
    }

    /// Milliseconds until a node takes its part.
    pub(crate) fn settles_in(&self, node: usize) -> u64 {
        self.nodes[node].outlook.settles_in(self.millis()).unsigned_abs()
    }

    /// Whoever says something about a shard says with it how they are, and that is heard first: otherwise the two could
    /// not agree before gossip has told each about the other.
    pub(crate) fn hears(&mut self, from: Life, to: usize) -> bool {
        if self.nodes[to].is_up {
            let (up, draining) = (self.is_up(from), self.nodes[from.node].draining);
            self.sees(to, from, up, draining);
        }
        self.nodes[to].is_up
    }

    pub(crate) fn told(&mut self, from: Life, to: usize, shard: u16) {
        if self.hears(from, to) {
            self.consider(to, shard);
        }
    }

    /// A holder gives up what somebody asks for if it comes to the same end itself.
    pub(crate) fn asked(&mut self, from: Life, to: usize, shard: u16) {
        if !self.hears(from, to) || self.nodes[to].busy.contains(&shard) {
            return;
        }
        let (holder, own) = (self.holder(to, shard), &self.nodes[to]);
        let agreed = Duty::HandOver(self.nodes[from.node].id.clone());
        if own.placement.duty(ShardId(shard), &own.id, &holder) == agreed {
            self.nodes[to].busy.insert(shard);
            let delay = self.draw(REST);
            self.plan(delay, Event::Rests { who: self.life(to), to: Some(from.node), shard });
        }
    }

    pub(crate) fn free(&mut self, from: Life, to: usize, shard: u16, epoch: u64) {
        if !self.hears(from, to) || !self.nodes[to].busy.insert(shard) {
            return;
        }
        let own = &self.nodes[to];
        if own.placement.duty(ShardId(shard), &own.id, &Holder::Nobody) == Duty::Claim {
            let delay = self.draw(SWAP);
            return self.plan(delay, Event::Swaps { who: self.life(to), shard, from: epoch, keep: true, tell: None });
        }
        self.done(to, shard);
    }

    pub(crate) fn sees(&mut self, node: usize, whom: Life, up: bool, draining: bool) {
        let (id, other, now) = (self.nodes[whom.node].id.clone(), self.owner(whom), self.millis());
        let own = &mut self.nodes[node];
        if own.sights.len() <= whom.node {
            own.sights.resize(whom.node + 1, (0, Sight::Unheard));
        }
        let (number, sight) = &mut own.sights[whom.node];
        // What is older than what is known already says nothing: an earlier life, or one that was declared dead.
        if whom.number < *number || whom.number == *number && *sight == Sight::Gone {
            return;
        }
        let seen = match (up, draining) {
            (false, _) => Sight::Gone,
            (true, true) => Sight::Draining,
            (true, false) if whom.number == *number && *sight == Sight::Draining => return,
            (true, false) => Sight::Alive,
        };
        (*number, *sight) = (whom.number, seen);
        own.outlook.sees(&other, up, now);
        match seen {
            Sight::Gone | Sight::Unheard => own.placement.remove(&id),
            Sight::Draining => own.placement.set(&id, true),
            Sight::Alive => own.placement.set(&id, false),
        }
        if !std::mem::replace(&mut self.nodes[node].looks, true) {
            self.plan(self.settles_in(node).max(MORE_NEWS), Event::Looks { who: self.life(node) });
        }
    }

    /// Sees to every shard that a node has and should not, or should have and has not.
    pub(crate) fn look(&mut self, node: usize) {
        let (life, now) = (self.life(node), self.millis());
        let settles_in = self.settles_in(node) > 0;
        for shard in 0..SHARDS {
            let holder = self.rows[usize::from(shard)].holder;
            let has = holder == Some(life);
            if !has && self.nodes[node].mine.remove(&shard) {
                self.nodes[node].outlook.lost(ShardId(shard), now);
            }
            // What a node had itself before it started anew it need not think about.
            let had = holder.is_some_and(|holder| holder.node == node);
            let should = self.nodes[node].placement.owner(ShardId(shard)) == Some(&self.nodes[node].id);
            if has != should && (had || !settles_in) {
                self.consider(node, shard);
            }
        }
    }

    fn consider(&mut self, node: usize, shard: u16) {
        let own = &mut self.nodes[node];
        if !own.busy.contains(&shard) && !own.queue.contains(&shard) {
            own.queue.push_back(shard);
        }
        self.go_on(node);
    }

    fn go_on(&mut self, node: usize) {
        while self.nodes[node].busy.len() < AT_ONCE {
            let Some(shard) = self.nodes[node].queue.pop_front() else { return };
            self.nodes[node].busy.insert(shard);
            let delay = self.draw(READ);
            self.plan(delay, Event::Reads { who: self.life(node), shard });
        }
    }

    fn done(&mut self, node: usize, shard: u16) {
        self.nodes[node].busy.remove(&shard);
        self.go_on(node);
    }

    /// Who a shard's row names.
    fn named(&self, shard: u16) -> Option<Owner> {
        self.rows[usize::from(shard)].holder.map(|life| self.owner(life))
    }

    fn holder(&self, node: usize, shard: u16) -> Holder {
        self.nodes[node].outlook.holder(ShardId(shard), self.named(shard).as_ref(), self.millis())
    }

    pub(crate) fn reads(&mut self, who: Life, shard: u16) {
        let (row, now) = (self.named(shard), self.millis());
        let own = &mut self.nodes[who.node];
        let owner = own.placement.owner(ShardId(shard));
        match own.outlook.duty(ShardId(shard), owner, row.as_ref(), now) {
            Duty::Claim => {
                let (delay, from) = (self.draw(SWAP), self.rows[usize::from(shard)].epoch);
                return self.plan(delay, Event::Swaps { who, shard, from, keep: true, tell: None });
            }
            Duty::GiveBack => {
                let delay = self.draw(REST);
                return self.plan(delay, Event::Rests { who, to: None, shard });
            }
            Duty::HandOver(other) => self.say(&other, |to| Event::Offers { from: who, to, shard }),
            Duty::AskFor(other) => {
                self.tally.asked += 1;
                self.say(&other, |to| Event::Asks { from: who, to, shard });
            }
            Duty::Nothing | Duty::Wait => {}
        }
        self.done(who.node, shard);
    }

    fn say(&mut self, other: &NodeId, event: impl FnOnce(usize) -> Event) {
        let delay = self.draw(MESSAGE);
        if let Some(to) = self.nodes.iter().position(|node| node.id == *other) {
            self.plan(delay, event(to));
        }
    }

    /// The store decides: also for somebody who has died since.
    pub(crate) fn swaps(&mut self, who: Life, shard: u16, from: u64, keep: bool, tell: Option<usize>) {
        let row = self.rows[usize::from(shard)];
        self.tally.swaps += 1;
        if row.epoch != from {
            self.tally.lost_races += 1;
        } else if keep {
            let fenced = row.holder.is_some_and(|holder| holder != who && self.is_up(holder));
            self.tally.fenced_alive += u64::from(fenced);
            self.tally.claims += 1;
            if !fenced {
                self.tally.without_owner.push(self.now - row.orphaned);
            }
            self.rows[usize::from(shard)] = Row { holder: Some(who), epoch: from + 1, orphaned: self.now };
            if self.is_up(who) {
                self.nodes[who.node].mine.insert(shard);
            }
        } else {
            self.nodes[who.node].mine.remove(&shard);
            self.rows[usize::from(shard)] = Row { holder: None, epoch: from + 1, orphaned: self.now };
            self.tally.handed_over += 1;
            if let Some(to) = tell {
                let delay = self.draw(MESSAGE);
                self.plan(delay, Event::Free { from: who, to, shard, epoch: from + 1 });
            }
        }
        if self.is_up(who) {
            self.done(who.node, shard);
        }
    }
}

fn owner(id: &NodeId, life: Life) -> Owner {
    Owner { node: id.clone(), incarnation: Uuid::from_u128(life.number.into()) }
}
