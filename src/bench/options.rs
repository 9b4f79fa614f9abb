//! The flags that every bench has, and those of the benches of a cluster.

use std::path::PathBuf;

use clap::Args;

use super::reference::Place;

/// Which server is measured, and how the figures come out.
#[derive(Args, Clone, Debug)]
pub(super) struct Common {
    /// Measure the server at this address (http, on loopback) instead of an own one.
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,

    /// With --url: the server's process on this machine, for its memory and processor time.
    #[arg(long, value_name = "PID", requires = "url")]
    pub(super) pid: Option<u32>,

    /// With --url: the admin address. Limits are put out of the way for the time of the bench, and put back.
    #[arg(long, value_name = "URL", requires_all = ["url", "admin_token"])]
    pub(super) admin_url: Option<String>,

    /// With --admin-url: an admin's token.
    #[arg(long, value_name = "TOKEN", requires = "admin_url", env = "ROOKERY_ADMIN_TOKEN", hide_env_values = true)]
    pub(super) admin_token: Option<String>,

    /// Where an own server keeps its temporary data. The disk under it decides how fast a durable send can be.
    #[arg(long, value_name = "DIR", default_value = ".bench")]
    pub(super) data: PathBuf,

    /// A setting for the own server (section.key=value). May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", conflicts_with = "url")]
    pub(super) settings: Vec<String>,

    /// Server on the first processor, clients on the second (needs the program taskset). Without it the kernel moves
    /// them about, and figures come in two kinds: with and without a wake-up across processors.
    #[arg(long)]
    pub(super) pin: bool,

    /// Keep the temporary data.
    #[arg(long)]
    pub(super) keep: bool,

    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(super) json: bool,
}

impl Common {
    /// The processor of the server, when it is to stay on one.
    pub(super) fn server_processor(&self) -> Option<usize> {
        self.pin.then_some(0)
    }

    /// The processor of the clients, when they are to stay on one.
    pub(super) fn client_processor(&self) -> Option<usize> {
        self.pin.then_some(1)
    }
}

/// The stores of a cluster, in which a bench has a place of its own and leaves nothing behind.
#[derive(Args, Clone, Debug)]
pub(super) struct Stores {
    /// PostgreSQL for the nodes (postgres://user:password@host:port/database).
    #[arg(long, value_name = "URL", env = "ROOKERY_BENCH_POSTGRES", hide_env_values = true)]
    pub(super) postgres: Option<String>,

    /// Servers of ScyllaDB or Cassandra, with commas.
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',')]
    pub(super) cql: Vec<String>,
}

impl Stores {
    /// A new place in them; with at most three replicas of each row.
    pub(super) fn place(&self) -> Place {
        Place {
            postgres: self.postgres.clone(),
            cql: self.cql.clone(),
            name: format!("bench_{}", uuid::Uuid::now_v7().simple()),
            replication: self.cql.len().clamp(1, 3) as u8,
        }
    }
}

/// A cluster of a bench's own.
#[derive(Args, Clone, Debug)]
pub(super) struct Nodes {
    #[command(flatten)]
    pub(super) stores: Stores,

    /// How many nodes; each is a process of this machine.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(2..=9))]
    pub(super) nodes: u64,
}
