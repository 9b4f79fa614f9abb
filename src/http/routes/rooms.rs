//! Rooms: making, finding, changing and ending them.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use rookery_core::{
    event::{RoomChange, RoomKind, Visibility},
    frame::{Code, Refusal},
    ids::{RoomId, UserId},
    room::{Beginning, Intent, create as begin},
    text,
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Asked, Parameters, Shared, Who, admit_write,
    contacts::{is_blocked_either_way, somebody_else},
    living, query, write,
};
use crate::{
    clock::now,
    http::{
        Answer, Api, FieldProblem, Problem,
        answer::{
            paging,
            view::{Room, User},
        },
        request::{Body, clearable, idempotency},
    },
    store::{
        Page,
        record::{Created, NewRoom, RoomListing, RoomRecord},
    },
};

/// Sorts of rooms that can be made here; a direct room is made at `/direct/{user}`.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum NewRoomKind {
    /// Everybody writes.
    Group,
    /// Who joins only reads.
    Channel,
}

/// A new room.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRoom)]
pub(in crate::http) struct RoomRequest {
    /// What sort.
    kind: NewRoomKind,
    /// Its name, up to 64 characters.
    #[schema(min_length = 1)]
    name: String,
    /// What it is about.
    #[serde(default)]
    topic: Option<String>,
    /// `private` when nothing is said.
    #[serde(default)]
    visibility: Option<Visibility>,
    /// Who is in it from the start, besides you.
    #[serde(default)]
    members: Vec<UserId>,
}

/// What to change of a room.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoomChange)]
pub(in crate::http) struct Change {
    /// The name.
    #[serde(default)]
    #[schema(min_length = 1)]
    name: Option<String>,
    /// The topic; `null` or empty for none.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>)]
    topic: Option<Option<String>>,
    /// Who may find and join it.
    #[serde(default)]
    visibility: Option<Visibility>,
    /// Whether it is closed for writing.
    #[serde(default)]
    archived: Option<bool>,
}

/// Makes a group or a channel.
pub(in crate::http) async fn create(api: Shared, request: HttpRequest, me: Who, body: Body<RoomRequest>) -> Answer {
    let Body { value, raw } = body;
    idempotency::once(&api, &request, me.user, &raw, || async {
        admit_write(&api, me.user)?;
        let beginning = read(&api, &me, value).await?;
        has_room_for_one_more(&api, me.user).await?;
        for (at, user) in beginning.members.iter().enumerate().filter(|(_, user)| **user != me.user) {
            has_room_for_one_more(&api, *user).await.map_err(|problem| named(problem, at))?;
        }
        let (room, _) = make(&api, &beginning, None).await?;
        let location = format!("/api/v1/rooms/{room}");
        let shown = shown(&api, room, me.user).await?;
        Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(shown))
    })
    .await
}

async fn read(api: &Api, me: &Who, wanted: RoomRequest) -> Result<Beginning, Problem> {
    let name = text::name("name", &wanted.name)?;
    let topic = text::line("topic", wanted.topic.as_deref().unwrap_or_default())?;
    let found = api.directory.users(wanted.members.clone()).await?;
    let here: HashMap<UserId, bool> =
        found.into_iter().map(|user| (user.id, !user.deleted && !user.disabled)).collect();
    if let Some(at) = wanted.members.iter().position(|user| !here.get(user).copied().unwrap_or(false)) {
        return Err(Problem::field(&format!("members/{at}"), "not_found", "no such user"));
    }
    Ok(Beginning {
        room: RoomId(Uuid::now_v7()),
        kind: match wanted.kind {
            NewRoomKind::Group => RoomKind::Group,
            NewRoomKind::Channel => RoomKind::Channel,
        },
        name,
        topic,
        visibility: wanted.visibility.unwrap_or(Visibility::Private),
        by: me.user,
        members: wanted.members,
        at: now(),
    })
}

/// Whether this user may be in another room.
pub(super) async fn has_room_for_one_more(api: &Api, user: UserId) -> Result<(), Problem> {
    let most = api.live.limits().rooms_per_user;
    if api.directory.rooms_of(user).await?.len() >= most {
        return Err(Refusal::new(Code::Conflict, format!("in {most} rooms already; more are not allowed")).into());
    }
    Ok(())
}

/// The same problem, with the member at fault.
fn named(mut problem: Problem, at: usize) -> Problem {
    if problem.code == Code::Conflict {
        let (pointer, detail) = (format!("/members/{at}"), problem.detail.clone());
        problem.errors.push(FieldProblem { pointer, code: "too_many", detail });
    }
    problem
}

async fn make(api: &Api, beginning: &Beginning, pair: Option<(UserId, UserId)>) -> Result<(RoomId, bool), Problem> {
    let plan = begin(beginning, api.live.limits().members_per_room)?;
    let record = RoomRecord {
        id: beginning.room,
        kind: beginning.kind,
        name: beginning.name.clone(),
        topic: beginning.topic.clone(),
        visibility: beginning.visibility,
        archived: false,
        deleted: false,
        created_at: beginning.at,
        members: plan.members,
        pair,
    };
    Ok(match api.gateway.create_room(NewRoom { record, events: plan.events }).await? {
        Created::New => (beginning.room, true),
        Created::Existing(room) => (room, false),
    })
}

/// The direct room with somebody; makes it the first time.
pub(in crate::http) async fn direct(api: Shared, me: Who, user: web::Path<UserId>) -> Answer {
    let other = somebody_else(&me, user.into_inner())?;
    let (room, new) = match api.directory.direct_room(me.user, other).await? {
        Some(room) => (room, false),
        None => {
            admit_write(&api, me.user)?;
            living(&api, other).await?;
            if is_blocked_either_way(&api, me.user, other).await? {
                return Err(Problem::new(Code::Blocked, "one of you has blocked the other"));
            }
            has_room_for_one_more(&api, me.user).await?;
            has_room_for_one_more(&api, other).await?;
            let beginning = Beginning {
                room: RoomId(Uuid::now_v7()),
                kind: RoomKind::Direct,
                name: String::new(),
                topic: String::new(),
                visibility: Visibility::Private,
                by: me.user,
                members: vec![other],
                at: now(),
            };
            make(&api, &beginning, Some((me.user, other))).await?
        }
    };
    let shown = shown(&api, room, me.user).await?;
    let mut answer = if new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(answer.json(shown))
}

/// The rooms that I am in, or with `public=1` those that everybody may join.
pub(in crate::http) async fn list(api: Shared, request: HttpRequest, me: Who, parameters: Parameters) -> Answer {
    let public = parameters.flag("public")?;
    let words = if public { query(&parameters)?.unwrap_or_default() } else { String::new() };
    let range = parameters.range()?;
    let page = match public {
        true => api.directory.public_rooms(me.user, words, range).await?,
        false => api.directory.list_rooms(me.user, range).await?,
    };
    let items = with_peers(&api, page.items, me.user).await?;
    Ok(paging::list(&request, Page { items, next: page.next }))
}

/// One room: mine, or a public one.
pub(in crate::http) async fn show(api: Shared, me: Who, room: web::Path<RoomId>) -> Answer {
    Ok(HttpResponse::Ok().json(shown(&api, room.into_inner(), me.user).await?))
}

async fn shown(api: &Api, room: RoomId, user: UserId) -> Result<Room, Problem> {
    let listing = api.directory.listing(room, user).await?;
    let may_see = |listing: &RoomListing| listing.view.is_some() || listing.record.visibility == Visibility::Public;
    let listing = listing.filter(may_see).ok_or_else(|| Problem::not_found("room"))?;
    let mut rooms = with_peers(api, vec![listing], user).await?;
    rooms.pop().ok_or_else(|| Problem::not_found("room"))
}

async fn with_peers(api: &Api, listings: Vec<RoomListing>, me: UserId) -> Result<Vec<Room>, Problem> {
    let peer_of = |listing: &RoomListing| {
        let (one, other) = listing.record.pair?;
        Some(if one == me { other } else { one })
    };
    let ids: Vec<UserId> = listings.iter().filter_map(peer_of).collect();
    let users = if ids.is_empty() { Vec::new() } else { api.directory.users(ids).await? };
    let users: HashMap<UserId, User> = users.into_iter().map(|user| (user.id, user.into())).collect();
    let room = |listing: RoomListing| {
        let peer = peer_of(&listing).and_then(|peer| users.get(&peer).cloned());
        Room::of(listing, peer)
    };
    Ok(listings.into_iter().map(room).collect())
}

/// Changes what is named.
pub(in crate::http) async fn change(
    api: Shared,
    request: HttpRequest,
    me: Who,
    room: web::Path<RoomId>,
    body: Body<Change>,
) -> Answer {
    let Change { name, topic, visibility, archived } = body.value;
    let name = name.map(|name| text::name("name", &name)).transpose()?;
    let topic = topic.map(|topic| text::line("topic", topic.as_deref().unwrap_or_default())).transpose()?;
    let change = RoomChange { name, topic, visibility, archived, ..RoomChange::default() };
    write(&api, &request, &me, Asked::new(*room, Intent::Change(change))).await?;
    Ok(HttpResponse::Ok().json(shown(&api, *room, me.user).await?))
}

/// Ends a room.
pub(in crate::http) async fn end(api: Shared, request: HttpRequest, me: Who, room: web::Path<RoomId>) -> Answer {
    write(&api, &request, &me, Asked::new(*room, Intent::End)).await?;
    Ok(HttpResponse::NoContent().finish())
}
