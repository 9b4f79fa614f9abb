//! Files that a write attaches, as they travel.

use bincode::{Decode, Encode};
use rookery_core::media::{Attached as CoreAttached, Attachment as CoreAttachment, MediaKind as CoreKind};

use super::id::{Id, mirror};

mirror!(
    /// What a file is.
    MediaKind = CoreKind { Picture, Voice, Audio, Video, File }
);

/// A file that a write attaches.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Attached {
    /// Which.
    pub id: Id,
    /// As it is described; none: nothing that this user can attach there.
    pub described: Option<Described>,
}

/// A file as messages describe it.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Described {
    /// What it is.
    pub kind: MediaKind,
    /// What its sender calls it.
    pub name: String,
    /// Its type.
    pub media_type: String,
    /// Its bytes.
    pub size: u64,
    /// In pixels.
    pub width: Option<u32>,
    /// In pixels.
    pub height: Option<u32>,
    /// A few colours.
    pub blurhash: Option<String>,
    /// There is a small picture of it.
    pub thumbnail: bool,
    /// How long it is.
    pub duration_ms: Option<u32>,
    /// How loud it is.
    pub waveform: Vec<u8>,
}

impl From<CoreAttached> for Attached {
    fn from(it: CoreAttached) -> Self {
        let described = it.described.map(|it| Described {
            kind: it.kind.into(),
            name: it.name,
            media_type: it.media_type,
            size: it.size,
            width: it.width,
            height: it.height,
            blurhash: it.blurhash,
            thumbnail: it.thumbnail,
            duration_ms: it.duration_ms,
            waveform: it.waveform,
        });
        Self { id: it.id.into(), described }
    }
}

impl From<Attached> for CoreAttached {
    fn from(it: Attached) -> Self {
        let id = it.id.into();
        let described = it.described.map(|it| CoreAttachment {
            id,
            kind: it.kind.into(),
            name: it.name,
            media_type: it.media_type,
            size: it.size,
            width: it.width,
            height: it.height,
            blurhash: it.blurhash,
            thumbnail: it.thumbnail,
            duration_ms: it.duration_ms,
            waveform: it.waveform,
        });
        Self { id, described }
    }
}
