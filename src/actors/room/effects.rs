//! Carrying out what a room decides: appends, acks, fan-out, marks.

use std::sync::{Arc, atomic::Ordering};

use bytes::{Bytes, BytesMut};
use ractor::ActorRef;
use rookery_core::{
    event::{Content, MemberChange},
    frame::{Refusal, codec, server::ServerFrame, websocket},
    ids::{ClientId, Seq, UserId},
    room::{Caller, Effect, Input, Logged},
    time::Millis,
};

use super::{RoomAnswer, RoomMessage, RoomState, negative::Negative, request};
use crate::{
    actors::{
        hub::inbox::{Ack, Batch, Frames, Item, Note},
        peers::{FanOut, HERE, NodeAcks, Slot, ToPeer, hub_of, slot_of},
    },
    store::log::{Append, Marks},
};

/// Milliseconds until read marks that follow from sending are written.
const FLUSH_MS: u64 = 500;

/// Acks of one step, by hub; they go out with the events that they belong to.
type Acks = Vec<(u16, Ack)>;

impl RoomState {
    pub(super) fn carry_out(&mut self, myself: &ActorRef<RoomMessage>, effects: &mut Vec<Effect>) {
        let mut acks = Acks::new();
        for effect in effects.drain(..) {
            match effect {
                Effect::Append(event) => {
                    self.waits.sent(event.seq);
                    let (stamp, reply) = (self.context.stamp, Arc::clone(&self.reply));
                    self.context.router.shared.log.append(Append { stamp, event, reply });
                }
                Effect::Ack { caller, client_id, seq, at, repeat } => {
                    self.waits.acked(seq);
                    self.ack(caller, client_id, seq, at, repeat, &mut acks);
                }
                Effect::FanOut(events) => self.fan_out(&events, &mut acks),
                Effect::Nack { caller, client_id, refusal, confirm } => {
                    self.say(myself, Negative::Refused { caller, client_id, refusal }, confirm);
                }
                Effect::Unchanged { caller, confirm } => self.say(myself, Negative::Unchanged { caller }, confirm),
                Effect::Look { ticket, sender, client_id, target } => {
                    let (log, room) = (Arc::clone(&self.context.router.shared.log), self.context.room);
                    self.later(myself, async move {
                        let found = log.look(room, sender, client_id, target).await.ok();
                        Input::Looked { ticket, found }
                    });
                }
                Effect::Appeared { user } => self.context.router.appeared(self.context.room, user),
                Effect::Vanished { user } => {
                    self.context.router.to_user(user, Note::Vanished(self.context.room));
                }
                Effect::Undecided { caller: Caller::Request(number), .. } => {
                    self.answer(&Caller::Request(number), RoomAnswer::Undecided);
                }
                Effect::Undecided { caller, client_id } => {
                    request::undecided(&self.context.router, &caller, client_id, Some(HERE));
                }
                Effect::StoreMarks { caller, user, read, delivered } => {
                    self.store_marks(myself, caller, user, read, delivered);
                }
                Effect::OwnRead { user, seq } => self.own_read(myself, user, seq),
                Effect::MarksStand { caller, read, delivered } => {
                    self.answer(&caller, RoomAnswer::Marks { read, delivered });
                }
                Effect::ShowMarks { user, read, delivered, to_all } => self.show_marks(user, read, delivered, to_all),
                Effect::ShowTyping { user, on } => {
                    let room = self.context.room;
                    let frame = framed(&ServerFrame::Typing { room, user, on });
                    self.to_listeners(|| Item::Typing { room, user, frame: frame.clone() });
                }
                Effect::Ended => {}
            }
        }
        // Acks of repeats come without events.
        self.send_acks(acks);
    }

    fn later(&self, myself: &ActorRef<RoomMessage>, work: impl Future<Output = Input> + Send + 'static) {
        let (actor, queued) = (myself.clone(), Arc::clone(&self.context.queued));
        self.context.router.shared.runtime.spawn(async move {
            let input = work.await;
            queued.fetch_add(1, Ordering::AcqRel);
            let _ = actor.send_message(RoomMessage::Input(input));
        });
    }

    pub(super) fn answer(&mut self, caller: &Caller, answer: RoomAnswer) {
        if let Caller::Request(number) = caller
            && let Some(ask) = self.asked.remove(number)
        {
            ask.answer(answer);
        }
    }

    fn ack(&mut self, caller: Caller, client_id: ClientId, seq: Seq, at: Millis, repeat: bool, acks: &mut Acks) {
        let room = self.context.room;
        match caller {
            Caller::Session { hub, session, id } => {
                let frame = framed(&ServerFrame::Ack { id: id.as_deref(), client_id, room, seq, at, repeat });
                acks.push((hub, Ack { session, client_id, seq, frame }));
            }
            Caller::Request(number) => {
                if let Some(ask) = self.asked.remove(&number) {
                    tracing::info!(request_id = %ask.request_id, %room, seq, repeat, "committed");
                    ask.answer(RoomAnswer::Done { seq, at, repeat });
                }
            }
        }
    }

    pub(super) fn nack(&mut self, caller: Caller, client_id: Option<ClientId>, refusal: Refusal) {
        match caller {
            Caller::Session { .. } => {
                request::refuse_session(&self.context.router, self.context.room, &caller, client_id, &refusal);
            }
            Caller::Request(_) => self.answer(&caller, RoomAnswer::Refused(refusal)),
        }
    }

    fn send_acks(&self, acks: Acks) {
        for (hub, ack) in acks {
            let Ack { session, client_id, frame, .. } = ack;
            self.context.router.to_hub(hub, Item::Answer { session, client_id: Some(client_id), frame });
        }
    }

    /// One batch per hub that listens or waits for an ack; the frames are encoded once and shared.
    fn fan_out(&self, events: &[Logged], acks: &mut Acks) {
        let router = &self.context.router;
        router.commits.fetch_add(events.len() as u64, Ordering::Relaxed);
        metrics::counter!("rookery_events_committed_total").increment(events.len() as u64);
        let Some(frames) = join(events) else { return };
        let (frames, removed) = (Arc::new(frames), removed(events));
        let mask = self.context.listeners.hubs();
        for hub in 0..u16::try_from(router.hubs().len()).unwrap_or(0) {
            let own = own_acks(acks, |address| address == hub);
            if mask & (1 << hub) == 0 && own.is_empty() {
                continue;
            }
            let own = own.into_iter().map(|(_, ack)| ack).collect();
            let (frames, removed) = (Arc::clone(&frames), Arc::clone(&removed));
            router.to_hub(hub, Item::Batch(Batch { room: self.context.room, frames, acks: own, removed }));
        }
        self.fan_out_to_nodes(FanOut { room: self.context.room, frames, removed }, acks);
    }

    /// One envelope per node that listens or waits for an ack, however many listen there.
    fn fan_out_to_nodes(&self, events: FanOut, acks: &mut Acks) {
        let listening = self.context.listeners.nodes();
        if listening.is_empty() && acks.is_empty() {
            return;
        }
        let mut waiting: Vec<(Slot, NodeAcks)> = Vec::new();
        while let Some((address, _)) = acks.first() {
            let slot = slot_of(*address);
            let own = own_acks(acks, |address| slot_of(address) == slot);
            waiting.push((slot, own.into_iter().map(|(address, ack)| (hub_of(address), ack)).collect()));
        }
        self.context.router.peers().fan_out(&events, &listening, waiting);
    }

    pub(super) fn to_listeners(&self, item: impl Fn() -> Item) {
        let router = &self.context.router;
        router.to_hubs_here(self.context.listeners.hubs(), &item);
        for node in self.context.listeners.nodes() {
            router.peers().send(node, ToPeer::Hubs(item()));
        }
    }

    fn store_marks(&self, myself: &ActorRef<RoomMessage>, caller: Caller, user: UserId, read: Seq, delivered: Seq) {
        let (log, room) = (Arc::clone(&self.context.router.shared.log), self.context.room);
        self.later(myself, async move {
            let stand = log.mark(vec![Marks { room, user, read, delivered }]).await;
            let stand = stand.ok().and_then(|stand| stand.into_iter().next().flatten());
            Input::Marked { caller, user, stand: stand.map(|marks| (marks.read, marks.delivered)) }
        });
    }

    fn show_marks(&self, user: UserId, read: Seq, delivered: Seq, to_all: bool) {
        let room = self.context.room;
        let frame = framed(&ServerFrame::Marks { room, user, read: Some(read), delivered: Some(delivered) });
        if to_all {
            self.to_listeners(|| Item::Passing { room, frame: frame.clone() });
        } else {
            self.context.router.to_user(user, Note::Frame(frame));
        }
    }

    fn own_read(&mut self, myself: &ActorRef<RoomMessage>, user: UserId, seq: Seq) {
        self.own_reads.insert(user, seq);
        if self.flush_planned {
            return;
        }
        self.flush_planned = true;
        let (actor, queued) = (myself.clone(), Arc::clone(&self.context.queued));
        self.context.router.shared.runtime.spawn(async move {
            tokio::time::sleep(std::time::Duration::from_millis(FLUSH_MS)).await;
            queued.fetch_add(1, Ordering::AcqRel);
            let _ = actor.send_message(RoomMessage::Flush);
        });
    }

    pub(super) fn flush(&mut self) {
        self.flush_planned = false;
        let room = self.context.room;
        let reads = std::mem::take(&mut self.own_reads).into_iter();
        let marks: Vec<Marks> = reads.map(|(user, seq)| Marks { room, user, read: seq, delivered: seq }).collect();
        if marks.is_empty() {
            return;
        }
        let log = Arc::clone(&self.context.router.shared.log);
        self.context.router.shared.runtime.spawn(async move {
            if let Err(error) = log.mark(marks).await {
                tracing::warn!(%room, %error, "read marks that follow from sending were not written");
            }
        });
    }
}

/// A frame as WebSocket bytes.
pub(super) fn framed(frame: &ServerFrame<'_>) -> Bytes {
    let mut bytes = BytesMut::new();
    websocket::append(&mut bytes, websocket::TEXT, &codec::encode(frame));
    bytes.freeze()
}

fn join(events: &[Logged]) -> Option<Frames> {
    let (first, last) = (events.first()?.event.seq, events.last()?.event.seq);
    let mut joined = BytesMut::with_capacity(events.iter().map(|logged| logged.text.len() + 10).sum());
    let mut ends = Vec::with_capacity(events.len());
    for logged in events {
        websocket::append(&mut joined, websocket::TEXT, &logged.text);
        ends.push(joined.len());
    }
    Some(Frames { first, last, joined: joined.freeze(), ends })
}

/// Takes the acks for some hubs out; those of one session stand together, each in its place.
fn own_acks(acks: &mut Acks, whose: impl Fn(u16) -> bool) -> Acks {
    let mut own: Acks = acks.extract_if(.., |(to, _)| whose(*to)).collect();
    own.sort_by_key(|(_, ack)| (ack.session, ack.seq));
    own
}

/// Who is not in the room any more, after which event.
fn removed(events: &[Logged]) -> Arc<[(Seq, UserId)]> {
    let gone = events.iter().filter_map(|logged| match logged.event.content {
        Content::Member { user, change: MemberChange::Left | MemberChange::Removed | MemberChange::Banned, .. } => {
            Some((logged.event.seq, user))
        }
        _ => None,
    });
    gone.collect()
}
