//! Coming back: replay, gap, cursors beyond the head, sync, and rooms that are not one's own (P5, P8).

use serde_json::{Value, json};

use crate::support::client_id;
use crate::support::person::Person;
use crate::support::process::Server;

async fn say_many(person: &Person, room: &str, count: usize) -> u64 {
    let mut socket = person.online().await;
    let frames = (0..count)
        .map(|index| json!({"type": "send", "room": room, "client_id": client_id(), "body": format!("line {index}")}));
    let mut last = 0;
    for chunk in frames.collect::<Vec<_>>().chunks(50) {
        for frame in chunk {
            socket.send(frame.clone()).await;
        }
        for _ in chunk {
            last = last.max(socket.next_of("ack").await["seq"].as_u64().unwrap());
        }
    }
    last
}

#[tokio::test]
async fn exactly_what_was_missed_is_replayed_then_synced_then_live() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let (room, other) = (anna.group("tea", &[&bert]).await, anna.group("coffee", &[&bert]).await);
    let cursor = anna.post(&room, "seen").await;
    let other_cursor = anna.head(&other).await;
    let first = anna.post(&room, "missed 1").await;
    let second = bert.post(&room, "missed 2").await;
    let (mut socket, welcome) = bert.resume(json!({room.as_str(): cursor, other.as_str(): other_cursor})).await;
    assert_eq!(welcome["resume"], json!({room.as_str(): "replay", other.as_str(): "replay"}));
    let mut of_room = Vec::new();
    for _ in 0..3 {
        of_room.push(socket.find("a frame of the room", |frame| frame["room"] == room.as_str()).await);
    }
    assert_eq!((&of_room[0]["seq"], &of_room[0]["body"]), (&json!(first), &json!("missed 1")));
    assert_eq!((&of_room[1]["seq"], &of_room[1]["body"]), (&json!(second), &json!("missed 2")));
    assert_eq!((&of_room[2]["type"], &of_room[2]["seq"]), (&json!("synced"), &json!(second)));
    let synced = socket.next_of("synced").await;
    assert_eq!((&synced["room"], &synced["seq"]), (&json!(other), &json!(other_cursor)), "nothing was missed there");
    let live = anna.post(&room, "live").await;
    assert_eq!(live, second + 1);
    assert_eq!(socket.event(&room, live).await["body"], "live");
}

#[tokio::test]
async fn what_is_replayed_is_what_was_live() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let cursor = anna.head(&room).await;
    let mut live = bert.online().await;
    let seq = anna.post(&room, "hello").await;
    anna.rest.patch(&format!("/rooms/{room}/messages/{seq}"), json!({"body": "hello!"})).await.body(200);
    let thumb = format!("/rooms/{room}/messages/{seq}/reactions/%F0%9F%91%8D");
    bert.rest.bare("PUT", &thumb).await.body(204);
    anna.rest.patch(&format!("/rooms/{room}"), json!({"topic": "leaves"})).await.body(200);
    let (mut resumed, _) = bert.resume(json!({room.as_str(): cursor})).await;
    for seq in cursor + 1..=anna.head(&room).await {
        let (now, later) = (live.event(&room, seq).await, resumed.event(&room, seq).await);
        assert_eq!(now, later);
        let log = bert.log_after(&room, Some(seq - 1)).await;
        for (key, value) in log[0].as_object().unwrap() {
            assert!(now[key] == *value || key == "type", "{key}: {now} and {}", log[0]);
        }
    }
}

#[tokio::test]
async fn more_than_500_missing_events_are_a_gap_to_be_paged() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let cursor = bert.head(&room).await;
    let head = say_many(&anna, &room, 501).await;
    let (mut socket, welcome) = bert.resume(json!({room.as_str(): cursor})).await;
    assert_eq!(welcome["resume"][&room], "gap");
    let gap = socket.next_of("gap").await;
    assert_eq!((&gap["room"], &gap["from"]), (&json!(room), &json!(cursor + 1)));
    assert_eq!(gap["to"], head);
    assert!(!socket.arrived().await.iter().any(|frame| frame["type"] == "event"), "nothing is pushed");
    let log = bert.log_after(&room, Some(gap["from"].as_u64().unwrap() - 1)).await;
    let seqs: Vec<u64> = log.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (cursor + 1..=head).collect::<Vec<_>>());
    let between = anna.post(&room, "meanwhile").await;
    socket.send(json!({"type": "sync", "room": room, "after": head, "id": "s"})).await;
    assert_eq!(socket.event(&room, between).await["body"], "meanwhile");
    let synced = socket.next_of("synced").await;
    assert_eq!((&synced["id"], &synced["seq"]), (&json!("s"), &json!(between)));
    let live = anna.post(&room, "live").await;
    socket.event(&room, live).await;
    let (_, welcome) = bert.resume(json!({room.as_str(): cursor + 2})).await;
    assert_eq!(welcome["resume"][&room], "gap", "{head} - {cursor} - 2 is 501 and more");
    let (_, welcome) = bert.resume(json!({room.as_str(): live - 500})).await;
    assert_eq!(welcome["resume"][&room], "replay", "500 are not too many");
}

#[tokio::test]
async fn a_cursor_beyond_the_head_is_a_gap_that_says_forget_it() {
    // 42
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let head = anna.post(&room, "hello").await;
    for cursor in [head + 1, head + 1000, (1 << 53) - 1] {
        let (mut socket, welcome) = anna.resume(json!({room.as_str(): cursor})).await;
        assert_eq!(welcome["resume"][&room], "replay", "the room itself is asked: {welcome}");
        let gap = socket.next_of("gap").await;
        assert!(gap["from"].as_u64() > gap["to"].as_u64(), "{gap}");
        let answer = socket.ask(json!({"type": "sync", "room": room, "after": cursor})).await;
        assert_eq!(answer["type"], "gap", "{answer}");
        assert!(answer["from"].as_u64() > answer["to"].as_u64(), "{answer}");
        socket.ask(json!({"type": "sync", "room": room, "after": head})).await;
        socket.say(&room, "still works").await;
        anna.head(&room).await;
    }
}

#[tokio::test]
async fn cursors_of_rooms_that_are_not_mine_are_ignored() {
    // P8
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let (hers, his) = (anna.group("hers", &[]).await, bert.group("his", &[]).await);
    anna.post(&hers, "secret").await;
    let nowhere = client_id();
    let cursor = bert.head(&his).await;
    bert.post(&his, "mine").await;
    let (mut socket, welcome) = bert.resume(json!({hers.as_str(): 0, nowhere.as_str(): 0, his.as_str(): cursor})).await;
    assert_eq!(welcome["resume"], json!({his.as_str(): "replay"}));
    socket.next_of("synced").await;
    let arrived = socket.arrived().await;
    assert!(arrived.iter().all(|frame| frame["room"] == his.as_str()), "{arrived:?}");
    for room in [&hers, &nowhere] {
        let answer = socket.ask(json!({"type": "sync", "room": room, "after": 0})).await;
        assert_eq!(answer["type"], "nack", "{answer}");
        assert!(["not_found", "not_member"].contains(&answer["code"].as_str().unwrap()), "{answer}");
    }
}

#[tokio::test]
async fn a_room_without_a_cursor_starts_live_at_its_head() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    anna.post(&room, "before").await;
    let mut socket = bert.online().await;
    let seq = anna.post(&room, "after").await;
    assert_eq!(socket.event(&room, seq).await["body"], "after");
    assert!(!socket.arrived().await.iter().any(|frame| frame["body"] == "before"));
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_while_others_write_during_the_resume() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let start = anna.head(&room).await;
    let writer = tokio::spawn({
        let (anna, room) = (anna.clone(), room.clone());
        async move { say_many(&anna, &room, 400).await }
    });
    let mut cursor = start;
    for _ in 0..8 {
        let (mut socket, welcome) = bert.resume(json!({room.as_str(): cursor})).await;
        assert_eq!(welcome["resume"][&room], "replay");
        let seqs = socket.seqs(&room, 25).await;
        assert_eq!(seqs, (cursor + 1..=cursor + 25).collect::<Vec<_>>());
        cursor += 25;
    }
    let head = writer.await.unwrap();
    let (mut socket, _) = bert.resume(json!({room.as_str(): cursor})).await;
    let seqs = socket.seqs(&room, (head - cursor) as usize).await;
    assert_eq!(seqs, (cursor + 1..=head).collect::<Vec<_>>());
}

#[tokio::test]
async fn too_much_over_all_rooms_is_a_gap_for_some_of_them() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let mut rooms = Vec::new();
    for index in 0..11 {
        rooms.push(anna.group(&format!("room {index}"), &[&bert]).await);
    }
    let mut cursors = serde_json::Map::new();
    for room in &rooms {
        cursors.insert(room.clone(), json!(bert.head(room).await));
        say_many(&anna, room, 480).await;
    }
    let (mut socket, welcome) = bert.resume(Value::Object(cursors)).await;
    let resume = welcome["resume"].as_object().unwrap();
    let replays = resume.values().filter(|how| *how == "replay").count();
    assert!(replays * 480 <= 5_000 && replays >= 9 && resume.len() == 11, "{resume:?}");
    let mut events = 0;
    for _ in 0..replays {
        socket.next_of("synced").await;
    }
    for frame in socket.arrived().await {
        events += usize::from(frame["type"] == "event");
    }
    assert_eq!(events, replays * 480);
}
