//! Whether the servers are such as the design needs; one plain sentence if not.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use scylla::{client::session::Session, statement::Consistency, statement::unprepared::Statement};

use super::{
    connect::CqlSettings,
    failure::{corrupt, unavailable},
    statements::all,
};
use crate::store::StoreError;

/// Compare-and-set works on keyspaces with tablets from here on.
const SCYLLA: (u32, u32) = (2025, 4);
/// Compare-and-set has the newer, cheaper and repaired protocol from here on.
const CASSANDRA: (u32, u32) = (4, 1);
const LONGEST_NAME: usize = 48;
/// How long servers that just start have to know of each other.
const PATIENCE: Duration = Duration::from_secs(3);
const AGAIN: Duration = Duration::from_millis(200);

/// What answers CQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Server {
    Scylla,
    Cassandra,
}

/// Which server this is, if it is new enough.
pub(super) async fn server(session: &Session) -> Result<Server, StoreError> {
    let tables =
        "SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'system' AND table_name = 'versions'";
    let is_scylla = !all::<(String,)>(ask(session, tables).await?)?.is_empty();
    let (server, name, query, least) = if is_scylla {
        (Server::Scylla, "ScyllaDB", "SELECT version FROM system.versions WHERE key = 'local'", SCYLLA)
    } else {
        (Server::Cassandra, "Apache Cassandra", "SELECT release_version FROM system.local", CASSANDRA)
    };
    let mut versions = all::<(String,)>(ask(session, query).await?)?;
    if !is_scylla {
        versions.extend(all(ask(session, "SELECT release_version FROM system.peers").await?)?);
    }
    for (version,) in versions {
        if version_of(&version).is_none_or(|version| version < least) {
            let (major, minor) = least;
            return Err(unavailable(format!(
                "the CQL server is {name} {version}; Rookery needs {name} {major}.{minor} or newer"
            )));
        }
    }
    Ok(server)
}

/// The first two numbers of a version.
fn version_of(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// A name that needs no quoting.
pub(super) fn keyspace_name(name: &str) -> Result<(), StoreError> {
    let begins_well = name.starts_with(|c: char| c.is_ascii_lowercase());
    let goes_on_well = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if begins_well && goes_on_well && name.len() <= LONGEST_NAME {
        return Ok(());
    }
    Err(unavailable(format!(
        "\"{name}\" cannot be the name of a keyspace: a letter, then at most 47 small letters, digits and underscores"
    )))
}

/// Whether the replicas of the keyspace are such that quorums meet and one can be missing; a warning where that is only unwise.
pub(super) async fn replication(session: &Session, settings: &CqlSettings) -> Result<(), StoreError> {
    let query = "SELECT keyspace_name, replication FROM system_schema.keyspaces";
    let keyspaces = all::<(String, HashMap<String, String>)>(ask(session, query).await?)?;
    let Some((_, replication)) = keyspaces.into_iter().find(|(name, _)| *name == settings.keyspace) else {
        return Err(corrupt(format!("the keyspace {} is not there", settings.keyspace)));
    };
    let begun = Instant::now();
    let replicas = loop {
        match judge(&settings.keyspace, &replication, &servers(session)) {
            Ok(replicas) => break replicas,
            // Those that are just starting are not all known yet.
            Err(_) if begun.elapsed() < PATIENCE => {
                tokio::time::sleep(AGAIN).await;
                // If it cannot be read now, it is asked for again or refused by what is known.
                let _ = session.refresh_metadata().await;
            }
            Err(refusal) => return Err(unavailable(refusal)),
        }
    };
    if replicas < 3 {
        tracing::warn!(
            keyspace = settings.keyspace,
            replicas,
            "with fewer than three replicas no server of the store may be missing; use three"
        );
    }
    Ok(())
}

/// How many servers are known in each data centre.
fn servers(session: &Session) -> HashMap<String, usize> {
    let mut in_each = HashMap::new();
    for node in session.get_cluster_state().get_nodes_info() {
        *in_each.entry(node.datacenter.clone().unwrap_or_default()).or_default() += 1;
    }
    in_each
}

/// How many replicas there are, in how the servers say it.
fn judge(
    keyspace: &str,
    replication: &HashMap<String, String>,
    nodes: &HashMap<String, usize>,
) -> Result<usize, String> {
    let class = replication.get("class").map_or("", String::as_str);
    if !class.ends_with("NetworkTopologyStrategy") {
        return Err(format!(
            "the keyspace {keyspace} is replicated by {class}; make it NetworkTopologyStrategy, which knows of racks"
        ));
    }
    let mut replicas = 0;
    for (center, factor) in replication.iter().filter(|(key, _)| *key != "class") {
        // "3", and in racks that are listed, the list.
        let factor = factor.parse().unwrap_or_else(|_| factor.split(',').count());
        let there = nodes.get(center.as_str()).copied().unwrap_or(0);
        if there < factor {
            return Err(format!(
                "the keyspace {keyspace} wants {factor} replicas in the data centre {center}, which has {there} servers"
            ));
        }
        replicas += factor;
    }
    if replicas == 0 {
        return Err(format!("the keyspace {keyspace} has no replicas"));
    }
    Ok(replicas)
}

/// Whether compare-and-set works here: a SERIAL read of a row is the smallest part of it.
pub(super) async fn compare_and_set(session: &Session) -> Result<(), StoreError> {
    let mut probe = Statement::new("SELECT epoch FROM shards WHERE part = -1 AND shard = -1");
    probe.set_consistency(Consistency::Serial);
    match session.query_unpaged(probe, &[]).await {
        Ok(_) => Ok(()),
        Err(error) => Err(unavailable(format!(
            "compare-and-set does not work on this keyspace (with tablets it needs ScyllaDB 2025.4): {error}"
        ))),
    }
}

async fn ask(session: &Session, query: &str) -> Result<scylla::response::query_result::QueryResult, StoreError> {
    let mut statement = Statement::new(query);
    // What each server knows of itself; there is no quorum of that.
    statement.set_consistency(Consistency::One);
    session.query_unpaged(statement, &[]).await.map_err(unavailable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_first_two_numbers() {
        assert_eq!(version_of("5.0.9"), Some((5, 0)));
        assert_eq!(version_of("2025.4.1-0.20251101.abc"), Some((2025, 4)));
        assert_eq!(version_of("4.1-SNAPSHOT"), Some((4, 1)));
        assert_eq!(version_of("unknown"), None);
        assert!(version_of("2025.3.9") < Some(SCYLLA) && version_of("2026.1.0") > Some(SCYLLA));
        assert!(version_of("4.0.17") < Some(CASSANDRA) && version_of("4.1.0") == Some(CASSANDRA));
    }

    #[test]
    fn names_need_no_quotes() {
        assert!(keyspace_name("rookery_2").is_ok());
        for bad in ["", "2rookery", "Rookery", "rook ery", "rookery;", &"x".repeat(49)] {
            assert!(keyspace_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn replication_is_judged_in_a_sentence() {
        let of = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let nodes = HashMap::from([("east".to_owned(), 3), ("west".to_owned(), 1)]);
        let judge = |pairs: &[(&str, &str)]| judge("rookery", &of(pairs), &nodes);
        let network = ("class", "org.apache.cassandra.locator.NetworkTopologyStrategy");
        assert_eq!(judge(&[network, ("east", "3")]), Ok(3));
        assert_eq!(judge(&[network, ("east", "3"), ("west", "1")]), Ok(4));
        assert!(judge(&[network, ("west", "3")]).unwrap_err().contains("west, which has 1"));
        assert!(judge(&[network, ("north", "1")]).unwrap_err().contains("north, which has 0"));
        assert!(judge(&[network]).unwrap_err().contains("no replicas"));
        let simple = ("class", "org.apache.cassandra.locator.SimpleStrategy");
        assert!(judge(&[simple, ("replication_factor", "3")]).unwrap_err().contains("NetworkTopologyStrategy"));
    }
}
