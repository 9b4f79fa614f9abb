//! The writes that a room remembers: so that each happens once, and to know what an edit is about.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
};

use super::{Intent, Target};
use crate::{
    event::{Content, Event, MemberChange, RoomChange, RoomChangeKind},
    ids::{ClientId, Seq, UserId},
    media::Attached,
    time::Millis,
};

/// Writes that a room remembers: two buckets of the log, about 0.7 MB when full.
pub(super) const REMEMBERED: usize = 8_192;

/// A write that the room remembers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Remembered {
    pub(super) seq: Seq,
    pub(super) at: Millis,
    print: Print,
}

/// Enough of what a write said to tell it from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Print {
    hash: u64,
    /// The words are gone; any words match.
    wordless: bool,
}

#[derive(Clone, Copy, Debug)]
struct Brief {
    sender: UserId,
    client_id: ClientId,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Message {
        attachments: bool,
    },
    /// Takes back this message.
    Delete(Seq),
    Other,
}

/// The newest writes of a room, in flight or durable.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// Every write after this one is remembered.
    horizon: Seq,
    keys: BTreeMap<(UserId, ClientId), Remembered>,
    briefs: VecDeque<Brief>,
    /// Messages that were taken back since the horizon, wherever they stand themselves.
    deleted: BTreeSet<Seq>,
}

impl Window {
    pub(super) const fn new(horizon: Seq) -> Self {
        Self { horizon, keys: BTreeMap::new(), briefs: VecDeque::new(), deleted: BTreeSet::new() }
    }

    /// Whether every write that a client could have made after `seen` is remembered.
    pub(super) const fn covers(&self, seen: Seq) -> bool {
        seen >= self.horizon
    }

    pub(super) const fn reaches(&self, target: Seq) -> bool {
        target > self.horizon
    }

    pub(super) fn find(&self, sender: UserId, client_id: ClientId) -> Option<&Remembered> {
        self.keys.get(&(sender, client_id))
    }

    /// Takes in the next event.
    pub(super) fn record(&mut self, event: &Event) {
        let remembered = Remembered { seq: event.seq, at: event.at, print: Print::of(&event.content) };
        self.keys.insert((event.sender, event.client_id), remembered);
        let what = match event.content {
            Content::Message { ref attachments, .. } => What::Message { attachments: !attachments.is_empty() },
            Content::Delete { target, .. } => What::Delete(target),
            _ => What::Other,
        };
        self.briefs.push_back(Brief { sender: event.sender, client_id: event.client_id, what });
        if let What::Delete(target) = what {
            self.deleted.insert(target);
        }
        if self.briefs.len() > REMEMBERED {
            self.forget_oldest();
        }
    }

    /// Takes the newest event out again.
    pub(super) fn take_back(&mut self) {
        if let Some(brief) = self.briefs.pop_back() {
            self.forget(brief);
        }
    }

    /// What is remembered about a message; `None` also for what is no message.
    pub(super) fn target(&self, seq: Seq) -> Option<Target> {
        let index = usize::try_from(seq.checked_sub(self.horizon + 1)?).ok()?;
        let brief = self.briefs.get(index)?;
        let What::Message { attachments } = brief.what else { return None };
        Some(Target { author: brief.sender, deleted: self.deleted.contains(&seq), attachments })
    }

    /// Whether a message was taken back in what is remembered, wherever it stands itself.
    pub(super) fn is_deleted(&self, seq: Seq) -> bool {
        self.deleted.contains(&seq)
    }

    fn forget_oldest(&mut self) {
        if let Some(brief) = self.briefs.pop_front() {
            self.horizon += 1;
            self.forget(brief);
        }
    }

    fn forget(&mut self, brief: Brief) {
        self.keys.remove(&(brief.sender, brief.client_id));
        if let What::Delete(target) = brief.what {
            self.deleted.remove(&target);
        }
    }
}

impl Remembered {
    /// Whether a write with this intent can be the remembered one.
    pub(super) fn is(&self, intent: &Intent) -> bool {
        self.print.fits(intent)
    }
}

impl Print {
    pub(super) fn of(content: &Content) -> Self {
        let wordless = match content {
            Content::Message { body, attachments, .. } => body.is_empty() && attachments.is_empty(),
            Content::Edit { body, .. } => body.is_empty(),
            _ => false,
        };
        Self { hash: hash_of(&asked_for(content.clone())), wordless }
    }

    /// Whether a write with this intent can have become what this is the print of.
    pub(super) fn fits(self, intent: &Intent) -> bool {
        let wanted = wanted(intent);
        let wanted = if self.wordless { wanted.erased() } else { wanted };
        hash_of(&wanted) == self.hash
    }
}

/// The content that an intent asks for, as far as it does not depend on the room.
fn wanted(intent: &Intent) -> Content {
    let member = |user, change| Content::Member { user, change, role: None, until: None };
    let room = |change, text| Content::Room(RoomChange { change, text, ..RoomChange::default() });
    match intent.clone() {
        Intent::Post { body, reply_to, mentions, attachments } => {
            let attachments = attachments.into_iter().map(Attached::into_print).collect();
            Content::Message { body, reply_to, mentions, attachments }
        }
        Intent::Edit { target, body } => Content::Edit { target, body },
        Intent::Delete { target } => Content::Delete { target, attachments: false },
        Intent::React { target, emoji, remove } => Content::Reaction { target, emoji, remove },
        Intent::Put { user, .. } => member(user, MemberChange::Joined),
        Intent::Remove { user, .. } => member(user, MemberChange::Removed),
        Intent::Unban { user } => member(user, MemberChange::Unbanned),
        Intent::Change(_) => room(RoomChangeKind::Changed, None),
        Intent::Announce { text } => room(RoomChangeKind::Announcement, Some(text)),
        Intent::End => room(RoomChangeKind::Deleted, None),
    }
}

/// The same, from what came of it.
fn asked_for(content: Content) -> Content {
    match content {
        Content::Member { user, change, .. } => {
            let change = match change {
                MemberChange::Joined | MemberChange::Role | MemberChange::Muted => MemberChange::Joined,
                MemberChange::Left | MemberChange::Removed | MemberChange::Banned => MemberChange::Removed,
                MemberChange::Unbanned => MemberChange::Unbanned,
            };
            Content::Member { user, change, role: None, until: None }
        }
        Content::Room(RoomChange { change, text, .. }) => {
            Content::Room(RoomChange { change, text, ..RoomChange::default() })
        }
        Content::Delete { target, .. } => Content::Delete { target, attachments: false },
        said => said,
    }
}

fn hash_of(content: &Content) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::ids::RoomId;

    /// A room in which every second event takes back the message before it, for ever.
    #[test]
    fn what_is_remembered_is_bounded_in_every_part() {
        let mut window = Window::new(0);
        let length = 4 * REMEMBERED as Seq;
        for seq in 1..=length {
            let content = match seq % 2 {
                0 => Content::Delete { target: seq - 1, attachments: false },
                _ => Content::Message {
                    body: "hi".into(),
                    reply_to: None,
                    mentions: Vec::new(),
                    attachments: Vec::new(),
                },
            };
            let (id, client_id) = (Uuid::from_u128(1), ClientId(Uuid::from_u128(u128::from(seq))));
            let (room, sender) = (RoomId(id), UserId(id));
            window.record(&Event { room, seq, at: Millis(0), sender, client_id, messages: 0, content });
        }
        assert_eq!((window.briefs.len(), window.keys.len()), (REMEMBERED, REMEMBERED));
        assert_eq!(window.deleted.len(), REMEMBERED / 2);
        assert_eq!(window.horizon, length - REMEMBERED as Seq);
        assert!(window.target(length - 1).is_some_and(|target| target.deleted));
        window.take_back();
        assert!(window.target(length - 1).is_some_and(|target| !target.deleted));
    }
}
