//! How people stand with each other: contacts and blocks.

use rookery_core::{ids::UserId, time::Millis};

use super::{State, page};
use crate::store::{
    Page, Range, StoreError,
    record::{Contact, ContactState, User},
};

impl State {
    pub(super) fn contact(&self, me: UserId, other: UserId) -> Option<Contact> {
        let (state, since) = *self.contacts.get(&(me, other))?;
        Some(Contact { user: self.user(other)?, state, since })
    }

    pub(super) fn contacts(&self, me: UserId, range: &Range) -> Result<Page<Contact>, StoreError> {
        let mine = self.contacts.keys().filter(|(owner, _)| *owner == me);
        let mut found: Vec<(String, Contact)> = mine
            .filter_map(|(_, other)| self.contact(me, *other))
            .map(|contact| (contact.user.handle.clone(), contact))
            .collect();
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        page(found, range, "contacts")
    }

    fn is_there(&self, other: UserId, me: UserId) -> Result<(), StoreError> {
        let there = me != other && self.people.get(&other).is_some_and(|person| !person.user.deleted);
        if there { Ok(()) } else { Err(StoreError::NotFound) }
    }

    pub(super) fn put_contact(&mut self, me: UserId, other: UserId, at: Millis) -> Result<(Contact, bool), StoreError> {
        self.is_there(other, me)?;
        let before = self.contacts.get(&(me, other)).map(|(state, _)| *state);
        let after = match before {
            None => Some((ContactState::Invited, ContactState::Asking)),
            Some(ContactState::Asking) => Some((ContactState::Contact, ContactState::Contact)),
            Some(_) => None,
        };
        if let Some((mine, theirs)) = after {
            self.contacts.insert((me, other), (mine, at));
            self.contacts.insert((other, me), (theirs, at));
        }
        let contact = self.contact(me, other).ok_or(StoreError::NotFound)?;
        Ok((contact, before.is_none()))
    }

    pub(super) fn delete_contact(&mut self, me: UserId, other: UserId) -> bool {
        self.contacts.remove(&(other, me));
        self.contacts.remove(&(me, other)).is_some()
    }

    pub(super) fn block(&mut self, me: UserId, other: UserId) -> Result<bool, StoreError> {
        self.is_there(other, me)?;
        self.delete_contact(me, other);
        Ok(self.blocks.insert((me, other)))
    }

    pub(super) fn blocks(&self, me: UserId, range: &Range) -> Result<Page<User>, StoreError> {
        let mine = self.blocks.iter().filter(|(owner, _)| *owner == me);
        let mut found: Vec<(String, User)> =
            mine.filter_map(|(_, other)| self.user(*other)).map(|user| (user.handle.clone(), user)).collect();
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        page(found, range, "blocks")
    }
}
