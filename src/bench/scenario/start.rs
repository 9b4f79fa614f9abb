//! From the start of the process to ready, with a full store.

use anyhow::{Context, ensure};
use clap::Args;
use uuid::Uuid;

use crate::bench::options::Common;
use crate::bench::people;
use crate::bench::progress;
use crate::bench::reference::{Injected, Seed};
use crate::bench::report::Report;
use crate::bench::server::Server;

/// What is measured.
#[derive(Args, Clone, Debug)]
pub(in crate::bench) struct Options {
    #[command(flatten)]
    pub(in crate::bench) common: Common,
    /// How many messages are in the store.
    #[arg(long, default_value_t = 1_000_000)]
    messages: u64,
    /// How many rooms they are in.
    #[arg(long, default_value_t = 10_000)]
    rooms: u64,
    /// How often the server is started.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=100))]
    starts: u64,
}

/// Runs the bench.
pub(in crate::bench) async fn run(options: Options, injected: Injected) -> anyhow::Result<()> {
    let common = &options.common;
    ensure!(common.url.is_none(), "this bench needs a server of its own");
    let server = Server::start(common).await?;
    let owners = people::accounts(&server.rest, 1, &people::password()).await?;
    let owner = &owners[0];
    let empty = server.start_took.context("an own server was started")?;
    let mut folder = server.into_folder().await?;
    let spinner = progress::spinner("filling the store");
    let request = Seed {
        data: folder.path().join("data"),
        owner: Uuid::parse_str(&owner.id).context("the server's ids are not UUIDs")?,
        rooms: options.rooms,
        messages: options.messages,
    };
    let seeded = tokio::task::spawn_blocking(move || (injected.seed)(&request)).await??;

    spinner.set_message("starting");
    let mut took = Vec::new();
    for _ in 0..options.starts {
        let server = Server::on(common, folder).await?;
        took.push(server.start_took.context("an own server was started")?.as_secs_f64());
        check(&server, &owner.token, &options).await?;
        folder = server.into_folder().await?;
    }
    spinner.finish_and_clear();
    took.sort_by(f64::total_cmp);
    let mut report = Report::new("start");
    report.count("messages", "messages in the store", seeded.messages, "");
    report.count("rooms", "rooms in the store", seeded.rooms, "");
    report.count("starts", "starts, on a warm file cache", options.starts, "");
    report.number("empty_seconds", "start to ready, empty store that is made", empty.as_secs_f64(), "s");
    report.number("start_seconds", "start to ready, median", took[took.len() / 2], "s");
    report.number("start_max_seconds", "start to ready, slowest", took[took.len() - 1], "s");
    report.print(common)
}

/// A server that is ready has everything: it counts the rooms, and shows the owner one with its messages.
async fn check(server: &Server, token: &str, options: &Options) -> anyhow::Result<()> {
    let overview = server.overview().await?;
    let rooms = overview["rooms"].as_u64().unwrap_or_default();
    ensure!(rooms == options.rooms, "the server counts {rooms} rooms, not {}", options.rooms);
    let rest = server.rest.with_token(token);
    let mine = rest.first_rooms().await?;
    let room = mine.first().context("the owner is in no room")?;
    let wanted = options.messages / options.rooms;
    ensure!(room.head >= wanted, "a room has {} messages, not {wanted}", room.head);
    let history = rest.newest(&room.id, 50).await?;
    ensure!(!history.items.is_empty() && history.head == room.head, "the room's messages are not there");
    Ok(())
}
