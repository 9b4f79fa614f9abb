//! What happens while one is connected: acks, events and their order, rooms that appear and go.

use serde_json::{Value, json};

use crate::support::client_id;
use crate::support::process::Server;

#[tokio::test]
async fn who_sends_gets_an_ack_and_everybody_gets_the_same_event() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let (mut one, mut two, mut other) = (anna.online().await, anna.online().await, bert.online().await);
    let id = client_id();
    let frame = json!({"type": "send", "room": room, "client_id": id, "body": "hello", "mentions": [bert.id]});
    let ack = one.ask(frame).await;
    assert_eq!((&ack["type"], &ack["client_id"], &ack["room"]), (&json!("ack"), &json!(id), &json!(room)));
    assert!(ack["at"].is_string() && ack.get("repeat").is_none_or(|repeat| repeat == false), "{ack}");
    let seq = ack["seq"].as_u64().unwrap();
    let event = one.event(&room, seq).await;
    assert_eq!((&event["kind"], &event["from"], &event["client_id"]), (&json!("message"), &json!(anna.id), &json!(id)));
    assert_eq!((&event["body"], &event["mentions"], &event["at"]), (&json!("hello"), &json!([bert.id]), &ack["at"]));
    assert_eq!(two.event(&room, seq).await, event, "on the other device too");
    assert_eq!(other.event(&room, seq).await, event, "the same for everybody: nothing in it is personal");
}

#[tokio::test]
async fn a_repeated_send_is_acked_again_and_shown_once() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let (mut sender, mut reader) = (anna.online().await, bert.online().await);
    let frame = json!({"type": "send", "room": room, "client_id": client_id(), "body": "hello"});
    let first = sender.ask(frame.clone()).await;
    let again = sender.ask(frame.clone()).await;
    assert_eq!((&again["seq"], &again["repeat"], &again["at"]), (&first["seq"], &json!(true), &first["at"]));
    let mut elsewhere = anna.online().await;
    let from_there = elsewhere.ask(frame.clone()).await;
    assert_eq!((&from_there["seq"], &from_there["repeat"]), (&first["seq"], &json!(true)), "on any device");
    let mut changed = frame.clone();
    changed["body"] = json!("something else");
    sender.refused(changed, "conflict").await;
    let over_rest = json!({"client_id": frame["client_id"], "body": "hello"});
    let answer = anna.rest.post(&format!("/rooms/{room}/messages"), over_rest).await.body(200);
    assert_eq!(answer["seq"], first["seq"], "and over REST");
    let last = sender.say(&room, "last").await["seq"].as_u64().unwrap();
    assert_eq!(last, first["seq"].as_u64().unwrap() + 1);
    reader.event(&room, last).await;
    let hellos = reader.arrived().await.into_iter().filter(|frame| frame["body"] == "hello").count();
    assert_eq!(hellos, 1);
}

#[tokio::test]
async fn a_retry_is_the_same_event_after_a_restart_and_long_after() {
    // P3
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let seen = anna.head(&room).await;
    let frame = json!({"type": "send", "room": room, "client_id": client_id(), "body": "hello", "seen": seen});
    let mut socket = anna.online().await;
    let first = socket.ask(frame.clone()).await;
    for index in 0..300 {
        socket.say(&room, &format!("line {index}")).await;
    }
    let server = server.kill_and_restart().await;
    let again = anna.at(&server).online().await.ask(frame).await;
    assert_eq!((&again["seq"], &again["repeat"]), (&first["seq"], &json!(true)));
}

#[tokio::test]
async fn acks_and_events_of_a_room_come_in_order_and_all_see_one_order() {
    let server = Server::start().await;
    let [anna, bert, carl] = server.people(["anna", "bert", "carl"]).await;
    let room = anna.group("tea", &[&bert, &carl]).await;
    let mut reader = carl.online().await;
    let count = 200;
    // Both are there before either begins: who comes later starts at the head.
    let sockets = [anna.online().await, bert.online().await];
    let mut senders = Vec::new();
    for mut socket in sockets {
        let room = room.clone();
        senders.push(tokio::spawn(async move {
            let (mut sent, mut acks, mut events, mut frames) = (0, 0, 0, Vec::new());
            while acks < count || events < 2 * count {
                // As many at once as a connection may have unanswered.
                while sent < count && sent - acks < 50 {
                    let frame =
                        json!({"type": "send", "room": room, "client_id": client_id(), "body": sent.to_string()});
                    socket.send(frame).await;
                    sent += 1;
                }
                let frame = socket.next().await;
                match frame["type"].as_str().unwrap() {
                    "ack" => acks += 1,
                    "event" => events += 1,
                    _ => continue,
                }
                frames.push(frame);
            }
            frames
        }));
    }
    let order = reader.seqs(&room, 2 * count).await;
    assert!(order.windows(2).all(|pair| pair[1] == pair[0] + 1), "{order:?}");
    for sender in senders {
        let frames = sender.await.unwrap();
        let of = |kind: &str| -> Vec<u64> {
            let of_kind = frames.iter().filter(|frame| frame["type"] == kind);
            of_kind.map(|frame| frame["seq"].as_u64().unwrap()).collect()
        };
        assert_eq!(of("event"), order, "everybody sees the same order");
        let acks = of("ack");
        assert!(acks.windows(2).all(|pair| pair[0] < pair[1]), "acks in order, and sends keep theirs: {acks:?}");
        never_overtake(&frames);
    }
}

/// An ack of a later event never comes before the event of an earlier one, nor the other way round.
fn never_overtake(frames: &[Value]) {
    let (mut event, mut ack) = (0, 0);
    for frame in frames {
        let seq = frame["seq"].as_u64().unwrap();
        if frame["type"] == "ack" {
            assert!(seq + 1 >= event, "ack {seq} after event {event}");
            ack = seq;
        } else {
            assert!(seq + 1 >= ack, "event {seq} after ack {ack}");
            event = seq;
        }
    }
}

#[tokio::test]
async fn a_room_that_appears_is_live_from_the_head_it_names() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let mut socket = bert.online().await;
    let room = anna.group("tea", &[]).await;
    anna.post(&room, "before bert").await;
    anna.rest.bare("PUT", &format!("/rooms/{room}/members/{}", bert.id)).await.body(201);
    let appeared = socket.find("the room", |frame| frame["type"] == "room" && frame["room"] == room.as_str()).await;
    assert_eq!(
        (&appeared["name"], &appeared["kind"], &appeared["role"]),
        (&json!("tea"), &json!("group"), &json!("member"))
    );
    let head = appeared["head"].as_u64().expect("it names its head");
    let mut expected = head + 1;
    let last = anna.post(&room, "hello bert").await;
    while expected <= last {
        assert_eq!(socket.seqs(&room, 1).await, [expected], "live from the head that it named");
        expected += 1;
    }
    let made = bert.group("mine", &[]).await;
    let appeared = socket.find("my own room", |frame| frame["type"] == "room" && frame["room"] == made.as_str()).await;
    assert_eq!(appeared["role"], "owner");
}

#[tokio::test]
async fn a_room_that_appears_while_others_write_has_no_hole() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[]).await;
    let mut writer = anna.online().await;
    let mut socket = bert.online().await;
    let writing = tokio::spawn({
        let room = room.clone();
        async move {
            for index in 0..150 {
                writer.say(&room, &index.to_string()).await;
            }
        }
    });
    anna.rest.bare("PUT", &format!("/rooms/{room}/members/{}", bert.id)).await.body(201);
    let appeared = socket.find("the room", |frame| frame["type"] == "room" && frame["room"] == room.as_str()).await;
    let head = appeared["head"].as_u64().unwrap();
    writing.await.unwrap();
    let last = anna.head(&room).await;
    let seqs = socket.seqs(&room, (last - head) as usize).await;
    assert_eq!(seqs, (head + 1..=last).collect::<Vec<_>>());
}

#[tokio::test]
async fn who_is_removed_is_told_and_hears_nothing_more() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let (room, fence) = (anna.group("tea", &[&bert]).await, anna.group("fence", &[&bert]).await);
    let mut socket = bert.online().await;
    anna.rest.delete(&format!("/rooms/{room}/members/{}", bert.id)).await.body(204);
    let gone = socket.find("the room to go", |frame| frame["type"] == "room" && frame["gone"] == true).await;
    assert_eq!(gone["room"], room.as_str());
    anna.post(&room, "secret").await;
    let seq = anna.post(&fence, "fence").await;
    socket.event(&fence, seq).await;
    assert!(!socket.arrived().await.iter().any(|frame| frame["body"] == "secret"));
    let frame = json!({"type": "send", "room": room, "client_id": client_id(), "body": "hello?"});
    let answer = socket.ask(frame).await;
    assert_eq!(answer["type"], "nack", "{answer}");
    assert!(["not_member", "not_found"].contains(&answer["code"].as_str().unwrap()), "{answer}");
}

#[tokio::test]
async fn settings_that_change_for_me_are_a_room_frame_on_my_devices() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let (mut mine, mut other) = (bert.online().await, anna.online().await);
    bert.rest.put(&format!("/rooms/{room}/notifications"), json!({"notify": "none"})).await.body(200);
    // The word of the room itself may still be on its way.
    let is_muted = |frame: &Value| frame["type"] == "room" && frame["notify"] == "none";
    let frame = mine.find("my settings", is_muted).await;
    assert_eq!(frame["room"], room.as_str());
    anna.rest.put(&format!("/rooms/{room}/members/{}", bert.id), json!({"role": "admin"})).await.body(200);
    let is_admin = |frame: &Value| frame["type"] == "room" && frame["role"] == "admin";
    mine.find("my new role", is_admin).await;
    let seq = bert.post(&room, "fence").await;
    other.event(&room, seq).await;
    let leaked = other.arrived().await.into_iter().find(|frame| frame["notify"] == "none");
    assert_eq!(leaked, None, "settings are one's own");
}
