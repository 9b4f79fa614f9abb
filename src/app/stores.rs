//! The store that the settings name: embedded in a folder, or that of a cluster.

use std::{sync::Arc, time::Duration};

use rookery_core::{fence::Owner, ids::RoomId, placement::NodeId};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{
    actors::{Router, room::RoomMessage},
    config::{Config, StoreKind, StoreSettings},
    store::{
        Answer, Directory, MessageLog, StoreError,
        cluster::{ClusterStore, Heads},
        cql::CqlSettings,
        sql::{PostgresSettings, PostgresStore, SqliteSettings, SqliteStore},
    },
};

/// How long a room's node is asked how far the room is.
const HEAD_TIME: Duration = Duration::from_secs(2);

/// The settings of the embedded store.
#[must_use]
pub fn embedded(config: &Config) -> SqliteSettings {
    SqliteSettings {
        folder: config.server.data.clone(),
        commit_events: config.store.commit_events,
        commit_millis: config.store.commit_millis,
        read_connections: usize::try_from(config.store.read_connections).unwrap_or(4),
        cache_mib: usize::try_from(config.store.cache_mib).unwrap_or(64),
    }
}

/// Where a cluster's directory is.
///
/// # Errors
/// It is not said.
pub fn postgres(store: &StoreSettings) -> anyhow::Result<PostgresSettings> {
    let url =
        store.postgres.clone().ok_or_else(|| anyhow::anyhow!("store.postgres is needed by this kind of store"))?;
    Ok(PostgresSettings::new(url))
}

/// Where a cluster's logs are, and who owns shards there.
#[must_use]
pub fn cql(store: &StoreSettings, node: &str) -> CqlSettings {
    let owner = Owner { node: NodeId::from(node), incarnation: Uuid::now_v7() };
    CqlSettings { replication: store.replication, ..CqlSettings::new(store.cql.clone(), store.keyspace.clone(), owner) }
}

/// An open store.
pub(super) enum Store {
    Embedded(Arc<SqliteStore>),
    Cluster(Arc<ClusterStore>),
}

impl Store {
    /// Opens it, for the node of this name.
    pub(super) async fn open(config: &Config, node: &str) -> anyhow::Result<Self> {
        match config.store.kind {
            StoreKind::Embedded if config.cluster.node.is_some() => {
                anyhow::bail!(
                    "setting `store.kind`: must be `cluster`, since `cluster.node` is set: nodes share their store"
                )
            }
            StoreKind::Embedded => Ok(Self::Embedded(SqliteStore::open(embedded(config)).await?)),
            StoreKind::Cluster => {
                let directory = PostgresStore::open(postgres(&config.store)?).await?;
                if let Some((_, false)) = directory.moved().await? {
                    anyhow::bail!(
                        "a move into this store is not finished: run `rookery migrate embedded-to-cluster` to its end first"
                    );
                }
                let store = ClusterStore::open(&cql(&config.store, node), Arc::new(directory)).await?;
                Ok(Self::Cluster(Arc::new(store)))
            }
        }
    }

    pub(super) fn log(&self) -> Arc<dyn MessageLog> {
        match self {
            Self::Embedded(store) => Arc::clone(store) as _,
            Self::Cluster(store) => Arc::clone(store) as _,
        }
    }

    pub(super) fn directory(&self) -> Arc<dyn Directory> {
        match self {
            Self::Embedded(store) => Arc::clone(store) as _,
            Self::Cluster(store) => Arc::clone(store) as _,
        }
    }

    /// Rooms of other nodes are asked there how far they are.
    pub(super) fn ask_rooms(&self, router: &Arc<Router>) {
        if let Self::Cluster(store) = self {
            store.ask_for_heads(Arc::new(AskRooms(Arc::clone(router))));
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Embedded(store) => store.close().await,
            Self::Cluster(store) => store.close().await,
        }
    }
}

struct AskRooms(Arc<Router>);

impl Heads for AskRooms {
    fn head(&self, room: RoomId) -> Answer<'_, u64> {
        Box::pin(async move {
            let silent = || StoreError::Unavailable("the room's node does not answer".to_owned());
            let (reply, answer) = oneshot::channel();
            self.0.to_room(room, RoomMessage::TellHead(reply)).map_err(|_| silent())?;
            tokio::time::timeout(HEAD_TIME, answer).await.ok().and_then(Result::ok).ok_or_else(silent)
        })
    }
}
