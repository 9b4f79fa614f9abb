//! Every route and who may use it: one table, from which the routes are registered and with which the contract is compared.

use std::rc::Rc;

use Access::{Admin, Linked, Member, Open, User};
use actix_web::{
    Error, HttpMessage as _, HttpResponse,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, StatusCode},
    middleware::{Next, from_fn},
    web::{self, ServiceConfig, delete, get, patch, post, put},
};
use rookery_core::{
    event::Visibility,
    frame::Code,
    ids::{RoomId, UserId},
};

use super::{
    Api, Problem, admin, docs,
    request::{accepts_json, address_of, identify, identify_by_link},
    routes::{
        accounts, contacts, health, history, logins, me, media, members, messages, reactions, rooms, settings, users,
    },
    site,
};
use crate::clock::now;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody; what changes something counts against the address.
    Open,
    /// Who is logged in. What they may do in a room is for the room to say.
    User,
    /// Who is in the room that the path names.
    Member,
    /// Who is logged in, or has a link to the file that the path names. What is answered is no JSON.
    Linked,
    /// Operators.
    Admin,
}

/// One route.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// What is done.
    to: fn() -> actix_web::Route,
}

const fn route(method: Method, path: &'static str, access: Access, to: fn() -> actix_web::Route) -> Route {
    Route { method, path, access, to }
}

/// The routes of the public listener.
#[must_use]
pub fn public() -> Vec<Route> {
    let mut table = site_and_docs();
    table.extend(people());
    table.extend(conversations());
    table.extend(files());
    table
}

fn site_and_docs() -> Vec<Route> {
    vec![
        route(Method::GET, "/", Open, || get().to(site::index)),
        route(Method::GET, "/assets/{file}", Open, || get().to(site::asset)),
        route(Method::GET, "/healthz", Open, || get().to(health::alive)),
        route(Method::GET, "/readyz", Open, || get().to(health::ready)),
        route(Method::GET, "/docs", Open, || get().to(docs::index)),
        route(Method::GET, "/docs/{page}", Open, || get().to(docs::page)),
        route(Method::GET, "/docs/adr/{decision}", Open, || get().to(docs::decision)),
    ]
}

fn people() -> Vec<Route> {
    const CONTACT: &str = "/api/v1/contacts/{user}";
    const BLOCK: &str = "/api/v1/blocks/{user}";
    vec![
        route(Method::POST, "/api/v1/accounts", Open, || post().to(accounts::create)),
        route(Method::POST, "/api/v1/logins", Open, || post().to(logins::create)),
        route(Method::GET, "/api/v1/logins", User, || get().to(logins::list)),
        route(Method::DELETE, "/api/v1/logins", User, || delete().to(logins::end_others)),
        route(Method::DELETE, "/api/v1/logins/current", User, || delete().to(logins::end_current)),
        route(Method::DELETE, "/api/v1/logins/{device}", User, || delete().to(logins::end)),
        route(Method::GET, "/api/v1/me", User, || get().to(me::show)),
        route(Method::PATCH, "/api/v1/me", User, || patch().to(me::change)),
        route(Method::DELETE, "/api/v1/me", User, || delete().to(me::erase)),
        route(Method::POST, "/api/v1/me/password", User, || post().to(me::change_password)),
        route(Method::GET, "/api/v1/users", User, || get().to(users::search)),
        route(Method::GET, "/api/v1/users/{user}", User, || get().to(users::show)),
        route(Method::GET, "/api/v1/contacts", User, || get().to(contacts::list)),
        route(Method::GET, CONTACT, User, || get().to(contacts::show)),
        route(Method::PUT, CONTACT, User, || put().to(contacts::put)),
        route(Method::DELETE, CONTACT, User, || delete().to(contacts::remove)),
        route(Method::GET, "/api/v1/blocks", User, || get().to(contacts::list_blocks)),
        route(Method::GET, BLOCK, User, || get().to(contacts::show_block)),
        route(Method::PUT, BLOCK, User, || put().to(contacts::block)),
        route(Method::DELETE, BLOCK, User, || delete().to(contacts::unblock)),
        route(Method::POST, "/api/v1/tickets", User, || post().to(logins::ticket)),
    ]
}

fn conversations() -> Vec<Route> {
    const ROOM: &str = "/api/v1/rooms/{room}";
    const MEMBER: &str = "/api/v1/rooms/{room}/members/{user}";
    const MESSAGES: &str = "/api/v1/rooms/{room}/messages";
    const MESSAGE: &str = "/api/v1/rooms/{room}/messages/{seq}";
    const REACTIONS: &str = "/api/v1/rooms/{room}/messages/{seq}/reactions";
    const REACTION: &str = "/api/v1/rooms/{room}/messages/{seq}/reactions/{emoji}";
    vec![
        route(Method::POST, "/api/v1/rooms", User, || post().to(rooms::create)),
        route(Method::GET, "/api/v1/rooms", User, || get().to(rooms::list)),
        route(Method::PUT, "/api/v1/direct/{user}", User, || put().to(rooms::direct)),
        route(Method::GET, ROOM, User, || get().to(rooms::show)),
        route(Method::PATCH, ROOM, User, || patch().to(rooms::change)),
        route(Method::DELETE, ROOM, User, || delete().to(rooms::end)),
        route(Method::GET, "/api/v1/rooms/{room}/members", Member, || get().to(members::list)),
        route(Method::PUT, MEMBER, User, || put().to(members::put)),
        route(Method::DELETE, MEMBER, User, || delete().to(members::remove)),
        route(Method::POST, MESSAGES, User, || post().to(messages::send)),
        route(Method::GET, MESSAGES, Member, || get().to(history::messages)),
        route(Method::GET, "/api/v1/rooms/{room}/events", Member, || get().to(history::events)),
        route(Method::GET, "/api/v1/rooms/{room}/outcomes/{client_id}", Member, || get().to(history::outcome)),
        route(Method::PATCH, MESSAGE, User, || patch().to(messages::edit)),
        route(Method::DELETE, MESSAGE, User, || delete().to(messages::remove)),
        route(Method::GET, REACTIONS, Member, || get().to(reactions::list)),
        route(Method::PUT, REACTION, User, || put().to(reactions::add)),
        route(Method::DELETE, REACTION, User, || delete().to(reactions::take_back)),
        route(Method::PUT, "/api/v1/rooms/{room}/marks", User, || put().to(settings::mark)),
        route(Method::PUT, "/api/v1/rooms/{room}/notifications", Member, || put().to(settings::notify)),
    ]
}

fn files() -> Vec<Route> {
    const FILE: &str = "/api/v1/media/{media}";
    vec![
        route(Method::POST, "/api/v1/rooms/{room}/media", Member, || post().to(media::begin)),
        route(Method::GET, FILE, User, || get().to(media::show)),
        route(Method::DELETE, FILE, User, || delete().to(media::remove)),
        route(Method::PUT, "/api/v1/media/{media}/parts/{part}", User, || put().to(media::parts::put)),
        route(Method::POST, "/api/v1/media/{media}/complete", User, || post().to(media::complete)),
        route(Method::GET, "/api/v1/media/{media}/content", Linked, || get().to(media::content::whole)),
        route(Method::GET, "/api/v1/media/{media}/thumbnail", Linked, || get().to(media::content::thumbnail)),
        route(Method::POST, "/api/v1/media/{media}/links", User, || post().to(media::link)),
    ]
}

/// The routes of the operators' listener.
#[must_use]
pub fn operators() -> Vec<Route> {
    const USER: &str = "/admin/v1/users/{user}";
    const ROOM: &str = "/admin/v1/rooms/{room}";
    vec![
        route(Method::GET, "/", Open, || get().to(site::operators_index)),
        route(Method::GET, "/assets/{file}", Open, || get().to(site::operators_asset)),
        route(Method::GET, "/healthz", Open, || get().to(health::alive)),
        route(Method::GET, "/readyz", Open, || get().to(health::ready)),
        route(Method::GET, "/metrics", Admin, || get().to(admin::server::metrics)),
        route(Method::GET, "/admin/v1/overview", Admin, || get().to(admin::server::overview)),
        route(Method::GET, "/admin/v1/nodes", Admin, || get().to(admin::nodes::list)),
        route(Method::GET, "/admin/v1/nodes/{node}", Admin, || get().to(admin::nodes::show)),
        route(Method::POST, "/admin/v1/nodes/{node}/drain", Admin, || post().to(admin::nodes::drain)),
        route(Method::POST, "/admin/v1/nodes/{node}/resume", Admin, || post().to(admin::nodes::resume)),
        route(Method::GET, "/admin/v1/shards", Admin, || get().to(admin::nodes::shards)),
        route(Method::POST, "/admin/v1/shards/{shard}/move", Admin, || post().to(admin::nodes::move_shard)),
        route(Method::GET, "/admin/v1/users", Admin, || get().to(admin::users::search)),
        route(Method::GET, USER, Admin, || get().to(admin::users::show)),
        route(Method::PATCH, USER, Admin, || patch().to(admin::users::change)),
        route(Method::DELETE, USER, Admin, || delete().to(admin::users::erase)),
        route(Method::GET, "/admin/v1/users/{user}/sessions", Admin, || get().to(admin::sessions::of_user)),
        route(Method::GET, "/admin/v1/sessions", Admin, || get().to(admin::sessions::list)),
        route(Method::DELETE, "/admin/v1/sessions/{session}", Admin, || delete().to(admin::sessions::close)),
        route(Method::GET, "/admin/v1/rooms", Admin, || get().to(admin::rooms::search)),
        route(Method::GET, ROOM, Admin, || get().to(admin::rooms::show)),
        route(Method::PATCH, ROOM, Admin, || patch().to(admin::rooms::change)),
        route(Method::DELETE, ROOM, Admin, || delete().to(admin::rooms::end)),
        route(Method::POST, "/admin/v1/rooms/{room}/announce", Admin, || post().to(admin::rooms::announce)),
        route(Method::GET, "/admin/v1/rooms/{room}/digest", Admin, || get().to(admin::rooms::digest)),
        route(Method::GET, "/admin/v1/config", Admin, || get().to(admin::server::config)),
        route(Method::PATCH, "/admin/v1/config", Admin, || patch().to(admin::server::change_config)),
        route(Method::GET, "/admin/v1/audit", Admin, || get().to(admin::server::audit)),
    ]
}

/// Registers a table: a resource per path, with its gate in front.
pub(super) fn register(config: &mut ServiceConfig, table: Vec<Route>) {
    let mut paths: Vec<&'static str> = Vec::new();
    for route in &table {
        if !paths.contains(&route.path) {
            paths.push(route.path);
        }
    }
    // What does not look like an id names nothing that there is.
    config.app_data(web::PathConfig::default().error_handler(|_, _| Problem::not_found("thing").into()));
    for path in paths {
        let of_path: Vec<&Route> = table.iter().filter(|route| route.path == path).collect();
        let mut names: Vec<&str> = of_path.iter().map(|route| route.method.as_str()).collect();
        if names.contains(&"GET") {
            names.push("HEAD");
        }
        let allow = names.join(", ");
        let levels: Rc<[(Method, Access)]> = of_path.iter().map(|route| (route.method.clone(), route.access)).collect();
        let mut resource = web::resource(path);
        for route in of_path {
            resource = resource.route((route.to)());
        }
        let resource = resource
            .default_service(web::to(move || {
                let allow = allow.clone();
                async move { Err::<HttpResponse, Problem>(wrong_method(allow)) }
            }))
            .wrap(from_fn(move |request, next| gate(Rc::clone(&levels), request, next)));
        config.service(resource);
    }
}

fn wrong_method(allow: String) -> Problem {
    let mut problem = Problem::new(Code::BadRequest, format!("this path has {allow}"));
    problem.allow = Some(allow);
    problem.with_status(StatusCode::METHOD_NOT_ALLOWED)
}

/// Whether the path answers JSON; pages, health and metrics are text, for whoever asks.
fn is_json(path: &str) -> bool {
    path.starts_with("/api/") || path.starts_with("/admin/")
}

async fn gate(
    levels: Rc<[(Method, Access)]>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let level = levels.iter().find(|(method, _)| method == request.method()).map(|(_, access)| *access);
    let Some(access) = level else { return next.call(request).await };
    if access != Linked && is_json(request.path()) && !accepts_json(request.headers()) {
        let problem = Problem::new(Code::BadRequest, "this path answers application/json");
        return Ok(request.error_response(problem.with_status(StatusCode::NOT_ACCEPTABLE)));
    }
    match admit(&request, access).await {
        Ok(()) => next.call(request).await,
        Err(problem) => Ok(request.error_response(problem)),
    }
}

/// Whether the request may pass; leaves who asks for the handler.
async fn admit(request: &ServiceRequest, access: Access) -> Result<(), Problem> {
    let Some(api) = request.app_data::<web::Data<Api>>().cloned() else {
        return Err(Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR));
    };
    let (now, config) = (now(), api.live.config());
    match access {
        Open if request.method().is_safe() => Ok(()),
        Open => Ok(api.limiter.address(address_of(request.request()), &config, now)?),
        Admin => {
            let operator = admin::operator(&api, request.request(), now).await?;
            request.extensions_mut().insert(operator);
            Ok(())
        }
        User | Member | Linked => {
            let identity = match access {
                Linked => identify_by_link(&api, request.request(), now).await?,
                _ => identify(&api, request.request(), now).await?,
            };
            api.limiter.user(identity.user, api.gateway.shares(identity.user), &config, now)?;
            if access == Member {
                let room = request.match_info().get("room").and_then(|room| room.parse().ok());
                admit_member(&api, request, room, identity.user).await?;
            }
            request.extensions_mut().insert(identity);
            Ok(())
        }
    }
}

async fn admit_member(api: &Api, request: &ServiceRequest, room: Option<RoomId>, user: UserId) -> Result<(), Problem> {
    let room = room.ok_or_else(|| Problem::not_found("room"))?;
    if let Some(membership) = api.directory.membership(room, user).await? {
        request.extensions_mut().insert(membership);
        return Ok(());
    }
    match api.directory.room(room).await? {
        Some(record) if record.visibility == Visibility::Public && !record.deleted => {
            Err(Problem::new(Code::NotMember, "join the room first"))
        }
        _ => Err(Problem::not_found("room")),
    }
}
