//! The command line.

mod cluster;
mod front;
mod migrate;
mod operator;
mod reference;
mod settings;
mod table;
mod users;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::{
    app,
    bench::BenchArguments,
    client::chat::ChatArguments,
    config::{Config, ConfigError, EXIT_CODE, Overrides},
};

/// A chat server: rooms and sessions are actors, and nothing that was acknowledged is lost.
#[derive(Parser)]
#[command(name = "rookery", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArguments,
}

#[derive(Args)]
struct ServeArguments {
    #[command(flatten)]
    overrides: Overrides,
    /// Break one promise on purpose, so that tests can show that they notice
    #[cfg(feature = "bugs")]
    #[arg(long, value_name = "BUG")]
    bug: Option<rookery_core::room::bugs::Bug>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server; what happens without a command
    Serve(ServeArguments),
    /// Add and change users, straight in the store
    User(users::UserArguments),
    /// Look after a running server, over its admin endpoint
    Admin(operator::AdminArguments),
    /// Show or check the configuration
    Config(settings::ConfigArguments),
    /// Bring the store to this version's form (serving does it too), or move it into a cluster's
    Migrate(migrate::MigrateArguments),
    /// Make what nodes of a cluster need to trust each other
    Cluster(cluster::ClusterArguments),
    /// One address before several nodes, to try a cluster on one machine and for tests
    #[command(hide = true)]
    Front(front::FrontArguments),
    /// Ask a running server whether it is ready
    Health(operator::HealthArguments),
    /// Measure a server
    Bench(BenchArguments),
    /// Chat in the terminal
    Chat(ChatArguments),
}

/// Runs what the command line says.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(arguments) => serve(&arguments),
        Command::User(arguments) => users::run(arguments),
        Command::Admin(arguments) => operator::run(arguments),
        Command::Config(arguments) => settings::run(&arguments),
        Command::Migrate(arguments) => migrate::run(&arguments),
        Command::Cluster(arguments) => cluster::run(arguments),
        Command::Front(arguments) => front::run(arguments),
        Command::Health(arguments) => operator::health(&arguments),
        Command::Bench(arguments) => crate::bench::run(arguments, reference::injected()),
        Command::Chat(arguments) => crate::client::chat::run(arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rookery: {error:#}");
            let is_config = error.downcast_ref::<ConfigError>().is_some();
            ExitCode::from(if is_config { EXIT_CODE } else { 1 })
        }
    }
}

fn serve(arguments: &ServeArguments) -> anyhow::Result<()> {
    app::serve(
        Config::load(&arguments.overrides)?,
        #[cfg(feature = "bugs")]
        arguments.bug,
    )
}

/// Runs one piece of work to its end on a runtime of its own.
fn block_on<F: Future>(work: F) -> anyhow::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    Ok(runtime.block_on(work))
}
