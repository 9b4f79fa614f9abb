//! The directory in SQLite.

mod contacts;
mod devices;
mod listings;
mod media;
mod members;
mod records;
mod rooms;
mod search;
mod users;

use rookery_core::{
    event::Notify,
    frame::server::RoomView,
    ids::{DeviceId, RoomId, UserId},
    time::Millis,
};

use super::SqliteStore;
use crate::store::sql::page::{one_more, page};
use crate::store::{
    Answer, Directory, Page, Range,
    record::{
        AuditEntry, Contact, Counts, Created, Credentials, Device, Membership, NewRoom, NewUser, Remembered,
        RoomListing, RoomRecord, User, UserPatch,
    },
};

#[cfg(test)]
pub(super) use self::{
    devices::{BY_TOKEN, TOKEN_OF},
    listings::{LIST_ROOMS, ROOMS_OF},
    media::{EXPIRE, FOR_VIEWER, KEPT, ONE as MEDIA, THESE as THESE_MEDIA},
    members::MEMBERS,
    search::BEGIN,
};

pub(super) use self::{rooms::begin, users::insert as insert_user};

impl Directory for SqliteStore {
    fn create_user(&self, user: NewUser) -> Answer<'_, ()> {
        Box::pin(users::create(self, user))
    }

    fn user(&self, id: UserId) -> Answer<'_, Option<User>> {
        Box::pin(users::one(self, id))
    }

    fn users(&self, ids: Vec<UserId>) -> Answer<'_, Vec<User>> {
        Box::pin(users::these(self, ids))
    }

    fn user_by_handle(&self, handle: String) -> Answer<'_, Option<User>> {
        Box::pin(users::by_handle(self, handle))
    }

    fn credentials(&self, login: String) -> Answer<'_, Option<Credentials>> {
        Box::pin(users::credentials(self, login))
    }

    fn credentials_of(&self, user: UserId) -> Answer<'_, Option<Credentials>> {
        Box::pin(users::credentials_of(self, user))
    }

    fn search_users(&self, query: String, all: bool, range: Range) -> Answer<'_, Page<User>> {
        Box::pin(search::users(self, query, all, range))
    }

    fn update_user(&self, id: UserId, patch: UserPatch) -> Answer<'_, User> {
        Box::pin(users::update(self, id, patch))
    }

    fn set_password(&self, id: UserId, hash: String, keep: Option<DeviceId>) -> Answer<'_, Vec<DeviceId>> {
        Box::pin(users::set_password(self, id, hash, keep))
    }

    fn rehash(&self, id: UserId, hash: String) -> Answer<'_, ()> {
        Box::pin(users::rehash(self, id, hash))
    }

    fn login_failed(&self, id: UserId, at: Millis) -> Answer<'_, ()> {
        Box::pin(users::login_failed(self, id, at))
    }

    fn login_succeeded(&self, id: UserId) -> Answer<'_, ()> {
        Box::pin(users::login_succeeded(self, id))
    }

    fn erase_user(&self, id: UserId) -> Answer<'_, Vec<DeviceId>> {
        Box::pin(users::erase(self, id))
    }

    fn seen(&self, users: Vec<(UserId, Millis)>) -> Answer<'_, ()> {
        Box::pin(users::seen(self, users))
    }

    fn create_device(&self, device: Device, token: [u8; 32]) -> Answer<'_, ()> {
        Box::pin(devices::create(self, device, token))
    }

    fn device_by_token(&self, token: [u8; 32], now: Millis) -> Answer<'_, Option<(Device, User)>> {
        Box::pin(devices::by_token(self, token, now))
    }

    fn token_of_device(&self, device: DeviceId) -> Answer<'_, Option<[u8; 32]>> {
        Box::pin(devices::token_of(self, device))
    }

    fn devices(&self, user: UserId) -> Answer<'_, Vec<Device>> {
        Box::pin(devices::of(self, user))
    }

    fn revoke_device(&self, user: UserId, device: DeviceId) -> Answer<'_, bool> {
        Box::pin(devices::revoke(self, user, device))
    }

    fn revoke_devices(&self, user: UserId, keep: Option<DeviceId>) -> Answer<'_, Vec<DeviceId>> {
        Box::pin(devices::revoke_all(self, user, keep))
    }

    fn used(&self, devices: Vec<(DeviceId, Millis)>) -> Answer<'_, ()> {
        Box::pin(devices::used(self, devices))
    }

    fn create_room(&self, room: NewRoom) -> Answer<'_, Created> {
        Box::pin(rooms::create(self, room))
    }

    fn room(&self, id: RoomId) -> Answer<'_, Option<RoomRecord>> {
        Box::pin(rooms::one(self, id))
    }

    fn direct_room(&self, one: UserId, other: UserId) -> Answer<'_, Option<RoomId>> {
        Box::pin(rooms::direct(self, one, other))
    }

    fn listing(&self, room: RoomId, user: UserId) -> Answer<'_, Option<RoomListing>> {
        Box::pin(listings::one(self, room, user))
    }

    fn rooms_of(&self, user: UserId) -> Answer<'_, Vec<RoomView>> {
        Box::pin(listings::rooms_of(self, user))
    }

    fn list_rooms(&self, user: UserId, range: Range) -> Answer<'_, Page<RoomListing>> {
        Box::pin(listings::of_user(self, user, range))
    }

    fn public_rooms(&self, user: UserId, query: String, range: Range) -> Answer<'_, Page<RoomListing>> {
        Box::pin(listings::public(self, user, query, range))
    }

    fn search_rooms(&self, query: String, range: Range) -> Answer<'_, Page<RoomRecord>> {
        Box::pin(search::rooms(self, query, range))
    }

    fn membership(&self, room: RoomId, user: UserId) -> Answer<'_, Option<Membership>> {
        Box::pin(members::one(self, room, user))
    }

    fn members(&self, room: RoomId, range: Range) -> Answer<'_, Page<Membership>> {
        Box::pin(members::of(self, room, range))
    }

    fn set_notify(&self, room: RoomId, user: UserId, notify: Notify, muted_until: Option<Millis>) -> Answer<'_, ()> {
        Box::pin(members::set_notify(self, room, user, notify, muted_until))
    }

    fn contact(&self, me: UserId, other: UserId) -> Answer<'_, Option<Contact>> {
        Box::pin(contacts::one(self, me, other))
    }

    fn contacts(&self, me: UserId, range: Range) -> Answer<'_, Page<Contact>> {
        Box::pin(contacts::of(self, me, range))
    }

    fn put_contact(&self, me: UserId, other: UserId, at: Millis) -> Answer<'_, (Contact, bool)> {
        Box::pin(contacts::put(self, me, other, at))
    }

    fn delete_contact(&self, me: UserId, other: UserId) -> Answer<'_, bool> {
        Box::pin(contacts::delete(self, me, other))
    }

    fn block(&self, me: UserId, other: UserId, at: Millis) -> Answer<'_, bool> {
        Box::pin(contacts::block(self, me, other, at))
    }

    fn unblock(&self, me: UserId, other: UserId) -> Answer<'_, bool> {
        Box::pin(contacts::unblock(self, me, other))
    }

    fn is_blocked(&self, me: UserId, other: UserId) -> Answer<'_, bool> {
        Box::pin(contacts::is_blocked(self, me, other))
    }

    fn blocks(&self, me: UserId, range: Range) -> Answer<'_, Page<User>> {
        Box::pin(contacts::blocks(self, me, range))
    }

    fn remembered(&self, user: UserId, key: String, since: Millis) -> Answer<'_, Option<Remembered>> {
        Box::pin(records::remembered(self, user, key, since))
    }

    fn remember(&self, user: UserId, key: String, answer: Remembered, at: Millis, forget: Millis) -> Answer<'_, ()> {
        Box::pin(records::remember(self, user, key, answer, at, forget))
    }

    fn audit(&self, entry: AuditEntry) -> Answer<'_, ()> {
        Box::pin(records::add(self, entry))
    }

    fn audit_log(&self, range: Range) -> Answer<'_, Page<AuditEntry>> {
        Box::pin(records::log(self, range))
    }

    fn counts(&self) -> Answer<'_, Counts> {
        Box::pin(records::counts(self))
    }
}
