//! Files that messages carry: what is known of them, and which messages refer to them. Their bytes are elsewhere.

use rookery_core::{
    ids::{MediaId, RoomId, UserId},
    media::{Attachment, Found, MediaKind},
    time::Millis,
};
use serde::{Deserialize, Serialize};

use super::Answer;

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaRecord {
    /// Which.
    pub id: MediaId,
    /// The room that it was uploaded to.
    pub room: RoomId,
    /// Who did.
    pub uploader: UserId,
    /// What they call it.
    pub name: String,
    /// Its bytes, as they were announced.
    pub size: u64,
    /// The SHA-256 of what was uploaded: as it was announced, and as it is once ready.
    pub sha256: Option<[u8; 32]>,
    /// What was said of a voice message.
    pub voice: Option<Voice>,
    /// How far it is.
    pub state: MediaState,
    /// Since when.
    pub created_at: Millis,
    /// Whether a message refers to it, or did.
    pub attached: bool,
}

/// How far a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaState {
    /// Its parts are coming.
    Uploading,
    /// It can be attached and read.
    Ready(Made),
    /// It is not what was announced.
    Refused,
    /// It is about to be gone, and is gone for everybody.
    Doomed,
}

/// What was said of a voice message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voice {
    /// How long it is.
    pub duration_ms: u32,
    /// How loud it is from its beginning to its end, 0 to 100.
    pub waveform: Vec<u8>,
}

/// What the server made of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// What it is.
    pub kind: MediaKind,
    /// Its type by what is in it.
    pub media_type: String,
    /// Its bytes, as they are read.
    pub size: u64,
    /// Whether it was made anew and stands beside what was uploaded.
    #[serde(default)]
    pub anew: bool,
    /// In pixels.
    #[serde(default)]
    pub width: Option<u32>,
    /// In pixels.
    #[serde(default)]
    pub height: Option<u32>,
    /// A few colours.
    #[serde(default)]
    pub blurhash: Option<String>,
    /// A small picture of it.
    #[serde(default)]
    pub thumbnail: Option<Thumbnail>,
}

/// A small picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thumbnail {
    /// Its type.
    pub media_type: String,
    /// Its bytes.
    pub size: u64,
}

impl Made {
    /// A file of which nothing more is known.
    #[must_use]
    pub fn plain(kind: MediaKind, media_type: impl Into<String>, size: u64) -> Self {
        Self {
            kind,
            media_type: media_type.into(),
            size,
            anew: false,
            width: None,
            height: None,
            blurhash: None,
            thumbnail: None,
        }
    }

    /// The bytes that are kept for it.
    #[must_use]
    pub fn kept(&self) -> u64 {
        self.size + self.thumbnail.as_ref().map_or(0, |thumbnail| thumbnail.size)
    }
}

impl MediaRecord {
    /// As messages describe it; `None` until it is ready.
    #[must_use]
    pub fn described(&self) -> Option<Attachment> {
        let MediaState::Ready(made) = &self.state else { return None };
        let voice = self.voice.as_ref().filter(|_| made.kind == MediaKind::Voice);
        Some(Attachment {
            id: self.id,
            kind: made.kind,
            name: self.name.clone(),
            media_type: made.media_type.clone(),
            size: made.size,
            width: made.width,
            height: made.height,
            blurhash: made.blurhash.clone(),
            thumbnail: made.thumbnail.is_some(),
            duration_ms: voice.map(|voice| voice.duration_ms),
            waveform: voice.map(|voice| voice.waveform.clone()).unwrap_or_default(),
        })
    }

    /// As the rules of chat look at it.
    #[must_use]
    pub fn found(&self) -> Found {
        Found { room: self.room, uploader: self.uploader, described: self.described() }
    }
}

/// What one user may keep.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// Bytes in all.
    pub bytes: u64,
    /// Uploads that are not complete.
    pub unfinished: u64,
}

impl Allowance {
    /// Whether an upload of this size may come beside what a user keeps and has begun.
    #[must_use]
    pub const fn judge(&self, kept: u64, unfinished: u64, size: u64) -> Begun {
        if unfinished >= self.unfinished {
            Begun::Unfinished
        } else if kept.saturating_add(size) > self.bytes {
            Begun::Full(kept)
        } else {
            Begun::Begun
        }
    }
}

/// What became of a new upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It may come.
    Begun,
    /// The user keeps too many bytes already: so many.
    Full(u64),
    /// The user has too many uploads that are not complete.
    Unfinished,
}

/// What became of a wish to delete a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discarded {
    /// It is gone for everybody.
    Done,
    /// A message refers to it.
    Attached,
    /// There is none such.
    NotFound,
}

/// Up to when what nobody uses is kept.
#[derive(Clone, Copy, Debug)]
pub struct Expiry {
    /// Uploads from before this that are not complete are given up.
    pub begun_before: Millis,
    /// Files that nobody has used since then, and no message refers to, are given up.
    pub used_before: Millis,
}

/// Files, as far as the directory knows them. Every change is durable when its answer comes.
///
/// Which messages refer to which file follows from the logs, as memberships do: a message with attachments makes references,
/// one that is taken back ends them, and the last one that ends dooms the file. So do the end of its room and of the account
/// that uploaded it.
pub trait MediaIndex: Send + Sync {
    /// Adds an upload, if its user may keep that much.
    fn begin_media(&self, media: MediaRecord, allowance: Allowance) -> Answer<'_, Begun>;
    /// One file, unless it is doomed.
    fn media(&self, id: MediaId) -> Answer<'_, Option<MediaRecord>>;
    /// One file, if this user may read it: the uploader as long as no message refers to it, and from then on every member
    /// who sees a message that does.
    fn media_for(&self, id: MediaId, viewer: UserId) -> Answer<'_, Option<MediaRecord>>;
    /// These files, as far as they are there, in any order; they count as used at this time.
    fn use_media(&self, ids: Vec<MediaId>, at: Millis) -> Answer<'_, Vec<MediaRecord>>;
    /// An upload is complete, and this is what it is; its quota from now on is what is kept of it. `None`: it is refused.
    /// `false`: it was complete or gone already, and nothing has changed.
    fn finish_media(&self, id: MediaId, sha256: [u8; 32], made: Option<Made>, at: Millis) -> Answer<'_, bool>;
    /// Dooms a file of this user that no message refers to.
    fn discard_media(&self, id: MediaId, uploader: UserId) -> Answer<'_, Discarded>;
    /// Dooms what nobody uses, a thousand at once at most; answers how many.
    fn expire_media(&self, expiry: Expiry) -> Answer<'_, u64>;
    /// Some doomed files: at most `limit`.
    fn doomed_media(&self, limit: usize) -> Answer<'_, Vec<MediaId>>;
    /// Forgets doomed files, whose bytes are gone.
    fn forget_media(&self, ids: Vec<MediaId>) -> Answer<'_, ()>;
}
