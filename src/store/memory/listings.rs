//! Rooms: their beginning, their records, and how users see them.

use std::cmp::Reverse;

use rookery_core::{
    event::{Notify, Visibility},
    frame::server::RoomView,
    ids::{RoomId, UserId},
    time::Millis,
};

use super::{State, page, room::Room};
use crate::store::{
    Page, Range, StoreError,
    record::{Created, Membership, NewRoom, RoomListing, RoomRecord},
};

impl State {
    /// Rooms that have not ended.
    pub(super) fn lasting(&self) -> impl Iterator<Item = &Room> {
        self.rooms.values().filter(|room| !room.record.deleted)
    }

    pub(super) fn lasting_room(&self, id: RoomId) -> Option<&Room> {
        self.rooms.get(&id).filter(|room| !room.record.deleted)
    }

    pub(super) fn create_room(&mut self, new: NewRoom) -> Result<Created, StoreError> {
        let NewRoom { mut record, events } = new;
        if !events.iter().zip(1..).all(|(event, seq)| event.seq == seq && event.room == record.id) {
            return Err(StoreError::Corrupt("the first events of a room have holes".to_owned()));
        }
        if let Some((one, other)) = record.pair {
            if let Some(existing) = self.direct_room(one, other) {
                return Ok(Created::Existing(existing));
            }
            record.pair = Some((one.min(other), one.max(other)));
        }
        record.members = 0;
        let mut room = Room::new(record);
        events.into_iter().for_each(|event| room.add(event));
        self.rooms.insert(room.record.id, room);
        Ok(Created::New)
    }

    pub(super) fn direct_room(&self, one: UserId, other: UserId) -> Option<RoomId> {
        let pair = Some((one.min(other), one.max(other)));
        self.lasting().find(|room| room.record.pair == pair).map(|room| room.record.id)
    }

    pub(super) fn rooms_of(&self, user: UserId) -> Vec<RoomView> {
        self.lasting().filter_map(|room| room.view(user)).take(10_000).collect()
    }

    pub(super) fn list_rooms(&self, user: UserId, range: &Range) -> Result<Page<RoomListing>, StoreError> {
        let mine = self.lasting().filter(|room| room.members.contains_key(&user)).map(|room| room.listing(user));
        let mut found: Vec<_> =
            mine.map(|listing| ((Reverse(listing.active_at.0), Reverse(listing.record.id)), listing)).collect();
        found.sort_by_key(|(place, _)| *place);
        page(found, range, "rooms")
    }

    pub(super) fn public_rooms(
        &self,
        user: UserId,
        query: &str,
        range: &Range,
    ) -> Result<Page<RoomListing>, StoreError> {
        let query = query.to_lowercase();
        let public = self.lasting().filter(|room| room.record.visibility == Visibility::Public);
        let mut found: Vec<_> = public
            .map(|room| ((room.record.name.to_lowercase(), room.record.id), room))
            .filter(|((name, _), _)| name.contains(&query))
            .map(|(place, room)| (place, room.listing(user)))
            .collect();
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        page(found, range, "public")
    }

    pub(super) fn search_rooms(&self, query: &str, range: &Range) -> Result<Page<RoomRecord>, StoreError> {
        let query = query.to_lowercase();
        let is = |record: &RoomRecord| {
            record.name.to_lowercase().starts_with(&query) || record.id.to_string().starts_with(&query)
        };
        let found = self.lasting().map(|room| &room.record).filter(|record| is(record));
        page(found.map(|record| (record.id, record.clone())).collect(), range, "all_rooms")
    }

    pub(super) fn members(&self, room: RoomId, range: &Range) -> Result<Page<Membership>, StoreError> {
        let members = self.lasting_room(room).into_iter().flat_map(|room| room.members.values());
        let place = |member: &Membership| (Reverse(member.role), member.joined_at.0, member.user);
        let mut found: Vec<_> = members.map(|member| (place(member), member.clone())).collect();
        found.sort_by_key(|(place, _)| *place);
        page(found, range, "members")
    }

    pub(super) fn set_notify(
        &mut self,
        room: RoomId,
        user: UserId,
        notify: Notify,
        muted_until: Option<Millis>,
    ) -> Result<(), StoreError> {
        let room = self.rooms.get_mut(&room).filter(|room| !room.record.deleted);
        let member = room.and_then(|room| room.members.get_mut(&user)).ok_or(StoreError::NotFound)?;
        (member.notify, member.notify_muted_until) = (notify, muted_until);
        Ok(())
    }
}
