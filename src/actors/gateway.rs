//! What HTTP asks of the actors.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use rookery_core::{
    event::{Content, MemberChange},
    ids::{DeviceId, RoomId, Seq, SessionId, UserId},
    room::{Caller, Input, Write},
    session::close,
};
use tokio::{sync::oneshot, time::Instant};

use super::{
    Router, clock,
    hub::inbox::Item,
    peers::{Place, ToPeer},
    ports::{Connected, Gateway, Pulse, RoomState, Unanswered, Wanted, Written},
    registry::RegistryMessage,
    room::{ASK_AGAIN_AFTER, Ask, RoomAnswer, RoomMessage},
    router,
    shard::ShardMessage,
};
use crate::media::find;
use crate::store::{
    StoreError,
    record::{Created, NewRoom},
};

/// How long a request waits for its room.
const DEADLINE: Duration = Duration::from_secs(5);

/// The actors as HTTP sees them.
pub struct Actors(pub Arc<Router>);

impl Actors {
    /// Asks a room, and asks again if it starts anew in between: the same key makes that safe.
    async fn ask(
        &self,
        room: RoomId,
        ask: impl Fn(bool) -> (Ask, oneshot::Receiver<RoomAnswer>),
    ) -> Result<RoomAnswer, Unanswered> {
        let deadline = Instant::now() + DEADLINE;
        let mut again = false;
        loop {
            let (request, answer) = ask(again);
            let answer = match self.0.to_room(room, RoomMessage::Ask(request)) {
                Ok(_) => tokio::time::timeout_at(deadline, answer).await,
                // Who asked before may have been heard then.
                Err(_) if again || !self.0.is_reachable(room) => Ok(Ok(RoomAnswer::Undecided)),
                Err(refusal) => return Err(Unanswered::Refused(refusal)),
            };
            match answer {
                Ok(Ok(RoomAnswer::Undecided)) => tokio::time::sleep(ASK_AGAIN_AFTER).await,
                Ok(Ok(RoomAnswer::Refused(refusal))) => return Err(Unanswered::Refused(refusal)),
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(_)) => {}
                Err(_) => return Err(Unanswered::Unknown),
            }
            if Instant::now() >= deadline {
                return Err(Unanswered::Unknown);
            }
            again = true;
        }
    }

    /// The connections of every node that answers.
    async fn list(&self, user: Option<UserId>) -> Vec<Connected> {
        let peers = self.0.peers();
        let mut answers: Vec<_> = peers
            .slots()
            .into_iter()
            .map(|slot| {
                let (reply, answer) = oneshot::channel();
                peers.send(slot, ToPeer::List { user, reply });
                answer
            })
            .collect();
        for inbox in self.0.started_hubs() {
            let (reply, answer) = oneshot::channel();
            inbox.put(Item::List { user, reply });
            answers.push(answer);
        }
        let answers = answers.into_iter().map(|answer| self.answer(answer));
        let mut all: Vec<Connected> = futures_util::future::join_all(answers).await.into_iter().flatten().collect();
        all.sort_by_key(|connected| connected.session);
        all
    }

    /// What is in the hubs of this node alone.
    pub async fn list_here(&self, user: Option<UserId>) -> Vec<Connected> {
        let mut all = Vec::new();
        for inbox in self.0.started_hubs() {
            let (reply, answer) = oneshot::channel();
            inbox.put(Item::List { user, reply });
            all.extend(self.answer(answer).await);
        }
        all
    }

    /// How this node is.
    #[must_use]
    pub fn pulse_here(&self) -> Pulse {
        let rate = self.0.commit_rate.load(Ordering::Relaxed);
        Pulse {
            node: self.0.shared.node.clone(),
            sessions: self.0.sessions.load(Ordering::Relaxed),
            rooms_awake: self.0.rooms.len(),
            sends_per_second: f64::from(u32::try_from(rate).unwrap_or(u32::MAX)) / 1_000.0,
            quarantined: self.0.quarantined.iter().map(|room| *room.key()).collect(),
            shards: self.0.shards_held(),
        }
    }

    /// Asks an actor; a default if it does not answer.
    async fn answer<T: Default>(&self, answer: oneshot::Receiver<T>) -> T {
        tokio::time::timeout(DEADLINE, answer).await.ok().and_then(Result::ok).unwrap_or_default()
    }
}

impl Gateway for Actors {
    fn write(&self, wanted: Wanted) -> BoxFuture<'_, Result<Written, Unanswered>> {
        async move {
            let request_id = wanted.request_id;
            let mut intent = wanted.intent;
            let media = intent.named_media();
            if !media.is_empty() {
                let directory = &*self.0.shared.directory;
                match find(directory, (wanted.room, wanted.user), media, clock::now()).await {
                    Ok(found) => intent.with_media(found),
                    Err(error) => {
                        tracing::warn!(%error, "the files of a message could not be looked for");
                        return Err(Unanswered::Refused(router::unavailable()));
                    }
                }
            }
            let write = Write {
                caller: Caller::Request(0),
                user: wanted.user,
                authority: wanted.authority,
                client_id: wanted.client_id,
                seen: wanted.seen,
                again: false,
                after: None,
                intent,
            };
            let ask = |again| Ask::write(Write { again, ..write.clone() }, request_id.clone());
            match self.ask(wanted.room, ask).await? {
                RoomAnswer::Done { seq, at, repeat } => Ok(Written::Done { seq, at, repeat }),
                _ => Ok(Written::Unchanged),
            }
        }
        .boxed()
    }

    fn mark(
        &self,
        room: RoomId,
        user: UserId,
        read: Option<Seq>,
        delivered: Option<Seq>,
    ) -> BoxFuture<'_, Result<(Seq, Seq), Unanswered>> {
        async move {
            match self.ask(room, |_| Ask::mark(user, read, delivered)).await? {
                RoomAnswer::Marks { read, delivered } => Ok((read, delivered)),
                _ => Err(Unanswered::Unknown),
            }
        }
        .boxed()
    }

    fn create_room(&self, room: NewRoom) -> BoxFuture<'_, Result<Created, StoreError>> {
        async move {
            let id = room.record.id;
            let joined = room.events.iter().filter_map(|event| match event.content {
                Content::Member { user, change: MemberChange::Joined, .. } => Some(user),
                _ => None,
            });
            let members: Vec<UserId> = joined.collect();
            let created = self.0.shared.directory.create_room(room).await?;
            if created == Created::New {
                for user in members {
                    self.0.appeared(id, user);
                }
            }
            Ok(created)
        }
        .boxed()
    }

    fn blocked(&self, room: RoomId, by: UserId, on: bool) {
        // A room that sleeps reads it when it wakes; whether one of another node does, that node knows.
        if self.0.peers().shard(room.shard()) != Place::Here || self.0.rooms.contains_key(&room) {
            let _ = self.0.to_room(room, RoomMessage::Input(Input::Blocked { by, on }));
        }
    }

    fn settings_changed(&self, room: RoomId, user: UserId) {
        self.0.appeared(room, user);
    }

    fn admit_write(&self, user: UserId) -> Result<(), u64> {
        self.0.admit(user, clock::now())
    }

    fn shares(&self, user: UserId) -> u32 {
        self.0.shares(user)
    }

    fn close_devices(&self, user: UserId, devices: Vec<DeviceId>, code: u16, reason: &'static str) {
        self.0.to_registry(user, RegistryMessage::CloseDevices { user, devices, code, reason });
    }

    fn close_session(&self, session: SessionId) -> BoxFuture<'_, bool> {
        async move {
            if !self.list(None).await.iter().any(|connected| connected.session == session) {
                return false;
            }
            let close = || Item::Close { session, code: close::UNAUTHENTICATED, reason: "closed by an operator" };
            self.0.started_hubs().for_each(|inbox| inbox.put(close()));
            for slot in self.0.peers().slots() {
                self.0.peers().send(slot, ToPeer::Hubs(close()));
            }
            true
        }
        .boxed()
    }

    fn sessions_of(&self, user: UserId) -> BoxFuture<'_, Vec<Connected>> {
        self.list(Some(user)).boxed()
    }

    fn sessions(&self, after: Option<SessionId>, limit: usize) -> BoxFuture<'_, Vec<Connected>> {
        async move {
            let all = self.list(None).await.into_iter();
            all.filter(|connected| after.is_none_or(|after| connected.session > after)).take(limit).collect()
        }
        .boxed()
    }

    fn pulse(&self) -> BoxFuture<'_, Pulse> {
        let pulse = self.pulse_here();
        async move { pulse }.boxed()
    }

    fn pulses(&self) -> BoxFuture<'_, Vec<Pulse>> {
        async move {
            let peers = self.0.peers();
            let asked = peers.slots().into_iter().map(|slot| {
                let (reply, answer) = oneshot::channel();
                peers.send(slot, ToPeer::Pulse(reply));
                tokio::time::timeout(DEADLINE, answer)
            });
            let told = futures_util::future::join_all(asked).await.into_iter();
            let mut all: Vec<Pulse> = told.filter_map(|told| told.ok().and_then(Result::ok)).collect();
            all.push(self.pulse_here());
            all.sort_by(|one, other| one.node.cmp(&other.node));
            all
        }
        .boxed()
    }

    fn room_state(&self, room: RoomId) -> BoxFuture<'_, RoomState> {
        async move {
            let (reply, answer) = oneshot::channel();
            match self.0.peers().shard(room.shard()) {
                Place::Here => self.0.to_shard(room.shard(), ShardMessage::Describe(room, reply)),
                Place::There(slot) => drop(self.0.peers().send(slot, ToPeer::Describe(room, reply))),
                Place::Nowhere => drop(reply),
            }
            self.answer(answer).await
        }
        .boxed()
    }

    fn release(&self, room: RoomId) -> BoxFuture<'_, ()> {
        async move {
            let (reply, answer) = oneshot::channel();
            match self.0.peers().shard(room.shard()) {
                Place::Here => self.0.to_shard(room.shard(), ShardMessage::Release(room, reply)),
                Place::There(slot) => drop(self.0.peers().send(slot, ToPeer::Release(room, reply))),
                Place::Nowhere => drop(reply),
            }
            self.answer(answer).await;
        }
        .boxed()
    }
}
