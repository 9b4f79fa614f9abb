//! The cluster's port: who is not a node of the cluster is turned away within five seconds, and harms nobody.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rcgen::{CertificateParams, KeyPair};
use rookery::cluster::{
    NodeId,
    door::hello::{self, DoorError, Hello, Words},
};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, TlsStream};

use super::node::{Files, Node, REFUSED_WITHIN, pair, tls};
use crate::support::within;

/// Waits until the other end has closed; fails when it takes longer than a node may.
async fn closed(what: &str, stream: &mut (impl AsyncRead + Unpin)) {
    let mut rest = Vec::new();
    let began = Instant::now();
    let read = timeout(REFUSED_WITHIN, stream.read_to_end(&mut rest)).await;
    assert!(read.is_ok(), "{what}: still open after {:?}", began.elapsed());
}

/// The two nodes go on as before.
async fn unharmed(a: &mut Node, b: &mut Node) {
    let before = a.state().await.number("events");
    let sent = b.send(json!({ "to": "a", "kind": "event", "count": 1_000, "bytes": 10 })).await;
    assert_eq!(sent["taken"], 1_000);
    let state = a.until("new events", |state| state.number("events") == before + 1_000).await;
    assert_eq!(state.number("disorder"), 0);
    for node in [a, b] {
        let state = node.state().await;
        assert_eq!(state.counted("rookery_link_envelopes_lost_total"), 0);
        assert_eq!(state.links().len(), 1);
    }
}

fn words(cluster: &str, node: &str) -> Words {
    let (cluster, node) = (cluster.to_owned(), node.to_owned());
    Words::Hello(Hello { cluster, node, incarnation: 1, relays: 1, token: [1; 16] })
}

/// A TLS connection to the node with the certificate of a folder.
async fn connected(files: &Files, folder: &str, node: &str, to: &Node) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(to.address).await.unwrap();
    tls(&files.of(folder), node, "birds").connect(stream, &to.id()).await.unwrap()
}

/// Says something, and is told why not.
async fn refused(mut stream: TlsStream<TcpStream>, bytes: &[u8], why: &str) {
    stream.write_all(bytes).await.unwrap();
    let heard = within(why, hello::hear(&mut stream)).await;
    assert!(matches!(&heard, Err(DoorError::Refused(told)) if told.contains(why)), "{why}: {heard:?}");
    closed(why, &mut stream).await;
}

#[tokio::test]
async fn a_thousand_idle_sockets_are_closed_and_nodes_come_in_meanwhile() {
    let files = Files::make("birds", &["a", "b", "c"]);
    let (mut a, mut b) = pair(&files).await;
    let began = Instant::now();
    let mut idle = Vec::new();
    for _ in 0..1_000 {
        idle.push(TcpStream::connect(a.address).await.unwrap());
    }
    let c = files.start("c", &[&a]).await;
    a.up(&c).await;
    assert!(began.elapsed() < Duration::from_secs(10), "a node waited behind idle sockets: {:?}", began.elapsed());
    let waiting = idle.into_iter().map(|mut socket| async move { closed("an idle socket", &mut socket).await });
    futures_util::future::join_all(waiting).await;
    let state =
        a.until("that all were counted", |state| state.refused("crowd") + state.refused("deadline") >= 1_000).await;
    assert_eq!(state.members(), ["a", "b", "c"]);
    b.told(|line| line["up"] == "c").await;
    let sent = b.send(json!({ "to": "a", "kind": "event", "count": 1_000, "bytes": 10 })).await;
    assert_eq!(sent["taken"], 1_000);
    a.until("new events", |state| state.number("events") == 1_000).await;
}

#[tokio::test]
async fn what_is_no_tls_and_what_falls_silent_is_closed() {
    let files = Files::make("birds", &["a", "b", "c"]);
    let (mut a, mut b) = pair(&files).await;
    for garbage in [&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..], &[0; 5_000], &[0x16, 3, 1, 0x40, 0], &[0xff; 70_000]] {
        let mut stream = TcpStream::connect(a.address).await.unwrap();
        // The node may close before everything is written.
        let _ = stream.write_all(garbage).await;
        closed("garbage", &mut stream).await;
    }
    let mut silent = connected(&files, "c", "c", &a).await;
    closed("nothing said", &mut silent).await;
    let mut torn = connected(&files, "c", "c", &a).await;
    torn.write_all(&hello::encode(&words("birds", "c"), 1, 1)[..15]).await.unwrap();
    closed("half a greeting", &mut torn).await;
    assert!(a.state().await.refused("deadline") >= 2);
    unharmed(&mut a, &mut b).await;
}

#[tokio::test]
async fn who_is_greeted_and_then_says_nothing_or_nonsense_is_closed() {
    let files = Files::make("birds", &["a", "b", "c"]);
    let (mut a, mut b) = pair(&files).await;
    let greeted = async || {
        let mut stream = connected(&files, "c", "c", &a).await;
        stream.write_all(&hello::encode(&words("birds", "c"), 1, 1)).await.unwrap();
        assert_eq!(hello::hear(&mut stream).await.unwrap().node, "a");
        stream
    };
    let mut silent = greeted().await;
    let mut rest = Vec::new();
    let read = timeout(REFUSED_WITHIN + Duration::from_secs(1), silent.read_to_end(&mut rest)).await;
    assert!(read.is_ok(), "a peer that is not ready in time stays");
    for nonsense in [vec![0xff; 64], vec![0; 64], [&64_u64.to_be_bytes()[..], &[0xee; 64]].concat()] {
        let mut stream = greeted().await;
        stream.write_all(&nonsense).await.unwrap();
        let mut rest = Vec::new();
        let read = timeout(REFUSED_WITHIN + Duration::from_secs(1), stream.read_to_end(&mut rest)).await;
        assert!(read.is_ok(), "nonsense is listened to");
    }
    unharmed(&mut a, &mut b).await;
}

#[tokio::test]
async fn certificates_that_the_authority_did_not_make_open_nothing() {
    let files = Files::make("birds", &["a", "b"]);
    let (mut a, mut b) = pair(&files).await;
    let bees = Files::make("bees", &["c"]);
    // A cluster of the same name made a certificate for the same node; and one that nobody vouches for; and none.
    let twins = Files::make("birds", &["c"]);
    let trusting = |config: rustls::ConfigBuilder<rustls::ClientConfig, rustls::WantsVerifier>| {
        config.dangerous().with_custom_certificate_verifier(Arc::new(Anybody))
    };
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["c.birds.node.rookery.internal".to_owned()]).unwrap();
    let alone = params.self_signed(&key).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let mut clients = vec![
        trusting(rustls::ClientConfig::builder()).with_no_client_auth(),
        trusting(rustls::ClientConfig::builder()).with_client_auth_cert(vec![alone.der().clone()], key).unwrap(),
    ];
    for folder in [bees.of("c"), twins.of("c")] {
        clients.push(
            trusting(rustls::ClientConfig::builder()).with_client_auth_cert(chain(&folder), key_of(&folder)).unwrap(),
        );
    }
    for (n, client) in clients.into_iter().enumerate() {
        let stream = TcpStream::connect(a.address).await.unwrap();
        let name = ServerName::try_from("a.birds.node.rookery.internal").unwrap();
        // With TLS 1.3 the client learns only later that its certificate was not taken.
        let connected = TlsConnector::from(Arc::new(client)).connect(name, stream).await;
        if let Ok(mut stream) = connected {
            let _ = stream.write_all(&hello::encode(&words("birds", "c"), 1, 1)).await;
            let heard = within("an answer", hello::hear(&mut stream)).await;
            assert!(matches!(heard, Err(DoorError::Io(_))), "client {n} was heard: {heard:?}");
        }
    }
    // The other way round: a node of the cluster does not talk to such a server either.
    let stream = TcpStream::connect(a.address).await.unwrap();
    assert!(tls(&twins.of("c"), "c", "birds").connect(stream, &a.id()).await.is_err());
    let before = a.until("that all were counted", |state| state.refused("handshake") >= 5).await;
    assert_eq!(before.members(), ["a", "b"]);
    unharmed(&mut a, &mut b).await;
}

#[tokio::test]
async fn a_certificate_of_one_node_does_not_serve_another() {
    let files = Files::make("birds", &["a", "b", "c"]);
    let (mut a, mut b) = pair(&files).await;
    let say = |node: &str| hello::encode(&words("birds", node), 1, 1);
    refused(connected(&files, "c", "c", &a).await, &say("d"), "certificate of another node").await;
    refused(connected(&files, "c", "c", &a).await, &say("b"), "certificate of another node").await;
    refused(connected(&files, "c", "c", &a).await, &say("a"), "this node's name").await;
    // The node that is dialled is the one that was meant, or nobody.
    let stream = TcpStream::connect(a.address).await.unwrap();
    let other: NodeId = "b".parse().unwrap();
    assert!(files.tls("c").connect(stream, &other).await.is_err());
    unharmed(&mut a, &mut b).await;
}

#[tokio::test]
async fn other_versions_other_clusters_and_the_wrong_direction_are_told_so() {
    let files = Files::make("birds", &["a", "b", "c", "0"]);
    let (mut a, mut b) = pair(&files).await;
    let hello = words("birds", "c");
    refused(connected(&files, "c", "c", &a).await, &hello::encode(&hello, 0, 0), "versions 0 to 0").await;
    refused(connected(&files, "c", "c", &a).await, &hello::encode(&hello, 2, 9), "versions 2 to 9").await;
    let later = [&hello::encode(&hello, 2, 3)[..10], &[3, 0], b"new"].concat();
    refused(connected(&files, "c", "c", &a).await, &later[..], "").await;
    refused(connected(&files, "c", "c", &a).await, &hello::encode(&words("bees", "c"), 1, 1), "another cluster").await;
    refused(connected(&files, "0", "0", &a).await, &hello::encode(&words("birds", "0"), 1, 1), "sorts last").await;
    let mut wrong = hello::encode(&hello, 1, 1);
    wrong[0] = b'R';
    refused(connected(&files, "c", "c", &a).await, &wrong, "does not speak").await;
    assert_eq!(a.state().await.refused("version"), 3);
    unharmed(&mut a, &mut b).await;
}

/// ractor_cluster opens a listener of its own on loopback that cannot be switched off.
#[tokio::test]
async fn the_listener_that_nobody_asked_for_serves_nobody() {
    let files = Files::make("birds", &["a", "b"]);
    let (mut a, mut b) = pair(&files).await;
    let ports = listening(a.pid());
    let others: Vec<u16> = ports.into_iter().filter(|port| *port != a.address.port()).collect();
    assert_eq!(others.len(), 1, "{others:?}");
    for bytes in [&b""[..], b"GET / HTTP/1.1\r\n\r\n", &[0; 64]] {
        let mut stream = TcpStream::connect(("127.0.0.1", others[0])).await.unwrap();
        let _ = stream.write_all(bytes).await;
        closed("the other listener", &mut stream).await;
    }
    unharmed(&mut a, &mut b).await;
}

/// With no descriptor left the node does not spin, what it has stays, and it goes on when there are some again.
#[tokio::test]
async fn a_node_without_descriptors_keeps_its_links_and_recovers() {
    let files = Files::make("birds", &["a", "b", "c"]);
    let (mut a, mut b) = pair(&files).await;
    let open = std::fs::read_dir(format!("/proc/{}/fd", a.pid())).unwrap().count();
    limit_descriptors(&a, open + 3);
    let mut idle = Vec::new();
    for _ in 0..40 {
        idle.push(TcpStream::connect(a.address).await.unwrap());
    }
    a.until("that some were turned away", |state| state.refused("descriptors") > 0).await;
    unharmed(&mut a, &mut b).await;
    drop(idle);
    limit_descriptors(&a, open + 500);
    let c = files.start("c", &[&a]).await;
    a.up(&c).await;
}

fn limit_descriptors(node: &Node, most: usize) {
    let pid = node.pid().to_string();
    let limit = format!("--nofile={most}:4096");
    let status = std::process::Command::new("prlimit").args(["--pid", &pid, &limit]).status().unwrap();
    assert!(status.success());
}

/// The ports of loopback on which a process listens.
fn listening(pid: u32) -> Vec<u16> {
    let folder = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let links = folder.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    let inodes: Vec<String> =
        links.filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())).collect();
    let table = std::fs::read_to_string(format!("/proc/{pid}/net/tcp")).unwrap();
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row[3] == "0A" && inodes.iter().any(|inode| inode == row[9]))
        .map(|row| u16::from_str_radix(row[1].split_once(':').unwrap().1, 16).unwrap())
        .collect()
}

fn chain(folder: &std::path::Path) -> Vec<rustls::pki_types::CertificateDer<'static>> {
    use rustls::pki_types::pem::PemObject;
    let certificates = rustls::pki_types::CertificateDer::pem_file_iter(folder.join("certificate.pem")).unwrap();
    certificates.map(Result::unwrap).collect()
}

fn key_of(folder: &std::path::Path) -> PrivateKeyDer<'static> {
    use rustls::pki_types::pem::PemObject;
    PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap()
}

/// A client that trusts every server, as an attacker would.
#[derive(Debug)]
struct Anybody;

impl rustls::client::danger::ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
