//! Who a node is: its name, which stays, and its incarnation, which is new at every start.

use std::{
    fmt,
    str::FromStr,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// The name of a node: a label as in host names, so that it can stand in a certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(Arc<str>);

/// A name that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 32 letters a–z, digits or hyphens, with no hyphen at either end")]
pub struct BadName;

impl NodeId {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NodeId {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        if is_label(text) { Ok(Self(text.into())) } else { Err(BadName) }
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a text can be the name of a node or of a cluster.
#[must_use]
pub fn is_label(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with('-') && !text.ends_with('-')
}

/// One life of a node, from its start to its end. A later one has a larger incarnation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    /// Which node.
    pub node: NodeId,
    /// Which of its lives.
    pub incarnation: u64,
}

impl Peer {
    /// A new life of a node, named by the time of its start: a restart takes longer than a millisecond.
    #[must_use]
    pub fn begin(node: NodeId) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { node, incarnation: u64::try_from(now.as_millis()).unwrap_or(u64::MAX) }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.node, self.incarnation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_label() {
        for good in ["a", "n1", "chat-7", &"x".repeat(32)] {
            assert_eq!(good.parse::<NodeId>().unwrap().as_str(), good);
        }
        for bad in ["", "-a", "a-", "A", "a.b", "a b", "ä", &"x".repeat(33)] {
            assert_eq!(bad.parse::<NodeId>(), Err(BadName), "{bad:?}");
        }
    }
}
