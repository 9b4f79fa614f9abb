//! Whether the process lives, and whether it is ready for work.

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Parameters, Shared};
use crate::http::{Answer, Problem};
use rookery_core::{
    frame::{Code, Refusal},
    ids::RoomId,
};

/// What `/readyz?verbose` says.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Readiness {
    /// Whether new work is welcome.
    ready: bool,
    /// Whether the store answers.
    store: bool,
    /// Whether the server is about to stop.
    draining: bool,
}

/// The process lives: nothing else is asked.
pub(in crate::http) async fn alive() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// New work is welcome.
pub(in crate::http) async fn ready(api: Shared, parameters: Parameters) -> Answer {
    let verbose = parameters.text("verbose")?.is_some();
    parameters.end()?;
    let draining = api.readiness.is_draining() || api.cluster.is_draining();
    // Of a room that there is not, so that none is woken for it.
    let store = api.log.published(RoomId(uuid::Uuid::nil())).await.is_ok();
    let ready = store && !draining;
    if verbose {
        let status = if ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
        let mut status = status;
        // Not a problem but an answer: with `verbose` one wants to see it all.
        return Ok(status.json(Readiness { ready, store, draining }));
    }
    if ready {
        return Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n"));
    }
    let why = if draining { "the server is about to stop" } else { "the store does not answer" };
    Err(Problem::from(Refusal::new(Code::Unavailable, why)))
}
