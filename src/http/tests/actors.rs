//! Actors that fail the test when something reaches them.

use futures_util::future::BoxFuture;
use rookery_core::{
    ids::{DeviceId, RoomId, Seq, SessionId, UserId},
    presence::Status,
    time::Millis,
};

use crate::{
    actors::ports::{Connected, Gateway, Pulse, RoomState, Unanswered, Wanted, Written},
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

    fn presence(&self, user: UserId) -> BoxFuture<'_, (Status, Option<Millis>)> {
        panic!("presence of {user}")
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
