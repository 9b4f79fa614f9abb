//! What is one's own in a room: marks, and what one wants to be told of.

use actix_web::{HttpResponse, web};
use rookery_core::{
    event::Notify,
    frame::{Code, Refusal, client},
    ids::{RoomId, Seq},
    time::Millis,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Shared, Who, admit_write};
use crate::http::{Answer, request::Body};

/// How far somebody is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct MarksChange {
    /// Read up to here.
    #[serde(default)]
    #[schema(maximum = 9_007_199_254_740_991_u64)]
    read: Option<Seq>,
    /// Delivered up to here.
    #[serde(default)]
    #[schema(maximum = 9_007_199_254_740_991_u64)]
    delivered: Option<Seq>,
}

/// Marks as they stand.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Marks {
    /// Read up to here.
    read: Seq,
    /// Delivered up to here.
    delivered: Seq,
}

/// What somebody wants to be told of in a room.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Notifications {
    /// Of what.
    notify: Notify,
    /// Until when of nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    muted_until: Option<Millis>,
}

/// Moves marks forwards.
pub(in crate::http) async fn mark(api: Shared, me: Who, room: web::Path<RoomId>, body: Body<MarksChange>) -> Answer {
    let MarksChange { read, delivered } = body.value;
    client::in_range("read", read)?;
    client::in_range("delivered", delivered)?;
    if read.is_none() && delivered.is_none() {
        return Err(Refusal::field(Code::BadRequest, "read", "name `read` or `delivered` or both").into());
    }
    admit_write(&api, me.user)?;
    let (read, delivered) = api.gateway.mark(*room, me.user, read, delivered).await?;
    Ok(HttpResponse::Ok().json(Marks { read, delivered }))
}

/// Sets what one wants to be told of.
pub(in crate::http) async fn notify(
    api: Shared,
    me: Who,
    room: web::Path<RoomId>,
    body: Body<Notifications>,
) -> Answer {
    let wanted = body.value;
    admit_write(&api, me.user)?;
    api.directory.set_notify(*room, me.user, wanted.notify, wanted.muted_until).await?;
    api.gateway.settings_changed(*room, me.user);
    Ok(HttpResponse::Ok().json(wanted))
}
