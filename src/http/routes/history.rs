//! What was said and what happened, page by page; and what became of a write.

use actix_web::{HttpResponse, web};
use rookery_core::{
    event::Event,
    frame::{event::EventFrame, server::ServerFrame},
    ids::{ClientId, RoomId, Seq},
    time::Millis,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Parameters, Shared};
use crate::{
    http::{Answer, Api, Problem, answer::view::Message},
    store::{log::Window, record::Membership},
};

/// Who asks, and what they may see.
type Reader = web::ReqData<Membership>;

/// A page of messages.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct History {
    /// In ascending `seq`.
    items: Vec<Message>,
    /// The `after` to go on with.
    next: Option<Seq>,
    /// The `before` to go back with.
    prev: Option<Seq>,
    /// The last event of the room.
    head: Seq,
}

/// A page of the log.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct EventPage<'a> {
    /// As in `event` frames, ascending.
    #[schema(value_type = Vec<EventFrame<'_>>)]
    items: Vec<ServerFrame<'a>>,
    /// The `after` to go on with.
    next: Option<Seq>,
    /// The last event of the room.
    head: Seq,
}

/// What became of a write.
#[derive(Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(in crate::http) enum Outcome {
    /// It is in the log.
    Committed {
        /// Its place.
        seq: Seq,
        /// When.
        at: Millis,
    },
    /// It is not in the log at the moment of asking.
    Absent,
}

/// Messages in their present state.
pub(in crate::http) async fn messages(api: Shared, me: Reader, parameters: Parameters) -> Answer {
    let limit = parameters.limit()?;
    let (before, after) = (parameters.seq("before")?, parameters.seq("after")?);
    let around = parameters.seq("around")?;
    parameters.end()?;
    let window = match (before, after, around) {
        (None, None, None) => Window::Newest,
        (Some(seq), None, None) => Window::Before(seq),
        (None, Some(seq), None) => Window::After(seq),
        (None, None, Some(seq)) => Window::Around(seq),
        _ => return Err(Problem::field("before", "invalid", "only one of `before`, `after` and `around`")),
    };
    let head = api.log.head(me.room).await?;
    // One more than asked for tells whether it goes on, in the direction that one pages.
    let extra = usize::from(!matches!(window, Window::Around(_)));
    let mut items = page(&api, &me, window, limit + extra).await?;
    let more = items.len() > limit;
    match window {
        Window::After(_) => items.truncate(limit),
        Window::Newest | Window::Before(_) if more => drop(items.remove(0)),
        _ => {}
    }
    let (Some(first), Some(last)) = (items.first().map(|m| m.seq), items.last().map(|m| m.seq)) else {
        return Ok(HttpResponse::Ok().json(History { items, next: None, prev: None, head }));
    };
    let back = match window {
        Window::Newest | Window::Before(_) => more,
        _ => !page(&api, &me, Window::Before(first), 1).await?.is_empty(),
    };
    let on = match window {
        Window::Newest => false,
        Window::After(_) => more,
        _ => !page(&api, &me, Window::After(last), 1).await?.is_empty(),
    };
    Ok(HttpResponse::Ok().json(History { items, next: on.then_some(last), prev: back.then_some(first), head }))
}

async fn page(api: &Api, me: &Membership, window: Window, limit: usize) -> Result<Vec<Message>, Problem> {
    let found = api.log.messages(me.room, window, me.visible_from, limit, me.user).await?;
    Ok(found.into_iter().map(Message::from).collect())
}

/// The log, from the first event that one may see.
pub(in crate::http) async fn events(api: Shared, me: Reader, parameters: Parameters) -> Answer {
    let limit = parameters.limit()?;
    let after = parameters.seq("after")?.unwrap_or(0).max(me.visible_from.saturating_sub(1));
    parameters.end()?;
    let head = api.log.head(me.room).await?;
    let events: Vec<Event> = api.log.events(me.room, after, limit).await?;
    let next = events.last().map(|last| last.seq).filter(|last| *last < head);
    let items = events.iter().map(|event| ServerFrame::Event(EventFrame::from(event))).collect();
    Ok(HttpResponse::Ok().json(EventPage { items, next, head }))
}

/// What became of one of one's own writes.
pub(in crate::http) async fn outcome(
    api: Shared,
    me: Reader,
    path: web::Path<(RoomId, ClientId)>,
    parameters: Parameters,
) -> Answer {
    parameters.end()?;
    let (room, client_id) = path.into_inner();
    let outcome = match api.log.outcome(room, me.user, client_id).await? {
        Some((seq, at)) => Outcome::Committed { seq, at },
        None => Outcome::Absent,
    };
    Ok(HttpResponse::Ok().json(outcome))
}
