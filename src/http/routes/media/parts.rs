//! The parts of an upload: raw bytes of exactly the length that is expected, held in memory only as long as there is place.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{self, Bytes, BytesMut},
};
use futures_util::StreamExt as _;
use rookery_core::{frame::Code, ids::MediaId, media::PART_BYTES};

use super::{Shared, Who};
use crate::{
    http::{Answer, Api, Problem},
    media::MediaError,
    store::media::MediaRecord,
};

/// How long the next bytes of a part may take to come.
const IDLE: Duration = Duration::from_secs(10);
/// How long a whole part may take: about the speed of a modem.
const WHOLE: Duration = Duration::from_secs(120);
/// How long what nobody wants is still read, so that who sends it hears why.
const DRAIN: Duration = Duration::from_secs(5);

/// Takes one part.
pub(in crate::http) async fn put(
    api: Shared,
    request: HttpRequest,
    me: Who,
    path: web::Path<(MediaId, u64)>,
    mut payload: web::Payload,
) -> Answer {
    let (id, number) = path.into_inner();
    let taken = take(&api, &request, &me, (id, number), &mut payload).await;
    if taken.is_err() {
        drain(&mut payload).await;
    }
    taken?;
    Ok(HttpResponse::NoContent().finish())
}

async fn take(
    api: &Api,
    request: &HttpRequest,
    me: &Who,
    (id, number): (MediaId, u64),
    payload: &mut web::Payload,
) -> Result<(), Problem> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if content_type.is_none_or(|value| !value.trim().eq_ignore_ascii_case("application/octet-stream")) {
        let problem = Problem::new(Code::BadRequest, "the body must be application/octet-stream");
        return Err(problem.with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let record: MediaRecord = api.media.owned(id, me.user).await?;
    let length = api.media.expects(&record, number)?;
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if announced.is_some_and(|announced| announced.parse() != Ok(length)) {
        return Err(wrong_length(length));
    }
    let _place = std::sync::Arc::clone(&api.media).place(me.user).await?;
    let late = || Problem::new(Code::BadRequest, "the part did not come").with_status(StatusCode::REQUEST_TIMEOUT);
    let bytes = tokio::time::timeout(WHOLE, read(payload, length)).await.map_err(|_| late())??;
    match api.media.put_part(&record, number, bytes).await {
        Ok(()) => Ok(()),
        Err(MediaError::Refused(refusal)) => Err(refusal.into()),
        Err(error) => Err(error.into()),
    }
}

async fn read(payload: &mut web::Payload, length: u64) -> Result<Bytes, Problem> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let mut part = BytesMut::with_capacity(length);
    loop {
        let next = tokio::time::timeout(IDLE, payload.next()).await.map_err(|_| {
            Problem::new(Code::BadRequest, "the part did not come").with_status(StatusCode::REQUEST_TIMEOUT)
        })?;
        match next {
            Some(Ok(chunk)) if part.len() + chunk.len() <= length => part.extend_from_slice(&chunk),
            Some(Err(_)) => return Err(Problem::new(Code::BadRequest, "the part cannot be read")),
            None if part.len() == length => return Ok(part.freeze()),
            Some(Ok(_)) | None => return Err(wrong_length(length as u64)),
        }
    }
}

fn wrong_length(length: u64) -> Problem {
    Problem::new(Code::BadRequest, format!("this part has {length} bytes"))
}

/// Throws away what still comes, up to a part.
async fn drain(payload: &mut web::Payload) {
    let most = usize::try_from(PART_BYTES).unwrap_or(usize::MAX);
    let reading = async {
        let mut length = 0;
        while let Some(Ok(chunk)) = payload.next().await {
            length += chunk.len();
            if length > most {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(DRAIN, reading).await;
}
