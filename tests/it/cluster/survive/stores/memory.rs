//! What the nodes of a cluster hold in memory while something is done to them.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio_util::task::AbortOnDropHandle;

use crate::cluster::survive::nodes::Cluster;
use crate::support::process::resident;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(500);
/// What a node may need more than at the beginning: it has windows and queues, all bounded.
const MORE: u64 = 16 * 1024 * 1024;
/// What it may need more at the end than after a third of the time, when all that is bounded is full.
const GROWING: u64 = 4 * 1024 * 1024;

/// Looks of one node: when, and how many bytes.
type Looks = Vec<(Duration, u64)>;

/// Looks at the resident memory of every node, again and again.
pub(super) struct Memory {
    looks: Arc<Mutex<BTreeMap<String, Looks>>>,
    _watch: AbortOnDropHandle<()>,
}

impl Memory {
    pub(super) fn watch(cluster: &Cluster) -> Self {
        let nodes: Vec<(String, u32)> =
            cluster.names().into_iter().map(|name| (name.clone(), cluster.node(&name).process_id())).collect();
        let looks: Arc<Mutex<BTreeMap<String, Looks>>> = Arc::default();
        let (seen, begun) = (Arc::clone(&looks), Instant::now());
        let watch = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(LOOK);
            loop {
                ticks.tick().await;
                for (name, process) in &nodes {
                    seen.lock().entry(name.clone()).or_default().push((begun.elapsed(), resident(*process)));
                }
            }
        });
        Self { looks, _watch: AbortOnDropHandle::new(watch) }
    }

    /// No node needed much more than at the beginning, and none goes on growing.
    pub(super) fn stays_flat(self) {
        for (name, looks) in &*self.looks.lock() {
            let most = |from: Duration, to: Duration| {
                let between = looks.iter().filter(|(at, _)| (from..=to).contains(at));
                between.map(|(_, bytes)| *bytes).max().expect("a look")
            };
            let (end, first) = (looks[looks.len() - 1].0, looks[0].1);
            let (middle, last) = (most(end / 3, end * 2 / 3), most(end * 2 / 3, end));
            let kibibytes = [first, middle, last].map(|bytes| bytes / 1024);
            println!("{name} held {kibibytes:?} KiB: at the beginning, in the middle third, in the last third");
            assert!(middle.max(last) < first + MORE, "{name} needs too much more: {looks:?}");
            assert!(last < middle + GROWING, "{name} goes on growing: {looks:?}");
        }
    }
}
