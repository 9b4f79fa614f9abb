//! Everything that can happen to a connection.

use crate::{
    frame::{ClientFrame, Refusal, codec::BadFrame, server::RoomView},
    ids::{ClientId, RoomId, Seq},
    media::Attached,
};

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The client said something; `admitted`: whether the user's budget of writes allows it (milliseconds to wait if not).
    Frame {
        /// What.
        frame: ClientFrame,
        /// Only looked at for writes.
        admitted: Result<(), u64>,
    },
    /// The client said something that is no frame.
    BadFrame(Box<BadFrame>),
    /// The user's rooms, as `Load` asked for; `None`: the store could not.
    Loaded(Option<Vec<RoomView>>),
    /// A write was answered.
    Answered {
        /// Which.
        client_id: ClientId,
    },
    /// The files that a write attaches, as `Find` asked for; `None`: the store could not say.
    Found {
        /// Which write.
        client_id: ClientId,
        /// All of them, in their order.
        found: Option<Vec<Attached>>,
    },
    /// What `Pull` asked for is there.
    Pulled {
        /// Where.
        room: RoomId,
        /// Which question.
        ticket: u32,
        /// What was asked for.
        after: Seq,
        /// The head of the room, or why not.
        answer: Result<Seq, Refusal>,
    },
    /// A room whose missed events were read is live.
    CaughtUp {
        /// Which.
        room: RoomId,
        /// The last event that was sent.
        seq: Seq,
    },
    /// Events of a room did not arrive here.
    Hole {
        /// Where.
        room: RoomId,
        /// The last that did.
        after: Seq,
    },
    /// A room started anew and has forgotten what it was asked.
    Restarted {
        /// Which.
        room: RoomId,
        /// The node.
        by: u16,
    },
    /// A room lives on another node from now on; who was asked before may still answer.
    Moved {
        /// Which.
        room: RoomId,
    },
    /// Whether a write that was asked for again had happened could not be found out yet.
    Undecided {
        /// Which.
        client_id: ClientId,
        /// The node that says so, and has it no more; none if nobody had taken it.
        by: Option<u16>,
    },
    /// Nobody was there to take marks of a room.
    Unmarked {
        /// Which.
        room: RoomId,
    },
    /// The user is in this room from now on, or their role or settings changed; `follows`: its events go to the client
    /// already.
    Appeared {
        /// As the user sees it.
        view: RoomView,
        /// Whether.
        follows: bool,
    },
    /// The user is not in this room any more.
    Vanished {
        /// Which.
        room: RoomId,
    },
    /// The client answered a ping.
    Pong,
    /// Time went by.
    Tick,
    /// Somebody wants the connection closed.
    Close {
        /// With this code.
        code: u16,
        /// For people.
        reason: &'static str,
    },
}
