//! What the benches measure against: the store alone, without a server.

use std::time::Duration;

use crate::{
    bench::reference::{GroupCommit, GroupCommitFigures, Injected, Seed, SeedFigures},
    store::sql::{
        reference::{self, Load},
        seed,
    },
};

/// The two functions that the benches need from the store.
pub(super) fn injected() -> Injected {
    Injected { group_commit, seed: fill }
}

fn group_commit(request: &GroupCommit) -> anyhow::Result<GroupCommitFigures> {
    let load = Load {
        producers: request.producers,
        rooms: request.rooms,
        body_bytes: request.body_bytes,
        time: Duration::from_secs_f64(request.seconds),
    };
    let figures = super::block_on(reference::group_commit(&request.data, load))??;
    Ok(GroupCommitFigures { events: figures.events, seconds: figures.seconds, waits_micros: figures.waits_micros })
}

fn fill(request: &Seed) -> anyhow::Result<SeedFigures> {
    let (rooms, messages) = (usize::try_from(request.rooms)?, usize::try_from(request.messages)?);
    let seeded = super::block_on(seed::seed(&request.data, Some(request.owner.into()), rooms, messages))??;
    Ok(SeedFigures { rooms: seeded.rooms.len() as u64, messages: seeded.messages })
}
