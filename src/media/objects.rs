//! Where the bytes of files are: objects in a folder or in S3, each written once and whole.

use std::{io, ops::Range, path::PathBuf, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use object_store::{
    ObjectStore, ObjectStoreExt, PutMode, PutPayload, aws::AmazonS3Builder, local::LocalFileSystem, path::Path as Key,
};
use rookery_core::{ids::MediaId, media::PART_BYTES};
use secrecy::ExposeSecret as _;

use super::MediaError;
use crate::config::MediaSettings;

/// Bytes that are read at once of an object in a folder.
const SLICE: u64 = 128 * 1_024;
/// Bytes that are read at once of an object over a network.
const FAR_SLICE: u64 = 1_024 * 1_024;

/// What is kept of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// What was uploaded, in the parts in which it came.
    Parts,
    /// What was made of it, in parts of the same size.
    Anew,
    /// The small picture, in one part.
    Thumbnail,
}

impl Piece {
    const fn name(self) -> &'static str {
        match self {
            Self::Parts => "parts",
            Self::Anew => "anew",
            Self::Thumbnail => "thumbnail",
        }
    }
}

/// The objects.
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    /// Where they are, if in a folder.
    folder: Option<PathBuf>,
}

fn key(id: MediaId, piece: Piece, number: u64) -> Key {
    Key::from(format!("{id}/{}/{number}", piece.name()))
}

impl Objects {
    /// Opens what the settings name: S3 if they name a bucket, else a folder, which is made.
    ///
    /// # Errors
    /// With a sentence for people.
    pub fn open(settings: &MediaSettings, usual: PathBuf) -> anyhow::Result<Self> {
        if let Some(bucket) = &settings.s3_bucket {
            return Ok(Self { store: Arc::new(s3(settings, bucket)?), folder: None });
        }
        let folder = settings.folder.clone().unwrap_or(usual);
        let unusable = |why: String| anyhow::anyhow!("the folder {} cannot be used: {why}", folder.display());
        std::fs::create_dir_all(&folder).map_err(|error| unusable(error.to_string()))?;
        let store = LocalFileSystem::new_with_prefix(&folder).map_err(|error| unusable(error.to_string()))?;
        Ok(Self { store: Arc::new(store.with_fsync(true)), folder: Some(folder) })
    }

    /// In memory, for tests.
    #[cfg(test)]
    pub(crate) fn in_memory() -> Self {
        Self { store: Arc::new(object_store::memory::InMemory::new()), folder: None }
    }

    /// Whether they are in a folder, which other nodes may not see.
    #[must_use]
    pub const fn is_folder(&self) -> bool {
        self.folder.is_some()
    }

    /// Writes one part; what was there before is replaced.
    pub(super) async fn put(&self, id: MediaId, piece: Piece, number: u64, bytes: Bytes) -> Result<(), MediaError> {
        self.store.put(&key(id, piece, number), PutPayload::from(bytes)).await.map_err(failed)?;
        Ok(())
    }

    /// Writes one part of an upload, unless it is there; whether what is there then is the same. What was written is never
    /// replaced, as it may have been summed already: then the file would not be what its sum says.
    pub(super) async fn put_once(&self, id: MediaId, number: u64, bytes: Bytes) -> Result<bool, MediaError> {
        let at = key(id, Piece::Parts, number);
        match self.store.put_opts(&at, PutPayload::from(bytes.clone()), PutMode::Create.into()).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => {
                let there = self.store.get(&at).await.map_err(failed)?.bytes().await.map_err(failed)?;
                Ok(there == bytes)
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Writes all parts of something.
    pub(super) async fn put_all(&self, id: MediaId, piece: Piece, bytes: Bytes) -> Result<(), MediaError> {
        let part = usize::try_from(PART_BYTES).unwrap_or(usize::MAX);
        let mut left = bytes;
        let mut number = 0;
        loop {
            let next = left.split_to(part.min(left.len()));
            self.put(id, piece, number, next).await?;
            number += 1;
            if left.is_empty() {
                return Ok(());
            }
        }
    }

    /// The parts of something that are there, with their lengths, by number.
    pub(super) async fn parts(&self, id: MediaId, piece: Piece) -> Result<Vec<(u64, u64)>, MediaError> {
        let prefix = Key::from(format!("{id}/{}", piece.name()));
        let found = self.store.list(Some(&prefix)).try_collect::<Vec<_>>().await;
        let number = |location: &Key| location.filename().and_then(|name| name.parse().ok());
        let mut parts: Vec<(u64, u64)> = match found {
            Ok(found) => found.iter().filter_map(|object| Some((number(&object.location)?, object.size))).collect(),
            Err(object_store::Error::NotFound { .. }) => Vec::new(),
            Err(error) => return Err(failed(error)),
        };
        parts.sort_unstable();
        Ok(parts)
    }

    /// The bytes of something from `range.start` to `range.end`, a little at a time.
    pub(super) fn read(
        self: &Arc<Self>,
        id: MediaId,
        piece: Piece,
        range: Range<u64>,
    ) -> impl Stream<Item = Result<Bytes, MediaError>> + use<> {
        let objects = Arc::clone(self);
        let slice = if self.is_folder() { SLICE } else { FAR_SLICE };
        stream::unfold(range.start, move |at| {
            let objects = Arc::clone(&objects);
            let end = range.end;
            async move {
                if at >= end {
                    return None;
                }
                let (number, begin) = (at / PART_BYTES, at % PART_BYTES);
                let length = slice.min(end - at).min(PART_BYTES - begin);
                let read = objects.store.get_range(&key(id, piece, number), begin..begin + length).await;
                match read {
                    Ok(bytes) if bytes.len() as u64 == length => Some((Ok(bytes), at + length)),
                    Ok(_) => Some((Err(MediaError::Objects("a part is shorter than it should be".to_owned())), end)),
                    Err(error) => Some((Err(failed(error)), end)),
                }
            }
        })
    }

    /// Removes one piece of a file.
    pub(super) async fn remove(&self, id: MediaId, piece: Piece) -> Result<(), MediaError> {
        self.remove_under(format!("{id}/{}", piece.name())).await
    }

    /// Removes everything that is kept of a file.
    pub(super) async fn remove_all(&self, id: MediaId) -> Result<(), MediaError> {
        self.remove_under(id.to_string()).await
    }

    async fn remove_under(&self, prefix: String) -> Result<(), MediaError> {
        if let Some(folder) = &self.folder {
            // The folder itself, so that nothing stays of writes that broke off.
            let path = folder.join(prefix);
            let gone = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(path)).await;
            return match gone.map_err(io::Error::other).and_then(|gone| gone) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(MediaError::Objects(error.to_string())),
                _ => Ok(()),
            };
        }
        let found = self.store.list(Some(&Key::from(prefix))).map_ok(|object| object.location).boxed();
        let gone = self.store.delete_stream(found).filter(|gone| {
            // Another node may be at the same work.
            std::future::ready(!matches!(gone, Err(object_store::Error::NotFound { .. })))
        });
        gone.try_for_each(|_| std::future::ready(Ok(()))).await.map_err(failed)
    }
}

fn s3(settings: &MediaSettings, bucket: &str) -> anyhow::Result<object_store::aws::AmazonS3> {
    let mut builder = AmazonS3Builder::new().with_bucket_name(bucket).with_region(&settings.s3_region);
    if let Some(endpoint) = &settings.s3_endpoint {
        builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
    }
    if let Some(id) = &settings.s3_access_key {
        builder = builder.with_access_key_id(id);
    }
    if let Some(secret) = &settings.s3_secret_key {
        builder = builder.with_secret_access_key(secret.expose_secret());
    }
    builder.build().map_err(|error| anyhow::anyhow!("the bucket {bucket} cannot be used: {error}"))
}

fn failed(error: object_store::Error) -> MediaError {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(cause) = source {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        if cause.downcast_ref::<io::Error>().is_some_and(|error| full.contains(&error.kind())) {
            return MediaError::Full;
        }
        source = cause.source();
    }
    MediaError::Objects(error.to_string())
}
