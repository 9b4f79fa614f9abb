//! The directory in memory.

use std::cmp::Reverse;

use rookery_core::{
    event::Notify,
    frame::server::RoomView,
    ids::{DeviceId, RoomId, UserId},
    time::Millis,
};

use super::{MemoryStore, page};
use crate::store::{
    Answer, Directory, Page, Range,
    record::{
        AuditEntry, Contact, Counts, Created, Credentials, Device, Membership, NewRoom, NewUser, Remembered,
        RoomListing, RoomRecord, User, UserPatch,
    },
};

impl Directory for MemoryStore {
    fn create_user(&self, user: NewUser) -> Answer<'_, ()> {
        self.answer(|state| state.create_user(user))
    }

    fn user(&self, id: UserId) -> Answer<'_, Option<User>> {
        self.answer(|state| Ok(state.user(id)))
    }

    fn users(&self, ids: Vec<UserId>) -> Answer<'_, Vec<User>> {
        self.answer(|state| Ok(state.users(ids)))
    }

    fn user_by_handle(&self, handle: String) -> Answer<'_, Option<User>> {
        self.answer(|state| Ok(state.by_handle(&handle)))
    }

    fn credentials(&self, login: String) -> Answer<'_, Option<Credentials>> {
        self.answer(|state| Ok(state.credentials(&login)))
    }

    fn credentials_of(&self, user: UserId) -> Answer<'_, Option<Credentials>> {
        self.answer(|state| Ok(state.credentials_of(user)))
    }

    fn search_users(&self, query: String, all: bool, range: Range) -> Answer<'_, Page<User>> {
        self.answer(|state| state.search_users(&query, all, &range))
    }

    fn update_user(&self, id: UserId, patch: UserPatch) -> Answer<'_, User> {
        self.answer(|state| state.update_user(id, patch))
    }

    fn set_password(&self, id: UserId, hash: String, keep: Option<DeviceId>) -> Answer<'_, Vec<DeviceId>> {
        self.answer(|state| state.set_password(id, hash, keep))
    }

    fn rehash(&self, id: UserId, hash: String) -> Answer<'_, ()> {
        self.answer(|state| state.rehash(id, hash))
    }

    fn login_failed(&self, id: UserId, at: Millis) -> Answer<'_, ()> {
        self.answer(|state| {
            state.login_failed(id, at);
            Ok(())
        })
    }

    fn login_succeeded(&self, id: UserId) -> Answer<'_, ()> {
        self.answer(|state| {
            state.login_succeeded(id);
            Ok(())
        })
    }

    fn erase_user(&self, id: UserId) -> Answer<'_, Vec<DeviceId>> {
        self.answer(|state| state.erase_user(id))
    }

    fn seen(&self, users: Vec<(UserId, Millis)>) -> Answer<'_, ()> {
        self.answer(|state| {
            state.seen(users);
            Ok(())
        })
    }

    fn create_device(&self, device: Device, token: [u8; 32]) -> Answer<'_, ()> {
        self.answer(|state| state.create_device(device, token))
    }

    fn device_by_token(&self, token: [u8; 32], now: Millis) -> Answer<'_, Option<(Device, User)>> {
        self.answer(|state| Ok(state.device_by_token(token, now)))
    }

    fn token_of_device(&self, device: DeviceId) -> Answer<'_, Option<[u8; 32]>> {
        self.answer(|state| Ok(state.devices.get(&device).map(|(_, token)| *token)))
    }

    fn devices(&self, user: UserId) -> Answer<'_, Vec<Device>> {
        self.answer(|state| Ok(state.devices(user)))
    }

    fn revoke_device(&self, user: UserId, device: DeviceId) -> Answer<'_, bool> {
        self.answer(|state| Ok(state.revoke_device(user, device)))
    }

    fn revoke_devices(&self, user: UserId, keep: Option<DeviceId>) -> Answer<'_, Vec<DeviceId>> {
        self.answer(|state| Ok(state.revoke_devices(user, keep)))
    }

    fn used(&self, devices: Vec<(DeviceId, Millis)>) -> Answer<'_, ()> {
        self.answer(|state| {
            state.used(devices);
            Ok(())
        })
    }

    fn create_room(&self, room: NewRoom) -> Answer<'_, Created> {
        self.answer(|state| state.create_room(room))
    }

    fn room(&self, id: RoomId) -> Answer<'_, Option<RoomRecord>> {
        self.answer(|state| Ok(state.rooms.get(&id).map(|room| room.record.clone())))
    }

    fn direct_room(&self, one: UserId, other: UserId) -> Answer<'_, Option<RoomId>> {
        self.answer(|state| Ok(state.direct_room(one, other)))
    }

    fn listing(&self, room: RoomId, user: UserId) -> Answer<'_, Option<RoomListing>> {
        self.answer(|state| Ok(state.lasting_room(room).map(|room| room.listing(user))))
    }

    fn rooms_of(&self, user: UserId) -> Answer<'_, Vec<RoomView>> {
        self.answer(|state| Ok(state.rooms_of(user)))
    }

    fn list_rooms(&self, user: UserId, range: Range) -> Answer<'_, Page<RoomListing>> {
        self.answer(|state| state.list_rooms(user, &range))
    }

    fn public_rooms(&self, user: UserId, query: String, range: Range) -> Answer<'_, Page<RoomListing>> {
        self.answer(|state| state.public_rooms(user, &query, &range))
    }

    fn search_rooms(&self, query: String, range: Range) -> Answer<'_, Page<RoomRecord>> {
        self.answer(|state| state.search_rooms(&query, &range))
    }

    fn membership(&self, room: RoomId, user: UserId) -> Answer<'_, Option<Membership>> {
        self.answer(|state| Ok(state.lasting_room(room).and_then(|room| room.members.get(&user).cloned())))
    }

    fn members(&self, room: RoomId, range: Range) -> Answer<'_, Page<Membership>> {
        self.answer(|state| state.members(room, &range))
    }

    fn set_notify(&self, room: RoomId, user: UserId, notify: Notify, muted_until: Option<Millis>) -> Answer<'_, ()> {
        self.answer(|state| state.set_notify(room, user, notify, muted_until))
    }

    fn contact(&self, me: UserId, other: UserId) -> Answer<'_, Option<Contact>> {
        self.answer(|state| Ok(state.contact(me, other)))
    }

    fn contacts(&self, me: UserId, range: Range) -> Answer<'_, Page<Contact>> {
        self.answer(|state| state.contacts(me, &range))
    }

    fn put_contact(&self, me: UserId, other: UserId, at: Millis) -> Answer<'_, (Contact, bool)> {
        self.answer(|state| state.put_contact(me, other, at))
    }

    fn delete_contact(&self, me: UserId, other: UserId) -> Answer<'_, bool> {
        self.answer(|state| Ok(state.delete_contact(me, other)))
    }

    fn block(&self, me: UserId, other: UserId, _at: Millis) -> Answer<'_, bool> {
        self.answer(|state| state.block(me, other))
    }

    fn unblock(&self, me: UserId, other: UserId) -> Answer<'_, bool> {
        self.answer(|state| Ok(state.blocks.remove(&(me, other))))
    }

    fn is_blocked(&self, me: UserId, other: UserId) -> Answer<'_, bool> {
        self.answer(|state| Ok(state.blocks.contains(&(me, other))))
    }

    fn blocks(&self, me: UserId, range: Range) -> Answer<'_, Page<User>> {
        self.answer(|state| state.blocks(me, &range))
    }

    fn remembered(&self, user: UserId, key: String, since: Millis) -> Answer<'_, Option<Remembered>> {
        self.answer(|state| {
            let kept = state.kept.get(&(user, key)).filter(|(_, at)| *at > since);
            Ok(kept.map(|(answer, _)| answer.clone()))
        })
    }

    fn remember(&self, user: UserId, key: String, answer: Remembered, at: Millis, forget: Millis) -> Answer<'_, ()> {
        self.answer(|state| {
            state.kept.retain(|_, (_, kept_at)| *kept_at >= forget);
            state.kept.insert((user, key), (answer, at));
            Ok(())
        })
    }

    fn audit(&self, entry: AuditEntry) -> Answer<'_, ()> {
        self.answer(|state| {
            state.audit.push(entry);
            Ok(())
        })
    }

    fn audit_log(&self, range: Range) -> Answer<'_, Page<AuditEntry>> {
        self.answer(|state| {
            let lines = state.audit.iter().enumerate().rev();
            page(lines.map(|(at, entry)| (Reverse(at), entry.clone())).collect(), &range, "audit")
        })
    }

    fn counts(&self) -> Answer<'_, Counts> {
        self.answer(|state| {
            let users = state.people.values().filter(|person| !person.user.deleted).count() as u64;
            Ok(Counts { users, rooms: state.lasting().count() as u64 })
        })
    }
}
