//! What a room is woken from.

use crate::{
    event::{Event, Role, RoomKind, Visibility},
    ids::{RoomId, Seq, UserId},
    time::Millis,
};

/// Newest events that a snapshot holds, at most.
pub const RECENT: usize = 256;

/// The state of a room as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Which room.
    pub room: RoomId,
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
    /// The last event; 0 for none.
    pub head: Seq,
    /// How many messages the log holds.
    pub messages: u64,
    /// The newest events, ascending, up to and including `head`, at most [`RECENT`].
    pub recent: Vec<Event>,
}

/// One member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotMember {
    /// Who.
    pub user: UserId,
    /// What they may do.
    pub role: Role,
    /// The first event that they see.
    pub visible_from: Seq,
    /// Until when they may not write.
    pub muted_until: Option<Millis>,
}
