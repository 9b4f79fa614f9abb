//! The numbers a server is configured with that the rules of chat depend on.

use serde::Serialize;

/// Limits of one server; announced to clients in `welcome` where they matter to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Bytes of one frame from a client.
    pub frame_bytes: usize,
    /// Bytes of one message body.
    pub body_bytes: usize,
    /// Rooms that one user may be in.
    pub rooms_per_user: usize,
    /// Members of one room.
    pub members_per_room: usize,
    /// Writes per second that a user may keep up; of this and the next each node has a share.
    pub sends_per_second: u32,
    /// Writes that a user may make at once after a pause.
    pub send_burst: u32,
    /// Connections of one user at once.
    pub connections_per_user: usize,
    /// Connections of one login at once; one more closes the oldest.
    pub connections_per_device: usize,
    /// Bytes that may wait for a slow reader.
    pub outbox_bytes: usize,
    /// Frames that may wait for a slow reader.
    pub outbox_frames: usize,
    /// Seconds until `hello` must have come.
    pub hello_seconds: u32,
    /// Seconds between pings; two unanswered ones end the connection.
    pub heartbeat_seconds: u32,
    /// Seconds that a reader may take nothing at all while frames wait for it.
    pub slow_reader_seconds: u32,
    /// Seconds that a fragmented message may take from its first to its last fragment.
    pub fragment_seconds: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes: 65_536,
            body_bytes: 16_384,
            rooms_per_user: 1_000,
            members_per_room: 100_000,
            sends_per_second: 20,
            send_burst: 60,
            connections_per_user: 100,
            connections_per_device: 10,
            outbox_bytes: 1 << 20,
            outbox_frames: 4_096,
            hello_seconds: 10,
            heartbeat_seconds: 25,
            slow_reader_seconds: 30,
            fragment_seconds: 10,
        }
    }
}

/// Frames of one connection that may wait for their answer (`PROTOCOL` bound; one more is `rate_limited`).
pub const CREDITS: usize = 64;
/// Appends of one room that may be under way; one more is `busy`.
pub const IN_FLIGHT: usize = 1_024;
/// Missed events of one room that are pushed; more is a `gap`.
pub const REPLAY_PER_ROOM: u64 = 500;
/// Missed events of all rooms of a connection that are pushed; more are gaps.
pub const REPLAY_IN_ALL: u64 = 5_000;
/// Members up to which everybody's marks are shown to everybody.
pub const MARKS_SHOWN: usize = 100;
/// People named in one message.
pub const MENTIONS: usize = 50;
/// Files that one message carries.
pub const ATTACHMENTS: usize = 10;
/// Users or rooms in one `watch`.
pub const WATCHED: usize = 500;
/// Characters of a request id in a frame, and of a client's name.
pub const LABEL_CHARS: usize = 64;
