//! Connections, as operators see them.

use actix_web::{HttpRequest, HttpResponse, web};
use rookery_core::{
    ids::{DeviceId, SessionId, UserId},
    time::Millis,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{By, Shared, audit};
use crate::{
    actors::ports::Connected,
    http::{Answer, Problem, answer::paging, request::Parameters},
    store::Page,
};

/// The name of the list in its cursors.
const LIST: &str = "sessions";

/// One connection.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AdminSession {
    /// Which.
    session: SessionId,
    /// Whose.
    user: UserId,
    /// Which login.
    device: DeviceId,
    /// On which node.
    node: String,
    /// Since when.
    since: Millis,
    /// What the client calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
}

impl From<Connected> for AdminSession {
    fn from(connected: Connected) -> Self {
        let Connected { session, user, device, node, since, client } = connected;
        Self { session, user, device, node, since, client }
    }
}

/// A user's connections.
pub(in crate::http) async fn of_user(
    api: Shared,
    request: HttpRequest,
    user: web::Path<UserId>,
    parameters: Parameters,
) -> Answer {
    let range = parameters.range()?;
    let user = api.directory.user(*user).await?.ok_or_else(|| Problem::not_found("user"))?;
    let mut all = api.gateway.sessions_of(user.id).await;
    all.sort_by_key(|connected| connected.session);
    let page = paging::part(LIST, all, |connected| connected.session.0, &range)?;
    let items = page.items.into_iter().map(AdminSession::from).collect();
    Ok(paging::list(&request, Page::<AdminSession> { items, next: page.next }))
}

/// All connections.
pub(in crate::http) async fn list(api: Shared, request: HttpRequest, parameters: Parameters) -> Answer {
    let range = parameters.range()?;
    let after = paging::position(LIST, &range)?.map(SessionId);
    let mut found = api.gateway.sessions(after, range.limit + 1).await;
    let more = found.len() > range.limit;
    found.truncate(range.limit);
    let next = found.last().filter(|_| more).map(|last| paging::cursor(LIST, last.session.0));
    let items = found.into_iter().map(AdminSession::from).collect();
    Ok(paging::list(&request, Page::<AdminSession> { items, next }))
}

/// Closes a connection.
pub(in crate::http) async fn close(api: Shared, by: By, session: web::Path<SessionId>) -> Answer {
    if !api.gateway.close_session(*session).await {
        return Err(Problem::not_found("session"));
    }
    audit(&api, by.into_inner(), "session.close", session.to_string(), String::new()).await?;
    Ok(HttpResponse::NoContent().finish())
}
