//! The listeners: REST and the WebSocket for people, plain or TLS; REST for operators.

use std::{io, net::TcpListener, time::Duration};

use actix_http::HttpService;
use actix_server::Server;
use actix_service::{fn_service, map_config};
use actix_web::{dev::AppConfig, web};

use super::{
    Api, operators, public,
    ws::{Edge, upgrade},
};
use crate::actors::Hub;

/// How long a client may take to send the head of a request.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// How long an idle connection for REST is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Connections per worker; actix's own limit of 25,600 would stop accepting without a word.
const CONNECTIONS: usize = 2_000_000;
/// Seconds that a worker waits at its end for requests that are under way; idle connections count too.
const LAST_REQUESTS: u64 = 1;

/// What the listeners are built from.
pub struct Listeners {
    /// For people.
    pub public: TcpListener,
    /// For operators.
    pub operators: TcpListener,
    /// The certificate of the public listener.
    pub tls: Option<rustls::ServerConfig>,
    /// Threads.
    pub workers: usize,
}

/// The beginning of every listener's service. A macro, since the types differ by what the service is built for.
macro_rules! timed {
    () => {
        HttpService::build().client_request_timeout(HEAD_TIME).keep_alive(KEEP_ALIVE).tcp_nodelay(true)
    };
}

/// The service for people, over whatever comes last: TCP or TLS.
macro_rules! for_people {
    ($api:ident, $edge:ident) => {{
        // Each worker has its hub from the start, so that nobody waits for one that never comes.
        let _ = Hub::here(&$edge.router);
        let edge = $edge.clone();
        timed!()
            .upgrade(fn_service(move |asked| upgrade(asked, edge.clone())))
            .finish(map_config(public($api.clone()), |_| AppConfig::default()))
    }};
}

/// Starts the listeners; serves once awaited.
///
/// # Errors
/// A listener cannot be used.
pub fn serve(listeners: Listeners, edge: Edge, api: Api) -> io::Result<Server> {
    let api = web::Data::new(api);
    let builder = Server::build()
        .workers(listeners.workers)
        .max_concurrent_connections(CONNECTIONS)
        .shutdown_timeout(LAST_REQUESTS)
        .disable_signals();
    let operator_api = api.clone();
    let builder = builder.listen("operators", listeners.operators, move || {
        timed!().finish(map_config(operators(operator_api.clone()), |_| AppConfig::default())).tcp()
    })?;
    let builder = match listeners.tls {
        None => builder.listen("public", listeners.public, move || for_people!(api, edge).tcp())?,
        Some(tls) => {
            builder.listen("public", listeners.public, move || for_people!(api, edge).rustls_0_23(tls.clone()))?
        }
    };
    Ok(builder.run())
}
