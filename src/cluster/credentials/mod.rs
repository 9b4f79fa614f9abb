//! What makes a node a member of a cluster: the cluster's secret, its authority, and a certificate of the node's own.

pub mod authority;
pub mod secret;

pub use authority::{Authority, CredentialError, NodeFiles};
pub use secret::{BadSecret, Secret};

use super::identity::NodeId;

/// The name in the certificate of a node: node and cluster, so that a certificate of one cluster or of one node is of no use
/// in another cluster or for another node.
#[must_use]
pub fn certificate_name(node: &NodeId, cluster: &str) -> String {
    format!("{node}.{cluster}.node.rookery.internal")
}
