//! From one to many: an embedded store moves into PostgreSQL and CQL, is interrupted, goes on, and all is as it was.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use futures_util::future::join_all;
use scylla::client::session_builder::SessionBuilder;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

use crate::support::{
    client_id,
    person::{PASSWORD, Person},
    process::{Server, Setup, rookery},
    rest::{Answer, Rest},
};

/// Enough for a move to take a while.
const MESSAGES: usize = 3_000;

/// A schema and a keyspace of their own.
struct Target {
    postgres: String,
    schema: String,
    settings: Vec<(&'static str, String)>,
}

impl Target {
    async fn new() -> Self {
        let named = |name| std::env::var(name).expect("this test needs `scripts/services up` and its `env`");
        let (postgres, cql) = (named("ROOKERY_TEST_POSTGRES"), named("ROOKERY_TEST_CQL"));
        let schema = format!("test_{}", Uuid::now_v7().simple());
        let mut connection = PgConnection::connect(&postgres).await.unwrap();
        connection.execute(sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {schema}")))).await.unwrap();
        let settings = vec![
            ("store.postgres", format!("{postgres}?options[search_path]={schema}")),
            ("store.replication", cql.split(',').count().to_string()),
            ("store.cql", cql),
            ("store.keyspace", schema.clone()),
        ];
        Self { postgres, schema, settings }
    }

    /// What `rookery migrate` is called with.
    fn arguments(&self, data: &str) -> Vec<String> {
        let mut arguments = ["migrate", "embedded-to-cluster", "--data", data].map(str::to_owned).to_vec();
        for (key, value) in &self.settings {
            arguments.extend(["--set".to_owned(), format!("{key}={value}")]);
        }
        arguments
    }

    async fn migrate(&self, data: &str, more: &[&str]) -> (i32, String, String) {
        let arguments = self.arguments(data);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
        rookery(&arguments, "").await
    }

    /// A server over it.
    fn setup(&self) -> Setup {
        let cluster = Setup::new().set("store.kind", "cluster");
        self.settings.iter().fold(cluster, |setup, (key, value)| setup.set(key, value))
    }

    /// Changes one thing at a time in what was moved, and back: each is found out.
    async fn finds_out_damage(&self, data: &str, sent: &Sent) {
        let of = |key| self.settings.iter().find(|(known, _)| *known == key).map(|(_, value)| value.clone()).unwrap();
        let (servers, keyspace) = (of("store.cql"), of("store.keyspace"));
        let session = SessionBuilder::new().known_nodes(servers.split(',')).build().await.unwrap();
        let place = format!("WHERE room = {} AND bucket = 0 AND seq = {}", sent.room, sent.seq);
        let (events, overlays) = (format!("{keyspace}.events"), format!("{keyspace}.overlays"));
        let over = [
            format!("UPDATE {overlays} USING TIMESTAMP 100 SET edited_at = 5 {place}"),
            format!("DELETE edited_at FROM {overlays} USING TIMESTAMP 101 {place}"),
        ];
        let messages = |messages, at| format!("UPDATE {events} USING TIMESTAMP {at} SET messages = {messages} {place}");
        let row = [messages(1_000, 100), messages(sent.messages, 101)];
        for [damage, repair] in [over, row] {
            session.query_unpaged(damage, ()).await.unwrap();
            self.differs(data, "the log of room").await;
            session.query_unpaged(repair, ()).await.unwrap();
        }
        for (damage, repair, table) in [
            ("UPDATE users SET failures = failures + 1", "UPDATE users SET failures = failures - 1", "users"),
            ("UPDATE memberships SET read = read + 1", "UPDATE memberships SET read = read - 1", "memberships"),
            (
                "INSERT INTO audit (at, actor, action, subject, detail) VALUES (1, 'a', 'b', 'c', 'd')",
                "DELETE FROM audit WHERE actor = 'a'",
                "audit",
            ),
        ] {
            self.sql(damage).await;
            self.differs(data, &format!("the table {table}")).await;
            self.sql(repair).await;
        }
        self.sql("UPDATE moves SET finished = FALSE").await;
        let (code, _, told) = self.migrate(data, &[]).await;
        assert_eq!(code, 0, "with all repaired it is whole again: {told}");
    }

    async fn differs(&self, data: &str, what: &str) {
        self.sql("UPDATE moves SET finished = FALSE").await;
        let (code, _, told) = self.migrate(data, &[]).await;
        assert!(code != 0 && told.contains(what) && told.contains("is not in the cluster's store"), "{told}");
    }

    async fn sql(&self, sql: &str) {
        let mut connection = PgConnection::connect(&self.settings[0].1).await.unwrap();
        connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.unwrap();
    }

    async fn forget(self) {
        let mut connection = PgConnection::connect(&self.postgres).await.unwrap();
        let sql = format!("DROP SCHEMA {} CASCADE", self.schema);
        connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
    }
}

/// Kills a move with -9 as soon as it has begun with the events.
fn interrupt(arguments: &[String]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rookery"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.into_iter().any(|line| line.starts_with("moving events")), "it comes to the events");
    child.kill().unwrap();
    assert!(child.wait().unwrap().code().is_none(), "it ended by the signal");
}

/// What somebody sees of everything, without what changes by looking.
async fn seen(person: &Person) -> Vec<Value> {
    let mut all = vec![person.rest.get("/me").await.body(200)];
    let mut rooms = Vec::new();
    for list in ["/rooms", "/contacts", "/blocks", "/logins"] {
        let items = person.rest.list(list).await;
        if list == "/rooms" {
            rooms = items.iter().map(|room| room["id"].as_str().unwrap().to_owned()).collect();
        }
        all.extend(items);
    }
    for room in rooms {
        all.push(person.rest.get(&format!("/rooms/{room}")).await.body(200));
        all.extend(person.rest.list(&format!("/rooms/{room}/members")).await);
        all.extend(person.log(&room).await);
        let messages = person.rest.get(&format!("/rooms/{room}/messages?limit=200")).await.body(200);
        for message in messages["items"].as_array().unwrap() {
            if message["reactions"].as_array().is_some_and(|reactions| !reactions.is_empty()) {
                all.extend(person.rest.list(&format!("/rooms/{room}/messages/{}/reactions", message["seq"])).await);
            }
            for file in message["attachments"].as_array().into_iter().flatten() {
                let path = format!("/media/{}/content", file["id"].as_str().unwrap());
                all.push(json!({"holds": person.rest.get(&path).await.text}));
            }
        }
        all.push(messages);
    }
    for value in &mut all {
        if let Some(object) = value.as_object_mut() {
            object.remove("last_used_at");
        }
    }
    all
}

/// A message that will be sent again.
struct Sent {
    room: String,
    key: String,
    seq: u64,
    /// How many messages there were up to it.
    messages: u64,
}

#[track_caller]
fn done(answer: Answer) {
    assert!(answer.status < 300, "{answer:?}");
}

async fn fill(server: &Server, people: &[Person; 4]) -> Sent {
    let [ann, ben, cat, dan] = people;
    for (one, other) in [(ann, ben), (ben, ann), (cat, ann)] {
        done(one.rest.bare("PUT", &format!("/contacts/{}", other.id)).await);
    }
    done(ann.rest.bare("PUT", &format!("/blocks/{}", dan.id)).await);
    let room = ann.group("the roof", &[ben, cat]).await;
    let path = format!("/rooms/{room}");
    for seq in [ann.post(&room, "first").await, ben.post(&room, "second").await, cat.post(&room, "third").await] {
        for (person, emoji) in [(ann, "%F0%9F%91%8D"), (ben, "%F0%9F%91%8D"), (cat, "%F0%9F%8E%89")] {
            done(person.rest.bare("PUT", &format!("{path}/messages/{seq}/reactions/{emoji}")).await);
        }
        done(ben.rest.delete(&format!("{path}/messages/{seq}/reactions/%F0%9F%91%8D")).await);
    }
    let wrong = ann.post(&room, "wrnog").await;
    let edited = json!({"client_id": client_id(), "body": "wrong"});
    done(ann.rest.patch(&format!("{path}/messages/{wrong}"), edited.clone()).await);
    let gone = ben.post(&room, "taken back").await;
    done(ben.rest.patch(&format!("{path}/messages/{gone}"), edited).await);
    done(ben.rest.delete(&format!("{path}/messages/{gone}")).await);
    let (key, body) = (client_id(), "sent twice");
    let sent = ann.rest.post(&format!("{path}/messages"), json!({"client_id": key, "body": body})).await.body(201);
    done(ann.rest.put(&format!("{path}/members/{}", ben.id), json!({"role": "admin"})).await);
    done(ann.rest.put(&format!("{path}/members/{}", dan.id), json!({})).await);
    ann.post(&room, "dan sees this and nothing before").await;
    done(ben.rest.put(&format!("{path}/marks"), json!({"read": 6, "delivered": 8})).await);
    done(cat.rest.put(&format!("{path}/notifications"), json!({"notify": "mentions"})).await);
    let file = ann.upload(&room, "nest.txt", b"where it is").await;
    ann.carry(&room, &[&file]).await;
    let direct = ann.direct(ben).await;
    ben.post(&direct, "only for you").await;
    let public = cat.public_group("the square").await;
    done(dan.rest.put(&format!("/rooms/{public}/members/{}", dan.id), json!({})).await);
    let ended = cat.group("for a moment", &[dan]).await;
    done(cat.rest.delete(&format!("/rooms/{ended}")).await);
    let busy: Vec<String> = (0..MESSAGES).map(|number| format!("message {number}")).collect();
    for part in busy.chunks(100) {
        join_all(part.iter().map(|body| cat.post(&public, body))).await;
    }
    done(cat.rest.delete(&format!("/rooms/{public}/members/{}?ban=1", dan.id)).await);
    done(server.administrator().patch(&format!("/users/{}", dan.id), json!({"disabled": false})).await);
    // Three, one that was edited, one that was taken back, and this one.
    Sent { room, key, seq: sent["seq"].as_u64().unwrap(), messages: 6 }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedded_store_moves_into_a_cluster_and_all_is_as_it_was() {
    let target = Target::new().await;
    let mut server = Server::start().await;
    let people = server.people(["ann", "ben", "cat", "dan"]).await;
    let sent = fill(&server, &people).await;
    // Marks of who writes are noted a little later, but before the end.
    server.terminate();
    assert!(server.ended().await.success());
    let mut server = server.setup().clone().start().await;
    let before = join_all(people.each_ref().map(|person| person.at(&server)).iter().map(seen)).await;
    let audit = server.administrator().list("/audit").await;
    let data = server.data().display().to_string();

    let (code, _, told) = target.migrate(&data, &[]).await;
    assert!(code != 0 && told.contains("stop the server first"), "{code} {told}");
    server.kill();

    let (code, shown, told) = target.migrate(&data, &["--dry-run"]).await;
    assert_eq!(code, 0, "{told}");
    assert!(shown.contains("nothing was changed"), "{shown}");
    interrupt(&target.arguments(&data));
    let refused = Command::new(env!("CARGO_BIN_EXE_rookery"))
        .args(["serve", "--data", &format!("{data}-2"), "--set", "store.kind=cluster"])
        .args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
        .args(target.settings.iter().flat_map(|(key, value)| ["--set".to_owned(), format!("{key}={value}")]))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("is not finished"), "{told}");
    let (code, moved, told) = target.migrate(&data, &[]).await;
    assert_eq!(code, 0, "{told}");
    assert!(moved.contains("read back and compared"), "{moved}");
    assert_eq!(shown.lines().next(), moved.lines().next(), "what was moved is what was announced");

    target.finds_out_damage(&data, &sent).await;

    let node = target.setup().set("media.folder", format!("{data}/media")).start().await;
    let here = people.each_ref().map(|person| person.at(&node));
    let after = join_all(here.iter().map(seen)).await;
    for (person, (before, after)) in people.iter().zip(before.iter().zip(&after)) {
        assert_eq!(before.len(), after.len(), "what {} sees", person.handle);
        for (was, is) in before.iter().zip(after) {
            assert_eq!(was, is, "what {} sees", person.handle);
        }
    }
    let audit_now = node.administrator().list("/audit").await;
    assert!(audit.iter().all(|line| audit_now.contains(line)), "{audit:?} {audit_now:?}");
    goes_on(&here, &sent).await;

    let (code, _, told) = target.migrate(&data, &[]).await;
    assert!(code != 0 && told.contains("was moved already"), "{code} {told}");
    drop(node);
    target.forget().await;
}

/// Rooms take up where they were: retries, numbers, the words that are taken out, names, passwords.
async fn goes_on(people: &[Person; 4], sent: &Sent) {
    let [ann, ben, ..] = people;
    let path = format!("/rooms/{}/messages", sent.room);
    let again = json!({"client_id": sent.key, "body": "sent twice"});
    let again = ann.rest.post(&path, again).await.body(200);
    assert_eq!((again["seq"].as_u64(), &again["repeat"]), (Some(sent.seq), &json!(true)), "{again}");
    let head = ben.head(&sent.room).await;
    assert_eq!(ben.post(&sent.room, "and on it goes").await, head + 1);
    done(ann.rest.delete(&format!("{path}/{}", sent.seq)).await);
    let log = ann.log(&sent.room).await;
    assert!(log.iter().all(|event| !event.to_string().contains("sent twice")), "its words are taken out of the log");
    let seqs: Vec<u64> = log.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=head + 2).collect::<Vec<_>>());
    let anonymous = Rest::new(&ann.rest.base);
    anonymous.post("/logins", json!({"login": "ben", "password": PASSWORD})).await.body(201);
    anonymous.post("/accounts", json!({"handle": "ann", "password": PASSWORD})).await.refused(409, "conflict");
}
