//! Reading files: who may, and how it is shown.

use std::ops::Range;

use bytes::Bytes;
use futures_util::Stream;
use rookery_core::{
    ids::{MediaId, UserId},
    media::{Attached, MediaKind, attach},
    time::Millis,
};

use super::{Media, MediaError, Piece, sniff, upload::no_such_file};
use crate::store::{
    StoreError,
    media::{MediaRecord, MediaState},
};

/// Something of a file that may be read.
#[derive(Clone, Debug)]
pub struct Content {
    /// Which file.
    pub id: MediaId,
    /// What it is called.
    pub name: String,
    /// Under which type it is shown; `None`: to be saved, never shown.
    pub shown_as: Option<String>,
    /// Its bytes.
    pub size: u64,
    piece: Piece,
}

impl Content {
    /// Whether this is the small picture.
    #[must_use]
    pub fn is_thumbnail(&self) -> bool {
        self.piece == Piece::Thumbnail
    }
}

impl Media {
    /// A file that this user may read.
    ///
    /// # Errors
    /// There is none such for them.
    pub async fn readable(&self, id: MediaId, user: UserId) -> Result<MediaRecord, MediaError> {
        self.directory.media_for(id, user).await?.ok_or_else(no_such_file)
    }

    /// The file itself, or the small picture of it, if this user may read it.
    ///
    /// # Errors
    /// There is none such for them.
    pub async fn content(&self, id: MediaId, user: UserId, thumbnail: bool) -> Result<Content, MediaError> {
        let record = self.readable(id, user).await?;
        let MediaState::Ready(made) = record.state else { return Err(no_such_file()) };
        if thumbnail {
            let small = made.thumbnail.ok_or_else(no_such_file)?;
            let (shown_as, size) = (Some(small.media_type), small.size);
            return Ok(Content { id, name: record.name, shown_as, size, piece: Piece::Thumbnail });
        }
        let shows = made.kind != MediaKind::File && sniff::is_shown(&made.media_type);
        let piece = if made.anew { Piece::Anew } else { Piece::Parts };
        let shown_as = shows.then_some(made.media_type);
        Ok(Content { id, name: record.name, shown_as, size: made.size, piece })
    }

    /// Its bytes, a little at a time.
    pub fn read(&self, content: &Content, range: Range<u64>) -> impl Stream<Item = Result<Bytes, MediaError>> + use<> {
        metrics::counter!("rookery_media_sent_bytes_total").increment(range.end.saturating_sub(range.start));
        self.objects.read(content.id, content.piece, range)
    }
}

/// Looks for the files that somebody wants to attach in a room; they count as used from then on, so that nobody collects
/// them while the message is on its way.
///
/// # Errors
/// The directory could not say.
pub async fn find(
    directory: &dyn crate::store::Directory,
    (room, user): (rookery_core::ids::RoomId, UserId),
    ids: Vec<MediaId>,
    now: Millis,
) -> Result<Vec<Attached>, StoreError> {
    let mut found = directory.use_media(ids.clone(), now).await?;
    let attached = ids.into_iter().map(|id| {
        let at = found.iter().position(|record| record.id == id);
        attach(id, at.map(|at| found.swap_remove(at).found()), room, user)
    });
    Ok(attached.collect())
}
