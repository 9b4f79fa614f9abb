//! What people ask for, a file per noun. What is allowed in a room is for the room to say: here a request becomes an intent.

pub(super) mod accounts;
pub(super) mod contacts;
pub(super) mod erase;
pub(super) mod health;
pub(super) mod history;
pub(super) mod logins;
pub(super) mod me;
pub(super) mod media;
pub(super) mod members;
pub(super) mod messages;
pub(super) mod reactions;
pub(super) mod rooms;
pub(super) mod settings;
pub(super) mod users;

use actix_web::{HttpMessage as _, HttpRequest, web};
use rookery_core::{
    frame::{Code, Refusal},
    ids::{ClientId, DeviceId, RoomId, Seq, UserId},
    room::{Authority, Intent},
};
use uuid::Uuid;

use super::{Api, Problem, answer::headers::RequestId, request::Parameters};
use crate::{
    actors::ports::{Wanted, Written},
    auth::Identity,
    clock::now,
    store::record::{Device, User},
};

/// The handlers' way to everything.
type Shared = web::Data<Api>;
/// Who asks.
type Who = web::ReqData<Identity>;

/// Close code of a connection whose login has ended.
pub(super) const LOGIN_ENDED: u16 = 4003;

/// A write of somebody who is logged in, on their own authority.
struct Asked {
    room: RoomId,
    client_id: Option<ClientId>,
    seen: Seq,
    intent: Intent,
}

impl Asked {
    const fn new(room: RoomId, intent: Intent) -> Self {
        Self { room, client_id: None, seen: 0, intent }
    }
}

/// Asks the room, and waits until it is durable. Counts against the same budget as what comes over connections.
async fn write(api: &Api, request: &HttpRequest, me: &Identity, asked: Asked) -> Result<Written, Problem> {
    admit_write(api, me.user)?;
    let wanted = Wanted {
        room: asked.room,
        user: me.user,
        authority: Authority::Member,
        client_id: asked.client_id.unwrap_or_else(fresh_client_id),
        seen: asked.seen,
        intent: asked.intent,
        request_id: request_id(request),
    };
    Ok(api.gateway.write(wanted).await?)
}

fn admit_write(api: &Api, user: UserId) -> Result<(), Problem> {
    let refused = |wait| Refusal::new(Code::RateLimited, "too many writes").after(wait);
    Ok(api.gateway.admit_write(user).map_err(refused)?)
}

/// For a write whose client has no key of its own: it can only be sent once.
pub(super) fn fresh_client_id() -> ClientId {
    ClientId(Uuid::new_v4())
}

pub(super) fn request_id(request: &HttpRequest) -> String {
    request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
}

/// Ends what is open of logins that have ended.
pub(super) fn close_logins(api: &Api, user: UserId, devices: Vec<DeviceId>, reason: &'static str) {
    if devices.is_empty() {
        return;
    }
    api.authenticator.forget_devices(&devices);
    api.gateway.close_devices(user, devices, LOGIN_ENDED, reason);
}

/// The logins of a user that have not ended by themselves; the store keeps those too.
pub(super) async fn open_logins(api: &Api, user: UserId) -> Result<Vec<Device>, Problem> {
    let mut devices = api.directory.devices(user).await?;
    let now = now();
    devices.retain(|device| device.expires_at > now);
    Ok(devices)
}

/// Somebody with an account that is not gone.
async fn living(api: &Api, user: UserId) -> Result<User, Problem> {
    let found = api.directory.user(user).await?;
    found.filter(|user| !user.deleted).ok_or_else(|| Problem::not_found("user"))
}

/// The search words of a list; `None` if there are none.
pub(super) fn query(parameters: &Parameters) -> Result<Option<String>, Problem> {
    let query = parameters.text("query")?;
    if query.as_ref().is_some_and(|query| query.len() > 256) {
        return Err(Problem::field("query", "too_long", "at most 256 bytes"));
    }
    Ok(query)
}
