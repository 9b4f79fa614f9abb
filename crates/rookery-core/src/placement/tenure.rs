//! Who holds which shard now, as those say who hold them: where a message for a room goes while its shard moves.
//!
//! Where a shard should live changes for everybody in one moment; the shards themselves follow one after the other. Until it
//! is a shard's turn its rooms go on where they are. What is said here is never part of an argument about who may commit:
//! who goes to the wrong node by it is sent back. Where two contradict each other, the row of the shard says who is right.

use std::collections::BTreeMap;

use super::NodeId;
use crate::{ids::ShardId, shard::Epoch};

/// One life of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// The node.
    pub node: NodeId,
    /// A later life has a larger number.
    pub incarnation: u64,
}

/// What was said, by shard. Of two that say that they hold one shard the later epoch may be the right one, which its row says;
/// who says that they hold it no more is believed about themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tenures {
    told: BTreeMap<ShardId, (Epoch, Life)>,
}

impl Tenures {
    /// A life says that it holds a shard under this epoch; whether that is news.
    pub fn held(&mut self, shard: ShardId, by: Life, epoch: Epoch) -> bool {
        let is_news = self.told.get(&shard).is_none_or(|(known, _)| *known < epoch);
        if is_news {
            self.told.insert(shard, (epoch, by));
        }
        is_news
    }

    /// Whether somebody else was told of who may still hold it, so that one of the two is wrong or late.
    #[must_use]
    pub fn contradicts(&self, shard: ShardId, by: &Life, epoch: Epoch) -> bool {
        self.told.get(&shard).is_some_and(|(known, holder)| *known < epoch && holder != by)
    }

    /// What was told of a shard, and is believed.
    #[must_use]
    pub fn told(&self, shard: ShardId) -> Option<&(Epoch, Life)> {
        self.told.get(&shard)
    }

    /// The shard's own row was read, after `seen` had been told of it, and says that this life holds it, or nobody who is
    /// known; whether that is news. What was told since then is newer than the row.
    pub fn decided(&mut self, shard: ShardId, seen: Option<&(Epoch, Life)>, stands: Option<(Epoch, Life)>) -> bool {
        if self.told.get(&shard) != seen || seen == stands.as_ref() {
            return false;
        }
        match stands {
            Some(stands) => self.told.insert(shard, stands),
            None => self.told.remove(&shard),
        };
        true
    }

    /// A life says that it does not hold a shard; whether that is news.
    pub fn let_go(&mut self, shard: ShardId, by: &Life) -> bool {
        let is_news = self.holder(shard) == Some(by);
        if is_news {
            self.told.remove(&shard);
        }
        is_news
    }

    /// Who holds a shard.
    #[must_use]
    pub fn holder(&self, shard: ShardId) -> Option<&Life> {
        self.told.get(&shard).map(|(_, life)| life)
    }

    /// The shards that a life holds, with their epochs.
    pub fn of(&self, life: &Life) -> impl Iterator<Item = (ShardId, Epoch)> {
        self.told.iter().filter(move |(_, (_, holder))| holder == life).map(|(shard, (epoch, _))| (*shard, *epoch))
    }

    /// Lives that are over hold nothing.
    pub fn keep(&mut self, is_alive: impl Fn(&Life) -> bool) {
        self.told.retain(|_, (_, life)| is_alive(life));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHARD: ShardId = ShardId(7);

    fn life(incarnation: u64) -> Life {
        Life { node: NodeId::from("a"), incarnation }
    }

    #[test]
    fn the_later_epoch_is_believed_and_everybody_about_themselves() {
        let mut tenures = Tenures::default();
        assert!(tenures.held(SHARD, life(1), 5));
        assert!(!tenures.held(SHARD, life(2), 4), "what came late is no news");
        assert!(!tenures.let_go(SHARD, &life(2)));
        assert_eq!(tenures.holder(SHARD), Some(&life(1)));
        assert!(tenures.let_go(SHARD, &life(1)) && !tenures.let_go(SHARD, &life(1)));
        assert_eq!(tenures.holder(SHARD), None);
        assert!(tenures.held(SHARD, life(2), 6));
        assert_eq!(tenures.of(&life(2)).collect::<Vec<_>>(), [(SHARD, 6)]);
        tenures.keep(|life| life.incarnation != 2);
        assert_eq!(tenures.holder(SHARD), None);
    }

    #[test]
    fn of_two_who_contradict_each_other_the_row_of_the_shard_says_who_is_right() {
        let mut tenures = Tenures::default();
        assert!(!tenures.contradicts(SHARD, &life(1), 5), "nobody else was told of");
        assert!(tenures.held(SHARD, life(1), 5));
        assert!(!tenures.contradicts(SHARD, &life(1), 6), "about themselves");
        assert!(!tenures.contradicts(SHARD, &life(2), 4), "late, and not believed anyway");
        assert!(tenures.contradicts(SHARD, &life(2), 900));

        let seen = tenures.told(SHARD).cloned();
        assert!(!tenures.decided(SHARD, seen.as_ref(), Some((5, life(1)))), "it was so");
        assert!(tenures.decided(SHARD, seen.as_ref(), Some((6, life(2)))), "the other one was right");
        assert!(!tenures.decided(SHARD, seen.as_ref(), Some((5, life(1)))), "something was told since");
        assert_eq!(tenures.told(SHARD), Some(&(6, life(2))));
        let seen = tenures.told(SHARD).cloned();
        assert!(tenures.decided(SHARD, seen.as_ref(), None), "it was given back");
        assert_eq!(tenures.holder(SHARD), None);
    }

    #[test]
    fn who_lied_about_its_epoch_does_not_keep_the_next_holder_out() {
        let mut tenures = Tenures::default();
        assert!(tenures.held(SHARD, life(1), Epoch::MAX));
        let seen = tenures.told(SHARD).cloned();
        assert!(tenures.decided(SHARD, seen.as_ref(), Some((5, life(1)))));
        assert!(tenures.held(SHARD, life(2), 6));
    }

    proptest! {
        /// Each epoch has a holder, who says that it has the shard and, but for the last perhaps, that it has it no more.
        /// Each is heard in the order in which it speaks. Whatever the order otherwise: who has heard all knows who holds it.
        #[test]
        fn who_has_heard_everybody_out_knows_who_holds_it(
            mut order in proptest::collection::vec(1_u64..6, 12).prop_shuffle(),
            last_ended in any::<bool>(),
        ) {
            order.extend((1..6).chain(1..6));
            let mut tenures = Tenures::default();
            let mut said = [0; 6];
            for epoch in order {
                let index = usize::try_from(epoch).unwrap();
                said[index] += 1;
                match said[index] {
                    1 => drop(tenures.held(SHARD, life(epoch), epoch)),
                    2 if epoch < 5 || last_ended => drop(tenures.let_go(SHARD, &life(epoch))),
                    _ => {}
                }
            }
            let stands = (!last_ended).then(|| life(5));
            prop_assert_eq!(tenures.holder(SHARD), stands.as_ref());
        }
    }
}
