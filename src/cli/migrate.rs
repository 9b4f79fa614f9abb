//! `rookery migrate`: brings the store to this version's form, and moves an embedded store into a cluster's.

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::table::Table;
use crate::{
    app::stores,
    config::{Config, Overrides},
    store::{
        sql::SqliteStore,
        transfer::{self, Part, Progress, Transfer},
    },
};

/// What `rookery migrate` takes.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct MigrateArguments {
    #[command(subcommand)]
    command: Option<MigrateCommand>,
    #[command(flatten)]
    overrides: Overrides,
}

#[derive(Subcommand)]
enum MigrateCommand {
    /// Move the embedded store of a stopped server into PostgreSQL and CQL (`store.postgres`, `store.cql`)
    ///
    /// The embedded store is only read. If the move is interrupted, start it again: it goes on. At the end everything is
    /// read back and compared; only then do nodes start on it.
    EmbeddedToCluster {
        /// Only say what would be moved
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        overrides: Overrides,
    },
}

/// Runs it.
///
/// # Errors
/// A store cannot be used, or the move did not come to its end.
pub(super) fn run(arguments: &MigrateArguments) -> anyhow::Result<()> {
    match &arguments.command {
        None => {
            let config = Config::load(&arguments.overrides)?.config;
            println!("{}", super::block_on(stores::migrate(&config))??);
            Ok(())
        }
        Some(MigrateCommand::EmbeddedToCluster { dry_run, overrides }) => {
            let config = Config::load(overrides)?.config;
            super::block_on(embedded_to_cluster(&config, *dry_run))?
        }
    }
}

async fn embedded_to_cluster(config: &Config, dry_run: bool) -> anyhow::Result<()> {
    let settings = stores::embedded(config);
    let shown = settings.folder.display().to_string();
    ensure!(SqliteStore::is_there(&settings.folder), "there is no embedded store in the folder {shown}");
    let postgres = stores::postgres(&config.store)?;
    ensure!(!config.store.cql.is_empty(), "store.cql is needed: some servers of ScyllaDB or Cassandra");
    let source = SqliteStore::open(settings).await.context("stop the server first")?;
    let bar = Bar::new();
    let outcome = async {
        let inventory = transfer::inventory(&source, &bar).await?;
        bar.clear();
        print!("{}", listing(&inventory));
        if dry_run {
            println!("nothing was changed; without --dry-run this is moved");
            return Ok(());
        }
        let target =
            Transfer::open(source.clone(), postgres, &stores::cql(&config.store, stores::owner("migrate"))).await?;
        let moved = target.run(&inventory, &bar).await;
        target.close().await;
        bar.clear();
        moved?;
        println!("moved, read back and compared: every row of every table and every event of every room is there");
        Ok(())
    };
    let outcome = outcome.await;
    source.close().await;
    outcome
}

fn listing(inventory: &[Part]) -> Table {
    let mut table = Table::new(&["part", "count", "sha-256"]);
    for part in inventory {
        table.row(vec![part.name.to_owned(), part.count.to_string(), transfer::shown(&part.sum)]);
    }
    table
}

/// On a terminal a bar; elsewhere a line for each part.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{msg:24} {wide_bar} {pos}/{len} {per_sec} {eta}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn begin(&self, part: &str, total: u64) {
        self.0.reset();
        self.0.set_length(total);
        self.0.set_message(part.to_owned());
        if self.0.is_hidden() {
            eprintln!("{part}: {total}");
        }
    }

    fn done(&self, amount: u64) {
        self.0.inc(amount);
    }
}
