//! From envelopes to what the actors are told.

use std::{sync::Arc, time::Instant};

use rookery_core::{
    ids::{RoomId, SessionId},
    room::{Caller, Input},
};
use tokio::sync::oneshot;

use super::ClusterRouter;
use crate::{
    actors::{
        hub::inbox::{Ack, Batch, Frames, Item, Note},
        peers::{HERE, Place, Slot, hub_address},
        registry::{Registered, RegistryMessage},
        room::{RoomMessage, refuse_session, undecided, unmarked},
    },
    cluster::{
        Envelope, Peer, Receiver,
        wire::{
            FanOut, RegistryNote, RoomInput,
            registry::{Registration, UserNote},
            room::ReturnAddress,
        },
    },
};

/// Why a connection is closed when a node of another version says it in other words.
const CLOSED: &str = "closed by another node";

impl Receiver for ClusterRouter {
    fn deliver(&self, from: &Peer, envelope: Envelope) {
        let Some(slot) = self.slots.of(from) else { return };
        match envelope {
            Envelope::ToRoom { room, what } => self.to_room(slot, room.into(), what),
            Envelope::Answer(answer) => {
                let client_id = answer.client_id.map(Into::into);
                let (session, frame) = (answer.session.into(), answer.frame.0);
                let item = match client_id {
                    Some(client_id) if answer.refused => Item::Refusal { session, client_id, by: slot, frame },
                    client_id => Item::Answer { session, client_id, frame },
                };
                self.to_own_hub(answer.hub, item);
            }
            Envelope::Moved(moved) => {
                let caller = Caller::Session { hub: own(moved.hub), session: moved.session.into(), id: None };
                undecided(&self.router, &caller, moved.client_id.into(), Some(slot));
            }
            Envelope::Unmarked(unmarked) => {
                let (session, room) = (unmarked.session.into(), unmarked.room.into());
                self.to_own_hub(unmarked.hub, Item::Unmarked { session, room });
            }
            Envelope::Restarted { room } => self.to_all(|| Item::Restarted { room: room.into(), by: slot }),
            // Whoever listens asks again as soon as it is known here that a room lives elsewhere, and gets what was not taken.
            Envelope::FanOut(FanOut { room, .. })
            | Envelope::Head { room, .. }
            | Envelope::Passing { room, .. }
            | Envelope::Typing { room, .. }
                if !self.may_speak_for(slot, RoomId::from(room).shard()) => {}
            Envelope::FanOut(events) => self.fan_in(events),
            Envelope::Head { room, head } => {
                let room = room.into();
                self.router.to_hubs_here(self.router.interest.hubs(room), || Item::Head { room, head });
            }
            Envelope::Passing { room, frame } => {
                let room = room.into();
                let item = || Item::Passing { room, frame: frame.0.clone() };
                self.router.to_hubs_here(self.router.interest.hubs(room), item);
            }
            Envelope::Typing { room, user, frame } => {
                let (room, user) = (room.into(), user.into());
                let item = || Item::Typing { room, user, frame: frame.0.clone() };
                self.router.to_hubs_here(self.router.interest.hubs(room), item);
            }
            Envelope::Interest { room, on } => self.interest(slot, room.into(), on),
            Envelope::Registry(note) => self.note(slot, note),
            Envelope::Call(call) => self.answer_call(slot, call),
            Envelope::Reply(reply) => self.calls.told(reply.id, reply.told),
            Envelope::Holding { shards } => self.is_told_of(from, &shards),
            Envelope::LetGo { shard } => self.is_let_go(from, shard),
        }
    }

    fn link_up(&self, peer: &Peer) {
        let Some(slot) = self.slots.take(peer) else {
            return tracing::error!(%peer, "more nodes than there are numbers for: this one is not reached");
        };
        self.place(&self.members());
        self.say_all(slot);
        self.tell_again(slot);
        self.look_again.notify_one();
    }

    fn link_down(&self, peer: &Peer) {
        tracing::info!(%peer, "a link is down");
    }
}

impl ClusterRouter {
    fn to_room(&self, from: Slot, room: RoomId, what: RoomInput) {
        let (to, client_id, input) = match what {
            RoomInput::Write { to, write } => {
                let write = write.into_core(caller(from, &to));
                (Some(to), Some(write.client_id), Input::Write(write))
            }
            RoomInput::Mark { to, user, read, delivered } => {
                let caller = caller(from, &to);
                (Some(to), None, Input::Mark { caller, user: user.into(), read, delivered })
            }
            RoomInput::Typing { user, on } => (None, None, Input::Typing { user: user.into(), on }),
            RoomInput::Blocked { by, on } => (None, None, Input::Blocked { by: by.into(), on }),
        };
        let to = to.map(|to| caller(from, &to));
        if !self.takes(room.shard()) {
            // The sender sees other nodes than this one does; soon they see the same.
            self.post(from, Envelope::LetGo { shard: room.shard().0 });
            match (to, client_id) {
                (Some(to), Some(client_id)) => undecided(&self.router, &to, client_id, Some(HERE)),
                (Some(to), None) => unmarked(&self.router, room, &to),
                (None, _) => {}
            }
            return;
        }
        let again = matches!(&input, Input::Write(write) if write.again);
        if let Err(refusal) = self.router.to_room_here(room, RoomMessage::Input(input))
            && let Some(to) = to
        {
            match client_id {
                Some(client_id) if again => undecided(&self.router, &to, client_id, Some(HERE)),
                client_id => refuse_session(&self.router, room, &to, client_id, &refusal),
            }
        }
    }

    /// Events of a room of another node: the same bytes to every hub here that listens or waits for an ack.
    fn fan_in(&self, events: FanOut) {
        if !events.is_sound() {
            metrics::counter!("rookery_cluster_unsound_total").increment(1);
            return;
        }
        let room = RoomId::from(events.room);
        let (ends, removed) = events.bounds();
        let frames = Arc::new(Frames { first: events.first, last: events.last, joined: events.joined.0, ends });
        let mask = self.router.interest.hubs(room);
        let mut acks: Vec<(u16, Ack)> = events.acks.into_iter().map(|ack| (ack.hub, own_ack(ack))).collect();
        for hub in 0..u16::try_from(self.router.hubs().len()).unwrap_or(0) {
            let own: Vec<Ack> = acks.extract_if(.., |(of, _)| *of == hub).map(|(_, ack)| ack).collect();
            if mask & 1 << hub != 0 || !own.is_empty() {
                let (frames, removed) = (Arc::clone(&frames), Arc::clone(&removed));
                self.router.to_hub(hub, Item::Batch(Batch { room, frames, acks: own, removed }));
            }
        }
    }

    /// Another node listens to a room that lives here, and wants to know how far it is. The room itself says it: what is
    /// written down of that may be behind what its last owner had acknowledged. Who tells it may have seen sooner than this
    /// node that the room lives here: that is kept, and answered once this node sees it too.
    pub(super) fn interest(&self, from: Slot, room: RoomId, on: bool) {
        self.router.interest.of_node(room, from, on);
        if self.router.peers().shard(room.shard()) != Place::Here {
            self.departed.lock().insert(room.shard(), Instant::now());
            return;
        }
        if !on {
            return;
        }
        let (reply, answer) = oneshot::channel();
        let Ok(()) = self.router.to_room_here(room, RoomMessage::TellHead(reply)) else { return };
        let router = Arc::clone(&self.router);
        self.router.shared.runtime.spawn(async move {
            if let Ok(head) = answer.await {
                router.peers().send(from, crate::actors::peers::ToPeer::Hubs(Item::Head { room, head }));
            }
        });
    }

    fn note(&self, from: Slot, note: RegistryNote) {
        let message = match note {
            RegistryNote::Spread { user, nodes } => return self.router.budget.spread(user.into(), nodes),
            RegistryNote::Present(entry) => RegistryMessage::Present(registered(from, &entry)),
            RegistryNote::Unregister { user, session, .. } => {
                RegistryMessage::Unregister { user: user.into(), session: session.into() }
            }
            RegistryNote::Active { user, session } => {
                RegistryMessage::Active { user: user.into(), session: session.into() }
            }
            RegistryNote::ToUser { user, note } => RegistryMessage::ToUser { user: user.into(), note: own_note(note) },
            RegistryNote::Deliver { user, note } => {
                let (user, note) = (user.into(), own_note(note));
                return self.to_all(|| Item::ToUser { user, note: note.clone() });
            }
            RegistryNote::CloseDevices { user, devices, code, .. } => RegistryMessage::CloseDevices {
                user: user.into(),
                devices: devices.into_iter().map(Into::into).collect(),
                code,
                reason: CLOSED,
            },
            RegistryNote::Close { hub, session, code, .. } => {
                return self.to_own_hub(hub, Item::Close { session: session.into(), code, reason: CLOSED });
            }
            RegistryNote::Watch { user, hub, session } => RegistryMessage::Watch {
                hub: hub_address(from, hub),
                session: session.into(),
                users: vec![user.into()],
            },
            RegistryNote::Unwatch { user, hub } => {
                RegistryMessage::Unwatch { hub: hub_address(from, hub), user: user.into() }
            }
            RegistryNote::Presence { user, only, frame } => {
                let (user, frame) = (user.into(), frame.0);
                return match only {
                    Some((hub, session)) => {
                        let only = Some(SessionId::from(session));
                        self.to_own_hub(hub, Item::Presence { user, only, frame });
                    }
                    None => self.to_all(|| Item::Presence { user, only: None, frame: frame.clone() }),
                };
            }
        };
        self.router.to_registry_here(message);
    }

    /// To a hub of this node, whatever number a peer names.
    fn to_own_hub(&self, hub: u16, item: Item) {
        self.router.to_hub(own(hub), item);
    }

    fn to_all(&self, item: impl Fn() -> Item) {
        self.router.started_hubs().for_each(|inbox| inbox.put(item()));
    }
}

/// A hub of this node by the number that a peer names.
const fn own(hub: u16) -> u16 {
    hub_address(crate::actors::peers::HERE, hub)
}

/// Who asked, as this node numbers it; from where it came is known from the link, not from what it says.
pub(super) fn caller(from: Slot, to: &ReturnAddress) -> Caller {
    Caller::Session {
        hub: hub_address(from, to.hub),
        session: to.session.into(),
        id: to.id.clone().map(String::into_boxed_str),
    }
}

pub(super) fn registered(from: Slot, entry: &Registration) -> Registered {
    Registered {
        user: entry.user.into(),
        device: entry.device.into(),
        session: entry.session.into(),
        hub: hub_address(from, entry.hub),
    }
}

fn own_ack(ack: crate::cluster::wire::room::Ack) -> Ack {
    Ack { session: ack.session.into(), client_id: ack.client_id.into(), seq: ack.seq, frame: ack.frame.0 }
}

fn own_note(note: UserNote) -> Note {
    match note {
        UserNote::Appeared(view) => Note::Appeared(view.into()),
        UserNote::Vanished(room) => Note::Vanished(room.into()),
        UserNote::Frame(frame) => Note::Frame(frame.0),
    }
}
