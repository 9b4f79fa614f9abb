//! The way to the servers: addresses, consistency, deadlines.

use std::time::Duration;

use rookery_core::fence::Owner;
use scylla::{
    client::{execution_profile::ExecutionProfile, session::Session, session_builder::SessionBuilder},
    statement::{Consistency, SerialConsistency},
};
use secrecy::{ExposeSecret, SecretString};

use super::failure::unavailable;
use crate::store::StoreError;

/// How often the schema is compared between servers after it was changed.
const AGREEMENT_INTERVAL: Duration = Duration::from_millis(50);
const CONNECT: Duration = Duration::from_secs(5);

/// How the store is set up.
#[derive(Clone, Debug)]
pub struct CqlSettings {
    /// Servers to begin with, as `host:port`; the others are learned from them.
    pub nodes: Vec<String>,
    /// The keyspace; made if it is not there.
    pub keyspace: String,
    /// How many replicas a keyspace gets that is made.
    pub replication: u8,
    /// Name and password, if the servers ask for them.
    pub login: Option<(String, SecretString)>,
    /// Who this process is, among those that own shards.
    pub owner: Owner,
    /// How long an answer to a write may take until it is sent again.
    pub write_deadline: Duration,
    /// How long an answer to a question may take.
    pub read_deadline: Duration,
}

impl CqlSettings {
    /// The usual settings.
    #[must_use]
    pub fn new(nodes: Vec<String>, keyspace: impl Into<String>, owner: Owner) -> Self {
        Self {
            nodes,
            keyspace: keyspace.into(),
            replication: 3,
            login: None,
            owner,
            write_deadline: Duration::from_millis(1_500),
            read_deadline: Duration::from_secs(3),
        }
    }
}

/// Connects to one of the servers, and so to all.
pub(super) async fn connect(settings: &CqlSettings) -> Result<Session, StoreError> {
    let session = builder(settings).build().await;
    session.map_err(|error| unavailable(format!("none of the CQL servers can be reached: {error}")))
}

/// How to connect.
pub(super) fn builder(settings: &CqlSettings) -> SessionBuilder {
    // Quorums of all replicas wherever they are, for everything: a quorum of one data centre need not meet one of another.
    let profile = ExecutionProfile::builder()
        .consistency(Consistency::Quorum)
        .serial_consistency(Some(SerialConsistency::Serial))
        .request_timeout(Some(settings.read_deadline))
        .build();
    let mut builder = SessionBuilder::new()
        .known_nodes(&settings.nodes)
        .default_execution_profile_handle(profile.into_handle())
        .connection_timeout(CONNECT)
        .schema_agreement_interval(AGREEMENT_INTERVAL)
        // How keyspaces are replicated, and nothing of their tables.
        .fetch_full_schema_metadata(false);
    if !settings.keyspace.is_empty() {
        // Where the replicas of a row are, for whom it concerns: writes go to one of them, not by way of another server.
        builder = builder.keyspaces_to_fetch([settings.keyspace.as_str()]);
    }
    if let Some((name, password)) = &settings.login {
        builder = builder.user(name, password.expose_secret());
    }
    builder
}
