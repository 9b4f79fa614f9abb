//! What operators ask for, on their own listener; every change is written to the audit log.

pub(super) mod nodes;
pub(super) mod rooms;
pub(super) mod server;
pub(super) mod sessions;
pub(super) mod users;

use actix_web::{HttpRequest, web};
use rookery_core::{
    frame::Code,
    ids::UserId,
    room::{Authority, Intent},
    time::Millis,
};

use super::{
    Api, Problem,
    request::{Presented, identify, presented},
    routes::{fresh_client_id, request_id},
};
use crate::{
    actors::ports::{Wanted, Written},
    store::record::{AuditEntry, PlatformRole},
};

/// The handlers' way to everything.
type Shared = web::Data<Api>;
/// The operator who asks.
type By = web::ReqData<Operator>;

/// An operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// Who holds the first token.
    Bootstrap,
    /// A user who is an admin of the server.
    User(UserId),
}

impl Operator {
    /// As the audit log names them.
    fn name(self) -> String {
        match self {
            Self::Bootstrap => "bootstrap".to_owned(),
            Self::User(user) => user.to_string(),
        }
    }

    /// In whose name a room is written to: the holder of the first token is nobody in particular.
    fn author(self) -> UserId {
        match self {
            Self::Bootstrap => UserId(uuid::Uuid::nil()),
            Self::User(user) => user,
        }
    }
}

/// The operator who asks, if it is one.
pub(super) async fn operator(api: &Api, request: &HttpRequest, now: Millis) -> Result<Operator, Problem> {
    let config = api.live.config();
    if let Presented::Bearer(token) = presented(request.headers(), &config)?
        && api.bootstrap.is(&token)
    {
        return Ok(Operator::Bootstrap);
    }
    let identity = identify(api, request, now).await?;
    api.limiter.user(identity.user, api.gateway.shares(identity.user), &config, now)?;
    if identity.role != PlatformRole::Admin {
        tracing::warn!(user = %identity.user, path = request.path(), "not an operator");
        if api.limiter.notes_refusal(identity.user, now) {
            let (by, method) = (Operator::User(identity.user), request.method().to_string());
            audit(api, by, "admin.refused", request.path().to_owned(), method).await?;
        }
        return Err(Problem::new(Code::Forbidden, "only operators may do this"));
    }
    Ok(Operator::User(identity.user))
}

/// Writes a line to the audit log.
async fn audit(api: &Api, by: Operator, action: &str, subject: String, detail: String) -> Result<(), Problem> {
    let at = crate::clock::now();
    tracing::info!(actor = by.name(), action, subject, "audit");
    let entry = AuditEntry { at, actor: by.name(), action: action.to_owned(), subject, detail };
    Ok(api.directory.audit(entry).await?)
}

/// Writes to a room on the server's own authority.
async fn write(
    api: &Api,
    request: &HttpRequest,
    by: Operator,
    room: rookery_core::ids::RoomId,
    intent: Intent,
) -> Result<Written, Problem> {
    let wanted = Wanted {
        room,
        user: by.author(),
        authority: Authority::Server,
        client_id: fresh_client_id(),
        seen: 0,
        intent,
        request_id: request_id(request),
    };
    Ok(api.gateway.write(wanted).await?)
}
