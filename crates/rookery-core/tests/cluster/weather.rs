//! What goes wrong: nodes that die, stop, or are cut off from the store, from each other, or from both.

use crate::{
    node::Node,
    world::{Happening, NODES, ToNode, World},
};

impl World {
    /// One thing goes wrong with one node.
    pub(crate) fn weather(&mut self) {
        if !self.is_stormy() {
            // When all that is still out has come back, everybody sees everybody.
            return (0..NODES).for_each(|node| self.later(6_000, 6_500, Happening::Clears(node)));
        }
        let node = self.chance.below(NODES);
        let most = self.chance.between(300, 4_000);
        match self.chance.below(5) {
            0 => self.crash(node),
            // Long enough to be superseded, or not.
            1 => {
                self.nodes[node].paused_until = self.now + most;
                self.history.count("paused");
                self.seen_after_silence(node, most);
            }
            2 => {
                self.nodes[node].cut_from_store = true;
                self.later(most, most, Happening::Clears(node));
                self.history.count("cut off from the store");
            }
            3 => {
                self.nodes[node].cut_from_peers = true;
                self.later(most, most, Happening::Clears(node));
                self.history.count("cut off from its peers");
                self.seen_after_silence(node, most);
                // And it does not hear them.
                for other in (0..NODES).filter(|other| *other != node) {
                    let message = ToNode::Sees { other, alive: false };
                    self.later(800, 1_500, Happening::Node(self.life(node), message));
                    let message = ToNode::Sees { other, alive: true };
                    self.later(most + 100, most + 600, Happening::Node(self.life(node), message));
                }
            }
            _ => {
                (self.nodes[node].cut_from_store, self.nodes[node].cut_from_peers) = (true, true);
                self.later(most, most, Happening::Clears(node));
                self.seen_after_silence(node, most);
            }
        }
        self.later(200, 1_500, Happening::Weather);
    }

    fn crash(&mut self, node: usize) {
        if !self.nodes[node].is_up {
            return;
        }
        self.history.count("crashed");
        self.nodes[node].is_up = false;
        self.seen_after_silence(node, 0);
        self.later(100, 3_000, Happening::Start(node));
    }

    /// The others take a node for dead after a while, and see it again after that.
    fn seen_after_silence(&mut self, node: usize, silence: i64) {
        for other in (0..NODES).filter(|other| *other != node) {
            let to = self.life(other);
            let detection = self.chance.between(800, 1_500);
            if silence == 0 || silence > detection {
                self.plan(self.now + detection, Happening::Node(to, ToNode::Sees { other: node, alive: false }));
            }
            if silence > 0 {
                let message = ToNode::Sees { other: node, alive: true };
                self.later(silence + 50, silence + 600, Happening::Node(to, message));
            }
        }
    }

    pub(crate) fn seen_by_all(&mut self, node: usize, alive: bool) {
        for other in (0..NODES).filter(|other| *other != node) {
            let to = self.life(other);
            self.later(50, 600, Happening::Node(to, ToNode::Sees { other: node, alive }));
        }
    }

    /// A node starts, with nothing in its memory.
    pub(crate) fn start(&mut self, node: usize) {
        let life = self.nodes[node].life + 1;
        let followed = std::mem::take(&mut self.nodes[node].follows);
        self.history.end_of_following(node, followed);
        let fresh = Node::new(node);
        #[cfg(feature = "bugs")]
        let fresh = Node { bug: self.nodes[node].bug, ..fresh };
        self.nodes[node] = Node { life, is_up: true, ..fresh };
        self.seen_by_all(node, true);
        for other in (0..NODES).filter(|other| *other != node && self.nodes[*other].is_up).collect::<Vec<_>>() {
            let id = self.nodes[other].id.clone();
            self.nodes[node].placement.set(&id, false);
        }
    }
}
