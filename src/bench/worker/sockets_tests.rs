//! Tests of opening sessions, against a few lines of a server.

use tokio::net::TcpListener;

use super::*;

const ROOM: &str = "00000000-0000-0000-0000-000000000007";

/// Answers one handshake with `head`, then says `frames` in pieces of `piece` bytes, and listens until the end.
async fn answer(listener: &TcpListener, head: &str, frames: &[String], piece: usize) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        assert!(stream.read_buf(&mut request).await.unwrap() > 0);
    }
    let mut bytes = head.as_bytes().to_vec();
    for text in frames {
        frame::from_server(frame::TEXT, text.as_bytes(), &mut bytes);
    }
    for part in bytes.chunks(piece) {
        stream.write_all(part).await.unwrap();
        stream.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut rest = Vec::new();
    // A client that drops its socket with unread bytes in it resets the connection: an end like any other.
    let _ = stream.read_to_end(&mut rest).await;
    String::from_utf8(request).unwrap()
}

fn order(address: SocketAddr, missed: u64) -> Connect {
    Connect {
        address,
        source: Ipv4Addr::new(127, 0, 0, 4),
        concurrency: 1,
        sessions: vec![Session { token: "secret".to_owned(), address: None, cursors: vec![(ROOM.to_owned(), 4)] }],
        missed,
        seconds: 30,
    }
}

async fn connected(head: &str, frames: &[String], piece: usize, missed: u64) -> (Connected, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let mut sockets = Sockets::new();
    let order = order(listener.local_addr().unwrap(), missed);
    let asking = async {
        let connected = sockets.connect(order).await.unwrap();
        sockets.drop_all().await;
        connected
    };
    tokio::join!(asking, answer(&listener, head, frames, piece))
}

const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";

fn frames() -> Vec<String> {
    let event = |seq| format!(r#"{{"type":"event","room":"{ROOM}","seq":{seq},"kind":"message","body":"b"}}"#);
    let synced = format!(r#"{{"type":"synced","room":"{ROOM}","seq":6}}"#);
    vec![r#"{"type":"welcome","rooms":[]}"#.to_owned(), event(5), event(6), synced]
}

#[tokio::test]
async fn a_session_is_live_with_what_it_missed_however_the_bytes_arrive() {
    for piece in [1, 7, 100_000] {
        let (connected, request) = connected(SWITCH, &frames(), piece, 2).await;
        assert_eq!((connected.live, connected.wrong, connected.events), (1, 0, 2), "{piece}: {:?}", connected.troubles);
        assert!(connected.troubles.none(), "{piece}: {:?}", connected.troubles);
        assert!(request.contains("Authorization: Bearer secret"), "{request}");
    }
}

#[tokio::test]
async fn another_number_of_events_than_were_missed_is_wrong() {
    let (connected, _) = connected(SWITCH, &frames(), 100, 3).await;
    assert_eq!((connected.live, connected.wrong), (1, 1));
}

#[tokio::test]
async fn a_refused_handshake_is_said_and_not_waited_for() {
    let (connected, _) = connected("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", &[], 100, 0).await;
    assert_eq!((connected.live, connected.troubles.closed), (0, 1));
    assert!(connected.troubles.first.unwrap().contains("401"));
}
