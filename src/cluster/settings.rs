//! The cluster's part of the configuration, read and checked.

use std::{io, net::SocketAddr, path::PathBuf, time::Duration};

use secrecy::ExposeSecret;
use uuid::Uuid;

use super::{NodeId, StartError, credentials::Secret};
use crate::config::{Config, ConfigError};

/// What a node needs to be part of a cluster.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name.
    pub node: NodeId,
    /// The cluster's secret, and with it the cluster's name.
    pub secret: Secret,
    /// Where it listens for links (TCP) and gossip (UDP).
    pub listen: SocketAddr,
    /// Where other nodes reach it; without it where it listens.
    pub advertise: Option<String>,
    /// Addresses of nodes that it asks who else is there.
    pub seeds: Vec<String>,
    /// Who vouches for nodes (PEM).
    pub authority: PathBuf,
    /// The node's certificate (PEM).
    pub certificate: PathBuf,
    /// The node's key (PEM).
    pub key: PathBuf,
    /// Time between two rounds of gossip.
    pub gossip_interval: Duration,
    /// Where people reach the node.
    pub url: Option<String>,
    /// Under which incarnation this process owns shards.
    pub owner: Uuid,
}

impl Settings {
    /// Takes them from the configuration; `None`: the node is alone.
    ///
    /// # Errors
    /// A name or a secret that is none. That nothing is missing was checked when the configuration was read.
    pub fn of(config: &Config) -> Result<Option<Self>, ConfigError> {
        let cluster = &config.cluster;
        let wrong = |key: &str, reason: String| ConfigError::Unfit { key: key.to_owned(), reason };
        let Some(node) = &cluster.node else { return Ok(None) };
        let node = node.parse().map_err(|error: super::identity::BadName| wrong("cluster.node", error.to_string()))?;
        let missing = |key: &str| wrong(key, "is needed by a node of a cluster".to_owned());
        let secret = cluster.secret.as_ref().ok_or_else(|| missing("cluster.secret"))?;
        let secret = secret.expose_secret().parse();
        let secret =
            secret.map_err(|error: super::credentials::BadSecret| wrong("cluster.secret", error.to_string()))?;
        Ok(Some(Self {
            node,
            secret,
            listen: cluster.listen,
            advertise: cluster.advertise.clone(),
            seeds: cluster.seeds.clone(),
            authority: cluster.authority.clone().ok_or_else(|| missing("cluster.authority"))?,
            certificate: cluster.certificate.clone().ok_or_else(|| missing("cluster.certificate"))?,
            key: cluster.key.clone().ok_or_else(|| missing("cluster.key"))?,
            gossip_interval: Duration::from_millis(cluster.gossip_millis),
            url: config.server.public_url.clone(),
            owner: Uuid::now_v7(),
        }))
    }
}

/// Where other nodes reach this one: a host or an address, with the port of the listener if it has none of its own.
pub(super) async fn advertised(text: Option<&str>, listening: SocketAddr) -> Result<SocketAddr, StartError> {
    let shown = text.map_or_else(|| listening.to_string(), str::to_owned);
    let wrong = |error: io::Error| StartError::Advertise(shown.clone(), error);
    let address = match text {
        None => listening,
        Some(text) => match text.parse::<SocketAddr>() {
            Ok(address) => address,
            Err(_) => resolve(text, listening.port()).await.map_err(wrong)?,
        },
    };
    if address.ip().is_unspecified() {
        return Err(wrong(io::Error::other("other nodes cannot reach this; say by which address they can")));
    }
    let port = if address.port() == 0 { listening.port() } else { address.port() };
    Ok(SocketAddr::new(address.ip(), port))
}

async fn resolve(text: &str, port: u16) -> io::Result<SocketAddr> {
    let has_port = text.rsplit_once(':').is_some_and(|(host, port)| !host.contains(':') && port.parse::<u16>().is_ok());
    let mut found = if has_port {
        tokio::net::lookup_host(text).await?.collect::<Vec<_>>()
    } else {
        tokio::net::lookup_host((text, port)).await?.collect()
    };
    found.sort();
    found.into_iter().next().ok_or_else(|| io::Error::other("no such host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_advertised_can_be_reached() {
        let any: SocketAddr = "0.0.0.0:7946".parse().unwrap();
        let one: SocketAddr = "10.0.0.7:7946".parse().unwrap();
        assert_eq!(advertised(None, one).await.unwrap(), one);
        assert!(matches!(advertised(None, any).await, Err(StartError::Advertise(..))));
        for (text, expected) in [
            ("10.0.0.7", "10.0.0.7:7946"),
            ("10.0.0.7:1", "10.0.0.7:1"),
            ("10.0.0.7:0", "10.0.0.7:7946"),
            ("[::1]:5", "[::1]:5"),
        ] {
            assert_eq!(advertised(Some(text), any).await.unwrap(), expected.parse().unwrap(), "{text}");
        }
        assert!(advertised(Some("0.0.0.0"), one).await.is_err());
    }
}
