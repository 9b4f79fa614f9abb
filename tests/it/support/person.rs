//! A person with an account and a login, and the rooms that they make.

use serde_json::{Value, json};

use super::client_id;
use super::process::Server;
use super::rest::Rest;
use super::socket::Socket;

/// The password that everybody in the tests has, unless the test is about passwords.
pub(crate) const PASSWORD: &str = "umbrella-stand-42";

/// Somebody who is logged in on one device.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) handle: String,
    pub(crate) token: String,
    pub(crate) device: String,
    pub(crate) url: String,
    pub(crate) rest: Rest,
}

impl Server {
    /// Makes an account and logs it in.
    pub(crate) async fn person(&self, handle: &str) -> Person {
        Person::register(&self.url, handle).await
    }

    pub(crate) async fn people<const N: usize>(&self, handles: [&str; N]) -> [Person; N] {
        let mut people = Vec::with_capacity(N);
        for handle in handles {
            people.push(self.person(handle).await);
        }
        people.try_into().ok().expect("as many as there are handles")
    }

    /// Logs in on one more device.
    pub(crate) async fn login(&self, handle: &str) -> Person {
        Person::log_in(&self.url, handle).await
    }
}

impl Person {
    /// Makes an account and logs it in, at whatever server has this address.
    pub(crate) async fn register(url: &str, handle: &str) -> Person {
        let account = json!({"handle": handle, "password": PASSWORD});
        Rest::new(&format!("{url}/api/v1")).post("/accounts", account).await.body(201);
        Person::log_in(url, handle).await
    }

    async fn log_in(url: &str, handle: &str) -> Person {
        let anonymous = Rest::new(&format!("{url}/api/v1"));
        let login = json!({"login": handle, "password": PASSWORD});
        let answer = anonymous.post("/logins", login).await.body(201);
        let text = |value: &Value| value.as_str().expect("a string").to_owned();
        let token = text(&answer["token"]);
        Person {
            id: text(&answer["user"]["id"]),
            handle: text(&answer["user"]["handle"]),
            device: text(&answer["device"]["id"]),
            url: url.to_owned(),
            rest: anonymous.with_token(&token),
            token,
        }
    }

    /// The same login at another node.
    pub(crate) fn on(&self, url: &str) -> Person {
        let rest = Rest::new(&format!("{url}/api/v1")).with_token(&self.token);
        Person { url: url.to_owned(), rest, ..self.clone() }
    }

    /// The same login, at the address that the server has after a restart.
    pub(crate) fn at(&self, server: &Server) -> Person {
        self.on(&server.url)
    }

    /// A private group with these members.
    pub(crate) async fn group(&self, name: &str, others: &[&Person]) -> String {
        self.room(json!({"kind": "group", "name": name, "members": ids(others)})).await
    }

    pub(crate) async fn channel(&self, name: &str, others: &[&Person]) -> String {
        self.room(json!({"kind": "channel", "name": name, "members": ids(others)})).await
    }

    pub(crate) async fn public_group(&self, name: &str) -> String {
        self.room(json!({"kind": "group", "name": name, "visibility": "public"})).await
    }

    pub(crate) async fn room(&self, request: Value) -> String {
        let room = self.rest.post("/rooms", request).await.body(201);
        room["id"].as_str().expect("an id").to_owned()
    }

    pub(crate) async fn direct(&self, other: &Person) -> String {
        let answer = self.rest.bare("PUT", &format!("/direct/{}", other.id)).await;
        assert!(answer.status == 200 || answer.status == 201, "{answer:?}");
        let status = answer.status;
        answer.body(status)["id"].as_str().expect("an id").to_owned()
    }

    /// Sends over REST and returns the seq.
    pub(crate) async fn post(&self, room: &str, body: &str) -> u64 {
        let message = json!({"client_id": client_id(), "body": body});
        let answer = self.rest.post(&format!("/rooms/{room}/messages"), message).await.body(201);
        answer["seq"].as_u64().expect("a seq")
    }

    pub(crate) async fn head(&self, room: &str) -> u64 {
        let room = self.rest.get(&format!("/rooms/{room}")).await.body(200);
        room["head"].as_u64().expect("a head")
    }

    /// The log from the first event that this person may see.
    pub(crate) async fn log(&self, room: &str) -> Vec<Value> {
        self.log_after(room, None).await
    }

    pub(crate) async fn log_after(&self, room: &str, after: Option<u64>) -> Vec<Value> {
        let mut items = Vec::new();
        let mut from = after.map(|seq| seq.to_string());
        loop {
            let after = from.map_or(String::new(), |seq| format!("&after={seq}"));
            let page = self.rest.get(&format!("/rooms/{room}/events?limit=200{after}")).await.body(200);
            items.extend(page["items"].as_array().expect("items").iter().cloned());
            match &page["next"] {
                Value::Null => return items,
                next => from = Some(super::rest::plain(next)),
            }
        }
    }

    /// Bodies of the messages that history shows, oldest first.
    pub(crate) async fn bodies(&self, room: &str) -> Vec<String> {
        let page = self.rest.get(&format!("/rooms/{room}/messages?limit=200")).await.body(200);
        let items = page["items"].as_array().expect("items").clone();
        items.iter().filter_map(|message| message["body"].as_str().map(str::to_owned)).collect()
    }

    /// A file of this room that can be attached.
    pub(crate) async fn upload(&self, room: &str, name: &str, bytes: &[u8]) -> Value {
        let wish = json!({"name": name, "size": bytes.len()});
        let begun = self.rest.post(&format!("/rooms/{room}/media"), wish).await.body(201);
        let path = format!("/media/{}", begun["id"].as_str().expect("an id"));
        let part = begun["part_size"].as_u64().and_then(|size| usize::try_from(size).ok()).expect("a size");
        for (number, part) in bytes.chunks(part).enumerate() {
            let request = self.rest.request("PUT", &format!("{path}/parts/{number}"));
            let request = request.header("content-type", "application/octet-stream").body(part.to_vec());
            super::rest::send(request).await.body(204);
        }
        self.rest.bare("POST", &format!("{path}/complete")).await.body(200)
    }

    /// Says something that carries files; its seq.
    pub(crate) async fn carry(&self, room: &str, files: &[&Value]) -> u64 {
        let ids: Vec<&Value> = files.iter().map(|file| &file["id"]).collect();
        let message = json!({"client_id": client_id(), "body": "", "attachments": ids});
        let receipt = self.rest.post(&format!("/rooms/{room}/messages"), message).await.body(201);
        receipt["seq"].as_u64().expect("a seq")
    }

    /// A socket that has said hello without cursors.
    pub(crate) async fn online(&self) -> Socket {
        self.resume(json!({})).await.0
    }

    /// A socket that has said hello with these cursors, and its welcome.
    pub(crate) async fn resume(&self, cursors: Value) -> (Socket, Value) {
        let mut socket = self.silent_socket().await;
        socket.send(json!({"type": "hello", "cursors": cursors})).await;
        let welcome = socket.next().await;
        assert_eq!(welcome["type"], "welcome", "the answer to hello comes first: {welcome}");
        (socket, welcome)
    }

    /// A socket that has not said hello yet.
    pub(crate) async fn silent_socket(&self) -> Socket {
        Socket::connect(&self.url, &self.token).await
    }
}

fn ids(people: &[&Person]) -> Vec<String> {
    people.iter().map(|person| person.id.clone()).collect()
}
