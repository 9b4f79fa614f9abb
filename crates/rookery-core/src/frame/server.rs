//! What the server says over a WebSocket.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    code::{Code, Refusal, Retry},
    event::EventFrame,
};
use crate::{
    event::{Notify, Role, RoomKind},
    ids::{ClientId, DeviceId, RoomId, Seq, SessionId, UserId},
    presence::Status,
    time::Millis,
};

/// One frame from the server; `type` tells which.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame<'a> {
    /// The answer to `hello`.
    Welcome(Box<Welcome>),
    /// Something happened in a room.
    Event(EventFrame<'a>),
    /// A write is durable.
    Ack {
        /// The request's id.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        /// The write.
        client_id: ClientId,
        /// Where.
        room: RoomId,
        /// Its place in the log.
        seq: Seq,
        /// When it was accepted.
        at: Millis,
        /// It had happened before.
        #[serde(skip_serializing_if = "is_false")]
        repeat: bool,
    },
    /// A request did not happen and will not happen by itself.
    Nack(Nack<'a>),
    /// Somebody's marks moved forwards.
    Marks {
        /// Where.
        room: RoomId,
        /// Whose.
        user: UserId,
        /// Read up to here.
        #[serde(skip_serializing_if = "Option::is_none")]
        read: Option<Seq>,
        /// Delivered up to here.
        #[serde(skip_serializing_if = "Option::is_none")]
        delivered: Option<Seq>,
    },
    /// Somebody types, or stopped.
    Typing {
        /// Where.
        room: RoomId,
        /// Who.
        user: UserId,
        /// Whether.
        on: bool,
    },
    /// Whether somebody is there.
    Presence {
        /// Who.
        user: UserId,
        /// Whether.
        status: Status,
        /// When they were last seen, if they are not.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_seen: Option<Millis>,
    },
    /// From here on the room is live.
    Synced {
        /// The request's id.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        /// Which.
        room: RoomId,
        /// The last event that was sent.
        seq: Seq,
    },
    /// Too much to push.
    Gap {
        /// The request's id.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        /// Which.
        room: RoomId,
        /// The first missing event.
        from: Seq,
        /// The last missing event.
        to: Seq,
    },
    /// This connection read too slowly; these rooms are not live any more.
    Lagged {
        /// Each room and its head.
        rooms: BTreeMap<RoomId, Seq>,
    },
    /// A room appeared, changed for me, or is gone.
    Room(RoomNotice),
    /// Come back later.
    Reconnect {
        /// After so many milliseconds.
        after_ms: u64,
        /// Why.
        reason: &'a str,
    },
    /// The connection did something wrong.
    Error {
        /// The stable word.
        code: Code,
        /// For people.
        detail: &'a str,
        /// The field at fault.
        #[serde(skip_serializing_if = "Option::is_none")]
        field: Option<&'a str>,
        /// Whether the connection ends.
        close: bool,
    },
    /// The answer to `ping`.
    Pong {
        /// The request's id.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
    },
}

/// The first frame of a session.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Welcome {
    /// The request's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// This connection.
    pub session: SessionId,
    /// Who you are.
    pub user: UserId,
    /// Which of your logins this is.
    pub device: DeviceId,
    /// The server's clock.
    pub time: Millis,
    /// What the server takes.
    pub limits: AnnouncedLimits,
    /// Your rooms.
    pub rooms: Vec<RoomView>,
    /// What happens to each of your cursors.
    pub resume: BTreeMap<RoomId, Resume>,
}

/// What happens to a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Resume {
    /// What was missed is sent.
    Replay,
    /// It is too much; page it.
    Gap,
}

/// The limits that a client should know.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AnnouncedLimits {
    /// Bytes of one frame.
    pub frame: usize,
    /// Bytes of one body.
    pub body: usize,
    /// Rooms of one user.
    pub rooms: usize,
    /// Writes per second.
    pub sends_per_second: u32,
    /// Bytes that may wait for a slow reader.
    pub outbox: usize,
}

/// A room as one of its members sees it in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RoomView {
    /// Which.
    pub room: RoomId,
    /// What sort.
    pub kind: RoomKind,
    /// Its name; empty for a direct room.
    pub name: String,
    /// What I may do.
    pub role: Role,
    /// Its last event.
    pub head: Seq,
    /// Read up to here.
    pub read: Seq,
    /// Delivered up to here.
    pub delivered: Seq,
    /// Messages after `read`.
    pub unread: u64,
    /// What I want to be told of.
    pub notify: Notify,
    /// The first event that I may see; not sent.
    #[serde(skip)]
    pub visible_from: Seq,
}

/// A room appeared, changed for me, or is gone.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum RoomNotice {
    /// It is there, like this.
    Present(RoomView),
    /// It is not mine any more.
    Gone {
        /// Which.
        room: RoomId,
        /// Always true.
        gone: bool,
    },
}

/// A request did not happen.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Nack<'a> {
    /// The request's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a str>,
    /// The write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    /// The stable word.
    pub code: Code,
    /// For people.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub detail: &'a str,
    /// The field at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'a str>,
    /// Whether to try again.
    pub retry: Retry,
    /// How long to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl<'a> Nack<'a> {
    /// The frame for a refusal.
    #[must_use]
    pub fn of(refusal: &'a Refusal, id: Option<&'a str>, room: Option<RoomId>, client_id: Option<ClientId>) -> Self {
        Self {
            id,
            client_id,
            room,
            code: refusal.code,
            detail: &refusal.detail,
            field: refusal.field,
            retry: refusal.code.retry(),
            retry_after_ms: refusal.retry_after_ms,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
pub(super) const fn is_false(value: &bool) -> bool {
    !*value
}
