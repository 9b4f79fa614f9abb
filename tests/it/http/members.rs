//! Membership: joining, adding, roles, muting, leaving, removing, banning, and what each may then do.

use serde_json::{Value, json};

use crate::support::client_id;
use crate::support::person::Person;
use crate::support::process::Server;

fn member(room: &str, person: &Person) -> String {
    format!("/rooms/{room}/members/{}", person.id)
}

#[tokio::test]
async fn members_are_listed_with_role_and_marks() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let seq = anna.post(&room, "hello").await;
    bert.rest.put(&format!("/rooms/{room}/marks"), json!({"read": seq, "delivered": seq})).await.body(200);
    let members = anna.rest.list(&format!("/rooms/{room}/members")).await;
    assert_eq!(members.len(), 2);
    let of = |person: &Person| members.iter().find(|m| m["user"]["id"] == person.id.as_str()).unwrap().clone();
    assert_eq!((&of(&anna)["role"], &of(&bert)["role"]), (&json!("owner"), &json!("member")));
    assert!(of(&bert)["joined_at"].is_string());
    assert_eq!((&of(&bert)["read"], &of(&bert)["delivered"]), (&json!(seq), &json!(seq)));
    let carl = server.person("carl").await;
    carl.rest.get(&format!("/rooms/{room}/members")).await.refused(404, "not_found");
}

#[tokio::test]
async fn joining_oneself_needs_a_public_room() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let (public, private) = (anna.public_group("gardening").await, anna.group("tea", &[]).await);
    let mut socket = anna.online().await;
    let joined = bert.rest.bare("PUT", &member(&public, &bert)).await.body(201);
    assert_eq!((&joined["role"], &joined["user"]["id"]), (&json!("member"), &json!(bert.id)));
    bert.rest.bare("PUT", &member(&public, &bert)).await.body(200);
    let event = socket.find("the join", |frame| frame["kind"] == "member" && frame["change"] == "joined").await;
    assert_eq!((&event["user"], &event["room"]), (&json!(bert.id), &json!(public)));
    bert.rest.bare("PUT", &member(&private, &bert)).await.refused(404, "not_found");
    bert.rest.bare("PUT", &member(&public, &anna)).await;
    let news = anna.room(json!({"kind": "channel", "name": "news", "visibility": "public"})).await;
    assert_eq!(bert.rest.bare("PUT", &member(&news, &bert)).await.body(201)["role"], "reader");
}

#[tokio::test]
async fn nobody_gives_themselves_a_role() {
    // 62
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let public = anna.public_group("gardening").await;
    for role in ["owner", "admin"] {
        bert.rest.put(&member(&public, &bert), json!({"role": role})).await.refused(403, "forbidden");
    }
    bert.rest.bare("PUT", &member(&public, &bert)).await;
    for role in ["owner", "admin"] {
        bert.rest.put(&member(&public, &bert), json!({"role": role})).await.refused(403, "forbidden");
    }
    anna.rest.put(&member(&public, &bert), json!({"role": "king"})).await.refused_field(400, "bad_request", "/role");
    anna.rest.put(&member(&public, &bert), json!({"role": "admin"})).await.body(200);
    bert.rest.put(&member(&public, &bert), json!({"role": "owner"})).await.refused(403, "forbidden");
    bert.rest.put(&member(&public, &anna), json!({"role": "member"})).await.refused(403, "forbidden");
    bert.rest.delete(&member(&public, &anna)).await.refused(403, "forbidden");
}

#[tokio::test]
async fn a_role_change_is_an_event_and_takes_effect() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let news = anna.channel("news", &[&bert]).await;
    let message = || json!({"client_id": client_id(), "body": "hear hear"});
    let path = format!("/rooms/{news}/messages");
    let seq = anna.post(&news, "first").await;
    bert.rest.post(&path, message()).await.refused(403, "forbidden");
    let reaction = format!("{path}/{seq}/reactions/%F0%9F%91%8D");
    bert.rest.bare("PUT", &reaction).await.body(204);
    let mut socket = bert.online().await;
    assert_eq!(anna.rest.put(&member(&news, &bert), json!({"role": "member"})).await.body(200)["role"], "member");
    let event = socket.find("the role", |frame| frame["kind"] == "member" && frame["change"] == "role").await;
    assert_eq!((&event["user"], &event["role"]), (&json!(bert.id), &json!("member")));
    bert.rest.post(&path, message()).await.body(201);
}

#[tokio::test]
async fn the_last_owner_makes_another_one_before_leaving() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    anna.rest.delete(&member(&room, &anna)).await.refused(409, "conflict");
    anna.rest.put(&member(&room, &anna), json!({"role": "member"})).await.refused(409, "conflict");
    anna.rest.put(&member(&room, &bert), json!({"role": "owner"})).await.body(200);
    anna.rest.delete(&member(&room, &anna)).await.body(204);
    anna.rest.get(&format!("/rooms/{room}")).await.refused(404, "not_found");
    bert.post(&room, "still here").await;
}

#[tokio::test]
async fn who_leaves_sees_nothing_of_the_room_any_more() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    anna.post(&room, "before").await;
    let mut socket = bert.online().await;
    bert.rest.delete(&member(&room, &bert)).await.body(204);
    let gone = socket.find("the room to go", |frame| frame["type"] == "room" && frame["gone"] == true).await;
    assert_eq!(gone["room"], room.as_str());
    anna.post(&room, "after").await;
    for path in ["", "/messages", "/events", "/members"] {
        bert.rest.get(&format!("/rooms/{room}{path}")).await.refused(404, "not_found");
    }
    let fence = bert.group("alone", &[]).await;
    let seq = bert.post(&fence, "fence").await;
    socket.event(&fence, seq).await;
    let leaked = socket.arrived().await.into_iter().find(|frame| frame["body"] == "after");
    assert_eq!(leaked, None);
    let refused = socket.ask(json!({"type": "sync", "room": room, "after": 0})).await;
    assert!(["not_member", "not_found"].contains(&refused["code"].as_str().unwrap_or("")), "{refused}");
}

#[tokio::test]
async fn who_is_removed_may_be_added_again_and_who_is_banned_may_not_join() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.public_group("gardening").await;
    let path = member(&room, &bert);
    bert.rest.bare("PUT", &path).await.body(201);
    anna.rest.delete(&path).await.body(204);
    bert.rest.bare("PUT", &path).await.body(201);
    let mut socket = anna.online().await;
    anna.rest.delete(&format!("{path}?ban=1")).await.body(204);
    let event = socket.find("the ban", |frame| frame["kind"] == "member" && frame["change"] == "banned").await;
    assert_eq!(event["user"], bert.id.as_str());
    bert.rest.bare("PUT", &path).await.refused(403, "forbidden");
    let message = json!({"client_id": client_id(), "body": "let me in"});
    let answer = bert.rest.post(&format!("/rooms/{room}/messages"), message).await;
    assert!([403, 404].contains(&answer.status), "{answer:?}");
    anna.rest.delete(&format!("{path}?unban=1")).await.body(204);
    socket.find("the pardon", |frame| frame["kind"] == "member" && frame["change"] == "unbanned").await;
    bert.rest.bare("PUT", &path).await.body(201);
}

#[tokio::test]
async fn members_remove_nobody_but_themselves() {
    let server = Server::start().await;
    let [anna, bert, carl] = server.people(["anna", "bert", "carl"]).await;
    let room = anna.group("tea", &[&bert, &carl]).await;
    bert.rest.delete(&member(&room, &carl)).await.refused(403, "forbidden");
    bert.rest.delete(&format!("{}?ban=1", member(&room, &carl))).await.refused(403, "forbidden");
    bert.rest.put(&member(&room, &carl), json!({"role": "reader"})).await.refused(403, "forbidden");
    carl.rest.delete(&member(&room, &carl)).await.body(204);
}

#[tokio::test]
async fn who_is_muted_reads_and_does_not_write_until_then() {
    // 47
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let mut socket = bert.online().await;
    let until = "2036-01-01T00:00:00.000Z";
    let muted = anna.rest.put(&member(&room, &bert), json!({"muted_until": until})).await.body(200);
    assert_eq!(muted["muted_until"], until);
    let event = socket.find("the muting", |frame| frame["kind"] == "member" && frame["change"] == "muted").await;
    assert_eq!((&event["user"], &event["until"]), (&json!(bert.id), &json!(until)));
    let message = || json!({"client_id": client_id(), "body": "let me speak"});
    bert.rest.post(&format!("/rooms/{room}/messages"), message()).await.refused(403, "muted");
    let frame = json!({"type": "send", "room": room, "client_id": client_id(), "body": "let me speak"});
    socket.refused(frame, "muted").await;
    let seq = anna.post(&room, "listen").await;
    assert_eq!(socket.event(&room, seq).await["body"], "listen");
    anna.rest.put(&member(&room, &bert), json!({"muted_until": null})).await.body(200);
    bert.rest.post(&format!("/rooms/{room}/messages"), message()).await.body(201);
    let past = json!({"muted_until": "2020-01-01T00:00:00.000Z"});
    let answer = anna.rest.put(&member(&room, &bert), past).await;
    if answer.status == 200 {
        bert.rest.post(&format!("/rooms/{room}/messages"), message()).await.body(201);
    } else {
        answer.refused_field(400, "bad_request", "/muted_until");
    }
}

#[tokio::test]
async fn in_a_private_group_one_sees_from_the_own_joining_on() {
    // P8
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[]).await;
    let secret = anna.post(&room, "before bert").await;
    anna.rest.bare("PUT", &member(&room, &bert)).await.body(201);
    let later = anna.post(&room, "with bert").await;
    let log = bert.log(&room).await;
    let seqs: Vec<u64> = log.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    let joined = log[0].clone();
    assert_eq!(
        (&joined["kind"], &joined["change"], &joined["user"]),
        (&json!("member"), &json!("joined"), &json!(bert.id))
    );
    assert_eq!(seqs, (secret + 1..=later).collect::<Vec<_>>(), "from the event that made him a member");
    assert_eq!(bert.bodies(&room).await, ["with bert"]);
    for query in [format!("before={later}"), "after=0".to_owned(), format!("around={secret}")] {
        let page = bert.rest.get(&format!("/rooms/{room}/messages?{query}")).await.body(200);
        assert!(!page.to_string().contains("before bert"), "{query}: {page}");
    }
    let page = bert.rest.get(&format!("/rooms/{room}/events?after=0")).await;
    assert!(!page.text.contains("before bert"), "{}", page.text);
    let (mut socket, welcome) = bert.resume(json!({room.as_str(): 0})).await;
    assert!(welcome["resume"][&room].is_string(), "{welcome}");
    socket.find("the answer to the cursor", |frame| frame["type"] == "synced" || frame["type"] == "gap").await;
    assert!(!socket.arrived().await.iter().any(|frame| frame["body"] == "before bert"));
    let reaction = format!("/rooms/{room}/messages/{secret}/reactions/%F0%9F%91%8D");
    bert.rest.bare("PUT", &reaction).await.refused(404, "not_found");
}

#[tokio::test]
async fn in_a_public_room_one_sees_everything() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.public_group("gardening").await;
    anna.post(&room, "before bert").await;
    bert.rest.bare("PUT", &member(&room, &bert)).await.body(201);
    assert_eq!(bert.bodies(&room).await, ["before bert"]);
    let first: Vec<Value> = bert.log(&room).await;
    assert_eq!(first[0]["seq"], 1);
}

#[tokio::test]
async fn who_comes_back_to_a_private_group_sees_from_the_return_on() {
    // P8: an interval ends with leaving.
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    anna.post(&room, "together").await;
    anna.rest.delete(&member(&room, &bert)).await.body(204);
    anna.post(&room, "while bert was away").await;
    anna.rest.bare("PUT", &member(&room, &bert)).await.body(201);
    anna.post(&room, "together again").await;
    let bodies = bert.bodies(&room).await;
    assert!(!bodies.contains(&"while bert was away".to_owned()), "{bodies:?}");
    assert!(bodies.contains(&"together again".to_owned()), "{bodies:?}");
    assert!(!bert.log(&room).await.iter().any(|event| event["body"] == "while bert was away"));
}
