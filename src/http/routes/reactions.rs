//! Reacting to a message.

use actix_web::{HttpRequest, HttpResponse, web};
use rookery_core::{
    frame::client,
    ids::{RoomId, Seq, UserId},
    room::Intent,
    text,
    time::Millis,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Asked, Parameters, Shared, Who, messages::position, write};
use crate::{
    http::{Answer, Problem},
    store::record::{self, Membership},
};

/// One reaction.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Reaction {
    /// Which.
    emoji: String,
    /// Whose.
    user: UserId,
    /// When.
    at: Millis,
}

/// The reactions to a message.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ReactionList {
    /// Oldest first, up to 1,000.
    items: Vec<Reaction>,
}

/// Who reacts to a message, and how.
pub(in crate::http) async fn list(
    api: Shared,
    me: web::ReqData<Membership>,
    path: web::Path<(RoomId, Seq)>,
    parameters: Parameters,
) -> Answer {
    parameters.end()?;
    let (room, seq) = position(path)?;
    let visible = seq >= me.visible_from && api.log.message(room, seq, me.user).await?.is_some();
    if !visible {
        return Err(Problem::not_found("message"));
    }
    let view = |reaction: record::Reaction| Reaction { emoji: reaction.emoji, user: reaction.user, at: reaction.at };
    let items = api.log.reactions(room, seq).await?.into_iter().map(view).collect();
    Ok(HttpResponse::Ok().json(ReactionList { items }))
}

/// Reacts.
pub(in crate::http) async fn add(
    api: Shared,
    request: HttpRequest,
    me: Who,
    path: web::Path<(RoomId, Seq, String)>,
) -> Answer {
    react(&api, &request, &me, path.into_inner(), false).await
}

/// Takes a reaction back.
pub(in crate::http) async fn take_back(
    api: Shared,
    request: HttpRequest,
    me: Who,
    path: web::Path<(RoomId, Seq, String)>,
) -> Answer {
    react(&api, &request, &me, path.into_inner(), true).await
}

async fn react(
    api: &Shared,
    request: &HttpRequest,
    me: &Who,
    (room, target, emoji): (RoomId, Seq, String),
    remove: bool,
) -> Answer {
    client::in_range("seq", Some(target))?;
    text::emoji(&emoji)?;
    write(api, request, me, Asked::new(room, Intent::React { target, emoji, remove })).await?;
    Ok(HttpResponse::NoContent().finish())
}
