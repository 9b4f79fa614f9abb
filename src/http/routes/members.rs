//! Who is in a room.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use rookery_core::{
    event::Role,
    ids::{RoomId, UserId},
    limits::MARKS_SHOWN,
    room::Intent,
    time::Millis,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Asked, Parameters, Shared, Who, living, rooms::has_room_for_one_more, write};
use crate::{
    clock::now,
    http::{
        Answer, Api, Problem,
        answer::{
            paging,
            view::{Member, User},
        },
        request::{MaybeBody, clearable},
    },
    store::{Page, record::Membership},
};

/// What somebody is to be in a room.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MemberWish)]
pub(in crate::http) struct Change {
    /// The role; what is usual, or as it is, when nothing is said.
    #[serde(default)]
    role: Option<Role>,
    /// Until when they may not write; `null`: they may again.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Millis>)]
    muted_until: Option<Option<Millis>>,
}

/// The members of a room, owners first.
pub(in crate::http) async fn list(
    api: Shared,
    request: HttpRequest,
    room: web::Path<RoomId>,
    parameters: Parameters,
) -> Answer {
    let page = api.directory.members(*room, parameters.range()?).await?;
    let items = views(&api, *room, &page.items).await?;
    Ok(paging::list(&request, Page { items, next: page.next }))
}

async fn views(api: &Api, room: RoomId, members: &[Membership]) -> Result<Vec<Member>, Problem> {
    let record = api.directory.room(room).await?.ok_or_else(|| Problem::not_found("room"))?;
    let users = api.directory.users(members.iter().map(|member| member.user).collect()).await?;
    let mut users: HashMap<UserId, User> = users.into_iter().map(|user| (user.id, user.into())).collect();
    let (marks, now) = (record.members <= MARKS_SHOWN as u64, now());
    let view = |member: &Membership| Some(Member::of(member, users.remove(&member.user)?, marks, now));
    Ok(members.iter().filter_map(view).collect())
}

/// Joins, adds somebody, changes a role, mutes.
pub(in crate::http) async fn put(
    api: Shared,
    request: HttpRequest,
    me: Who,
    path: web::Path<(RoomId, UserId)>,
    body: MaybeBody<Change>,
) -> Answer {
    let (room, user) = path.into_inner();
    let Change { role, muted_until } = body.0;
    let before = api.directory.membership(room, user).await?;
    if before.is_none() {
        // Whether they exist is for nobody to find out who could not add them anyway.
        let may_know = user == me.user || api.directory.membership(room, me.user).await?.is_some();
        if may_know && living(&api, user).await?.disabled {
            return Err(Problem::not_found("user"));
        }
        has_room_for_one_more(&api, user).await?;
    }
    write(&api, &request, &me, Asked::new(room, Intent::Put { user, role, muted_until })).await?;
    let after = api.directory.membership(room, user).await?.ok_or_else(|| Problem::not_found("member"))?;
    let member = views(&api, room, &[after]).await?.pop().ok_or_else(|| Problem::not_found("member"))?;
    let mut answer = if before.is_none() { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(answer.json(member))
}

/// Takes somebody out, leaves, bans, lifts a ban.
pub(in crate::http) async fn remove(
    api: Shared,
    request: HttpRequest,
    me: Who,
    path: web::Path<(RoomId, UserId)>,
    parameters: Parameters,
) -> Answer {
    let (room, user) = path.into_inner();
    let (ban, unban) = (parameters.flag("ban")?, parameters.flag("unban")?);
    parameters.end()?;
    let intent = match (ban, unban) {
        (true, true) => return Err(Problem::field("unban", "invalid", "not together with `ban`")),
        (ban, false) => Intent::Remove { user, ban },
        (false, true) => Intent::Unban { user },
    };
    write(&api, &request, &me, Asked::new(room, intent)).await?;
    Ok(HttpResponse::NoContent().finish())
}
