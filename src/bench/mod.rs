//! `rookery bench`: measures a server with client code of its own, each figure beside its physical limit.

mod bare;
mod borrow;
mod cluster;
mod frame;
mod latency;
mod options;
mod people;
mod process;
mod progress;
pub mod reference;
mod report;
mod scenario;
mod server;
mod worker;

use anyhow::Context;
use clap::{Args, Subcommand};

use reference::Injected;
use scenario::{across, drain, fanout, idle, kill, link, log, login, lookup, neighbour, resume, send, start};

/// Measure a server: memory, processor time, latency, each beside its physical limit.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Each bench starts a server of its own (this program, in a temporary folder, with limits out of the way) and stops it, \
or takes --url. Clients are processes of this machine and run on the same cores as the server: figures are honest for \
that arrangement and no other. A latency counts from the moment at which a message was meant to be sent. A bench that \
saw anything go wrong prints its figures and fails.

Benches of several nodes (kill, drain, across, lookup, send with --cql) start them over the given stores, in a schema and \
a keyspace of their own, bench_…, which are dropped at the end; a bench that is stopped leaves them behind.

  rookery bench fanout --members 1000 --in-flight 1
  rookery bench idle --sessions 15000 --json
  rookery bench send --rooms 64 --in-flight 256 --seconds 10
  rookery bench kill --postgres postgres://user:password@127.0.0.1/chat --cql 127.0.0.1:9042 --kills 20")]
pub struct BenchArguments {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Clone, Debug, Subcommand)]
enum Bench {
    /// Memory of the server per connected, subscribed, silent session.
    Idle(idle::Options),
    /// One room, many members: deliveries, processor time per delivery, latency; and a bare TCP writer in the same run.
    Fanout(fanout::Options),
    /// Durable sends: acks per second and their latency; and the store's own group commit in the same run.
    Send(send::Options),
    /// Everybody is dropped at once and comes back to exactly what they missed.
    Resume(resume::Options),
    /// Logins per second at the default cost of a password.
    Login(login::Options),
    /// From the start of the process to ready, with a full store.
    Start(start::Options),
    /// Latency of an ack while another room is loud, against the latency in silence.
    Neighbour(neighbour::Options),
    /// Two nodes and the link between them: processor time per envelope, and what a stopped peer costs.
    Link(link::Options),
    /// The log of a cluster alone, without a server, beside the driver alone writing the same rows.
    Log(log::Options),
    /// Nodes that are killed: how long their rooms take no messages, and whether anything is lost.
    Kill(kill::Options),
    /// A node that gives its rooms away under load: how long each pauses, and whether anything is refused.
    Drain(drain::Options),
    /// What a delivery costs more on another node than the room's, and how many envelopes a message takes.
    Across(across::Options),
    /// Where a user of another node is.
    Lookup(lookup::Options),
    /// Holds sockets for a bench; takes orders on standard input.
    #[command(hide = true)]
    Worker,
    /// Passes bytes from its first connection on to all others.
    #[command(hide = true)]
    BareWriter(bare::Options),
}

impl Bench {
    /// The flags that every bench has; none for the processes of a bench.
    fn common(&self) -> Option<&options::Common> {
        match self {
            Bench::Idle(options) => Some(&options.common),
            Bench::Fanout(options) => Some(&options.common),
            Bench::Send(options) => Some(&options.common),
            Bench::Resume(options) => Some(&options.common),
            Bench::Login(options) => Some(&options.common),
            Bench::Start(options) => Some(&options.common),
            Bench::Neighbour(options) => Some(&options.common),
            Bench::Link(options) => Some(&options.common),
            Bench::Log(options) => Some(&options.common),
            Bench::Kill(options) => Some(&options.common),
            Bench::Drain(options) => Some(&options.common),
            Bench::Across(options) => Some(&options.common),
            Bench::Lookup(options) => Some(&options.common),
            Bench::Worker | Bench::BareWriter(_) => None,
        }
    }
}

/// Runs a bench. `injected` is what a bench needs from the stores.
///
/// # Errors
/// Returns what kept the bench from giving its figures.
pub fn run(arguments: BenchArguments, injected: Injected) -> anyhow::Result<()> {
    more_files();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    let outcome = runtime.block_on(async {
        let borrowed = match arguments.bench.common() {
            Some(common) => borrow::Borrowed::take(common).await?,
            None => None,
        };
        let outcome = tokio::select! {
            outcome = measure(arguments.bench, injected) => outcome,
            // Leaving by this door ends the processes that were started and removes what they wrote.
            () = stopped() => Err(anyhow::anyhow!("stopped")),
        };
        match borrowed {
            Some(borrowed) => outcome.and(borrowed.put_back().await),
            None => outcome,
        }
    });
    runtime.shutdown_background();
    outcome
}

async fn measure(bench: Bench, injected: Injected) -> anyhow::Result<()> {
    match bench {
        Bench::Idle(options) => idle::run(options).await,
        Bench::Fanout(options) => fanout::run(options).await,
        Bench::Send(options) => send::run(options, injected).await,
        Bench::Resume(options) => resume::run(options).await,
        Bench::Login(options) => login::run(options).await,
        Bench::Start(options) => start::run(options, injected).await,
        Bench::Neighbour(options) => neighbour::run(options).await,
        Bench::Link(options) => link::run(options).await,
        Bench::Log(options) => log::run(options, injected).await,
        Bench::Kill(options) => kill::run(options, injected).await,
        Bench::Drain(options) => drain::run(options, injected).await,
        Bench::Across(options) => across::run(options, injected).await,
        Bench::Lookup(options) => lookup::run(options, injected).await,
        Bench::Worker => worker::obey().await,
        Bench::BareWriter(options) => bare::run(options).await,
    }
}

/// Waits until somebody wants this process to end.
async fn stopped() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut terminate) => terminate.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
}

/// Raises the soft limit of open files to the hard one, for this process and those it starts.
fn more_files() {
    // What cannot be raised shows up as a connection that cannot be opened, with a clear reason.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
}

/// This program with other arguments, on one processor if asked for.
fn own_program(arguments: &[&str], pin: Option<usize>) -> anyhow::Result<tokio::process::Command> {
    let program = std::env::current_exe().context("this program's own file is not known")?;
    let mut command = match pin {
        Some(processor) => {
            let mut command = tokio::process::Command::new("taskset");
            command.arg("-c").arg(processor.to_string()).arg(program);
            command
        }
        None => tokio::process::Command::new(program),
    };
    command.args(arguments);
    Ok(command)
}
