//! Networks of a test's own: every node in a network namespace behind a router that forgets packets when it is told to.

use std::{
    fs,
    io::Write as _,
    process::{self, Command},
    sync::atomic::{AtomicU32, Ordering},
};

/// How many networks this process has made.
static MADE: AtomicU32 = AtomicU32::new(0);

/// A router, and behind it a namespace per node. Everything goes when it is dropped.
pub(super) struct Network {
    /// What the names of its parts begin with.
    name: String,
    /// What its addresses begin with: 10.x.
    addresses: String,
    nodes: Vec<String>,
}

impl Network {
    /// The network of nodes of these names; an error says what this machine cannot do.
    pub(super) fn make(nodes: &[&str]) -> Result<Self, String> {
        let number = process::id().wrapping_add(MADE.fetch_add(1, Ordering::Relaxed)) % 10_000;
        let second = 130 + number % 100;
        let routes = ip(&["route", "show"])?;
        let addresses = format!("10.{second}");
        if routes.lines().any(|line| line.starts_with(&format!("{addresses}."))) {
            return Err(format!("{addresses}.0.0/16 is in use"));
        }
        let nodes = nodes.iter().map(|&node| node.to_owned()).collect();
        let network = Self { name: format!("rky{number}"), addresses, nodes };
        network.build().map(|()| network)
    }

    fn build(&self) -> Result<(), String> {
        let (Self { name, addresses, nodes }, router) = (self, self.space("router"));
        ip(&["netns", "add", &router])?;
        fs::metadata("/proc/sys/net/ipv4/ip_forward").map_err(|error| error.to_string())?;
        ip(&["netns", "exec", &router, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])?;
        ip(&["link", "add", "name", name, "type", "veth", "peer", "name", "tests", "netns", &router])?;
        // The tests, as clients, are at 0.1; the stores at 0.2.
        for own in [format!("{addresses}.0.1/24"), format!("{}/24", self.stores())] {
            ip(&["address", "add", &own, "dev", name])?;
        }
        ip(&["link", "set", "dev", name, "up"])?;
        ip(&["-n", &router, "address", "add", &format!("{addresses}.0.254/24"), "dev", "tests"])?;
        ip(&["-n", &router, "link", "set", "dev", "tests", "up"])?;
        ip(&["route", "add", &format!("{addresses}.0.0/16"), "via", &format!("{addresses}.0.254")])?;
        for (index, node) in nodes.iter().enumerate() {
            let (space, port) = (self.space(node), format!("port-{node}"));
            let gateway = format!("{addresses}.{}.254", index + 1);
            ip(&["netns", "add", &space])?;
            ip(&[
                "-n", &router, "link", "add", "name", &port, "type", "veth", "peer", "name", "eth0", "netns", &space,
            ])?;
            ip(&["-n", &router, "address", "add", &format!("{gateway}/24"), "dev", &port])?;
            ip(&["-n", &router, "link", "set", "dev", &port, "up"])?;
            ip(&["-n", &space, "address", "add", &format!("{}/24", self.address(node)), "dev", "eth0"])?;
            ip(&["-n", &space, "link", "set", "dev", "eth0", "up"])?;
            ip(&["-n", &space, "link", "set", "dev", "lo", "up"])?;
            ip(&["-n", &space, "route", "add", "default", "via", &gateway])?;
        }
        Ok(())
    }

    /// The namespace of a node.
    pub(super) fn space(&self, node: &str) -> String {
        format!("{}-{node}", self.name)
    }

    pub(super) fn address(&self, node: &str) -> String {
        let index = self.nodes.iter().position(|other| other == node).expect("a node of this network");
        format!("{}.{}.1", self.addresses, index + 1)
    }

    /// The address where the nodes reach the stores.
    pub(super) fn stores(&self) -> String {
        format!("{}.0.2", self.addresses)
    }

    /// From now on the router forgets what goes from one address to another.
    pub(super) fn cut(&self, from: &str, to: &str) {
        self.rule("add", from, to);
    }

    /// And now not any more.
    pub(super) fn mend(&self, from: &str, to: &str) {
        self.rule("del", from, to);
    }

    fn rule(&self, what: &str, from: &str, to: &str) {
        let router = self.space("router");
        let arguments = ["-n", &router, "rule", what, "from", from, "to", to, "blackhole"];
        ip(&arguments).expect("what worked while the network was made");
    }

    /// Every address but this one.
    pub(super) fn others(&self, node: &str) -> Vec<String> {
        self.nodes.iter().filter(|other| *other != node).map(|other| self.address(other)).collect()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // Whatever was made of it.
        let _ = ip(&["link", "delete", "dev", &self.name]);
        for node in self.nodes.iter().map(String::as_str).chain(["router"]) {
            let _ = ip(&["netns", "delete", &self.space(node)]);
        }
    }
}

fn ip(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("ip").args(arguments).output().map_err(|error| format!("ip: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("ip {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
}

/// Says, where every run shows it, that this machine cannot run a test.
pub(super) fn skipped(test: &str, reason: &str) {
    // Written past the test runner, which keeps what tests print that pass.
    let _ = writeln!(std::io::stdout(), "skipped: {test}: {reason}");
}
