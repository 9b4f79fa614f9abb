//! Nodes and shards, as operators see them and move them about.

use actix_web::{HttpRequest, HttpResponse, web};
use rookery_core::{
    frame::{Code, Refusal},
    ids::{SHARDS, ShardId},
    shard::Epoch,
    time::Millis,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{By, Shared, audit};
use crate::{
    actors::ports::{LinkView, NodeState, NotDone, Pulse, ShardView},
    http::{
        Answer, Api, Problem,
        answer::paging,
        request::{Body, Parameters},
    },
    store::Page,
};

/// The name of the list of shards in its cursors.
const SHARD_LIST: &str = "shards";

/// A node.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AdminNode {
    /// Its name.
    node: String,
    /// Which life of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    incarnation: Option<u64>,
    /// Whether it is the one that answers.
    here: bool,
    /// Where people reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// What it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// Where other nodes reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// Whether it gives its shards away.
    draining: bool,
    /// Since when the one that answers sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Millis>,
    /// Whether it answers.
    answers: bool,
    /// Connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    sessions: Option<usize>,
    /// Rooms in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    rooms_awake: Option<usize>,
    /// Durable writes per second: an average in which what was ten seconds ago weighs a third.
    #[serde(skip_serializing_if = "Option::is_none")]
    sends_per_second: Option<f64>,
    /// Shards that are in use there.
    #[serde(skip_serializing_if = "Option::is_none")]
    shards: Option<usize>,
    /// Its links.
    links: Vec<AdminLink>,
}

/// One end of a link.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AdminLink {
    /// The node at the other end.
    to: String,
    /// Envelopes that wait.
    waiting: u64,
    /// Bytes that wait.
    waiting_bytes: u64,
    /// Envelopes that were shed since the link is up.
    shed: u64,
}

/// All nodes.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Nodes {
    /// By name.
    items: Vec<AdminNode>,
}

/// A shard.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AdminShard {
    /// Which.
    shard: u16,
    /// Who has claimed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<String>,
    /// Under which epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<Epoch>,
    /// Who should own it.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    /// Whether an operator moved it there.
    moved: bool,
    /// Why there.
    why: String,
}

/// Where to move a shard.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Move {
    /// The node; without it the shard goes where it would live by itself.
    #[serde(default)]
    to: Option<String>,
    /// Only say what would happen.
    #[serde(default)]
    dry_run: bool,
}

/// What a move does, or would do.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Moved {
    /// Whether it was only asked what would happen.
    dry_run: bool,
    /// The node that should own the shard then.
    to: String,
    /// Whether that is another node than now.
    changes: bool,
    /// The shard as it was before.
    before: AdminShard,
}

impl From<ShardView> for AdminShard {
    fn from(view: ShardView) -> Self {
        let ShardView { shard, holder, owner, moved, why } = view;
        let (holder, epoch) = holder.unzip();
        Self { shard: shard.0, holder, epoch, owner, moved, why }
    }
}

/// All nodes, with what each says of itself.
pub(super) async fn all(api: &Api) -> Vec<AdminNode> {
    let (pulses, links) = futures_util::future::join(api.gateway.pulses(), api.cluster.links()).await;
    api.cluster.nodes().into_iter().map(|node| with(node, &pulses, &links)).collect()
}

fn with(state: NodeState, pulses: &[Pulse], links: &[LinkView]) -> AdminNode {
    let NodeState { node, incarnation, here, url, version, address, draining, since } = state;
    let pulse = pulses.iter().find(|pulse| pulse.node == node);
    let link = |link: &LinkView| AdminLink {
        to: link.to.clone(),
        waiting: link.waiting,
        waiting_bytes: link.waiting_bytes,
        shed: link.shed,
    };
    AdminNode {
        answers: pulse.is_some(),
        sessions: pulse.map(|pulse| pulse.sessions),
        rooms_awake: pulse.map(|pulse| pulse.rooms_awake),
        sends_per_second: pulse.map(|pulse| pulse.sends_per_second),
        shards: pulse.map(|pulse| pulse.shards),
        links: links.iter().filter(|other| other.from == node).map(link).collect(),
        node,
        incarnation,
        here,
        url,
        version,
        address,
        draining,
        since,
    }
}

async fn one(api: &Api, name: &str) -> Result<AdminNode, Problem> {
    all(api).await.into_iter().find(|node| node.node == name).ok_or_else(|| Problem::not_found("node"))
}

fn refused(why: NotDone) -> Problem {
    match why {
        NotDone::NoSuchNode => Problem::not_found("node"),
        NotDone::Alone => Problem::new(Code::Conflict, "there is no other node that could have what it owns"),
        NotDone::Draining => Problem::new(Code::Conflict, "the node is draining"),
        NotDone::Silent => {
            Refusal::new(Code::Unavailable, "the node does not answer; look at whether it was done").after(1_000).into()
        }
    }
}

/// All nodes.
pub(in crate::http) async fn list(api: Shared, parameters: Parameters) -> Answer {
    parameters.end()?;
    Ok(HttpResponse::Ok().json(Nodes { items: all(&api).await }))
}

/// One node.
pub(in crate::http) async fn show(api: Shared, node: web::Path<String>) -> Answer {
    Ok(HttpResponse::Ok().json(one(&api, &node).await?))
}

/// Has a node give its shards away.
pub(in crate::http) async fn drain(api: Shared, by: By, node: web::Path<String>) -> Answer {
    set_draining(&api, by, node.into_inner(), true).await
}

/// Has a node take its part again.
pub(in crate::http) async fn resume(api: Shared, by: By, node: web::Path<String>) -> Answer {
    set_draining(&api, by, node.into_inner(), false).await
}

async fn set_draining(api: &Api, by: By, node: String, on: bool) -> Answer {
    api.cluster.drain(node.clone(), on).await.map_err(refused)?;
    let action = if on { "node.drain" } else { "node.resume" };
    audit(api, by.into_inner(), action, node, String::new()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Who owns what.
pub(in crate::http) async fn shards(api: Shared, request: HttpRequest, parameters: Parameters) -> Answer {
    let range = parameters.range()?;
    let all = api.cluster.shards().await;
    let page = paging::part(SHARD_LIST, all, |view| Uuid::from_u128(u128::from(view.shard.0)), &range)?;
    let items = page.items.into_iter().map(AdminShard::from).collect();
    Ok(paging::list(&request, Page::<AdminShard> { items, next: page.next }))
}

/// Moves a shard, or says what that would do.
pub(in crate::http) async fn move_shard(api: Shared, by: By, shard: web::Path<u16>, body: Body<Move>) -> Answer {
    let shard = ShardId(*shard);
    if shard.0 >= SHARDS {
        return Err(Problem::not_found("shard"));
    }
    let Move { to, dry_run } = body.value;
    let moved = api.cluster.move_shard(shard, to, dry_run).await.map_err(refused)?;
    if !dry_run {
        audit(&api, by.into_inner(), "shard.move", shard.0.to_string(), moved.to.clone()).await?;
    }
    let changes = moved.before.owner.as_ref() != Some(&moved.to);
    Ok(HttpResponse::Ok().json(Moved { dry_run, to: moved.to, changes, before: moved.before.into() }))
}
