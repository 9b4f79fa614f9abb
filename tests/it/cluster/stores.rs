//! A cluster's stores for one test, and the setup of nodes over them.

use std::process::Command;

use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use uuid::Uuid;

use super::node::Files;
use crate::support::{
    process::{Server, Setup},
    rest::Rest,
};

/// What operators of these nodes show.
pub(super) const TOKEN: &str = "the-operators-own-secret";

/// Events in one partition of the log.
const BUCKET: u64 = 4_096;

/// A keyspace and a schema of one test; the schema is dropped with it, keyspaces by the runs that follow.
pub(super) struct Stores {
    postgres: String,
    cql: String,
    name: String,
}

impl Stores {
    /// On the servers that the environment names.
    pub(super) fn new() -> Self {
        let of = |name: &str| {
            std::env::var(name)
                .expect("this test needs stores: `scripts/services up`, `export $(scripts/services env)`")
        };
        Self::on(of("ROOKERY_TEST_POSTGRES"), of("ROOKERY_TEST_CQL"))
    }

    /// On these servers.
    pub(super) fn on(postgres: String, cql: String) -> Self {
        let stores = Self { postgres, cql, name: format!("test_{}", Uuid::now_v7().simple()) };
        assert!(stores.sql(&format!("CREATE SCHEMA {}", stores.name)), "psql makes a schema");
        stores
    }

    fn sql(&self, statement: &str) -> bool {
        let run = Command::new("psql").args([&self.postgres, "-q", "-c", statement]).output();
        run.is_ok_and(|output| output.status.success())
    }

    /// The address of PostgreSQL, with the schema.
    pub(super) fn postgres(&self) -> String {
        format!("{}?options[search_path]={}", self.postgres, self.name)
    }

    /// A node over these stores, with the files of its name.
    pub(super) fn setup(&self, files: &Files, name: &str) -> Setup {
        let folder = files.of(name);
        let file = |file: &str| folder.join(file).display().to_string();
        let replication = self.cql.split(',').count();
        Setup::new()
            .environment("ROOKERY_AUTH__ADMIN_TOKEN", TOKEN)
            .set("store.kind", "cluster")
            .set("store.postgres", self.postgres())
            .set("store.cql", &self.cql)
            .set("store.keyspace", &self.name)
            .set("store.replication", replication)
            .set("cluster.node", name)
            .set("cluster.listen", "127.0.0.1:0")
            .set("cluster.authority", file("authority.pem"))
            .set("cluster.certificate", file("certificate.pem"))
            .set("cluster.key", file("key.pem"))
            .set("cluster.secret_file", file("secret"))
    }

    /// A connection of the test's own to the log.
    pub(super) async fn session(&self) -> Session {
        let session = SessionBuilder::new().known_nodes(self.cql.split(',')).build().await.expect("a session");
        session.use_keyspace(&self.name, false).await.expect("the keyspace");
        session
    }
}

impl Drop for Stores {
    fn drop(&mut self) {
        self.sql(&format!("DROP SCHEMA {} CASCADE", self.name));
    }
}

/// Who has claimed a shard, as the store says: which life of which node, and under which epoch. `None`: nobody has.
pub(super) async fn claimed(session: &Session, shard: u64) -> Option<(String, u64)> {
    let part = i32::try_from(shard % 16).expect("a small number");
    let shard = i32::try_from(shard).expect("a small number");
    let select = "SELECT owner, incarnation, epoch FROM shards WHERE part = ? AND shard = ?";
    let answer = session.query_unpaged(select, (part, shard)).await.ok()?.into_rows_result().ok()?;
    let (owner, incarnation, epoch) =
        answer.maybe_first_row::<(Option<String>, Option<Uuid>, Option<i64>)>().expect("the columns of a shard")?;
    let owner = owner.filter(|owner| !owner.is_empty())?;
    Some((format!("{owner}/{}", incarnation?), u64::try_from(epoch?).expect("an epoch")))
}

/// The epoch of every event of a room, in order, as they lie in the store.
pub(super) async fn epochs(session: &Session, room: &str, head: u64) -> Vec<(u64, u64)> {
    let room: Uuid = room.parse().expect("an id");
    let select = "SELECT seq, stamp FROM events WHERE room = ? AND bucket = ? ORDER BY seq ASC";
    let mut all = Vec::new();
    for bucket in 0..=head / BUCKET {
        let bucket = i64::try_from(bucket).expect("a small number");
        let rows = session.query_unpaged(select, (room, bucket)).await.expect("rows");
        let rows = rows.into_rows_result().expect("rows");
        for row in rows.rows::<(i64, i64)>().expect("the columns of an event") {
            let (seq, stamp) = row.expect("a row");
            all.push((u64::try_from(seq).expect("a seq"), u64::try_from(stamp).expect("a stamp") >> 24));
        }
    }
    all
}

/// What operators of this node use.
pub(super) fn operator(server: &Server) -> Rest {
    Rest::new(&format!("{}/admin/v1", server.admin)).with_token(TOKEN)
}

/// What a node has counted under this name and these labels; 0 for what never happened.
pub(super) async fn counted(server: &Server, series: &str) -> u64 {
    let text = Rest::new(&server.admin).with_token(TOKEN).get("/metrics").await.text;
    let of = |line: &str| line.strip_prefix(series)?.strip_prefix(' ').map(|count| count.parse().expect("a number"));
    text.lines().find_map(of).unwrap_or(0)
}
