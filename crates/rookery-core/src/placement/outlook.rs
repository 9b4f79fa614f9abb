//! What one process knows of the others, and so whether who holds a shard by its row is there.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Duty, Holder, NodeId};
use crate::{fence::Owner, ids::ShardId, time::Millis};

/// How long a process waits for news before it acts; in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// After its start, before it claims anything: it sees few others at first, and would take itself for the owner of what
    /// is theirs.
    pub settling_in: i64,
    /// After its start, before it takes somebody of whom it never heard for dead.
    pub unheard: i64,
    /// Before it takes a shard back from somebody who took it while they seemed dead.
    pub take_back: i64,
    /// For a failure to be noticed: who falls silent no longer than this after they took a shard seemed dead when they did.
    pub noticing: i64,
    /// For somebody who is alive to hand over what they were asked for; after that it is taken from them.
    pub asked: i64,
}

impl Default for Patience {
    fn default() -> Self {
        Self { settling_in: 2_000, unheard: 10_000, take_back: 30_000, noticing: 5_000, asked: 3_000 }
    }
}

/// The newest life of a node that was heard of, whether it is there, and since when that is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    incarnation: Uuid,
    is_alive: bool,
    since: Millis,
}

/// Somebody who is asked for a shard again and again.
#[derive(Clone, Debug)]
struct Asked {
    holder: Owner,
    since: Millis,
    latest: Millis,
}

/// What a process knows. A later life of a node has a larger incarnation.
#[derive(Clone, Debug)]
pub struct Outlook {
    me: Owner,
    since: Millis,
    patience: Patience,
    seen: BTreeMap<NodeId, Seen>,
    /// When it found out that others have what was its own; one entry a shard at most.
    lost: BTreeMap<ShardId, Millis>,
    /// Whom it asks for what they hold; one entry a shard at most.
    asked: BTreeMap<ShardId, Asked>,
    /// Since when it knows of holders that are later lives than it has heard of; one entry a shard at most.
    strange: BTreeMap<ShardId, (Owner, Millis)>,
}

impl Outlook {
    /// A process that starts now and has heard of nobody.
    #[must_use]
    pub const fn new(me: Owner, patience: Patience, now: Millis) -> Self {
        Self {
            me,
            since: now,
            patience,
            seen: BTreeMap::new(),
            lost: BTreeMap::new(),
            asked: BTreeMap::new(),
            strange: BTreeMap::new(),
        }
    }

    /// This process.
    #[must_use]
    pub const fn me(&self) -> &Owner {
        &self.me
    }

    /// Hears how a life of a node is. What is said of a life before the newest is no news.
    pub fn sees(&mut self, other: &Owner, is_alive: bool, now: Millis) {
        let news = Seen { incarnation: other.incarnation, is_alive, since: now };
        let known = self.seen.entry(other.node.clone()).or_insert(news);
        let is_as_before = (known.incarnation, known.is_alive) == (news.incarnation, news.is_alive);
        if known.incarnation <= other.incarnation && !is_as_before {
            *known = news;
        }
    }

    /// Hears who is alive: all of them, so that who is not among them is dead.
    pub fn sees_all(&mut self, alive: &[Owner], now: Millis) {
        let is_gone = |(node, seen): &(&NodeId, &Seen)| {
            seen.is_alive && !alive.iter().any(|one| one.node == **node && one.incarnation == seen.incarnation)
        };
        let gone = self.seen.iter().filter(is_gone);
        let gone: Vec<Owner> =
            gone.map(|(node, seen)| Owner { node: node.clone(), incarnation: seen.incarnation }).collect();
        gone.iter().for_each(|owner| self.sees(owner, false, now));
        alive.iter().for_each(|owner| self.sees(owner, true, now));
    }

    /// Finds out that another process has what was its own.
    pub fn lost(&mut self, shard: ShardId, now: Millis) {
        self.lost.insert(shard, now);
    }

    /// Milliseconds until it takes its part.
    #[must_use]
    pub const fn settles_in(&self, now: Millis) -> i64 {
        let left = self.patience.settling_in - now.since(self.since);
        if left > 0 { left } else { 0 }
    }

    /// Who holds a shard, by its row.
    #[must_use]
    pub fn holder(&self, shard: ShardId, row: Option<&Owner>, now: Millis) -> Holder {
        let Some(owner) = row else { return Holder::Nobody };
        if *owner == self.me {
            return Holder::Me;
        }
        let node = owner.node.clone();
        let me =
            (node == self.me.node).then_some(Seen { incarnation: self.me.incarnation, is_alive: true, since: now });
        let Some(seen) = me.or_else(|| self.seen.get(&node).copied()) else { return self.unheard(node, now) };
        // Who took it seemed dead then and was not. Who was seen alive afterwards, and then fell silent, is another matter.
        let took_over = self.lost.get(&shard).is_some_and(|lost| {
            now.since(*lost) < self.patience.take_back && seen.since.since(*lost) <= self.patience.noticing
        });
        match (owner.incarnation.cmp(&seen.incarnation), seen.is_alive) {
            (_, false) if took_over => Holder::TookOver(node),
            (std::cmp::Ordering::Less, _) | (std::cmp::Ordering::Equal, false) => Holder::Dead(node),
            (std::cmp::Ordering::Equal, true) => self.alive(shard, owner, now),
            (std::cmp::Ordering::Greater, _) => self.later_life(shard, owner, now),
        }
    }

    fn unheard(&self, node: NodeId, now: Millis) -> Holder {
        if now.since(self.since) < self.patience.unheard { Holder::Unheard(node) } else { Holder::Dead(node) }
    }

    /// A life that has claimed something and of which nobody has told yet. One that ended before anybody could is never heard of.
    fn later_life(&self, shard: ShardId, owner: &Owner, now: Millis) -> Holder {
        let known = self.strange.get(&shard).filter(|(of, _)| of == owner);
        match known {
            Some((_, since)) if now.since(*since) >= self.patience.unheard => Holder::Dead(owner.node.clone()),
            _ => Holder::Unheard(owner.node.clone()),
        }
    }

    fn alive(&self, shard: ShardId, owner: &Owner, now: Millis) -> Holder {
        match self.asked.get(&shard).filter(|asked| self.goes_on(asked, owner, now)) {
            Some(asked) if now.since(asked.since) >= self.patience.asked => Holder::Silent(owner.node.clone()),
            _ => Holder::Alive(owner.node.clone()),
        }
    }

    /// Whether this very holder was asked a moment ago: what was asked long before has nothing to do with now.
    fn goes_on(&self, asked: &Asked, holder: &Owner, now: Millis) -> bool {
        asked.holder == *holder && now.since(asked.latest) < self.patience.asked
    }

    /// What this process has to do about a shard that `owner` should have. Asking its holder counts from the first time on.
    pub fn duty(&mut self, shard: ShardId, owner: Option<&NodeId>, row: Option<&Owner>, now: Millis) -> Duty {
        let duty = Duty::of(owner, &self.me.node, &self.holder(shard, row, now));
        match (&duty, row) {
            (Duty::AskFor(_), Some(row)) => {
                let before = self.asked.get(&shard).filter(|asked| self.goes_on(asked, row, now));
                let since = before.map_or(now, |asked| asked.since);
                self.asked.insert(shard, Asked { holder: row.clone(), since, latest: now });
            }
            // What it had itself before it started anew it need not think about.
            (Duty::Claim, row) if self.settles_in(now) > 0 && row.is_none_or(|row| row.node != self.me.node) => {
                return Duty::Wait;
            }
            (Duty::Claim, _) => {
                self.asked.remove(&shard);
                self.strange.remove(&shard);
            }
            (Duty::Wait, Some(row)) => {
                let strange = self.strange.entry(shard).or_insert_with(|| (row.clone(), now));
                if strange.0 != *row {
                    *strange = (row.clone(), now);
                }
            }
            _ => {}
        }
        duty
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARD: ShardId = ShardId(7);

    fn owner(node: &str, life: u128) -> Owner {
        Owner { node: NodeId::from(node), incarnation: Uuid::from_u128(life) }
    }

    /// A process that started long ago.
    fn settled(alive: &[Owner]) -> Outlook {
        let mut outlook = Outlook::new(owner("a", 5), Patience::default(), Millis(0));
        outlook.sees_all(alive, Millis(0));
        outlook
    }

    fn duty(outlook: &mut Outlook, row: &Owner, now: i64) -> Duty {
        outlook.duty(SHARD, Some(&NodeId::from("a")), Some(row), Millis(now))
    }

    #[test]
    fn who_has_just_come_waits_before_it_claims() {
        let mut outlook = settled(&[]);
        let mut duty_about_nobody = |now| outlook.duty(SHARD, Some(&NodeId::from("a")), None, Millis(now));
        assert_eq!([0, 1_999, 2_000].map(&mut duty_about_nobody), [Duty::Wait, Duty::Wait, Duty::Claim]);
        assert_eq!(duty(&mut outlook, &owner("a", 4), 0), Duty::Claim, "it had that itself before it started anew");
    }

    #[test]
    fn a_holder_of_whom_nobody_heard_is_not_thereby_dead() {
        let mut outlook = settled(&[]);
        let row = owner("b", 1);
        assert_eq!([9_999, 10_000].map(|now| duty(&mut outlook, &row, now)), [Duty::Wait, Duty::Claim]);
        outlook.sees(&owner("b", 1), true, Millis(10_001));
        assert_eq!(duty(&mut outlook, &row, 10_001), Duty::AskFor(NodeId::from("b")));
        outlook.sees_all(&[], Millis(10_002));
        assert_eq!(duty(&mut outlook, &row, 10_002), Duty::Claim, "heard of, and then declared dead");
    }

    #[test]
    fn an_earlier_life_is_dead_and_a_later_one_is_not_heard_of_yet() {
        let mut outlook = settled(&[owner("b", 3)]);
        assert_eq!(duty(&mut outlook, &owner("b", 2), 3_000), Duty::Claim);
        let later = owner("b", 4);
        assert_eq!([20_000, 29_999].map(|now| duty(&mut outlook, &later, now)), [Duty::Wait, Duty::Wait]);
        assert_eq!(duty(&mut outlook, &later, 30_000), Duty::Claim, "it ended before anybody heard of it");
        assert_eq!(duty(&mut outlook, &owner("a", 4), 3_000), Duty::Claim, "an earlier life of this very node");
        outlook.sees(&owner("b", 4), true, Millis(3_000));
        outlook.sees(&owner("b", 3), false, Millis(3_000));
        assert_eq!(duty(&mut outlook, &owner("b", 4), 3_000), Duty::AskFor(NodeId::from("b")), "old news is no news");
    }

    #[test]
    fn what_somebody_took_who_seems_dead_is_not_taken_back_for_a_while() {
        let mut outlook = settled(&[owner("b", 1)]);
        outlook.sees_all(&[], Millis(22_000));
        outlook.lost(SHARD, Millis(20_000));
        let row = owner("b", 1);
        assert_eq!([49_999, 50_000].map(|now| duty(&mut outlook, &row, now)), [Duty::Wait, Duty::Claim]);
        assert_eq!(outlook.holder(ShardId(8), Some(&row), Millis(20_000)), Holder::Dead(NodeId::from("b")));
        // Heard again, it is asked and not robbed.
        outlook.sees(&row, true, Millis(50_001));
        assert_eq!(duty(&mut outlook, &row, 50_001), Duty::AskFor(NodeId::from("b")));
    }

    #[test]
    fn who_took_a_shard_and_died_long_afterwards_is_dead() {
        let (row, mut outlook) = (owner("b", 1), settled(&[owner("b", 1)]));
        outlook.lost(SHARD, Millis(20_000));
        outlook.sees_all(&[], Millis(25_001));
        assert_eq!(duty(&mut outlook, &row, 25_001), Duty::Claim);
    }

    #[test]
    fn who_is_asked_in_vain_loses_it_and_the_next_holder_is_asked_anew() {
        let mut outlook = settled(&[owner("b", 1), owner("c", 1)]);
        let (first, second) = (owner("b", 1), owner("c", 1));
        let ask = |node: &str| Duty::AskFor(NodeId::from(node));
        assert_eq!([3_000, 5_999].map(|now| duty(&mut outlook, &first, now)), [ask("b"), ask("b")]);
        assert_eq!(duty(&mut outlook, &second, 6_000), ask("c"));
        assert_eq!([8_999, 9_000].map(|now| duty(&mut outlook, &second, now)), [ask("c"), Duty::Claim]);
        // Asked long ago is not asked in vain now.
        assert_eq!([20_000, 90_000].map(|now| duty(&mut outlook, &first, now)), [ask("b"), ask("b")]);
    }
}
