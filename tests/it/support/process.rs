//! The server under test: the real binary on a free port, killed, stopped and restarted on the same data folder.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::rest::Rest;

const START: Duration = Duration::from_secs(60);

/// What a server is started with.
#[derive(Clone)]
pub(crate) struct Setup {
    program: PathBuf,
    flags: Vec<String>,
    settings: Vec<(String, String)>,
    environment: Vec<(String, String)>,
    scheme: &'static str,
    host: String,
    /// The network namespace that it runs in, if not that of the tests.
    network: Option<String>,
    folder: Arc<TempDir>,
}

impl Setup {
    /// The binary as built, with cheap passwords and room for many accounts and messages, and an empty data folder.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("rookery-it-").tempdir().expect("a temporary folder");
        let setup = Setup {
            program: PathBuf::from(env!("CARGO_BIN_EXE_rookery")),
            flags: Vec::new(),
            settings: Vec::new(),
            environment: Vec::new(),
            scheme: "http",
            host: "127.0.0.1".to_owned(),
            network: None,
            folder: Arc::new(folder),
        };
        setup
            .set("auth.password_memory_kib", 64)
            .set("auth.password_passes", 1)
            .set("limits.anonymous_per_minute", 1_000_000)
            .set("limits.requests_per_second", 100_000)
            .set("limits.request_burst", 100_000)
            .set("limits.sends_per_second", 100_000)
            .set("limits.send_burst", 100_000)
    }

    /// A setting; a later one replaces an earlier one of the same key.
    pub(crate) fn set(mut self, key: &str, value: impl ToString) -> Self {
        self.settings.retain(|(known, _)| known != key);
        self.settings.push((key.to_owned(), value.to_string()));
        self
    }

    pub(crate) fn environment(mut self, key: &str, value: &str) -> Self {
        self.environment.push((key.to_owned(), value.to_owned()));
        self
    }

    /// The server speaks TLS with this certificate and key.
    pub(crate) fn tls(mut self, certificate: &Path, key: &Path) -> Self {
        self.scheme = "https";
        self.set("server.tls_certificate", certificate.display()).set("server.tls_key", key.display())
    }

    /// The build that can be told to break one of its promises.
    pub(crate) fn broken(mut self, bug: &str) -> Self {
        self.program = broken_program();
        self.flags = vec!["--bug".to_owned(), bug.to_owned()];
        self
    }

    /// In a network namespace, where this address is its own.
    pub(crate) fn inside(mut self, network: &str, host: &str) -> Self {
        (self.network, self.host) = (Some(network.to_owned()), host.to_owned());
        self
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A path beside the data folder, removed with it.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self) -> Command {
        let mut command = match &self.network {
            None => Command::new(&self.program),
            Some(network) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", network]).arg(&self.program);
                command
            }
        };
        let listen = format!("{}:0", self.host);
        command.args(["serve", "--listen", &listen, "--admin-listen", &listen, "--data"]);
        command.arg(self.data()).args(&self.flags);
        for (key, value) in &self.settings {
            command.arg("--set").arg(format!("{key}={value}"));
        }
        let log = OpenOptions::new().create(true).append(true).open(self.beside("server.log")).expect("the log file");
        command.envs(self.environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::from(log));
        command
    }

    /// Starts the server and waits until it says that it accepts connections.
    pub(crate) async fn start(self) -> Server {
        tokio::task::spawn_blocking(move || self.start_and_wait()).await.expect("the server starts")
    }

    fn start_and_wait(self) -> Server {
        let mut child = self.command().spawn().expect("the server's binary runs");
        let lines = read_lines(&mut child);
        let mut server = Server {
            url: String::new(),
            admin: String::new(),
            token_file: PathBuf::new(),
            setup: self,
            child,
            lines,
            announced: Vec::new(),
        };
        server.read_announcement();
        server
    }
}

/// The broken build lies beside the test's own target folder, or where the environment says.
fn broken_program() -> PathBuf {
    let path = std::env::var_os("ROOKERY_BROKEN").map(PathBuf::from).unwrap_or_else(|| {
        let built = Path::new(env!("CARGO_BIN_EXE_rookery"));
        built.with_file_name("rookery-broken")
    });
    assert!(
        path.exists(),
        "the deliberately broken server is not at {}: build it with `cargo build --features bugs` and copy \
         target/debug/rookery to target/debug/rookery-broken, or name it in ROOKERY_BROKEN (scripts/test does it)",
        path.display()
    );
    path
}

fn read_lines(child: &mut Child) -> Receiver<String> {
    let out = child.stdout.take().expect("stdout is piped");
    let (sender, lines) = sync_channel(64);
    thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// A running server. Dropping it kills it.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) admin: String,
    pub(crate) token_file: PathBuf,
    /// The lines that it printed when it was ready.
    pub(crate) announced: Vec<String>,
    setup: Setup,
    child: Child,
    lines: Receiver<String>,
}

impl Server {
    /// A server with the settings that tests use.
    pub(crate) async fn start() -> Server {
        Setup::new().start().await
    }

    fn read_announcement(&mut self) {
        let end = Instant::now() + START;
        while self.token_file.as_os_str().is_empty() {
            let line = match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => panic!("not ready after {START:?}\n{}", self.log_tail()),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("ended before it was ready ({:?})\n{}", self.child.wait(), self.log_tail())
                }
            };
            if let Some(url) = line.strip_prefix("url ") {
                self.url = url.trim().to_owned();
            } else if let Some(path) = line.strip_prefix("admin token ") {
                self.token_file = PathBuf::from(path.trim());
            } else if let Some(url) = line.strip_prefix("admin ") {
                self.admin = url.trim().to_owned();
            }
            self.announced.push(line);
        }
        assert!(self.url.starts_with(self.setup.scheme), "the first lines name the url: {:?}", self.announced);
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.setup.data()
    }

    pub(crate) fn setup(&self) -> &Setup {
        &self.setup
    }

    /// host:port of the public listener.
    pub(crate) fn address(&self) -> String {
        self.url.split_once("://").expect("a url").1.trim_end_matches('/').to_owned()
    }

    /// A client that is nobody yet.
    pub(crate) fn anonymous(&self) -> Rest {
        Rest::new(&format!("{}/api/v1", self.url))
    }

    /// A client of the admin endpoint with the token that the server made at its first start.
    pub(crate) fn administrator(&self) -> Rest {
        let token = fs::read_to_string(&self.token_file).expect("the admin token's file");
        Rest::new(&format!("{}/admin/v1", self.admin)).with_token(token.trim())
    }

    /// kill -9, then a new process on the same data and, as always, on a new port.
    pub(crate) async fn kill_and_restart(self) -> Server {
        let setup = self.setup.clone();
        drop(self);
        setup.start().await
    }

    /// As `kill_and_restart`, as the build that breaks a promise.
    pub(crate) async fn kill_and_restart_broken(self, bug: &str) -> Server {
        let setup = self.setup.clone().broken(bug);
        drop(self);
        setup.start().await
    }

    pub(crate) fn kill(&mut self) {
        // An error means that it has ended by itself, which is as dead.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks the process to end, as an init system does.
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Stops and continues the process, as a paused machine would.
    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill").arg(signal).arg(self.process_id().to_string()).status();
        assert!(status.expect("kill runs").success(), "the server is there to be signalled");
    }

    /// How the process ended, once it has.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        super::eventually("the end of the server", || {
            let ended = self.child.try_wait().expect("the state of the child");
            async move { ended }
        })
        .await
    }

    /// Bytes of memory that the process holds (RSS).
    pub(crate) fn memory(&self) -> u64 {
        resident(self.process_id())
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.setup.beside("server.log")).unwrap_or_default()
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("--- the server's last lines ---\n{}", self.log_tail());
        }
    }
}

/// Bytes of memory that a process holds (RSS).
pub(crate) fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process is alive");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    let kibibytes: u64 = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number");
    kibibytes * 1024
}

/// Runs the binary with other arguments than `serve` to its end: exit code, stdout, stderr.
pub(crate) async fn rookery(arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_rookery"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the binary runs");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    // A program that does not read its input closes the pipe: not an error here.
    let _ = tokio::io::AsyncWriteExt::write_all(&mut stdin, input.as_bytes()).await;
    drop(stdin);
    let output = super::within("the command to end", child.wait_with_output()).await.expect("its output");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// Writes a file beside the data folder, for tests that need one.
pub(crate) fn write(path: &Path, content: &str) {
    std::io::Write::write_all(&mut File::create(path).expect("the file"), content.as_bytes()).expect("written");
}
