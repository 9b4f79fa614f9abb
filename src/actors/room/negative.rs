//! Answers that say no: told only by who is still the room's owner, as far as that matters to them.

use std::sync::{Arc, atomic::Ordering};

use ractor::ActorRef;
use rookery_core::{
    frame::{Code, Refusal},
    ids::{ClientId, Seq, UserId},
    room::{Caller, Room},
};
use tokio::sync::oneshot;

use super::{Pulled, RoomAnswer, RoomMessage, RoomState, request};
use crate::actors::peers::HERE;

/// An answer that says no.
pub enum Negative {
    /// It did not happen and will not.
    Refused {
        /// Who asked.
        caller: Caller,
        /// Which write, if it was one.
        client_id: Option<ClientId>,
        /// Why.
        refusal: Refusal,
    },
    /// It is so already.
    Unchanged {
        /// Who asked.
        caller: Caller,
    },
    /// Who wants to read is not in the room.
    NoReader(oneshot::Sender<Result<Pulled, Refusal>>),
    /// Who wants to read has more than there is.
    Beyond {
        /// The last that they have.
        after: Seq,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<Pulled, Refusal>>,
    },
}

impl RoomState {
    /// Says no; if need be only once it is certain that this was still the owner after the question.
    pub(super) fn say(&mut self, myself: &ActorRef<RoomMessage>, negative: Negative, confirm: bool) {
        let log = Arc::clone(&self.context.router.shared.log);
        if !confirm || !log.is_shared() {
            return self.said(negative, true);
        }
        self.confirming += 1;
        let (actor, queued, room) = (myself.clone(), Arc::clone(&self.context.queued), self.context.room);
        self.context.router.shared.runtime.spawn(async move {
            let is_owner = log.confirm(room).await;
            queued.fetch_add(1, Ordering::AcqRel);
            // A room that ended meanwhile has told its callers to ask again.
            let _ = actor.send_message(RoomMessage::Confirmed { negative, is_owner });
        });
    }

    pub(super) fn confirmed(&mut self, negative: Negative, is_owner: bool) {
        self.confirming = self.confirming.saturating_sub(1);
        if !is_owner {
            metrics::counter!("rookery_refusals_withheld_total").increment(1);
        }
        self.said(negative, is_owner);
    }

    /// What nobody may say is asked again.
    fn said(&mut self, negative: Negative, is_certain: bool) {
        match (negative, is_certain) {
            (Negative::Refused { caller, client_id, refusal }, true) => self.nack(caller, client_id, refusal),
            (Negative::Refused { caller: caller @ Caller::Session { .. }, client_id: Some(client_id), .. }, false) => {
                request::undecided(&self.context.router, &caller, client_id, Some(HERE));
            }
            (Negative::Refused { caller: Caller::Request(number), .. }, false) => {
                self.answer(&Caller::Request(number), RoomAnswer::Undecided);
            }
            (Negative::Refused { caller, client_id: None, .. }, false) => {
                request::unmarked(&self.context.router, self.context.room, &caller);
            }
            (Negative::Unchanged { caller }, true) => self.answer(&caller, RoomAnswer::Unchanged),
            (Negative::Unchanged { caller }, false) => self.answer(&caller, RoomAnswer::Undecided),
            (Negative::NoReader(reply), true) => {
                let _ = reply.send(Err(Refusal::new(Code::NotFound, "no such room")));
            }
            (Negative::Beyond { after, reply }, true) => {
                let head = self.machine.as_ref().map(Room::head).filter(|head| *head < after);
                if let Some(head) = head {
                    let _ = reply.send(Ok(Pulled { events: Vec::new(), head }));
                }
            }
            // Whoever asked asks again when the reply is dropped.
            (Negative::NoReader(_) | Negative::Beyond { .. }, false) => {}
        }
    }

    /// The first event that somebody may read; who may read none is told so.
    pub(super) fn readable_from(
        &mut self,
        myself: &ActorRef<RoomMessage>,
        user: UserId,
        reply: oneshot::Sender<Result<Pulled, Refusal>>,
    ) -> Option<(u64, oneshot::Sender<Result<Pulled, Refusal>>)> {
        match self.machine.as_ref()?.visible_from(user) {
            Some(visible_from) => Some((visible_from, reply)),
            None => {
                self.say(myself, Negative::NoReader(reply), true);
                None
            }
        }
    }
}
