//! What follows from an event: memberships, the room's record, the present state of messages.

use std::collections::btree_map::Entry;

use rookery_core::{
    event::{Content, Event, MemberChange, Notify, Role, RoomChange, RoomChangeKind, RoomKind, Visibility},
    ids::{Seq, UserId},
    time::Millis,
};

use super::room::{Overlay, Room};
use crate::store::record::{Membership, Reaction};

impl Room {
    /// Adds an event to the log and applies it.
    pub(super) fn add(&mut self, event: Event) {
        match &event.content {
            Content::Message { .. } => {}
            Content::Edit { target, body } => self.edit(*target, body, event.at),
            Content::Delete { target, .. } => self.delete(*target),
            Content::Reaction { target, emoji, remove } => self.react(&event, *target, emoji, *remove),
            Content::Member { user, change, role, until } => self.member(&event, *user, *change, *role, *until),
            Content::Room(change) => self.change(change),
        }
        self.events.push(event);
    }

    fn edit(&mut self, target: Seq, body: &str, at: Millis) {
        let overlay = self.overlays.entry(target).or_default();
        if !overlay.deleted {
            overlay.body = Some(body.to_owned());
            overlay.edited_at = Some(at);
        }
    }

    fn delete(&mut self, target: Seq) {
        for event in &mut self.events {
            let edits = matches!(&event.content, Content::Edit { target: of, .. } if *of == target);
            if event.seq == target || edits {
                event.content = event.content.erased();
            }
        }
        self.overlays.insert(target, Overlay { body: None, edited_at: None, deleted: true });
        self.reactions.remove(&target);
    }

    fn react(&mut self, event: &Event, target: Seq, emoji: &str, remove: bool) {
        if self.overlays.get(&target).is_some_and(|overlay| overlay.deleted) {
            return;
        }
        let reactions = self.reactions.entry(target).or_default();
        let mine = reactions.iter().position(|of| of.user == event.sender && of.emoji == emoji);
        match (mine, remove) {
            (Some(at), true) => {
                reactions.remove(at);
            }
            (None, false) => {
                reactions.push(Reaction { emoji: emoji.to_owned(), user: event.sender, at: event.at });
            }
            _ => {}
        }
    }

    fn member(&mut self, event: &Event, user: UserId, change: MemberChange, role: Option<Role>, until: Option<Millis>) {
        match change {
            MemberChange::Joined => self.join(event, user, role),
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
            MemberChange::Role => {
                if let (Some(member), Some(role)) = (self.members.get_mut(&user), role) {
                    member.role = role;
                }
            }
            MemberChange::Muted => {
                if let Some(member) = self.members.get_mut(&user) {
                    member.muted_until = until;
                }
            }
        }
        self.record.members = self.members.len() as u64;
    }

    fn join(&mut self, event: &Event, user: UserId, role: Option<Role>) {
        let usual = if self.record.kind == RoomKind::Channel { Role::Reader } else { Role::Member };
        // Nobody comes into a private room by themselves but who made it.
        let maker = event.sender == user;
        let open = maker || self.record.kind == RoomKind::Direct || self.record.visibility == Visibility::Public;
        if let Entry::Vacant(place) = self.members.entry(user) {
            place.insert(Membership {
                room: event.room,
                user,
                role: role.unwrap_or(usual),
                joined_at: event.at,
                visible_from: if open { 1 } else { event.seq },
                muted_until: None,
                // What was said before they came is not unread, even if they may read it.
                read: event.seq,
                delivered: event.seq,
                notify: Notify::default(),
                notify_muted_until: None,
            });
        }
    }

    fn change(&mut self, change: &RoomChange) {
        match change.change {
            RoomChangeKind::Created | RoomChangeKind::Changed => {
                let record = &mut self.record;
                record.name = change.name.clone().unwrap_or_else(|| std::mem::take(&mut record.name));
                record.topic = change.topic.clone().unwrap_or_else(|| std::mem::take(&mut record.topic));
                record.visibility = change.visibility.unwrap_or(record.visibility);
                record.archived = change.archived.unwrap_or(record.archived);
            }
            RoomChangeKind::Deleted => self.record.deleted = true,
            RoomChangeKind::Announcement => {}
        }
    }
}
