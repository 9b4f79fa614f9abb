//! TLS: the same chat over https and wss, and nothing in the clear on that port (case 11).

use std::sync::Arc;

use serde_json::json;
use tokio_tungstenite::Connector;
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;

use crate::support::certificate::Certificate;
use crate::support::client_id;
use crate::support::person::PASSWORD;
use crate::support::process::{Server, Setup};
use crate::support::raw::{Raw, handshake_lines};
use crate::support::socket::{Socket, handshake};

async fn server() -> (Server, Certificate) {
    let setup = Setup::new();
    let certificate = Certificate::make(&setup);
    let server = setup.tls(&certificate.certificate, &certificate.key).start().await;
    (server, certificate)
}

#[tokio::test]
async fn people_chat_over_tls_as_they_do_without() {
    let (server, certificate) = server().await;
    let rest = certificate.rest(&format!("{}/api/v1", server.url));
    let mut sockets = Vec::new();
    let mut rests = Vec::new();
    for handle in ["anna", "bert"] {
        rest.post("/accounts", json!({"handle": handle, "password": PASSWORD})).await.body(201);
        let login = rest.post("/logins", json!({"login": handle, "password": PASSWORD})).await.body(201);
        let token = login["token"].as_str().unwrap().to_owned();
        let request: ClientRequestBuilder = handshake(&server.url, &token);
        let mut socket = Socket::try_connect(request, Some(certificate.connector())).await.expect("wss");
        socket.send(json!({"type": "hello", "cursors": {}})).await;
        assert_eq!(socket.next().await["type"], "welcome");
        sockets.push(socket);
        rests.push((rest.with_token(&token), login["user"]["id"].clone()));
    }
    let room = json!({"kind": "group", "name": "tea", "members": [rests[1].1]});
    let room = rests[0].0.post("/rooms", room).await.body(201)["id"].as_str().unwrap().to_owned();
    let mut reader = sockets.pop().unwrap();
    let mut sender = sockets.pop().unwrap();
    sender.find("the room", |frame| frame["type"] == "room").await;
    let long = "x".repeat(16_000);
    let mut seqs = Vec::new();
    for body in ["hello", long.as_str()] {
        let seq = sender.say(&room, body).await["seq"].as_u64().unwrap();
        assert_eq!(reader.event(&room, seq).await["body"], body);
        seqs.push(seq);
    }
    let message = json!({"client_id": client_id(), "body": "over https"});
    let seq = rests[1].0.post(&format!("/rooms/{room}/messages"), message).await.body(201)["seq"].as_u64().unwrap();
    sender.event(&room, seq).await;
    assert!(sender.ask(json!({"type": "ping"})).await["type"] == "pong");
}

#[tokio::test]
async fn plain_http_and_plain_sockets_are_refused_on_the_tls_port() {
    let (server, _certificate) = server().await;
    for lines in [vec!["GET /healthz HTTP/1.1".to_owned(), "Host: x".to_owned()], handshake_lines(&server, "token")] {
        let mut raw = Raw::tcp(&server).await;
        raw.try_write(format!("{}\r\n\r\n", lines.join("\r\n")).as_bytes()).await;
        assert!(raw.answer_until_end().await.iter().take(5).copied().ne(*b"HTTP/"), "no HTTP in the clear");
    }
}

#[tokio::test]
async fn only_tls_1_2_and_1_3_are_spoken() {
    let (server, certificate) = server().await;
    for version in rustls::ALL_VERSIONS {
        let connector = Connector::Rustls(Arc::new(certificate.client(&[version])));
        let refused = Socket::try_connect(handshake(&server.url, "no-token"), Some(connector)).await;
        assert_eq!(refused.err().map(|(status, _)| status), Some(401), "{version:?}: an answer inside TLS");
    }
    // A client hello of TLS 1.0, as an old client sends it: refused with an alert, or the connection just ends.
    let mut raw = Raw::tcp(&server).await;
    let random = [7; 32];
    let mut hello = vec![3, 1];
    hello.extend(random);
    hello.extend([0, 0, 2, 0, 0x2f, 1, 0]);
    let mut record = vec![22, 3, 1, 0, (hello.len() + 4) as u8, 1, 0, 0, hello.len() as u8];
    record.extend(hello);
    raw.try_write(&record).await;
    let answer = raw.answer_until_end().await;
    assert!(answer.is_empty() || answer[0] == 21, "an alert, no hello: {answer:?}");
}
