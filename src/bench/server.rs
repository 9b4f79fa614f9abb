//! The server that is measured: an own process in a temporary folder, or one that is given.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use reqwest::{Method, Url};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::options::Common;
use super::{own_program, process};
use crate::client::rest::Rest;

/// How long a server may take to become ready, and to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Limits that would otherwise be what is measured, and a password that costs next to nothing.
pub(super) const OUT_OF_THE_WAY: [(&str, u64); 9] = [
    ("auth.password_memory_kib", 64),
    ("auth.password_passes", 1),
    ("limits.anonymous_per_minute", 60_000_000),
    ("limits.requests_per_second", 1_000_000),
    ("limits.request_burst", 1_000_000),
    ("limits.sends_per_second", 1_000_000),
    ("limits.send_burst", 1_000_000),
    ("limits.rooms_per_user", 10_000),
    ("limits.connections_per_user", 1_000),
];

/// A server under measurement.
pub(super) struct Server {
    pub(super) rest: Rest,
    pub(super) address: SocketAddr,
    pub(super) pid: Option<u32>,
    /// From the start of the process to ready.
    pub(super) start_took: Option<Duration>,
    own: Option<Own>,
}

struct Own {
    child: Child,
    /// Kept open: a server whose output nobody takes may end.
    _output: Lines<BufReader<ChildStdout>>,
    folder: Folder,
    admin: Rest,
}

/// A temporary folder.
pub(super) struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    pub(super) fn make(common: &Common) -> anyhow::Result<Folder> {
        let path = common.data.join(uuid::Uuid::new_v4().simple().to_string());
        std::fs::create_dir_all(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        Ok(Folder { path, keep: common.keep })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep {
            // What cannot be removed is a nuisance, not an error of the bench.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

impl Server {
    /// The server that the flags name: an own one with cheap passwords, or the given one.
    pub(super) async fn start(common: &Common) -> anyhow::Result<Server> {
        let cheap: Vec<String> = OUT_OF_THE_WAY.iter().map(|(key, value)| format!("{key}={value}")).collect();
        Server::with(common, &cheap).await
    }

    /// The same with passwords that cost what they cost by default.
    pub(super) async fn with_default_passwords(common: &Common) -> anyhow::Result<Server> {
        let limits = OUT_OF_THE_WAY.iter().filter(|(key, _)| key.starts_with("limits."));
        let limits: Vec<String> = limits.map(|(key, value)| format!("{key}={value}")).collect();
        Server::with(common, &limits).await
    }

    async fn with(common: &Common, settings: &[String]) -> anyhow::Result<Server> {
        match &common.url {
            Some(url) => Server::given(common, url),
            None => Server::in_folder(common, Folder::make(common)?, settings).await,
        }
    }

    fn given(common: &Common, url: &str) -> anyhow::Result<Server> {
        Ok(Server { rest: Rest::new(url)?, address: address(url)?, pid: common.pid, start_took: None, own: None })
    }

    /// An own server that keeps its data in a folder.
    pub(super) async fn in_folder(common: &Common, folder: Folder, settings: &[String]) -> anyhow::Result<Server> {
        let log = std::fs::File::create(folder.path().join("server.log"))?;
        let data = folder.path().join("data");
        let mut command = own_program(
            &["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--set", "log.level=warn", "--data"],
            common.server_processor(),
        )?;
        command.arg(&data);
        for setting in settings.iter().chain(&common.settings) {
            match setting.strip_prefix("store.postgres=") {
                // There is a password in it, and command lines can be seen by everybody.
                Some(url) => command.env("ROOKERY_STORE__POSTGRES", url),
                None => command.args(["--set", setting]),
            };
        }
        let begun = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::from(log))
            .kill_on_drop(true)
            .spawn()
            .context("the server cannot be started")?;
        let output = child.stdout.take().context("a server without output")?;
        let mut output = BufReader::new(output).lines();
        let ready = match tokio::time::timeout(PATIENCE, ready(&mut output)).await {
            Ok(Ok(ready)) => ready,
            _ => bail!("the server did not become ready: {}", last_words(folder.path())),
        };
        let start_took = Some(begun.elapsed());
        let token = std::fs::read_to_string(&ready.token).context("the admin token cannot be read")?;
        Ok(Server {
            rest: Rest::new(&ready.url)?,
            address: address(&ready.url)?,
            pid: child.id(),
            start_took,
            own: Some(Own { child, _output: output, folder, admin: Rest::new(&ready.admin)?.with_token(token.trim()) }),
        })
    }

    /// Ends an own server and starts it again on the same data: what its preparation left in memory is gone.
    pub(super) async fn restart(self, common: &Common) -> anyhow::Result<Server> {
        let Some(own) = self.own else { return Ok(self) };
        let folder = end(own).await?;
        let cheap: Vec<String> = OUT_OF_THE_WAY.iter().map(|(key, value)| format!("{key}={value}")).collect();
        Server::in_folder(common, folder, &cheap).await
    }

    /// Ends an own server and gives its folder back; the data are in `data` in it.
    pub(super) async fn into_folder(self) -> anyhow::Result<Folder> {
        match self.own {
            Some(own) => end(own).await,
            None => bail!("this bench needs a server of its own"),
        }
    }

    /// Starts a server on the data of an earlier one.
    pub(super) async fn on(common: &Common, folder: Folder) -> anyhow::Result<Server> {
        Server::in_folder(common, folder, &[]).await
    }

    /// Kills an own server, which gets no time for anything.
    pub(super) async fn kill(self) -> anyhow::Result<()> {
        let mut own = self.own.context("only an own server is killed")?;
        own.child.kill().await.context("the server cannot be killed")
    }

    /// Ends an own server.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        if let Some(own) = self.own {
            end(own).await?;
        }
        Ok(())
    }

    /// The memory of the server's process, when it is known.
    pub(super) fn resident(&self) -> anyhow::Result<Option<u64>> {
        self.pid.map(process::resident).transpose()
    }

    /// An own server's admin endpoint.
    pub(super) fn admin(&self) -> anyhow::Result<&Rest> {
        Ok(&self.own.as_ref().context("only an own server is asked")?.admin)
    }

    /// The overview of an own server's admin endpoint.
    pub(super) async fn overview(&self) -> anyhow::Result<Value> {
        Ok(self.admin()?.ask(Method::GET, &["admin", "v1", "overview"], &[], None).await?)
    }

    /// What its metrics of this name add up to; 0 for one that was never counted.
    pub(super) async fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let text = self.admin()?.text(&["metrics"]).await?;
        Ok(sum_of(&text, name))
    }
}

struct Ready {
    url: String,
    admin: String,
    token: PathBuf,
}

/// Reads what a server prints when it is ready.
async fn ready(output: &mut Lines<BufReader<ChildStdout>>) -> anyhow::Result<Ready> {
    let (mut url, mut admin) = (None, None);
    while let Some(line) = output.next_line().await? {
        if let Some(token) = line.strip_prefix("admin token") {
            let token = PathBuf::from(token.trim());
            let (url, admin) = url.zip(admin).context("the server did not say where it listens")?;
            return Ok(Ready { url, admin, token });
        }
        if let Some(value) = line.strip_prefix("url") {
            url = Some(value.trim().to_owned());
        } else if let Some(value) = line.strip_prefix("admin") {
            admin = Some(value.trim().to_owned());
        }
    }
    bail!("the server ended")
}

/// The values of a metric in Prometheus text, whatever its labels, added up.
fn sum_of(text: &str, name: &str) -> f64 {
    let of_line = |line: &str| {
        let rest = line.strip_prefix(name)?;
        let value = match rest.strip_prefix('{') {
            Some(labelled) => labelled.rsplit_once('}')?.1,
            None => rest.strip_prefix(' ')?,
        };
        value.split_ascii_whitespace().next()?.parse::<f64>().ok()
    };
    text.lines().filter_map(of_line).sum()
}

/// The end of a server's log.
fn last_words(folder: &Path) -> String {
    let log = std::fs::read_to_string(folder.join("server.log")).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(5)..].join(" / ")
}

/// Asks the process to end, by its id, and waits.
async fn end(mut own: Own) -> anyhow::Result<Folder> {
    if let Some(pid) = own.child.id() {
        let asked = Command::new("kill").arg("-TERM").arg(pid.to_string()).status().await;
        let asked = asked.is_ok_and(|status| status.success());
        if !asked || tokio::time::timeout(PATIENCE, own.child.wait()).await.is_err() {
            own.child.kill().await.context("the server does not end")?;
        }
    }
    Ok(own.folder)
}

fn address(url: &str) -> anyhow::Result<SocketAddr> {
    let parsed = Url::parse(url).with_context(|| url.to_owned())?;
    if parsed.scheme() != "http" {
        bail!("{url}: the receivers of a bench speak plain http only");
    }
    let host = parsed.host_str().with_context(|| format!("{url} has no host"))?;
    let port = parsed.port_or_known_default().unwrap_or(80);
    let mut found = (host, port).to_socket_addrs().with_context(|| url.to_owned())?;
    found.find(SocketAddr::is_ipv4).with_context(|| format!("{url} has no IPv4 address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_added_up_over_its_labels_and_not_taken_for_its_longer_neighbour() {
        let text = "# TYPE a counter\na 3\na{x=\"}1\"} 4\na_total 7\nb 1\n";
        assert_eq!([sum_of(text, "a"), sum_of(text, "a_total"), sum_of(text, "c")], [7.0, 7.0, 0.0]);
    }
}
