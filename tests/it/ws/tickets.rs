//! One-time tickets, with which a browser opens its socket (case 5).

use serde_json::json;

use crate::support::process::Server;
use crate::support::socket::Socket;
use crate::ws::ticket_handshake;

#[tokio::test]
async fn a_ticket_opens_one_socket() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let made = anna.rest.bare("POST", "/tickets").await.body(201);
    assert!(made["expires_at"].is_string(), "{made}");
    let ticket = made["ticket"].as_str().unwrap();
    assert!(ticket.len() >= 22, "at least 128 bits");
    let mut socket = Socket::try_connect(ticket_handshake(&server, ticket), None).await.expect("a good ticket");
    socket.send(json!({"type": "hello", "cursors": {}})).await;
    let welcome = socket.next().await;
    assert_eq!((&welcome["user"], &welcome["device"]), (&json!(anna.id), &json!(anna.device)));
    let refused = Socket::try_connect(ticket_handshake(&server, ticket), None).await;
    assert_eq!(refused.err().map(|(status, _)| status), Some(401), "used");
    for ticket in ["", "nonsense", anna.token.as_str()] {
        let refused = Socket::try_connect(ticket_handshake(&server, ticket), None).await;
        assert_eq!(refused.err().map(|(status, _)| status), Some(401), "{ticket}");
    }
}

#[tokio::test]
async fn of_many_uses_at_once_one_succeeds() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let ticket = anna.rest.bare("POST", "/tickets").await.body(201)["ticket"].as_str().unwrap().to_owned();
    let tries = (0..10).map(|_| Socket::try_connect(ticket_handshake(&server, &ticket), None));
    let outcomes = futures_util::future::join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
}

#[tokio::test]
async fn a_ticket_ends_with_the_login_that_it_is_bound_to() {
    let server = Server::start().await;
    server.person("anna").await;
    let other = server.login("anna").await;
    let ticket = other.rest.bare("POST", "/tickets").await.body(201)["ticket"].as_str().unwrap().to_owned();
    other.rest.delete("/logins/current").await.body(204);
    let refused = Socket::try_connect(ticket_handshake(&server, &ticket), None).await;
    assert_eq!(refused.err().map(|(status, _)| status), Some(401));
}

#[tokio::test]
async fn a_ticket_lasts_30_seconds() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let made = anna.rest.bare("POST", "/tickets").await.body(201);
    let format = &time::format_description::well_known::Rfc3339;
    let expires = time::OffsetDateTime::parse(made["expires_at"].as_str().unwrap(), format).unwrap();
    let left = expires - time::OffsetDateTime::now_utc();
    assert!(left.whole_seconds() <= 30 && left.whole_seconds() >= 20, "{left}");
    let start = std::time::Instant::now();
    let wait = std::time::Duration::from_secs(31);
    tokio::time::sleep(wait.saturating_sub(start.elapsed())).await;
    let ticket = made["ticket"].as_str().unwrap();
    let refused = Socket::try_connect(ticket_handshake(&server, ticket), None).await;
    assert_eq!(refused.err().map(|(status, _)| status), Some(401), "expired");
}

#[tokio::test]
async fn a_ticket_opens_a_socket_from_the_servers_own_page_under_whatever_name() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let ticket = async || anna.rest.bare("POST", "/tickets").await.body(201)["ticket"].as_str().unwrap().to_owned();
    let from = async |origin: &str| {
        let request = ticket_handshake(&server, &ticket().await).with_header("Origin", origin.to_owned());
        Socket::try_connect(request, None).await.err().map(|(status, _)| status)
    };
    assert_eq!(from(&server.url).await, None);
    for origin in ["http://127.0.0.1:1", "http://127.0.0.1", "http://", "file://127.0.0.1"] {
        assert_eq!(from(origin).await, Some(403), "{origin}");
    }
}
