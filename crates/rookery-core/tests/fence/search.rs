//! The search: every state that can be reached, each once.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
};

use crate::{
    hash::Seen,
    settings::Settings,
    steps::Act,
    store::Kind,
    watch::Promise,
    world::{Slot, World},
};

/// What a search came to.
pub(crate) struct Outcome {
    pub(crate) states: usize,
    /// Whether there are no others.
    pub(crate) is_whole: bool,
    /// The first way that was found to each promise that was broken.
    pub(crate) broken: BTreeMap<Promise, Vec<String>>,
    /// How often something happened that has to happen, or the search has shown nothing.
    pub(crate) reached: BTreeMap<&'static str, usize>,
}

/// How a search goes, and ends.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    /// The newest states first, so that few wait, until there is nothing left, or a promise is broken.
    Whole,
    /// The nearest first, so that the way is the shortest, until this promise is broken, or so many states were looked at.
    Broken(Promise, usize),
}

/// How a state was come by: from which, by the how-manieth of its steps.
#[derive(Clone, Copy)]
struct Origin {
    from: u32,
    step: u16,
}

pub(crate) fn search(settings: &Settings, until: Until) -> Outcome {
    let mut seen = Seen::new();
    let mut origins = vec![Origin { from: 0, step: 0 }];
    let first = World::new(settings);
    seen.insert(first.fingerprint());
    let mut frontier = VecDeque::from([(0_u32, first)]);
    let mut outcome = Outcome { states: 1, is_whole: true, broken: BTreeMap::new(), reached: BTreeMap::new() };
    let mut steps = Vec::new();
    let in_depth = matches!(until, Until::Whole);
    while let Some((at, world)) = if in_depth { frontier.pop_back() } else { frontier.pop_front() } {
        world.steps(settings, &mut steps);
        for (number, (act, mut next)) in steps.drain(..).enumerate() {
            note(settings, &world, act, &next, &mut outcome.reached);
            if !seen.insert(next.fingerprint()) {
                continue;
            }
            let broken = next.audit(settings);
            next.watch.broken = 0;
            origins.push(Origin { from: at, step: number as u16 });
            for promise in Promise::ALL.into_iter().filter(|promise| broken & promise.bit() != 0) {
                let way = || tell(settings, &origins);
                outcome.broken.entry(promise).or_insert_with(way);
            }
            frontier.push_back((origins.len() as u32 - 1, next));
        }
        outcome.states = seen.count;
        let enough = match until {
            Until::Whole => !outcome.broken.is_empty(),
            Until::Broken(promise, most) => outcome.broken.contains_key(&promise) || seen.count >= most,
        };
        if enough {
            outcome.is_whole = false;
            break;
        }
    }
    outcome
}

/// The way to the newest state, walked again.
fn tell(settings: &Settings, origins: &[Origin]) -> Vec<String> {
    let mut way = Vec::new();
    let mut at = origins.len() - 1;
    while at != 0 {
        way.push(usize::from(origins[at].step));
        at = origins[at].from as usize;
    }
    let mut world = World::new(settings);
    let mut told = Vec::new();
    let mut steps = Vec::new();
    for step in way.into_iter().rev() {
        world.watch.broken = 0;
        world.steps(settings, &mut steps);
        let (act, next) = steps.swap_remove(step);
        world = next;
        told.push(format!("{act:<60} | {}", picture(&world), act = format!("{act:?}")));
    }
    told
}

/// What stands on each replica, as number, message and timestamp, and what is acknowledged.
fn picture(world: &World) -> String {
    let mut text = String::new();
    for replica in 0..3 {
        let _ = write!(text, "[");
        for write in world.store.writes().iter().filter(|write| write.arrived >> replica & 1 == 1) {
            let (epoch, generation) = (write.timestamp >> 4, write.timestamp >> 2 & 3);
            let _ = match write.kind {
                Kind::Row => write!(text, " {}:{}", write.from, write.value),
                Kind::Cut => write!(text, " cut {}-{}", write.from, write.to),
                Kind::Erase => write!(text, " erase {}", write.from),
            };
            let _ = write!(text, "@{epoch}.{generation}");
        }
        let _ = write!(text, " ] ");
    }
    let _ = write!(text, "acknowledged {:?}", world.watch.committed);
    text
}

/// Counts what has to happen somewhere.
fn note(settings: &Settings, before: &World, act: Act, after: &World, reached: &mut BTreeMap<&'static str, usize>) {
    let mut hit = |what| *reached.entry(what).or_default() += 1;
    let count = after.watch.committed.iter().filter(|message| **message != 0).count();
    if count == usize::from(settings.messages) {
        hit("all messages are acknowledged");
    }
    let newest = after.shard.decided;
    for index in 0..settings.claims {
        let (Slot::Alive(_, old), Slot::Alive(_, new)) = (&before.owners[index], &after.owners[index]) else {
            continue;
        };
        let more = after.watch.committed != before.watch.committed && new.committed > old.committed;
        if more && !old.is_active {
            hit("an owner adopts what nobody had acknowledged");
        }
        if more && newest > new.held() {
            hit("somebody acknowledges while a newer claim is decided and not known");
        }
        if more && new.held() > 1 && before.watch.committed[0] != 0 {
            hit("a later owner acknowledges after an earlier one");
        }
        let is_cut = new.cut.is_some() && old.cut.is_none();
        if is_cut
            && old.tail.is_some_and(|tail| tail.view[usize::from(new.length)..].iter().any(|cell| cell.message != 0))
        {
            hit("a tail with a hole is cut");
        }
    }
    if matches!(act, Act::ShardRead { owner, .. } if matches!(after.owners[owner], Slot::Over)) {
        hit("an owner finds out that it is none any more");
    }
}
