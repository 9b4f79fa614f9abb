//! What HTTP asks of the actors.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use rookery_core::{
    event::{Content, MemberChange},
    ids::{DeviceId, RoomId, Seq, SessionId, UserId},
    presence::Status,
    room::{Caller, Input, Write},
    time::Millis,
};
use tokio::{sync::oneshot, time::Instant};

use super::{
    Router, clock,
    hub::inbox::Item,
    ports::{Connected, Gateway, Pulse, RoomState, Unanswered, Wanted, Written},
    registry::RegistryMessage,
    room::{Ask, RoomAnswer, RoomMessage},
    shard::ShardMessage,
};
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
        ask: impl Fn() -> (Ask, oneshot::Receiver<RoomAnswer>),
    ) -> Result<RoomAnswer, Unanswered> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let (request, answer) = ask();
            self.0.to_room(room, RoomMessage::Ask(request)).map_err(Unanswered::Refused)?;
            match tokio::time::timeout_at(deadline, answer).await {
                Ok(Ok(RoomAnswer::Refused(refusal))) => return Err(Unanswered::Refused(refusal)),
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(_)) if Instant::now() < deadline => {}
                Ok(Err(_)) | Err(_) => return Err(Unanswered::Unknown),
            }
        }
    }

    async fn list(&self, user: Option<UserId>) -> Vec<Connected> {
        let mut all = Vec::new();
        for inbox in self.0.started_hubs() {
            let (reply, answer) = oneshot::channel();
            inbox.put(Item::List { user, reply });
            all.extend(tokio::time::timeout(DEADLINE, answer).await.ok().and_then(Result::ok).unwrap_or_default());
        }
        all.sort_by_key(|connected| connected.session);
        all
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
            let write = Write {
                caller: Caller::Request(0),
                user: wanted.user,
                authority: wanted.authority,
                client_id: wanted.client_id,
                seen: wanted.seen,
                intent: wanted.intent,
            };
            match self.ask(wanted.room, || Ask::write(write.clone(), request_id.clone())).await? {
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
            match self.ask(room, || Ask::mark(user, read, delivered)).await? {
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
        // A room that sleeps reads it when it wakes.
        if self.0.rooms.contains_key(&room) {
            let _ = self.0.to_room(room, RoomMessage::Input(Input::Blocked { by, on }));
        }
    }

    fn settings_changed(&self, room: RoomId, user: UserId) {
        self.0.appeared(room, user);
    }

    fn admit_write(&self, user: UserId) -> Result<(), u64> {
        self.0.admit(user, clock::now())
    }

    fn close_devices(&self, user: UserId, devices: Vec<DeviceId>, code: u16, reason: &'static str) {
        self.0.to_registry(RegistryMessage::CloseDevices { user, devices, code, reason });
    }

    fn close_session(&self, session: SessionId) -> BoxFuture<'_, bool> {
        async move {
            let (reply, answer) = oneshot::channel();
            self.0.to_registry(RegistryMessage::CloseSession { session, reply });
            self.answer(answer).await
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

    fn presence(&self, user: UserId) -> BoxFuture<'_, (Status, Option<Millis>)> {
        async move {
            let (reply, answer) = oneshot::channel();
            self.0.to_registry(RegistryMessage::Presence(user, reply));
            self.answer(answer).await
        }
        .boxed()
    }

    fn pulse(&self) -> BoxFuture<'_, Pulse> {
        let rate = self.0.commit_rate.load(Ordering::Relaxed);
        let pulse = Pulse {
            node: self.0.shared.node.clone(),
            sessions: self.0.sessions.load(Ordering::Relaxed),
            rooms_awake: self.0.rooms.len(),
            sends_per_second: f64::from(u32::try_from(rate).unwrap_or(u32::MAX)) / 1_000.0,
            quarantined: self.0.quarantined.iter().map(|room| *room.key()).collect(),
        };
        async move { pulse }.boxed()
    }

    fn room_state(&self, room: RoomId) -> BoxFuture<'_, RoomState> {
        async move {
            let (reply, answer) = oneshot::channel();
            self.0.to_shard(room.shard(), ShardMessage::Describe(room, reply));
            self.answer(answer).await
        }
        .boxed()
    }

    fn release(&self, room: RoomId) -> BoxFuture<'_, ()> {
        async move {
            let (reply, answer) = oneshot::channel();
            self.0.to_shard(room.shard(), ShardMessage::Release(room, reply));
            self.answer(answer).await;
        }
        .boxed()
    }
}
