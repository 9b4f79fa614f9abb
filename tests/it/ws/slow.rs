//! Section B of the security cases: clients that do not read, read slowly, flood, or are dead (P9).

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncReadExt;

use crate::support::person::Person;
use crate::support::process::{Server, Setup};
use crate::support::raw::{CLOSE, Frame, PING, PONG, Raw, Received};
use crate::support::socket::Socket;
use crate::support::{eventually, within};

const MEBIBYTE: u64 = 1024 * 1024;

/// One at a time: each floods a server of its own, and two of them would slow each other.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A busy room: says a long line again and again, and the other member hears each of them.
async fn chat(sender: &mut Socket, reader: &mut Socket, room: &str, lines: usize) -> Duration {
    let line = "x".repeat(8 * 1024);
    let mut slowest = Duration::ZERO;
    for _ in 0..lines {
        let start = Instant::now();
        let seq = sender.say(room, &line).await["seq"].as_u64().unwrap();
        reader.event(room, seq).await;
        slowest = slowest.max(start.elapsed());
    }
    slowest
}

async fn busy_room(setup: Setup) -> (Server, [Person; 3], String, Socket, Socket) {
    // A small page cache: it would grow with what is written, whoever reads.
    let server = setup.set("store.cache_mib", 1).start().await;
    let people = server.people(["anna", "bert", "carl"]).await;
    let room = people[0].group("tea", &[&people[1], &people[2]]).await;
    let (sender, reader) = (people[0].online().await, people[1].online().await);
    (server, people, room, sender, reader)
}

#[tokio::test]
async fn a_client_that_never_reads_costs_little_and_is_put_out() {
    // 37
    let _alone = ALONE.lock().await;
    let setup = Setup::new().set("limits.slow_reader_seconds", 2).set("limits.heartbeat_seconds", 60);
    let (server, [_, _, carl], room, mut sender, mut reader) = busy_room(setup).await;
    chat(&mut sender, &mut reader, &room, 300).await;
    let mut deaf = Vec::new();
    for _ in 0..4 {
        deaf.push(Raw::online(&server, &carl).await);
    }
    let before = server.memory();
    let mut peak = before;
    let admin = server.administrator();
    let put_out = within("the deaf to be put out", async {
        loop {
            let slowest = chat(&mut sender, &mut reader, &room, 50).await;
            assert!(slowest < Duration::from_secs(3), "the others notice nothing: {slowest:?}");
            peak = peak.max(server.memory());
            let sessions = admin.list("/sessions").await;
            if sessions.iter().filter(|session| session["user"]["id"] == carl.id || session["user"] == carl.id).count()
                == 0
            {
                return;
            }
        }
    });
    put_out.await;
    let held = peak.saturating_sub(before);
    assert!(held < 8 * MEBIBYTE, "{held} bytes for four that do not read");
    for mut raw in deaf {
        let code = raw.close_code().await;
        assert!([Some(4008), None].contains(&code), "{code:?}");
    }
}

#[tokio::test]
async fn who_was_put_out_comes_back_and_catches_up() {
    let _alone = ALONE.lock().await;
    let setup = Setup::new().set("limits.slow_reader_seconds", 1).set("limits.outbox_bytes", 65_536);
    let (server, [_, _, carl], room, mut sender, mut reader) = busy_room(setup).await;
    let cursor = carl.head(&room).await;
    let mut deaf = Raw::open(&server, &carl).await;
    deaf.frame(&Frame::text(json!({"type": "hello", "cursors": {room.as_str(): cursor}}).to_string())).await;
    chat(&mut sender, &mut reader, &room, 200).await;
    let head = carl.head(&room).await;
    drop(deaf);
    let (mut socket, welcome) = carl.resume(json!({room.as_str(): cursor})).await;
    assert_eq!(welcome["resume"][&room], "replay", "{welcome}");
    let seqs = socket.seqs(&room, (head - cursor) as usize).await;
    assert_eq!(seqs, (cursor + 1..=head).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_slow_reader_is_told_that_it_lags_and_syncs() {
    let _alone = ALONE.lock().await;
    let setup = Setup::new().set("limits.outbox_bytes", 65_536).set("limits.slow_reader_seconds", 60);
    let (server, [_, _, carl], room, mut sender, mut reader) = busy_room(setup).await;
    let mut raw = Raw::online(&server, &carl).await;
    // Live, not catching up: what is missed is sent at the reader's pace and never makes it lag.
    chat(&mut sender, &mut reader, &room, 1).await;
    while !raw.text().await.starts_with("{\"type\":\"event\"") {}
    let mut told = None;
    within("the server's word that it lags", async {
        for _ in 0..100 {
            chat(&mut sender, &mut reader, &room, 40).await;
            // The deaf one looks up for a moment.
            told = read_for_a_moment(&mut raw).await;
            if told.is_some() {
                return;
            }
        }
    })
    .await;
    let told: serde_json::Value = serde_json::from_str(&told.expect("lagged")).unwrap();
    assert!(told["rooms"][&room].as_u64().is_some(), "lagged names the rooms with their heads: {told}");
    let head = carl.head(&room).await;
    let after = head - 5;
    raw.frame(&Frame::text(json!({"type": "sync", "room": room, "after": after}).to_string())).await;
    let mut seqs = Vec::new();
    loop {
        let frame: serde_json::Value = serde_json::from_str(&raw.text().await).unwrap();
        match frame["type"].as_str() {
            Some("event") => seqs.push(frame["seq"].as_u64().unwrap()),
            Some("synced") => break,
            _ => {}
        }
    }
    let tail: Vec<u64> = (after + 1..=head).collect();
    assert!(seqs.ends_with(&tail), "{seqs:?} ends with {tail:?}");
}

/// Reads what is there; the `lagged` frame if it is among it.
async fn read_for_a_moment(raw: &mut Raw) -> Option<String> {
    loop {
        let received = tokio::time::timeout(Duration::from_millis(300), raw.receive()).await.ok()??;
        let text = String::from_utf8_lossy(&received.payload).into_owned();
        if text.starts_with("{\"type\":\"lagged\"") {
            return Some(text);
        }
    }
}

#[tokio::test]
async fn a_reader_of_one_kibibyte_a_second_slows_nobody() {
    let _alone = ALONE.lock().await;
    let setup = Setup::new().set("limits.slow_reader_seconds", 3);
    let (server, [_, _, carl], room, mut sender, mut reader) = busy_room(setup).await;
    let alone = chat(&mut sender, &mut reader, &room, 100).await;
    let mut slow = Raw::online(&server, &carl).await;
    let before = server.memory();
    let trickle = tokio::spawn(async move {
        let mut bytes = [0; 128];
        while matches!(slow.stream.read(&mut bytes).await, Ok(count) if count > 0) {
            tokio::time::sleep(Duration::from_millis(125)).await;
        }
    });
    let mut slowest = Duration::ZERO;
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(6) {
        slowest = slowest.max(chat(&mut sender, &mut reader, &room, 20).await);
    }
    trickle.abort();
    assert!(slowest < alone * 10 + Duration::from_millis(500), "{slowest:?} beside a slow reader, {alone:?} without");
    let held = server.memory().saturating_sub(before);
    assert!(held < 8 * MEBIBYTE, "{held} bytes");
}

#[tokio::test]
async fn a_flood_of_pings_is_coalesced_or_closed() {
    // 31
    let _alone = ALONE.lock().await;
    let (server, [_, _, carl], room, mut sender, mut reader) = busy_room(Setup::new()).await;
    chat(&mut sender, &mut reader, &room, 20).await;
    let mut raw = Raw::online(&server, &carl).await;
    let before = server.memory();
    let flood = Frame::new(PING, [b'p'; 125]).bytes().repeat(1000);
    for _ in 0..100 {
        if !matches!(tokio::time::timeout(Duration::from_millis(200), raw.try_write(&flood)).await, Ok(true)) {
            break;
        }
    }
    let slowest = chat(&mut sender, &mut reader, &room, 20).await;
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    assert!(server.memory() < before + 8 * MEBIBYTE, "{before} then {}", server.memory());
    let mut last = None;
    while let Ok(Some(received)) = tokio::time::timeout(Duration::from_secs(1), raw.receive()).await {
        assert!([PONG, CLOSE].contains(&received.opcode) || received.payload.starts_with(b"{"), "{received:?}");
        last = Some(received);
    }
    if let Some(Received { opcode: CLOSE, payload }) = last {
        assert_eq!(payload[..2], 1008_u16.to_be_bytes());
    }
}

#[tokio::test]
async fn a_ping_of_the_protocol_gets_its_payload_back() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut raw = Raw::online(&server, &anna).await;
    for payload in ["", "hello", &"x".repeat(125)] {
        raw.frame(&Frame::new(PING, payload)).await;
        assert_eq!(raw.receive().await, Some(Received { opcode: PONG, payload: payload.as_bytes().to_vec() }));
    }
}

#[tokio::test]
async fn the_server_pings_and_who_does_not_answer_is_closed() {
    // 33
    let server = Setup::new().set("limits.heartbeat_seconds", 1).start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let mut alive = anna.online().await;
    // The library answers pings while it reads.
    let answering = tokio::spawn(async move {
        let (start, mut answers) = (Instant::now(), 0);
        while start.elapsed() < Duration::from_secs(5) {
            alive.ask(json!({"type": "ping"})).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
            answers += 1;
        }
        answers
    });
    let mut dead = Raw::online(&server, &bert).await;
    let start = Instant::now();
    let mut pings = 0;
    let code = loop {
        match dead.receive().await {
            Some(received) if received.opcode == PING => pings += 1,
            Some(received) if received.opcode == CLOSE => break Some(received.payload),
            Some(_) => {}
            None => break None,
        }
    };
    assert!((1..=3).contains(&pings), "{pings} pings");
    assert_eq!(code, Some([&4009_u16.to_be_bytes()[..], &code.clone().unwrap_or_default()[2..]].concat()));
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    assert!(answering.await.expect("who answers stays") >= 4);
}

#[tokio::test]
async fn memory_comes_back_when_connections_end() {
    let _alone = ALONE.lock().await;
    let server = Setup::new().set("limits.connections_per_device", 1000).set("limits.connections_per_user", 1000);
    let server = server.start().await;
    let anna = server.person("anna").await;
    let round = async |count: usize| {
        let mut raws = Vec::new();
        for _ in 0..count {
            raws.push(Raw::online(&server, &anna).await);
        }
        drop(raws);
        let admin = server.administrator();
        eventually("all sessions to end", || async {
            (admin.get("/overview").await.body(200)["sessions"] == 0).then_some(())
        })
        .await;
    };
    round(200).await;
    let before = server.memory();
    for _ in 0..3 {
        round(200).await;
    }
    assert!(server.memory() < before + 8 * MEBIBYTE, "{before} then {}", server.memory());
}
