//! Logging in and out, the list of one's logins, and tickets for the handshake.

use actix_web::{HttpRequest, HttpResponse, web};
use rookery_core::{frame::Code, ids::DeviceId, time::Millis};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Parameters, Shared, Who, close_logins, open_logins};
use crate::{
    auth::AuthError,
    clock::now,
    http::{
        Answer, Problem,
        answer::{
            paging,
            view::{DeviceView, User},
        },
        request::{Body, address_of, idempotency},
    },
    store::Page,
};

/// A login.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewLogin)]
pub(in crate::http) struct LoginRequest {
    /// A handle or an address.
    login: String,
    /// The password.
    #[schema(format = Password)]
    password: String,
    /// What to call this login.
    #[serde(default)]
    device_name: Option<String>,
}

/// A new login.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Login {
    /// The token; it cannot be had again.
    token: String,
    /// The login.
    device: DeviceView,
    /// Who you are.
    user: User,
}

/// What opens one WebSocket.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Ticket {
    /// For one use.
    ticket: String,
    /// When it ends.
    expires_at: Millis,
}

/// Logs in.
pub(in crate::http) async fn create(api: Shared, request: HttpRequest, body: Body<LoginRequest>) -> Answer {
    let LoginRequest { login, password, device_name } = body.value;
    let address = address_of(&request);
    let new = api.accounts.log_in(&login, &password, device_name.as_deref(), address, now()).await;
    let result = new.as_ref().map_or_else(code_of, |_| "accepted");
    metrics::counter!("rookery_logins_total", "result" => result).increment(1);
    let new = match new {
        Ok(new) => new,
        Err(error) => {
            // The address is not logged, nor what was typed: people type passwords into the wrong field.
            tracing::info!(request_id = super::request_id(&request), "a login failed");
            return Err(error.into());
        }
    };
    tracing::info!(request_id = super::request_id(&request), user = %new.user.id, device = %new.device.id, "logged in");
    let current = new.device.id;
    let login = Login { token: new.token, device: DeviceView::of(new.device, current), user: new.user.into() };
    Ok(HttpResponse::Created().json(login))
}

fn code_of(error: &AuthError) -> &'static str {
    match error {
        AuthError::Refused(refusal) => refusal.code.as_str(),
        AuthError::Store(_) => Code::Unavailable.as_str(),
    }
}

/// One's logins, newest first.
pub(in crate::http) async fn list(api: Shared, request: HttpRequest, me: Who, parameters: Parameters) -> Answer {
    let range = parameters.range()?;
    let devices = open_logins(&api, me.user).await?;
    let page = paging::part("logins", devices, |device| device.id.0, &range)?;
    let items = page.items.into_iter().map(|device| DeviceView::of(device, me.device)).collect();
    Ok(paging::list(&request, Page::<DeviceView> { items, next: page.next }))
}

/// Logs out here.
pub(in crate::http) async fn end_current(api: Shared, me: Who) -> Answer {
    end_one(&api, &me, me.device).await
}

/// Logs out one login.
pub(in crate::http) async fn end(api: Shared, me: Who, device: web::Path<DeviceId>) -> Answer {
    end_one(&api, &me, device.into_inner()).await
}

async fn end_one(api: &Shared, me: &Who, device: DeviceId) -> Answer {
    if !api.directory.revoke_device(me.user, device).await? {
        return Err(Problem::not_found("login"));
    }
    close_logins(api, me.user, vec![device], "logged out");
    Ok(HttpResponse::NoContent().finish())
}

/// Logs out everywhere else.
pub(in crate::http) async fn end_others(api: Shared, me: Who) -> Answer {
    let ended = api.directory.revoke_devices(me.user, Some(me.device)).await?;
    close_logins(&api, me.user, ended, "logged out");
    Ok(HttpResponse::NoContent().finish())
}

/// A ticket for the handshake.
pub(in crate::http) async fn ticket(api: Shared, request: HttpRequest, me: Who) -> Answer {
    idempotency::once(&api, &request, me.user, &[], || async {
        let (ticket, expires_at) = api.authenticator.ticket(&me, now())?;
        Ok(HttpResponse::Created().json(Ticket { ticket, expires_at }))
    })
    .await
}
