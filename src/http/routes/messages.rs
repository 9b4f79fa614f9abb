//! Saying something, changing it, taking it back.

use actix_web::{HttpRequest, HttpResponse, web};
use rookery_core::{
    frame::client,
    ids::{ClientId, MediaId, RoomId, Seq, UserId},
    limits::MENTIONS,
    media::Attached,
    room::Intent,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Asked, Parameters, Shared, Who, fresh_client_id, write};
use crate::{
    actors::ports::Written,
    clock::now,
    http::{
        Answer, Problem,
        answer::view::Receipt,
        request::{Body, idempotency},
    },
};

/// A new message.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMessage)]
pub(in crate::http) struct MessageRequest {
    /// The idempotency key, made by the client.
    client_id: ClientId,
    /// The text: 1 to 16,384 bytes; may be empty with attachments.
    body: String,
    /// The newest seq of the room that the client had when it first tried.
    #[serde(default)]
    #[schema(maximum = 9_007_199_254_740_991_u64)]
    seen: Option<Seq>,
    /// The message it answers.
    #[serde(default)]
    #[schema(maximum = 9_007_199_254_740_991_u64)]
    reply_to: Option<Seq>,
    /// Who it names; up to 50.
    #[serde(default)]
    mentions: Vec<UserId>,
    /// The files that it carries, up to 10: one's own, of that room, and ready.
    #[serde(default)]
    attachments: Vec<MediaId>,
}

/// Another text for a message.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MessageChange)]
pub(in crate::http) struct Change {
    /// The idempotency key; made by the server if there is none.
    #[serde(default)]
    client_id: Option<ClientId>,
    /// The text.
    #[schema(min_length = 1)]
    body: String,
}

/// Says something.
pub(in crate::http) async fn send(
    api: Shared,
    request: HttpRequest,
    me: Who,
    room: web::Path<RoomId>,
    body: Body<MessageRequest>,
) -> Answer {
    let Body { value, raw } = body;
    client::said(&value.body, &value.attachments, &api.live.limits())?;
    client::in_range("seen", value.seen)?;
    client::in_range("reply_to", value.reply_to)?;
    client::at_most("mentions", value.mentions.len(), MENTIONS)?;
    idempotency::once(&api, &request, me.user, &raw, || async {
        let MessageRequest { client_id, body, seen, reply_to, mentions, attachments } = value;
        let attachments = attachments.into_iter().map(Attached::named).collect();
        let asked = Asked {
            room: *room,
            client_id: Some(client_id),
            seen: seen.unwrap_or(0),
            intent: Intent::Post { body, reply_to, mentions, attachments },
        };
        let receipt = receipt(*room, client_id, write(&api, &request, &me, asked).await?);
        let mut answer = if receipt.repeat { HttpResponse::Ok() } else { HttpResponse::Created() };
        Ok(answer.json(receipt))
    })
    .await
}

/// Changes a message.
pub(in crate::http) async fn edit(
    api: Shared,
    request: HttpRequest,
    me: Who,
    path: web::Path<(RoomId, Seq)>,
    body: Body<Change>,
) -> Answer {
    let (room, target) = position(path)?;
    let Change { client_id, body } = body.value;
    client::body(&body, &api.live.limits())?;
    let client_id = client_id.unwrap_or_else(fresh_client_id);
    let asked = Asked { client_id: Some(client_id), ..Asked::new(room, Intent::Edit { target, body }) };
    let written = write(&api, &request, &me, asked).await?;
    Ok(HttpResponse::Ok().json(receipt(room, client_id, written)))
}

/// Takes a message back.
pub(in crate::http) async fn remove(
    api: Shared,
    request: HttpRequest,
    me: Who,
    path: web::Path<(RoomId, Seq)>,
    parameters: Parameters,
) -> Answer {
    let (room, target) = position(path)?;
    let client_id = parameters.parsed::<ClientId>("client_id", "a UUID")?;
    parameters.end()?;
    write(&api, &request, &me, Asked { client_id, ..Asked::new(room, Intent::Delete { target }) }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The room and the message that a path names.
pub(super) fn position(path: web::Path<(RoomId, Seq)>) -> Result<(RoomId, Seq), Problem> {
    let (room, seq) = path.into_inner();
    client::in_range("seq", Some(seq))?;
    Ok((room, seq))
}

/// A text always makes an entry; the other case is for writes that may find everything as it should be.
fn receipt(room: RoomId, client_id: ClientId, written: Written) -> Receipt {
    match written {
        Written::Done { seq, at, repeat } => Receipt { room, seq, at, client_id, repeat },
        Written::Unchanged => Receipt { room, seq: 0, at: now(), client_id, repeat: true },
    }
}
