//! Files in memory.

use rookery_core::{
    event::{Content, Event, RoomChangeKind},
    ids::{MediaId, RoomId, Seq, UserId},
    time::Millis,
};

use super::{MemoryStore, State};
use crate::store::{
    Answer,
    media::{Allowance, Begun, Discarded, Expiry, Made, MediaIndex, MediaRecord, MediaState},
};

/// A file.
pub(super) struct Held {
    record: MediaRecord,
    kept: u64,
    used_at: Millis,
}

impl Held {
    fn is_there(&self) -> bool {
        self.record.state != MediaState::Doomed
    }
}

impl MediaIndex for MemoryStore {
    fn begin_media(&self, media: MediaRecord, allowance: Allowance) -> Answer<'_, Begun> {
        self.answer(|state| {
            let theirs = || state.there().filter(|held| held.record.uploader == media.uploader);
            let kept: u64 = theirs().map(|held| held.kept).sum();
            let unfinished = theirs().filter(|held| held.record.state == MediaState::Uploading).count() as u64;
            let judged = allowance.judge(kept, unfinished, media.size);
            if judged != Begun::Begun {
                return Ok(judged);
            }
            let held = Held { kept: media.size, used_at: media.created_at, record: media };
            state.media.insert(held.record.id, held);
            Ok(Begun::Begun)
        })
    }

    fn media(&self, id: MediaId) -> Answer<'_, Option<MediaRecord>> {
        self.answer(|state| Ok(state.present_media(id).map(|held| held.record.clone())))
    }

    fn media_for(&self, id: MediaId, viewer: UserId) -> Answer<'_, Option<MediaRecord>> {
        self.answer(|state| Ok(state.present_media(id).filter(|held| state.may_read(held, viewer)).map(record)))
    }

    fn use_media(&self, ids: Vec<MediaId>, at: Millis) -> Answer<'_, Vec<MediaRecord>> {
        self.answer(|state| {
            let mut found = Vec::new();
            for held in state.media.values_mut().filter(|held| held.is_there() && ids.contains(&held.record.id)) {
                held.used_at = held.used_at.max(at);
                found.push(held.record.clone());
            }
            Ok(found)
        })
    }

    fn finish_media(&self, id: MediaId, sha256: [u8; 32], made: Option<Made>, at: Millis) -> Answer<'_, bool> {
        self.answer(|state| {
            let uploading = |held: &&mut Held| held.record.state == MediaState::Uploading;
            let Some(held) = state.media.get_mut(&id).filter(uploading) else { return Ok(false) };
            (held.kept, held.used_at) = (made.as_ref().map_or(0, Made::kept), at);
            held.record.sha256 = Some(sha256);
            held.record.state = made.map_or(MediaState::Refused, MediaState::Ready);
            Ok(true)
        })
    }

    fn discard_media(&self, id: MediaId, uploader: UserId) -> Answer<'_, Discarded> {
        self.answer(|state| {
            let theirs = |held: &&mut Held| held.is_there() && held.record.uploader == uploader;
            let Some(held) = state.media.get_mut(&id).filter(theirs) else { return Ok(Discarded::NotFound) };
            if held.record.attached {
                return Ok(Discarded::Attached);
            }
            held.record.state = MediaState::Doomed;
            Ok(Discarded::Done)
        })
    }

    fn expire_media(&self, expiry: Expiry) -> Answer<'_, u64> {
        self.answer(|state| {
            let unused = state.media.values_mut().filter(|held| held.is_there() && !held.record.attached);
            let mut count = 0;
            for held in unused {
                let before = match held.record.state {
                    MediaState::Uploading => expiry.begun_before,
                    _ => expiry.used_before,
                };
                if held.used_at < before {
                    held.record.state = MediaState::Doomed;
                    count += 1;
                }
            }
            Ok(count)
        })
    }

    fn doomed_media(&self, limit: usize) -> Answer<'_, Vec<MediaId>> {
        self.answer(|state| {
            let doomed = state.media.values().filter(|held| !held.is_there());
            Ok(doomed.take(limit).map(|held| held.record.id).collect())
        })
    }

    fn forget_media(&self, ids: Vec<MediaId>) -> Answer<'_, ()> {
        self.answer(|state| {
            state.media.retain(|id, held| held.is_there() || !ids.contains(id));
            state.media_refs.retain(|(id, _, _)| !ids.contains(id));
            Ok(())
        })
    }
}

fn record(held: &Held) -> MediaRecord {
    held.record.clone()
}

impl State {
    fn there(&self) -> impl Iterator<Item = &Held> {
        self.media.values().filter(|held| held.is_there())
    }

    fn present_media(&self, id: MediaId) -> Option<&Held> {
        self.media.get(&id).filter(|held| held.is_there())
    }

    fn may_read(&self, held: &Held, viewer: UserId) -> bool {
        if !held.record.attached {
            return held.record.uploader == viewer;
        }
        let sees = |room: RoomId, seq: Seq| {
            let member = self.rooms.get(&room).and_then(|room| room.members.get(&viewer));
            member.is_some_and(|member| seq >= member.visible_from)
        };
        self.media_refs.iter().any(|(id, room, seq)| *id == held.record.id && sees(*room, *seq))
    }

    /// What follows from an event for files.
    pub(super) fn follow_media(&mut self, event: &Event) {
        match &event.content {
            Content::Message { attachments, .. } => {
                for attachment in attachments {
                    self.media_refs.insert((attachment.id, event.room, event.seq));
                    if let Some(held) = self.media.get_mut(&attachment.id) {
                        held.record.attached = true;
                    }
                }
            }
            Content::Delete { target, attachments: true } => {
                let ended = self.media_refs.extract_if(.., |(_, room, seq)| (*room, *seq) == (event.room, *target));
                let ended: Vec<MediaId> = ended.map(|(id, _, _)| id).collect();
                let left = |id: &MediaId| self.media_refs.iter().any(|(other, _, _)| other == id);
                let doomed: Vec<MediaId> = ended.into_iter().filter(|id| !left(id)).collect();
                self.doom(|record| doomed.contains(&record.id));
            }
            Content::Room(change) if change.change == RoomChangeKind::Deleted => {
                self.doom(|record| record.room == event.room);
            }
            _ => {}
        }
    }

    /// Takes files away from everybody.
    pub(super) fn doom(&mut self, which: impl Fn(&MediaRecord) -> bool) {
        for held in self.media.values_mut().filter(|held| which(&held.record)) {
            held.record.state = MediaState::Doomed;
        }
    }
}
