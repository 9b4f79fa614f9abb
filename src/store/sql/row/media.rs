//! Rows of files.

use rookery_core::{
    ids::{MediaId, RoomId, UserId},
    time::Millis,
};
use sqlx::FromRow;
use uuid::Uuid;

use super::unsigned;
use crate::store::{
    StoreError,
    media::{MediaRecord, MediaState},
};

/// Its parts are coming.
pub(in crate::store::sql) const UPLOADING: i64 = 0;
/// It can be attached and read.
pub(in crate::store::sql) const READY: i64 = 1;
/// It is not what was announced.
pub(in crate::store::sql) const REFUSED: i64 = 2;
/// It is about to be gone.
pub(in crate::store::sql) const DOOMED: i64 = 3;

/// The columns of a [`MediaRow`], from a table that is called `m` there.
macro_rules! select_media {
    ($($rest:literal),+) => {
        concat!(
            "SELECT m.id, m.room, m.uploader, m.name, m.size, m.sha256, m.voice, m.state, m.created_at, m.attached, m.made ",
            $($rest),+
        )
    };
}
pub(in crate::store::sql) use select_media;

/// One file.
#[derive(FromRow)]
pub(in crate::store::sql) struct MediaRow {
    id: Uuid,
    room: Uuid,
    uploader: Uuid,
    name: String,
    size: i64,
    sha256: Option<Vec<u8>>,
    voice: Option<String>,
    state: i64,
    created_at: i64,
    attached: bool,
    made: Option<String>,
}

impl MediaRow {
    /// The file in it.
    pub(in crate::store::sql) fn record(self) -> Result<MediaRecord, StoreError> {
        let unreadable = || StoreError::Corrupt(format!("file {}", self.id));
        let sha256 = self.sha256.map(<[u8; 32]>::try_from).transpose().map_err(|_| unreadable())?;
        let voice = self.voice.as_deref().map(serde_json::from_str).transpose().map_err(|_| unreadable())?;
        let state = match (self.state, self.made.as_deref()) {
            (UPLOADING, _) => MediaState::Uploading,
            (READY, Some(made)) => MediaState::Ready(serde_json::from_str(made).map_err(|_| unreadable())?),
            (REFUSED, _) => MediaState::Refused,
            (DOOMED, _) => MediaState::Doomed,
            _ => return Err(unreadable()),
        };
        Ok(MediaRecord {
            id: MediaId(self.id),
            room: RoomId(self.room),
            uploader: UserId(self.uploader),
            name: self.name,
            size: unsigned(self.size),
            sha256,
            voice,
            state,
            created_at: Millis(self.created_at),
            attached: self.attached,
        })
    }
}

/// A value as the text of a column.
pub(in crate::store::sql) fn json<T: serde::Serialize>(value: Option<&T>) -> Option<String> {
    // Plain data; writing it into memory cannot fail.
    value.and_then(|value| serde_json::to_string(value).ok())
}
