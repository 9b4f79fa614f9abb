//! Stores of a test's own, to be stopped, killed and started again: PostgreSQL and one or three nodes of Cassandra.

use std::process::Command;

use tempfile::TempDir;

/// The servers. Ended when dropped, by the ids that are noted for them.
pub(super) struct Services {
    folder: TempDir,
}

impl Services {
    /// Starts PostgreSQL and so many nodes of Cassandra.
    pub(super) async fn start(nodes: usize) -> Self {
        let folder = tempfile::Builder::new().prefix("rookery-it-").tempdir().expect("a folder");
        let services = Self { folder };
        services.run(&["up", "--nodes", &nodes.to_string()]).await;
        services
    }

    /// Starts again what does not run, and waits until it answers.
    pub(super) async fn up(&self) {
        self.run(&["up"]).await;
    }

    async fn run(&self, arguments: &[&str]) -> String {
        // The script waits by itself, with deadlines; meanwhile the clients of the test go on.
        let output = tokio::process::Command::from(self.script(arguments)).output().await.expect("scripts/services");
        assert!(output.status.success(), "services {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    fn script(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/services"));
        command.args(arguments).arg("--data").arg(self.folder.path());
        command
    }

    /// Their addresses: of PostgreSQL, and of the nodes of Cassandra.
    pub(super) async fn addresses(&self) -> (String, String) {
        let told = self.run(&["env"]).await;
        let of =
            |name: &str| told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned);
        (of("ROOKERY_TEST_POSTGRES").expect("PostgreSQL"), of("ROOKERY_TEST_CQL").expect("Cassandra"))
    }

    /// Sends a signal to PostgreSQL.
    pub(super) fn signal_postgres(&self, signal: &str) {
        self.signal("postgres/pid", signal);
    }

    /// Sends a signal to a node of Cassandra.
    pub(super) fn signal_cassandra(&self, node: usize, signal: &str) {
        self.signal(&format!("cassandra/node{node}/pid"), signal);
    }

    fn signal(&self, process: &str, signal: &str) {
        let note = std::fs::read_to_string(self.folder.path().join(process)).expect("the process is noted");
        let id = note.split_whitespace().next().expect("an id");
        let status = Command::new("kill").args([signal, id]).status().expect("kill runs");
        assert!(status.success(), "{process} is there");
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        // A test that fails says so by itself.
        let _ = self.script(&["down", "--delete"]).output();
    }
}
