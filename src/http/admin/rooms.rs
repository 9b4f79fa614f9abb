//! Rooms, as operators see them: everything but what is said in them.

use actix_web::{HttpRequest, HttpResponse, web};
use rookery_core::{
    event::{RoomChange, RoomKind, Visibility},
    frame::client,
    ids::{RoomId, Seq},
    room::Intent,
    shard::Epoch,
    time::Millis,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{By, Shared, audit, write};
use crate::{
    actors::{
        digest::hex,
        ports::{Digest, Written},
    },
    http::{
        Answer, Api, Problem,
        answer::paging,
        request::{Body, Parameters},
        routes::query,
    },
    store::{Page, record::RoomRecord},
};

/// A room, as operators see it.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AdminRoom {
    /// Which.
    id: RoomId,
    /// What sort.
    kind: RoomKind,
    /// Its name; empty for a direct room.
    name: String,
    /// Who may find and join it.
    visibility: Visibility,
    /// Whether it is closed for writing.
    archived: bool,
    /// Since when.
    created_at: Millis,
    /// How many members.
    members: u64,
    /// Its last event.
    head: Seq,
    /// Whether it is in memory.
    awake: bool,
    /// Its shard.
    shard: u16,
    /// The node that should own it.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    /// The epoch that it commits under.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<Epoch>,
    /// What waits in its mailbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<usize>,
    /// How many hubs listen.
    #[serde(skip_serializing_if = "Option::is_none")]
    interest: Option<usize>,
    /// Whether it is shut because it panics.
    quarantined: bool,
}

/// What to change of a room.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AdminRoomChange)]
pub(in crate::http) struct Change {
    /// Close it for writing, or open it again.
    #[serde(default)]
    archived: Option<bool>,
    /// Only `false`: let it try again.
    #[serde(default)]
    quarantined: Option<bool>,
}

/// What to tell a room.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Announcement {
    /// The words.
    #[schema(min_length = 1)]
    text: String,
}

/// Where an announcement stands.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Announced {
    /// Its place in the log.
    seq: Seq,
}

/// A room's log in 32 bytes.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct RoomDigest {
    /// Which room.
    room: RoomId,
    /// The epoch that it commits under; 0 while it sleeps.
    epoch: Epoch,
    /// Its last event.
    head: Seq,
    /// SHA-256, rolled over every event's seq, sender, client_id and content.
    digest: String,
    /// The same as every node sees it that answers.
    nodes: Vec<NodeDigest>,
}

/// A room's log as one node sees it.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct NodeDigest {
    /// Which node.
    node: String,
    /// The epoch under which it owns the room, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<Epoch>,
    /// The last event.
    head: Seq,
    /// As above.
    digest: String,
}

async fn view(api: &Api, record: RoomRecord, head: Seq) -> Result<AdminRoom, Problem> {
    let state = api.gateway.room_state(record.id).await;
    Ok(AdminRoom {
        id: record.id,
        kind: record.kind,
        name: record.name,
        visibility: record.visibility,
        archived: record.archived,
        created_at: record.created_at,
        members: record.members,
        head,
        awake: state.awake,
        shard: record.id.shard().0,
        owner: api.cluster.owner(record.id.shard()),
        epoch: state.epoch,
        queue: state.awake.then_some(state.queue),
        interest: state.awake.then_some(state.interest),
        quarantined: state.quarantined,
    })
}

async fn existing(api: &Api, room: RoomId) -> Result<RoomRecord, Problem> {
    let record = api.directory.room(room).await?.filter(|record| !record.deleted);
    record.ok_or_else(|| Problem::not_found("room"))
}

/// Rooms by the beginning of name or id; all of them when nothing is said.
pub(in crate::http) async fn search(api: Shared, request: HttpRequest, parameters: Parameters) -> Answer {
    let query = query(&parameters)?.unwrap_or_default();
    let page = api.directory.search_rooms(query, parameters.range()?).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for record in page.items {
        // A list wakes no room: how far each is that sleeps elsewhere is said as it was written down.
        let head = api.log.published(record.id).await?;
        items.push(view(&api, record, head).await?);
    }
    Ok(paging::list(&request, Page { items, next: page.next }))
}

/// One room.
pub(in crate::http) async fn show(api: Shared, room: web::Path<RoomId>) -> Answer {
    let record = existing(&api, *room).await?;
    let head = api.log.head(record.id).await?;
    Ok(HttpResponse::Ok().json(view(&api, record, head).await?))
}

/// Archives, opens, lets a quarantined room try again.
pub(in crate::http) async fn change(
    api: Shared,
    request: HttpRequest,
    by: By,
    room: web::Path<RoomId>,
    body: Body<Change>,
) -> Answer {
    let by = by.into_inner();
    existing(&api, *room).await?;
    if body.value.quarantined == Some(true) {
        return Err(Problem::field("quarantined", "invalid", "only false: a room is quarantined by its own doing"));
    }
    if body.value.quarantined == Some(false) {
        api.gateway.release(*room).await;
        audit(&api, by, "room.release", room.to_string(), String::new()).await?;
    }
    if let Some(archived) = body.value.archived {
        let change = RoomChange { archived: Some(archived), ..RoomChange::default() };
        write(&api, &request, by, *room, Intent::Change(change)).await?;
        let action = if archived { "room.archive" } else { "room.open" };
        audit(&api, by, action, room.to_string(), String::new()).await?;
    }
    let record = existing(&api, *room).await?;
    let head = api.log.head(record.id).await?;
    Ok(HttpResponse::Ok().json(view(&api, record, head).await?))
}

/// Ends a room.
pub(in crate::http) async fn end(api: Shared, request: HttpRequest, by: By, room: web::Path<RoomId>) -> Answer {
    existing(&api, *room).await?;
    write(&api, &request, by.clone().into_inner(), *room, Intent::End).await?;
    audit(&api, by.into_inner(), "room.delete", room.to_string(), String::new()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Tells everybody in a room something.
pub(in crate::http) async fn announce(
    api: Shared,
    request: HttpRequest,
    by: By,
    room: web::Path<RoomId>,
    body: Body<Announcement>,
) -> Answer {
    let text = body.value.text;
    client::body(&text, &api.live.limits()).map_err(|mut refusal| {
        refusal.field = Some("text");
        refusal
    })?;
    existing(&api, *room).await?;
    let by = by.into_inner();
    let written = write(&api, &request, by, *room, Intent::Announce { text }).await?;
    audit(&api, by, "room.announce", room.to_string(), String::new()).await?;
    let seq = match written {
        Written::Done { seq, .. } => seq,
        Written::Unchanged => api.log.head(*room).await?,
    };
    Ok(HttpResponse::Created().json(Announced { seq }))
}

/// The digest of a room's log, as every node sees it.
pub(in crate::http) async fn digest(api: Shared, room: web::Path<RoomId>) -> Answer {
    existing(&api, *room).await?;
    let (head, hash) = crate::actors::digest::digest(&*api.log, *room).await?;
    let epoch = api.gateway.room_state(*room).await.epoch.unwrap_or_default();
    let digests = api.cluster.digests(*room).await.into_iter();
    let nodes = digests.map(|Digest { node, epoch, head, digest }| NodeDigest { node, epoch, head, digest }).collect();
    Ok(HttpResponse::Ok().json(RoomDigest { room: *room, epoch, head, digest: hex(&hash), nodes }))
}
