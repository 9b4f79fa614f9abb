//! Removes what nobody uses any more: uploads that were given up, files that no message refers to, and their bytes.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use rookery_core::{ids::MediaId, time::Millis};

use super::{Media, MediaError};
use crate::{clock, store::media::Expiry};

/// Files that are removed in one go.
const BATCH: usize = 100;
/// How long after the start the first round is.
const FIRST: Duration = Duration::from_secs(5);

/// Collects for as long as the files are there. All nodes may do it at once: what one has removed the others pass over.
pub async fn run(media: Weak<Media>) {
    let Some(mut pause) = media.upgrade().map(|media| FIRST.min(media.pause())) else { return };
    loop {
        let Some(here) = media.upgrade() else { return };
        let _ = tokio::time::timeout(pause, here.doomed.notified()).await;
        pause = here.pause();
        match here.collect(clock::now()).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "files that nobody uses were removed"),
            Err(error) => {
                tracing::warn!(%error, "files that nobody uses could not be removed; the next round tries again")
            }
        }
    }
}

/// Starts to collect.
pub fn start(media: &Arc<Media>, runtime: &tokio::runtime::Handle) {
    runtime.spawn(run(Arc::downgrade(media)));
}

impl Media {
    fn pause(&self) -> Duration {
        Duration::from_secs(self.settings.collect_seconds.into())
    }

    /// One round; answers how many files were removed.
    async fn collect(&self, now: Millis) -> Result<u64, MediaError> {
        let ago = |seconds: u32| now.plus(-i64::from(seconds) * 1_000);
        let (begun_before, used_before) = (ago(self.settings.upload_seconds), ago(self.settings.unused_seconds));
        while self.directory.expire_media(Expiry { begun_before, used_before }).await? > 0 {}
        let mut removed = 0;
        loop {
            let doomed: Vec<MediaId> = self.directory.doomed_media(BATCH).await?;
            let count = doomed.len();
            for id in &doomed {
                self.objects.remove_all(*id).await?;
            }
            self.directory.forget_media(doomed).await?;
            removed += count as u64;
            metrics::counter!("rookery_media_removed_total").increment(count as u64);
            if count < BATCH {
                return Ok(removed);
            }
        }
    }
}
