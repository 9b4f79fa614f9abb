//! The keyspace of a test run, and what the runs before have left.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rookery_core::{fence::Owner, placement::NodeId};
use scylla::{client::session::Session, statement::unprepared::Statement};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::super::{connect, connect::CqlSettings, statements::all};

/// What was left longer ago than a run takes.
const STALE: Duration = Duration::from_secs(3_600);

/// Settings for a process of its own, in the keyspace of this run on the servers of `ROOKERY_TEST_CQL`.
pub(in crate::store) async fn settings(node: &str) -> CqlSettings {
    static KEYSPACE: OnceCell<String> = OnceCell::const_new();
    let owner = Owner { node: NodeId(node.into()), incarnation: Uuid::now_v7() };
    let mut settings = CqlSettings::new(servers(), String::new(), owner);
    settings.replication = u8::try_from(settings.nodes.len()).unwrap();
    let name = KEYSPACE.get_or_init(|| async {
        let session = connect::connect(&settings).await.unwrap();
        forget_stale(&session).await;
        format!("test_{}", Uuid::now_v7().simple())
    });
    settings.keyspace = name.await.clone();
    settings
}

/// The servers of the tests.
pub(in crate::store) fn servers() -> Vec<String> {
    let servers = std::env::var("ROOKERY_TEST_CQL").expect(
        "this test needs Cassandra: `scripts/services up`, then `export $(scripts/services env)`, then the tests again",
    );
    servers.split(',').map(str::to_owned).collect()
}

/// A run that ends cannot take its keyspace with it: another one may be in the same process still.
async fn forget_stale(session: &Session) {
    let names = session.query_unpaged("SELECT keyspace_name FROM system_schema.keyspaces", &[]).await.unwrap();
    for (name,) in all::<(String,)>(names).unwrap() {
        let Some(id) = name.strip_prefix("test_").and_then(|id| Uuid::try_parse(id).ok()) else { continue };
        let Some(made) = id.get_timestamp() else { continue };
        let age = SystemTime::now().duration_since(UNIX_EPOCH + Duration::from_secs(made.to_unix().0));
        if age.is_ok_and(|age| age > STALE) {
            drop_keyspace(session, &name).await;
        }
    }
}

/// Forgets a keyspace; that takes a while.
pub(in crate::store) async fn drop_keyspace(session: &Session, name: &str) {
    let mut statement = Statement::new(format!("DROP KEYSPACE IF EXISTS {name}"));
    statement.set_request_timeout(Some(Duration::from_secs(30)));
    session.query_unpaged(statement, &[]).await.unwrap();
}
