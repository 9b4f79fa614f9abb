//! The store that the settings name: embedded in a folder, or that of a cluster.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use rookery_core::{
    fence::Owner,
    ids::{ClientId, RoomId, Seq, UserId},
    placement::NodeId,
    time::Millis,
};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{
    actors::{
        Router,
        peers::{Place, ToPeer},
        room::RoomMessage,
    },
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

/// A process of this name as the owner of shards. One that starts later has a larger incarnation.
#[must_use]
pub fn owner(node: &str) -> Owner {
    Owner { node: NodeId::from(node), incarnation: Uuid::now_v7() }
}

/// Where a cluster's logs are, and who owns shards there.
#[must_use]
pub fn cql(store: &StoreSettings, owner: Owner) -> CqlSettings {
    CqlSettings { replication: store.replication, ..CqlSettings::new(store.cql.clone(), store.keyspace.clone(), owner) }
}

/// Accounts without logs: all that is needed to add and change users, whichever store they are in.
pub enum People {
    /// In the data folder of a server that is stopped.
    Embedded(Arc<SqliteStore>),
    /// In PostgreSQL, beside nodes that may be running.
    Cluster(Arc<PostgresStore>),
}

impl People {
    /// Opens those of the store that the settings name.
    ///
    /// # Errors
    /// It cannot be reached, or is not fit for use; an embedded one is in use by a server.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        match config.store.kind {
            StoreKind::Embedded => {
                let store = SqliteStore::open(embedded(config)).await;
                Ok(Self::Embedded(store.context("is the server running? then use `rookery admin`")?))
            }
            StoreKind::Cluster => Ok(Self::Cluster(Arc::new(moved_in(&config.store).await?))),
        }
    }

    /// Where they are.
    #[must_use]
    pub fn directory(&self) -> Arc<dyn Directory> {
        match self {
            Self::Embedded(store) => Arc::clone(store) as _,
            Self::Cluster(store) => Arc::clone(store) as _,
        }
    }

    /// Lets go of them.
    pub async fn close(&self) {
        match self {
            Self::Embedded(store) => store.close().await,
            Self::Cluster(store) => store.close().await,
        }
    }
}

/// Brings the store that the settings name to this version's form; says so in a sentence.
///
/// # Errors
/// It cannot be reached, is in use, or was written by a newer version.
pub async fn migrate(config: &Config) -> anyhow::Result<String> {
    match config.store.kind {
        StoreKind::Embedded => {
            let applied = crate::store::sql::migrate(&config.server.data).await?;
            let folder = config.server.data.display();
            Ok(format!("{applied} migrations applied; the store in {folder} is up to date"))
        }
        StoreKind::Cluster => {
            let directory = Arc::new(PostgresStore::open(postgres(&config.store)?).await?);
            let store = ClusterStore::open(&cql(&config.store, owner("migrate")), directory).await?;
            store.close().await;
            Ok(format!("the schema in PostgreSQL and the keyspace {} are up to date", config.store.keyspace))
        }
    }
}

/// A cluster's directory; one that a store is still being moved into is not to be used yet.
async fn moved_in(store: &StoreSettings) -> anyhow::Result<PostgresStore> {
    let directory = PostgresStore::open(postgres(store)?).await?;
    if let Some((_, false)) = directory.moved().await? {
        anyhow::bail!(
            "a move into this store is not finished: run `rookery migrate embedded-to-cluster` to its end first"
        );
    }
    Ok(directory)
}

/// An open store.
pub(super) enum Store {
    Embedded(Arc<SqliteStore>),
    Cluster(Arc<ClusterStore>),
}

impl Store {
    /// Opens it, for this process.
    pub(super) async fn open(config: &Config, owner: &Owner) -> anyhow::Result<Self> {
        match config.store.kind {
            StoreKind::Embedded if config.cluster.node.is_some() => {
                anyhow::bail!(
                    "setting `store.kind`: must be `cluster`, since `cluster.node` is set: nodes share their store"
                )
            }
            StoreKind::Embedded => Ok(Self::Embedded(SqliteStore::open(embedded(config)).await?)),
            StoreKind::Cluster => {
                let directory = moved_in(&config.store).await?;
                let store = ClusterStore::open(&cql(&config.store, owner.clone()), Arc::new(directory)).await?;
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
    fn is_here(&self, room: RoomId) -> bool {
        self.0.peers().shard(room.shard()) == Place::Here
    }

    fn head(&self, room: RoomId) -> Answer<'_, Seq> {
        Box::pin(async move {
            let silent = || StoreError::Unavailable("the room's node does not answer".to_owned());
            let (reply, answer) = oneshot::channel();
            self.0.to_room(room, RoomMessage::TellHead(reply)).map_err(|_| silent())?;
            tokio::time::timeout(HEAD_TIME, answer).await.ok().and_then(Result::ok).ok_or_else(silent)
        })
    }

    fn outcome(&self, room: RoomId, sender: UserId, client_id: ClientId) -> Answer<'_, Option<(Seq, Millis)>> {
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            if let Place::There(slot) = self.0.peers().shard(room.shard()) {
                self.0.peers().send(slot, ToPeer::Outcome { room, sender, client_id, reply });
            } else {
                drop(reply);
            }
            let answer = tokio::time::timeout(HEAD_TIME, answer).await.ok().and_then(Result::ok);
            answer.ok_or_else(|| StoreError::Unavailable("the room's node does not answer".to_owned()))
        })
    }
}
