//! The transport that gossip goes by: chitchat's datagrams, sealed.
//!
//! chitchat keeps its encoding to itself, except that its own UDP socket applies it. So each direction makes a step over
//! loopback: its socket writes to, and reads from, a courier socket of ours, and what goes out to the network is sealed.
//! Only what the courier brings is taken from chitchat's socket; no other process can put anything there.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use chitchat::{
    ChitchatEnvelope,
    transport::{RecvOutcome, SendOutcome, Socket, Transport, UdpSocket as Coder},
};
use parking_lot::Mutex;
use tokio::{
    net::UdpSocket,
    time::{sleep, timeout},
};

use super::seal::{DATAGRAM, Opener, Sealer};
use crate::cluster::credentials::Secret;

/// How long a datagram may take over loopback. It is there at once; this is for the one that chitchat cannot read.
const LOOPBACK: Duration = Duration::from_millis(200);

/// Pause when nothing can be received.
const PAUSE: Duration = Duration::from_millis(50);

/// A socket that is bound already.
pub(super) struct Sealed {
    socket: Mutex<Option<UdpSocket>>,
    secret: Secret,
}

impl Sealed {
    pub(super) fn new(socket: UdpSocket, secret: Secret) -> Self {
        Self { socket: Mutex::new(Some(socket)), secret }
    }
}

#[async_trait]
impl Transport for Sealed {
    async fn open(&self, _: SocketAddr) -> anyhow::Result<Box<dyn Socket>> {
        let outer = self.socket.lock().take().ok_or_else(|| anyhow::anyhow!("the gossip socket is in use"))?;
        let coder = Coder::open((Ipv4Addr::LOCALHOST, 0).into()).await?;
        let courier = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        // Connected, it hears nobody but chitchat's socket.
        courier.connect(coder.local_addr()?).await?;
        Ok(Box::new(SealedSocket {
            outer,
            coder,
            courier: Arc::new(courier),
            sealer: Sealer::new(&self.secret)?,
            opener: Opener::new(&self.secret),
            buffer: vec![0; DATAGRAM],
            on_loopback: None,
        }))
    }
}

struct SealedSocket {
    outer: UdpSocket,
    coder: Coder,
    courier: Arc<UdpSocket>,
    sealer: Sealer,
    opener: Opener,
    buffer: Vec<u8>,
    /// Who sent what is on its way over loopback to chitchat's socket. Kept here, since receiving may be broken off.
    on_loopback: Option<SocketAddr>,
}

#[async_trait]
impl Socket for SealedSocket {
    fn local_addr(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.outer.local_addr()?)
    }

    async fn send(&mut self, to: SocketAddr, envelope: ChitchatEnvelope) -> anyhow::Result<SendOutcome> {
        let nothing = SendOutcome { num_bytes_sent: 0 };
        self.coder.send(self.courier.local_addr()?, envelope).await?;
        let Ok(length) = timeout(LOOPBACK, self.courier.recv(&mut self.buffer)).await else {
            refused("loopback");
            return Ok(nothing);
        };
        let length = length?;
        let mut num_bytes_sent = 0;
        for datagram in self.sealer.seal(&self.buffer[..length]) {
            // Whether one datagram can be sent says nothing about the next.
            match self.outer.send_to(&datagram, to).await {
                Ok(sent) => num_bytes_sent += sent,
                Err(error) => tracing::debug!(%error, "a datagram was not sent"),
            }
        }
        Ok(SendOutcome { num_bytes_sent })
    }

    async fn recv(&mut self) -> anyhow::Result<RecvOutcome> {
        loop {
            if let Some(from) = self.on_loopback
                && let Some(outcome) = self.decoded(from).await?
            {
                return Ok(outcome);
            }
            let (length, from) = match self.outer.recv_from(&mut self.buffer).await {
                Ok(received) => received,
                // What the kernel tells of other datagrams, or for want of memory. An error returned here would end the
                // gossip, and with it the node's place in the cluster, while everything else goes on.
                Err(error) => {
                    tracing::debug!(%error, "a datagram was not received");
                    refused("socket");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            match self.opener.open(&self.buffer[..length]) {
                Ok(Some(plain)) => match self.courier.send(&plain).await {
                    Ok(_) => self.on_loopback = Some(from),
                    Err(_) => refused("loopback"),
                },
                Ok(None) => {}
                Err(error) => refused(error.word()),
            }
        }
    }
}

impl SealedSocket {
    /// What chitchat's socket made of the datagram from this sender.
    async fn decoded(&mut self, from: SocketAddr) -> anyhow::Result<Option<RecvOutcome>> {
        let courier = self.courier.local_addr()?;
        loop {
            let Ok(outcome) = timeout(LOOPBACK, self.coder.recv()).await else {
                self.on_loopback = None;
                refused("undecodable");
                return Ok(None);
            };
            let outcome = outcome?;
            if outcome.from_addr == courier {
                self.on_loopback = None;
                return Ok(Some(RecvOutcome { from_addr: from, ..outcome }));
            }
            refused("loopback");
        }
    }
}

/// Counts a datagram that was not taken.
fn refused(reason: &'static str) {
    metrics::counter!("rookery_gossip_refused_total", "reason" => reason).increment(1);
}
