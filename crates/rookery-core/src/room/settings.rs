//! The room itself: its name, topic, who finds it, closing it, ending it.

use super::{Authority, Room, Undo, Write, write::Verdict};
use crate::{
    event::{Content, RoomChange, RoomChangeKind},
    frame::{Code, Refusal},
    permission::Action,
};

impl Room {
    pub(super) fn change(&mut self, write: &Write, wanted: &RoomChange) -> Result<Verdict, Refusal> {
        if write.authority == Authority::Member {
            self.may(write, Action::ChangeRoom)?;
        }
        let change = RoomChange {
            change: RoomChangeKind::Changed,
            visibility: wanted.visibility.filter(|visibility| *visibility != self.visibility),
            archived: wanted.archived.filter(|archived| *archived != self.archived),
            name: wanted.name.clone(),
            topic: wanted.topic.clone(),
            text: None,
        };
        if change == RoomChange::default() {
            return Ok(Verdict::Unchanged);
        }
        let undo = self.undo_room();
        self.visibility = change.visibility.unwrap_or(self.visibility);
        self.archived = change.archived.unwrap_or(self.archived);
        Ok(Verdict::Write(Content::Room(change), undo))
    }

    pub(super) fn announce(write: &Write, text: &str) -> Result<Verdict, Refusal> {
        if write.authority != Authority::Server {
            return Err(Refusal::new(Code::Forbidden, "only operators announce"));
        }
        let change =
            RoomChange { change: RoomChangeKind::Announcement, text: Some(text.to_owned()), ..RoomChange::default() };
        Ok(Verdict::Write(Content::Room(change), Undo::Nothing))
    }

    pub(super) fn end(&mut self, write: &Write) -> Result<Verdict, Refusal> {
        if write.authority == Authority::Member {
            self.may(write, Action::DeleteRoom)?;
        }
        let undo = self.undo_room();
        self.deleted = true;
        let change = RoomChange { change: RoomChangeKind::Deleted, ..RoomChange::default() };
        Ok(Verdict::Write(Content::Room(change), undo))
    }

    const fn undo_room(&self) -> Undo {
        Undo::Room { visibility: self.visibility, archived: self.archived, deleted: self.deleted }
    }
}
