//! A PostgreSQL of a test's own, made from the installed programs, to be stopped and started as the test likes.

use std::{
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

/// Whom PostgreSQL runs as when the test is root, which it refuses to run as: the user that Debian's package makes.
const USER: &str = "postgres";

/// The server and its folder.
pub(super) struct OwnServer {
    folder: TempDir,
    programs: PathBuf,
    as_root: bool,
    port: u16,
    settings: Vec<String>,
    running: Option<Child>,
}

impl OwnServer {
    /// An initialised server that does not run yet.
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let as_root = output(Command::new("id").arg("-u")).trim() == "0";
        // Given back at once; that somebody else takes it before the server does is the risk of every such test.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { folder, programs: programs(), as_root, port, settings: Vec::new(), running: None };
        std::fs::set_permissions(server.folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::create_dir(server.data()).unwrap();
        server.hand_over(&server.data());
        let mut initdb = server.program("initdb");
        initdb.args([
            "--username",
            "rookery",
            "--auth",
            "trust",
            "--encoding",
            "UTF8",
            "--locale",
            "C.UTF-8",
            "--no-sync",
        ]);
        output(initdb.arg("--pgdata").arg(server.data()));
        server
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Gives a file to the user that the server runs as.
    pub(super) fn hand_over(&self, path: &Path) {
        if self.as_root {
            output(Command::new("chown").arg(format!("{USER}:")).arg(path));
        }
    }

    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = if self.as_root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", USER, "--regid", USER, "--clear-groups", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path());
        command
    }

    /// A file beside the data.
    pub(super) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        self.hand_over(&path);
        path
    }

    /// Adds a setting for the next start.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.settings.extend(["-c".to_owned(), format!("{name}={value}")]);
    }

    /// Starts it, and waits until it answers.
    pub(super) async fn start(&mut self) {
        let answers = async {
            let mut looks = tokio::time::interval(Duration::from_millis(50));
            loop {
                // It does not begin while processes of a killed one are still there.
                let gone = self.running.as_mut().is_none_or(|running| running.try_wait().unwrap().is_some());
                if gone {
                    self.running = Some(self.launch());
                }
                if PgConnection::connect(&self.url()).await.is_ok() {
                    return;
                }
                looks.tick().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), answers).await.unwrap();
    }

    fn launch(&self) -> Child {
        let mut command = self.program("postgres");
        command.arg("-D").arg(self.data()).arg("-p").arg(self.port.to_string());
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "shared_buffers=16MB"] {
            command.args(["-c", setting]);
        }
        command.args(&self.settings).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.process_group(0).spawn().unwrap()
    }

    /// Stops it as an administrator does: `INT` does not wait for clients, `QUIT` and `KILL` do not even say goodbye.
    pub(super) fn stop(&mut self, signal: &str) {
        let Some(mut running) = self.running.take() else { return };
        output(Command::new("kill").arg("-s").arg(signal).arg(running.id().to_string()));
        running.wait().unwrap();
    }

    /// Its address.
    pub(super) fn url(&self) -> String {
        format!("postgres://rookery@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        self.stop("QUIT");
    }
}

/// The newest that is installed where Debian puts it, else what the path leads to.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut installed: Vec<PathBuf> =
        versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("initdb").exists()).collect();
    installed.sort();
    let in_path = || {
        let found = output(Command::new("sh").args(["-c", "command -v initdb"]));
        Path::new(found.trim()).parent().map(Path::to_owned)
    };
    installed
        .pop()
        .or_else(in_path)
        .expect("this test needs the programs of PostgreSQL: `scripts/services up` installs them")
}

fn output(command: &mut Command) -> String {
    let done = command.output().unwrap();
    let shown = format!("{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{shown}");
    String::from_utf8(done.stdout).unwrap()
}
