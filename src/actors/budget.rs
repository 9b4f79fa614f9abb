//! How much each user may write, over all their connections and requests: the share of this node.
//!
//! A user who is connected here has an equal part of their budget at each of the nodes where they are connected, as the
//! registry counts them. One who is not, and only makes requests, has one part for each node that there is. So all nodes
//! together give at most twice the budget, and somebody with one connection all of it.

use dashmap::{DashMap, Entry};
use rookery_core::{
    ids::UserId,
    limits::Limits,
    rate::{Bucket, Rate},
    time::Millis,
};

/// Users whose budget is kept at the most; those with a full one are forgotten first.
const KEPT: usize = 100_000;

/// Somebody who is connected here.
#[derive(Clone, Copy, Debug)]
struct Present {
    connections: u32,
    /// On how many nodes they are.
    nodes: u16,
}

/// A bucket per user who wrote lately.
#[derive(Default)]
pub struct Budget {
    buckets: DashMap<UserId, Bucket>,
    /// Who is connected here; one entry a user.
    present: DashMap<UserId, Present>,
}

impl Budget {
    /// Takes one write, where there are so many nodes.
    ///
    /// # Errors
    /// Milliseconds until there is one again.
    pub fn take(&self, user: UserId, limits: &Limits, nodes: u32, now: Millis) -> Result<(), u64> {
        let rate = Rate::per_second(limits.sends_per_second, limits.send_burst).share(self.shares(user, nodes));
        self.buckets.entry(user).or_insert_with(|| Bucket::full(rate, now)).take(rate, now)
    }

    /// Into how many parts a user's budgets are divided, where there are so many nodes.
    pub fn shares(&self, user: UserId, nodes: u32) -> u32 {
        let present = self.present.get(&user).filter(|present| present.connections > 0);
        present.map_or(nodes, |present| u32::from(present.nodes))
    }

    /// A connection of a user begins here.
    pub fn arrives(&self, user: UserId) {
        self.present.entry(user).or_insert(Present { connections: 0, nodes: 1 }).connections += 1;
    }

    /// A connection of a user has ended here.
    pub fn leaves(&self, user: UserId) {
        if let Entry::Occupied(mut entry) = self.present.entry(user) {
            let connections = entry.get().connections.saturating_sub(1);
            entry.get_mut().connections = connections;
            if connections == 0 {
                entry.remove();
            }
        }
    }

    /// The registry says on how many nodes a user is connected; perhaps right before their connection has its seat here.
    pub fn spread(&self, user: UserId, nodes: u16) {
        self.present.entry(user).or_insert(Present { connections: 0, nodes: 1 }).nodes = nodes.max(1);
    }

    /// Forgets the users whose budget is full again, since forgetting changes nothing for them; and who did not come.
    pub fn sweep(&self, limits: &Limits, now: Millis) {
        let rate = Rate::per_second(limits.sends_per_second, limits.send_burst);
        self.buckets.retain(|_, bucket| !bucket.is_full(rate, now));
        self.present.retain(|_, present| present.connections > 0);
        if self.buckets.len() > KEPT {
            self.buckets.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const NODES: u32 = 3;

    fn user(n: u128) -> UserId {
        UserId(Uuid::from_u128(n))
    }

    /// How much somebody may write at once who has not written yet.
    fn burst(budget: &Budget, user: UserId) -> usize {
        let limits = Limits { sends_per_second: 20, send_burst: 60, ..Limits::default() };
        (0..).take_while(|_| budget.take(user, &limits, NODES, Millis(0)).is_ok()).count()
    }

    #[test]
    fn a_budget_is_divided_by_the_nodes_where_a_user_is_connected() {
        for (spread, expected) in [(None, 60), (Some(1), 60), (Some(2), 30), (Some(7), 9)] {
            let budget = Budget::default();
            budget.arrives(user(1));
            spread.into_iter().for_each(|nodes| budget.spread(user(1), nodes));
            assert_eq!(burst(&budget, user(1)), expected, "on {spread:?} nodes");
        }
    }

    #[test]
    fn who_only_makes_requests_has_one_part_for_each_node() {
        let budget = Budget::default();
        budget.spread(user(1), 1);
        assert_eq!(burst(&budget, user(1)), 20, "what is said of who is not here changes nothing");
    }

    #[test]
    fn what_is_said_right_before_a_connection_has_its_seat_counts() {
        let budget = Budget::default();
        budget.spread(user(1), 2);
        budget.arrives(user(1));
        assert_eq!(burst(&budget, user(1)), 30);
        budget.spread(user(2), 2);
        budget.sweep(&Limits::default(), Millis(0));
        assert_eq!(budget.present.len(), 1, "who did not come is forgotten");
    }

    #[test]
    fn who_has_gone_is_forgotten() {
        let budget = Budget::default();
        budget.arrives(user(1));
        budget.arrives(user(1));
        budget.leaves(user(1));
        assert_eq!(budget.shares(user(1), NODES), 1);
        budget.leaves(user(1));
        budget.leaves(user(1));
        assert_eq!((budget.shares(user(1), NODES), budget.present.len()), (NODES, 0));
    }
}
