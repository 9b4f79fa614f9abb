//! `rookery cluster`: makes what nodes of a cluster need to trust each other.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use crate::{
    cluster::{
        NodeId, Settings,
        credentials::{Authority, NodeFiles},
        probe,
    },
    config::{Config, Overrides},
    telemetry,
};

/// What `rookery cluster` takes.
#[derive(Args)]
#[command(after_help = "\
Three commands make the files of a cluster; each node gets its own folder and the settings that are printed:

  rookery cluster init --out authority --name birds
  rookery cluster node --ca authority --id n1 --host 10.0.0.1 --out n1
  rookery cluster node --ca authority --id n2 --host 10.0.0.2 --out n2

The folder of the authority lets its owner add nodes: keep it away from the nodes.")]
pub(super) struct ClusterArguments {
    #[command(subcommand)]
    command: ClusterCommand,
}

#[derive(Subcommand)]
enum ClusterCommand {
    /// Make the certificate authority and the secret of a new cluster
    Init {
        /// The folder for them
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// The cluster's name: letters a–z, digits, hyphens
        #[arg(long, value_name = "CLUSTER")]
        name: String,
    },
    /// Make the certificate and the key of a node
    Node {
        /// The folder of the authority
        #[arg(long, value_name = "DIR")]
        ca: PathBuf,
        /// The node's name: letters a–z, digits, hyphens
        #[arg(long, value_name = "NODE")]
        id: NodeId,
        /// An address or a name of the node's host; may stand several times
        #[arg(long, value_name = "HOST", required = true)]
        host: Vec<String>,
        /// The folder for the node's files
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Days that the certificate is good for
        #[arg(long, default_value_t = 1_825, value_parser = clap::value_parser!(u32).range(1..=7_300))]
        days: u32,
    },
    /// Run a node that only exchanges envelopes, by orders on standard input: for measurements
    #[command(hide = true)]
    Probe(Overrides),
}

/// Runs it.
///
/// # Errors
/// The files are there already, or cannot be read or written.
pub(super) fn run(arguments: ClusterArguments) -> anyhow::Result<()> {
    match arguments.command {
        ClusterCommand::Init { out, name } => {
            Authority::create(&out, &name)?;
            println!("the authority and the secret of cluster {name} are in {}", out.display());
            println!("next: rookery cluster node --ca {} --id NODE --host ADDRESS --out DIR", out.display());
            Ok(())
        }
        ClusterCommand::Node { ca, id, host, out, days } => {
            let authority = Authority::open(&ca).context("the folder of the authority")?;
            let files = authority.admit(&id, &host, days, &out)?;
            println!("# node {id} of cluster {}; what its rookery.toml needs:", authority.secret().cluster());
            print!("{}", settings(&id, host.first().map_or("", String::as_str), &files));
            Ok(())
        }
        ClusterCommand::Probe(overrides) => {
            let loaded = Config::load(&overrides)?;
            let _level = telemetry::start_logs(&loaded.config.log)?;
            let settings = Settings::of(&loaded.config)?.context("cluster.node is not set")?;
            super::block_on(probe::run(settings))?
        }
    }
}

/// The part of a configuration file; another node's address is for the operator to fill in.
fn settings(node: &NodeId, host: &str, files: &NodeFiles) -> String {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let mut table = toml::Table::new();
    table.insert("node".to_owned(), node.as_str().into());
    table.insert("listen".to_owned(), "0.0.0.0:8082".into());
    table.insert("advertise".to_owned(), format!("{host}:8082").into());
    table.insert("seeds".to_owned(), toml::Value::Array(vec![]));
    for (key, path) in [
        ("authority", &files.authority),
        ("certificate", &files.certificate),
        ("key", &files.key),
        ("secret_file", &files.secret),
    ] {
        table.insert(key.to_owned(), path.display().to_string().into());
    }
    format!("[cluster]\n{table}")
}
