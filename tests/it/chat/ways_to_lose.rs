//! The ways in which other chat servers lose messages, one test for each that one node can show.

use serde_json::{Value, json};

use crate::support::client_id;
use crate::support::process::Server;
use crate::support::raw::Raw;
use crate::support::socket::Socket;

fn message(room: &str, body: &str) -> Value {
    json!({"type": "send", "room": room, "client_id": client_id(), "body": body})
}

async fn count(socket: &mut Socket, body: &str) -> usize {
    socket.arrived().await.iter().filter(|frame| frame["type"] == "event" && frame["body"] == body).count()
}

#[tokio::test]
async fn a_stale_route_after_a_crash() {
    // The sender believes that the reader is where they were before the crash.
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let mut before = bert.online().await;
    let seq = anna.online().await.say(&room, "before").await["seq"].as_u64().unwrap();
    before.event(&room, seq).await;
    let server = server.kill_and_restart().await;
    let (anna, bert) = (anna.at(&server), bert.at(&server));
    let mut sender = anna.online().await;
    let missed = sender.say(&room, "bert is not here").await["seq"].as_u64().unwrap();
    let (mut reader, _) = bert.resume(json!({room.as_str(): seq})).await;
    assert_eq!(reader.event(&room, missed).await["body"], "bert is not here");
    let live = sender.say(&room, "bert is here").await["seq"].as_u64().unwrap();
    reader.event(&room, live).await;
}

#[tokio::test]
async fn an_old_connection_whose_close_takes_the_new_ones_registration_along() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let mut sender = anna.online().await;
    for round in 0..20 {
        let old = bert.online().await;
        let mut new = bert.online().await;
        old.leave().await;
        let body = format!("round {round}");
        let seq = sender.say(&room, &body).await["seq"].as_u64().unwrap();
        assert_eq!(new.event(&room, seq).await["body"], body.as_str());
        new.leave().await;
    }
}

#[tokio::test]
async fn a_second_device() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let (mut phone, mut laptop) = (bert.online().await, server.login("bert").await.online().await);
    let mut sender = anna.online().await;
    let first = sender.say(&room, "to both").await["seq"].as_u64().unwrap();
    phone.event(&room, first).await;
    laptop.event(&room, first).await;
    let own = phone.say(&room, "from the phone").await["seq"].as_u64().unwrap();
    assert_eq!(laptop.event(&room, own).await["body"], "from the phone");
    phone.leave().await;
    let last = sender.say(&room, "to the laptop").await["seq"].as_u64().unwrap();
    laptop.event(&room, last).await;
}

#[tokio::test]
async fn a_slow_reader() {
    // What overflows its queue is not lost to it: it comes back and reads on where it was.
    let server = crate::support::process::Setup::new().set("limits.outbox_frames", 16).start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let cursor = bert.head(&room).await;
    let deaf = Raw::online(&server, &bert).await;
    let mut sender = anna.online().await;
    let line = "x".repeat(16_000);
    for _ in 0..100 {
        sender.say(&room, &line).await;
    }
    drop(deaf);
    let (mut reader, _) = bert.resume(json!({room.as_str(): cursor})).await;
    let mut seqs = Vec::new();
    // Even its replay may overflow so small a queue; then it syncs, as the contract says.
    while seqs.last() != Some(&(cursor + 100)) {
        let frame = reader.find("more", |frame| ["event", "lagged"].contains(&frame["type"].as_str().unwrap())).await;
        if frame["type"] == "lagged" {
            let after = seqs.last().copied().unwrap_or(cursor);
            reader.send(json!({"type": "sync", "room": room, "after": after})).await;
        } else {
            seqs.push(frame["seq"].as_u64().unwrap());
        }
    }
    assert_eq!(seqs, (cursor + 1..=cursor + 100).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_loss_between_look_up_and_delivery() {
    // The reader's connection changes at every moment of the delivery; what it names as its cursor decides.
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let mut cursor = bert.head(&room).await;
    let writer = tokio::spawn({
        let (mut sender, room) = (anna.online().await, room.clone());
        async move {
            for index in 0..300 {
                sender.say(&room, &index.to_string()).await;
            }
        }
    });
    let last = cursor + 300;
    while cursor < last {
        let (mut reader, _) = bert.resume(json!({room.as_str(): cursor})).await;
        for _ in 0..7 {
            if cursor < last {
                assert_eq!(reader.seqs(&room, 1).await, [cursor + 1]);
                cursor += 1;
            }
        }
    }
    writer.await.unwrap();
}

#[tokio::test]
async fn double_persistence_and_double_send() {
    // Over two devices and REST at once, with one client id: one event, shown once.
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let mut reader = bert.online().await;
    for round in 0..10 {
        let body = format!("round {round}");
        let frame = message(&room, &body);
        let over_rest = json!({"client_id": frame["client_id"], "body": body});
        let (mut one, mut two) = (anna.online().await, anna.online().await);
        let path = format!("/rooms/{room}/messages");
        let (first, second, third) =
            tokio::join!(one.ask(frame.clone()), two.ask(frame.clone()), anna.rest.post(&path, over_rest));
        assert_eq!((&first["type"], &second["type"]), (&json!("ack"), &json!("ack")));
        let status = third.status;
        assert!([200, 201].contains(&status), "{third:?}");
        let third = third.body(status);
        assert!(first["seq"] == second["seq"] && second["seq"] == third["seq"], "{first} {second} {third}");
        let repeats = [&first, &second, &third].iter().filter(|answer| answer["repeat"] == true).count();
        assert_eq!(repeats, 2);
        reader.event(&room, first["seq"].as_u64().unwrap()).await;
        assert_eq!(count(&mut reader, &body).await, 0, "shown once, and that was it");
    }
    assert_eq!(anna.bodies(&room).await.len(), 10);
}

#[tokio::test]
async fn two_senders_racing() {
    let server = Server::start().await;
    let [anna, bert, carl] = server.people(["anna", "bert", "carl"]).await;
    let room = anna.group("tea", &[&bert, &carl]).await;
    let start = anna.head(&room).await;
    let (mut one, mut two, mut three) = (anna.online().await, bert.online().await, carl.online().await);
    let mut acks = Vec::new();
    for round in 0..50 {
        let (left, right) = (message(&room, &format!("left {round}")), message(&room, &format!("right {round}")));
        let (left, right) = tokio::join!(one.ask(left), two.ask(right));
        acks.extend([left["seq"].as_u64().unwrap(), right["seq"].as_u64().unwrap()]);
    }
    acks.sort_unstable();
    assert_eq!(acks, (start + 1..=start + 100).collect::<Vec<_>>(), "each number once");
    let mut seen = Vec::new();
    for socket in [&mut one, &mut two, &mut three] {
        let mut events = Vec::new();
        for seq in start + 1..=start + 100 {
            events.push(socket.event(&room, seq).await);
        }
        seen.push(events);
    }
    assert!(seen[0] == seen[1] && seen[1] == seen[2], "one number has one value for everybody");
}

#[tokio::test]
async fn a_large_room() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.public_group("square").await;
    let mut readers = Vec::new();
    for index in 0..120 {
        let person = server.person(&format!("reader{index}")).await;
        person.rest.bare("PUT", &format!("/rooms/{room}/members/{}", person.id)).await.body(201);
        readers.push(person.online().await);
    }
    let mut sender = anna.online().await;
    let mut seqs = Vec::new();
    for index in 0..20 {
        seqs.push(sender.say(&room, &index.to_string()).await["seq"].as_u64().unwrap());
    }
    for reader in &mut readers {
        let mut heard = Vec::new();
        while heard.len() < seqs.len() {
            let event = reader.find("a message", |frame| frame["kind"] == "message").await;
            heard.push(event["seq"].as_u64().unwrap());
        }
        assert_eq!(heard, seqs);
    }
    let room = anna.rest.get(&format!("/rooms/{room}")).await.body(200);
    assert_eq!(room["members"], 121);
}

#[tokio::test]
async fn a_growing_partition() {
    // A long log, over the border of a bucket of 4,096 events: numbers, history and resume go on as before.
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let mut socket = anna.online().await;
    let mut sent = 0;
    while sent < 4_200 {
        for _ in 0..50 {
            socket.send(message(&room, "line")).await;
        }
        for _ in 0..50 {
            socket.next_of("ack").await;
        }
        let _ = socket.arrived().await;
        sent += 50;
    }
    let head = anna.head(&room).await;
    let log = anna.log_after(&room, Some(4_000)).await;
    let seqs: Vec<u64> = log.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (4_001..=head).collect::<Vec<_>>());
    let page = anna.rest.get(&format!("/rooms/{room}/messages?before=4100&limit=10")).await.body(200);
    let seqs: Vec<u64> = page["items"].as_array().unwrap().iter().map(|item| item["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (4_090..4_100).collect::<Vec<_>>());
    let server = server.kill_and_restart().await;
    let (mut socket, _) = anna.at(&server).resume(json!({room.as_str(): head - 200})).await;
    assert_eq!(socket.seqs(&room, 200).await, (head - 199..=head).collect::<Vec<_>>());
    assert_eq!(socket.say(&room, "and on").await["seq"], head + 1);
}

#[tokio::test]
async fn a_forged_sender() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let mut socket = bert.online().await;
    for field in ["from", "user", "sender"] {
        let mut frame = message(&room, "I am anna");
        frame[field] = json!(anna.id);
        let answer = socket.ask(frame).await;
        assert_eq!((&answer["type"], &answer["field"]), (&json!("nack"), &json!(field)), "{answer}");
    }
    let mut request = json!({"client_id": client_id(), "body": "I am anna", "from": anna.id});
    let path = format!("/rooms/{room}/messages");
    bert.rest.post(&path, request.clone()).await.refused_field(400, "bad_request", "/from");
    request.as_object_mut().unwrap().remove("from");
    bert.rest.post(&path, request).await.body(201);
    let log = anna.log(&room).await;
    assert_eq!(log.last().unwrap()["from"], bert.id.as_str());
    assert_eq!(anna.bodies(&room).await.len(), 1);
}

#[tokio::test]
async fn a_non_member_sending() {
    let server = Server::start().await;
    let [anna, carl] = server.people(["anna", "carl"]).await;
    let (private, public) = (anna.group("tea", &[]).await, anna.public_group("gardening").await);
    let mut socket = carl.online().await;
    socket.refused(message(&private, "hello"), "not_found").await;
    socket.refused(message(&public, "hello"), "not_member").await;
    socket.refused(message(&client_id(), "hello"), "not_found").await;
    for room in [&private, &public] {
        assert!(anna.bodies(room).await.is_empty());
    }
}

#[tokio::test]
async fn a_non_member_reading() {
    let server = Server::start().await;
    let [anna, bert, carl] = server.people(["anna", "bert", "carl"]).await;
    let (room, shared) = (anna.group("tea", &[&bert]).await, anna.group("fence", &[&carl]).await);
    let (mut stranger, welcome) = carl.resume(json!({room.as_str(): 0})).await;
    assert!(!welcome.to_string().contains(&room), "{welcome}");
    stranger.send(json!({"type": "watch", "rooms": [room]})).await;
    let mut sender = anna.online().await;
    let secret = sender.say(&room, "the secret").await["seq"].as_u64().unwrap();
    bert.online().await.send(json!({"type": "mark", "room": room, "read": secret})).await;
    let fence = sender.say(&shared, "fence").await["seq"].as_u64().unwrap();
    stranger.event(&shared, fence).await;
    let answer = stranger.ask(json!({"type": "sync", "room": room, "after": 0})).await;
    assert_eq!((&answer["type"], &answer["code"]), (&json!("nack"), &json!("not_found")), "{answer}");
    for frame in stranger.arrived().await {
        assert!(!frame.to_string().contains(&room), "{frame}");
    }
    let found = carl.rest.get("/rooms?public=1&query=tea").await.body(200);
    assert_eq!(found["items"], json!([]));
}
