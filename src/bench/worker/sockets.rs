//! Thousands of sockets in one thread: opening them, reading them, dropping them.

use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::ledger::{Ledger, Seat};
use super::order::{Connect, Connected, Session};
use crate::bench::frame;
use crate::bench::latency::now;

const HANDSHAKE: Duration = Duration::from_secs(30);
const LONGEST_ANSWER: usize = 16 * 1024;

/// The books, shared by all sockets of the thread.
pub(super) type Books = Arc<Mutex<Ledger>>;
/// The writing half of a socket: frames of several tasks, one after the other.
pub(super) type Writer = Arc<tokio::sync::Mutex<OwnedWriteHalf>>;
type Writers = Arc<Mutex<Vec<Option<Writer>>>>;

/// The sockets of a worker.
pub(super) struct Sockets {
    pub(super) books: Books,
    writers: Writers,
    tasks: JoinSet<()>,
}

impl Sockets {
    pub(super) fn new() -> Sockets {
        Sockets {
            books: Arc::new(Mutex::new(Ledger::new())),
            writers: Arc::new(Mutex::new(Vec::new())),
            tasks: JoinSet::new(),
        }
    }

    /// Opens sessions and waits until each is live and has got what it missed.
    pub(super) async fn connect(&mut self, order: Connect) -> anyhow::Result<Connected> {
        let count = order.sessions.len();
        let changed = self.begin(order.sessions.iter().map(|session| Seat::new(rooms(session))).collect());
        let gate = Arc::new(Semaphore::new(order.concurrency.max(1)));
        for (seat, session) in order.sessions.into_iter().enumerate() {
            let (books, writers, gate) = (Arc::clone(&self.books), Arc::clone(&self.writers), Arc::clone(&gate));
            let (address, source) = (session.address.unwrap_or(order.address), order.source);
            self.tasks.spawn(async move {
                let opened = {
                    let Ok(_turn) = gate.acquire().await else { return };
                    match tokio::time::timeout(HANDSHAKE, open_session(address, source, &session)).await {
                        Ok(opened) => opened,
                        Err(_) => Err(std::io::Error::other("no answer to the handshake")),
                    }
                };
                match opened {
                    Ok((stream, rest)) => listen(seat, stream, rest, books, writers).await,
                    Err(error) => books.lock().closed(&format!("not connected: {error}")),
                }
            });
        }
        let deadline = tokio::time::Instant::now() + Duration::from_secs(order.seconds);
        loop {
            let waiting = changed.notified();
            {
                let ledger = self.books.lock();
                if ledger.live + ledger.troubles.closed as usize >= count {
                    break;
                }
            }
            if tokio::time::timeout_at(deadline, waiting).await.is_err() {
                self.books.lock().troubles.note(|| format!("not everybody was live after {} s", order.seconds));
                break;
            }
        }
        let ledger = self.books.lock();
        let (wrong, events) = ledger.account(order.missed);
        Ok(Connected {
            live: ledger.live,
            wrong,
            events,
            latency: ledger.latencies.summary(),
            troubles: ledger.troubles.clone(),
        })
    }

    /// Opens bare sockets to a writer. The control comes first: it is the one that the writer takes its bytes from.
    pub(super) async fn connect_bare(
        &mut self,
        address: SocketAddr,
        source: Ipv4Addr,
        sockets: usize,
    ) -> anyhow::Result<OwnedWriteHalf> {
        self.begin((0..sockets).map(|_| Seat::bare()).collect());
        let (control_reader, control) = open(address, source).await?.into_split();
        // Nothing comes back on the control; it only has to stay open as long as the tasks live.
        self.tasks.spawn(async move {
            let mut reader = control_reader;
            let mut nothing = [0; 16];
            while matches!(reader.read(&mut nothing).await, Ok(read) if read > 0) {}
        });
        for seat in 0..sockets {
            let stream = open(address, source).await?;
            let (books, writers) = (Arc::clone(&self.books), Arc::clone(&self.writers));
            self.tasks.spawn(listen(seat, stream, Vec::new(), books, writers));
        }
        Ok(control)
    }

    fn begin(&mut self, seats: Vec<Seat>) -> Arc<tokio::sync::Notify> {
        *self.writers.lock() = vec![None; seats.len()];
        let mut ledger = self.books.lock();
        *ledger = Ledger::new();
        ledger.seats = seats;
        ledger.ordered_at = now();
        Arc::clone(&ledger.changed)
    }

    /// Drops every socket at once, without a word to the server.
    pub(super) async fn drop_all(&mut self) {
        self.tasks.shutdown().await;
        self.writers.lock().clear();
    }

    /// The writing half of a seat.
    pub(super) fn writer(&self, seat: usize) -> Option<Writer> {
        self.writers.lock().get(seat).cloned().flatten()
    }
}

fn rooms(session: &Session) -> Vec<(u128, u64)> {
    let number = |room: &str| Uuid::parse_str(room).map_or(0, |room| room.as_u128());
    session.cursors.iter().map(|(room, cursor)| (number(room), *cursor)).collect()
}

/// A connection from a source address of one's choice: an address has 28,000 ports, and one may need more.
async fn open(address: SocketAddr, source: Ipv4Addr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if address.ip().is_loopback() {
        socket.bind(SocketAddr::new(IpAddr::V4(source), 0))?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Handshake and hello. What was read behind the handshake comes back with the stream.
async fn open_session(
    address: SocketAddr,
    source: Ipv4Addr,
    session: &Session,
) -> std::io::Result<(TcpStream, Vec<u8>)> {
    let mut stream = open(address, source).await?;
    let request = format!(
        "GET /api/v1/ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: rookery.v1.json\r\nAuthorization: Bearer {}\r\n\r\n",
        session.token
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::with_capacity(512);
    let end = loop {
        if stream.read_buf(&mut answer).await? == 0 || answer.len() > LONGEST_ANSWER {
            return Err(std::io::Error::other("the handshake ended early"));
        }
        if let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
    };
    if !answer.starts_with(b"HTTP/1.1 101") {
        let text = String::from_utf8_lossy(&answer[..answer.len().min(400)]).replace("\r\n", " | ");
        return Err(std::io::Error::other(format!("the handshake was refused: {text}")));
    }
    let cursors: serde_json::Map<_, _> =
        session.cursors.iter().map(|(room, seq)| (room.clone(), (*seq).into())).collect();
    let hello = serde_json::json!({ "type": "hello", "cursors": cursors, "client": "rookery bench" }).to_string();
    let mut out = Vec::new();
    frame::from_client(frame::TEXT, hello.as_bytes(), &mut out);
    stream.write_all(&out).await?;
    Ok((stream, answer.split_off(end)))
}

/// Reads a socket until it ends.
async fn listen(seat: usize, stream: TcpStream, mut carry: Vec<u8>, books: Books, writers: Writers) {
    let (mut reader, writer) = stream.into_split();
    let writer = Arc::new(tokio::sync::Mutex::new(writer));
    if let Some(place) = writers.lock().get_mut(seat) {
        *place = Some(Arc::clone(&writer));
    }
    let mut out = Vec::new();
    loop {
        let outcome = read_once(seat, &mut reader, &mut carry, &books, &mut out).await;
        if let Err(why) = outcome {
            books.lock().closed(&why);
            return;
        }
        if !out.is_empty() {
            if let Err(error) = writer.lock().await.write_all(&out).await {
                books.lock().closed(&error.to_string());
                return;
            }
            out.clear();
        }
    }
}

/// One read and what follows from it. Most frames are whole, are looked at where they were read, and leave nothing.
async fn read_once(
    seat: usize,
    reader: &mut OwnedReadHalf,
    carry: &mut Vec<u8>,
    books: &Books,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    poll_fn(|context| {
        let mut guard = books.lock();
        let ledger = &mut *guard;
        if !carry.is_empty() {
            // Bytes that came with the handshake, or the start of a frame: the first is whole already.
            match ledger.take(seat, carry, out) {
                Ok(0) => {}
                Ok(taken) => {
                    carry.drain(..taken);
                    return Poll::Ready(Ok(()));
                }
                Err(why) => return Poll::Ready(Err(why)),
            }
        }
        let mut scratch = std::mem::take(&mut ledger.scratch);
        let mut buffer = ReadBuf::new(&mut scratch);
        let outcome = match Pin::new(&mut *reader).poll_read(context, &mut buffer) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(error.to_string())),
            Poll::Ready(Ok(())) => Poll::Ready(digest(seat, buffer.filled(), carry, ledger, out)),
        };
        ledger.scratch = scratch;
        outcome
    })
    .await
}

fn digest(seat: usize, read: &[u8], carry: &mut Vec<u8>, ledger: &mut Ledger, out: &mut Vec<u8>) -> Result<(), String> {
    if read.is_empty() {
        return Err("the server ended the connection".to_owned());
    }
    ledger.reads += 1;
    if carry.is_empty() {
        let taken = ledger.take(seat, read, out)?;
        carry.extend_from_slice(&read[taken..]);
    } else {
        carry.extend_from_slice(read);
        let taken = ledger.take(seat, carry, out)?;
        carry.drain(..taken);
    }
    if carry.is_empty() && carry.capacity() > 0 {
        *carry = Vec::new();
    }
    Ok(())
}

#[cfg(test)]
#[path = "sockets_tests.rs"]
mod tests;
