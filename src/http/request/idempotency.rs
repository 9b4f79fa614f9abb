//! The idempotency key of a request that creates: the same key and body get the same answer for a day.

use std::{collections::HashSet, future::Future, sync::LazyLock};

use actix_web::{
    HttpRequest, HttpResponse,
    body::to_bytes,
    http::{
        StatusCode,
        header::{self, HeaderName},
    },
};
use parking_lot::Mutex;
use rookery_core::{frame::Code, ids::UserId};
use sha2::{Digest as _, Sha256};

use crate::http::{Answer, Api, Problem, answer::headers};
use crate::{clock::now, store::record::Remembered};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const DAY_MS: i64 = 86_400_000;

/// Keys whose first request is under way on this node.
static UNDER_WAY: LazyLock<Mutex<HashSet<(UserId, String)>>> = LazyLock::new(Mutex::default);

/// Holds a key as long as its request is under way.
struct Held(UserId, String);

impl Drop for Held {
    fn drop(&mut self) {
        UNDER_WAY.lock().remove(&(self.0, std::mem::take(&mut self.1)));
    }
}

/// Does `act`, unless the request carries a key whose answer is known.
pub(in crate::http) async fn once<F>(
    api: &Api,
    request: &HttpRequest,
    user: UserId,
    raw: &[u8],
    act: impl FnOnce() -> F,
) -> Answer
where
    F: Future<Output = Answer>,
{
    if !request.headers().contains_key(&KEY) {
        return act().await;
    }
    let key = headers::visible(request.headers(), &KEY, 64)
        .ok_or_else(|| Problem::new(Code::BadRequest, "Idempotency-Key must be 1 to 64 visible ASCII characters"))?;
    if !UNDER_WAY.lock().insert((user, key.clone())) {
        return Err(Problem::new(Code::Conflict, "the first request with this key is still under way"));
    }
    let held = Held(user, key.clone());
    let digest = digest(request, raw);
    if let Some(known) = api.directory.remembered(user, key.clone(), now().plus(-DAY_MS)).await? {
        return replay(&known, digest);
    }
    let response = act().await?;
    let response = keep(api, user, key, digest, response).await?;
    drop(held);
    Ok(response)
}

fn digest(request: &HttpRequest, raw: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [request.method().as_str().as_bytes(), request.path().as_bytes(), raw] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn replay(known: &Remembered, digest: [u8; 32]) -> Answer {
    if known.request != digest {
        let problem = Problem::new(Code::Conflict, "this key came with another request before");
        return Err(problem.with_status(StatusCode::UNPROCESSABLE_ENTITY));
    }
    let status = StatusCode::from_u16(known.status).unwrap_or(StatusCode::OK);
    Ok(HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header(("Idempotent-Replayed", "true"))
        .body(known.body.clone()))
}

async fn keep(api: &Api, user: UserId, key: String, request: [u8; 32], response: HttpResponse) -> Answer {
    let status = response.status().as_u16();
    let (head, body) = response.into_parts();
    let body = to_bytes(body).await.map_err(|_| Problem::new(Code::Unavailable, "the answer was lost"))?;
    let answer = Remembered { request, status, body: body.to_vec() };
    let at = now();
    if let Err(error) = api.directory.remember(user, key, answer, at, at.plus(-DAY_MS)).await {
        // It happened; that a repetition would happen again is better said in the log than to the client.
        tracing::warn!(%error, "the answer for an idempotency key was not kept");
    }
    Ok(head.set_body(body).map_into_boxed_body())
}
