//! Draining this node, for an operator or because it stops, and taking that back.

use std::time::Duration;

use tokio_util::task::AbortOnDropHandle;

use super::ClusterRouter;
use crate::{actors::hub::farewell, cluster::wire::call::Told};

/// How long giving back all shards may take.
const GIVING_BACK: Duration = Duration::from_secs(8);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

impl ClusterRouter {
    /// Gives every shard away; other nodes claim them.
    pub async fn give_everything_away(&self) {
        let Some(network) = self.network.get() else { return };
        network.set_draining(true).await;
        let given = async {
            while !self.router.owned().await.is_empty() {
                tokio::time::sleep(LOOK).await;
            }
        };
        if tokio::time::timeout(GIVING_BACK, given).await.is_err() {
            tracing::warn!("some shards were not given back in time; they are claimed from this node");
        }
    }

    /// Drains this node, or takes that back. It is not ready at once; its shards and its clients go one after the other, as
    /// when it stops, and whoever ordered it does not wait for that.
    pub(super) async fn drain_here(&self, on: bool) -> Told {
        let (Some(network), Some(me)) = (self.network.get(), self.me.upgrade()) else { return Told::NotHere };
        let mut leaving = self.leaving.lock().await;
        // One that is under way goes no further.
        drop(leaving.take());
        network.set_draining(on).await;
        if on {
            *leaving = Some(AbortOnDropHandle::new(self.router.shared.runtime.spawn(async move {
                me.give_everything_away().await;
                farewell::send_away(&me.router, "the node drains").await;
            })));
        } else {
            farewell::welcome(&self.router);
        }
        Told::Done
    }
}
