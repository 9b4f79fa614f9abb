//! The server itself, as operators see it: overview, settings, audit log, metrics.

use actix_web::{HttpRequest, HttpResponse};
use rookery_core::{ids::RoomId, time::Millis};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    By, Shared, audit as write_audit,
    nodes::{self, AdminNode},
};
use crate::{
    config::{ConfigError, Item, SECRETS},
    http::{
        Answer, Problem,
        answer::paging,
        request::{Body, Parameters},
    },
    store::{Page, record::AuditEntry},
};

/// How the server is.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Overview {
    /// Its version.
    version: &'static str,
    /// This node's name.
    node: String,
    /// Since when it runs.
    started_at: Millis,
    /// Connections.
    sessions: usize,
    /// Accounts that are not gone.
    users: u64,
    /// Rooms that have not ended.
    rooms: u64,
    /// Rooms in memory.
    rooms_awake: usize,
    /// Durable writes per second: an average in which what was ten seconds ago weighs a third.
    sends_per_second: f64,
    /// The store.
    store: StoreOverview,
    /// Rooms of this node that are shut because they panic.
    quarantined: Vec<RoomId>,
    /// Every node, by name; the numbers above are this node's.
    nodes: Vec<AdminNode>,
}

/// How the store is.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct StoreOverview {
    /// `ok`, `full` when its queue takes nothing more, `unavailable` when it does not answer.
    state: &'static str,
    /// Appends that wait.
    queue: usize,
}

/// Every setting.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Settings {
    /// In alphabetical order.
    items: Vec<Item>,
}

/// Settings to change: `section.key` and value.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub(in crate::http) struct SettingsChange(Map<String, Value>);

/// One line of the audit log.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(in crate::http) struct AuditLine {
    /// When.
    at: Millis,
    /// A user's id, or `bootstrap`.
    actor: String,
    /// What.
    action: String,
    /// To whom or what.
    subject: String,
    /// More, for people.
    detail: String,
}

impl From<AuditEntry> for AuditLine {
    fn from(entry: AuditEntry) -> Self {
        let AuditEntry { at, actor, action, subject, detail } = entry;
        Self { at, actor, action, subject, detail }
    }
}

/// How the server is.
pub(in crate::http) async fn overview(api: Shared, parameters: Parameters) -> Answer {
    parameters.end()?;
    let pulse = api.gateway.pulse().await;
    let counts = api.directory.counts().await;
    let queue = api.log.queue_length();
    let state = match &counts {
        Err(_) => "unavailable",
        Ok(_) if queue >= api.log.queue_bound() => "full",
        Ok(_) => "ok",
    };
    // An operator wants to see the rest above all when the store does not answer.
    let counts = counts.unwrap_or_default();
    Ok(HttpResponse::Ok().json(Overview {
        version: env!("CARGO_PKG_VERSION"),
        node: pulse.node,
        started_at: api.started_at,
        sessions: pulse.sessions,
        users: counts.users,
        rooms: counts.rooms,
        rooms_awake: pulse.rooms_awake,
        sends_per_second: pulse.sends_per_second,
        store: StoreOverview { state, queue },
        quarantined: pulse.quarantined,
        nodes: nodes::all(&api).await,
    }))
}

/// Every setting, with where it comes from.
pub(in crate::http) async fn config(api: Shared, parameters: Parameters) -> Answer {
    parameters.end()?;
    Ok(HttpResponse::Ok().json(Settings { items: api.live.listing() }))
}

/// Changes settings, all or none.
pub(in crate::http) async fn change_config(api: Shared, by: By, body: Body<SettingsChange>) -> Answer {
    let changes = body.value.0;
    api.live.change(&changes).map_err(refused)?;
    for (key, value) in &changes {
        let shown = if SECRETS.contains(&key.as_str()) { "(not shown)".to_owned() } else { value.to_string() };
        write_audit(&api, *by.clone(), "config.change", key.clone(), shown).await?;
    }
    Ok(HttpResponse::Ok().json(Settings { items: api.live.listing() }))
}

/// Names of files are not for the answer: a configuration file is not read here.
fn refused(error: ConfigError) -> Problem {
    let detail = error.to_string();
    Problem::field(error.key().unwrap_or_default(), "invalid", detail)
}

/// The audit log, newest first.
pub(in crate::http) async fn audit(api: Shared, request: HttpRequest, parameters: Parameters) -> Answer {
    let page = api.directory.audit_log(parameters.range()?).await?;
    let items = page.items.into_iter().map(AuditLine::from).collect();
    Ok(paging::list(&request, Page::<AuditLine> { items, next: page.next }))
}

/// Everything that is counted, for Prometheus.
pub(in crate::http) async fn metrics(api: Shared) -> HttpResponse {
    // What is a state and not a count is asked for now, so that a scrape sees it as it is.
    let pulse = api.gateway.pulse().await;
    set("rookery_ws_connections", pulse.sessions);
    set("rookery_rooms_awake", pulse.rooms_awake);
    set("rookery_store_queue", api.log.queue_length());
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(api.metrics.render())
}

fn set(gauge: &'static str, value: usize) {
    metrics::gauge!(gauge).set(f64::from(u32::try_from(value).unwrap_or(u32::MAX)));
}
