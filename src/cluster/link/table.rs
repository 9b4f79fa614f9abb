//! All connections and links of the node: who is found by which token, label or name.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use dashmap::DashMap;
use ractor_cluster::{NodeEventSubscription, node::NodeServerSessionInformation};

use super::{Connection, Link, pump};
use crate::cluster::{
    Receiver,
    identity::{NodeId, Peer},
    wire::{
        Class, Envelope,
        frame::{self, Frame, Token},
    },
};

/// Why an envelope was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Too much waits for the node. Events that are shed like this are made good by the head that follows.
    #[error("too much waits for this node")]
    Full,
    /// There is no link to the node.
    #[error("there is no link to this node")]
    NoLink,
    /// It is larger than an envelope may be.
    #[error("larger than an envelope may be")]
    TooLarge,
}

/// One link, as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkState {
    /// Which life of which node is at the other end.
    pub peer: Peer,
    /// Envelopes that wait.
    pub waiting: usize,
    /// Bytes that wait.
    pub waiting_bytes: usize,
    /// Envelopes of the moment, events, and others that were shed since the link is up.
    pub shed: [u64; 3],
}

/// All connections and links of the node.
pub struct Links {
    pub(super) receiver: Arc<dyn Receiver>,
    by_token: DashMap<Token, Arc<Connection>>,
    by_label: DashMap<String, Arc<Connection>>,
    pub(super) live: DashMap<NodeId, Arc<Link>>,
    /// A link begins when the one before it to the same node has told that it is down.
    turns: DashMap<NodeId, Arc<tokio::sync::Mutex<()>>>,
    numbers: AtomicU64,
}

impl Links {
    /// No links yet.
    #[must_use]
    pub fn new(receiver: Arc<dyn Receiver>) -> Self {
        Self {
            receiver,
            by_token: DashMap::new(),
            by_label: DashMap::new(),
            live: DashMap::new(),
            turns: DashMap::new(),
            numbers: AtomicU64::new(0),
        }
    }

    /// Takes an envelope for a node; never waits.
    ///
    /// # Errors
    /// It was not taken.
    pub fn send(&self, to: &NodeId, envelope: Envelope) -> Result<(), SendError> {
        match self.link(to) {
            Some(link) => link.offer(envelope),
            None => Err(SendError::NoLink),
        }
    }

    /// Takes one envelope for several nodes, encoded once; calls `refused` for each node that did not get it.
    pub fn send_all<'a>(
        &self,
        to: impl Iterator<Item = &'a NodeId>,
        envelope: &Envelope,
        mut refused: impl FnMut(&NodeId, SendError),
    ) {
        let encoded = envelope.encode();
        for node in to {
            let taken = match (self.link(node), &encoded) {
                (_, Err(_)) => Err(SendError::TooLarge),
                (None, _) => Err(SendError::NoLink),
                (Some(link), Ok(bytes)) => link.offer_encoded(envelope, bytes.clone()),
            };
            if let Err(error) = taken {
                refused(node, error);
            }
        }
    }

    fn link(&self, node: &NodeId) -> Option<Arc<Link>> {
        self.live.get(node).map(|link| Arc::clone(&link))
    }

    /// The life of a node that there is a link to.
    #[must_use]
    pub fn peer(&self, node: &NodeId) -> Option<Peer> {
        self.live.get(node).map(|link| link.connection.peer.clone())
    }

    /// Every link that is up.
    #[must_use]
    pub fn states(&self) -> Vec<LinkState> {
        let state = |link: &Link| LinkState {
            peer: link.connection.peer.clone(),
            waiting: link.queue.envelopes(),
            waiting_bytes: link.queue.bytes(),
            shed: [Class::Ephemeral, Class::Event, Class::Control].map(|class| link.queue.shed(class)),
        };
        let mut states: Vec<LinkState> = self.live.iter().map(|link| state(link.value())).collect();
        states.sort_by(|one, other| one.peer.cmp(&other.peer));
        states
    }

    /// Ends every connection.
    pub fn end_all(&self, why: &'static str) {
        for connection in &self.by_label {
            connection.end(why);
        }
    }

    /// A label that no other connection of this node has.
    pub(in crate::cluster) fn label(&self, peer: &Peer) -> String {
        format!("{peer}#{}", self.numbers.fetch_add(1, Ordering::Relaxed))
    }

    pub(in crate::cluster) fn insert(&self, connection: &Arc<Connection>) {
        self.by_token.insert(connection.mine, Arc::clone(connection));
        self.by_label.insert(connection.label.clone(), Arc::clone(connection));
    }

    pub(in crate::cluster) fn forget(&self, connection: &Connection) {
        self.by_token.remove(&connection.mine);
        self.by_label.remove(&connection.label);
    }

    /// The connections to a node, however far they are.
    pub(in crate::cluster) fn connections_to(&self, node: &NodeId) -> Vec<Arc<Connection>> {
        let to = self.by_label.iter().filter(|connection| connection.peer.node == *node);
        to.map(|connection| Arc::clone(&connection)).collect()
    }

    pub(super) fn turn(&self, node: &NodeId) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(&self.turns.entry(node.clone()).or_default())
    }

    /// A frame came in, by whatever connection; its token says by which.
    pub(in crate::cluster) fn received(&self, bytes: &[u8]) {
        match frame::read(bytes) {
            None => refused("frame"),
            Some(Frame::Beat { token, dealt }) => {
                if let Some(connection) = self.hear(token) {
                    connection.acknowledge(dealt);
                }
            }
            Some(Frame::Batch { token, mut envelopes }) => {
                let Some(connection) = self.hear(token) else { return };
                if !connection.is_up() || !connection.announce_up(&*self.receiver) {
                    return refused("stale");
                }
                connection.deal(bytes.len() as u64);
                let mut count = 0;
                for envelope in envelopes.by_ref() {
                    match Envelope::decode(envelope) {
                        Ok(envelope) => {
                            count += 1;
                            self.receiver.deliver(&connection.peer, envelope);
                        }
                        Err(error) => refused(error.word()),
                    }
                }
                if envelopes.is_broken() {
                    refused("frame");
                }
                metrics::counter!("rookery_link_envelopes_received_total").increment(count);
            }
        }
    }

    fn hear(&self, token: Token) -> Option<Arc<Connection>> {
        let connection = self.by_token.get(&token).map(|connection| Arc::clone(&connection));
        let heard = connection.filter(|connection| connection.hear());
        if heard.is_none() {
            refused("stale");
        }
        heard
    }
}

/// Counts something that a peer sent and nobody took.
pub(in crate::cluster) fn refused(reason: &'static str) {
    metrics::counter!("rookery_link_refused_total", "reason" => reason).increment(1);
}

/// Tells the links of the sessions of ractor_cluster. Called by its node server: must not wait.
pub(in crate::cluster) struct Events(pub(in crate::cluster) Arc<Links>);

impl Events {
    fn connection(&self, session: &NodeServerSessionInformation) -> Option<Arc<Connection>> {
        self.0.by_label.get(&session.peer_addr).map(|connection| Arc::clone(&connection))
    }
}

impl NodeEventSubscription for Events {
    fn node_session_opened(&self, session: NodeServerSessionInformation) {
        match self.connection(&session) {
            Some(connection) if !connection.is_ended() => connection.attach(session.actor),
            // Ended meanwhile, or come by the listener that ractor_cluster opens on loopback: nobody is wanted there.
            _ => session.actor.stop(Some("not by the door".to_owned())),
        }
    }

    fn node_session_authenticated(&self, _: NodeServerSessionInformation) {}

    fn node_session_ready(&self, session: NodeServerSessionInformation) {
        let Some(connection) = self.connection(&session) else {
            return session.actor.stop(Some("not by the door".to_owned()));
        };
        let said = session.peer_name.as_ref().and_then(|name| name.name.split('@').next());
        if said != Some(connection.peer.to_string().as_str()) {
            refused("certificate");
            return connection.end("it calls itself otherwise than its certificate");
        }
        tokio::spawn(pump::run(Arc::clone(&self.0), connection, session.node_id));
    }

    fn node_session_disconnected(&self, session: NodeServerSessionInformation) {
        if let Some(connection) = self.connection(&session) {
            connection.end("the connection was closed");
            connection.gone.cancel();
            self.0.forget(&connection);
        }
    }
}
