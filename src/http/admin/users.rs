//! Users, as operators see them.

use actix_web::{HttpRequest, HttpResponse, web};
use rookery_core::{ids::UserId, time::Millis};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{By, Operator, Shared, audit};
use crate::{
    auth,
    http::{
        Answer, Api, Problem,
        answer::{
            paging,
            view::{Me, ServerRole},
        },
        request::{Body, Parameters},
        routes::{close_logins, erase, open_logins, query, request_id},
    },
    store::{
        Page,
        record::{User, UserPatch},
    },
};

/// A user, as operators see them.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AdminUser {
    #[serde(flatten)]
    me: Me,
    /// Whether an operator has shut them out.
    disabled: bool,
    /// When they were last connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<Millis>,
    /// How many logins they have.
    devices: usize,
    /// How many connections they have.
    sessions: usize,
}

/// What to change of a user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AdminUserChange)]
pub(in crate::http) struct Change {
    /// Shut them out; every login ends.
    #[serde(default)]
    disabled: Option<bool>,
    /// What they may do on the whole server.
    #[serde(default)]
    role: Option<ServerRole>,
    /// Another password; every login ends.
    #[serde(default)]
    #[schema(format = Password)]
    password: Option<String>,
}

async fn view(api: &Api, user: User) -> Result<AdminUser, Problem> {
    let devices = open_logins(api, user.id).await?.len();
    let sessions = api.gateway.sessions_of(user.id).await.len();
    Ok(AdminUser { disabled: user.disabled, last_seen: user.last_seen, devices, sessions, me: user.into() })
}

/// Users by the beginning of handle or name; everybody when nothing is said.
pub(in crate::http) async fn search(api: Shared, request: HttpRequest, parameters: Parameters) -> Answer {
    let query = query(&parameters)?.unwrap_or_default().to_lowercase();
    let page = api.directory.search_users(query, true, parameters.range()?).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for user in page.items {
        items.push(view(&api, user).await?);
    }
    Ok(paging::list(&request, Page { items, next: page.next }))
}

/// One user.
pub(in crate::http) async fn show(api: Shared, user: web::Path<UserId>) -> Answer {
    let user = api.directory.user(*user).await?.ok_or_else(|| Problem::not_found("user"))?;
    Ok(HttpResponse::Ok().json(view(&api, user).await?))
}

/// Shuts out, lets in, changes role or password.
pub(in crate::http) async fn change(api: Shared, by: By, user: web::Path<UserId>, body: Body<Change>) -> Answer {
    let (id, by) = (*user, by.into_inner());
    let Change { disabled, role, password } = body.value;
    let found = api.directory.user(id).await?.filter(|user| !user.deleted);
    let mut user = found.ok_or_else(|| Problem::not_found("user"))?;
    if let Some(password) = password {
        auth::check_password_rules("password", &password)?;
        let ended = api.accounts.reset_password(id, &password).await?;
        close_logins(&api, id, ended, "password changed");
        audit(&api, by, "user.password", id.to_string(), String::new()).await?;
    }
    if let Some(role) = role {
        let patch = UserPatch { role: Some(role.into()), ..UserPatch::default() };
        user = api.directory.update_user(id, patch).await?;
        api.authenticator.forget_user(id);
        audit(&api, by, "user.role", id.to_string(), format!("{role:?}").to_lowercase()).await?;
    }
    if let Some(disabled) = disabled {
        user = set_disabled(&api, by, id, disabled).await?;
    }
    Ok(HttpResponse::Ok().json(view(&api, user).await?))
}

async fn set_disabled(api: &Api, by: Operator, id: UserId, disabled: bool) -> Result<User, Problem> {
    let patch = UserPatch { disabled: Some(disabled), ..UserPatch::default() };
    let user = api.directory.update_user(id, patch).await?;
    api.authenticator.forget_user(id);
    if disabled {
        let ended = api.directory.revoke_devices(id, None).await?;
        close_logins(api, id, ended, "disabled by an operator");
    }
    let action = if disabled { "user.disable" } else { "user.enable" };
    audit(api, by, action, id.to_string(), String::new()).await?;
    Ok(user)
}

/// Ends an account, as its owner could.
pub(in crate::http) async fn erase(api: Shared, request: HttpRequest, by: By, user: web::Path<UserId>) -> Answer {
    let found = api.directory.user(*user).await?.filter(|user| !user.deleted);
    let id = found.ok_or_else(|| Problem::not_found("user"))?.id;
    erase::erase(&api, id, &request_id(&request)).await?;
    audit(&api, by.into_inner(), "user.erase", id.to_string(), String::new()).await?;
    Ok(HttpResponse::NoContent().finish())
}
