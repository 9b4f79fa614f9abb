//! Whom I know, and whom I do not want to hear from.

use actix_web::{HttpRequest, HttpResponse, web};
use rookery_core::{frame::Code, ids::UserId};

use super::{Parameters, Shared, Who, living};
use crate::{
    clock::now,
    http::{
        Answer, Api, Problem,
        answer::{
            paging,
            view::{Contact, User},
        },
    },
    store::Page,
};

/// Everybody that I stand with somehow.
pub(in crate::http) async fn list(api: Shared, request: HttpRequest, me: Who, parameters: Parameters) -> Answer {
    let page = api.directory.contacts(me.user, parameters.range()?).await?;
    let items = page.items.into_iter().map(Contact::from).collect();
    Ok(paging::list(&request, Page::<Contact> { items, next: page.next }))
}

/// How I stand with somebody.
pub(in crate::http) async fn show(api: Shared, me: Who, user: web::Path<UserId>) -> Answer {
    let contact = api.directory.contact(me.user, user.into_inner()).await?;
    let contact = contact.ok_or_else(|| Problem::not_found("contact"))?;
    Ok(HttpResponse::Ok().json(Contact::from(contact)))
}

/// Invites, or accepts.
pub(in crate::http) async fn put(api: Shared, me: Who, user: web::Path<UserId>) -> Answer {
    let other = somebody_else(&me, user.into_inner())?;
    living(&api, other).await?;
    if is_blocked_either_way(&api, me.user, other).await? {
        return Err(Problem::new(Code::Blocked, "one of you has blocked the other"));
    }
    let (contact, new) = api.directory.put_contact(me.user, other, now()).await?;
    let mut answer = if new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(answer.json(Contact::from(contact)))
}

/// Cancels, refuses or removes.
pub(in crate::http) async fn remove(api: Shared, me: Who, user: web::Path<UserId>) -> Answer {
    match api.directory.delete_contact(me.user, user.into_inner()).await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(Problem::not_found("contact")),
    }
}

/// Whom I block.
pub(in crate::http) async fn list_blocks(api: Shared, request: HttpRequest, me: Who, parameters: Parameters) -> Answer {
    let page = api.directory.blocks(me.user, parameters.range()?).await?;
    let items = page.items.into_iter().map(User::from).collect();
    Ok(paging::list(&request, Page::<User> { items, next: page.next }))
}

/// Whether I block somebody.
pub(in crate::http) async fn show_block(api: Shared, me: Who, user: web::Path<UserId>) -> Answer {
    let other = user.into_inner();
    if !api.directory.is_blocked(me.user, other).await? {
        return Err(Problem::not_found("block"));
    }
    let user = api.directory.user(other).await?.ok_or_else(|| Problem::not_found("block"))?;
    Ok(HttpResponse::Ok().json(User::from(user)))
}

/// Blocks somebody.
pub(in crate::http) async fn block(api: Shared, me: Who, user: web::Path<UserId>) -> Answer {
    let other = somebody_else(&me, user.into_inner())?;
    let user = living(&api, other).await?;
    let new = api.directory.block(me.user, other, now()).await?;
    tell_their_room(&api, me.user, other, true).await?;
    let mut answer = if new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(answer.json(User::from(user)))
}

/// Unblocks somebody.
pub(in crate::http) async fn unblock(api: Shared, me: Who, user: web::Path<UserId>) -> Answer {
    let other = user.into_inner();
    if !api.directory.unblock(me.user, other).await? {
        return Err(Problem::not_found("block"));
    }
    tell_their_room(&api, me.user, other, false).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The direct room of the two, if it is awake, must know; one that wakes later reads it from the directory.
async fn tell_their_room(api: &Api, me: UserId, other: UserId, on: bool) -> Result<(), Problem> {
    if let Some(room) = api.directory.direct_room(me, other).await? {
        api.gateway.blocked(room, me, on);
    }
    Ok(())
}

/// Whether one of the two does not want to hear from the other.
pub(super) async fn is_blocked_either_way(api: &Api, one: UserId, other: UserId) -> Result<bool, Problem> {
    Ok(api.directory.is_blocked(one, other).await? || api.directory.is_blocked(other, one).await?)
}

pub(super) fn somebody_else(me: &Who, user: UserId) -> Result<UserId, Problem> {
    if user == me.user {
        return Err(Problem::field("user", "invalid", "that is yourself"));
    }
    Ok(user)
}
