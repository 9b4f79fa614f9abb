//! Many nodes as one: who is there, links between them, and what is said over links.
//!
//! What the rest of the server sees is [`Network`], which takes envelopes for nodes, and [`Receiver`], which gets them.
//! ractor_cluster carries bytes between relays and is seen by nobody else.

pub mod credentials;
pub mod door;
pub mod identity;
pub mod link;
pub mod membership;
pub mod probe;
mod relay;
pub mod router;
pub mod settings;
pub mod wire;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use ractor::{Actor, ActorRef};
use ractor_cluster::{NodeServer, NodeServerMessage, node::NodeConnectionMode};
use rookery_core::fence::Owner;
use tokio::{
    net::{TcpListener, UdpSocket},
    sync::watch,
};
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

pub use identity::{NodeId, Peer};
pub use link::{LinkState, SendError};
pub use membership::{Member, Members};
pub use settings::Settings;
pub use wire::Envelope;

use door::{Door, accept::accept, dial::keep_dialling, tls::Tls};
use link::{Events, Links};
use membership::{Announcement, Membership};
use relay::Relays;
use wire::frame::LARGEST_FRAME;

/// Relays of a node at most: as many as cores, since each decodes on one.
const RELAYS: u16 = 16;
/// What ractor_cluster puts around a frame, and more than that.
const WRAPPING: u64 = 4_096;
/// Ports that are tried when any will do, until one is free for TCP and for UDP.
const PORTS: usize = 64;

/// What gets the envelopes. All of it is called on relays and links: it must not wait.
pub trait Receiver: Send + Sync + 'static {
    /// An envelope from a peer. What has the same key comes in the order in which it was sent.
    fn deliver(&self, from: &Peer, envelope: Envelope);
    /// There is a link to the peer from now on; what was sent by an earlier one and not delivered never will be.
    fn link_up(&self, peer: &Peer);
    /// There is no link to the peer any more. Never comes twice without an "up" in between.
    fn link_down(&self, peer: &Peer);
}

/// Why a node cannot be part of its cluster.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The listener.
    #[error("cluster.listen {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The address for other nodes.
    #[error("cluster.advertise `{0}`: {1}")]
    Advertise(String, std::io::Error),
    /// Certificate, key or authority.
    #[error(transparent)]
    Tls(#[from] door::tls::TlsError),
    /// Gossip.
    #[error("gossip: {0}")]
    Gossip(anyhow::Error),
    /// An actor.
    #[error("the node's actors: {0}")]
    Actors(#[from] ractor::SpawnErr),
    /// The node server ended at once.
    #[error("the node server ended at once")]
    Ended,
}

/// This node's part in the cluster.
pub struct Network {
    me: Peer,
    owner: Uuid,
    gossip_interval: Duration,
    address: SocketAddr,
    links: Arc<Links>,
    membership: Membership,
    server: ActorRef<NodeServerMessage>,
    relays: ActorRef<()>,
    tasks: [AbortOnDropHandle<()>; 2],
}

impl Network {
    /// Joins the cluster, on the runtime that it is called on. One node in a process, since ractor keeps its actors by
    /// process.
    ///
    /// # Errors
    /// The node cannot be part of it.
    pub async fn start(settings: Settings, receiver: Arc<dyn Receiver>) -> Result<Self, StartError> {
        let me = Peer::begin(settings.node.clone());
        let cluster = settings.secret.cluster().to_owned();
        let Settings { authority, certificate, key, .. } = &settings;
        let tls = Tls::load(authority, certificate, key, &me.node, &cluster)?;
        let (listener, socket) = bind(settings.listen).await?;
        let listening = listener.local_addr().map_err(|error| StartError::Listen(settings.listen, error))?;
        let address = settings::advertised(settings.advertise.as_deref(), listening).await?;

        let links = Arc::new(Links::new(receiver));
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let count = u16::try_from(cores).unwrap_or(RELAYS).clamp(1, RELAYS);
        let (server, relays) = start_actors(&me, &links, &settings, count).await?;
        let door =
            Door { me: me.clone(), cluster, tls, links: Arc::clone(&links), server: server.clone(), relays: count };
        let door = Arc::new(door);
        let (owner, gossip_interval) = (settings.owner, settings.gossip_interval);
        let announcement = Announcement { me: me.clone(), owner, address, url: settings.url };
        let membership = Membership::join(announcement, socket, &settings.secret, settings.seeds, gossip_interval)
            .await
            .map_err(StartError::Gossip)?;
        let tasks = [
            AbortOnDropHandle::new(tokio::spawn(accept(listener, Arc::clone(&door)))),
            AbortOnDropHandle::new(tokio::spawn(keep_dialling(door, membership.members()))),
        ];
        tracing::info!(node = %me, %address, "part of cluster {}", settings.secret.cluster());
        Ok(Self { me, owner, gossip_interval, address, links, membership, server, relays, tasks })
    }

    /// This life of this node.
    #[must_use]
    pub fn me(&self) -> &Peer {
        &self.me
    }

    /// This process as the owner of shards.
    #[must_use]
    pub fn owner(&self) -> Owner {
        Owner { node: self.me.node.as_str().into(), incarnation: self.owner }
    }

    /// Time between two rounds of gossip.
    #[must_use]
    pub fn gossip_interval(&self) -> Duration {
        self.gossip_interval
    }

    /// Where other nodes reach it.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes an envelope for another node; never waits. Taken is not delivered: a link is at most once.
    ///
    /// # Errors
    /// It was not taken.
    pub fn send(&self, to: &NodeId, envelope: Envelope) -> Result<(), SendError> {
        self.links.send(to, envelope)
    }

    /// Takes one envelope for several nodes and encodes it once; calls `refused` for each node that did not get it.
    pub fn send_all<'a>(
        &self,
        to: impl Iterator<Item = &'a NodeId>,
        envelope: &Envelope,
        refused: impl FnMut(&NodeId, SendError),
    ) {
        self.links.send_all(to, envelope, refused);
    }

    /// The nodes that are alive, now and after every change.
    #[must_use]
    pub fn members(&self) -> watch::Receiver<Arc<Members>> {
        self.membership.members()
    }

    /// The links that are up.
    #[must_use]
    pub fn links(&self) -> Vec<LinkState> {
        self.links.states()
    }

    /// The life of a node that there is a link to.
    #[must_use]
    pub fn linked(&self, node: &NodeId) -> Option<Peer> {
        self.links.peer(node)
    }

    /// Says whether this node gives its shards away.
    pub async fn set_draining(&self, draining: bool) {
        self.membership.set_draining(draining).await;
    }

    /// Says that this node takes its part from now on.
    pub async fn set_settled(&self) {
        self.membership.set_settled().await;
    }

    /// Says which shards this node has because an operator moved them to it.
    pub async fn set_kept(&self, kept: &std::collections::BTreeMap<rookery_core::ids::ShardId, u64>) {
        self.membership.set_kept(kept).await;
    }

    /// Says how much this node has to do.
    pub async fn set_load(&self, load: u32) {
        self.membership.set_load(load).await;
    }

    /// Returns when gossip has ended: because the node leaves, or by a fault after which it is no part of the cluster any
    /// more and should end.
    ///
    /// # Errors
    /// The fault.
    pub async fn ended(&self) -> anyhow::Result<()> {
        self.membership.ended().await
    }

    /// Leaves the cluster. What waits in links is lost.
    pub async fn stop(&self) {
        self.membership.leave().await;
        self.links.end_all("the node stops");
        for task in &self.tasks {
            task.abort();
        }
        self.server.stop(None);
        self.relays.stop(None);
    }
}

/// The node server and the relays.
async fn start_actors(
    me: &Peer,
    links: &Arc<Links>,
    settings: &Settings,
    count: u16,
) -> Result<(ActorRef<NodeServerMessage>, ActorRef<()>), StartError> {
    let relays = Actor::spawn(None, Relays { me: me.clone(), links: Arc::clone(links) }, count).await?.0;
    // A second factor behind the certificates; it also keeps strangers out of the listener below.
    let cookie = settings.secret.derive("cookie").iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let server =
        NodeServer::new(0, cookie, me.to_string(), format!("h.{me}"), None, Some(NodeConnectionMode::Isolated))
            // It has a listener that cannot be switched off: any port of loopback, and who comes by it is sent away.
            .with_listen_addr(IpAddr::V4(Ipv4Addr::LOCALHOST))
            .with_max_inbound_frame_size(LARGEST_FRAME as u64 + WRAPPING);
    let server = Actor::spawn(None, server, ()).await?.0;
    let events = Box::new(Events(Arc::clone(links)));
    server
        .cast(NodeServerMessage::SubscribeToEvents { id: "links".to_owned(), subscription: events })
        .map_err(|_| StartError::Ended)?;
    Ok((server, relays))
}

/// The same port for links and for gossip.
async fn bind(listen: SocketAddr) -> Result<(TcpListener, UdpSocket), StartError> {
    let told = |error| StartError::Listen(listen, error);
    let mut tries = if listen.port() == 0 { PORTS } else { 1 };
    loop {
        tries -= 1;
        let listener = TcpListener::bind(listen).await.map_err(told)?;
        match UdpSocket::bind(listener.local_addr().map_err(told)?).await {
            Ok(socket) => return Ok((listener, socket)),
            // Free for TCP, taken for UDP: another one, if any will do.
            Err(error) if tries == 0 => return Err(told(error)),
            Err(_) => {}
        }
    }
}
