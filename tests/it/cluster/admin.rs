//! What operators see of three nodes over real stores, and do to them.

use std::process::Command;

use serde_json::{Value, json};
use uuid::Uuid;

use super::node::Files;
use crate::support::{
    eventually,
    process::{Server, Setup},
    rest::Rest,
};

/// A keyspace and a schema of this test; the schema is dropped with it, keyspaces by the runs that follow.
struct Stores {
    postgres: String,
    cql: String,
    name: String,
}

impl Stores {
    fn new() -> Self {
        let of = |name: &str| {
            std::env::var(name)
                .expect("this test needs stores: `scripts/services up`, `export $(scripts/services env)`")
        };
        let name = format!("test_{}", Uuid::now_v7().simple());
        let stores = Self { postgres: of("ROOKERY_TEST_POSTGRES"), cql: of("ROOKERY_TEST_CQL"), name };
        assert!(stores.sql(&format!("CREATE SCHEMA {}", stores.name)), "psql makes a schema");
        stores
    }

    fn sql(&self, statement: &str) -> bool {
        let run = Command::new("psql").args([&self.postgres, "-q", "-c", statement]).output();
        run.is_ok_and(|output| output.status.success())
    }

    async fn node(&self, files: &Files, name: &str, seed: Option<&str>) -> Server {
        let folder = files.of(name);
        let file = |file: &str| folder.join(file).display().to_string();
        let replication = self.cql.split(',').count();
        let setup = Setup::new()
            .environment("ROOKERY_AUTH__ADMIN_TOKEN", TOKEN)
            .set("store.kind", "cluster")
            .set("store.postgres", format!("{}?options[search_path]={}", self.postgres, self.name))
            .set("store.cql", &self.cql)
            .set("store.keyspace", &self.name)
            .set("store.replication", replication)
            .set("cluster.node", name)
            .set("cluster.listen", "127.0.0.1:0")
            .set("cluster.authority", file("authority.pem"))
            .set("cluster.certificate", file("certificate.pem"))
            .set("cluster.key", file("key.pem"))
            .set("cluster.secret_file", file("secret"));
        match seed {
            Some(seed) => setup.set("cluster.seeds", seed).start().await,
            None => setup.start().await,
        }
    }
}

impl Drop for Stores {
    fn drop(&mut self) {
        self.sql(&format!("DROP SCHEMA {} CASCADE", self.name));
    }
}

const TOKEN: &str = "the-operators-own-secret";

fn operator(server: &Server) -> Rest {
    Rest::new(&format!("{}/admin/v1", server.admin)).with_token(TOKEN)
}

async fn shard(admin: &Rest, number: u64) -> Value {
    admin.list("/shards?limit=200").await.into_iter().find(|shard| shard["shard"] == number).unwrap()
}

/// Waits until this node has claimed the shard, which it does when somebody writes to a room of it.
async fn held_by(admin: &Rest, number: u64, node: &str) -> Value {
    eventually("the shard to be where it should", || async {
        let shard = shard(admin, number).await;
        (shard["holder"] == node).then_some(shard)
    })
    .await
}

/// Three nodes that see each other.
async fn three(stores: &Stores) -> [Server; 3] {
    let files = Files::make("birds", &["n1", "n2", "n3"]);
    let first = stores.node(&files, "n1", None).await;
    let seed = operator(&first).get("/nodes/n1").await.body(200)["address"].as_str().unwrap().to_owned();
    let second = stores.node(&files, "n2", Some(&seed)).await;
    let third = stores.node(&files, "n3", Some(&seed)).await;
    let servers = [first, second, third];
    for admin in servers.iter().map(operator) {
        let nodes = eventually("three nodes that answer, with links to each other", || async {
            let nodes = admin.get("/nodes").await.body(200)["items"].as_array().unwrap().clone();
            let is_whole = |node: &Value| node["answers"] == true && node["links"].as_array().unwrap().len() == 2;
            (nodes.len() == 3 && nodes.iter().all(is_whole)).then_some(nodes)
        })
        .await;
        assert_eq!(nodes.iter().filter(|node| node["here"] == true).count(), 1);
    }
    servers
}

/// Waits until every node sees this of a shard.
async fn all_see(all: &[Rest; 3], number: u64, owner: &str, moved: bool) {
    for admin in all {
        eventually("every node to see where the shard should be", || async {
            let shard = shard(admin, number).await;
            (shard["owner"] == owner && shard["moved"] == moved).then_some(())
        })
        .await;
    }
}

/// Who drains has nothing any more, moved or not, and says that it is not ready.
async fn drain(servers: &[Server; 3], all: &[Rest; 3], node: &str) {
    all[0].bare("POST", &format!("/nodes/{node}/drain")).await.body(204);
    for admin in all {
        eventually("nothing to be left to who drains", || async {
            let shards = admin.list("/shards?limit=200").await;
            shards.iter().all(|shard| shard["owner"] != node && shard["holder"] != node).then_some(())
        })
        .await;
    }
    let drained = &servers[usize::from(node.as_bytes()[1] - b'1')];
    let ready = Rest::new(&drained.url).get("/readyz").await;
    assert_eq!(ready.status, 503, "{ready:?}");
}

#[tokio::test]
async fn operators_see_three_nodes_and_move_drain_and_resume() {
    let stores = Stores::new();
    let servers = three(&stores).await;
    let (first, all) = (&servers[0], servers.each_ref().map(operator));
    let admin = &all[0];
    assert_eq!(admin.get("/overview").await.body(200)["nodes"].as_array().unwrap().len(), 3);

    let [anna, bert] = first.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    anna.post(&room, "one").await;
    let shown = admin.get(&format!("/rooms/{room}")).await.body(200);
    let number = shown["shard"].as_u64().unwrap();
    let owner = shown["owner"].as_str().unwrap().to_owned();
    let before = held_by(&all[1], number, &owner).await;
    assert_eq!((&before["epoch"], &before["owner"]), (&shown["epoch"], &shown["owner"]), "on another node: {before}");
    assert!(before["why"].as_str().unwrap().starts_with(&format!("{owner} scores highest of 3 nodes")), "{before}");
    let to = ["n1", "n2", "n3"].into_iter().find(|name| *name != owner).unwrap();

    // A dry run says what would happen and does nothing.
    let path = format!("/shards/{number}/move");
    let said = all[2].post(&path, json!({"to": to, "dry_run": true})).await.body(200);
    assert_eq!((&said["to"], &said["changes"], &said["before"]), (&json!(to), &json!(true), &before));
    assert_eq!(shard(admin, number).await, before);

    // A move, ordered from a node that need not have to do with it, is seen by all and costs no message.
    all[2].post(&path, json!({"to": to})).await.body(200);
    all_see(&all, number, to, true).await;
    anna.post(&room, "two").await;
    let after = held_by(admin, number, to).await;
    assert!(after["epoch"].as_u64() > before["epoch"].as_u64(), "{before} {after}");
    assert!(after["why"].as_str().unwrap().starts_with(&format!("an operator moved it to {to}; ")), "{after}");

    drain(&servers, &all, to).await;
    anna.post(&room, "three").await;
    all[1].post(&path, json!({"to": to})).await.refused(409, "conflict");

    // Taken back, it has what was moved to it; a move without a node undoes that.
    all[1].bare("POST", &format!("/nodes/{to}/resume")).await.body(204);
    all_see(&all, number, to, true).await;
    all[1].post(&path, json!({})).await.body(200);
    all_see(&all, number, &owner, false).await;
    anna.post(&room, "four").await;
    assert_eq!(anna.bodies(&room).await, ["one", "two", "three", "four"]);

    let digest = admin.get(&format!("/rooms/{room}/digest")).await.body(200);
    let seen = digest["nodes"].as_array().unwrap();
    assert_eq!(seen.iter().map(|seen| seen["node"].as_str().unwrap()).collect::<Vec<_>>(), ["n1", "n2", "n3"]);
    for seen in seen {
        assert_eq!((&seen["head"], &seen["digest"]), (&digest["head"], &digest["digest"]), "{digest}");
    }
    let actions: Vec<Value> = admin.list("/audit").await.into_iter().map(|line| line["action"].clone()).collect();
    for action in ["shard.move", "node.drain", "node.resume"] {
        assert!(actions.contains(&json!(action)), "{action} is in {actions:?}");
    }
}
