//! Every WebSocket request of the port comes here, and none reaches the `App`: path, version, subprotocol, Origin,
//! authentication and limits are checked in this one place.

use std::{rc::Rc, time::Duration};

use actix_codec::Framed;
use actix_http::{Method, Request, RequestHead, h1, header, header::HeaderMap, ws};
use rookery_core::ids::SessionId;
use tokio::{io::AsyncWriteExt, sync::oneshot};
use uuid::Uuid;

use super::{Edge, PATH, Transport, connection::Connection, reader::Reader, refusal::Refused};
use crate::{
    actors::{
        Hub, clock,
        hub::Seat,
        registry::{Admission, Registered, RegistryMessage},
        session::Session,
    },
    auth::Identity,
    http::request::cookie,
};

/// The one subprotocol.
const PROTOCOL: &str = "rookery.v1.json";
/// Bytes that the kernel may hold for a reader that does not read.
const SEND_BUFFER: usize = 65_536;
/// How long writing the answer to a handshake may take.
const WRITE_TIME: Duration = Duration::from_secs(5);

/// Answers an upgrade request, and hands the socket to a session if all is well.
///
/// # Errors
/// The socket is gone.
pub async fn upgrade<T: Transport>(
    (request, framed): (Request, Framed<T, h1::Codec>),
    edge: Edge,
) -> Result<(), actix_web::Error> {
    let parts = framed.into_parts();
    let mut stream = parts.io;
    let request_id = request_id(request.head().headers());
    let admitted = admit(request.head(), &edge).await;
    // Answers to earlier requests of the connection that were not flushed yet go first.
    let mut answer = parts.write_buf.to_vec();
    match &admitted {
        Ok((key, _)) => answer.extend_from_slice(&switching_protocols(key, &request_id)),
        Err(refused) => answer.extend_from_slice(&refused.answer(&request_id)),
    }
    let written = tokio::time::timeout(WRITE_TIME, async {
        stream.write_all(&answer).await?;
        stream.flush().await
    });
    let written = matches!(written.await, Ok(Ok(())));
    metrics::counter!("rookery_handshakes_total", "accepted" => if admitted.is_ok() { "yes" } else { "no" })
        .increment(1);
    match admitted {
        Ok((_, place)) if written => start(stream, place, &parts.read_buf),
        Ok((_, place)) => place.give_up(),
        Err(refused) => {
            tracing::debug!(%request_id, ?refused, "a handshake was refused");
            let _ = stream.shutdown().await;
        }
    }
    Ok(())
}

/// A connection that is registered and has no seat yet.
struct Place {
    hub: Rc<Hub>,
    entry: Registered,
}

impl Place {
    fn give_up(self) {
        let Registered { user, session, .. } = self.entry;
        self.hub.router.to_registry(RegistryMessage::Unregister { user, session });
    }
}

fn start<T: Transport>(stream: T, place: Place, unread: &[u8]) {
    let buffers = socket2::SockRef::from(stream.tcp());
    if let Err(error) = buffers.set_send_buffer_size(SEND_BUFFER) {
        tracing::debug!(%error, "the send buffer of a socket stays as it is");
    }
    let Place { hub, entry } = place;
    let connection = Connection::new(stream.into_socket(), Rc::clone(&hub));
    let reader = Reader::new(Rc::clone(&connection), unread);
    let peer =
        rookery_core::session::Peer { session: entry.session, hub: entry.hub, user: entry.user, device: entry.device };
    let seat = Seat::new(peer, connection, &hub);
    match hub.take_seat(&seat) {
        Ok(()) => Session::start(seat, hub, reader),
        Err((code, reason)) => {
            seat.outbox.close(code, reason);
            Place { hub, entry }.give_up();
        }
    }
}

async fn admit(head: &RequestHead, edge: &Edge) -> Result<(Vec<u8>, Place), Refused> {
    let key = check_form(head)?;
    let hub = Hub::here(&edge.router).ok_or(Refused::unavailable("no worker has room"))?;
    if hub.is_draining() {
        return Err(Refused::unavailable("the node restarts"));
    }
    let identity = authenticate(head, edge).await?;
    let session = SessionId(Uuid::now_v7());
    let entry = Registered { user: identity.user, device: identity.device, session, hub: hub.index };
    let (reply, admission) = oneshot::channel();
    edge.router.to_registry(RegistryMessage::Register { entry, reply });
    match admission.await {
        Ok(Admission::Admitted) => Ok((key, Place { hub, entry })),
        Ok(Admission::TooMany) => Err(Refused::too_many()),
        Ok(Admission::Revoked) => Err(Refused::unauthenticated()),
        Err(_) => Err(Refused::unavailable("the registry restarts")),
    }
}

/// Method, path, version, key and subprotocol.
fn check_form(head: &RequestHead) -> Result<Vec<u8>, Refused> {
    if head.uri.path() != PATH {
        return Err(Refused::not_found());
    }
    if head.method != Method::GET {
        return Err(Refused::not_a_get());
    }
    let headers = head.headers();
    if text(headers, header::SEC_WEBSOCKET_VERSION) != Some("13") {
        return Err(Refused::version());
    }
    if ws::handshake(head).is_err() {
        return Err(Refused::bad_request("not a WebSocket handshake"));
    }
    let key = text(headers, header::SEC_WEBSOCKET_KEY).unwrap_or_default();
    let decoded = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, key);
    if decoded.map_or(0, |key| key.len()) != 16 {
        return Err(Refused::bad_request("sec-websocket-key must be 16 bytes in base64"));
    }
    let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).filter_map(|value| value.to_str().ok());
    if !offered.flat_map(|value| value.split(',')).any(|name| name.trim() == PROTOCOL) {
        return Err(Refused::bad_request("offer the subprotocol rookery.v1.json"));
    }
    Ok(key.as_bytes().to_vec())
}

async fn authenticate(head: &RequestHead, edge: &Edge) -> Result<Identity, Refused> {
    let headers = head.headers();
    let origin = headers.contains_key(header::ORIGIN).then(|| text(headers, header::ORIGIN).unwrap_or_default());
    if let Some(origin) = origin
        && !edge.live.config().allows_origin(origin)
    {
        return Err(Refused::forbidden("this origin may not connect"));
    }
    let now = clock::now();
    let query = head.uri.query().unwrap_or_default();
    let ticket = query.split('&').find_map(|pair| pair.strip_prefix("ticket="));
    let found = if let Some(bearer) = text(headers, header::AUTHORIZATION) {
        let token = bearer.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        edge.authenticator.by_token(token.map_or("", |(_, token)| token.trim()), now).await
    } else if let Some(ticket) = ticket {
        edge.authenticator.by_ticket(ticket, now).await
    } else if let Some(token) = cookie(headers) {
        if origin.is_none() {
            return Err(Refused::forbidden("a cookie is only taken with an Origin"));
        }
        edge.authenticator.by_token(&token, now).await
    } else {
        return Err(Refused::unauthenticated());
    };
    match found {
        Ok(Some(identity)) => Ok(identity),
        Ok(None) => Err(Refused::unauthenticated()),
        Err(error) => {
            tracing::warn!(%error, "a login could not be checked");
            Err(Refused::unavailable("the store cannot be reached"))
        }
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The client's own id for the request, if it is short and plain, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get("x-request-id").and_then(|value| value.to_str().ok());
    let plain = given.filter(|id| (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()));
    plain.map_or_else(|| Uuid::now_v7().to_string(), ToOwned::to_owned)
}

fn switching_protocols(key: &[u8], request_id: &str) -> Vec<u8> {
    let mut head = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n".to_vec();
    head.extend_from_slice(b"sec-websocket-accept: ");
    head.extend_from_slice(&ws::hash_key(key));
    head.extend_from_slice(
        format!("\r\nsec-websocket-protocol: {PROTOCOL}\r\nx-request-id: {request_id}\r\n\r\n").as_bytes(),
    );
    head
}
