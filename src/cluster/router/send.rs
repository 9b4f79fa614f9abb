//! From what the actors say to envelopes.

use bytes::Bytes;
use rookery_core::{
    frame::Refusal,
    ids::{ClientId, RoomId, SessionId},
    room::{Caller, Input},
};
use tokio::sync::oneshot;

use super::{ClusterRouter, calls::DEADLINE};
use crate::{
    actors::{
        hub::inbox::{Ack, Item, Note},
        peers::{FanOut, NodeAcks, Slot, ToPeer},
        ports::{Connected, Pulse, RoomState},
        registry::{Admission, Registered, RegistryMessage},
        room::{Ask as RoomAsk, Pulled, RoomAnswer, RoomMessage, Wish},
    },
    cluster::wire::{
        Answer, Blob, Call, Envelope, Moved, RegistryNote, RoomInput, Unmarked,
        call::{self, Ask, Told},
        registry::{Registration, UserNote},
        room::{self, ReturnAddress},
    },
};

impl ClusterRouter {
    pub(super) fn send_to(&self, to: Slot, message: ToPeer) -> bool {
        match message {
            ToPeer::Room { room, message } => self.send_to_room(to, room, message),
            ToPeer::Hub { hub, item } => self.send_to_hub(to, hub, item),
            ToPeer::Hubs(item) => self.send_to_hubs(to, item),
            ToPeer::Interest { room, on } => self.post(to, Envelope::Interest { room: room.into(), on }),
            ToPeer::Spread { user, nodes } => {
                self.post(to, Envelope::Registry(RegistryNote::Spread { user: user.into(), nodes }))
            }
            ToPeer::Registry(message) => self.send_to_registry(to, message),
            ToPeer::List { user, reply } => {
                let ask = Ask::Sessions { user: user.map(Into::into) };
                let node = self.node_of(to).map(|node| node.to_string()).unwrap_or_default();
                self.call(to, ask, move |told| {
                    if let Told::Sessions(sessions) = told {
                        let _ = reply.send(sessions.into_iter().map(|session| connected(session, &node)).collect());
                    }
                })
            }
            ToPeer::Pulse(reply) => {
                let node = self.node_of(to).map(|node| node.to_string()).unwrap_or_default();
                self.call(to, Ask::Pulse, move |told| {
                    if let Told::Pulse(pulse) = told {
                        let _ = reply.send(into_pulse(pulse, node));
                    }
                })
            }
            ToPeer::Describe(room, reply) => self.call(to, Ask::RoomState { room: room.into() }, move |told| {
                if let Told::RoomState(state) = told {
                    let _ = reply.send(into_room_state(state));
                }
            }),
            ToPeer::Outcome { room, sender, client_id, reply } => {
                let ask = Ask::Outcome { room: room.into(), sender: sender.into(), client_id: client_id.into() };
                self.call(to, ask, move |told| {
                    let _ = match told {
                        Told::Written { seq, at, .. } => reply.send(Some((seq, rookery_core::time::Millis(at)))),
                        Told::Absent => reply.send(None),
                        _ => return,
                    };
                })
            }
            ToPeer::Release(room, reply) => self.call(to, Ask::ReleaseRoom { room: room.into() }, move |told| {
                if told == Told::Done {
                    let _ = reply.send(());
                }
            }),
        }
    }

    /// One envelope per node: the same bytes for all that only listen, one of its own for each that waits for acks.
    pub(super) fn fan_out_to(&self, events: &FanOut, to: &[Slot], acks: Vec<(Slot, NodeAcks)>) {
        let Some(network) = self.network.get() else { return };
        let envelope = |acks: NodeAcks| {
            Envelope::FanOut(room::FanOut {
                room: events.room.into(),
                first: events.frames.first,
                last: events.frames.last,
                joined: Blob(events.frames.joined.clone()),
                ends: events.frames.ends.iter().map(|end| u32::try_from(*end).unwrap_or(u32::MAX)).collect(),
                removed: events.removed.iter().map(|(seq, user)| (*seq, (*user).into())).collect(),
                acks: acks.into_iter().map(|(hub, ack)| wire_ack(hub, ack)).collect(),
            })
        };
        let silent = to.iter().filter(|slot| !acks.iter().any(|(other, _)| other == *slot));
        let peers = silent.filter_map(|slot| self.slots.peer(*slot)).filter(|peer| self.is_linked(peer));
        let nodes: Vec<_> = peers.map(|peer| peer.node).collect();
        if !nodes.is_empty() {
            metrics::counter!("rookery_cluster_fan_out_envelopes_total").increment(nodes.len() as u64);
            // Who does not get it finds the hole and reads the log.
            network.send_all(nodes.iter(), &envelope(Vec::new()), |_, _| {});
        }
        for (slot, own) in acks {
            metrics::counter!("rookery_cluster_fan_out_envelopes_total").increment(1);
            self.post(slot, envelope(own));
        }
    }

    fn send_to_room(&self, to: Slot, room: RoomId, message: RoomMessage) -> bool {
        let what = match message {
            RoomMessage::Input(Input::Write(write)) => {
                let Some(back) = self.return_address(&write.caller) else { return false };
                RoomInput::Write { to: back, write: (&write).into() }
            }
            RoomMessage::Input(Input::Mark { caller, user, read, delivered }) => {
                let Some(back) = self.return_address(&caller) else { return false };
                RoomInput::Mark { to: back, user: user.into(), read, delivered }
            }
            RoomMessage::Input(Input::Typing { user, on }) => RoomInput::Typing { user: user.into(), on },
            RoomMessage::Input(Input::Blocked { by, on }) => RoomInput::Blocked { by: by.into(), on },
            RoomMessage::Ask(ask) => return self.ask_room(to, room, ask),
            RoomMessage::Pull { user, after, reply } => {
                let ask = Ask::Pull { room: room.into(), user: user.into(), after };
                return self.call(to, ask, move |told| answer_pull(told, reply));
            }
            RoomMessage::TellHead(reply) => {
                return self.call(to, Ask::Head { room: room.into() }, move |told| {
                    if let Told::Head { head } = told {
                        let _ = reply.send(head);
                    }
                });
            }
            // The others come from the room's own node.
            _ => return false,
        };
        self.post(to, Envelope::ToRoom { room: room.into(), what })
    }

    fn ask_room(&self, to: Slot, room: RoomId, ask: RoomAsk) -> bool {
        let question = match ask.wish() {
            Wish::Write(write) => {
                Ask::Write { room: room.into(), write: (&**write).into(), request_id: ask.request_id().to_owned() }
            }
            Wish::Mark { user, read, delivered } => {
                Ask::Mark { room: room.into(), user: (*user).into(), read: *read, delivered: *delivered }
            }
        };
        self.call(to, question, move |told| ask.answer(room_answer(told)))
    }

    /// Where the answer to a session of this node goes.
    fn return_address(&self, caller: &Caller) -> Option<ReturnAddress> {
        match caller {
            Caller::Session { hub, session, id } => Some(ReturnAddress {
                node: self.own_name(),
                hub: *hub,
                session: (*session).into(),
                id: id.as_deref().map(str::to_owned),
            }),
            Caller::Request(_) => None,
        }
    }

    fn send_to_hub(&self, to: Slot, hub: u16, item: Item) -> bool {
        let envelope = match item {
            Item::Answer { session, client_id, frame } => answer(hub, session, client_id, frame, false),
            Item::Refusal { session, client_id, frame, .. } => answer(hub, session, Some(client_id), frame, true),
            Item::Undecided { session, client_id, .. } => Envelope::Moved(Moved {
                room: RoomId(session.0).into(),
                hub,
                session: session.into(),
                client_id: client_id.into(),
            }),
            Item::Unmarked { session, room } => {
                Envelope::Unmarked(Unmarked { room: room.into(), hub, session: session.into() })
            }
            Item::Presence { user, only, frame } => Envelope::Registry(RegistryNote::Presence {
                user: user.into(),
                only: only.map(|session: SessionId| (hub, session.into())),
                frame: Blob(frame),
            }),
            Item::ToUser { user, note } => {
                Envelope::Registry(RegistryNote::Deliver { user: user.into(), note: wire_note(note) })
            }
            Item::Close { session, code, reason } => Envelope::Registry(RegistryNote::Close {
                hub,
                session: session.into(),
                code,
                reason: reason.to_owned(),
            }),
            _ => return false,
        };
        self.post(to, envelope)
    }

    fn send_to_hubs(&self, to: Slot, item: Item) -> bool {
        let envelope = match item {
            Item::Head { room, head } => Envelope::Head { room: room.into(), head },
            Item::Passing { room, frame } => Envelope::Passing { room: room.into(), frame: Blob(frame) },
            Item::Typing { room, user, frame } => {
                Envelope::Typing { room: room.into(), user: user.into(), frame: Blob(frame) }
            }
            Item::Restarted { room, .. } => Envelope::Restarted { room: room.into() },
            Item::Close { session, .. } => {
                return self.call(to, Ask::CloseSession { session: session.into() }, |_| {});
            }
            _ => return false,
        };
        self.post(to, envelope)
    }

    fn send_to_registry(&self, to: Slot, message: RegistryMessage) -> bool {
        let incarnation = self.incarnation();
        let note = match message {
            RegistryMessage::Register { entry, reply } => {
                return self.call(to, Ask::Register(self.registration(entry)), move |told| {
                    if let Told::Admission(admission) = told {
                        let _ = reply.send(into_admission(admission));
                    }
                });
            }
            RegistryMessage::Present(entry) => RegistryNote::Present(self.registration(entry)),
            RegistryMessage::Unregister { user, session } => {
                RegistryNote::Unregister { user: user.into(), session: session.into(), incarnation }
            }
            RegistryMessage::Active { user, session } => {
                RegistryNote::Active { user: user.into(), session: session.into() }
            }
            RegistryMessage::ToUser { user, note } => RegistryNote::ToUser { user: user.into(), note: wire_note(note) },
            RegistryMessage::CloseDevices { user, devices, code, reason } => RegistryNote::CloseDevices {
                user: user.into(),
                devices: devices.into_iter().map(Into::into).collect(),
                code,
                reason: reason.to_owned(),
            },
            RegistryMessage::Watch { hub, session, users } => {
                let watch = |user| RegistryNote::Watch { user, hub, session: session.into() };
                let mut notes = users.into_iter().map(|user| Envelope::Registry(watch(user.into())));
                return notes.all(|note| self.post(to, note));
            }
            RegistryMessage::Unwatch { hub, user } => RegistryNote::Unwatch { user: user.into(), hub },
            RegistryMessage::NodeGone(_) | RegistryMessage::Tick => return false,
        };
        self.post(to, Envelope::Registry(note))
    }

    fn registration(&self, entry: Registered) -> Registration {
        Registration {
            user: entry.user.into(),
            device: entry.device.into(),
            session: entry.session.into(),
            hub: entry.hub,
            node: self.own_name(),
            incarnation: self.incarnation(),
        }
    }

    pub(super) fn call(&self, to: Slot, ask: Ask, on_told: impl FnOnce(Told) + Send + Sync + 'static) -> bool {
        let Some(id) = self.calls.open(on_told) else { return false };
        let deadline_ms = u32::try_from(DEADLINE.as_millis()).unwrap_or(u32::MAX);
        let taken = self.post(to, Envelope::Call(Call { id, deadline_ms, ask }));
        if !taken {
            self.calls.drop(id);
        }
        taken
    }
}

fn answer(hub: u16, session: SessionId, client_id: Option<ClientId>, frame: Bytes, refused: bool) -> Envelope {
    // Of which room it is only keeps it in order behind that room's events.
    let (room, client_id) = (RoomId(session.0).into(), client_id.map(Into::into));
    Envelope::Answer(Answer { room, hub, session: session.into(), client_id, refused, frame: Blob(frame) })
}

fn wire_ack(hub: u16, ack: Ack) -> room::Ack {
    let Ack { session, client_id, seq, frame } = ack;
    room::Ack { hub, session: session.into(), client_id: client_id.into(), seq, frame: Blob(frame) }
}

fn wire_note(note: Note) -> UserNote {
    match note {
        Note::Appeared(view) => UserNote::Appeared(view.into()),
        Note::Vanished(room) => UserNote::Vanished(room.into()),
        Note::Frame(frame) => UserNote::Frame(Blob(frame)),
    }
}

fn room_answer(told: Told) -> RoomAnswer {
    match told {
        Told::Written { seq, at, repeat } => RoomAnswer::Done { seq, at: rookery_core::time::Millis(at), repeat },
        Told::Unchanged => RoomAnswer::Unchanged,
        Told::Marks { read, delivered } => RoomAnswer::Marks { read, delivered },
        Told::Refused(refusal) => RoomAnswer::Refused(refusal.into()),
        _ => RoomAnswer::Undecided,
    }
}

fn answer_pull(told: Told, reply: oneshot::Sender<Result<Pulled, Refusal>>) {
    let answer = match told {
        Told::Pulled { events, head } => {
            let events: Vec<(u64, Bytes)> = events.into_iter().map(|(seq, text)| (seq, text.0)).collect();
            Ok(Pulled { events, head })
        }
        Told::Refused(refusal) => Err(refusal.into()),
        // Whoever asked asks again when the reply is dropped.
        _ => return,
    };
    let _ = reply.send(answer);
}

fn connected(session: call::Connected, node: &str) -> Connected {
    Connected {
        session: session.session.into(),
        user: session.user.into(),
        device: session.device.into(),
        node: node.to_owned(),
        since: rookery_core::time::Millis(session.since),
        client: session.client,
    }
}

fn into_pulse(pulse: call::Pulse, node: String) -> Pulse {
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Pulse {
        node,
        sessions: size(pulse.sessions),
        rooms_awake: size(pulse.rooms_awake),
        sends_per_second: f64::from(u32::try_from(pulse.sends_per_1000_seconds).unwrap_or(u32::MAX)) / 1_000.0,
        quarantined: pulse.quarantined.into_iter().map(Into::into).collect(),
        shards: usize::try_from(pulse.shards).unwrap_or(usize::MAX),
    }
}

fn into_room_state(state: call::RoomState) -> RoomState {
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    RoomState {
        awake: state.awake,
        epoch: state.epoch,
        queue: size(state.queue),
        interest: size(state.interest),
        quarantined: state.quarantined,
    }
}

const fn into_admission(admission: call::Admission) -> Admission {
    match admission {
        call::Admission::Admitted => Admission::Admitted,
        call::Admission::TooMany => Admission::TooMany,
        call::Admission::Revoked => Admission::Revoked,
    }
}
