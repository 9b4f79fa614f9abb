//! One conversation: who may do what, in which order, each thing once.
//!
//! A write is checked and numbered the moment it arrives, shown and acknowledged only once the store has it. What the
//! store refuses is undone as if it had never been.

#[cfg(feature = "bugs")]
pub mod bugs;
mod commit;
mod create;
mod effect;
mod input;
mod marks;
mod member;
mod message;
mod settings;
mod snapshot;
mod window;
mod write;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

pub use create::{Beginning, NewRoomPlan, create};
pub use effect::{Effect, Logged};
pub use input::{Authority, Caller, Input, Intent, Known, Looked, Target, Write};
pub use snapshot::{RECENT, Snapshot, SnapshotMember};
use window::Window;

use crate::{
    event::{Event, Role, RoomKind, Visibility},
    frame::{Code, Refusal, codec},
    ids::{ClientId, RoomId, Seq, UserId},
    time::Millis,
};

/// Bytes of encoded events that a room keeps for those who come back.
const RECENT_BYTES: usize = 256 * 1_024;

/// One member, as the room decides by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Member {
    role: Role,
    visible_from: Seq,
    muted_until: Option<Millis>,
}

/// An event that has its number and is on its way into the store.
#[derive(Clone, Debug)]
struct Pending {
    event: Arc<Event>,
    caller: Caller,
    /// Somebody had asked for it before, perhaps somewhere else.
    again: bool,
    /// Who sent the same write again in the meantime.
    waiters: Vec<Caller>,
    /// Who asked for what is so already once this event is durable.
    satisfied: Vec<(Caller, ClientId)>,
    fate: Option<Fate>,
    undo: Undo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Stored,
    Failed,
}

/// How the room was before an event that the store has refused.
#[derive(Clone, Debug)]
enum Undo {
    Nothing,
    Member { user: UserId, before: Option<Member>, banned: bool },
    Room { visibility: Visibility, archived: bool, deleted: bool },
}

/// A write that waits for what the store knows about it, or for one before it that does.
#[derive(Clone, Debug)]
struct Parked {
    ticket: u64,
    write: Write,
    look: Look,
}

/// What the store has said about a parked write.
#[derive(Clone, Debug)]
enum Look {
    /// All that there is to know was in memory when it came.
    NotAsked,
    Asked,
    /// `None`: it could not say.
    Answered(Option<Looked>),
}

/// The machine: the only writer of one room.
#[derive(Clone, Debug)]
pub struct Room {
    id: RoomId,
    kind: RoomKind,
    visibility: Visibility,
    archived: bool,
    deleted: bool,
    members: BTreeMap<UserId, Member>,
    banned: BTreeSet<UserId>,
    /// In a direct room: who of the two blocks the other.
    blocking: BTreeSet<UserId>,
    most_members: usize,
    /// The last event that is durable and shown.
    head: Seq,
    /// The last number given.
    last: Seq,
    /// Messages up to and including `last`.
    messages: u64,
    window: Window,
    pending: VecDeque<Pending>,
    /// The store has refused something; nothing new until all that is under way behind it is settled.
    failing: bool,
    /// The newest writes that were refused or changed nothing. Who wrote right behind one may not know of that yet.
    dismissed: VecDeque<ClientId>,
    parked: VecDeque<Parked>,
    tickets: u64,
    /// Read and delivered as they were shown last since the room woke, so that answers of the store that overtake each
    /// other show nobody marks that go back.
    shown_marks: BTreeMap<UserId, (Seq, Seq)>,
    recent: VecDeque<Logged>,
    recent_bytes: usize,
    #[cfg(feature = "bugs")]
    bug: Option<bugs::Bug>,
}

impl Room {
    /// Wakes a room from what the store has.
    #[must_use]
    pub fn wake(snapshot: Snapshot, most_members: usize) -> Self {
        let mut room = Self {
            id: snapshot.room,
            kind: snapshot.kind,
            visibility: snapshot.visibility,
            archived: snapshot.archived,
            deleted: snapshot.deleted,
            members: BTreeMap::new(),
            banned: snapshot.banned.into_iter().collect(),
            blocking: snapshot.blocking.into_iter().collect(),
            most_members,
            head: snapshot.head,
            last: snapshot.head,
            messages: snapshot.messages,
            window: Window::new(snapshot.recent.first().map_or(snapshot.head, |event| event.seq - 1)),
            pending: VecDeque::new(),
            failing: false,
            dismissed: VecDeque::new(),
            parked: VecDeque::new(),
            tickets: 0,
            shown_marks: BTreeMap::new(),
            recent: VecDeque::new(),
            recent_bytes: 0,
            #[cfg(feature = "bugs")]
            bug: None,
        };
        for member in snapshot.members {
            let SnapshotMember { user, role, visible_from, muted_until } = member;
            room.members.insert(user, Member { role, visible_from, muted_until });
        }
        for event in snapshot.recent {
            room.window.record(&event);
            let text = codec::encode_event(&event);
            room.keep(Logged { event: Arc::new(event), text });
        }
        room
    }

    /// Takes one input; appends what is to be done, in order.
    pub fn step(&mut self, input: Input, now: Millis, out: &mut Vec<Effect>) {
        match input {
            Input::Write(write) => self.write(write, now, out),
            Input::Looked { ticket, found } => self.looked(ticket, found, now, out),
            Input::Appended { seqs } => self.settle(seqs, Fate::Stored, out),
            Input::AppendFailed { seqs } => self.settle(seqs, Fate::Failed, out),
            Input::Mark { caller, user, read, delivered } => self.mark(caller, user, read, delivered, out),
            Input::Marked { caller, user, stand } => self.marked(caller, user, stand, out),
            Input::Typing { user, on } => self.typing(user, on, now, out),
            Input::Blocked { by, on } => {
                if on {
                    self.blocking.insert(by);
                } else {
                    self.blocking.remove(&by);
                }
            }
        }
    }

    /// Which room.
    #[must_use]
    pub const fn id(&self) -> RoomId {
        self.id
    }

    /// The last event that is durable and shown.
    #[must_use]
    pub const fn head(&self) -> Seq {
        self.head
    }

    /// Whether nothing is under way, so that the room may go to sleep.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.pending.is_empty() && self.parked.is_empty()
    }

    /// How many members.
    #[must_use]
    pub fn member_count(&self) -> usize {
        self.members.len()
    }

    /// The first event that this user may see; `None` for who is not in the room. Judged by what is durable: who is on the
    /// way in sees nothing yet.
    #[must_use]
    pub fn visible_from(&self, user: UserId) -> Option<Seq> {
        let under_way = self.pending.iter().find_map(|pending| match pending.undo {
            Undo::Member { user: of, before, .. } if of == user => Some(before),
            _ => None,
        });
        let member = under_way.unwrap_or_else(|| self.members.get(&user).copied());
        member.map(|member| member.visible_from)
    }

    /// The durable events after `after`, if the room still has all of them in memory.
    #[must_use]
    pub fn events_after(&self, after: Seq) -> Option<impl Iterator<Item = &Logged>> {
        let first = self.recent.front().map_or(self.head + 1, |logged| logged.event.seq);
        if after + 1 < first {
            return None;
        }
        let skip = usize::try_from((after + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        Some(self.recent.iter().skip(skip))
    }

    /// Everything that two rooms must agree on that are woken from the same log.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.members == other.members
            && self.banned == other.banned
            && (self.visibility, self.archived, self.deleted) == (other.visibility, other.archived, other.deleted)
            && (self.head, self.messages) == (other.head, other.messages)
    }

    fn keep(&mut self, logged: Logged) {
        self.recent_bytes += logged.text.len();
        self.recent.push_back(logged);
        while self.recent.len() > RECENT || self.recent_bytes > RECENT_BYTES {
            let Some(oldest) = self.recent.pop_front() else { return };
            self.recent_bytes -= oldest.text.len();
        }
    }

    /// Who is not in a room must not learn whether there is one, unless everybody may.
    fn stranger(&self) -> Refusal {
        match (self.visibility, self.deleted) {
            (Visibility::Public, false) => Refusal::new(Code::NotMember, "join the room first"),
            _ => Refusal::new(Code::NotFound, "no such room"),
        }
    }
}

#[cfg(test)]
mod tests;
