//! What the benches measure against: the stores alone, without a server.

use std::time::Duration;

use rookery_core::{fence::Owner, placement::NodeId};
use uuid::Uuid;

use crate::{
    bench::reference::{GroupCommit, GroupCommitFigures, Injected, Place, Rows, Seed, SeedFigures, Way},
    store::{
        cql::{self, CqlSettings},
        sql::{
            place,
            reference::{self, Load},
            seed,
        },
    },
};

/// The functions that the benches need from the stores.
pub(super) fn injected() -> Injected {
    Injected { group_commit, seed: fill, rows, make, forget }
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

fn rows(request: &Rows) -> anyhow::Result<GroupCommitFigures> {
    let load = cql::reference::Load {
        producers: request.producers,
        rooms: request.rooms,
        body_bytes: request.body_bytes,
        time: Duration::from_secs_f64(request.seconds),
    };
    let settings = settings(&request.place);
    let rate = match request.way {
        Way::Log => super::block_on(cql::reference::log_alone(&settings, load)),
        Way::Driver => super::block_on(cql::reference::driver_alone(&settings, load)),
    };
    let rate = rate??;
    Ok(GroupCommitFigures { events: rate.events, seconds: rate.seconds, waits_micros: rate.waits_micros })
}

fn make(place: &Place) -> anyhow::Result<()> {
    if let Some(postgres) = &place.postgres {
        super::block_on(place::make(postgres, &place.name))??;
    }
    Ok(())
}

fn forget(place: &Place) -> anyhow::Result<()> {
    super::block_on(cql::reference::forget(&settings(place)))??;
    if let Some(postgres) = &place.postgres {
        super::block_on(place::forget(postgres, &place.name))??;
    }
    Ok(())
}

fn settings(place: &Place) -> CqlSettings {
    let owner = Owner { node: NodeId::from("bench"), incarnation: Uuid::now_v7() };
    let settings = CqlSettings::new(place.cql.clone(), place.name.clone(), owner);
    CqlSettings { replication: place.replication, ..settings }
}
