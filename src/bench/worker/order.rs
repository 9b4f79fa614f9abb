//! What a bench and its worker processes say to each other: one JSON object per line.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::bench::latency::Summary;

/// What a worker is told to do.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub(in crate::bench) enum Order {
    /// Open sessions, and wait until each is live.
    Connect(Connect),
    /// Open bare sockets, the first of them to a writer's control.
    ConnectBare { address: SocketAddr, source: Ipv4Addr, sockets: usize },
    /// Drop every socket at once.
    Drop,
    /// Send into one room that all sessions of the worker hear.
    FanOut(FanOut),
    /// Send into a room per session.
    Send(Send),
}

/// Sessions to open.
#[derive(Debug, Deserialize, Serialize)]
pub(in crate::bench) struct Connect {
    pub(in crate::bench) address: SocketAddr,
    pub(in crate::bench) source: Ipv4Addr,
    /// How many handshakes may be under way at once.
    pub(in crate::bench) concurrency: usize,
    pub(in crate::bench) sessions: Vec<Session>,
    /// How many events each session must get before it is live.
    pub(in crate::bench) missed: u64,
    pub(in crate::bench) seconds: u64,
}

/// A session to open.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(in crate::bench) struct Session {
    pub(in crate::bench) token: String,
    /// Where, if not where all others are.
    pub(in crate::bench) address: Option<SocketAddr>,
    /// Rooms and the last number of each that is known.
    pub(in crate::bench) cursors: Vec<(String, u64)>,
}

/// One sender, everybody hears.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(in crate::bench) struct FanOut {
    pub(in crate::bench) room: String,
    pub(in crate::bench) body_bytes: usize,
    /// Of a bare writer: the size of the whole frame that is to be sent.
    pub(in crate::bench) bare_frame_bytes: Option<usize>,
    pub(in crate::bench) messages: usize,
    pub(in crate::bench) in_flight: usize,
    /// Messages per second of an open loop; none: the next message when an earlier one is done.
    pub(in crate::bench) rate: Option<f64>,
    pub(in crate::bench) seconds: f64,
    pub(in crate::bench) warm_up: usize,
    /// The processes whose processor time is counted.
    pub(in crate::bench) pids: Vec<u32>,
}

/// Many senders.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(in crate::bench) struct Send {
    /// The room of each session.
    pub(in crate::bench) rooms: Vec<String>,
    pub(in crate::bench) body_bytes: usize,
    pub(in crate::bench) in_flight: usize,
    pub(in crate::bench) rate: Option<f64>,
    pub(in crate::bench) warm_up_seconds: f64,
    pub(in crate::bench) seconds: f64,
    /// The processes whose processor time is counted.
    pub(in crate::bench) pids: Vec<u32>,
}

/// What a worker answers.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub(in crate::bench) enum Answer {
    Connected(Connected),
    Dropped,
    Sent(Sent),
    Failed { detail: String },
}

/// What came of connecting.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(in crate::bench) struct Connected {
    pub(in crate::bench) live: usize,
    /// Sessions that got other events than those they had missed.
    pub(in crate::bench) wrong: usize,
    pub(in crate::bench) events: u64,
    /// From the order to live, per session.
    pub(in crate::bench) latency: Summary,
    pub(in crate::bench) troubles: Troubles,
}

/// What came of sending.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(in crate::bench) struct Sent {
    pub(in crate::bench) messages: u64,
    pub(in crate::bench) deliveries: u64,
    /// How many reads the frames of a fan-out came in: how well writes were shared.
    pub(in crate::bench) reads: u64,
    pub(in crate::bench) seconds: f64,
    /// Processor time of those processes in that time.
    pub(in crate::bench) cpu_nanos: Option<u64>,
    /// Of deliveries in a fan-out, of acks otherwise; from the intended time of the send.
    pub(in crate::bench) latency: Summary,
    /// Bytes of the last event frame that was heard.
    pub(in crate::bench) frame_bytes: usize,
    pub(in crate::bench) troubles: Troubles,
}

/// What should not have happened.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(in crate::bench) struct Troubles {
    pub(in crate::bench) closed: u64,
    pub(in crate::bench) holes: u64,
    pub(in crate::bench) lagged: u64,
    pub(in crate::bench) gaps: u64,
    pub(in crate::bench) nacks: u64,
    pub(in crate::bench) first: Option<String>,
}

impl Troubles {
    pub(in crate::bench) fn none(&self) -> bool {
        self.closed + self.holes + self.lagged + self.gaps + self.nacks == 0
    }

    pub(in crate::bench) fn note(&mut self, detail: impl FnOnce() -> String) {
        if self.first.is_none() {
            self.first = Some(detail());
        }
    }
}
