//! Clients that write to any node, and write the same again with the same key until they hear what became of it.

use rookery_core::{
    event::{Content, Event, MemberChange, Role, RoomChange, RoomChangeKind},
    fence::Row,
    ids::{ClientId, RoomId, Seq, UserId},
    room::{Authority, Caller, Intent, Write},
    shard::Stamp,
    time::Millis,
};
use uuid::Uuid;

use crate::{
    quorum::{self, Quorum, REPLICAS},
    world::{Answer, CLIENTS, Happening, NODES, STORMY, ToNode, World},
};

pub(crate) const ROOMS: u8 = 3;
/// Milliseconds that a client waits for an answer before it tries another node.
const PATIENCE: i64 = 2_200;

struct Pending {
    room: RoomId,
    key: ClientId,
    intent: Intent,
    sent: i64,
    tries: u32,
    refusals: u32,
}

pub(crate) struct Client {
    user: UserId,
    index: usize,
    made: u128,
    pending: Option<Pending>,
    /// Messages of its own that stand in the log.
    said: Vec<(RoomId, Seq)>,
}

pub(crate) fn room(number: u8) -> RoomId {
    RoomId(Uuid::from_u128(0xB000 + u128::from(number)))
}

fn user(number: usize) -> UserId {
    UserId(Uuid::from_u128(0xA000 + number as u128))
}

/// The rooms begin, with everybody in them.
pub(crate) fn begin(store: &mut Quorum) {
    for room in (0..ROOMS).map(room) {
        let created = RoomChange { change: RoomChangeKind::Created, ..RoomChange::default() };
        let mut contents = vec![Content::Room(created)];
        for number in 0..CLIENTS {
            let role = Some(if number == 0 { Role::Owner } else { Role::Member });
            let change = MemberChange::Joined;
            contents.push(Content::Member { user: user(number), change, role, until: None });
        }
        for (seq, content) in (1..).zip(contents) {
            let client_id = ClientId(Uuid::from_u128(0xE000 + u128::from(seq)));
            let event = Event { room, seq, at: Millis(0), sender: user(0), client_id, messages: 0, content };
            let row = Row { stamp: Stamp(0), event: event.into() };
            (0..REPLICAS).for_each(|replica| store.take(replica, quorum::Write::Row(room, row.clone())));
        }
    }
}

impl Client {
    pub(crate) fn new(index: usize) -> Self {
        Self { user: user(index), index, made: 0, pending: None, said: Vec::new() }
    }

    pub(crate) fn unanswered(&self) -> Option<String> {
        self.pending.as_ref().map(|pending| format!("{:?} {:?}", pending.key, pending.intent))
    }
}

impl World {
    pub(crate) fn client_acts(&mut self, index: usize) {
        self.later(10, 120, Happening::Client(index));
        let is_due = match &self.clients[index].pending {
            Some(pending) => self.now > pending.sent + PATIENCE,
            None if self.now > STORMY + 8_000 => return,
            None => {
                let pending = self.wish(index);
                self.clients[index].pending = Some(pending);
                true
            }
        };
        if !is_due {
            return;
        }
        let node = self.chance.below(NODES);
        let (now, user) = (self.now, self.clients[index].user);
        let Some(pending) = &mut self.clients[index].pending else { return };
        (pending.sent, pending.tries) = (now, pending.tries + 1);
        let write = Write {
            caller: Caller::Request(0),
            user,
            authority: Authority::Member,
            client_id: pending.key,
            seen: 0,
            again: false,
            after: None,
            intent: pending.intent.clone(),
        };
        let message = ToNode::Ask { client: index, write, room: pending.room };
        let to = self.life(node);
        self.later(0, 10, Happening::Node(to, message));
    }

    fn wish(&mut self, index: usize) -> Pending {
        let number = self.chance.below(usize::from(ROOMS)) as u8;
        let client = &mut self.clients[index];
        client.made += 1;
        let key = ClientId(Uuid::from_u128(0xC000_0000 + (client.index as u128) * 0x10_0000 + client.made));
        let said = self.chance.pick(&client.said).copied();
        let (room, intent) = match (self.chance.below(10), said) {
            (0, Some((room, target))) => (room, Intent::Delete { target }),
            (1, Some((room, target))) => (room, Intent::Edit { target, body: format!("again {}", client.made) }),
            (2, Some((room, target))) => (room, Intent::React { target, emoji: "👍".to_owned(), remove: false }),
            (3, _) if index == 0 => {
                let user = user(1 + self.chance.below(CLIENTS - 1));
                let intent = match self.chance.below(2) {
                    0 => Intent::Remove { user, ban: false },
                    _ => Intent::Put { user, role: None, muted_until: None },
                };
                (room(number), intent)
            }
            _ => {
                let body = format!("{index} says {}", client.made);
                (room(number), Intent::Post { body, reply_to: None, mentions: Vec::new(), attachments: Vec::new() })
            }
        };
        Pending { room, key, intent, sent: 0, tries: 0, refusals: 0 }
    }

    pub(crate) fn client_hears(&mut self, index: usize, room: RoomId, key: ClientId, answer: Answer) {
        let client = &mut self.clients[index];
        let is_awaited = client.pending.as_ref().is_some_and(|pending| pending.key == key);
        match answer {
            Answer::Done(seq) => {
                self.history.acked(room, key, seq);
                if let Some(pending) = client.pending.take_if(|_| is_awaited)
                    && matches!(pending.intent, Intent::Post { .. })
                {
                    client.said.push((room, seq));
                }
            }
            Answer::Unchanged => {
                client.pending.take_if(|_| is_awaited);
            }
            Answer::Refused => {
                if let Some(mut pending) = client.pending.take_if(|_| is_awaited) {
                    pending.refusals += 1;
                    self.history.count("refused");
                    // Of an earlier attempt that was not answered a refusal says nothing.
                    if pending.refusals == pending.tries {
                        self.history.refused(room, key);
                    }
                }
            }
            Answer::NotMine | Answer::Ended => {}
        }
    }
}
