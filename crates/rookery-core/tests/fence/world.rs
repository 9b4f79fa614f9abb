//! One state of everything: the shard's row, the replicas, the owners, and who looks on.

use std::{collections::VecDeque, rc::Rc, sync::Arc};

use rookery_core::{
    event::{Content, Event},
    fence::{self, Input, ShardRow},
    ids::{ClientId, RoomId, UserId},
    shard::Stamp,
    time::Millis,
};
use uuid::Uuid;

use crate::{
    carrier::Carrier,
    owner::{Owner, process},
    settings::{CLAIMS, Fault, Settings},
    store::{Store, WORDLESS},
    watch::Watch,
};

/// Epochs there can be.
pub(crate) const EPOCHS: usize = 8;
pub(crate) const ROOM: RoomId = RoomId(Uuid::from_u128(1));
/// The message that takes back message 1, if any does.
const DELETE: u8 = 2;

/// The row of the shard: who has which epoch, and what a plain read must see of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Shard {
    /// The epoch that is decided.
    pub(crate) decided: u8,
    /// The newest one that is on a quorum of plain readers.
    pub(crate) visible: u8,
    /// The newest one whose claimer counts on it.
    pub(crate) believed: u8,
    /// Owner and one more, by epoch.
    pub(crate) owner: [u8; EPOCHS],
}

#[derive(Clone, Debug)]
pub(crate) enum Slot {
    Idle,
    Alive(u64, Rc<Owner>),
    /// Never takes a step again.
    Over,
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) shard: Shard,
    pub(crate) store: Store,
    pub(crate) owners: [Slot; CLAIMS],
    pub(crate) watch: Watch,
    /// Epochs of claims that were believed without being decided; 0 for none.
    pub(crate) undecided: [u8; CLAIMS],
}

/// What a step leaves open.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Choice {
    /// The published head is read as it is, not as it once was.
    pub(crate) newest_head: bool,
}

/// The machine's timestamps and stamps in one byte.
pub(crate) fn small(timestamp: i64) -> u8 {
    let (epoch, generation, class) = (timestamp >> 26, timestamp >> 2 & 0xff_ffff, timestamp & 3);
    (epoch << 4 | generation << 2 | class) as u8
}

pub(crate) fn small_stamp(stamp: Stamp) -> u8 {
    small(fence::cut_timestamp(stamp)) >> 2
}

pub(crate) fn stamp_of(timestamp: u8) -> Stamp {
    Stamp::new(u64::from(timestamp >> 4), u64::from(timestamp >> 2 & 3))
}

/// The event of a message at a number.
pub(crate) fn event(seq: u8, value: u8, target: u8) -> Arc<Event> {
    let message = value & !WORDLESS;
    let content = if target != 0 {
        Content::Delete { target: u64::from(target), attachments: false }
    } else {
        let body = if value & WORDLESS == 0 { "words".to_owned() } else { String::new() };
        Content::Message { body, reply_to: None, mentions: Vec::new(), attachments: Vec::new() }
    };
    Arc::new(Event {
        room: ROOM,
        seq: u64::from(seq),
        at: Millis(0),
        sender: UserId(Uuid::from_u128(1)),
        client_id: ClientId(Uuid::from_u128(u128::from(message))),
        messages: 0,
        content,
    })
}

pub(crate) fn value_of(event: &Event) -> u8 {
    let message = event.client_id.0.as_u128() as u8;
    match &event.content {
        Content::Message { body, .. } if body.is_empty() => message | WORDLESS,
        _ => message,
    }
}

impl Shard {
    pub(crate) fn row(&self, epoch: u8) -> ShardRow {
        let owner = self.owner[usize::from(epoch)].checked_sub(1);
        ShardRow { owner: owner.map(|index| process(usize::from(index))), epoch: u64::from(epoch) }
    }

    /// Decides a claim if nobody was faster.
    pub(crate) fn decide(&mut self, epoch: u8, index: usize) -> bool {
        let is_next = self.decided + 1 == epoch && usize::from(epoch) < EPOCHS;
        if is_next {
            self.decided = epoch;
            self.owner[usize::from(epoch)] = index as u8 + 1;
        }
        is_next
    }
}

impl World {
    pub(crate) fn new(settings: &Settings) -> Self {
        let collected = settings.is(Fault::CutCollected);
        Self {
            shard: Shard::default(),
            store: Store::new(settings.smaller_wins, collected, settings.arrivals),
            owners: [const { Slot::Idle }; CLAIMS],
            watch: Watch::default(),
            undecided: [0; CLAIMS],
        }
    }

    /// The number of the message that a delete takes back, as everybody knows it; 0 for a message that is none.
    pub(crate) fn target_of(&self, settings: &Settings, message: u8) -> u8 {
        if settings.deletes && message & !WORDLESS == DELETE { self.watch.place_of(1) } else { 0 }
    }

    /// Lets an owner take inputs and carries out what it wants.
    pub(crate) fn drive(
        &self,
        settings: &Settings,
        index: usize,
        choice: Choice,
        change: impl FnOnce(&mut Self, &mut Owner) -> Vec<Input>,
    ) -> Self {
        let mut world = self.clone();
        let mut owner = match &self.owners[index] {
            Slot::Alive(_, owner) => Owner::clone(owner),
            Slot::Idle => Owner::new(index, settings),
            Slot::Over => return world,
        };
        let mut inputs = VecDeque::from(change(&mut world, &mut owner));
        let mut effects = Vec::new();
        while let Some(input) = inputs.pop_front() {
            owner.fence.step(input, &mut effects);
            for effect in effects.drain(..) {
                Carrier { settings, choice, world: &mut world, owner: &mut owner, inputs: &mut inputs }.carry(effect);
            }
        }
        world.owners[index] = if owner.is_over { Slot::Over } else { Slot::Alive(owner.fingerprint(), Rc::new(owner)) };
        world.store.normalise();
        world
    }

    pub(crate) fn alive(&self, index: usize) -> Option<&Rc<Owner>> {
        match &self.owners[index] {
            Slot::Alive(_, owner) => Some(owner),
            Slot::Idle | Slot::Over => None,
        }
    }
}
