//! The gate in front of every route, over the store in memory and with actors that must not be reached.

mod actors;
mod browsers;
mod gate;

use std::sync::Arc;

use actix_web::{
    body::{BoxBody, to_bytes},
    dev::{Service, ServiceResponse},
    test::{TestRequest, init_service},
    web,
};
use rookery_core::time::Millis;
use serde_json::Value;

use super::{Api, Limiter, Readiness, operators, public};
use crate::{
    auth::{Accounts, Authenticator, Bootstrap, NewAccount},
    config::{Config, Live, Overrides},
    media::{Media, Objects},
    store::{memory::MemoryStore, record::PlatformRole},
};

const PASSWORD: &str = "umbrella-stand-42";
const BOOTSTRAP: &str = "the-first-token";

/// What came back.
struct Got {
    status: u16,
    headers: actix_web::http::header::HeaderMap,
    body: Value,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn api(set: &[&str]) -> web::Data<Api> {
    let usual = ["auth.password_memory_kib=64", "auth.password_passes=1"];
    let set = usual.iter().chain(set).map(ToString::to_string).collect();
    let live = Arc::new(Live::new(Config::load(&Overrides { set, ..Overrides::default() }).unwrap()));
    let store = Arc::new(MemoryStore::new());
    let token = secrecy::SecretString::from(BOOTSTRAP);
    web::Data::new(Api {
        directory: Arc::clone(&store) as _,
        log: Arc::clone(&store) as _,
        gateway: Arc::new(actors::Unreachable),
        cluster: Arc::new(actors::Unreachable),
        media: Arc::new(Media::new(Arc::clone(&store) as _, Objects::in_memory(), live.config().media.clone())),
        accounts: Arc::new(Accounts::new(Arc::clone(&store) as _, Arc::clone(&live)).unwrap()),
        authenticator: Arc::new(Authenticator::new(store)),
        bootstrap: Arc::new(Bootstrap::open(std::path::Path::new(""), Some(&token)).unwrap()),
        limiter: Arc::new(Limiter::default()),
        readiness: Arc::new(Readiness::default()),
        metrics: metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder().handle(),
        live,
        started_at: Millis(0),
    })
}

/// A token of a new user.
async fn token(api: &Api, handle: &str) -> String {
    let account = NewAccount {
        handle: handle.to_owned(),
        password: PASSWORD.to_owned(),
        display_name: None,
        email: None,
        role: PlatformRole::User,
    };
    let now = crate::clock::now();
    api.accounts.register(account, now).await.unwrap();
    api.accounts.log_in(handle, PASSWORD, None, [192, 0, 2, 1].into(), now).await.unwrap().token
}

async fn ask<S>(app: &S, request: TestRequest) -> Got
where
    S: Service<actix_http::Request, Response = ServiceResponse<BoxBody>, Error = actix_web::Error>,
{
    let response = app.call(request.to_request()).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = to_bytes(response.into_body()).await.unwrap();
    Got { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
}
