//! Accounts and logins.

use rookery_core::{
    ids::{DeviceId, UserId},
    time::Millis,
};

use super::{State, page};
use crate::store::{
    Page, Range, StoreError,
    record::{Credentials, Device, NewUser, User, UserPatch},
};

/// An account.
pub(super) struct Person {
    pub(super) user: User,
    skeleton: String,
    password_hash: String,
    failures: u32,
    failed_at: Millis,
}

impl Person {
    fn credentials(&self) -> Credentials {
        Credentials {
            user: self.user.clone(),
            password_hash: self.password_hash.clone(),
            failures: self.failures,
            failed_at: self.failed_at,
        }
    }
}

impl State {
    /// Accounts that are not gone.
    fn present(&self) -> impl Iterator<Item = &Person> {
        self.people.values().filter(|person| !person.user.deleted)
    }

    fn present_mut(&mut self, id: UserId) -> Result<&mut Person, StoreError> {
        self.people.get_mut(&id).filter(|person| !person.user.deleted).ok_or(StoreError::NotFound)
    }

    fn email_taken(&self, email: Option<&String>, by_other_than: UserId) -> bool {
        let same = |person: &Person| person.user.id != by_other_than && person.user.email.as_ref() == email;
        email.is_some() && self.present().any(same)
    }

    pub(super) fn create_user(&mut self, new: NewUser) -> Result<(), StoreError> {
        let NewUser { user, skeleton, password_hash } = new;
        if self.present().any(|person| person.user.handle == user.handle || person.skeleton == skeleton) {
            return Err(StoreError::Taken("handle"));
        }
        if self.email_taken(user.email.as_ref(), user.id) {
            return Err(StoreError::Taken("email"));
        }
        let person = Person { user, skeleton, password_hash, failures: 0, failed_at: Millis(0) };
        self.people.insert(person.user.id, person);
        Ok(())
    }

    pub(super) fn user(&self, id: UserId) -> Option<User> {
        self.people.get(&id).map(|person| person.user.clone())
    }

    pub(super) fn users(&self, mut ids: Vec<UserId>) -> Vec<User> {
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().filter_map(|id| self.user(id)).collect()
    }

    pub(super) fn by_handle(&self, handle: &str) -> Option<User> {
        self.present().find(|person| person.user.handle == handle).map(|person| person.user.clone())
    }

    pub(super) fn credentials(&self, login: &str) -> Option<Credentials> {
        let is = |person: &&Person| person.user.handle == login || person.user.email.as_deref() == Some(login);
        self.present().find(is).map(Person::credentials)
    }

    pub(super) fn credentials_of(&self, id: UserId) -> Option<Credentials> {
        self.present().find(|person| person.user.id == id).map(Person::credentials)
    }

    pub(super) fn search_users(&self, query: &str, all: bool, range: &Range) -> Result<Page<User>, StoreError> {
        let query = query.to_lowercase();
        let mut found = Vec::new();
        for Person { user, .. } in self.present().filter(|person| all || !person.user.disabled) {
            let name = user.display_name.to_lowercase();
            if user.handle.contains(&query) || name.contains(&query) {
                let inside = !user.handle.starts_with(&query) && !name.starts_with(&query);
                found.push(((u8::from(inside), user.handle.clone()), user.clone()));
            }
        }
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        page(found, range, "users")
    }

    pub(super) fn update_user(&mut self, id: UserId, patch: UserPatch) -> Result<User, StoreError> {
        if patch.email.as_ref().is_some_and(|email| self.email_taken(email.as_ref(), id)) {
            return Err(StoreError::Taken("email"));
        }
        let user = &mut self.present_mut(id)?.user;
        user.display_name = patch.display_name.unwrap_or_else(|| std::mem::take(&mut user.display_name));
        user.about = patch.about.unwrap_or_else(|| user.about.take());
        user.email = patch.email.unwrap_or_else(|| user.email.take());
        user.disabled = patch.disabled.unwrap_or(user.disabled);
        user.role = patch.role.unwrap_or(user.role);
        Ok(user.clone())
    }

    pub(super) fn set_password(
        &mut self,
        id: UserId,
        hash: String,
        keep: Option<DeviceId>,
    ) -> Result<Vec<DeviceId>, StoreError> {
        let person = self.present_mut(id)?;
        person.password_hash = hash;
        (person.failures, person.failed_at) = (0, Millis(0));
        Ok(self.revoke_devices(id, keep))
    }

    pub(super) fn rehash(&mut self, id: UserId, hash: String) -> Result<(), StoreError> {
        self.present_mut(id)?.password_hash = hash;
        Ok(())
    }

    pub(super) fn login_failed(&mut self, id: UserId, at: Millis) {
        if let Some(person) = self.people.get_mut(&id) {
            person.failures += 1;
            person.failed_at = person.failed_at.max(at);
        }
    }

    pub(super) fn login_succeeded(&mut self, id: UserId) {
        if let Some(person) = self.people.get_mut(&id) {
            (person.failures, person.failed_at) = (0, Millis(0));
        }
    }

    pub(super) fn erase_user(&mut self, id: UserId) -> Result<Vec<DeviceId>, StoreError> {
        let person = self.present_mut(id)?;
        let user = User {
            handle: String::new(),
            display_name: String::new(),
            about: None,
            email: None,
            role: crate::store::record::PlatformRole::User,
            deleted: true,
            last_seen: None,
            ..person.user.clone()
        };
        let (skeleton, password_hash) = (String::new(), String::new());
        *person = Person { user, skeleton, password_hash, failures: 0, failed_at: Millis(0) };
        self.contacts.retain(|(owner, other), _| *owner != id && *other != id);
        self.blocks.retain(|(owner, other)| *owner != id && *other != id);
        self.kept.retain(|(user, _), _| *user != id);
        self.doom(|record| record.uploader == id);
        Ok(self.revoke_devices(id, None))
    }

    pub(super) fn seen(&mut self, users: Vec<(UserId, Millis)>) {
        for (id, at) in users {
            if let Ok(person) = self.present_mut(id) {
                person.user.last_seen = person.user.last_seen.max(Some(at));
            }
        }
    }

    pub(super) fn create_device(&mut self, device: Device, token: [u8; 32]) -> Result<(), StoreError> {
        if !self.people.contains_key(&device.user) || self.devices.values().any(|(_, other)| *other == token) {
            return Err(StoreError::Unavailable("no such user, or a token that is there".to_owned()));
        }
        self.devices.insert(device.id, (device, token));
        Ok(())
    }

    pub(super) fn device_by_token(&self, token: [u8; 32], now: Millis) -> Option<(Device, User)> {
        let (device, _) = self.devices.values().find(|(device, of)| *of == token && device.expires_at > now)?;
        let user = self.user(device.user).filter(|user| !user.disabled && !user.deleted)?;
        Some((device.clone(), user))
    }

    pub(super) fn devices(&self, user: UserId) -> Vec<Device> {
        let mut devices: Vec<Device> =
            self.devices.values().map(|(device, _)| device.clone()).filter(|device| device.user == user).collect();
        devices.sort_by_key(|device| std::cmp::Reverse((device.created_at, device.id)));
        devices
    }

    pub(super) fn revoke_device(&mut self, user: UserId, id: DeviceId) -> bool {
        let is_theirs = self.devices.get(&id).is_some_and(|(device, _)| device.user == user);
        is_theirs && self.devices.remove(&id).is_some()
    }

    pub(super) fn revoke_devices(&mut self, user: UserId, keep: Option<DeviceId>) -> Vec<DeviceId> {
        let ends = |device: &Device| device.user == user && Some(device.id) != keep;
        let ended = self.devices.extract_if(.., |_, (device, _)| ends(device));
        ended.map(|(id, _)| id).collect()
    }

    pub(super) fn used(&mut self, devices: Vec<(DeviceId, Millis)>) {
        for (id, at) in devices {
            if let Some((device, _)) = self.devices.get_mut(&id) {
                device.last_used_at = device.last_used_at.max(at);
            }
        }
    }
}
