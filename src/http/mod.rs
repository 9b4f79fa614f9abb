//! HTTP: REST for people and for operators, the documentation, health; and the door of the WebSocket.

pub mod access;
mod admin;
mod answer;
mod docs;
#[cfg(test)]
mod openapi;
mod request;
mod routes;
pub mod server;
mod site;
pub mod ws;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use actix_web::{
    App, Error,
    body::BoxBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    middleware::from_fn,
    web,
};
pub use answer::{Answer, FieldProblem, Problem, ProblemBody, status_of};
pub use request::{Limiter, Presented, presented};
use rookery_core::time::Millis;

use crate::{
    actors::ports::{ClusterView, Gateway},
    auth::{Accounts, Authenticator, Bootstrap},
    config::Live,
    media::Media,
    store::{Directory, MessageLog},
};

/// Everything that the handlers need.
pub struct Api {
    /// People, logins, rooms.
    pub directory: Arc<dyn Directory>,
    /// What was said.
    pub log: Arc<dyn MessageLog>,
    /// The actors.
    pub gateway: Arc<dyn Gateway>,
    /// The nodes.
    pub cluster: Arc<dyn ClusterView>,
    /// The settings in force.
    pub live: Arc<Live>,
    /// Files.
    pub media: Arc<Media>,
    /// Passwords.
    pub accounts: Arc<Accounts>,
    /// Tokens and tickets.
    pub authenticator: Arc<Authenticator>,
    /// The first operator's token.
    pub bootstrap: Arc<Bootstrap>,
    /// Budgets of users and addresses, for REST and for the handshake.
    pub limiter: Arc<Limiter>,
    /// Whether new work is welcome.
    pub readiness: Arc<Readiness>,
    /// Renders the metrics.
    pub metrics: metrics_exporter_prometheus::PrometheusHandle,
    /// When the server started.
    pub started_at: Millis,
}

/// Whether new work is welcome: not while the server drains.
#[derive(Default)]
pub struct Readiness {
    draining: AtomicBool,
}

impl Readiness {
    /// From now on load balancers are told to look elsewhere.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the server is about to stop.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// The application of the public listener.
pub fn public(
    api: web::Data<Api>,
) -> App<
    impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<BoxBody>, Error = Error, InitError = ()>,
> {
    App::new()
        .app_data(api)
        .configure(|config| access::register(config, access::public()))
        .route(ws::PATH, web::to(ws::without_upgrade))
        .default_service(web::to(answer::no_such_path))
        .wrap(from_fn(answer::headers::outermost))
}

/// The application of the operators' listener.
pub fn operators(
    api: web::Data<Api>,
) -> App<
    impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<BoxBody>, Error = Error, InitError = ()>,
> {
    App::new()
        .app_data(api)
        .configure(|config| access::register(config, access::operators()))
        .default_service(web::to(answer::no_such_path))
        .wrap(from_fn(answer::headers::outermost))
}

#[cfg(test)]
mod tests;
