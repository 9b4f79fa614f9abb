//! Rooms: making, listing, changing, discovering and deleting them.

use serde_json::{Value, json};

use crate::support::process::Server;
use crate::support::{client_id, eventually};

#[tokio::test]
async fn a_room_is_made_with_its_members_and_shown_to_each_with_their_role() {
    let server = Server::start().await;
    let [anna, bert, carl] = server.people(["anna", "bert", "carl"]).await;
    let request = json!({"kind": "group", "name": "tea", "topic": "leaves", "members": [bert.id]});
    let room = anna.rest.post("/rooms", request).await.body(201);
    let id = room["id"].as_str().unwrap();
    assert_eq!((&room["kind"], &room["name"], &room["topic"]), (&json!("group"), &json!("tea"), &json!("leaves")));
    assert_eq!((&room["visibility"], &room["archived"]), (&json!("private"), &json!(false)));
    assert_eq!((&room["members"], &room["role"]), (&json!(2), &json!("owner")));
    assert!(room["head"].as_u64().unwrap() >= 2 && room["created_at"].is_string(), "{room}");
    let seen = bert.rest.get(&format!("/rooms/{id}")).await.body(200);
    assert_eq!((&seen["role"], &seen["notify"]), (&json!("member"), &json!("all")));
    carl.rest.get(&format!("/rooms/{id}")).await.refused(404, "not_found");
    carl.rest.get(&format!("/rooms/{}", client_id())).await.refused(404, "not_found");
    let channel = anna.channel("news", &[&bert]).await;
    let seen = bert.rest.get(&format!("/rooms/{channel}")).await.body(200);
    assert_eq!((&seen["kind"], &seen["role"]), (&json!("channel"), &json!("reader")));
}

#[tokio::test]
async fn my_rooms_come_with_the_last_message_and_what_is_unread() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let tea = anna.group("tea", &[&bert]).await;
    let coffee = anna.group("coffee", &[&bert]).await;
    anna.post(&coffee, "beans").await;
    anna.post(&tea, "first").await;
    let last = anna.post(&tea, "second").await;
    let rooms = bert.rest.list("/rooms").await;
    let ids: Vec<&str> = rooms.iter().map(|room| room["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [tea.as_str(), coffee.as_str()], "newest activity first");
    assert_eq!((&rooms[0]["unread"], &rooms[1]["unread"]), (&json!(2), &json!(1)));
    assert_eq!(rooms[0]["head"], last);
    assert_eq!((&rooms[0]["last_message"]["body"], &rooms[0]["last_message"]["seq"]), (&json!("second"), &json!(last)));
    eventually("anna's own mark to move along with what she sent", || async {
        (anna.rest.list("/rooms").await[0]["unread"] == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn owner_and_admins_change_a_room_and_the_change_is_an_event() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let path = format!("/rooms/{room}");
    let mut socket = bert.online().await;
    bert.rest.patch(&path, json!({"name": "mine"})).await.refused(403, "forbidden");
    let changed = anna.rest.patch(&path, json!({"name": "green tea", "topic": "t"})).await.body(200);
    assert_eq!((&changed["name"], &changed["topic"]), (&json!("green tea"), &json!("t")));
    let event = socket.find("the change", |frame| frame["kind"] == "room" && frame["change"] == "changed").await;
    assert_eq!((&event["name"], &event["from"]), (&json!("green tea"), &json!(anna.id)));
    let cleared = anna.rest.patch(&path, json!({"topic": ""})).await.body(200);
    assert!(cleared.get("topic").is_none_or(|topic| topic.is_null() || topic == ""), "{cleared}");
    anna.rest.put(&format!("{path}/members/{}", bert.id), json!({"role": "admin"})).await.body(200);
    assert_eq!(bert.rest.patch(&path, json!({"name": "black tea"})).await.body(200)["name"], "black tea");
    anna.rest.patch(&path, json!({"name": ""})).await.refused_field(400, "bad_request", "/name");
    anna.rest.patch(&path, json!({"kind": "channel"})).await.refused_field(400, "bad_request", "/kind");
}

#[tokio::test]
async fn an_archived_room_is_read_but_not_written() {
    // 47
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let seq = anna.post(&room, "before").await;
    let path = format!("/rooms/{room}");
    assert_eq!(anna.rest.patch(&path, json!({"archived": true})).await.body(200)["archived"], true);
    let message = || json!({"client_id": client_id(), "body": "late"});
    for person in [&anna, &bert] {
        person.rest.post(&format!("{path}/messages"), message()).await.refused(409, "archived");
        let mut socket = person.online().await;
        let frame = json!({"type": "send", "room": room, "client_id": client_id(), "body": "late"});
        socket.refused(frame, "archived").await;
        let edit = json!({"type": "edit", "room": room, "client_id": client_id(), "seq": seq, "body": "x"});
        let answer = socket.ask(edit).await;
        assert_eq!(answer["type"], "nack", "{answer}");
        assert!(person.bodies(&room).await.contains(&"before".to_owned()));
    }
    anna.rest.patch(&path, json!({"archived": false})).await.body(200);
    bert.post(&room, "after").await;
}

#[tokio::test]
async fn public_rooms_are_discovered_and_private_ones_are_not() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let public = anna.public_group("gardening").await;
    let private = anna.group("garden secrets", &[]).await;
    let found = bert.rest.list("/rooms?public=1&query=garden").await;
    let ids: Vec<&Value> = found.iter().map(|room| &room["id"]).collect();
    assert_eq!(ids, [&json!(public)]);
    assert!(found[0].get("role").is_none(), "who is not a member has no role: {}", found[0]);
    assert_eq!(bert.rest.get(&format!("/rooms/{public}")).await.body(200)["name"], "gardening");
    bert.rest.get(&format!("/rooms/{private}")).await.refused(404, "not_found");
    assert!(bert.rest.list("/rooms").await.is_empty(), "the own list has only rooms that one is in");
    assert!(bert.rest.list("/rooms?public=1&query=nothing-like-it").await.is_empty());
}

#[tokio::test]
async fn a_room_that_becomes_public_can_be_found_joined_and_read() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("gardening", &[]).await;
    anna.post(&room, "first").await;
    let path = format!("/rooms/{room}");
    bert.rest.get(&path).await.refused(404, "not_found");
    let changed = anna.rest.patch(&path, json!({"visibility": "public"})).await.body(200);
    assert_eq!(changed["visibility"], "public");
    assert_eq!(bert.rest.list("/rooms?public=1&query=garden").await.len(), 1);
    bert.rest.bare("PUT", &format!("{path}/members/{}", bert.id)).await.body(201);
    assert_eq!(bert.bodies(&room).await, ["first"]);
    anna.rest.patch(&path, json!({"visibility": "private"})).await.body(200);
    let carl = server.person("carl").await;
    carl.rest.get(&path).await.refused(404, "not_found");
    assert!(carl.rest.list("/rooms?public=1&query=garden").await.is_empty());
    bert.post(&room, "who is in stays in").await;
}

#[tokio::test]
async fn only_the_owner_deletes_a_room_and_then_it_is_gone() {
    let server = Server::start().await;
    let [anna, bert, carl] = server.people(["anna", "bert", "carl"]).await;
    let room = anna.group("tea", &[&bert, &carl]).await;
    let path = format!("/rooms/{room}");
    anna.rest.put(&format!("{path}/members/{}", bert.id), json!({"role": "admin"})).await.body(200);
    let mut socket = carl.online().await;
    for person in [&bert, &carl] {
        person.rest.delete(&path).await.refused(403, "forbidden");
    }
    anna.rest.delete(&path).await.body(204);
    let gone = socket.find("the room to go", |frame| frame["type"] == "room" && frame["gone"] == true).await;
    assert_eq!(gone["room"], room.as_str());
    for person in [&anna, &bert, &carl] {
        let answer = person.rest.get(&path).await;
        assert!([404, 410].contains(&answer.status), "{answer:?}");
        assert!(person.rest.list("/rooms").await.is_empty());
    }
    let frame = json!({"type": "send", "room": room, "client_id": client_id(), "body": "hello?"});
    let answer = socket.ask(frame).await;
    assert_eq!(answer["type"], "nack", "{answer}");
    assert!(["not_found", "gone", "not_member"].contains(&answer["code"].as_str().unwrap()), "{answer}");
}

#[tokio::test]
async fn notification_settings_are_kept_per_room() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let path = format!("/rooms/{room}/notifications");
    let set = json!({"notify": "mentions", "muted_until": "2027-01-01T00:00:00.000Z"});
    let kept = anna.rest.put(&path, set.clone()).await.body(200);
    assert_eq!((&kept["notify"], &kept["muted_until"]), (&set["notify"], &set["muted_until"]));
    assert_eq!(anna.rest.get(&format!("/rooms/{room}")).await.body(200)["notify"], "mentions");
    assert_eq!(bert.rest.get(&format!("/rooms/{room}")).await.body(200)["notify"], "all");
    anna.rest.put(&path, json!({"notify": "sometimes"})).await.refused_field(400, "bad_request", "/notify");
    let carl = server.person("carl").await;
    carl.rest.put(&path, json!({"notify": "none"})).await.refused(404, "not_found");
    let server = server.kill_and_restart().await;
    assert_eq!(anna.at(&server).rest.get(&format!("/rooms/{room}")).await.body(200)["notify"], "mentions");
}

#[tokio::test]
async fn a_user_is_in_as_many_rooms_as_the_limit_says() {
    // 52
    let server = crate::support::process::Setup::new().set("limits.rooms_per_user", 3).start().await;
    let anna = server.person("anna").await;
    for index in 0..3 {
        anna.group(&format!("room {index}"), &[]).await;
    }
    let one_more = json!({"kind": "group", "name": "one more"});
    anna.rest.post("/rooms", one_more).await.refused(409, "conflict");
    assert_eq!(anna.rest.list("/rooms").await.len(), 3);
    let [bert, carl] = server.people(["bert", "carl"]).await;
    let with_anna = json!({"kind": "group", "name": "with anna", "members": [carl.id, anna.id]});
    bert.rest.post("/rooms", with_anna).await.refused_field(409, "conflict", "/members/1");
    assert!(bert.rest.list("/rooms").await.is_empty() && carl.rest.list("/rooms").await.is_empty());
    let tea = bert.public_group("tea").await;
    let her_place = format!("/rooms/{tea}/members/{}", anna.id);
    bert.rest.put(&her_place, json!({})).await.refused(409, "conflict");
    anna.rest.put(&her_place, json!({})).await.refused(409, "conflict");
    bert.rest.bare("PUT", &format!("/direct/{}", anna.id)).await.refused(409, "conflict");
    anna.rest.bare("PUT", &format!("/direct/{}", bert.id)).await.refused(409, "conflict");
    let left = anna.rest.list("/rooms").await[0]["id"].as_str().unwrap().to_owned();
    anna.rest.delete(&format!("/rooms/{left}")).await.body(204);
    anna.rest.put(&her_place, json!({})).await.body(201);
}
