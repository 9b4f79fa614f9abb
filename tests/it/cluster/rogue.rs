//! A node that has all it needs to be believed, and says what no node should: it costs itself its link, and nobody else.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use ractor::{
    Actor, ActorCell, ActorProcessingErr, ActorRef,
    message::{BoxedDowncastErr, SerializedMessage},
    pg,
};
use ractor_cluster::{
    BoxRead, BoxWrite, ClusterBidiStream, NodeEventSubscription, NodeServer, NodeServerMessage,
    node::{NodeConnectionMode, NodeServerSessionInformation},
};
use rookery::cluster::{
    Envelope, NodeId,
    door::hello::{self, Hello, Words},
    wire::frame::{self, Batch, LARGEST_FRAME, Token},
};
use serde_json::json;
use tokio::{
    net::TcpStream,
    runtime::Runtime,
    sync::{OnceCell, mpsc, watch},
};
use tokio_rustls::TlsStream;

use super::{
    node::{Files, Node, pair},
    wire::samples::id,
};
use crate::support::{eventually, within};

/// What relays are sent, by a program of another make.
enum Said {
    Frame(Vec<u8>),
    Other(String, Vec<u8>),
}

impl ractor::Message for Said {
    fn serializable() -> bool {
        true
    }

    fn serialize(self) -> Result<SerializedMessage, BoxedDowncastErr> {
        let (variant, args) = match self {
            Self::Frame(args) => ("Frame".to_owned(), args),
            Self::Other(variant, args) => (variant, args),
        };
        Ok(SerializedMessage::Cast { variant, args, metadata: None })
    }

    fn deserialize(message: SerializedMessage) -> Result<Self, BoxedDowncastErr> {
        match message {
            SerializedMessage::Cast { args, .. } => Ok(Self::Frame(args)),
            _ => Err(BoxedDowncastErr),
        }
    }
}

/// The rogue's only relay: shows what it gets.
struct Ear(mpsc::Sender<Vec<u8>>);

impl Actor for Ear {
    type Msg = Said;
    type State = ();
    type Arguments = String;

    async fn pre_start(&self, myself: ActorRef<Said>, group: String) -> Result<(), ActorProcessingErr> {
        pg::join_scoped("rookery-relay".to_owned(), group, vec![myself.get_cell()]);
        Ok(())
    }

    async fn handle(&self, _: ActorRef<Said>, message: Said, (): &mut ()) -> Result<(), ActorProcessingErr> {
        if let Said::Frame(bytes) = message {
            let _ = self.0.try_send(bytes);
        }
        Ok(())
    }
}

struct Connected {
    stream: TlsStream<TcpStream>,
    label: String,
}

impl ClusterBidiStream for Connected {
    fn split(self: Box<Self>) -> (BoxRead, BoxWrite) {
        let (read, write) = tokio::io::split(self.stream);
        (Box::new(read), Box::new(write))
    }

    fn peer_label(&self) -> Option<String> {
        Some(self.label.clone())
    }
}

/// Who is told what of which connection.
type States = Arc<Mutex<HashMap<String, watch::Sender<Option<bool>>>>>;

struct Events(States);

impl Events {
    fn tell(&self, session: &NodeServerSessionInformation, ready: bool) {
        if let Some(state) = self.0.lock().unwrap().get(&session.peer_addr) {
            state.send_replace(Some(ready));
        }
    }
}

impl NodeEventSubscription for Events {
    fn node_session_opened(&self, _: NodeServerSessionInformation) {}
    fn node_session_authenticated(&self, _: NodeServerSessionInformation) {}
    fn node_session_ready(&self, session: NodeServerSessionInformation) {
        self.tell(&session, true);
    }
    fn node_session_disconnected(&self, session: NodeServerSessionInformation) {
        self.tell(&session, false);
    }
}

/// What the rogues of all tests share, since ractor_cluster keeps what it knows by process: one node server, one relay.
/// Whoever uses it has it alone.
pub(super) struct Den {
    pub(super) files: Files,
    server: ActorRef<NodeServerMessage>,
    states: States,
    heard: mpsc::Receiver<Vec<u8>>,
    connections: u64,
    /// Outlives every test's own.
    _runtime: Runtime,
}

pub(super) const NAME: &str = "c";
const INCARNATION: u64 = 1_000_000;

pub(super) async fn den() -> tokio::sync::MutexGuard<'static, Den> {
    static DEN: OnceCell<tokio::sync::Mutex<Den>> = OnceCell::const_new();
    let make = async || tokio::sync::Mutex::new(tokio::task::spawn_blocking(Den::make).await.unwrap());
    DEN.get_or_init(make).await.lock().await
}

impl Den {
    fn make() -> Self {
        let files = Files::make("birds", &["a", "b", NAME, "d"]);
        let runtime = Runtime::new().unwrap();
        let full = format!("{NAME}.{INCARNATION}");
        let (sender, heard) = mpsc::channel(4_096);
        let states = States::default();
        let cookie: String = files.secret().derive("cookie").iter().map(|byte| format!("{byte:02x}")).collect();
        let isolated = Some(NodeConnectionMode::Isolated);
        let server = NodeServer::new(0, cookie, full.clone(), format!("h.{full}"), None, isolated)
            .with_listen_addr("127.0.0.1".parse().unwrap());
        let server = runtime.block_on(async {
            Actor::spawn(None, Ear(sender), format!("{full}/0")).await.unwrap();
            Actor::spawn(None, server, ()).await.unwrap().0
        });
        let subscription = Box::new(Events(Arc::clone(&states)));
        server.cast(NodeServerMessage::SubscribeToEvents { id: "rogue".into(), subscription }).ok().unwrap();
        Self { files, server, states, heard, connections: 0, _runtime: runtime }
    }

    /// Greets the node as one of whom it has the certificate. What calls itself otherwise afterwards is not looked for.
    async fn connect(&mut self, said: &str, to: &Node) -> Rogue {
        self.connect_to(said, to.address, &to.id()).await
    }

    pub(super) async fn connect_to(&mut self, said: &str, address: SocketAddr, to: &NodeId) -> Rogue {
        let stream = TcpStream::connect(address).await.unwrap();
        let mut stream = self.files.tls(said).connect(stream, to).await.unwrap();
        let (cluster, node) = ("birds".to_owned(), said.to_owned());
        let hello = Hello { cluster, node, incarnation: INCARNATION, relays: 1, token: [9; 16] };
        hello::say(&mut stream, &Words::Hello(hello)).await.unwrap();
        let theirs = hello::hear(&mut stream).await.unwrap();

        self.connections += 1;
        let label = format!("rogue {}", self.connections);
        let (sender, state) = watch::channel(None);
        self.states.lock().unwrap().insert(label.clone(), sender);
        let stream = Box::new(Connected { stream, label });
        let opened = NodeServerMessage::ConnectionOpenedExternal { stream, is_server: false };
        self.server.cast(opened).ok().unwrap();
        let mut rogue = Rogue { relays: Vec::new(), token: theirs.token, state };
        if said == NAME {
            rogue.find(&format!("{}.{}", theirs.node, theirs.incarnation), theirs.relays).await;
        }
        rogue
    }
}

/// A connection to one node, by the protocol and with certificate and cookie, but in nobody's hands.
pub(super) struct Rogue {
    relays: Vec<ActorRef<Said>>,
    /// What its victim wants to see on what it is sent.
    token: Token,
    state: watch::Receiver<Option<bool>>,
}

impl Rogue {
    async fn find(&mut self, peer: &str, count: u16) {
        within("the rogue to be ready", self.state.wait_for(|state| *state == Some(true))).await.unwrap();
        // What an earlier connection left behind may stand there for a moment; the newest is wanted.
        let find = |index: u16| {
            let members = pg::get_scoped_members(&"rookery-relay".to_owned(), &format!("{peer}/{index}"));
            members.into_iter().max_by_key(|cell: &ActorCell| cell.get_id()).map(ActorRef::from)
        };
        self.relays = eventually("the relays", async || (0..count).map(find).collect()).await;
    }

    pub(super) fn cast(&self, bytes: Vec<u8>) {
        let _ = self.relays[0].cast(Said::Frame(bytes));
    }

    /// Its victim takes batches from it from now on.
    async fn up(&mut self, victim: &mut Node) {
        self.cast(frame::beat(self.token, 0));
        victim.told(|line| line["up"] == NAME).await;
    }

    pub(super) fn batch(&self, envelopes: &[&[u8]]) -> Vec<u8> {
        let mut batch = Batch::new(self.token, 0);
        for envelope in envelopes {
            batch.push(envelope);
        }
        batch.into_bytes()
    }

    async fn closed(&mut self, why: &str) {
        within(why, self.state.wait_for(|state| *state == Some(false))).await.unwrap();
    }
}

/// Keeps the rogue's link alive while it does what it does.
pub(super) fn beating(rogue: &Rogue) -> tokio_util::task::AbortOnDropHandle<()> {
    let (relay, token) = (rogue.relays[0].clone(), rogue.token);
    tokio_util::task::AbortOnDropHandle::new(tokio::spawn(async move {
        let mut beats = tokio::time::interval(Duration::from_millis(250));
        loop {
            beats.tick().await;
            let _ = relay.cast(Said::Frame(frame::beat(token, u64::MAX)));
        }
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_envelopes_are_counted_and_what_stands_beside_them_is_taken() {
    let mut den = den().await;
    let (mut a, mut b) = pair(&den.files).await;
    let mut rogue = den.connect(NAME, &a).await;
    let _beats = beating(&rogue);
    rogue.up(&mut a).await;
    let good = Envelope::Interest { room: id(1), on: true }.encode().unwrap();
    let later = [&[2_u8], &good[1..]].concat();
    rogue.cast(rogue.batch(&[&good, &later, &[1, 99, 0], &[], &good[..5], &[&good[..], b"more"].concat(), &good]));
    let state = a.until("all of the batch", |state| state.number("envelopes") == 2).await;
    assert_eq!((state.refused("version"), state.refused("unknown"), state.refused("malformed")), (1, 1, 3));
    rogue.cast(rogue.batch(&[&good]).split_last().unwrap().1.to_vec());
    rogue.cast(b"x".to_vec());
    rogue.cast(vec![]);
    rogue.cast(vec![7; 200]);
    let _ = rogue.relays[0].cast(Said::Other("Later".into(), vec![1, 2, 3]));
    rogue.cast(rogue.batch(&[&good]));
    let state = a.until("what followed", |state| state.number("envelopes") == 3).await;
    assert_eq!((state.refused("frame"), state.refused("message")), (4, 1));
    assert_eq!(state.links(), ["b", "c"]);
    unharmed(&mut a, &mut b).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_of_four_mebibytes_end_the_connection_of_who_sends_them() {
    let mut den = den().await;
    let (mut a, mut b) = pair(&den.files).await;
    let resident = a.resident();
    for bytes in [4 << 20, 4 << 20, LARGEST_FRAME + 8_192] {
        let mut rogue = den.connect(NAME, &a).await;
        let beats = beating(&rogue);
        rogue.up(&mut a).await;
        let mut frame = rogue.batch(&[]);
        frame.resize(bytes, 0);
        rogue.cast(frame);
        a.told(|line| line["down"] == "c").await;
        rogue.closed("the rogue's end").await;
        drop(beats);
    }
    assert!(a.resident() < resident + 16 * 1_024, "{} to {} KiB", resident, a.resident());
    unharmed(&mut a, &mut b).await;
}

/// Nobody but the two ends knows a link's token: what carries another is of a link that has ended, or forged.
#[tokio::test(flavor = "multi_thread")]
async fn what_carries_another_token_is_not_taken() {
    let mut den = den().await;
    let (mut a, mut b) = pair(&den.files).await;
    let good = Envelope::Interest { room: id(1), on: true }.encode().unwrap();
    let mut old = den.connect(NAME, &a).await;
    let beats = beating(&old);
    old.up(&mut a).await;
    old.cast(old.batch(&[&good]));
    a.until("one envelope", |state| state.number("envelopes") == 1).await;
    let stale = old.batch(&[&good]);
    drop(beats);
    a.told(|line| line["down"] == "c").await;
    old.closed("the end of who says nothing any more").await;

    let mut rogue = den.connect(NAME, &a).await;
    let _beats = beating(&rogue);
    rogue.up(&mut a).await;
    let before = a.state().await.refused("stale");
    rogue.cast(stale);
    let mut forged = Batch::new([0; 16], 0);
    forged.push(&good);
    rogue.cast(forged.into_bytes());
    a.until("that both were refused", |state| state.refused("stale") == before + 2).await;
    rogue.cast(rogue.batch(&[&good]));
    a.until("what carries the right one", |state| state.number("envelopes") == 2).await;
    unharmed(&mut a, &mut b).await;
}

/// With the certificate of one node, but under the name of another when it comes to ractor_cluster.
#[tokio::test(flavor = "multi_thread")]
async fn who_changes_the_name_after_the_greeting_is_closed() {
    let mut den = den().await;
    let (mut a, mut b) = pair(&den.files).await;
    let mut rogue = den.connect("d", &a).await;
    rogue.closed("the end of the impostor").await;
    assert_eq!(a.state().await.refused("certificate"), 1);
    unharmed(&mut a, &mut b).await;
}

/// A peer that takes batches and never says that it has dealt with them gets the window and no more.
#[tokio::test(flavor = "multi_thread")]
async fn who_gives_no_credit_gets_no_more_than_the_window() {
    let mut den = den().await;
    let (mut a, _b) = pair(&den.files).await;
    let mut rogue = den.connect(NAME, &a).await;
    let (relay, token) = (rogue.relays[0].clone(), rogue.token);
    let _beats = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(async move {
        let mut beats = tokio::time::interval(Duration::from_millis(250));
        loop {
            beats.tick().await;
            let _ = relay.cast(Said::Frame(frame::beat(token, 0)));
        }
    }));
    rogue.up(&mut a).await;
    while den.heard.try_recv().is_ok() {}
    let sent = a.send(json!({ "to": "c", "kind": "event", "count": 4_000, "bytes": 1_000 })).await;
    assert_eq!(sent["taken"], 4_000);
    let state = a.until("that it stands", |state| state.0["links"][1]["waiting"].as_u64().unwrap() > 2_500).await;
    assert!(state.0["links"][1]["waiting"].as_u64().unwrap() < 3_500, "{}", state.0["links"]);
    let mut got = 0;
    while let Ok(bytes) = den.heard.try_recv() {
        got += bytes.len();
    }
    assert!((500_000..=1 << 20).contains(&got), "{got} bytes");
}

async fn unharmed(a: &mut Node, b: &mut Node) {
    let before = a.state().await.number("events");
    let sent = b.send(json!({ "to": "a", "kind": "event", "count": 1_000, "bytes": 10 })).await;
    assert_eq!(sent["taken"], 1_000);
    let state = a.until("new events", |state| state.number("events") == before + 1_000).await;
    assert_eq!(state.number("disorder"), 0);
    assert!(state.links().contains(&"b"));
    assert_eq!(b.state().await.counted("rookery_link_envelopes_lost_total"), 0);
}
