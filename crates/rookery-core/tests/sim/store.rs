//! A model of the store: it keeps its promises, and is slow, forgetful about what it has not confirmed, and out of order.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use rookery_core::{
    event::{Content, Event, MemberChange, Notify, Role, RoomChangeKind, RoomKind, Visibility},
    frame::server::RoomView,
    ids::{ClientId, RoomId, Seq, ShardId, UserId},
    room::{Known, Looked, RECENT, Snapshot, SnapshotMember, Target},
    shard::Stamp,
    time::Millis,
};

use crate::chance::Chance;

#[derive(Default)]
pub(crate) struct Store {
    pub(crate) rooms: BTreeMap<RoomId, Stored>,
    pub(crate) epochs: BTreeMap<ShardId, u64>,
}

/// One room: what is durable, what follows from it, and what only waits.
pub(crate) struct Stored {
    pub(crate) kind: RoomKind,
    pub(crate) log: Vec<Event>,
    pub(crate) marks: BTreeMap<UserId, (Seq, Seq)>,
    pub(crate) newest: Stamp,
    visibility: Visibility,
    archived: bool,
    deleted: bool,
    members: BTreeMap<UserId, SnapshotMember>,
    banned: BTreeSet<UserId>,
    taken_back: BTreeSet<Seq>,
    keys: BTreeMap<(UserId, ClientId), Seq>,
    queue: VecDeque<Arc<Event>>,
    /// The first number of what was refused last; nothing later is taken before it comes again.
    refused: Option<Seq>,
}

/// What became of a part of the queue.
pub(crate) enum Fate {
    Stored {
        first: Seq,
        last: Seq,
    },
    Refused(Vec<Seq>),
    /// As `Refused`, because this one is there already.
    Doubled(ClientId, Vec<Seq>),
}

impl Store {
    pub(crate) fn claim(&mut self, shard: ShardId) -> u64 {
        let epoch = self.epochs.entry(shard).or_default();
        *epoch += 1;
        *epoch
    }

    /// Power is lost: of what was not confirmed some may be there, as far as it was written in order.
    pub(crate) fn crash(&mut self, chance: &mut Chance) {
        for stored in self.rooms.values_mut() {
            stored.settle(chance);
        }
    }

    /// A user's rooms, as `hello` needs them.
    pub(crate) fn rooms_of(&self, user: UserId) -> Vec<RoomView> {
        self.rooms.iter().filter_map(|(room, stored)| stored.view(*room, user)).collect()
    }
}

impl Stored {
    pub(crate) fn new(kind: RoomKind, events: Vec<Event>) -> Self {
        let mut stored = Self {
            kind,
            log: Vec::new(),
            marks: BTreeMap::new(),
            newest: Stamp(0),
            visibility: Visibility::Private,
            archived: false,
            deleted: false,
            members: BTreeMap::new(),
            banned: BTreeSet::new(),
            taken_back: BTreeSet::new(),
            keys: BTreeMap::new(),
            queue: VecDeque::new(),
            refused: None,
        };
        events.into_iter().for_each(|event| stored.write(event));
        stored
    }

    pub(crate) fn head(&self) -> Seq {
        self.log.last().map_or(0, |event| event.seq)
    }

    /// Takes an event in. `false`: refused at once, because one before it was.
    pub(crate) fn append(&mut self, event: Arc<Event>) -> bool {
        if self.refused.is_some_and(|first| first != event.seq) {
            return false;
        }
        self.refused = None;
        self.queue.push_back(event);
        true
    }

    /// Makes some of what waits durable, or refuses all of it.
    pub(crate) fn commit(&mut self, fails: bool, chance: &mut Chance) -> Option<Fate> {
        let first = self.queue.front()?.seq;
        if fails {
            return Some(Fate::Refused(self.refuse_all()));
        }
        let count = 1 + chance.below(self.queue.len());
        let mut last = first;
        for done in 0..count {
            let event = Arc::clone(self.queue.front()?);
            if self.keys.contains_key(&(event.sender, event.client_id)) {
                if done > 0 {
                    break;
                }
                let key = event.client_id;
                return Some(Fate::Doubled(key, self.refuse_all()));
            }
            last = event.seq;
            let event = Event::clone(&event);
            self.queue.pop_front();
            self.write(event);
        }
        Some(Fate::Stored { first, last })
    }

    pub(crate) fn has_more(&self) -> bool {
        !self.queue.is_empty()
    }

    fn refuse_all(&mut self) -> Vec<Seq> {
        let refused: Vec<Seq> = self.queue.drain(..).map(|event| event.seq).collect();
        self.refused = refused.first().copied();
        refused
    }

    /// What waits is decided, in order, and nobody is told.
    fn settle(&mut self, chance: &mut Chance) {
        let kept = chance.below(self.queue.len() + 1);
        for event in self.queue.drain(..).take(kept).collect::<Vec<_>>() {
            if self.keys.contains_key(&(event.sender, event.client_id)) {
                break;
            }
            self.write(Event::clone(&event));
        }
        self.refused = None;
    }

    /// A new activation of the room: older ones write no more, and this is what there is.
    pub(crate) fn wake(&mut self, room: RoomId, stamp: Stamp, chance: &mut Chance) -> Snapshot {
        self.newest = stamp;
        self.settle(chance);
        let from = self.log.len().saturating_sub(RECENT.min(1 + chance.below(40)));
        Snapshot {
            room,
            kind: self.kind,
            visibility: self.visibility,
            archived: self.archived,
            deleted: self.deleted,
            members: self.members.values().copied().collect(),
            banned: self.banned.iter().copied().collect(),
            blocking: Vec::new(),
            head: self.head(),
            messages: self.log.last().map_or(0, |event| event.messages),
            recent: self.log[from..].iter().map(|event| self.as_kept(event)).collect(),
        }
    }

    pub(crate) fn look(&self, sender: UserId, client_id: ClientId, target: Option<Seq>) -> Looked {
        let known = self.keys.get(&(sender, client_id)).and_then(|seq| self.at(*seq));
        let target = target.and_then(|seq| self.at(seq)).filter(|event| is_message(event));
        Looked {
            known: known.map(|event| Known { seq: event.seq, at: event.at, content: self.as_kept(event).content }),
            target: target.map(|event| Target {
                author: event.sender,
                deleted: self.taken_back.contains(&event.seq),
                attachments: false,
            }),
        }
    }

    pub(crate) fn events(&self, after: Seq, limit: usize) -> Vec<Event> {
        self.log.iter().filter(|event| event.seq > after).take(limit).map(|event| self.as_kept(event)).collect()
    }

    pub(crate) fn mark(&mut self, user: UserId, read: Seq, delivered: Seq) -> Option<(Seq, Seq)> {
        self.members.get(&user)?;
        let marks = self.marks.entry(user).or_default();
        *marks = (marks.0.max(read), marks.1.max(delivered));
        Some(*marks)
    }

    pub(crate) fn view(&self, room: RoomId, user: UserId) -> Option<RoomView> {
        let member = self.members.get(&user).filter(|_| !self.deleted)?;
        let (read, delivered) = self.marks.get(&user).copied().unwrap_or_default();
        Some(RoomView {
            room,
            kind: self.kind,
            name: String::new(),
            role: member.role,
            head: self.head(),
            read,
            delivered,
            unread: 0,
            notify: Notify::All,
            visible_from: member.visible_from,
        })
    }

    fn at(&self, seq: Seq) -> Option<&Event> {
        self.log.iter().rev().find(|event| event.seq == seq)
    }

    fn as_kept(&self, event: &Event) -> Event {
        let said_in = match event.content {
            Content::Message { .. } => event.seq,
            Content::Edit { target, .. } => target,
            _ => 0,
        };
        match self.taken_back.contains(&said_in) {
            true => Event { content: event.content.erased(), ..event.clone() },
            false => event.clone(),
        }
    }

    fn write(&mut self, event: Event) {
        self.keys.insert((event.sender, event.client_id), event.seq);
        match &event.content {
            Content::Delete { target, .. } => {
                self.taken_back.insert(*target);
            }
            Content::Member { user, change, role, until } => {
                self.write_member(event.seq, *user, *change, *role, *until);
            }
            Content::Room(change) => {
                self.visibility = change.visibility.unwrap_or(self.visibility);
                self.archived = change.archived.unwrap_or(self.archived);
                self.deleted |= change.change == RoomChangeKind::Deleted;
            }
            _ => {}
        }
        self.log.push(event);
    }

    fn write_member(
        &mut self,
        seq: Seq,
        user: UserId,
        change: MemberChange,
        role: Option<Role>,
        until: Option<Millis>,
    ) {
        match change {
            MemberChange::Joined => {
                let open = self.visibility == Visibility::Public || self.kind == RoomKind::Direct;
                let visible_from = if open { 1 } else { seq };
                let role = role.unwrap();
                self.members.insert(user, SnapshotMember { user, role, visible_from, muted_until: None });
            }
            MemberChange::Left | MemberChange::Removed => {
                self.members.remove(&user);
            }
            MemberChange::Banned => {
                self.members.remove(&user);
                self.banned.insert(user);
            }
            MemberChange::Unbanned => {
                self.banned.remove(&user);
            }
            MemberChange::Role => self.members.get_mut(&user).unwrap().role = role.unwrap(),
            MemberChange::Muted => self.members.get_mut(&user).unwrap().muted_until = until,
        }
    }
}

const fn is_message(event: &Event) -> bool {
    matches!(event.content, Content::Message { .. })
}
