//! Requests to a room that somebody waits for, and refusing what cannot reach its room.

use std::{sync::Arc, time::Duration};

use rookery_core::{
    frame::{
        Refusal,
        server::{Nack, ServerFrame},
    },
    ids::{ClientId, RoomId, Seq, UserId},
    room::{Caller, Input, Write},
    time::Millis,
};
use tokio::sync::oneshot;

use super::RoomMessage;
use crate::actors::{
    Router,
    hub::inbox::Item,
    peers::{HERE, Slot},
};

/// How long who could not be told what became of a write waits before asking again.
pub const ASK_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// What a request wants of the machine.
pub enum Wish {
    /// To write.
    Write(Box<Write>),
    /// To move marks.
    Mark {
        /// Whose.
        user: UserId,
        /// Read up to here.
        read: Option<Seq>,
        /// Delivered up to here.
        delivered: Option<Seq>,
    },
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
    /// It was asked for again, and whether it had happened could not be found out now.
    Undecided,
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

    /// The write, if it was asked for before.
    fn asked_for_again(&self) -> Option<&Write> {
        match &self.wish {
            Wish::Write(write) if write.again => Some(write),
            _ => None,
        }
    }

    /// Whether it was asked for before, and may have happened then.
    #[must_use]
    pub fn is_again(&self) -> bool {
        self.asked_for_again().is_some()
    }

    /// What it wants.
    #[must_use]
    pub fn wish(&self) -> &Wish {
        &self.wish
    }

    /// The id of the request behind it.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Tells who waits.
    pub fn answer(self, answer: RoomAnswer) {
        // Who asked may have gone.
        let _ = self.reply.send(answer);
    }
}

impl RoomMessage {
    /// Answers what cannot reach its room: it did not happen and will not, or, if it was asked for before, nobody knows yet.
    pub fn refuse(self, router: &Arc<Router>, room: RoomId, refusal: &Refusal) {
        match self {
            Self::Input(Input::Write(write)) if write.again => {
                undecided(router, &write.caller, write.client_id, Some(HERE))
            }
            Self::Ask(ask) if ask.asked_for_again().is_some() => ask.answer(RoomAnswer::Undecided),
            other => other.refuse_surely(router, room, refusal),
        }
    }

    /// Has whoever asked ask again, since the room lives elsewhere by now, or is another's; nothing was taken.
    pub fn send_back(self, router: &Arc<Router>, room: RoomId) {
        match self {
            Self::Input(Input::Write(write)) => undecided(router, &write.caller, write.client_id, Some(HERE)),
            Self::Ask(ask) => ask.answer(RoomAnswer::Undecided),
            Self::Input(Input::Mark { caller, .. }) => unmarked(router, room, &caller),
            // Who waits for another answer asks again when nobody can give it any more, and typing may be lost.
            _ => {}
        }
    }

    /// Answers what has not happened, whenever it was asked for.
    pub fn refuse_surely(self, router: &Arc<Router>, room: RoomId, refusal: &Refusal) {
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

/// Answers a message for a room that is shut, once nothing of it is under way any more: what was asked for before is looked
/// up in the log.
pub async fn refuse_shut(router: &Arc<Router>, room: RoomId, message: RoomMessage, refusal: &Refusal) {
    let again = match &message {
        RoomMessage::Input(Input::Write(write)) if write.again => Some(write.clone()),
        RoomMessage::Ask(ask) => ask.asked_for_again().cloned(),
        _ => None,
    };
    let Some(write) = again else { return message.refuse(router, room, refusal) };
    let found = router.shared.log.outcome(room, write.user, write.client_id).await;
    match (found, message) {
        (Ok(Some((seq, at))), RoomMessage::Ask(ask)) => ask.answer(RoomAnswer::Done { seq, at, repeat: true }),
        (Ok(Some((seq, at))), _) => acknowledge(router, room, &write, seq, at),
        (Ok(None), RoomMessage::Ask(ask)) => ask.answer(RoomAnswer::Refused(refusal.clone())),
        (Ok(None), _) => refuse_session(router, room, &write.caller, Some(write.client_id), refusal),
        (Err(_), message) => message.refuse(router, room, refusal),
    }
}

fn acknowledge(router: &Arc<Router>, room: RoomId, write: &Write, seq: Seq, at: Millis) {
    let Caller::Session { hub, session, id } = &write.caller else { return };
    let client_id = write.client_id;
    let frame = super::effects::framed(&ServerFrame::Ack { id: id.as_deref(), client_id, room, seq, at, repeat: true });
    router.to_hub(*hub, Item::Answer { session: *session, client_id: Some(client_id), frame });
}

/// Lets a session ask again a little later, since the node `by` does not know what became of a write and has it no more.
pub fn undecided(router: &Arc<Router>, caller: &Caller, client_id: ClientId, by: Option<Slot>) {
    let Caller::Session { hub, session, .. } = caller else { return };
    let (router, hub, session) = (Arc::clone(router), *hub, *session);
    router.shared.runtime.clone().spawn(async move {
        tokio::time::sleep(ASK_AGAIN_AFTER).await;
        router.to_hub(hub, Item::Undecided { session, client_id, by });
    });
}

/// Lets a session say its marks again a little later, since nobody was there to take them.
pub fn unmarked(router: &Arc<Router>, room: RoomId, caller: &Caller) {
    let Caller::Session { hub, session, .. } = caller else { return };
    let (router, hub, session) = (Arc::clone(router), *hub, *session);
    router.shared.runtime.clone().spawn(async move {
        tokio::time::sleep(ASK_AGAIN_AFTER).await;
        router.to_hub(hub, Item::Unmarked { session, room });
    });
}

/// Sends a `nack` to a session, wherever it is.
pub fn refuse_session(
    router: &Arc<Router>,
    room: RoomId,
    caller: &Caller,
    client_id: Option<ClientId>,
    refusal: &Refusal,
) {
    let Caller::Session { hub, session, id } = caller else { return };
    let nack = Nack::of(refusal, id.as_deref(), Some(room), client_id);
    let frame = super::effects::framed(&ServerFrame::Nack(nack));
    let session = *session;
    let item = match client_id {
        Some(client_id) => Item::Refusal { session, client_id, by: HERE, frame },
        None => Item::Answer { session, client_id: None, frame },
    };
    router.to_hub(*hub, item);
}
