//! `rookery front`: one address before several nodes, to try a cluster on one machine and for tests.

use std::{
    io::Write as _,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional, sink},
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
    sync::{Notify, Semaphore},
    time::{Instant, sleep, timeout, timeout_at},
};

/// Between two looks at a node.
const LOOK: Duration = Duration::from_millis(500);
/// How long a node may take to say that it is ready. With the time between two looks, how long one that hangs still gets
/// new connections.
const PATIENCE: Duration = Duration::from_millis(700);
/// How long a node may take to accept a connection.
const CONNECT: Duration = Duration::from_millis(500);
/// How long a connection waits while no node is ready: longer than another one needs to take over, or one to start anew.
const WAITING: Duration = Duration::from_secs(5);
/// What a connection is told that has waited in vain. Over a WebSocket's handshake it is a refusal like any other.
const REFUSAL: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 21\r\nRetry-After: 1\r\n\
    Connection: close\r\n\r\nno node is ready yet\n";
/// How long whoever is refused may take to read that.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Between two tries to accept while that fails: there are no descriptors left, and closing connections gives some back.
const AGAIN: Duration = Duration::from_millis(50);

/// What `rookery front` takes.
#[derive(Args)]
#[command(after_help = "\
Bytes are passed on as they come, to a node whose /readyz says so; a connection stays with its node. This is for trying \
a cluster on one machine and for tests: production has a load balancer.

  rookery front --listen 127.0.0.1:8080 --node http://127.0.0.1:8091 --node http://127.0.0.1:8092")]
pub(super) struct FrontArguments {
    /// Where clients connect; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where clients reach a node; stands once for each
    #[arg(long = "node", value_name = "URL", required = true, value_parser = host_and_port)]
    nodes: Vec<String>,
    /// Connections at once; one more is closed
    #[arg(long, value_name = "COUNT", default_value_t = 4_096, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    connections: u32,
}

/// `http://host:port`, or only the latter.
fn host_and_port(url: &str) -> Result<String, String> {
    let rest = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/');
    let port = rest.rsplit_once(':').and_then(|(host, port)| (!host.is_empty()).then(|| port.parse::<u16>()));
    match port {
        Some(Ok(_)) if !rest.contains('/') => Ok(rest.to_owned()),
        _ => Err("must look like http://127.0.0.1:8091".to_owned()),
    }
}

/// Runs it until a signal.
///
/// # Errors
/// The address cannot be listened on.
pub(super) fn run(arguments: FrontArguments) -> anyhow::Result<()> {
    // What cannot be raised shows up as a connection that has to wait.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    // Connections that are still there end with the runtime.
    super::block_on(serve(arguments))?
}

async fn serve(arguments: FrontArguments) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("no signals")?;
    let listener = TcpListener::bind(arguments.listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {}", arguments.listen))?;
    let nodes = Arc::new(Nodes::new(arguments.nodes));
    // An answer is asked for over a new connection each time, as a client would come.
    let client = reqwest::Client::builder().timeout(PATIENCE).pool_max_idle_per_host(0).no_proxy().build()?;
    for at in 0..nodes.all.len() {
        tokio::spawn(watch(Arc::clone(&nodes), at, client.clone()));
    }
    let address = listener.local_addr()?;
    // Who started this may read no further than it wants to; that is no reason to end.
    let _ = writeln!(std::io::stdout(), "rookery front ready: for trying and for tests\nurl          http://{address}");
    tokio::select! {
        () = accept(listener, nodes, arguments.connections) => Ok(()),
        _ = terminate.recv() => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

/// Takes connections for ever. One too many is closed at once: its client comes back later, and one that waited here would
/// not know why.
async fn accept(listener: TcpListener, nodes: Arc<Nodes>, connections: u32) {
    let places = Arc::new(Semaphore::new(usize::try_from(connections).unwrap_or(Semaphore::MAX_PERMITS)));
    loop {
        let Ok((client, _)) = listener.accept().await else {
            sleep(AGAIN).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let nodes = Arc::clone(&nodes);
        tokio::spawn(async move {
            pass(client, &nodes).await;
            drop(place);
        });
    }
}

/// Passes bytes both ways until both have ended, or one of them breaks.
async fn pass(mut client: TcpStream, nodes: &Nodes) {
    let Some(mut node) = nodes.connect_in_time().await else {
        eprintln!("a connection was refused: no node is ready");
        return refuse(client).await;
    };
    // Without it small frames wait for each other; where it cannot be had they do.
    let _ = (client.set_nodelay(true), node.set_nodelay(true));
    // One end that breaks ends the other, and whoever is at it notices.
    let _ = copy_bidirectional(&mut client, &mut node).await;
}

/// Says that it cannot be helped, and closes. What the client has said is read first, or its end could outrun the answer.
async fn refuse(mut client: TcpStream) {
    let answer = async {
        client.write_all(REFUSAL.as_bytes()).await?;
        client.shutdown().await?;
        let mut rest = client.take(1 << 20);
        tokio::io::copy(&mut rest, &mut sink()).await
    };
    // Who does not read it is closed all the same.
    let _ = timeout(LAST_WORDS, answer).await;
}

/// The nodes, and whose turn it is.
struct Nodes {
    all: Vec<Node>,
    turn: AtomicUsize,
    /// Told when a node is ready that was not.
    another: Notify,
}

struct Node {
    address: String,
    ready: AtomicBool,
}

impl Nodes {
    fn new(addresses: Vec<String>) -> Self {
        let node = |address| Node { address, ready: AtomicBool::new(false) };
        Self { all: addresses.into_iter().map(node).collect(), turn: AtomicUsize::new(0), another: Notify::new() }
    }

    /// As `connect`, and waits a moment for a node to be ready if none is.
    async fn connect_in_time(&self) -> Option<TcpStream> {
        let until = Instant::now() + WAITING;
        loop {
            let another = self.another.notified();
            tokio::pin!(another);
            // From here on nothing is missed.
            another.as_mut().enable();
            if let Some(stream) = self.connect().await {
                return Some(stream);
            }
            timeout_at(until, another).await.ok()?;
        }
    }

    /// A node says whether it is ready.
    fn is_ready(&self, at: usize, ready: bool) {
        self.all[at].is_ready(ready);
        if ready {
            self.another.notify_waiters();
        }
    }

    /// A connection to the next node that is ready and takes it.
    async fn connect(&self) -> Option<TcpStream> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        for after in 0..self.all.len() {
            let node = &self.all[first.wrapping_add(after) % self.all.len()];
            if !node.ready.load(Ordering::Relaxed) {
                continue;
            }
            match timeout(CONNECT, TcpStream::connect(&node.address)).await {
                Ok(Ok(stream)) => return Some(stream),
                _ => node.is_ready(false),
            }
        }
        None
    }
}

impl Node {
    fn is_ready(&self, ready: bool) {
        if self.ready.swap(ready, Ordering::Relaxed) != ready {
            eprintln!("{} {}", self.address, if ready { "is ready" } else { "is not ready" });
        }
    }
}

/// Asks a node again and again whether it is ready.
async fn watch(nodes: Arc<Nodes>, at: usize, client: reqwest::Client) {
    let node = &nodes.all[at];
    let url = format!("http://{}/readyz", node.address);
    loop {
        let answer = client.get(&url).send().await;
        nodes.is_ready(at, answer.is_ok_and(|answer| answer.status().is_success()));
        sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_named_by_its_url_or_by_host_and_port() {
        for url in ["http://127.0.0.1:8091", "http://127.0.0.1:8091/", "127.0.0.1:8091"] {
            assert_eq!(host_and_port(url).as_deref(), Ok("127.0.0.1:8091"));
        }
        assert_eq!(host_and_port("http://[::1]:80").as_deref(), Ok("[::1]:80"));
        for bad in ["", "http://", "127.0.0.1", ":8091", "https://127.0.0.1:1", "http://127.0.0.1:1/x", "a:99999"] {
            assert!(host_and_port(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn who_takes_no_connection_is_passed_over_until_it_says_again_that_it_is_ready() {
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addresses = [&closed, &open].map(|listener| listener.local_addr().unwrap().to_string());
        drop(closed);
        let nodes = Nodes::new(addresses.to_vec());
        assert!(nodes.connect().await.is_none(), "nobody has said yet that it is ready");
        nodes.all.iter().for_each(|node| node.is_ready(true));
        for _ in 0..3 {
            let stream = nodes.connect().await.unwrap();
            assert_eq!(stream.peer_addr().unwrap(), open.local_addr().unwrap());
        }
        assert!(!nodes.all[0].ready.load(Ordering::Relaxed) && nodes.all[1].ready.load(Ordering::Relaxed));
    }
}
