//! Actors that fail the test when something reaches them.

use futures_util::future::BoxFuture;
use rookery_core::ids::{DeviceId, RoomId, Seq, SessionId, ShardId, UserId};

use crate::{
    actors::ports::{
        ClusterView, Connected, Digest, Gateway, LinkView, NodeState, NotDone, Pulse, RoomState, ShardMove, ShardView,
        Unanswered, Wanted, Written,
    },
    store::{
        StoreError,
        record::{Created, NewRoom},
    },
};

/// Nothing may come this far.
pub(super) struct Unreachable;

impl Gateway for Unreachable {
    fn write(&self, wanted: Wanted) -> BoxFuture<'_, Result<Written, Unanswered>> {
        panic!("{wanted:?}")
    }

    fn mark(
        &self,
        room: RoomId,
        user: UserId,
        _: Option<Seq>,
        _: Option<Seq>,
    ) -> BoxFuture<'_, Result<(Seq, Seq), Unanswered>> {
        panic!("marks of {user} in {room}")
    }

    fn create_room(&self, room: NewRoom) -> BoxFuture<'_, Result<Created, StoreError>> {
        panic!("{room:?}")
    }

    fn blocked(&self, room: RoomId, by: UserId, _: bool) {
        panic!("{by} in {room}")
    }

    fn settings_changed(&self, room: RoomId, user: UserId) {
        panic!("{user} in {room}")
    }

    fn admit_write(&self, user: UserId) -> Result<(), u64> {
        panic!("a write of {user}")
    }

    fn shares(&self, _: UserId) -> u32 {
        1
    }

    fn close_devices(&self, user: UserId, _: Vec<DeviceId>, _: u16, _: &'static str) {
        panic!("logins of {user}")
    }

    fn close_session(&self, session: SessionId) -> BoxFuture<'_, bool> {
        panic!("{session}")
    }

    fn sessions_of(&self, user: UserId) -> BoxFuture<'_, Vec<Connected>> {
        panic!("sessions of {user}")
    }

    fn sessions(&self, _: Option<SessionId>, _: usize) -> BoxFuture<'_, Vec<Connected>> {
        panic!("all sessions")
    }

    fn pulses(&self) -> BoxFuture<'_, Vec<Pulse>> {
        panic!("pulses")
    }

    fn pulse(&self) -> BoxFuture<'_, Pulse> {
        panic!("the overview")
    }

    fn room_state(&self, room: RoomId) -> BoxFuture<'_, RoomState> {
        panic!("the state of {room}")
    }

    fn release(&self, room: RoomId) -> BoxFuture<'_, ()> {
        panic!("the release of {room}")
    }
}

impl ClusterView for Unreachable {
    fn nodes(&self) -> Vec<NodeState> {
        panic!("nodes")
    }

    fn links(&self) -> BoxFuture<'_, Vec<LinkView>> {
        panic!("links")
    }

    fn shards(&self) -> BoxFuture<'_, Vec<ShardView>> {
        panic!("shards")
    }

    fn owner(&self, shard: ShardId) -> Option<String> {
        panic!("the owner of {shard:?}")
    }

    fn drain(&self, node: String, _: bool) -> BoxFuture<'_, Result<(), NotDone>> {
        panic!("draining {node}")
    }

    fn is_draining(&self) -> bool {
        false
    }

    fn move_shard(&self, shard: ShardId, _: Option<String>, _: bool) -> BoxFuture<'_, Result<ShardMove, NotDone>> {
        panic!("moving {shard:?}")
    }

    fn digests(&self, room: RoomId) -> BoxFuture<'_, Vec<Digest>> {
        panic!("digests of {room}")
    }
}
