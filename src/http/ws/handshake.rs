//! Every WebSocket request of the port comes here, and none reaches the `App`: path, version, subprotocol, Origin,
//! authentication and limits are checked in this one place.

use std::{
    net::{IpAddr, Ipv4Addr},
    rc::Rc,
    time::Duration,
};

use actix_codec::Framed;
use actix_http::{Method, Request, RequestHead, h1, header, ws};
use rookery_core::{ids::SessionId, time::Millis};
use tokio::{io::AsyncWriteExt, sync::oneshot};
use uuid::Uuid;

use super::{Edge, PATH, Transport, connection::Connection, reader::Reader, refusal};
use crate::{
    actors::{
        Hub,
        hub::Seat,
        registry::{Admission, Registered, RegistryMessage},
        session::Session,
    },
    auth::Identity,
    clock,
    config::Config,
    http::{
        Presented, Problem,
        answer::headers::{request_id, text},
        presented,
    },
};

/// The one subprotocol.
/// How long a handshake waits for the registry.
const ADMISSION: Duration = Duration::from_millis(1_500);
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
    #[cfg(feature = "bugs")]
    if request.path() == super::echo::PATH {
        super::echo::serve(stream, request.head(), &parts.read_buf, &edge).await;
        return Ok(());
    }
    let request_id = request_id(request.head().headers());
    let peer = address_of(stream.tcp());
    let admitted = admit(request.head(), peer, &edge).await;
    // Answers to earlier requests of the connection that were not flushed yet go first.
    let mut answer = parts.write_buf.to_vec();
    match &admitted {
        Ok((key, _)) => answer.extend_from_slice(&switching_protocols(key, &request_id)),
        Err(problem) => answer.extend_from_slice(&refusal::answer(problem, &request_id)),
    }
    let written = tokio::time::timeout(WRITE_TIME, async {
        stream.write_all(&answer).await?;
        stream.flush().await
    });
    let written = matches!(written.await, Ok(Ok(())));
    let result = admitted.as_ref().map_or_else(|problem| problem.code.as_str(), |_| "accepted");
    metrics::counter!("rookery_handshakes_total", "result" => result).increment(1);
    match admitted {
        Ok((_, place)) if written => start(stream, place, &parts.read_buf),
        Ok((_, place)) => place.give_up(),
        Err(problem) => {
            tracing::debug!(%request_id, %problem, "a handshake was refused");
            let _ = stream.shutdown().await;
        }
    }
    Ok(())
}

/// The peer's address; what a header claims counts for nothing.
fn address_of(stream: &actix_rt::net::TcpStream) -> IpAddr {
    stream.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip())
}

/// A connection that is registered and has no seat yet.
struct Place {
    hub: Rc<Hub>,
    entry: Registered,
    login_ends: Millis,
}

impl Place {
    fn give_up(self) {
        let Registered { user, session, .. } = self.entry;
        self.hub.router.to_registry(user, RegistryMessage::Unregister { user, session });
    }
}

fn start<T: Transport>(stream: T, place: Place, unread: &[u8]) {
    let buffers = socket2::SockRef::from(stream.tcp());
    if let Err(error) = buffers.set_send_buffer_size(SEND_BUFFER) {
        tracing::debug!(%error, "the send buffer of a socket stays as it is");
    }
    let Place { hub, entry, login_ends } = place;
    let connection = Connection::new(stream.into_socket(), Rc::clone(&hub), login_ends);
    let reader = Reader::new(Rc::clone(&connection), unread);
    let peer =
        rookery_core::session::Peer { session: entry.session, hub: entry.hub, user: entry.user, device: entry.device };
    let seat = Seat::new(peer, connection, &hub);
    match hub.take_seat(&seat) {
        Ok(()) => Session::start(seat, hub, reader),
        Err((code, reason)) => {
            seat.outbox.close(code, reason);
            Place { hub, entry, login_ends }.give_up();
        }
    }
}

async fn admit(head: &RequestHead, peer: IpAddr, edge: &Edge) -> Result<(Vec<u8>, Place), Problem> {
    let key = check_form(head)?;
    let hub = Hub::here(&edge.router).ok_or_else(|| refusal::unavailable("no worker has room"))?;
    if hub.is_draining() {
        return Err(refusal::unavailable("the node restarts, or drains"));
    }
    let config = edge.live.config();
    let Some(identity) = authenticate(head, &config, edge).await? else {
        // Who guesses here is held back together with who guesses over REST.
        edge.limiter.address(peer, &config, clock::now())?;
        return Err(refusal::unauthenticated());
    };
    let session = SessionId(Uuid::now_v7());
    let entry = Registered { user: identity.user, device: identity.device, session, hub: hub.index };
    let (reply, admission) = oneshot::channel();
    edge.router.to_registry(entry.user, RegistryMessage::Register { entry, reply });
    match tokio::time::timeout(ADMISSION, admission).await.unwrap_or(Ok(Admission::Unknown)) {
        Ok(Admission::Admitted) => Ok((key, Place { hub, entry, login_ends: identity.expires_at })),
        Ok(Admission::TooMany) => Err(refusal::too_many()),
        Ok(Admission::Revoked) => Err(refusal::unauthenticated()),
        // Its node is gone a moment ago or far away. The limits of connections are soft; being locked out would be hard.
        Ok(Admission::Unknown) | Err(_) => {
            edge.router.to_registry(entry.user, RegistryMessage::Present(entry));
            Ok((key, Place { hub, entry, login_ends: identity.expires_at }))
        }
    }
}

/// Method, path, version, key and subprotocol.
fn check_form(head: &RequestHead) -> Result<Vec<u8>, Problem> {
    if head.uri.path() != PATH {
        return Err(refusal::not_found());
    }
    if head.method != Method::GET {
        return Err(refusal::not_a_get());
    }
    let headers = head.headers();
    if text(headers, &header::SEC_WEBSOCKET_VERSION) != Some("13") {
        return Err(refusal::version());
    }
    if ws::handshake(head).is_err() {
        return Err(refusal::bad_request("not a WebSocket handshake"));
    }
    let key = text(headers, &header::SEC_WEBSOCKET_KEY).unwrap_or_default();
    let decoded = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, key);
    if decoded.map_or(0, |key| key.len()) != 16 {
        return Err(refusal::bad_request("sec-websocket-key must be 16 bytes in base64"));
    }
    let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).filter_map(|value| value.to_str().ok());
    if !offered.flat_map(|value| value.split(',')).any(|name| name.trim() == PROTOCOL) {
        return Err(refusal::bad_request("offer the subprotocol rookery.v1.json"));
    }
    Ok(key.as_bytes().to_vec())
}

/// Who asks, by token, ticket or cookie; `None`: nobody that is known. A token is sent by a program that holds it, so
/// that its `Origin` proves nothing; cookies and tickets are for browsers, where a page of another origin may have made
/// the request.
async fn authenticate(head: &RequestHead, config: &Config, edge: &Edge) -> Result<Option<Identity>, Problem> {
    let headers = head.headers();
    let foreign = || refusal::forbidden("pages of this origin may not connect");
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    let allowed = origin.map(|origin| config.allows_origin(origin));
    let query = head.uri.query().unwrap_or_default();
    let ticket = query.split('&').find_map(|pair| pair.strip_prefix("ticket="));
    let found = match (presented(headers, config).map_err(|_| foreign())?, ticket) {
        (Presented::Bearer(token), _) => edge.authenticator.by_token(&token, clock::now()).await,
        (_, Some(_)) if allowed == Some(false) && !is_own(origin, headers) => return Err(foreign()),
        (_, Some(ticket)) => edge.authenticator.by_ticket(ticket, clock::now()).await,
        (Presented::Cookie(_), None) if allowed.is_none() => {
            return Err(refusal::forbidden("a cookie is only taken with an Origin"));
        }
        (Presented::Cookie(token), None) => edge.authenticator.by_token(&token, clock::now()).await,
        (Presented::Nothing, None) => Ok(None),
    };
    found.map_err(|error| {
        tracing::warn!(%error, "a login could not be checked");
        refusal::unavailable("the store cannot be reached")
    })
}

/// Whether the page comes from this server, under whatever name it was reached: then a browser says the same in `Host`.
/// Enough for a ticket, which a page must have been given. Not for a cookie, which goes along unasked: a name that was
/// made to lead here would do.
fn is_own(origin: Option<&str>, headers: &header::HeaderMap) -> bool {
    let scheme_and_rest = origin.and_then(|origin| origin.split_once("://"));
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    match (scheme_and_rest, host) {
        (Some(("http" | "https", place)), Some(host)) => !place.is_empty() && place.eq_ignore_ascii_case(host),
        _ => false,
    }
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
