//! Uploads: their beginning, and the parts in which they come.

use std::sync::Arc;

use bytes::Bytes;
use rookery_core::{
    frame::{Code, Refusal},
    ids::{MediaId, RoomId, UserId},
    media,
    time::Millis,
};
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::{Media, MediaError, PARTS_OF_ONE, PATIENCE, Piece, busy};
use crate::store::media::{Allowance, Begun, Discarded, MediaRecord, MediaState, Voice};

/// Uploads of one user that may be incomplete at once.
const UNFINISHED: u64 = 16;

/// An upload that somebody wants.
#[derive(Clone, Debug)]
pub struct Wish {
    /// What to call the file.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: Option<[u8; 32]>,
    /// What is said of a voice message.
    pub voice: Option<Voice>,
}

/// A place in memory for one part; given back when it is dropped.
pub struct Place {
    _turn: Turn,
    _permit: OwnedSemaphorePermit,
}

/// One of the parts that a user may have on their way.
struct Turn(Arc<Media>, UserId);

impl Drop for Turn {
    fn drop(&mut self) {
        let mut uploading = self.0.uploading.lock();
        if let Some(at) = uploading.iter().position(|user| *user == self.1) {
            uploading.swap_remove(at);
        }
    }
}

impl Media {
    /// Begins an upload to a room. Whether this user may is settled before.
    ///
    /// # Errors
    /// A name or size that cannot be, or more than the user may keep.
    pub async fn begin(&self, user: UserId, room: RoomId, wish: Wish, now: Millis) -> Result<MediaRecord, MediaError> {
        let name = media::name(&wish.name)?;
        if let Some(voice) = &wish.voice {
            media::voice(voice.duration_ms, &voice.waveform)?;
        }
        if wish.size == 0 {
            return Err(Refusal::field(Code::BadRequest, "size", "an empty file says nothing").into());
        }
        if wish.size > self.settings.max_size {
            let detail = format!("{} bytes, at most {}", wish.size, self.settings.max_size);
            return Err(Refusal::field(Code::TooLarge, "size", detail).into());
        }
        let record = MediaRecord {
            id: MediaId(Uuid::now_v7()),
            room,
            uploader: user,
            name,
            size: wish.size,
            sha256: wish.sha256,
            voice: wish.voice,
            state: MediaState::Uploading,
            created_at: now,
            attached: false,
        };
        let allowance = Allowance { bytes: self.settings.quota, unfinished: UNFINISHED };
        let full = |detail| Err(Refusal::new(Code::Quota, detail).into());
        match self.directory.begin_media(record.clone(), allowance).await? {
            Begun::Begun => Ok(record),
            Begun::Full(kept) => full(format!("you keep {kept} bytes already, and may keep {}", allowance.bytes)),
            Begun::Unfinished => full(format!("{UNFINISHED} uploads of yours are not complete: finish or delete some")),
        }
    }

    /// A file of this user.
    ///
    /// # Errors
    /// There is none such, or it cannot be read.
    pub async fn owned(&self, id: MediaId, user: UserId) -> Result<MediaRecord, MediaError> {
        let found = self.directory.media(id).await?.filter(|record| record.uploader == user);
        found.ok_or_else(no_such_file)
    }

    /// The parts of an upload that are there.
    ///
    /// # Errors
    /// They cannot be read.
    pub async fn received(&self, record: &MediaRecord) -> Result<Vec<u64>, MediaError> {
        match record.state {
            MediaState::Uploading => {
                let there = self.objects.parts(record.id, Piece::Parts).await?;
                let whole = |(number, length): &(u64, u64)| media::part_length(record.size, *number) == Some(*length);
                Ok(there.into_iter().filter(whole).map(|(number, _)| number).collect())
            }
            MediaState::Ready(_) => Ok((0..media::parts(record.size)).collect()),
            MediaState::Refused | MediaState::Doomed => Ok(Vec::new()),
        }
    }

    /// How many bytes a part must have.
    ///
    /// # Errors
    /// The file has no such part, or is complete.
    pub fn expects(&self, record: &MediaRecord, number: u64) -> Result<u64, MediaError> {
        if record.state != MediaState::Uploading {
            return Err(Refusal::new(Code::Conflict, "the upload is complete").into());
        }
        let length = media::part_length(record.size, number);
        length.ok_or_else(|| {
            let detail = format!("the file has the parts 0 to {}", media::parts(record.size) - 1);
            Refusal::field(Code::BadRequest, "part", detail).into()
        })
    }

    /// A place in memory for a part of this user.
    ///
    /// # Errors
    /// `busy`: all are taken for longer than one waits.
    pub async fn place(self: &Arc<Self>, user: UserId) -> Result<Place, MediaError> {
        let turn = {
            let mut uploading = self.uploading.lock();
            if uploading.iter().filter(|other| **other == user).count() >= PARTS_OF_ONE {
                return Err(busy("too many parts of yours are on their way"));
            }
            uploading.push(user);
            Turn(Arc::clone(self), user)
        };
        match tokio::time::timeout(PATIENCE, Arc::clone(&self.parts).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Place { _turn: turn, _permit: permit }),
            _ => Err(busy("too many parts are on their way")),
        }
    }

    /// Keeps a part of an upload; durable when it returns. One that comes again must be the same.
    ///
    /// # Errors
    /// It cannot be written, or is there already with other bytes.
    pub async fn put_part(&self, record: &MediaRecord, number: u64, bytes: Bytes) -> Result<(), MediaError> {
        let length = bytes.len() as u64;
        if !self.objects.put_once(record.id, number, bytes).await? {
            return Err(Refusal::field(Code::Conflict, "part", "this part is there already, with other bytes").into());
        }
        metrics::counter!("rookery_media_received_bytes_total").increment(length);
        // Given up meanwhile: then nobody else would remove it.
        if self.directory.media(record.id).await?.is_none() {
            self.objects.remove_all(record.id).await?;
            return Err(no_such_file());
        }
        Ok(())
    }

    /// Deletes a file of this user that no message refers to.
    ///
    /// # Errors
    /// There is none such, or a message refers to it.
    pub async fn discard(&self, id: MediaId, user: UserId) -> Result<(), MediaError> {
        match self.directory.discard_media(id, user).await? {
            Discarded::Done => {
                self.doomed.notify_one();
                Ok(())
            }
            Discarded::Attached => Err(Refusal::new(Code::Conflict, "a message refers to it: delete that").into()),
            Discarded::NotFound => Err(no_such_file()),
        }
    }
}

pub(super) fn no_such_file() -> MediaError {
    Refusal::new(Code::NotFound, "no such file").into()
}
