//! `rookery config`: shows the settings and where each comes from, checks them, prints a commented file.

use clap::{Args, Subcommand};

use super::table::Table;
use crate::config::{Config, Live, Overrides};

/// What `rookery config` takes.
#[derive(Args)]
pub(super) struct ConfigArguments {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Every setting in force and where it comes from
    Print {
        #[command(flatten)]
        overrides: Overrides,
        /// One JSON object per setting
        #[arg(long)]
        json: bool,
        /// A commented file with every setting at its default instead
        #[arg(long, conflicts_with = "json")]
        template: bool,
    },
    /// Whether the settings can be used; ends with 78 if not
    Check(Overrides),
}

/// Runs it.
///
/// # Errors
/// The configuration cannot be used.
pub(super) fn run(arguments: &ConfigArguments) -> anyhow::Result<()> {
    match &arguments.command {
        ConfigCommand::Check(overrides) => {
            Config::load(overrides)?;
            println!("the configuration is good");
        }
        ConfigCommand::Print { template: true, .. } => print!("{}", Config::template()),
        ConfigCommand::Print { overrides, json, .. } => {
            let live = Live::new(Config::load(overrides)?);
            let mut table = Table::new(&["setting", "value", "from"]);
            for item in live.listing() {
                if *json {
                    println!("{}", serde_json::to_string(&item)?);
                } else {
                    table.row(vec![item.key.clone(), item.value.to_string(), item.origin.to_string()]);
                }
            }
            print!("{table}");
        }
    }
    Ok(())
}
