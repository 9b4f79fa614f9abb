//! The log of the rooms: the only truth about what was said.

use std::{ops::RangeInclusive, sync::Arc};

use futures_util::future::BoxFuture;
use rookery_core::{
    event::Event,
    fence::ShardRow,
    ids::{ClientId, RoomId, Seq, ShardId, UserId},
    room::{Looked, Snapshot},
    shard::{Epoch, Stamp},
    time::Millis,
};

use super::{
    Answer, StoreError,
    record::{Message, Reaction},
};

/// One event to be written.
#[derive(Clone)]
pub struct Append {
    /// The activation of the room that writes; a newer one fences it off.
    pub stamp: Stamp,
    /// The event; its `seq` is one more than that of the room's last append.
    pub event: Arc<Event>,
    /// Who wants to know.
    pub reply: Arc<dyn Appended>,
}

/// Who is told what became of an append.
pub trait Appended: Send + Sync {
    /// Events of one room with these consecutive numbers share this fate. Called once per append, from any thread, must
    /// not wait.
    fn appended(&self, seqs: RangeInclusive<Seq>, fate: &Result<(), StoreError>);
}

/// Which messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The newest.
    Newest,
    /// Those right before.
    Before(Seq),
    /// Those right after.
    After(Seq),
    /// About half before, the rest from there on.
    Around(Seq),
}

/// Somebody's marks in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// Where.
    pub room: RoomId,
    /// Whose.
    pub user: UserId,
    /// Read up to here.
    pub read: Seq,
    /// Delivered up to here.
    pub delivered: Seq,
}

/// The log of every room, and what follows from it: the present state of messages, memberships, marks.
///
/// What is readable is durable: no method shows an event before it would survive a power cut.
pub trait MessageLog: Send + Sync {
    /// Takes an event for writing and returns at once; the fate comes through `reply`.
    ///
    /// * `Ok` only once the event **and everything that follows from it** (memberships, the room's record, present state
    ///   of messages) is durable.
    /// * `Unavailable` only if it is not in the log and never will be. Where a store alone cannot know that, as over a broken
    ///   disk, the process ends instead.
    /// * `Fenced`: the activation is over. A store that one process owns says it only of what is not in the log. One that is
    ///   shared by many says it also of what was sent and may be in the log, or get there by the hand of the next owner: what
    ///   was sent cannot be called back, and only the next wake of the room finds out. So nobody may be told that it did not
    ///   happen; who asked asks again, with the same key.
    /// * While it is not known what becomes of an event there is no fate at all: a shared store goes on trying for as long as
    ///   it takes, and refuses what is new in the meantime, `Unavailable` at once.
    /// * Events of one room are written in the order given, and `Ok` is said in it; after an `Err` every later append of the
    ///   room that was already queued fails too, so that there is no hole.
    /// * A key that is in the log is refused as `Unavailable`. The room has looked before; this is the second line, and a
    ///   shared store holds it only for keys that are newer than the published head, as it would cost a read for each event.
    /// * An append whose stamp is older than the newest `wake` of its room, or whose shard was claimed anew, is `Fenced`.
    /// * When the queue (its bound: [`MessageLog::queue_bound`]) is full the fate is `Unavailable`, at once.
    fn append(&self, append: Append);

    /// Appends that wait to be written; admission looks at it before anything is taken.
    fn queue_length(&self) -> usize;

    /// How many may wait.
    fn queue_bound(&self) -> usize;

    /// Which process has claimed a shard and not given it back, and under which epoch, as of some moment after the question. It
    /// may have ended since, and another may claim it meanwhile: good for deciding whether to claim and whom to ask, never for
    /// more. A store that one process owns alone knows of no other.
    fn holder(&self, _shard: ShardId) -> Answer<'_, ShardRow> {
        Box::pin(std::future::ready(Ok(ShardRow::default())))
    }

    /// Makes this process the owner of a shard, under the next epoch. `Fenced`: another process was quicker.
    fn claim(&self, shard: ShardId) -> Answer<'_, Epoch>;

    /// Wakes a room under a new stamp: older stamps are fenced off, what they had queued before is settled, and only then
    /// the room's state is read. `None`: there is no such room.
    ///
    /// What another process, or one that does not come to rest within seconds, had under way is settled too, by what is
    /// found: it is in the log from now on, or will never be.
    fn wake(&self, room: RoomId, stamp: Stamp) -> Answer<'_, Option<Snapshot>>;

    /// The room under this stamp has nothing left to do and is forgotten; it wakes again under another one. A store that
    /// keeps nothing in memory for it need not care.
    fn retire(&self, _room: RoomId, _stamp: Stamp) {}

    /// Gives a shard back, so that another process owns it without taking it away. Let its rooms come to rest before. A
    /// store that one process owns alone has nobody to give it to.
    fn release(&self, _shard: ShardId) -> Answer<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Whether a write with this key is in the log, and what a message is like that another write is about.
    fn look(&self, room: RoomId, sender: UserId, client_id: ClientId, target: Option<Seq>) -> Answer<'_, Looked>;

    /// The events after `after`, ascending, at most `limit`.
    fn events(&self, room: RoomId, after: Seq, limit: usize) -> Answer<'_, Vec<Event>>;

    /// Messages in their present state, ascending, at most `limit`, none before `visible_from`; `mine` as `viewer` sees it.
    fn messages(
        &self,
        room: RoomId,
        window: Window,
        visible_from: Seq,
        limit: usize,
        viewer: UserId,
    ) -> Answer<'_, Vec<Message>>;

    /// One message in its present state.
    fn message(&self, room: RoomId, seq: Seq, viewer: UserId) -> Answer<'_, Option<Message>>;

    /// The reactions to one message, oldest first, at most 1,000.
    fn reactions(&self, room: RoomId, seq: Seq) -> Answer<'_, Vec<Reaction>>;

    /// The last event of a room; 0 for none.
    fn head(&self, room: RoomId) -> Answer<'_, Seq>;

    /// How far a room was at least, as that was last written down; wakes and asks nobody. For lists, and to see whether the
    /// store answers.
    fn published(&self, room: RoomId) -> Answer<'_, Seq> {
        self.head(room)
    }

    /// Whether other processes may own rooms of the same log, so that what an owner says of a room may be out of date.
    fn is_shared(&self) -> bool {
        false
    }

    /// Whether a room that is awake here is still this process', as of some moment after the question. `false` also when that
    /// is not known.
    fn confirm(&self, _room: RoomId) -> BoxFuture<'_, bool> {
        Box::pin(std::future::ready(true))
    }

    /// Where a write went: its seq and time. `None`: not in the log at this moment; in a shared store only the room's
    /// owner can say that, so `Unavailable` when it does not answer.
    fn outcome(&self, room: RoomId, sender: UserId, client_id: ClientId) -> Answer<'_, Option<(Seq, Millis)>>;

    /// Moves marks forwards, never back, durably; answers how they stand afterwards, in the same order; `None` for who is
    /// not a member.
    fn mark(&self, marks: Vec<Marks>) -> Answer<'_, Vec<Option<Marks>>>;
}
