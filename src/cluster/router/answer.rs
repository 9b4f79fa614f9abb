//! Questions of other nodes, answered.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rookery_core::{
    ids::{RoomId, ShardId, UserId},
    room::Caller,
    session::close,
};
use tokio::sync::oneshot;

use super::{ClusterRouter, receive::registered};
use crate::{
    actors::{
        Router,
        gateway::Actors,
        hub::inbox::Item,
        peers::{Place, Slot},
        ports::{Connected, Gateway, Pulse, RoomState},
        registry::{Admission, RegistryMessage},
        room::{Ask as RoomAsk, Pulled, RoomAnswer, RoomMessage},
    },
    cluster::{
        Envelope,
        wire::{
            Blob, Call, Reply,
            call::{self, Ask, Told},
            registry::Registration,
        },
    },
};

/// Bytes of missed events in one answer; whoever wants more asks from there.
const PULLED: usize = 512 * 1_024;
/// Connections in one answer.
const SESSIONS: usize = 5_000;

impl ClusterRouter {
    /// Answers a question, later.
    pub(super) fn answer_call(&self, from: Slot, call: Call) {
        let Call { id, deadline_ms, ask } = call;
        let Some(me) = self.me.upgrade() else { return };
        self.router.shared.runtime.spawn(async move {
            let time = Duration::from_millis(u64::from(deadline_ms).min(60_000));
            // Nobody waits any more after that.
            if let Ok(told) = tokio::time::timeout(time, answer(&me, from, ask)).await {
                me.post(from, Envelope::Reply(Reply { id, told }));
            }
        });
    }
}

async fn answer(me: &ClusterRouter, from: Slot, ask: Ask) -> Told {
    let router = &me.router;
    match ask {
        Ask::Write { room, write, request_id } => {
            let write = write.into_core(Caller::Request(0));
            ask_room(router, room.into(), RoomAsk::write(write, request_id)).await
        }
        Ask::Mark { room, user, read, delivered } => {
            ask_room(router, room.into(), RoomAsk::mark(user.into(), read, delivered)).await
        }
        Ask::Pull { room, user, after } => pull(router, room.into(), user.into(), after).await,
        Ask::Head { room } => head(router, room.into()).await,
        Ask::Outcome { room, .. } if !lives_here(router, room.into()) => Told::Moved,
        Ask::Outcome { room, sender, client_id } => {
            match router.shared.log.outcome(room.into(), sender.into(), client_id.into()).await {
                Ok(Some((seq, at))) => Told::Written { seq, at: at.0, repeat: true },
                Ok(None) => Told::Absent,
                Err(_) => Told::Unknown,
            }
        }
        Ask::RoomState { room } => {
            Told::RoomState(wire_state(Actors(Arc::clone(router)).room_state(room.into()).await))
        }
        Ask::ReleaseRoom { room } => {
            Actors(Arc::clone(router)).release(room.into()).await;
            Told::Done
        }
        Ask::Register(entry) => register(router, from, &entry).await,
        Ask::Sessions { user } => {
            let all = Actors(Arc::clone(router)).list_here(user.map(Into::into)).await;
            Told::Sessions(all.into_iter().take(SESSIONS).map(wire_connected).collect())
        }
        Ask::CloseSession { session } => {
            let (code, reason) = (close::UNAUTHENTICATED, "closed by an operator");
            let session = session.into();
            router.started_hubs().for_each(|inbox| inbox.put(Item::Close { session, code, reason }));
            Told::Done
        }
        Ask::Pulse => Told::Pulse(wire_pulse(Actors(Arc::clone(router)).pulse_here(), router)),
        Ask::HandOver { shard } => me.hand_over(ShardId(shard)).await,
        ask => me.answer_operator(ask).await,
    }
}

/// Only a room that lives here or should is asked: another node would be told by a room that is not the room any more.
fn lives_here(router: &Arc<Router>, room: RoomId) -> bool {
    let peers = router.peers();
    peers.shard(room.shard()) == Place::Here || peers.should_be_here(room.shard())
}

async fn ask_room(router: &Arc<Router>, room: RoomId, (ask, answer): (RoomAsk, oneshot::Receiver<RoomAnswer>)) -> Told {
    if !lives_here(router, room) {
        return Told::Moved;
    }
    let again = ask.is_again();
    match router.to_room_here(room, RoomMessage::Ask(ask)) {
        Err(_) if again => return Told::Unknown,
        Err(refusal) => return Told::Refused(refusal.into()),
        Ok(()) => {}
    }
    match answer.await {
        Ok(RoomAnswer::Done { seq, at, repeat }) => Told::Written { seq, at: at.0, repeat },
        Ok(RoomAnswer::Unchanged) => Told::Unchanged,
        Ok(RoomAnswer::Marks { read, delivered }) => Told::Marks { read, delivered },
        Ok(RoomAnswer::Refused(refusal)) => Told::Refused(refusal.into()),
        // The room started anew: whoever asks, asks again.
        Ok(RoomAnswer::Undecided) | Err(_) => Told::Unknown,
    }
}

async fn pull(router: &Arc<Router>, room: RoomId, user: UserId, after: u64) -> Told {
    if !lives_here(router, room) {
        return Told::Moved;
    }
    let (reply, answer) = oneshot::channel();
    if let Err(refusal) = router.to_room_here(room, RoomMessage::Pull { user, after, reply }) {
        return Told::Refused(refusal.into());
    }
    match answer.await {
        Ok(Ok(Pulled { events, head })) => {
            let mut bytes = 0;
            let fits = |(_, text): &(u64, bytes::Bytes)| {
                let first = bytes == 0;
                bytes += text.len();
                first || bytes <= PULLED
            };
            let events = events.into_iter().take_while(fits).map(|(seq, text)| (seq, Blob(text))).collect();
            Told::Pulled { events, head }
        }
        Ok(Err(refusal)) => Told::Refused(refusal.into()),
        Err(_) => Told::Unknown,
    }
}

async fn head(router: &Arc<Router>, room: RoomId) -> Told {
    if !lives_here(router, room) {
        return Told::Moved;
    }
    let (reply, answer) = oneshot::channel();
    if router.to_room_here(room, RoomMessage::TellHead(reply)).is_err() {
        return Told::Unknown;
    }
    answer.await.map_or(Told::Unknown, |head| Told::Head { head })
}

async fn register(router: &Arc<Router>, from: Slot, entry: &Registration) -> Told {
    let (reply, admission) = oneshot::channel();
    router.to_registry_here(RegistryMessage::Register { entry: registered(from, entry), reply });
    match admission.await {
        Ok(Admission::Admitted) => Told::Admission(call::Admission::Admitted),
        Ok(Admission::TooMany) => Told::Admission(call::Admission::TooMany),
        Ok(Admission::Revoked) => Told::Admission(call::Admission::Revoked),
        Ok(Admission::Unknown) | Err(_) => Told::Unknown,
    }
}

fn wire_connected(connected: Connected) -> call::Connected {
    call::Connected {
        session: connected.session.into(),
        user: connected.user.into(),
        device: connected.device.into(),
        since: connected.since.0,
        client: connected.client,
    }
}

fn wire_state(state: RoomState) -> call::RoomState {
    call::RoomState {
        awake: state.awake,
        epoch: state.epoch,
        queue: state.queue as u64,
        interest: state.interest as u64,
        quarantined: state.quarantined,
    }
}

fn wire_pulse(pulse: Pulse, router: &Router) -> call::Pulse {
    call::Pulse {
        sessions: pulse.sessions as u64,
        rooms_awake: pulse.rooms_awake as u64,
        sends_per_1000_seconds: router.commit_rate.load(Ordering::Relaxed),
        quarantined: pulse.quarantined.into_iter().map(Into::into).collect(),
        shards: u32::try_from(pulse.shards).unwrap_or(u32::MAX),
    }
}
