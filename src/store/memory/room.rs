//! One room: its record, its log, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};

use rookery_core::{
    event::{Content, Event},
    frame::server::RoomView,
    ids::{Seq, UserId},
    time::Millis,
};

use crate::store::record::{Membership, Message, Reaction, ReactionCount, RoomListing, RoomRecord};

/// What differs from the first event of a message.
#[derive(Default)]
pub(super) struct Overlay {
    pub(super) body: Option<String>,
    pub(super) edited_at: Option<Millis>,
    pub(super) deleted: bool,
}

/// A room.
pub(super) struct Room {
    pub(super) record: RoomRecord,
    pub(super) events: Vec<Event>,
    pub(super) members: BTreeMap<UserId, Membership>,
    pub(super) banned: BTreeSet<UserId>,
    pub(super) overlays: BTreeMap<Seq, Overlay>,
    /// Oldest first.
    pub(super) reactions: BTreeMap<Seq, Vec<Reaction>>,
}

impl Room {
    /// A room without events.
    pub(super) const fn new(record: RoomRecord) -> Self {
        Self {
            record,
            events: Vec::new(),
            members: BTreeMap::new(),
            banned: BTreeSet::new(),
            overlays: BTreeMap::new(),
            reactions: BTreeMap::new(),
        }
    }

    /// The last event; 0 for none.
    pub(super) fn head(&self) -> Seq {
        self.events.last().map_or(0, |event| event.seq)
    }

    /// One event.
    pub(super) fn event(&self, seq: Seq) -> Option<&Event> {
        self.events.binary_search_by_key(&seq, |event| event.seq).ok().and_then(|at| self.events.get(at))
    }

    /// The events after this one.
    pub(super) fn after(&self, seq: Seq) -> &[Event] {
        let begin = self.events.partition_point(|event| event.seq <= seq);
        &self.events[begin..]
    }

    /// How many messages the log held at this point.
    fn messages_at(&self, seq: Seq) -> u64 {
        let end = self.events.partition_point(|event| event.seq <= seq);
        end.checked_sub(1).and_then(|last| self.events.get(last)).map_or(0, |event| event.messages)
    }

    /// An event as the message that it is now.
    pub(super) fn message(&self, event: &Event, viewer: UserId) -> Option<Message> {
        let Content::Message { body, reply_to, mentions, attachments } = &event.content else { return None };
        let overlay = self.overlays.get(&event.seq);
        let body = overlay.and_then(|overlay| overlay.body.as_ref()).unwrap_or(body);
        Some(Message {
            room: event.room,
            seq: event.seq,
            at: event.at,
            from: event.sender,
            client_id: event.client_id,
            body: body.clone(),
            edited_at: overlay.and_then(|overlay| overlay.edited_at),
            deleted: overlay.is_some_and(|overlay| overlay.deleted),
            reply_to: *reply_to,
            mentions: mentions.clone(),
            attachments: attachments.clone(),
            reactions: self.counts(event.seq, viewer),
        })
    }

    fn counts(&self, seq: Seq, viewer: UserId) -> Vec<ReactionCount> {
        let mut counts: Vec<ReactionCount> = Vec::new();
        for reaction in self.reactions.get(&seq).into_iter().flatten() {
            let mine = reaction.user == viewer;
            match counts.iter_mut().find(|count| count.emoji == reaction.emoji) {
                Some(count) => {
                    count.count += 1;
                    count.mine |= mine;
                }
                None => counts.push(ReactionCount { emoji: reaction.emoji.clone(), count: 1, mine }),
            }
        }
        counts
    }

    /// How a member sees the room in a list.
    pub(super) fn view(&self, user: UserId) -> Option<RoomView> {
        let member = self.members.get(&user)?;
        let messages = self.events.last().map_or(0, |event| event.messages);
        Some(RoomView {
            room: self.record.id,
            kind: self.record.kind,
            name: self.record.name.clone(),
            role: member.role,
            head: self.head(),
            read: member.read,
            delivered: member.delivered,
            unread: messages - self.messages_at(member.read),
            notify: member.notify,
            visible_from: member.visible_from,
        })
    }

    /// How somebody sees the room.
    pub(super) fn listing(&self, user: UserId) -> RoomListing {
        let view = self.view(user);
        let visible_from = view.as_ref().map_or(Seq::MAX, |view| view.visible_from);
        let visible = self.after(visible_from.saturating_sub(1));
        RoomListing {
            record: self.record.clone(),
            view,
            head: self.head(),
            last_message: visible.iter().rev().find_map(|event| self.message(event, user)),
            active_at: self.events.last().map_or(self.record.created_at, |event| event.at),
        }
    }
}
