//! Files that messages carry: uploading them in parts, and what became of them.

pub(in crate::http) mod content;
pub(in crate::http) mod parts;
mod range;

use actix_web::{HttpRequest, HttpResponse, web};
use rookery_core::{
    frame::Code,
    ids::{MediaId, RoomId, UserId},
    media::{Attachment, MediaKind, PART_BYTES, Uploader, may_upload},
    time::Millis,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Parameters, Shared, Who};
use crate::{
    clock::now,
    http::{
        Answer, Api, Problem,
        request::{Body, idempotency},
    },
    media::Wish,
    store::{
        media::{MediaRecord, MediaState, Voice},
        record::Membership,
    },
};

/// A new upload.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMedia)]
pub(in crate::http) struct MediaRequest {
    /// What to call the file: 1 to 255 bytes, no folders, no controls.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// Its bytes.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_u64)]
    size: u64,
    /// Its SHA-256, in hexadecimal: what comes is held to it.
    #[serde(default)]
    #[schema(min_length = 64, max_length = 64)]
    sha256: Option<String>,
    /// It is a voice message.
    #[serde(default)]
    voice: Option<VoiceRequest>,
}

/// What is said of a voice message.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Voice)]
pub(in crate::http) struct VoiceRequest {
    /// How long it is.
    #[schema(maximum = 86_400_000)]
    duration_ms: u32,
    /// How loud it is from its beginning to its end: up to 128 numbers from 0 to 100.
    #[schema(max_items = 128)]
    waveform: Vec<u8>,
}

/// How far a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum State {
    /// Its parts are coming.
    Uploading,
    /// It can be attached and read.
    Ready,
    /// It is not what was announced.
    Refused,
}

/// A file; what the server found out about it is there once it is ready.
#[derive(Serialize, ToSchema)]
#[schema(as = Media)]
pub(in crate::http) struct MediaView {
    /// Which.
    id: MediaId,
    /// The room that it was uploaded to.
    room: RoomId,
    /// What it is called.
    name: String,
    /// Its bytes: as they were announced, and once it is ready as they are read.
    size: u64,
    /// Bytes of each part but the last.
    part_size: u64,
    /// The parts that are there, counted from 0.
    parts: Vec<u64>,
    /// How far it is.
    state: State,
    /// Since when.
    created_at: Millis,
    /// The SHA-256 of what was uploaded, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<MediaKind>,
    /// Its type by what is in it.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    /// `picture`: in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    /// `picture`: in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    /// `picture`: a few colours to show until it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    blurhash: Option<String>,
    /// There is a small picture of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    thumbnail: bool,
    /// `voice`: how long it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u32>,
    /// `voice`: how loud it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    waveform: Vec<u8>,
}

/// A link for a while.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct MediaLink {
    /// To be followed from this server.
    url: String,
    /// When it ends.
    expires_at: Millis,
}

impl MediaView {
    fn of(record: MediaRecord, parts: Vec<u64>) -> Self {
        let described = record.described();
        let state = match record.state {
            MediaState::Uploading => State::Uploading,
            MediaState::Ready(_) => State::Ready,
            MediaState::Refused | MediaState::Doomed => State::Refused,
        };
        let mut view = Self {
            id: record.id,
            room: record.room,
            name: record.name,
            size: record.size,
            part_size: PART_BYTES,
            parts,
            state,
            created_at: record.created_at,
            sha256: record.sha256.map(|sum| hex(&sum)),
            kind: None,
            media_type: None,
            width: None,
            height: None,
            blurhash: None,
            thumbnail: false,
            duration_ms: None,
            waveform: Vec::new(),
        };
        if let Some(Attachment {
            kind,
            media_type,
            size,
            width,
            height,
            blurhash,
            thumbnail,
            duration_ms,
            waveform,
            ..
        }) = described
        {
            (view.kind, view.media_type, view.size) = (Some(kind), Some(media_type), size);
            (view.width, view.height, view.blurhash, view.thumbnail) = (width, height, blurhash, thumbnail);
            (view.duration_ms, view.waveform) = (duration_ms, waveform);
        }
        view
    }
}

/// Begins an upload.
pub(in crate::http) async fn begin(
    api: Shared,
    request: HttpRequest,
    me: web::ReqData<Membership>,
    body: Body<MediaRequest>,
) -> Answer {
    let Body { value, raw } = body;
    let wish = wish(value)?;
    idempotency::once(&api, &request, me.user, &raw, || async {
        let now = now();
        may_write(&api, &me, now).await?;
        let record = api.media.begin(me.user, me.room, wish, now).await?;
        Ok(HttpResponse::Created().json(MediaView::of(record, Vec::new())))
    })
    .await
}

fn wish(value: MediaRequest) -> Result<Wish, Problem> {
    let MediaRequest { name, size, sha256, voice } = value;
    let unreadable = || Problem::field("sha256", "invalid", "64 hexadecimal digits");
    let sha256 = sha256.map(|text| unhex(&text).ok_or_else(unreadable)).transpose()?;
    let voice = voice.map(|VoiceRequest { duration_ms, waveform }| Voice { duration_ms, waveform });
    Ok(Wish { name, size, sha256, voice })
}

async fn may_write(api: &Api, me: &Membership, now: Millis) -> Result<(), Problem> {
    let record = api.directory.room(me.room).await?.ok_or_else(|| Problem::not_found("room"))?;
    let blocked = match other_of(record.pair, me.user) {
        Some(other) => api.directory.is_blocked(other, me.user).await?,
        None => false,
    };
    let (kind, archived) = (record.kind, record.archived);
    let uploader = Uploader { kind, role: me.role, archived, muted_until: me.muted_until, blocked };
    Ok(may_upload(uploader, now)?)
}

fn other_of(pair: Option<(UserId, UserId)>, me: UserId) -> Option<UserId> {
    pair.map(|(one, other)| if one == me { other } else { one })
}

/// One file, for who may read it; the parts that are there are its uploader's to know.
pub(in crate::http) async fn show(api: Shared, me: Who, id: web::Path<MediaId>, parameters: Parameters) -> Answer {
    parameters.end()?;
    let record = api.media.readable(*id, me.user).await?;
    view(&api, &me, record).await
}

async fn view(api: &Api, me: &Who, record: MediaRecord) -> Answer {
    let parts = match record.uploader == me.user {
        true => api.media.received(&record).await?,
        false => Vec::new(),
    };
    Ok(HttpResponse::Ok().json(MediaView::of(record, parts)))
}

/// Completes an upload.
pub(in crate::http) async fn complete(api: Shared, me: Who, id: web::Path<MediaId>) -> Answer {
    let record = api.media.owned(*id, me.user).await?;
    let record = api.media.complete(record, now()).await?;
    view(&api, &me, record).await
}

/// A link for what cannot send a token: players, and what saves files.
pub(in crate::http) async fn link(api: Shared, me: Who, id: web::Path<MediaId>) -> Answer {
    let content = api.media.content(*id, me.user, false).await?;
    let (ticket, expires_at) = api.authenticator.link(&me, content.id, now());
    let url = format!("/api/v1/media/{}/content?ticket={ticket}", content.id);
    Ok(HttpResponse::Created().json(MediaLink { url, expires_at }))
}

/// Deletes a file that no message refers to.
pub(in crate::http) async fn remove(api: Shared, me: Who, id: web::Path<MediaId>) -> Answer {
    api.media.discard(*id, me.user).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks(2).filter_map(|pair| Some(pair.first()? << 4 | pair.get(1)?)).collect();
    if digits.len() == 64 { bytes.try_into().ok() } else { None }
}

impl From<crate::media::MediaError> for Problem {
    fn from(error: crate::media::MediaError) -> Self {
        use crate::media::MediaError;
        match error {
            MediaError::Refused(refusal) => refusal.into(),
            MediaError::Store(error) => error.into(),
            MediaError::Full => {
                tracing::error!("no space is left for files");
                Self::new(Code::Unavailable, "no space is left for files")
                    .with_status(actix_web::http::StatusCode::INSUFFICIENT_STORAGE)
            }
            MediaError::Objects(_) => {
                tracing::warn!(%error, "a file could not be read or written");
                let mut problem = Self::new(Code::Unavailable, "the store of files cannot be reached");
                problem.retry_after_ms = Some(1_000);
                problem
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_read_as_it_is_written() {
        let sum: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 8).unwrap());
        assert_eq!(unhex(&hex(&sum)), Some(sum));
        assert_eq!(unhex(&hex(&sum).to_uppercase()), Some(sum));
        for wrong in ["", "00", &"g".repeat(64), &"0".repeat(63), &"0".repeat(65), &"é".repeat(32)] {
            assert_eq!(unhex(wrong), None, "{wrong}");
        }
    }
}
