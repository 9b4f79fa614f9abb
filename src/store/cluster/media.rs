//! Files of a cluster: the directory's, which follows the logs.

use rookery_core::{
    ids::{MediaId, UserId},
    time::Millis,
};

use super::ClusterStore;
use crate::store::{
    Answer,
    media::{Allowance, Begun, Discarded, Expiry, Made, MediaIndex, MediaRecord},
};

impl MediaIndex for ClusterStore {
    fn begin_media(&self, media: MediaRecord, allowance: Allowance) -> Answer<'_, Begun> {
        self.directory.begin_media(media, allowance)
    }

    fn media(&self, id: MediaId) -> Answer<'_, Option<MediaRecord>> {
        self.directory.media(id)
    }

    fn media_for(&self, id: MediaId, viewer: UserId) -> Answer<'_, Option<MediaRecord>> {
        self.directory.media_for(id, viewer)
    }

    fn use_media(&self, ids: Vec<MediaId>, at: Millis) -> Answer<'_, Vec<MediaRecord>> {
        self.directory.use_media(ids, at)
    }

    fn finish_media(&self, id: MediaId, sha256: [u8; 32], made: Option<Made>, at: Millis) -> Answer<'_, bool> {
        self.directory.finish_media(id, sha256, made, at)
    }

    fn discard_media(&self, id: MediaId, uploader: UserId) -> Answer<'_, Discarded> {
        self.directory.discard_media(id, uploader)
    }

    fn expire_media(&self, expiry: Expiry) -> Answer<'_, u64> {
        self.directory.expire_media(expiry)
    }

    fn doomed_media(&self, limit: usize) -> Answer<'_, Vec<MediaId>> {
        self.directory.doomed_media(limit)
    }

    fn forget_media(&self, ids: Vec<MediaId>) -> Answer<'_, ()> {
        self.directory.forget_media(ids)
    }
}
