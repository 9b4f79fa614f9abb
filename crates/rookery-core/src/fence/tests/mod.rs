//! The fence by hand: claims, the shared read, appends, erasures; then at random.

mod append;
mod claim;
mod random;
mod verify;

use std::sync::Arc;

use uuid::Uuid;

use super::*;
use crate::{
    event::{Content, Event},
    ids::{ClientId, UserId},
    placement::NodeId,
    time::Millis,
};

const IN_FLIGHT: usize = 4;

fn owner(process: u128) -> Owner {
    Owner { node: NodeId(Arc::from("north")), incarnation: Uuid::from_u128(process) }
}

fn room(number: u128) -> RoomId {
    RoomId(Uuid::from_u128(number))
}

fn bounds() -> Bounds {
    Bounds { in_flight: IN_FLIGHT, bucket: 8, head_every: 2 }
}

fn event(seq: Seq, content: Content) -> Arc<Event> {
    let (sender, client_id) = (UserId(Uuid::from_u128(1)), ClientId(Uuid::from_u128(u128::from(seq))));
    Arc::new(Event { room: room(1), seq, at: Millis(0), sender, client_id, messages: seq, content })
}

fn said(seq: Seq) -> Arc<Event> {
    event(
        seq,
        Content::Message {
            body: format!("number {seq}"),
            reply_to: None,
            mentions: Vec::new(),
            attachments: Vec::new(),
        },
    )
}

fn row(epoch: Epoch, seq: Seq) -> Row {
    Row { stamp: Stamp::new(epoch, 1), event: said(seq) }
}

fn shard_row(of: &Owner, epoch: Epoch) -> ShardRow {
    ShardRow { owner: Some(of.clone()), epoch }
}

/// A fence, and the numbers of its newest questions.
struct Driven {
    fence: Fence,
    claim_round: u64,
    read_round: u64,
}

impl Driven {
    fn new() -> Self {
        Self { fence: Fence::new(owner(1), bounds()), claim_round: 0, read_round: 0 }
    }

    /// One that owns its shard under epoch 1.
    fn owning() -> Self {
        let mut driven = Self::new();
        driven.step(Input::Claim);
        driven.learned(Some(ShardRow::default()));
        assert_eq!(driven.swapped(Swapped::Applied), [Effect::Claimed { epoch: 1 }]);
        driven
    }

    /// One with a room that is awake, with these rows found in its tail.
    fn awake(rows: Vec<Row>) -> Self {
        let mut driven = Self::owning();
        driven.wake(1, 1, rows);
        driven
    }

    fn wake(&mut self, number: u128, generation: u64, rows: Vec<Row>) {
        let stamp = Stamp::new(1, generation);
        self.step(Input::Wake { room: room(number), stamp });
        let settled = !rows.is_empty();
        self.at(number, generation, RoomInput::Head { head: 0 });
        self.at(number, generation, RoomInput::Tail { rows });
        if settled {
            self.at(number, generation, RoomInput::Rewritten);
        }
        self.at(number, generation, RoomInput::CutDone);
        self.mine();
    }

    fn step(&mut self, input: Input) -> Vec<Effect> {
        let mut out = Vec::new();
        self.fence.step(input, &mut out);
        for effect in &out {
            match effect {
                Effect::LearnShard { round } | Effect::Swap { round, .. } => self.claim_round = *round,
                Effect::ReadShard { round } => self.read_round = *round,
                _ => {}
            }
        }
        out
    }

    fn learned(&mut self, row: Option<ShardRow>) -> Vec<Effect> {
        self.step(Input::ShardLearned { round: self.claim_round, row })
    }

    fn swapped(&mut self, swapped: Swapped) -> Vec<Effect> {
        self.step(Input::Swapped { round: self.claim_round, swapped })
    }

    fn read(&mut self, row: Option<ShardRow>) -> Vec<Effect> {
        self.step(Input::ShardRead { round: self.read_round, row })
    }

    /// The shard's row still names this process.
    fn mine(&mut self) -> Vec<Effect> {
        self.read(Some(shard_row(&owner(1), 1)))
    }

    fn at(&mut self, number: u128, generation: u64, input: RoomInput) -> Vec<Effect> {
        self.step(Input::Room { room: room(number), stamp: Stamp::new(1, generation), input })
    }

    fn room(&mut self, input: RoomInput) -> Vec<Effect> {
        self.at(1, 1, input)
    }
}

/// What the first activation of room 1 is to do, or tells.
fn told(effects: &[Effect]) -> Vec<RoomEffect> {
    let of_room = |effect: &Effect| match effect {
        Effect::Room { effect, .. } => Some(effect.clone()),
        _ => None,
    };
    effects.iter().filter_map(of_room).collect()
}

fn reads(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::ReadShard { .. })).count()
}

#[test]
fn timestamps_of_one_activation_stand_in_order_and_below_those_of_the_next() {
    let stamps = [Stamp::new(1, 1), Stamp::new(1, 2), Stamp::new(2, 0), Stamp::new(26_000_000, 1)];
    let all = stamps.iter().flat_map(|stamp| [cut_timestamp(*stamp), row_timestamp(*stamp), erase_timestamp(*stamp)]);
    let all: Vec<i64> = all.collect();
    assert!(all.is_sorted_by(|before, after| before < after), "{all:?}");
    assert!(all.iter().all(|timestamp| *timestamp > 0));
}

#[test]
fn the_cut_reaches_over_the_border_of_a_partition_only_where_something_may_be_in_flight() {
    assert_eq!(bounds().reach(0), 0..=0);
    assert_eq!(bounds().reach(3), 0..=0);
    assert_eq!(bounds().reach(4), 0..=1);
    assert_eq!(bounds().reach(8), 1..=1);
    assert_eq!(Bounds::default().reach(4_095), 0..=1);
}
