//! What follows from logs that live in another store: memberships, the records of rooms, marks.

use std::sync::Arc;

use rookery_core::{
    event::{Content, Event, RoomKind, Visibility},
    ids::{RoomId, Seq, UserId},
    room::SnapshotMember,
    time::Millis,
};

use super::{Answer, log::Marks};

/// Follows the logs of rooms: a directory implements it when the logs are in another store.
///
/// Everything in it is true of a verified part of the log, and may lag behind it. Every change is durable when its answer
/// comes, and may be given again: nothing moves twice, nothing moves back. So any node may call, also one that has lost the
/// room since; what it verified stays true.
pub trait Projection: Send + Sync {
    /// What a room is woken from, apart from its log. `None`: there is no such room.
    fn standing(&self, room: RoomId) -> Answer<'_, Option<Standing>>;

    /// Applies a run of verified events in order, in one transaction that locks the room; those at or below `applied` are
    /// skipped. Answers how far the room is applied now: up to `run.upto` or further, or less than `run.after`, when
    /// nothing was done because events before the run are missing; then give it the log from there on. `NotFound`: there
    /// is no such room.
    fn apply(&self, room: RoomId, run: Run) -> Answer<'_, Seq>;

    /// Notes the newest verified events of rooms, for lists and unread counts; only forwards. What a room began with is
    /// forgotten: its log has it. Rooms that do not exist are passed over.
    fn publish(&self, heads: Vec<PublishedHead>) -> Answer<'_, ()>;

    /// Moves marks forwards, never back; answers how they stand afterwards, in the same order; `None` for who is not a
    /// member. The caller keeps them at or below the verified head, which may be newer than the published one.
    fn mark(&self, marks: Vec<CountedMarks>) -> Answer<'_, Vec<Option<Marks>>>;
}

/// Whether a projection follows an event with this content: it changes who is in the room, the room itself, or which message
/// refers to which file.
#[must_use]
pub const fn is_followed(content: &Content) -> bool {
    match content {
        Content::Member { .. } | Content::Room(_) | Content::Delete { attachments: true, .. } => true,
        Content::Message { attachments, .. } => !attachments.is_empty(),
        Content::Edit { .. } | Content::Delete { .. } | Content::Reaction { .. } => false,
    }
}

/// What is known of a room apart from its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What sort.
    pub kind: RoomKind,
    /// Who may find and join it.
    pub visibility: Visibility,
    /// Whether it is closed for writing.
    pub archived: bool,
    /// Whether it has ended.
    pub deleted: bool,
    /// Its members.
    pub members: Vec<SnapshotMember>,
    /// Who may not come back.
    pub banned: Vec<UserId>,
    /// In a direct room: who of the two blocks the other.
    pub blocking: Vec<UserId>,
    /// All of the above is as the log says up to and including this event; `blocking` is as it is now.
    pub applied: Seq,
    /// The events that the room began with, from seq 1 on, as long as no head was published: the first activation writes
    /// them to the log, exactly so, before anything else. They are applied.
    pub beginning: Vec<Event>,
    /// The published head: the log is verified up to here at least.
    pub head: Seq,
    /// How many messages the log holds up to `head`.
    pub messages: u64,
}

/// A part of a room's log, as far as it changes a projection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The part begins after this event.
    pub after: Seq,
    /// Its events, ascending. Only member and room events, messages that carry files and what takes those back change anything;
    /// others may be left out.
    pub events: Vec<Arc<Event>>,
    /// It ends with this event.
    pub upto: Seq,
}

/// The newest verified event of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishedHead {
    /// Which room.
    pub room: RoomId,
    /// Its seq.
    pub head: Seq,
    /// How many messages the log holds up to it.
    pub messages: u64,
    /// When it was.
    pub active_at: Millis,
    /// The last member or room event up to it, or one after that. Once this is applied, all is applied up to `head`.
    pub last_change: Seq,
}

/// Marks, and how many messages the log held at `marks.read`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountedMarks {
    /// Where to.
    pub marks: Marks,
    /// Messages up to and including `marks.read`: unread counts are differences of it.
    pub read_messages: u64,
}
