//! The directory of a cluster: PostgreSQL's, with what its lists show of the logs.

use rookery_core::{
    event::Notify,
    frame::server::RoomView,
    ids::{DeviceId, RoomId, UserId},
    time::Millis,
};

use super::ClusterStore;
use crate::store::{
    Answer, Directory, Page, Range,
    record::{
        AuditEntry, Contact, Counts, Created, Credentials, Device, Membership, NewRoom, NewUser, Remembered,
        RoomListing, RoomRecord, User, UserPatch,
    },
};

impl Directory for ClusterStore {
    fn create_user(&self, user: NewUser) -> Answer<'_, ()> {
        self.directory.create_user(user)
    }

    fn user(&self, id: UserId) -> Answer<'_, Option<User>> {
        self.directory.user(id)
    }

    fn users(&self, ids: Vec<UserId>) -> Answer<'_, Vec<User>> {
        self.directory.users(ids)
    }

    fn user_by_handle(&self, handle: String) -> Answer<'_, Option<User>> {
        self.directory.user_by_handle(handle)
    }

    fn credentials(&self, login: String) -> Answer<'_, Option<Credentials>> {
        self.directory.credentials(login)
    }

    fn credentials_of(&self, user: UserId) -> Answer<'_, Option<Credentials>> {
        self.directory.credentials_of(user)
    }

    fn search_users(&self, query: String, all: bool, range: Range) -> Answer<'_, Page<User>> {
        self.directory.search_users(query, all, range)
    }

    fn update_user(&self, id: UserId, patch: UserPatch) -> Answer<'_, User> {
        self.directory.update_user(id, patch)
    }

    fn set_password(&self, id: UserId, hash: String, keep: Option<DeviceId>) -> Answer<'_, Vec<DeviceId>> {
        self.directory.set_password(id, hash, keep)
    }

    fn rehash(&self, id: UserId, hash: String) -> Answer<'_, ()> {
        self.directory.rehash(id, hash)
    }

    fn login_failed(&self, id: UserId, at: Millis) -> Answer<'_, ()> {
        self.directory.login_failed(id, at)
    }

    fn login_succeeded(&self, id: UserId) -> Answer<'_, ()> {
        self.directory.login_succeeded(id)
    }

    fn erase_user(&self, id: UserId) -> Answer<'_, Vec<DeviceId>> {
        self.directory.erase_user(id)
    }

    fn seen(&self, users: Vec<(UserId, Millis)>) -> Answer<'_, ()> {
        self.directory.seen(users)
    }

    fn create_device(&self, device: Device, token: [u8; 32]) -> Answer<'_, ()> {
        self.directory.create_device(device, token)
    }

    fn device_by_token(&self, token: [u8; 32], now: Millis) -> Answer<'_, Option<(Device, User)>> {
        self.directory.device_by_token(token, now)
    }

    fn token_of_device(&self, device: DeviceId) -> Answer<'_, Option<[u8; 32]>> {
        self.directory.token_of_device(device)
    }

    fn devices(&self, user: UserId) -> Answer<'_, Vec<Device>> {
        self.directory.devices(user)
    }

    fn revoke_device(&self, user: UserId, device: DeviceId) -> Answer<'_, bool> {
        self.directory.revoke_device(user, device)
    }

    fn revoke_devices(&self, user: UserId, keep: Option<DeviceId>) -> Answer<'_, Vec<DeviceId>> {
        self.directory.revoke_devices(user, keep)
    }

    fn used(&self, devices: Vec<(DeviceId, Millis)>) -> Answer<'_, ()> {
        self.directory.used(devices)
    }

    fn create_room(&self, room: NewRoom) -> Answer<'_, Created> {
        self.directory.create_room(room)
    }

    fn room(&self, id: RoomId) -> Answer<'_, Option<RoomRecord>> {
        self.directory.room(id)
    }

    fn direct_room(&self, one: UserId, other: UserId) -> Answer<'_, Option<RoomId>> {
        self.directory.direct_room(one, other)
    }

    fn listing(&self, room: RoomId, user: UserId) -> Answer<'_, Option<RoomListing>> {
        Box::pin(async move {
            self.publish_first().await;
            match self.directory.listing(room, user).await? {
                Some(listing) => self.with_message(listing, user).await.map(Some),
                None => Ok(None),
            }
        })
    }

    fn rooms_of(&self, user: UserId) -> Answer<'_, Vec<RoomView>> {
        Box::pin(async move {
            self.publish_first().await;
            self.directory.rooms_of(user).await
        })
    }

    fn list_rooms(&self, user: UserId, range: Range) -> Answer<'_, Page<RoomListing>> {
        Box::pin(async move {
            self.publish_first().await;
            let page = self.directory.list_rooms(user, range).await?;
            self.with_messages(page, user).await
        })
    }

    fn public_rooms(&self, user: UserId, query: String, range: Range) -> Answer<'_, Page<RoomListing>> {
        Box::pin(async move {
            self.publish_first().await;
            let page = self.directory.public_rooms(user, query, range).await?;
            self.with_messages(page, user).await
        })
    }

    fn search_rooms(&self, query: String, range: Range) -> Answer<'_, Page<RoomRecord>> {
        self.directory.search_rooms(query, range)
    }

    fn membership(&self, room: RoomId, user: UserId) -> Answer<'_, Option<Membership>> {
        self.directory.membership(room, user)
    }

    fn members(&self, room: RoomId, range: Range) -> Answer<'_, Page<Membership>> {
        self.directory.members(room, range)
    }

    fn set_notify(&self, room: RoomId, user: UserId, notify: Notify, muted_until: Option<Millis>) -> Answer<'_, ()> {
        self.directory.set_notify(room, user, notify, muted_until)
    }

    fn contact(&self, me: UserId, other: UserId) -> Answer<'_, Option<Contact>> {
        self.directory.contact(me, other)
    }

    fn contacts(&self, me: UserId, range: Range) -> Answer<'_, Page<Contact>> {
        self.directory.contacts(me, range)
    }

    fn put_contact(&self, me: UserId, other: UserId, at: Millis) -> Answer<'_, (Contact, bool)> {
        self.directory.put_contact(me, other, at)
    }

    fn delete_contact(&self, me: UserId, other: UserId) -> Answer<'_, bool> {
        self.directory.delete_contact(me, other)
    }

    fn block(&self, me: UserId, other: UserId, at: Millis) -> Answer<'_, bool> {
        self.directory.block(me, other, at)
    }

    fn unblock(&self, me: UserId, other: UserId) -> Answer<'_, bool> {
        self.directory.unblock(me, other)
    }

    fn is_blocked(&self, me: UserId, other: UserId) -> Answer<'_, bool> {
        self.directory.is_blocked(me, other)
    }

    fn blocks(&self, me: UserId, range: Range) -> Answer<'_, Page<User>> {
        self.directory.blocks(me, range)
    }

    fn remembered(&self, user: UserId, key: String, since: Millis) -> Answer<'_, Option<Remembered>> {
        self.directory.remembered(user, key, since)
    }

    fn remember(&self, user: UserId, key: String, answer: Remembered, at: Millis, forget: Millis) -> Answer<'_, ()> {
        self.directory.remember(user, key, answer, at, forget)
    }

    fn audit(&self, entry: AuditEntry) -> Answer<'_, ()> {
        self.directory.audit(entry)
    }

    fn audit_log(&self, range: Range) -> Answer<'_, Page<AuditEntry>> {
        self.directory.audit_log(range)
    }

    fn counts(&self) -> Answer<'_, Counts> {
        self.directory.counts()
    }
}
