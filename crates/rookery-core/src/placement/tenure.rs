//! Who holds which shard now, as those say who hold them: where a message for a room goes while its shard moves.
//!
//! Where a shard should live changes for everybody in one moment; the shards themselves follow one after the other. Until it
//! is a shard's turn its rooms go on where they are. What is said here is never part of an argument about who may commit:
//! who goes to the wrong node by it is sent back.

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

/// What was said, by shard. Of two that say that they hold one shard the later epoch is believed; who says that they hold it
/// no more is believed about themselves.
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
