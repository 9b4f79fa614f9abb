//! Who may do what: every route of a room asked by everybody who could ask, against the expected table (case 61).

use serde_json::{Value, json};

use crate::support::client_id;
use crate::support::person::Person;
use crate::support::process::Server;
use crate::support::rest::{Rest, send};

/// In the order of the table's columns.
const ROLES: [&str; 8] = ["anonymous", "stranger", "former", "banned", "reader", "member", "admin", "owner"];

struct Cast {
    server: Server,
    people: Vec<Person>,
    room: String,
    /// A message of the owner.
    message: u64,
}

async fn cast(visibility: &str) -> Cast {
    let server = Server::start().await;
    let mut people = Vec::new();
    for role in &ROLES[1..] {
        people.push(server.person(&format!("the-{role}")).await);
    }
    let owner = people.last().unwrap().clone();
    let request = json!({"kind": "group", "name": "tea", "visibility": visibility});
    let room = owner.room(request).await;
    for (person, role) in people.iter().zip(&ROLES[1..]) {
        let path = format!("/rooms/{room}/members/{}", person.id);
        match *role {
            "former" | "banned" => {
                owner.rest.put(&path, json!({"role": "member"})).await.body(201);
                let ban = if *role == "banned" { "?ban=1" } else { "" };
                owner.rest.delete(&format!("{path}{ban}")).await.body(204);
            }
            "reader" | "member" | "admin" => drop(owner.rest.put(&path, json!({"role": role})).await.body(201)),
            _ => {}
        }
    }
    let message = owner.post(&room, "hello").await;
    Cast { server, people, room, message }
}

impl Cast {
    fn rest(&self, role: usize) -> Rest {
        role.checked_sub(1).map_or_else(|| self.server.anonymous(), |index| self.people[index].rest.clone())
    }

    async fn asked(&self, role: usize, method: &str, path: &str, body: &Value) -> u16 {
        let path = path.replace("{room}", &self.room).replace("{message}", &self.message.to_string());
        let mut body = body.clone();
        if body.get("client_id").is_some() {
            body["client_id"] = json!(client_id());
        }
        let request = self.rest(role).request(method, &path);
        let request = if body.is_null() { request } else { request.json(&body) };
        send(request).await.status
    }

    /// A line of the table: the method, the path, the body, and one status for each column.
    async fn holds(&self, method: &str, path: &str, body: Value, expected: [u16; 8]) {
        let mut seen = [0; 8];
        for (role, status) in seen.iter_mut().enumerate() {
            *status = self.asked(role, method, path, &body).await;
        }
        assert_eq!(seen, expected, "{method} {path} by {ROLES:?}");
    }
}

const THUMB: &str = "/rooms/{room}/messages/{message}/reactions/%F0%9F%91%8D";

#[tokio::test]
async fn in_a_private_room_everybody_else_finds_nothing() {
    let cast = cast("private").await;
    let nothing = Value::Null;
    let reading = [401, 404, 404, 404, 200, 200, 200, 200];
    for path in ["", "/members", "/messages", "/events", "/messages/{message}/reactions"] {
        cast.holds("GET", &format!("/rooms/{{room}}{path}"), nothing.clone(), reading).await;
    }
    let outcome = format!("/rooms/{{room}}/outcomes/{}", client_id());
    cast.holds("GET", &outcome, nothing.clone(), reading).await;
    let marks = json!({"read": 1});
    cast.holds("PUT", "/rooms/{room}/marks", marks, reading).await;
    cast.holds("PUT", "/rooms/{room}/notifications", json!({"notify": "all"}), reading).await;
    let reacting = [401, 404, 404, 404, 204, 204, 204, 204];
    cast.holds("PUT", THUMB, nothing.clone(), reacting).await;
    cast.holds("DELETE", THUMB, nothing.clone(), reacting).await;
    let send = json!({"client_id": "", "body": "x"});
    cast.holds("POST", "/rooms/{room}/messages", send, [401, 404, 404, 404, 403, 201, 201, 201]).await;
    let edit = json!({"body": "edited"});
    let editing = [401, 404, 404, 404, 403, 403, 403, 200];
    cast.holds("PATCH", "/rooms/{room}/messages/{message}", edit, editing).await;
    let changing = [401, 404, 404, 404, 403, 403, 200, 200];
    cast.holds("PATCH", "/rooms/{room}", json!({"topic": "t"}), changing).await;
    let deleting = [401, 404, 404, 404, 403, 403, 204];
    for (role, status) in deleting.into_iter().enumerate() {
        let path = "/rooms/{room}/messages/{message}";
        assert_eq!(cast.asked(role, "DELETE", path, &nothing).await, status, "DELETE {path} by {}", ROLES[role]);
    }
    let removing = [401, 404, 404, 404, 403, 403, 403, 204];
    cast.holds("DELETE", "/rooms/{room}", nothing, removing).await;
}

#[tokio::test]
async fn a_public_room_shows_itself_to_all_who_are_logged_in() {
    let cast = cast("public").await;
    let nothing = Value::Null;
    for role in [1, 2, 4, 5, 6, 7] {
        assert_eq!(cast.asked(role, "GET", "/rooms/{room}", &nothing).await, 200, "{}", ROLES[role]);
    }
    assert_eq!(cast.asked(0, "GET", "/rooms/{room}", &nothing).await, 401);
    let send = json!({"client_id": "", "body": "x"});
    cast.holds("POST", "/rooms/{room}/messages", send, [401, 403, 403, 403, 403, 201, 201, 201]).await;
    cast.holds("PATCH", "/rooms/{room}", json!({"topic": "t"}), [401, 403, 403, 403, 403, 403, 200, 200]).await;
}

#[tokio::test]
async fn who_is_disabled_may_nothing() {
    let cast = cast("private").await;
    let member = &cast.people[4];
    let admin = cast.server.administrator();
    admin.patch(&format!("/users/{}", member.id), json!({"disabled": true})).await.body(200);
    for path in ["/me", "/rooms", &format!("/rooms/{}", cast.room), &format!("/rooms/{}/messages", cast.room)] {
        member.rest.get(path).await.refused(401, "unauthenticated");
    }
    let login = json!({"login": member.handle, "password": crate::support::person::PASSWORD});
    cast.server.anonymous().post("/logins", login).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn nobody_reaches_what_is_somebody_elses() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let (hers, his) = (anna.group("hers", &[]).await, bert.group("his", &[]).await);
    let seq = anna.post(&hers, "hello").await;
    let mixed = format!("/rooms/{his}/messages/{seq}");
    let answer = bert.rest.patch(&mixed, json!({"body": "x"})).await;
    assert!([403, 404].contains(&answer.status), "{answer:?}");
    let logins = bert.rest.list("/logins").await;
    assert_eq!(logins.len(), 1);
    bert.rest.delete(&format!("/logins/{}", anna.device)).await.refused(404, "not_found");
    anna.rest.get("/me").await.body(200);
}
