//! A node alone, as operators see it: a cluster of one.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use rookery_core::ids::{RoomId, SHARDS, ShardId};

use super::{
    Router, digest,
    ports::{ClusterView, Digest, LinkView, NodeState, NotDone, ShardMove, ShardView},
};

/// A node alone.
pub struct Single(pub Arc<Router>);

impl Single {
    fn name(&self) -> String {
        self.0.shared.node.clone()
    }
}

/// A room's log as this node sees it; `None`: the store does not answer.
pub async fn digest_here(router: &Router, room: RoomId) -> Option<Digest> {
    let (head, hash) = digest::digest(&*router.shared.log, room).await.ok()?;
    let epoch = router.epoch_of(room.shard()).await;
    Some(Digest { node: router.shared.node.clone(), epoch, head, digest: digest::hex(&hash) })
}

impl ClusterView for Single {
    fn nodes(&self) -> Vec<NodeState> {
        vec![NodeState {
            node: self.name(),
            incarnation: None,
            here: true,
            url: None,
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            address: None,
            draining: false,
            since: None,
        }]
    }

    fn links(&self) -> BoxFuture<'_, Vec<LinkView>> {
        async { Vec::new() }.boxed()
    }

    fn shards(&self) -> BoxFuture<'_, Vec<ShardView>> {
        async {
            let owned: BTreeMap<_, _> = self.0.owned().await.into_iter().collect();
            let view = |shard: ShardId| {
                let epoch = owned.get(&shard).copied();
                let why = match epoch {
                    Some(_) => "there is no other node",
                    None => "there is no other node; nobody has it, so it is claimed when it is needed",
                };
                let holder = epoch.map(|epoch| (self.name(), epoch));
                ShardView { shard, holder, owner: Some(self.name()), moved: false, why: why.to_owned() }
            };
            (0..SHARDS).map(ShardId).map(view).collect()
        }
        .boxed()
    }

    fn owner(&self, _: ShardId) -> Option<String> {
        Some(self.name())
    }

    fn drain(&self, node: String, _: bool) -> BoxFuture<'_, Result<(), NotDone>> {
        let refused = if node == self.name() { NotDone::Alone } else { NotDone::NoSuchNode };
        async move { Err(refused) }.boxed()
    }

    fn is_draining(&self) -> bool {
        false
    }

    fn move_shard(&self, _: ShardId, to: Option<String>, _: bool) -> BoxFuture<'_, Result<ShardMove, NotDone>> {
        let is_here = to.is_none_or(|to| to == self.name());
        async move { Err(if is_here { NotDone::Alone } else { NotDone::NoSuchNode }) }.boxed()
    }

    fn digests(&self, room: RoomId) -> BoxFuture<'_, Vec<Digest>> {
        async move { digest_here(&self.0, room).await.into_iter().collect() }.boxed()
    }
}
