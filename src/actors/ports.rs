//! What the edges ask of the actors, and what the actors need from the edges: named by the need.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use rookery_core::{
    frame::Refusal,
    ids::{ClientId, DeviceId, RoomId, Seq, SessionId, ShardId, UserId},
    room::{Authority, Intent},
    shard::Epoch,
    time::Millis,
};

use crate::store::{
    StoreError,
    record::{Created, NewRoom},
};

/// A write that a request wants, to one room.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Where.
    pub room: RoomId,
    /// Who.
    pub user: UserId,
    /// On whose authority.
    pub authority: Authority,
    /// The idempotency key.
    pub client_id: ClientId,
    /// The newest seq that the client had when it first tried; 0 when it does not say.
    pub seen: Seq,
    /// What.
    pub intent: Intent,
    /// The request's id, for the log line of the commit.
    pub request_id: String,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is durable.
    Done {
        /// Its place.
        seq: Seq,
        /// When.
        at: Millis,
        /// It had happened before.
        repeat: bool,
    },
    /// It was so already.
    Unchanged,
}

/// Why a request got no answer of the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// It did not happen and will not.
    Refused(Refusal),
    /// Nobody knows; ask `outcomes`, or ask again with the same `client_id`.
    Unknown,
}

/// One connection, as operators see it.
#[derive(Clone, Debug)]
pub struct Connected {
    /// Which.
    pub session: SessionId,
    /// Whose.
    pub user: UserId,
    /// Which login.
    pub device: DeviceId,
    /// On which node.
    pub node: String,
    /// Since when.
    pub since: Millis,
    /// What the client calls itself.
    pub client: Option<String>,
}

/// A room that is awake, as operators see it.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoomState {
    /// Whether it is awake.
    pub awake: bool,
    /// The epoch that it commits under.
    pub epoch: Option<Epoch>,
    /// What waits in its mailbox.
    pub queue: usize,
    /// How many hubs listen.
    pub interest: usize,
    /// Whether it is shut because it panics.
    pub quarantined: bool,
}

/// The actors as a whole, as operators see them.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    /// This node's name.
    pub node: String,
    /// Connections.
    pub sessions: usize,
    /// Rooms awake.
    pub rooms_awake: usize,
    /// Durable writes per second: an average in which what was ten seconds ago weighs a third.
    pub sends_per_second: f64,
    /// Rooms that are shut because they panic.
    pub quarantined: Vec<RoomId>,
    /// Shards that it has something to do with.
    pub shards: usize,
}

/// What HTTP asks of the actors, wherever they live.
pub trait Gateway: Send + Sync {
    /// Writes to a room and waits until that is durable, five seconds at most.
    fn write(&self, wanted: Wanted) -> BoxFuture<'_, Result<Written, Unanswered>>;
    /// Moves marks; answers read and delivered as they stand.
    fn mark(
        &self,
        room: RoomId,
        user: UserId,
        read: Option<Seq>,
        delivered: Option<Seq>,
    ) -> BoxFuture<'_, Result<(Seq, Seq), Unanswered>>;
    /// Begins a room and shows it to its members.
    fn create_room(&self, room: NewRoom) -> BoxFuture<'_, Result<Created, StoreError>>;
    /// One of the two of a direct room blocked the other, or stopped.
    fn blocked(&self, room: RoomId, by: UserId, on: bool);
    /// A user's settings for a room changed: tells their devices.
    fn settings_changed(&self, room: RoomId, user: UserId);
    /// Takes one write's worth from a user's budget, the same that their connections use. Err: milliseconds to wait.
    ///
    /// # Errors
    /// The budget is used up.
    fn admit_write(&self, user: UserId) -> Result<(), u64>;

    /// Into how many parts a user's budgets are divided, of which this node has one.
    fn shares(&self, user: UserId) -> u32;

    /// Closes the connections of these logins of a user with this close code, on every node.
    fn close_devices(&self, user: UserId, devices: Vec<DeviceId>, code: u16, reason: &'static str);
    /// Closes one connection; `false`: there is none such.
    fn close_session(&self, session: SessionId) -> BoxFuture<'_, bool>;
    /// A user's connections.
    fn sessions_of(&self, user: UserId) -> BoxFuture<'_, Vec<Connected>>;
    /// All connections after `after` by id, at most `limit`.
    fn sessions(&self, after: Option<SessionId>, limit: usize) -> BoxFuture<'_, Vec<Connected>>;

    /// How the actors of this node are.
    fn pulse(&self) -> BoxFuture<'_, Pulse>;
    /// How the actors of every node are that answers, by name.
    fn pulses(&self) -> BoxFuture<'_, Vec<Pulse>>;
    /// How one room is.
    fn room_state(&self, room: RoomId) -> BoxFuture<'_, RoomState>;
    /// Lets a quarantined room try again.
    fn release(&self, room: RoomId) -> BoxFuture<'_, ()>;
}

/// A node, as operators see it.
#[derive(Clone, Debug)]
pub struct NodeState {
    /// Its name.
    pub node: String,
    /// Which life of it; none of a node alone.
    pub incarnation: Option<u64>,
    /// Whether it is the one that was asked.
    pub here: bool,
    /// Where people reach it, if it says so.
    pub url: Option<String>,
    /// What it runs, if it says so.
    pub version: Option<String>,
    /// Where other nodes reach it; none of a node alone.
    pub address: Option<String>,
    /// Whether it gives its shards away.
    pub draining: bool,
    /// Since when the node that was asked sees it.
    pub since: Option<Millis>,
}

/// One end of a link, as operators see it.
#[derive(Clone, Debug)]
pub struct LinkView {
    /// The node that sees it so.
    pub from: String,
    /// The node at the other end.
    pub to: String,
    /// Envelopes that wait.
    pub waiting: u64,
    /// Bytes that wait.
    pub waiting_bytes: u64,
    /// Envelopes that were shed since the link is up.
    pub shed: u64,
}

/// A shard, as operators see it.
#[derive(Clone, Debug)]
pub struct ShardView {
    /// Which.
    pub shard: ShardId,
    /// Who has claimed it, of the nodes that answer, and under which epoch.
    pub holder: Option<(String, Epoch)>,
    /// Who should own it.
    pub owner: Option<String>,
    /// Whether an operator moved it there.
    pub moved: bool,
    /// Why there, in words.
    pub why: String,
}

/// What a move does, or would do.
#[derive(Clone, Debug)]
pub struct ShardMove {
    /// The shard as it is before.
    pub before: ShardView,
    /// Who should own it then.
    pub to: String,
}

/// A room's log as one node sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Which node.
    pub node: String,
    /// The epoch under which it owns the room, if it does.
    pub epoch: Option<Epoch>,
    /// The last event.
    pub head: Seq,
    /// SHA-256, rolled over every event.
    pub digest: String,
}

/// Why something was not done to a node or a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDone {
    /// There is no such node.
    NoSuchNode,
    /// There is no other node.
    Alone,
    /// The node gives its shards away, and takes none.
    Draining,
    /// The node does not answer; perhaps it was done.
    Silent,
}

/// The nodes and what each owns; a node alone is a cluster of one.
pub trait ClusterView: Send + Sync {
    /// The nodes that are alive, by name.
    fn nodes(&self) -> Vec<NodeState>;
    /// The links, as the nodes at their ends see them that answer.
    fn links(&self) -> BoxFuture<'_, Vec<LinkView>>;
    /// Every shard.
    fn shards(&self) -> BoxFuture<'_, Vec<ShardView>>;
    /// Who should own a shard.
    fn owner(&self, shard: ShardId) -> Option<String>;
    /// Has a node give its shards away, or take its part again.
    fn drain(&self, node: String, on: bool) -> BoxFuture<'_, Result<(), NotDone>>;
    /// Whether this node gives its shards away.
    fn is_draining(&self) -> bool;
    /// Has a shard live on this node for as long as the node lives and does not drain; `None`: where it would live by itself.
    fn move_shard(
        &self,
        shard: ShardId,
        to: Option<String>,
        dry_run: bool,
    ) -> BoxFuture<'_, Result<ShardMove, NotDone>>;
    /// A room's log as every node sees it that answers, by name.
    fn digests(&self, room: RoomId) -> BoxFuture<'_, Vec<Digest>>;
}

/// What became of events that were put into an outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// They are written or wait.
    Taken,
    /// Too much waits: the events that waited were dropped; these rooms are affected.
    Lagged(Vec<RoomId>),
}

/// Where the frames of one connection go; never waits. Lives on the thread that owns the socket.
pub trait Outbox {
    /// Events of a room, as whole WebSocket frames. With `more` the write may wait for the next call.
    fn event(&self, room: RoomId, frames: &Bytes, more: bool) -> Pushed;
    /// Anything else; never dropped, but the connection ends if far too much waits.
    fn control(&self, frame: &Bytes, more: bool);
    /// Writes what waits after calls with `more`.
    fn flush(&self);
    /// Sends a WebSocket ping.
    fn ping(&self);
    /// Sends a close frame behind what waits, and ends the connection soon after.
    fn close(&self, code: u16, reason: &str);
    /// Whether the client has let something wait for too long: reading, or ending a message. The close code, and why.
    fn overdue(&self) -> Option<(u16, &'static str)>;
    /// Bytes that wait.
    fn waiting(&self) -> usize;
    /// Whether nothing waits.
    fn is_empty(&self) -> bool {
        self.waiting() == 0
    }
    /// Whether the socket is done with.
    fn is_dead(&self) -> bool;
}

/// What the reading half of a connection hands to its session.
#[derive(Debug)]
pub enum Read {
    /// A whole text message, valid UTF-8.
    Text(Bytes),
    /// The answer to a ping.
    Pong,
    /// The client broke the WebSocket protocol, or closed: end with this code.
    Ended {
        /// The close code to send; `None`: the socket is gone.
        code: Option<u16>,
        /// For people.
        reason: &'static str,
    },
}
