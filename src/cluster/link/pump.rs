//! The task of a link: takes what waits, packs it, sends it as credit allows, and beats.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use ractor::{ActorId, ActorRef, pg};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval, sleep},
};

use super::{
    Connection, Link, Links,
    queue::{Queue, Waiting},
};
use crate::cluster::{
    relay::{self, RelayMessage},
    wire::{
        Envelope,
        frame::{self, Batch},
    },
};

/// Envelopes that are taken at once; no timer, a batch is what has queued up meanwhile.
const AT_ONCE: usize = 256;
/// Bytes of a batch, about: one larger envelope goes alone.
const BATCH: usize = 32 << 10;
const BEAT: Duration = Duration::from_millis(250);
/// How often to look for the peer's relays: they are announced right before the peer is ready.
const LOOK: Duration = Duration::from_millis(5);

/// Runs the link of a connection that is ready, to its end.
pub(super) async fn run(links: Arc<Links>, connection: Arc<Connection>, session: u64) {
    let Some(relays) = find_relays(&connection, session).await else { return };
    if let Some(before) = links.live.get(&connection.peer.node).map(|link| Arc::clone(&link)) {
        if before.connection.peer.incarnation > connection.peer.incarnation {
            return connection.end("a newer life of the node is connected");
        }
        before.connection.end("replaced by a newer connection");
    }
    let turn = links.turn(&connection.peer.node);
    let _turn = tokio::select! {
        turn = turn.lock() => turn,
        () = connection.switch.cancelled() => return,
    };
    if !connection.rise() {
        return;
    }
    let (queue, waiting) = Queue::new();
    let link = Arc::new(Link { connection: Arc::clone(&connection), queue });
    links.live.insert(connection.peer.node.clone(), Arc::clone(&link));
    let mut pump = Pump {
        links: &links,
        link: &link,
        relays: &relays,
        waiting,
        taken: Vec::with_capacity(AT_ONCE),
        packed: VecDeque::new(),
        sent: 0,
    };
    let why = pump.run().await;
    pump.waiting.close();
    connection.end(why);
    links.live.remove_if(&connection.peer.node, |_, now| Arc::ptr_eq(now, &link));
    let lost = link.queue.envelopes();
    if lost > 0 {
        metrics::counter!("rookery_link_envelopes_lost_total").increment(lost as u64);
    }
    connection.announce_down(&*links.receiver);
    metrics::gauge!("rookery_links").set(count(links.live.len()));
    tracing::info!(peer = %connection.peer, why = connection.why(), lost, "link down");
}

/// The peer's relays, in order; only those that came by this very connection.
async fn find_relays(connection: &Connection, session: u64) -> Option<Vec<ActorRef<RelayMessage>>> {
    let theirs = |id: ActorId| matches!(id, ActorId::Remote { node_id, .. } if node_id == session);
    loop {
        let found = (0..connection.relays).map(|index| {
            let members = pg::get_scoped_members(&relay::SCOPE.to_owned(), &relay::group(&connection.peer, index));
            members.into_iter().find(|cell| theirs(cell.get_id())).map(ActorRef::from)
        });
        if let Some(relays) = found.collect() {
            return Some(relays);
        }
        tokio::select! {
            () = sleep(LOOK) => {}
            () = connection.switch.cancelled() => return None,
        }
    }
}

/// A batch that waits for credit.
struct Packed {
    relay: usize,
    bytes: Vec<u8>,
    envelopes: usize,
    /// Bytes of its envelopes, as the queue counts them.
    counted: usize,
}

struct Pump<'a> {
    links: &'a Links,
    link: &'a Link,
    relays: &'a [ActorRef<RelayMessage>],
    waiting: mpsc::Receiver<Waiting>,
    taken: Vec<Waiting>,
    packed: VecDeque<Packed>,
    /// Bytes of batches that went out.
    sent: u64,
}

impl Pump<'_> {
    /// Says why the link ended.
    async fn run(&mut self) -> &'static str {
        let connection = &self.link.connection;
        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = false;
        loop {
            if connection.is_silent() {
                return "it was silent for too long";
            }
            // Batches only once the peer's link runs: from then on it takes them.
            if !told && connection.is_heard() {
                told = true;
                connection.announce_up(&*self.links.receiver);
                metrics::gauge!("rookery_links").set(count(self.links.live.len()));
                tracing::info!(peer = %connection.peer, "link up");
            }
            self.pay();
            if !self.flush() || (connection.owes_credit() && !self.beat()) {
                return "the connection was closed";
            }
            let may_take = told && self.packed.is_empty();
            tokio::select! { biased;
                () = connection.switch.cancelled() => return connection.why(),
                _ = beats.tick() => {
                    if !self.beat() {
                        return "the connection was closed";
                    }
                }
                () = connection.changed.notified() => {}
                taken = self.waiting.recv_many(&mut self.taken, AT_ONCE), if may_take => {
                    if taken == 0 {
                        return "the node stops";
                    }
                    self.pack();
                }
            }
        }
    }

    fn beat(&self) -> bool {
        let connection = &self.link.connection;
        let beat = frame::beat(connection.theirs, connection.tell());
        self.relays.first().is_some_and(|relay| relay.cast(RelayMessage::Frame(beat)).is_ok())
    }

    /// Tells how far rooms are whose events were shed.
    fn pay(&mut self) {
        if !self.packed.is_empty() {
            return;
        }
        let owed = self.link.queue.pay(AT_ONCE);
        for (room, head) in owed {
            let envelope = Envelope::Head { room, head };
            if let Ok(bytes) = envelope.encode()
                && self.link.queue.put(envelope.class(), envelope.key(), bytes).is_err()
            {
                self.link.queue.owe(room, head);
            }
        }
    }

    /// Packs what was taken into batches, one or more for each relay of the peer; what has the same key keeps its order.
    fn pack(&mut self) {
        let mut open: Vec<Option<(Batch, usize)>> = Vec::new();
        open.resize_with(self.relays.len(), || None);
        let token = self.link.connection.theirs;
        let expected = self.taken.iter().map(|waiting| waiting.bytes.len() + 4).sum::<usize>().min(BATCH);
        for Waiting { bytes, key } in self.taken.drain(..) {
            let relay = usize::try_from(key % open.len().max(1) as u64).unwrap_or(0);
            let Some(place) = open.get_mut(relay) else { continue };
            if let Some(full) = place.take_if(|(batch, _)| !batch.has_room(bytes.len(), BATCH)) {
                self.packed.push_back(Packed::new(relay, full));
            }
            let (batch, counted) = place.get_or_insert_with(|| (Batch::new(token, expected), 0));
            batch.push(&bytes);
            *counted += bytes.len();
        }
        let open = open.into_iter().enumerate().filter_map(|(relay, batch)| Some(Packed::new(relay, batch?)));
        self.packed.extend(open);
    }

    /// Sends what credit allows. `false`: the connection is at its end.
    fn flush(&mut self) -> bool {
        while let Some(packed) = self.packed.pop_front() {
            let length = packed.bytes.len() as u64;
            if self.link.connection.credit(self.sent) < length {
                self.packed.push_front(packed);
                return true;
            }
            let Some(relay) = self.relays.get(packed.relay) else { return false };
            if relay.cast(RelayMessage::Frame(packed.bytes)).is_err() {
                return false;
            }
            self.sent += length;
            self.link.queue.left(packed.envelopes, packed.counted);
            metrics::counter!("rookery_link_envelopes_sent_total").increment(packed.envelopes as u64);
        }
        true
    }
}

impl Packed {
    fn new(relay: usize, (batch, counted): (Batch, usize)) -> Self {
        Self { relay, envelopes: batch.envelopes(), bytes: batch.into_bytes(), counted }
    }
}

/// A number of few things, for a gauge.
fn count(things: usize) -> f64 {
    f64::from(u32::try_from(things).unwrap_or(u32::MAX))
}
