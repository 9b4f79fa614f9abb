//! Everything a connection can ask the outside world to do.

use bytes::Bytes;

use crate::{
    ids::{ClientId, MediaId, RoomId, Seq, UserId},
    room::{Caller, Write},
};

/// Close codes, as the contract names them.
pub mod close {
    /// Going away.
    pub const AWAY: u16 = 1_001;
    /// The client broke the WebSocket protocol.
    pub const PROTOCOL: u16 = 1_002;
    /// Binary where only text is spoken.
    pub const BINARY: u16 = 1_003;
    /// Not UTF-8.
    pub const NOT_UTF8: u16 = 1_007;
    /// Too many control frames, or a message that does not end.
    pub const POLICY: u16 = 1_008;
    /// A frame or message that is too big.
    pub const TOO_BIG: u16 = 1_009;
    /// The node restarts or drains.
    pub const RESTART: u16 = 1_012;
    /// Bad frames, repeatedly.
    pub const BAD_FRAMES: u16 = 4_001;
    /// Not authenticated, or not any more.
    pub const UNAUTHENTICATED: u16 = 4_003;
    /// No `hello` in time.
    pub const NO_HELLO: u16 = 4_004;
    /// Reads too slowly.
    pub const TOO_SLOW: u16 = 4_008;
    /// Heartbeat missed.
    pub const NO_HEARTBEAT: u16 = 4_009;
    /// More connections of this device than allowed.
    pub const REPLACED: u16 = 4_010;
    /// Flooding.
    pub const FLOODING: u16 = 4_029;
}

/// One thing to do, in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send this JSON to the client.
    Send(Bytes),
    /// Read the user's rooms; answer with `Loaded`.
    Load {
        /// What the client calls itself.
        client: Option<Box<str>>,
    },
    /// From `next` on this room's events go to the client; `live`: now, or only once what it missed was read.
    Listen {
        /// Which.
        room: RoomId,
        /// The next event that the client lacks.
        next: Seq,
        /// Whether to send at once.
        live: bool,
    },
    /// This room's events go to the client no more.
    Unlisten {
        /// Which.
        room: RoomId,
    },
    /// Nothing of this room goes to the client but the events after this one; read them, answer with `Pulled`, and
    /// `Deliver` decides.
    Pull {
        /// Where.
        room: RoomId,
        /// The last that the client has.
        after: Seq,
        /// Which question this is; echoed. An answer to an older one is not wanted any more.
        ticket: u32,
    },
    /// Send what was just read; when nothing is missing any more the room is live and `CaughtUp` comes, else pull on.
    Deliver {
        /// Which.
        room: RoomId,
    },
    /// Look for the files that a write attaches; answer with `Found`.
    Find {
        /// Which write.
        client_id: ClientId,
        /// For which room.
        room: RoomId,
        /// The files.
        media: Vec<MediaId>,
    },
    /// A write for a room.
    Write {
        /// Which.
        room: RoomId,
        /// What.
        write: Write,
    },
    /// Marks for a room.
    Mark {
        /// Which.
        room: RoomId,
        /// For an answer, if it fails.
        caller: Caller,
        /// Read up to here.
        read: Option<Seq>,
        /// Delivered up to here.
        delivered: Option<Seq>,
    },
    /// Typing in a room; may be lost.
    Typing {
        /// Which.
        room: RoomId,
        /// Whether.
        on: bool,
    },
    /// Whose presence to show from now on; tell how they are.
    WatchUsers(Vec<UserId>),
    /// The typing in which rooms to show from now on.
    WatchRooms(Vec<RoomId>),
    /// The user does something.
    Active,
    /// Send a WebSocket ping.
    Ping,
    /// Send a close frame and end the connection.
    Close {
        /// With this code.
        code: u16,
        /// For people.
        reason: &'static str,
    },
}
