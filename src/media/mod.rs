//! Files that messages carry: uploads in parts, what is in them, pictures made anew, and the way back.

pub mod collector;
mod complete;
mod content;
mod objects;
mod pictures;
mod sniff;
mod upload;

use std::{collections::HashSet, sync::Arc, time::Duration};

use parking_lot::Mutex;
use rookery_core::{
    frame::{Code, Refusal},
    ids::{MediaId, UserId},
};
use tokio::sync::{Notify, Semaphore};

pub use self::{
    content::{Content, find},
    objects::{Objects, Piece},
    upload::Wish,
};
use crate::{
    config::MediaSettings,
    store::{Directory, StoreError},
};

/// Parts that are held in memory at once, on their way into the store.
const PARTS_AT_ONCE: usize = 8;
/// Parts of one user that are.
const PARTS_OF_ONE: usize = 3;
/// How long who has a part waits for its place, and who has a picture for its turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// Milliseconds after which somebody should try again who waited in vain.
const RETRY_MS: u64 = 1_000;

/// Why something was not done with a file.
#[derive(Clone, Debug, thiserror::Error)]
pub enum MediaError {
    /// It may not be; says why as far as they may know.
    #[error("{}", .0.detail)]
    Refused(Refusal),
    /// The directory did not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no room left for the bytes.
    #[error("no space is left for files")]
    Full,
    /// The bytes cannot be read or written.
    #[error("the store of files does not do its part: {0}")]
    Objects(String),
}

impl From<Refusal> for MediaError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Files, on this node.
pub struct Media {
    directory: Arc<dyn Directory>,
    objects: Arc<Objects>,
    settings: MediaSettings,
    parts: Arc<Semaphore>,
    uploading: Mutex<Vec<UserId>>,
    pictures: Arc<Semaphore>,
    /// Uploads that are being completed here.
    completing: Mutex<HashSet<MediaId>>,
    /// Something is to be collected.
    doomed: Notify,
}

impl Media {
    /// Over this directory and these objects.
    #[must_use]
    pub fn new(directory: Arc<dyn Directory>, objects: Objects, settings: MediaSettings) -> Self {
        // A picture takes a core for a while: half of them stay for chatting.
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            directory,
            objects: Arc::new(objects),
            settings,
            parts: Arc::new(Semaphore::new(PARTS_AT_ONCE)),
            uploading: Mutex::default(),
            pictures: Arc::new(Semaphore::new((cores / 2).max(1))),
            completing: Mutex::default(),
            doomed: Notify::new(),
        }
    }
}

fn busy(detail: &str) -> MediaError {
    Refusal::new(Code::Busy, detail).after(RETRY_MS).into()
}
