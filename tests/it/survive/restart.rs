//! Restarts, planned and not: everything that was there is there again.

use serde_json::{Value, json};

use crate::support::person::Person;
use crate::support::process::Server;
use crate::support::{client_id, eventually};

async fn furnish(server: &Server) -> (Vec<Person>, Vec<String>) {
    let [anna, bert, carl] = server.people(["anna", "bert", "carl"]).await;
    let room = anna.group("tea", &[&bert, &carl]).await;
    let path = format!("/rooms/{room}");
    let seq = anna.post(&room, "teh").await;
    let doomed = bert.post(&room, "oops").await;
    anna.rest.patch(&format!("{path}/messages/{seq}"), json!({"body": "the"})).await.body(200);
    bert.rest.delete(&format!("{path}/messages/{doomed}")).await.body(204);
    bert.rest.bare("PUT", &format!("{path}/messages/{seq}/reactions/%F0%9F%91%8D")).await.body(204);
    let reply = json!({"client_id": client_id(), "body": "yes", "reply_to": seq, "mentions": [anna.id]});
    bert.rest.post(&format!("{path}/messages"), reply).await.body(201);
    bert.rest.put(&format!("{path}/marks"), json!({"read": seq, "delivered": seq})).await.body(200);
    bert.rest.put(&format!("{path}/notifications"), json!({"notify": "mentions"})).await.body(200);
    anna.rest.put(&format!("{path}/members/{}", bert.id), json!({"role": "admin"})).await.body(200);
    anna.rest.put(&format!("{path}/members/{}", carl.id), json!({"muted_until": "2036-01-01T00:00:00.000Z"})).await;
    anna.rest.bare("PUT", &format!("/contacts/{}", bert.id)).await.body(201);
    anna.rest.bare("PUT", &format!("/blocks/{}", carl.id)).await;
    let public = carl.public_group("gardening").await;
    carl.rest.delete(&format!("/rooms/{public}/members/{}?ban=1", anna.id)).await;
    let direct = anna.direct(&bert).await;
    bert.post(&direct, "psst").await;
    (vec![anna, bert, carl], vec![room, public, direct])
}

async fn everything(server: &Server, people: &[Person], rooms: &[String]) -> Vec<Value> {
    let mut all = Vec::new();
    for person in people {
        let rest = person.at(server).rest;
        for path in ["/me", "/rooms", "/contacts", "/blocks"] {
            all.push(rest.get(path).await.body(200));
        }
        for room in rooms {
            for path in ["", "/messages", "/events", "/members"] {
                let answer = rest.get(&format!("/rooms/{room}{path}")).await;
                let status = answer.status;
                let mut body = answer.body(status);
                if let Some(problem) = body.as_object_mut() {
                    problem.remove("request_id");
                }
                all.push(json!([status, body]));
            }
        }
    }
    let admin = server.administrator();
    for room in rooms {
        let mut digest = admin.get(&format!("/rooms/{room}/digest")).await.body(200);
        digest["epoch"] = Value::Null;
        for node in digest["nodes"].as_array_mut().unwrap() {
            node["epoch"] = Value::Null;
        }
        all.push(digest);
    }
    all
}

#[tokio::test]
async fn everything_is_as_it_was_after_a_stop_and_after_a_kill() {
    let mut server = Server::start().await;
    let (people, rooms) = furnish(&server).await;
    let log = people[0].log(&rooms[0]).await;
    let first = log.iter().find(|event| event["kind"] == "message").unwrap()["seq"].as_u64().unwrap();
    // The own read marks move along with what one sends, but a moment later.
    eventually("everybody to have read what they sent", || async {
        let mine = people[1].rest.list("/rooms").await;
        let theirs = people[0].rest.list("/rooms").await;
        let of = |list: &[Value], room: &str| list.iter().find(|each| each["id"] == room).unwrap().clone();
        let all_read = [&rooms[0], &rooms[2]].iter().all(|room| of(&mine, room)["unread"] == 0);
        (all_read && of(&theirs, &rooms[0])["read"].as_u64() >= Some(first)).then_some(())
    })
    .await;
    let before = everything(&server, &people, &rooms).await;
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(0));
    let server = server.kill_and_restart().await;
    assert_eq!(everything(&server, &people, &rooms).await, before, "after a planned stop");
    let server = server.kill_and_restart().await;
    assert_eq!(everything(&server, &people, &rooms).await, before, "after kill -9");
    let [anna, carl] = [&people[0], &people[2]].map(|person| person.at(&server));
    let message = json!({"client_id": client_id(), "body": "x"});
    carl.rest.post(&format!("/rooms/{}/messages", rooms[0]), message).await.refused(403, "muted");
    let join = format!("/rooms/{}/members/{}", rooms[1], anna.id);
    anna.rest.bare("PUT", &join).await.refused(403, "forbidden");
    carl.rest.bare("PUT", &format!("/direct/{}", anna.id)).await.refused(403, "blocked");
}

#[tokio::test]
async fn a_sleeping_room_wakes_with_its_numbers_and_its_memory_of_retries() {
    let server = crate::support::process::Setup::new().set("rooms.idle_seconds", 1).start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let frame = json!({"type": "send", "room": room, "client_id": client_id(), "body": "hello"});
    let first = anna.online().await.ask(frame.clone()).await;
    let admin = server.administrator();
    eventually("the room to fall asleep", || async {
        let room = admin.get(&format!("/rooms/{room}")).await.body(200);
        (room["awake"] == false).then_some(())
    })
    .await;
    let mut socket = anna.online().await;
    let again = socket.ask(frame).await;
    assert_eq!((&again["seq"], &again["repeat"]), (&first["seq"], &json!(true)));
    assert_eq!(socket.say(&room, "good morning").await["seq"], first["seq"].as_u64().unwrap() + 1);
}

#[tokio::test]
async fn a_paused_process_goes_on_where_it_was() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let (mut sender, mut reader) = (anna.online().await, bert.online().await);
    let first = sender.say(&room, "before").await["seq"].as_u64().unwrap();
    server.signal("-STOP");
    for index in 0..20 {
        let frame = json!({"type": "send", "room": room, "client_id": client_id(), "body": index.to_string()});
        sender.send(frame).await;
    }
    server.signal("-CONT");
    assert_eq!(reader.seqs(&room, 21).await, (first..first + 21).collect::<Vec<_>>());
}
