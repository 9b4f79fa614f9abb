//! One connection: what its client may say next, and what it is told.
//!
//! The rooms write their events past this machine, straight into the outbox; [`Subscription`] holds the rule for that.
//! Here is everything else: hello, resume, asking rooms, limits, heartbeat.

mod effect;
mod frames;
mod heartbeat;
mod hello;
mod input;
mod marks;
mod media;
mod resume;
mod subscription;

pub use effect::{Effect, close};
pub use input::Input;
pub use subscription::{Offer, Progress, Subscription};

use crate::{
    frame::{
        Refusal, codec,
        server::{Nack, RoomNotice, RoomView, ServerFrame},
    },
    ids::{ClientId, DeviceId, RoomId, Seq, SessionId, UserId},
    limits::{CREDITS, Limits},
    rate::Bucket,
    room::Write,
    time::Millis,
};

/// Milliseconds for which a write is asked for again by ourselves after its room started anew.
const ASKED_AGAIN_MS: i64 = 10_000;

/// Who is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// This connection.
    pub session: SessionId,
    /// The hub that holds it.
    pub hub: u16,
    /// The user.
    pub user: UserId,
    /// The login.
    pub device: DeviceId,
}

/// How far the conversation is.
#[derive(Clone, Debug, PartialEq)]
enum Phase {
    /// Nothing was said yet.
    Silent {
        deadline: Millis,
    },
    /// `hello` came; the rooms are being read.
    /// `stale`: the user came into a room or went out of one meanwhile, so that what is being read may be wrong.
    Loading {
        opening: Box<Opening>,
        stale: bool,
    },
    Live,
    Closed,
}

/// What the client has said before its welcome.
#[derive(Clone, Debug, PartialEq)]
struct Opening {
    hello: crate::frame::client::Hello,
    /// Frames that came right behind it, each with what the user's budget said to it; their turn comes after the welcome.
    early: Vec<(crate::frame::ClientFrame, Result<(), u64>)>,
}

/// A write whose answer has not come; kept to ask again when the room starts anew.
#[derive(Clone, Debug)]
struct Ask {
    room: RoomId,
    write: Write,
    /// Until when we ask again by ourselves; set when the room first started anew.
    until: Option<Millis>,
    /// The nodes that have it and have not said what became of it. One node takes and answers in order.
    open: Vec<u16>,
    turn: Turn,
    /// An earlier try of it had no answer when this one came.
    is_retry: bool,
}

/// Whether a write is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// The files that it attaches are being looked for.
    Looking,
    /// One before it to the same room waits.
    Behind,
    /// It was said to its room.
    Said,
}

/// A room whose missed events are being read.
#[derive(Clone, Debug)]
struct Pull {
    room: RoomId,
    after: Seq,
    ticket: u32,
    /// What the client waits for: nothing (a hole found by ourselves), or `synced` with this id.
    wanted: Option<Option<Box<str>>>,
    /// How often it could not be read.
    tries: u8,
    /// When it is asked for again, as it could not be read; none while the answer is on its way.
    again: Option<Millis>,
}

/// The machine.
#[derive(Clone, Debug)]
pub struct Session {
    peer: Peer,
    phase: Phase,
    asks: Vec<Ask>,
    pulls: Vec<Pull>,
    /// What was marked lately.
    marks: Vec<marks::Mark>,
    tickets: u32,
    chatter: Bucket,
    bad_frames: Strikes,
    floods: Strikes,
    next_ping: Millis,
    unanswered: u8,
    active_at: Millis,
}

/// Counts in a window of time.
#[derive(Clone, Copy, Debug)]
struct Strikes {
    since: Millis,
    count: u16,
}

impl Strikes {
    const fn new(now: Millis) -> Self {
        Self { since: now, count: 0 }
    }

    /// One more; `true` when there were more than `most` within `window` milliseconds.
    fn strike(&mut self, now: Millis, window: i64, most: u16) -> bool {
        if now.since(self.since) > window {
            *self = Self::new(now);
        }
        self.count = self.count.saturating_add(1);
        self.count >= most
    }
}

impl Session {
    /// A connection right after its handshake.
    #[must_use]
    pub fn new(peer: Peer, limits: &Limits, now: Millis) -> Self {
        Self {
            peer,
            phase: Phase::Silent { deadline: now.plus(i64::from(limits.hello_seconds) * 1_000) },
            asks: Vec::new(),
            pulls: Vec::new(),
            marks: Vec::new(),
            tickets: 0,
            chatter: Bucket::full(frames::chatter(limits), now),
            bad_frames: Strikes::new(now),
            floods: Strikes::new(now),
            next_ping: now.plus(i64::from(limits.heartbeat_seconds) * 1_000),
            unanswered: 0,
            active_at: now,
        }
    }

    /// Who is connected.
    #[must_use]
    pub const fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Whether `hello` was answered.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live)
    }

    /// When the next `Tick` is due.
    #[must_use]
    pub fn due(&self) -> Millis {
        match self.phase {
            Phase::Silent { deadline } => deadline.min(self.next_ping),
            _ => self.pulls.iter().filter_map(|pull| pull.again).fold(self.next_ping, Millis::min),
        }
    }

    /// Takes one input; appends what is to be done, in order.
    pub fn step(&mut self, input: Input, limits: &Limits, now: Millis, out: &mut Vec<Effect>) {
        if matches!(self.phase, Phase::Closed) {
            return;
        }
        match input {
            Input::Frame { frame, admitted } => self.frame(frame, admitted, limits, now, out),
            Input::BadFrame(bad) => self.bad_frame(&bad, now, out),
            Input::Loaded(rooms) => self.loaded(rooms, limits, now, out),
            Input::Answered { client_id } => self.answered(client_id),
            Input::Found { client_id, found } => self.found(client_id, found, out),
            Input::Pulled { room, ticket, after, answer } => self.pulled(room, ticket, after, answer, now, out),
            Input::CaughtUp { room, seq } => self.caught_up(room, seq, out),
            Input::Hole { room, after } => self.hole(room, after, out),
            Input::Restarted { room, by } => self.restarted(room, by, now, out),
            Input::Moved { room } => self.ask_again(room, now, out),
            Input::Undecided { client_id, by } => self.undecided(client_id, by, now, out),
            Input::Unmarked { room } => self.unmarked(room, now, out),
            Input::Appeared { view, follows } => self.appeared(view, follows, out),
            Input::Vanished { room } => self.vanished(room, out),
            Input::Pong => self.unanswered = 0,
            Input::Tick => self.tick(limits, now, out),
            Input::Close { code, reason } => self.close(code, reason, out),
        }
    }

    /// A write was answered, whichever way: its credit is free again.
    pub fn answered(&mut self, client_id: ClientId) {
        if let Some(index) = self.asks.iter().position(|ask| ask.write.client_id == client_id) {
            // In their order, since each names the one before it.
            self.asks.remove(index);
            if self.asks.is_empty() {
                // An idle connection holds no memory for what it once asked.
                self.asks = Vec::new();
            }
        }
    }

    /// A node has a write, and may do it.
    pub fn taken(&mut self, client_id: ClientId, by: u16) {
        if let Some(ask) = self.asks.iter_mut().find(|ask| ask.write.client_id == client_id)
            && !ask.open.contains(&by)
        {
            ask.open.push(by);
        }
    }

    /// A node refuses a write: whether the client may be told so. Not while another node may still do it, and not what was
    /// answered or left open before.
    pub fn refused(&mut self, client_id: ClientId, by: u16) -> bool {
        let Some(ask) = self.asks.iter_mut().find(|ask| ask.write.client_id == client_id) else { return false };
        ask.open.retain(|node| *node != by);
        let may_be_told = ask.open.is_empty();
        if may_be_told {
            self.answered(client_id);
        }
        may_be_told
    }

    /// The rooms that owe this connection an answer, or may owe it a mark.
    pub fn asked_rooms(&self) -> impl Iterator<Item = RoomId> + '_ {
        let asked = self.asks.iter().map(|ask| ask.room).chain(self.pulls.iter().map(|pull| pull.room));
        asked.chain(self.marks.iter().map(|mark| mark.room))
    }

    fn has_credit(&self) -> bool {
        self.asks.len() + self.pulls.len() < CREDITS
    }

    /// The room started anew on a node, and forgot there what it was asked.
    fn restarted(&mut self, room: RoomId, by: u16, now: Millis, out: &mut Vec<Effect>) {
        for ask in self.asks.iter_mut().filter(|ask| ask.room == room) {
            ask.open.retain(|node| *node != by);
        }
        self.ask_again(room, now, out);
    }

    /// What the room has not answered is asked again; what it had done already it answers as a repeat.
    fn ask_again(&mut self, room: RoomId, now: Millis, out: &mut Vec<Effect>) {
        for at in 0..self.asks.len() {
            let ask = &mut self.asks[at];
            if ask.room == room && ask.turn == Turn::Said {
                ask.until.get_or_insert(now.plus(ASKED_AGAIN_MS));
                ask.write.again = true;
                self.say(at, out);
            }
        }
        self.mark_again(room, now, out);
    }

    /// Asks a room for the write at this place, which names what goes before it at this moment.
    fn say(&mut self, at: usize, out: &mut Vec<Effect>) {
        let before = self.before(at);
        let ask = &mut self.asks[at];
        ask.write.after = before;
        out.push(Effect::Write { room: ask.room, write: ask.write.clone() });
    }

    /// What went before the write at this place, and is not answered. A write has its place by its first try: one that is tried
    /// again behind a later one went before that all the same, and says nothing about what comes behind it.
    fn before(&self, at: usize) -> Option<ClientId> {
        let (room, client_id) = (self.asks[at].room, self.asks[at].write.client_id);
        let in_room = || self.asks.iter().filter(|ask| ask.room == room);
        let earlier = in_room().take_while(|ask| ask.write.client_id != client_id);
        earlier.filter(|ask| !ask.is_retry).last().map(|ask| ask.write.client_id)
    }

    /// Nobody could say what became of a write: asks again, but not for ever. After that the client gets no answer, which
    /// means just that: nobody knows, ask again.
    fn undecided(&mut self, client_id: ClientId, by: Option<u16>, now: Millis, out: &mut Vec<Effect>) {
        let Some(at) = self.asks.iter().position(|ask| ask.write.client_id == client_id) else { return };
        let ask = &mut self.asks[at];
        ask.open.retain(|node| Some(*node) != by);
        if *ask.until.get_or_insert(now.plus(ASKED_AGAIN_MS)) <= now {
            return self.answered(client_id);
        }
        ask.write.again = true;
        self.say(at, out);
    }

    /// The user is not in this room any more.
    fn vanished(&mut self, room: RoomId, out: &mut Vec<Effect>) {
        if let Phase::Loading { stale, .. } = &mut self.phase {
            *stale = true;
        }
        self.pulls.retain(|pull| pull.room != room);
        out.push(Effect::Unlisten { room });
    }

    /// The user is in this room from now on. What is known of that may be old already, so the room has the last word: its
    /// events are read first, and only who may read them hears the room.
    fn appeared(&mut self, view: RoomView, follows: bool, out: &mut Vec<Effect>) {
        match &mut self.phase {
            Phase::Loading { stale, .. } => *stale = true,
            Phase::Live => {
                let (room, head) = (view.room, view.head);
                send(&ServerFrame::Room(RoomNotice::Present(view)), out);
                if !follows {
                    out.push(Effect::Listen { room, next: head + 1, live: false });
                    self.pull(room, head, None, out);
                }
            }
            Phase::Silent { .. } | Phase::Closed => {}
        }
    }

    fn close(&mut self, code: u16, reason: &'static str, out: &mut Vec<Effect>) {
        self.phase = Phase::Closed;
        out.push(Effect::Close { code, reason });
    }
}

fn send(frame: &ServerFrame<'_>, out: &mut Vec<Effect>) {
    out.push(Effect::Send(codec::encode(frame)));
}

fn nack(refusal: &Refusal, id: Option<&str>, room: Option<RoomId>, client_id: Option<ClientId>, out: &mut Vec<Effect>) {
    send(&ServerFrame::Nack(Nack::of(refusal, id, room, client_id)), out);
}

#[cfg(test)]
mod tests;
