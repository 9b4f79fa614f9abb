//! `scripts/cluster`: three nodes on this machine, and what happens to a room whose owner it kills or pauses.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use rookery_core::ids::RoomId;
use scylla::client::session_builder::SessionBuilder;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::{eventually, person::Person, process::rookery, rest::Rest, socket::Socket};

/// In what time a room whose owner was killed takes messages again.
const DETECTED: Duration = Duration::from_secs(5);
/// How long a node that hangs still gets new connections.
const UNNOTICED: Duration = Duration::from_millis(1_500);

/// A cluster in a folder of its own, over the stores that the environment names. Ended and forgotten when dropped.
struct Cluster {
    folder: TempDir,
    postgres: String,
    cql: String,
}

impl Cluster {
    fn new() -> Self {
        let named = |name| std::env::var(name).expect("this test needs `scripts/services up` and its `env`");
        let folder = tempfile::Builder::new().prefix("rookery-it-").tempdir().unwrap();
        Self { folder, postgres: named("ROOKERY_TEST_POSTGRES"), cql: named("ROOKERY_TEST_CQL") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn output(&self, arguments: &[&str]) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/cluster");
        let mut command = Command::new(script);
        command.args(arguments).arg("--data").arg(self.folder.path());
        for (key, value) in [
            ("ROOKERY_AUTH__PASSWORD_MEMORY_KIB", "64"),
            ("ROOKERY_AUTH__PASSWORD_PASSES", "1"),
            ("ROOKERY_LIMITS__ANONYMOUS_PER_MINUTE", "1000000"),
        ] {
            command.env(key, value);
        }
        command.output().unwrap()
    }

    /// Runs the script, which must succeed; what it says on standard output.
    async fn run(&self, arguments: &[&str]) -> String {
        // The script waits by itself, with deadlines; meanwhile sockets of the test are read.
        let output = tokio::task::block_in_place(|| self.output(arguments));
        let (out, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {out}{told}");
        out.into_owned()
    }

    async fn up(&self) {
        let binary = env!("CARGO_BIN_EXE_rookery");
        let (postgres, cql) = (&self.postgres, &self.cql);
        self.run(&["up", "3", "--binary", binary, "--postgres", postgres, "--cql", cql]).await;
    }

    async fn status(&self) -> Value {
        serde_json::from_str(&self.run(&["status", "--json"]).await).unwrap()
    }

    /// What is told of a node.
    async fn node(&self, id: u64) -> Value {
        let status = self.status().await;
        status["nodes"].as_array().unwrap().iter().find(|node| node["id"] == id).unwrap().clone()
    }

    /// A client of a node's admin endpoint.
    fn operator(&self, node: &Value) -> Rest {
        let token = fs::read_to_string(self.path("admin.token")).unwrap();
        Rest::new(&format!("{}/admin/v1", node["admin_url"].as_str().unwrap())).with_token(token.trim())
    }

    /// Processes that were started for this folder, by what stands on their command lines.
    fn processes(&self) -> Vec<String> {
        let folder = self.folder.path().display().to_string();
        let lines = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            Some(String::from_utf8_lossy(&line).replace('\0', " "))
        });
        lines.filter(|line| line.contains(&folder)).collect()
    }

    /// Whether the schema and the keyspace of this name are there.
    async fn has(&self, name: &str) -> [bool; 2] {
        let mut connection = PgConnection::connect(&self.postgres).await.unwrap();
        let query = "SELECT count(*) FROM information_schema.schemata WHERE schema_name = $1";
        let schemas: i64 = sqlx::query_scalar(query).bind(name).fetch_one(&mut connection).await.unwrap();
        let session = SessionBuilder::new().known_nodes(self.cql.split(',')).build().await.unwrap();
        let query = "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?";
        let keyspaces = session.query_unpaged(query, (name,)).await.unwrap().into_rows_result().unwrap();
        [schemas == 1, keyspaces.rows_num() == 1]
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for log in fs::read_dir(self.path("logs")).into_iter().flatten().flatten() {
                let text = fs::read_to_string(log.path()).unwrap_or_default();
                let lines: Vec<&str> = text.lines().collect();
                eprintln!("--- {:?} ---\n{}", log.file_name(), lines[lines.len().saturating_sub(15)..].join("\n"));
            }
        }
        let output = self.output(&["down", "--delete"]);
        if !output.status.success() {
            eprintln!("the cluster was not ended: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

fn url(node: &Value) -> String {
    node["url"].as_str().unwrap().to_owned()
}

/// Two people in a room, each on another node than the one that owns the room.
struct Talk {
    room: String,
    /// The node that owns it while all are there.
    owner: u64,
    /// Operators, at another node.
    admin: Rest,
    people: [Person; 2],
    sockets: [Socket; 2],
    said: Vec<String>,
    seqs: Vec<u64>,
}

impl Talk {
    async fn begin(cluster: &Cluster) -> Self {
        let status = cluster.status().await;
        let front = status["url"].as_str().unwrap();
        let (anna, bert) = (Person::register(front, "anna").await, Person::register(front, "bert").await);
        let room = anna.group("tea", &[&bert]).await;
        let nodes = status["nodes"].as_array().unwrap();
        let owner = owner(&cluster.operator(&nodes[0]), &room).await;
        let (owners, others): (Vec<_>, Vec<_>) = nodes.iter().partition(|node| node["name"] == owner.as_str());
        let people = [anna.on(&url(others[0])), bert.on(&url(others[1]))];
        let sockets = [people[0].online().await, people[1].online().await];
        let (owner, admin) = (owners[0]["id"].as_u64().unwrap(), cluster.operator(others[0]));
        Self { room, owner, admin, people, sockets, said: Vec::new(), seqs: Vec::new() }
    }

    /// One says something, is told that it is kept, and the other hears it; how long the former took.
    async fn say(&mut self, who: usize, body: &str) -> Duration {
        let begun = Instant::now();
        let ack = self.sockets[who].say(&self.room, body).await;
        let took = begun.elapsed();
        let seq = ack["seq"].as_u64().unwrap();
        let heard = self.sockets[1 - who].event(&self.room, seq).await;
        assert_eq!(heard["body"], body, "{heard}");
        self.said.push(body.to_owned());
        self.seqs.push(seq);
        took
    }

    /// Everything is there once, in order, without a hole; at whatever address one asks.
    async fn is_whole(&self, at: &str) {
        for person in &self.people {
            assert_eq!(person.on(at).bodies(&self.room).await, self.said);
        }
        assert!(self.seqs.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{:?}", self.seqs);
    }
}

/// The documented shape, and nothing else.
fn has_the_documented_shape(status: &Value) {
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(status), ["url", "logs", "nodes"]);
    let nodes = status["nodes"].as_array().unwrap();
    assert_eq!(nodes.iter().map(|node| node["id"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
    for node in nodes {
        assert_eq!(keys(node), ["id", "name", "url", "admin_url", "pid", "ready", "paused"]);
        assert_eq!(node["name"], format!("node-{}", node["id"]));
        assert!(url(node).starts_with("http://127.0.0.1:") && node["admin_url"].is_string(), "{node}");
        assert!(Path::new("/proc").join(node["pid"].to_string()).exists(), "{node}");
        assert_eq!((&node["ready"], &node["paused"]), (&json!(true), &json!(false)), "{node}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_goes_on_when_the_script_kills_its_owner_and_when_it_pauses_the_next() {
    let cluster = Cluster::new();
    cluster.up().await;
    let status = cluster.status().await;
    has_the_documented_shape(&status);
    let front = status["url"].as_str().unwrap().to_owned();
    let mut talk = Talk::begin(&cluster).await;
    talk.say(0, "one").await;
    talk.say(1, "two").await;

    cluster.run(&["kill", &talk.owner.to_string()]).await;
    let took = talk.say(0, "three").await;
    assert!(took <= DETECTED, "the room takes messages again after {took:?}");
    let killed = cluster.node(talk.owner).await;
    assert_eq!((&killed["pid"], &killed["ready"]), (&Value::Null, &json!(false)), "{killed}");
    talk.say(1, "four").await;
    talk.is_whole(&front).await;
    users_are_changed_in_the_store_of_the_cluster(&cluster, &front).await;

    cluster.run(&["start", &talk.owner.to_string()]).await;
    let started = cluster.node(talk.owner).await;
    assert_eq!((started["pid"].is_u64(), &started["ready"]), (true, &json!(true)), "{started}");

    // The room comes back to it. Then it hangs, and when it goes on the others have done without it.
    let (admin, room, name) = (talk.admin.clone(), talk.room.clone(), format!("node-{}", talk.owner));
    eventually("the room to be back", || async { (owner(&admin, &room).await == name).then_some(()) }).await;
    talk.say(0, "five").await;
    cluster.run(&["pause", &talk.owner.to_string()]).await;
    let paused = cluster.node(talk.owner).await;
    let expected = (&started["pid"], &json!(false), &json!(true));
    assert_eq!((&paused["pid"], &paused["ready"], &paused["paused"]), expected, "{paused}");
    let took = talk.say(1, "six").await;
    assert!(took <= DETECTED, "the room takes messages again after {took:?}");
    cluster.run(&["continue", &talk.owner.to_string()]).await;
    assert_eq!(cluster.node(talk.owner).await["ready"], true);
    talk.say(0, "seven").await;
    talk.is_whole(&url(&started)).await;

    let name = fs::read_to_string(cluster.path("name")).unwrap().trim().to_owned();
    assert_eq!(cluster.processes().len(), 3, "{:?}", cluster.processes());
    cluster.run(&["down"]).await;
    assert_eq!(cluster.processes(), Vec::<String>::new());
    assert!(Rest::new(&front).request("GET", "/readyz").send().await.is_err(), "nobody is at the one address any more");

    // Everything is still there afterwards, until it is to be forgotten.
    cluster.up().await;
    let front = cluster.status().await["url"].as_str().unwrap().to_owned();
    talk.is_whole(&front).await;
    assert_eq!(cluster.has(&name).await, [true, true]);
    cluster.run(&["down", "--delete"]).await;
    assert_eq!(cluster.processes(), Vec::<String>::new());
    assert_eq!(cluster.has(&name).await, [false, false]);
    assert_eq!(cluster.status().await["nodes"], json!([]));
}

async fn owner(admin: &Rest, room: &str) -> String {
    admin.get(&format!("/rooms/{room}")).await.body(200)["owner"].as_str().unwrap().to_owned()
}

/// The one that hangs owns a room that there is not, by which stores were once asked whether they answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_ready_while_another_one_hangs_which_gets_no_new_connections() {
    let cluster = Cluster::new();
    cluster.up().await;
    let status = cluster.status().await;
    let nodes = status["nodes"].as_array().unwrap();
    let admin = cluster.operator(&nodes[0]);
    let shards = admin.list("/shards?limit=200").await;
    let nowhere = RoomId(Uuid::nil()).shard().0;
    let shard = shards.iter().find(|shard| shard["shard"] == nowhere).unwrap();
    let (hangs, others): (Vec<_>, Vec<_>) = nodes.iter().partition(|node| node["name"] == shard["owner"]);
    let hangs = hangs[0]["id"].to_string();
    let answers = async |url: &str| {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(1)).build().unwrap();
        client.get(format!("{url}/readyz")).send().await.is_ok_and(|answer| answer.status() == 200)
    };
    cluster.run(&["pause", &hangs]).await;
    let paused = Instant::now();
    while paused.elapsed() < UNNOTICED {
        for node in &others {
            assert!(answers(&url(node)).await, "{node} is ready, {:?} after another was paused", paused.elapsed());
        }
    }
    for _ in 0..6 {
        assert!(answers(status["url"].as_str().unwrap()).await, "new connections go to those that are ready");
    }
    cluster.run(&["continue", &hangs]).await;
}

/// While its nodes run, and one of them is dead.
async fn users_are_changed_in_the_store_of_the_cluster(cluster: &Cluster, front: &str) {
    let config = cluster.path("nodes/node-1/rookery.toml").display().to_string();
    let run = async |arguments: &[&str]| {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--config", &config]).collect();
        let (code, out, told) = rookery(&arguments, "").await;
        assert_eq!(code, 0, "{arguments:?}: {out}{told}");
        out
    };
    let password = crate::support::person::PASSWORD;
    run(&["user", "add", "carl", "--password", password]).await;
    let listed = run(&["user", "list"]).await;
    assert!(["anna", "bert", "carl"].iter().all(|handle| listed.contains(handle)), "{listed}");
    let login = async || {
        let anonymous = Rest::new(&format!("{front}/api/v1"));
        anonymous.post("/logins", json!({"login": "carl", "password": password})).await
    };
    login().await.body(201);
    run(&["user", "disable", "carl"]).await;
    login().await.refused(401, "unauthenticated");
    let said = run(&["migrate"]).await;
    assert!(said.contains("up to date") && said.contains("keyspace cluster_"), "{said}");
}

#[test]
fn what_the_script_is_not_asked_well_it_refuses_in_a_sentence() {
    let cluster = Cluster::new();
    for (arguments, why) in [
        (&["kill", "1"][..], "There are 0"),
        (&["pause"], "pause which node?"),
        (&["up", "0"], "how many nodes?"),
        (&["up", "--postgres", "postgres://a"], "go together"),
        (&["up", "--binary", "/nowhere/rookery"], "no program"),
        (&["env"], "no node is ready"),
        (&["fly"], "what is fly?"),
    ] {
        let output = cluster.output(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && told.contains(why), "{arguments:?}: {told}");
    }
    assert_eq!(cluster.processes(), Vec::<String>::new());
}
