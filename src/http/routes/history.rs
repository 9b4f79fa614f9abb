//! What was said and what happened, page by page; and what became of a write.

use actix_web::{HttpResponse, web};
use rookery_core::{
    event::{Event, Kind},
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

/// So many events at most are looked through for what happened between the messages of a page: the last ones of them.
const LOOKED_THROUGH: Seq = 1_000;

/// So many of them are read at once.
const READ_AT_ONCE: usize = 200;

/// A page of messages.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct History<'a> {
    /// In ascending `seq`.
    items: Vec<Message>,
    /// With `?notices=1`: the `member` and `room` events between these messages, before the first and after the last one, as
    /// in `event` frames, ascending.
    #[schema(value_type = Option<Vec<EventFrame<'_>>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    notices: Option<Vec<ServerFrame<'a>>>,
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
    let with_notices = parameters.flag("notices")?;
    parameters.end()?;
    let window = match (before, after, around) {
        (None, None, None) => Window::Newest,
        (Some(seq), None, None) => Window::Before(seq),
        (None, Some(seq), None) => Window::After(seq),
        (None, None, Some(seq)) => Window::Around(seq),
        _ => return Err(Problem::field("before", "invalid", "only one of `before`, `after` and `around`")),
    };
    let head = api.log.head(me.room).await?;
    let Found { items, before, more } = find(&api, &me, window, limit).await?;
    let between = if with_notices {
        let first = before.unwrap_or(0).max(me.visible_from.saturating_sub(1));
        let last = match (items.last(), window) {
            (Some(last), Window::Before(_)) => last.seq,
            (Some(last), _) if more => last.seq,
            (None, Window::Before(seq)) => seq.saturating_sub(1),
            _ => head,
        };
        notices(&api, &me, first, last, items.len()).await?
    } else {
        Vec::new()
    };
    let prev = before.and_then(|_| items.first()).map(|first| first.seq);
    let next = items.last().map(|last| last.seq).filter(|_| more);
    let notices =
        with_notices.then(|| between.iter().map(|event| ServerFrame::Event(EventFrame::from(event))).collect());
    Ok(HttpResponse::Ok().json(History { items, notices, next, prev, head }))
}

/// A page, and what is beyond its ends.
struct Found {
    items: Vec<Message>,
    /// The last message before the first, if there is one; of an empty page what it was to come after.
    before: Option<Seq>,
    /// Whether there are messages after the last that one goes on to.
    more: bool,
}

async fn find(api: &Api, me: &Membership, window: Window, limit: usize) -> Result<Found, Problem> {
    // One more than asked for tells whether it goes on, in the direction that one pages.
    let extra = usize::from(!matches!(window, Window::Around(_)));
    let mut items = page(api, me, window, limit + extra).await?;
    let is_long = items.len() > limit;
    let mut beyond = None;
    match window {
        Window::After(_) => items.truncate(limit),
        Window::Newest | Window::Before(_) if is_long => beyond = Some(items.remove(0).seq),
        _ => {}
    }
    let (Some(first), Some(last)) = (items.first().map(|m| m.seq), items.last().map(|m| m.seq)) else {
        let before = if let Window::After(seq) = window { Some(seq) } else { None };
        return Ok(Found { items, before, more: false });
    };
    let before = match window {
        Window::Newest | Window::Before(_) => beyond,
        _ => page(api, me, Window::Before(first), 1).await?.last().map(|message| message.seq),
    };
    let more = match window {
        Window::Newest => false,
        Window::After(_) => is_long,
        _ => !page(api, me, Window::After(last), 1).await?.is_empty(),
    };
    Ok(Found { items, before, more })
}

/// What happened in the room after one event and up to another, beside so many messages and what was done to them.
async fn notices(api: &Api, me: &Membership, after: Seq, last: Seq, messages: usize) -> Result<Vec<Event>, Problem> {
    let mut found = Vec::new();
    let mut at = after.max(last.saturating_sub(LOOKED_THROUGH));
    if last.saturating_sub(after) <= messages as Seq {
        return Ok(found);
    }
    while at < last {
        let events = api.log.events(me.room, at, READ_AT_ONCE).await?;
        let Some(newest) = events.last().map(|event| event.seq) else { break };
        at = newest;
        let is_notice = |event: &Event| event.seq <= last && matches!(event.content.kind(), Kind::Member | Kind::Room);
        found.extend(events.into_iter().filter(is_notice));
    }
    Ok(found)
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
