//! The servers are away for a while: nothing is said that is not known, what is new is refused, and all is settled afterwards.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use scylla::{
    errors::TranslationError,
    policies::address_translator::{AddressTranslator, UntranslatedPeer},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
};

use super::{
    super::{CqlLog, connect},
    scratch,
    world::{Follower, Node, message, new_room, room_in},
};
use crate::store::StoreError;

/// What stands between the process and the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Open,
    /// Nothing passes, and nobody is told.
    Silent,
    /// Connections break, and no new ones come about.
    Broken,
}

/// A way to each of the servers.
struct Ways {
    mode: watch::Sender<Way>,
    /// By the address of the server.
    doors: HashMap<IpAddr, SocketAddr>,
}

impl Ways {
    async fn new() -> Self {
        let (mode, watched) = watch::channel(Way::Open);
        let mut doors = HashMap::new();
        for server in scratch::servers() {
            let server: SocketAddr = server.parse().unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            doors.insert(server.ip(), listener.local_addr().unwrap());
            let mode = watched.clone();
            tokio::spawn(async move {
                while let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(pass(client, server, mode.clone()));
                }
            });
        }
        Self { mode, doors }
    }

    async fn node(&self) -> Node {
        let mut settings = scratch::settings("far").await;
        settings.nodes = self.doors.values().map(ToString::to_string).collect();
        let translator: Arc<dyn AddressTranslator> = Arc::new(Doors(self.doors.clone()));
        let session = connect::builder(&settings).address_translator(translator).build().await.unwrap();
        let follower = Arc::new(Follower::default());
        let log = CqlLog::over(session, &settings, Arc::clone(&follower) as _).await.unwrap();
        Node { log, follower }
    }
}

/// The servers are reached by their doors, also those that the driver learns of.
struct Doors(HashMap<IpAddr, SocketAddr>);

#[async_trait::async_trait]
impl AddressTranslator for Doors {
    #[expect(elided_lifetimes_in_paths, reason = "the trait has it so, and the two must be alike")]
    async fn translate_address(&self, peer: &UntranslatedPeer) -> Result<SocketAddr, TranslationError> {
        let address = peer.untranslated_address();
        Ok(self.0.get(&address.ip()).copied().unwrap_or(address))
    }
}

async fn pass(client: TcpStream, server: SocketAddr, mode: watch::Receiver<Way>) {
    if *mode.borrow() == Way::Broken {
        return;
    }
    let server = TcpStream::connect(server).await.unwrap();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut broken = mode.clone();
    tokio::select! {
        () = copy(from_client, to_server, mode.clone()) => {}
        () = copy(from_server, to_client, mode) => {}
        _ = broken.wait_for(|way| *way == Way::Broken) => {}
    }
}

async fn copy(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf, mut mode: watch::Receiver<Way>) {
    let mut bytes = vec![0; 65_536];
    while let Ok(count) = from.read(&mut bytes).await {
        if count == 0 || mode.wait_for(|way| *way != Way::Silent).await.is_err() {
            return;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

/// The whole story, for one way of being away.
async fn the_servers_are_away(way: Way) {
    let ways = Ways::new().await;
    let node = ways.node().await;
    let id = new_room();
    let mut room = node.take(id).await;
    room.say(10).await;
    ways.mode.send_replace(way);

    // Sends go on. Those that are taken have no fate; after a while none is taken any more.
    let begun = Instant::now();
    let mut taken = Vec::new();
    let first_refused = loop {
        taken.push(room.send(message("into the dark")));
        if let Ok((seqs, fate)) = tokio::time::timeout(Duration::from_millis(20), room.fate()).await {
            assert!(matches!(fate, Err(StoreError::Unavailable(_))), "{fate:?}");
            break seqs;
        }
    };
    // On a busy machine the refusal comes late, and then those that were sent meanwhile are refused like it.
    let mut refused = *first_refused.end();
    while refused + 1 < room.next {
        let (seqs, fate) = room.fate().await;
        assert!(*seqs.start() == refused + 1 && matches!(fate, Err(StoreError::Unavailable(_))), "{seqs:?} {fate:?}");
        refused = *seqs.end();
    }
    taken.retain(|sent| sent.seq < *first_refused.start());
    room.next = first_refused.start() + 1;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert!(!taken.is_empty() && taken.len() < 1_000);

    // A little later everything else is refused at once too, and a number that was refused is given again.
    while !node.log.store.health.is_down() {
        tokio::task::yield_now().await;
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let begun = Instant::now();
    assert!(matches!(node.log.claim(room_in(0).shard()).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(node.log.wake(id, room.stamp, 0, Vec::new()).await, Err(StoreError::Unavailable(_))));
    room.next -= 1;
    let again = room.send(message("still dark"));
    assert!(matches!(room.fate().await, (seqs, Err(StoreError::Unavailable(_))) if *seqs.start() == again.seq));
    assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
    assert!(room.nobody_was_told() && node.log.waiting() == taken.len());

    // It is back: what was sent is in the log, in order and once, and what is new is taken.
    ways.mode.send_replace(Way::Open);
    let begun = Instant::now();
    room.written(10 + taken.len() as u64).await;
    room.next -= 1;
    let said = room.write(message("light")).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(node.log.waiting(), 0);
    let log = node.log.events(id, 10, said.seq, 2_000).await.unwrap();
    assert!(log.iter().map(|event| &**event).eq(taken.iter().chain([&said])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_nothing_passes_nothing_is_said_that_is_not_known() {
    the_servers_are_away(Way::Silent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_connections_break_nothing_is_said_that_is_not_known() {
    the_servers_are_away(Way::Broken).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_that_was_cut_off_finds_that_it_is_one_no_longer() {
    let ways = Ways::new().await;
    let (cut_off, other) = (ways.node().await, Node::new("near").await);
    let id = new_room();
    let mut old = cut_off.take(id).await;
    old.say(5).await;
    ways.mode.send_replace(Way::Silent);
    let lost = old.send(message("on its way"));
    let mut new = other.take(id).await;
    assert_eq!(new.woken.head, 5);
    let said = new.write(message("meanwhile")).await;
    assert_eq!(said.seq, lost.seq);
    ways.mode.send_replace(Way::Open);
    assert_eq!(old.fate().await, (lost.seq..=lost.seq, Err(StoreError::Fenced)));
    // What was on its way has arrived by now, or is given up; it stands nowhere.
    new.write(message("afterwards")).await;
    let log = other.log.events(id, 0, 7, 10).await.unwrap();
    assert_eq!(log[5].client_id, said.client_id);
    assert!(log.iter().all(|event| event.client_id != lost.client_id));
}
