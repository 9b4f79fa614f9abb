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

use super::{RoomAnswer, RoomMessage, RoomState, request};
use crate::{
    actors::hub::inbox::{Ack, Batch, Frames, Item, Note},
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
                Effect::Append(event) => self.context.router.shared.log.append(Append {
                    stamp: self.context.stamp,
                    event,
                    reply: Arc::clone(&self.reply),
                }),
                Effect::Ack { caller, client_id, seq, at, repeat } => {
                    self.ack(caller, client_id, seq, at, repeat, &mut acks);
                }
                Effect::FanOut(events) => self.fan_out(&events, &mut acks),
                Effect::Nack { caller, client_id, refusal } => self.nack(caller, client_id, refusal),
                Effect::Unchanged { caller } => self.answer(&caller, RoomAnswer::Unchanged),
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

    fn answer(&mut self, caller: &Caller, answer: RoomAnswer) {
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

    fn nack(&mut self, caller: Caller, client_id: Option<ClientId>, refusal: Refusal) {
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
        let mask = self.context.mask.load(Ordering::Acquire);
        for hub in 0..u16::try_from(router.hubs().len()).unwrap_or(0) {
            let mut own: Vec<Ack> = acks.extract_if(.., |(to, _)| *to == hub).map(|(_, ack)| ack).collect();
            if mask & (1 << hub) == 0 && own.is_empty() {
                continue;
            }
            // Acks of one session stand together, each in its place.
            own.sort_by_key(|ack| (ack.session, ack.seq));
            let (frames, removed) = (Arc::clone(&frames), Arc::clone(&removed));
            router.to_hub(hub, Item::Batch(Batch { room: self.context.room, frames, acks: own, removed }));
        }
    }

    pub(super) fn to_listeners(&self, item: impl Fn() -> Item) {
        let mask = self.context.mask.load(Ordering::Acquire);
        for (hub, inbox) in self.context.router.hubs().iter().enumerate() {
            if mask & 1 << hub != 0 {
                inbox.put(item());
            }
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
fn framed(frame: &ServerFrame<'_>) -> Bytes {
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
