//! Marks, typing and presence: what one shows and what one is shown.

use serde_json::{Value, json};

use crate::support::person::Person;
use crate::support::preload::Later;
use crate::support::process::{Server, Setup};
use crate::support::socket::Socket;

/// Waits until this socket shows somebody so.
async fn presence_of(socket: &mut Socket, person: &Person, status: &str) -> Value {
    let what = format!("{} to be {status}", person.handle);
    let id = person.id.clone();
    socket
        .find(&what, |frame| frame["type"] == "presence" && frame["user"] == id.as_str() && frame["status"] == status)
        .await
}

#[tokio::test]
async fn marks_go_to_the_room_and_only_forwards() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let seq = anna.post(&room, "hello").await;
    let (mut sender, mut reader, mut second) = (anna.online().await, bert.online().await, bert.online().await);
    reader.send(json!({"type": "mark", "room": room, "delivered": seq})).await;
    let of_bert = |frame: &Value| frame["type"] == "marks" && frame["user"] == bert.id.as_str();
    let marks = sender.find("bert's mark", of_bert).await;
    assert_eq!((&marks["room"], &marks["delivered"]), (&json!(room), &json!(seq)));
    reader.send(json!({"type": "mark", "room": room, "read": seq})).await;
    let read = |frame: &Value| of_bert(frame) && frame["read"] == seq;
    sender.find("bert's read mark", read).await;
    second.find("the mark on the other device", read).await;
    reader.send(json!({"type": "mark", "room": room, "read": 1})).await;
    let fence = anna.post(&room, "fence").await;
    reader.send(json!({"type": "mark", "room": room, "read": fence})).await;
    loop {
        let next = sender.find("bert's next mark", |frame| of_bert(frame) && frame["read"].is_u64()).await;
        assert!(next["read"].as_u64() >= Some(seq), "a mark never goes back: {next}");
        if next["read"] == fence {
            break;
        }
    }
    let (_, welcome) = bert.resume(json!({})).await;
    assert_eq!((&welcome["rooms"][0]["read"], &welcome["rooms"][0]["unread"]), (&json!(fence), &json!(0)));
}

#[tokio::test]
async fn marks_in_a_large_room_are_shown_to_the_own_devices_alone() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.public_group("gardening").await;
    let mut others = vec![bert.clone()];
    for index in 0..99 {
        others.push(server.person(&format!("somebody{index}")).await);
    }
    let join = async |person: &Person| {
        person.rest.bare("PUT", &format!("/rooms/{room}/members/{}", person.id)).await.body(201);
    };
    for person in &others[..99] {
        join(person).await;
    }
    let seq = anna.post(&room, "to a hundred").await;
    let (mut reader, mut second, mut sender) = (bert.online().await, bert.online().await, anna.online().await);
    let of_bert = |frame: &Value| frame["type"] == "marks" && frame["user"] == bert.id.as_str();
    reader.send(json!({"type": "mark", "room": room, "read": seq})).await;
    sender.find("the mark in a room of a hundred", of_bert).await;
    second.find("the mark on the other device", of_bert).await;
    let member = anna.rest.list(&format!("/rooms/{room}/members")).await.pop().unwrap();
    assert!(member["read"].is_u64(), "{member}");
    join(&others[99]).await;
    let seq = anna.post(&room, "to a hundred and one").await;
    reader.send(json!({"type": "mark", "room": room, "read": seq})).await;
    second.find("the mark on the other device", |frame| of_bert(frame) && frame["read"] == seq).await;
    let fence = anna.post(&room, "fence").await;
    sender.event(&room, fence).await;
    let arrived = sender.arrived().await;
    assert!(!arrived.iter().any(of_bert), "{arrived:?}");
    let members = anna.rest.list(&format!("/rooms/{room}/members?limit=200")).await;
    assert_eq!(members.len(), 101);
    assert!(members.iter().all(|member| member.get("read").is_none()), "{members:?}");
}

#[tokio::test]
async fn a_mark_beyond_the_head_or_of_a_strange_room_is_refused() {
    // 49
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let (hers, his) = (anna.group("hers", &[]).await, bert.group("his", &[]).await);
    let head = anna.head(&hers).await;
    let mut socket = anna.online().await;
    let nack = socket.refused(json!({"type": "mark", "room": hers, "read": head + 1}), "bad_request").await;
    assert_eq!(nack["field"], "read", "{nack}");
    let nack = socket.refused(json!({"type": "mark", "room": hers, "delivered": head + 1}), "bad_request").await;
    assert_eq!(nack["field"], "delivered", "{nack}");
    let nack = socket.ask(json!({"type": "mark", "room": his, "read": 1})).await;
    assert!(["not_found", "not_member"].contains(&nack["code"].as_str().unwrap()), "{nack}");
}

#[tokio::test]
async fn typing_is_shown_to_who_watches_the_room_and_is_not_kept() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let head = anna.head(&room).await;
    let (mut writer, mut watching, mut not) = (anna.online().await, bert.online().await, bert.online().await);
    watching.send(json!({"type": "watch", "rooms": [room]})).await;
    watching.arrived().await;
    writer.send(json!({"type": "typing", "room": room, "on": true})).await;
    let typing = watching.next_of("typing").await;
    assert_eq!((&typing["room"], &typing["user"], &typing["on"]), (&json!(room), &json!(anna.id), &json!(true)));
    writer.send(json!({"type": "typing", "room": room, "on": false})).await;
    assert_eq!(watching.next_of("typing").await["on"], false);
    watching.send(json!({"type": "watch", "rooms": []})).await;
    watching.arrived().await;
    writer.send(json!({"type": "typing", "room": room, "on": true})).await;
    let seq = writer.say(&room, "fence").await["seq"].as_u64().unwrap();
    assert_eq!(seq, head + 1, "typing is no event");
    for socket in [&mut watching, &mut not] {
        socket.event(&room, seq).await;
        assert!(!socket.arrived().await.iter().any(|frame| frame["type"] == "typing"));
    }
}

#[tokio::test]
async fn a_flood_of_typing_is_coalesced() {
    // 50
    let server = Setup::new().set("limits.sends_per_second", 20).set("limits.send_burst", 60).start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let (mut writer, mut watching) = (anna.online().await, bert.online().await);
    watching.send(json!({"type": "watch", "rooms": [room]})).await;
    watching.arrived().await;
    for index in 0..2_000 {
        if !writer.try_send(json!({"type": "typing", "room": room, "on": index % 2 == 0})).await {
            break;
        }
    }
    let seq = anna.post(&room, "fence").await;
    watching.event(&room, seq).await;
    let shown = watching.arrived().await.iter().filter(|frame| frame["type"] == "typing").count();
    assert!(shown < 500, "{shown} of 2,000 were shown");
}

#[tokio::test]
async fn strangers_see_nobody_type() {
    let server = Server::start().await;
    let [anna, carl] = server.people(["anna", "carl"]).await;
    let (room, fence) = (anna.group("tea", &[]).await, anna.group("fence", &[&carl]).await);
    let (mut writer, mut stranger) = (anna.online().await, carl.online().await);
    stranger.send(json!({"type": "watch", "rooms": [room]})).await;
    stranger.arrived().await;
    writer.send(json!({"type": "typing", "room": room, "on": true})).await;
    let seq = writer.say(&fence, "fence").await["seq"].as_u64().unwrap();
    stranger.event(&fence, seq).await;
    assert!(!stranger.arrived().await.iter().any(|frame| frame["type"] == "typing"));
    let answer = stranger.ask(json!({"type": "typing", "room": room, "on": true, "id": "x"}));
    let typed = tokio::time::timeout(std::time::Duration::from_millis(500), answer).await;
    if let Ok(answer) = typed {
        assert_eq!(answer["type"], "nack", "{answer}");
    }
}

#[tokio::test]
async fn presence_follows_the_connections_of_all_devices() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    anna.group("tea", &[&bert]).await;
    let mut watching = anna.online().await;
    watching.send(json!({"type": "watch", "users": [bert.id]})).await;
    presence_of(&mut watching, &bert, "offline").await;
    let phone = bert.online().await;
    presence_of(&mut watching, &bert, "online").await;
    let laptop = server.login("bert").await.online().await;
    phone.leave().await;
    let arrived = watching.arrived().await;
    assert!(!arrived.iter().any(|frame| frame["status"] == "offline"), "one device is still there: {arrived:?}");
    laptop.leave().await;
    let gone = presence_of(&mut watching, &bert, "offline").await;
    assert!(gone["last_seen"].is_string(), "{gone}");
}

#[tokio::test]
async fn watching_answers_with_each_user_and_replaces_the_set() {
    let server = Server::start().await;
    let [anna, bert, carl] = server.people(["anna", "bert", "carl"]).await;
    let room = anna.group("tea", &[&bert, &carl]).await;
    let _bert_is_here = bert.online().await;
    let mut watching = anna.online().await;
    watching.send(json!({"type": "watch", "users": [bert.id, carl.id]})).await;
    presence_of(&mut watching, &bert, "online").await;
    presence_of(&mut watching, &carl, "offline").await;
    watching.send(json!({"type": "watch", "users": [bert.id]})).await;
    presence_of(&mut watching, &bert, "online").await;
    let carls = carl.online().await;
    let seq = carl.post(&room, "fence").await;
    watching.event(&room, seq).await;
    let arrived = watching.arrived().await;
    assert!(
        !arrived.iter().any(|frame| frame["user"] == carl.id.as_str() && frame["type"] == "presence"),
        "{arrived:?}"
    );
    drop(carls);
}

#[tokio::test]
async fn at_most_500_are_watched() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut socket = anna.online().await;
    let many: Vec<String> = (0..501).map(|_| crate::support::client_id()).collect();
    for field in ["users", "rooms"] {
        let answer = socket.ask(json!({"type": "watch", field: many})).await;
        assert_eq!((&answer["type"], &answer["field"]), (&json!("nack"), &json!(field)), "{answer}");
    }
}

#[tokio::test]
async fn a_killed_client_goes_offline_when_it_misses_its_heartbeats() {
    let server = Setup::new().set("limits.heartbeat_seconds", 1).start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    anna.group("tea", &[&bert]).await;
    let mut watching = anna.online().await;
    let _silent = crate::support::raw::Raw::online(&server, &bert).await;
    watching.send(json!({"type": "watch", "users": [bert.id]})).await;
    presence_of(&mut watching, &bert, "online").await;
    presence_of(&mut watching, &bert, "offline").await;
}

#[tokio::test]
async fn who_does_nothing_for_five_minutes_is_away_until_they_do_something() {
    let (setup, clock) = Later::over(Setup::new().set("limits.heartbeat_seconds", 3_600));
    let server = setup.start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    anna.group("tea", &[&bert]).await;
    let mut phone = bert.online().await;
    let mut watching = anna.online().await;
    watching.send(json!({"type": "watch", "users": [bert.id]})).await;
    presence_of(&mut watching, &bert, "online").await;
    clock.by(290);
    phone.ask(json!({"type": "ping"})).await;
    clock.by(580);
    let seq = anna.post(&anna.group("fence", &[]).await, "fence").await;
    assert!(seq > 0);
    assert!(
        !watching.arrived().await.iter().any(|frame| frame["status"] == "away"),
        "less than five minutes after the last frame"
    );
    clock.by(600);
    let away = presence_of(&mut watching, &bert, "away").await;
    assert!(away.get("last_seen").is_none(), "who is away is still here: {away}");
    let mut late = anna.online().await;
    late.send(json!({"type": "watch", "users": [bert.id]})).await;
    presence_of(&mut late, &bert, "away").await;
    phone.ask(json!({"type": "ping"})).await;
    presence_of(&mut watching, &bert, "online").await;
    clock.by(1_000);
    presence_of(&mut watching, &bert, "away").await;
    phone.leave().await;
    assert!(presence_of(&mut watching, &bert, "offline").await["last_seen"].is_string());
}
