//! How connections between nodes come to be: an accept loop and dialling of our own, TLS at both ends, and a greeting,
//! before ractor_cluster sees anything. What it is handed is a peer whose certificate names it.

pub(super) mod accept;
pub(super) mod dial;
pub mod hello;
mod stream;
pub mod tls;

use std::{sync::Arc, time::Duration};

use ractor::ActorRef;
use ractor_cluster::NodeServerMessage;
use tokio::{
    net::TcpStream,
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_rustls::TlsStream;

use super::{
    credentials::secret::random,
    identity::{NodeId, Peer},
    link::{Connection, Links},
    wire::frame::Token,
};
use hello::{DoorError, Hello, Words};
use stream::Switched;
use tls::Tls;

/// From the first byte to the end of the greeting.
const HANDSHAKE: Duration = Duration::from_secs(3);
/// From the greeting until the peer's link was heard.
const READY: Duration = Duration::from_secs(5);
/// How long an older connection of the same node may take to go.
const WAY: Duration = Duration::from_secs(1);
/// Relays of a peer at most.
const RELAYS: u16 = 256;

/// Silence after which the kernel asks whether the other end is there.
const KEEPALIVE: Duration = Duration::from_secs(10);
/// Time that sent bytes may stay unacknowledged by the kernel at the other end. The link notices long before; this is for
/// connections that have none yet.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// What both ways in need.
pub(super) struct Door {
    pub(super) me: Peer,
    pub(super) cluster: String,
    pub(super) tls: Tls,
    pub(super) links: Arc<Links>,
    pub(super) server: ActorRef<NodeServerMessage>,
    pub(super) relays: u16,
}

/// A peer that has said who it is, and proved it.
struct Greeted {
    stream: TlsStream<TcpStream>,
    peer: Peer,
    relays: u16,
    mine: Token,
    theirs: Token,
}

impl Door {
    fn hello(&self, token: Token) -> Words {
        Words::Hello(Hello {
            cluster: self.cluster.clone(),
            node: self.me.node.to_string(),
            incarnation: self.me.incarnation,
            relays: self.relays,
            token,
        })
    }

    /// A socket that was accepted becomes a connection, or an error within [`HANDSHAKE`].
    async fn receive(&self, socket: TcpStream) -> Result<Arc<Connection>, DoorError> {
        let greeted = within(HANDSHAKE, async {
            prepare(&socket)?;
            let mut stream = self.tls.accept(socket).await?;
            let heard = hello::hear(&mut stream).await;
            let judged = match heard {
                Ok(hello) => self.judge_caller(&stream, hello),
                Err(error) => Err(error),
            };
            match judged {
                Ok((peer, hello)) => {
                    let mine = random()?;
                    hello::say(&mut stream, &self.hello(mine)).await?;
                    Ok(Greeted { stream, peer, relays: hello.relays, mine, theirs: hello.token })
                }
                Err(error) => {
                    // So that its log says what is wrong; whether it listens does not matter.
                    let _ = hello::say(&mut stream, &Words::Refused(error.to_string())).await;
                    Err(error)
                }
            }
        });
        let greeted = greeted.await?;
        self.make_way(&greeted.peer).await?;
        Ok(self.hand_over(greeted, true))
    }

    /// Dials a node.
    async fn dial(&self, node: &NodeId, address: std::net::SocketAddr) -> Result<Arc<Connection>, DoorError> {
        let greeted = within(HANDSHAKE, async {
            let socket = TcpStream::connect(address).await?;
            prepare(&socket)?;
            let mut stream = self.tls.connect(socket, node).await?;
            let mine = random()?;
            hello::say(&mut stream, &self.hello(mine)).await?;
            let hello = hello::hear(&mut stream).await?;
            let peer = self.judge(&hello)?;
            if peer.node != *node {
                return Err(DoorError::Impostor);
            }
            Ok(Greeted { stream, peer, relays: hello.relays, mine, theirs: hello.token })
        });
        let greeted = greeted.await?;
        self.make_way(&greeted.peer).await?;
        Ok(self.hand_over(greeted, false))
    }

    fn judge_caller(&self, stream: &TlsStream<TcpStream>, hello: Hello) -> Result<(Peer, Hello), DoorError> {
        let peer = self.judge(&hello)?;
        if !self.tls.is(stream, &peer.node) {
            return Err(DoorError::Impostor);
        }
        // One dialler per pair: two connections at once would make each other end.
        if peer.node <= self.me.node {
            return Err(DoorError::Unwanted("of two nodes the one whose name sorts last dials"));
        }
        Ok((peer, hello))
    }

    fn judge(&self, hello: &Hello) -> Result<Peer, DoorError> {
        if hello.cluster != self.cluster {
            return Err(DoorError::Unwanted("it is of another cluster"));
        }
        let node: NodeId = hello.node.parse().map_err(|_| DoorError::Garbage)?;
        if node == self.me.node {
            return Err(DoorError::Unwanted("it has this node's name"));
        }
        if hello.relays == 0 || hello.relays > RELAYS {
            return Err(DoorError::Garbage);
        }
        Ok(Peer { node, incarnation: hello.incarnation })
    }

    /// Ends what there is of an earlier connection of the same node: it may be half open, and the node knows best. The node
    /// server must have let go of it first, since among several of the same name it keeps any one.
    async fn make_way(&self, peer: &Peer) -> Result<(), DoorError> {
        let others = self.links.connections_to(&peer.node);
        if others.iter().any(|other| other.peer.incarnation > peer.incarnation) {
            return Err(DoorError::Unwanted("a newer life of the node is connected"));
        }
        for other in &others {
            other.end("the node has connected anew");
        }
        let deadline = Instant::now() + WAY;
        for other in others.iter().filter(|other| other.peer == *peer) {
            timeout_at(deadline, other.gone.cancelled()).await.map_err(|_| DoorError::TooLong)?;
        }
        Ok(())
    }

    /// Gives a greeted peer to ractor_cluster, and sees to it that something comes of it in time.
    fn hand_over(&self, greeted: Greeted, is_server: bool) -> Arc<Connection> {
        let Greeted { stream, peer, relays, mine, theirs } = greeted;
        let label = self.links.label(&peer);
        let connection = Arc::new(Connection::new(peer, label.clone(), mine, theirs, relays));
        self.links.insert(&connection);
        let stream = Box::new(Switched { stream, label, switch: connection.switch.clone() });
        let opened = NodeServerMessage::ConnectionOpenedExternal { stream, is_server };
        if self.server.cast(opened).is_err() {
            connection.end("the node stops");
        }
        tokio::spawn(watch(Arc::clone(&self.links), Arc::clone(&connection)));
        connection
    }
}

/// Ends a connection whose peer is not heard in time, and forgets every connection that has ended.
async fn watch(links: Arc<Links>, connection: Arc<Connection>) {
    tokio::select! {
        () = connection.switch.cancelled() => {}
        () = sleep(READY) => {
            if !connection.is_heard() {
                super::link::refused("deadline");
                connection.end("it was not ready in time");
            }
        }
    }
    connection.switch.cancelled().await;
    // The node server says when its session is gone; if it never had one, nobody waits for it.
    let _ = timeout(READY, connection.gone.cancelled()).await;
    links.forget(&connection);
    connection.gone.cancel();
}

async fn within<T>(time: Duration, work: impl Future<Output = Result<T, DoorError>>) -> Result<T, DoorError> {
    timeout(time, work).await.unwrap_or(Err(DoorError::TooLong))
}

/// The kernel's part of noticing that the other end is gone.
fn prepare(socket: &TcpStream) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let socket = socket2::SockRef::from(socket);
    let keepalive = socket2::TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 4).with_retries(3);
    socket.set_tcp_keepalive(&keepalive)?;
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))
}

impl From<super::credentials::BadSecret> for DoorError {
    fn from(error: super::credentials::BadSecret) -> Self {
        Self::Io(std::io::Error::other(error))
    }
}
