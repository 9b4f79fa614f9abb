//! Requests to a room that somebody waits for, and refusing what cannot reach its room.

use std::sync::Arc;

use rookery_core::{
    frame::{
        Refusal, codec,
        server::{Nack, ServerFrame},
        websocket,
    },
    ids::{ClientId, RoomId, Seq, UserId},
    room::{Caller, Input, Write},
    time::Millis,
};
use tokio::sync::oneshot;

use super::RoomMessage;
use crate::actors::{Router, hub::inbox::Item};

/// What a request wants of the machine.
enum Wish {
    Write(Box<Write>),
    Mark { user: UserId, read: Option<Seq>, delivered: Option<Seq> },
}

/// A request that somebody waits for.
pub struct Ask {
    wish: Wish,
    /// For the log line of the commit.
    pub(super) request_id: String,
    reply: oneshot::Sender<RoomAnswer>,
}

/// What a room answers.
#[derive(Debug)]
pub enum RoomAnswer {
    /// The write is durable.
    Done {
        /// Its place.
        seq: Seq,
        /// When.
        at: Millis,
        /// It had happened before.
        repeat: bool,
    },
    /// It was so already.
    Unchanged,
    /// The marks as they stand.
    Marks {
        /// Read.
        read: Seq,
        /// Delivered.
        delivered: Seq,
    },
    /// It did not happen and will not.
    Refused(Refusal),
}

impl Ask {
    /// A write; its caller is set by the room.
    #[must_use]
    pub fn write(write: Write, request_id: String) -> (Self, oneshot::Receiver<RoomAnswer>) {
        Self::new(Wish::Write(Box::new(write)), request_id)
    }

    /// Marks.
    #[must_use]
    pub fn mark(user: UserId, read: Option<Seq>, delivered: Option<Seq>) -> (Self, oneshot::Receiver<RoomAnswer>) {
        Self::new(Wish::Mark { user, read, delivered }, String::new())
    }

    fn new(wish: Wish, request_id: String) -> (Self, oneshot::Receiver<RoomAnswer>) {
        let (reply, answer) = oneshot::channel();
        (Self { wish, request_id, reply }, answer)
    }

    pub(super) fn input(&self, number: u64) -> Input {
        let caller = Caller::Request(number);
        match &self.wish {
            Wish::Write(write) => Input::Write(Write { caller, ..(**write).clone() }),
            Wish::Mark { user, read, delivered } => {
                Input::Mark { caller, user: *user, read: *read, delivered: *delivered }
            }
        }
    }

    pub(super) fn answer(self, answer: RoomAnswer) {
        // Who asked may have gone.
        let _ = self.reply.send(answer);
    }
}

impl RoomMessage {
    /// Answers what cannot reach its room: it did not happen and will not.
    pub fn refuse(self, router: &Arc<Router>, room: RoomId, refusal: &Refusal) {
        match self {
            Self::Input(Input::Write(write)) => {
                refuse_session(router, room, &write.caller, Some(write.client_id), refusal);
            }
            Self::Input(Input::Mark { caller, .. }) => refuse_session(router, room, &caller, None, refusal),
            Self::Ask(ask) => ask.answer(RoomAnswer::Refused(refusal.clone())),
            Self::Pull { reply, .. } => {
                let _ = reply.send(Err(refusal.clone()));
            }
            _ => {}
        }
    }
}

/// Sends a `nack` to a session, wherever it is.
pub(super) fn refuse_session(
    router: &Arc<Router>,
    room: RoomId,
    caller: &Caller,
    client_id: Option<ClientId>,
    refusal: &Refusal,
) {
    let Caller::Session { hub, session, id } = caller else { return };
    let nack = Nack::of(refusal, id.as_deref(), Some(room), client_id);
    let mut frame = bytes::BytesMut::new();
    websocket::append(&mut frame, websocket::TEXT, &codec::encode(&ServerFrame::Nack(nack)));
    router.to_hub(*hub, Item::Answer { session: *session, client_id, frame: frame.freeze() });
}
