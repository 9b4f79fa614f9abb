//! The end of an upload: all of it is there, is what was announced, and the server finds out what it is.

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, pin_mut};
use rookery_core::{
    frame::{Code, Refusal},
    ids::MediaId,
    media::{MediaKind, parts},
    time::Millis,
};

use super::{Media, MediaError, PATIENCE, Piece, busy, pictures, sniff, upload::no_such_file};
use crate::store::media::{Made, MediaRecord, MediaState, Thumbnail};

/// Numbers of missing parts that are named.
const NAMED: usize = 20;

/// An upload that is being completed here.
struct Held<'a>(&'a Media, MediaId);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.completing.lock().remove(&self.1);
    }
}

/// What was found in all bytes of a file.
struct Summed {
    sha256: [u8; 32],
    head: Bytes,
}

impl Media {
    /// Completes an upload; once it is complete this answers the same.
    ///
    /// # Errors
    /// Parts are missing, or it is not what was announced.
    pub async fn complete(&self, record: MediaRecord, now: Millis) -> Result<MediaRecord, MediaError> {
        match record.state {
            MediaState::Ready(_) => return Ok(record),
            MediaState::Refused => return Err(refused()),
            MediaState::Doomed => return Err(no_such_file()),
            MediaState::Uploading => {}
        }
        if !self.completing.lock().insert(record.id) {
            return Err(busy("this upload is being completed"));
        }
        let _held = Held(self, record.id);
        self.is_whole(&record).await?;
        let summed = self.sum(&record).await?;
        let made = if record.sha256.is_some_and(|announced| announced != summed.sha256) {
            None
        } else {
            Some(self.make(&record, &summed).await?)
        };
        let is_good = made.is_some();
        let anew = made.as_ref().is_some_and(|made| made.anew);
        let kind = made.as_ref().map_or("refused", |made| word(made.kind));
        let is_finished = self.directory.finish_media(record.id, summed.sha256, made, now).await?;
        let now = self.directory.media(record.id).await?;
        if !is_finished && now.is_none() {
            // Given up meanwhile: then nobody else would remove what was made.
            self.objects.remove_all(record.id).await?;
        }
        metrics::counter!("rookery_media_uploads_total", "kind" => kind).increment(1);
        if anew && let Err(error) = self.objects.remove(record.id, Piece::Parts).await {
            // They go with the file.
            tracing::warn!(%error, "what a picture was made from could not be removed");
        }
        if !is_good {
            return Err(refused());
        }
        now.ok_or_else(no_such_file)
    }

    async fn is_whole(&self, record: &MediaRecord) -> Result<(), MediaError> {
        let there = self.received(record).await?;
        let missing: Vec<u64> = (0..parts(record.size)).filter(|number| there.binary_search(number).is_err()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let named: Vec<String> = missing.iter().take(NAMED).map(ToString::to_string).collect();
        let more = if missing.len() > NAMED { " and more" } else { "" };
        let detail = format!("parts {}{more} are missing", named.join(", "));
        Err(Refusal::field(Code::Conflict, "parts", detail).into())
    }

    /// Reads all of it once.
    async fn sum(&self, record: &MediaRecord) -> Result<Summed, MediaError> {
        let mut hash = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        let mut head = BytesMut::new();
        let bytes = self.objects.read(record.id, Piece::Parts, 0..record.size);
        pin_mut!(bytes);
        while let Some(slice) = bytes.next().await {
            let slice = slice?;
            hash.update(&slice);
            let wanted = sniff::HEAD.saturating_sub(head.len()).min(slice.len());
            head.extend_from_slice(&slice[..wanted]);
        }
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(hash.finish().as_ref());
        Ok(Summed { sha256, head: head.freeze() })
    }

    async fn make(&self, record: &MediaRecord, summed: &Summed) -> Result<Made, MediaError> {
        let looks = sniff::look(&summed.head, summed.head.len() as u64 == record.size);
        if let sniff::Looks::Picture(format) = looks
            && record.size <= pictures::BYTES
            && let Some(made) = self.picture(record, format).await?
        {
            return Ok(made);
        }
        let (kind, media_type) = sniff::kind_of(looks, record.voice.is_some());
        Ok(Made::plain(kind, media_type, record.size))
    }

    /// Makes a picture anew; `None`: it is none that can be decoded within the limits.
    async fn picture(&self, record: &MediaRecord, format: sniff::Picture) -> Result<Option<Made>, MediaError> {
        let turn = tokio::time::timeout(PATIENCE * 6, std::sync::Arc::clone(&self.pictures).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(busy("too many pictures wait")) };
        let mut whole = BytesMut::new();
        let bytes = self.objects.read(record.id, Piece::Parts, 0..record.size);
        pin_mut!(bytes);
        while let Some(slice) = bytes.next().await {
            whole.extend_from_slice(&slice?);
        }
        let whole = whole.freeze();
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            pictures::make_anew(&whole, format)
        });
        let anew = match work.await {
            Ok(Ok(anew)) => anew,
            Ok(Err(why)) => {
                tracing::debug!(%why, "a picture is kept as a plain file");
                return Ok(None);
            }
            Err(_) => {
                tracing::warn!("a decoder panicked; the picture is kept as a plain file");
                return Ok(None);
            }
        };
        let mut made = Made::plain(MediaKind::Picture, anew.media_type, anew.bytes.len() as u64);
        made.anew = true;
        (made.width, made.height, made.blurhash) = (Some(anew.width), Some(anew.height), anew.blurhash);
        let (size, media_type) = (anew.thumbnail.len() as u64, anew.thumbnail_type.to_owned());
        made.thumbnail = Some(Thumbnail { media_type, size });
        self.objects.put_all(record.id, Piece::Anew, anew.bytes).await?;
        self.objects.put_all(record.id, Piece::Thumbnail, anew.thumbnail).await?;
        Ok(Some(made))
    }
}

fn refused() -> MediaError {
    Refusal::field(Code::Conflict, "sha256", "what came is not what was announced: upload it anew").into()
}

const fn word(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Picture => "picture",
        MediaKind::Voice => "voice",
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
        MediaKind::File => "file",
    }
}
